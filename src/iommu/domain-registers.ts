/** The register values of a domain's table, and the address sizes of the hardware that they are meant for. (DDI 0487 D8.1.8, table D8-6.) */
import type { Registers } from '../pagetable/format.ts';

/** The sizes that a table was made for. Hardware with other sizes may not be able to walk it. */
export interface HardwareSizes {
  /** The output size that the registers say, in bits: the `oas` of the format. */
  readonly outputBits: number;
  /** What a walker takes as `cpu`: a PE or SMMU whose PAs have this many bits, 32 to 52. */
  readonly cpu: { readonly paBits: number };
}

/** Register values as a format makes them, with the sizes of the hardware. */
export interface DomainRegisters {
  /** By Linux's names: `ttbr`, `tcr.tsz`, `vtcr.sl`, `mair` … */
  readonly cfg: Registers['cfg'];
  /** The regime, its registers and the hardware: what `createWalker` takes. */
  readonly hardware: Registers['hardware'] & HardwareSizes;
}

/** The PA sizes that hardware has, in bits. */
const [LEAST_PA, MOST_PA] = [32, 52];

/** The sizes for `oas` bits of output. */
export function hardwareSizes(oas: number): HardwareSizes {
  return { outputBits: oas, cpu: { paBits: Math.min(Math.max(oas, LEAST_PA), MOST_PA) } };
}
