/** The register values of a domain's table, and how large the addresses are of the hardware that takes them. (DDI 0487 D8.1.8, table D8-6.) */
import type { Registers } from '../pagetable/format.ts';

/** Sizes that a table was made for. With others hardware may not be able to walk it. */
export interface HardwareSizes {
  /** The output size that the registers say, in bits: the `oas` of the format. */
  readonly outputBits: number;
  /** What a walker takes as `cpu`: a PE or SMMU with that many bits of PA, 32 to 52. */
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
