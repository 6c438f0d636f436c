/** The register values of a domain's table, and the address sizes of the hardware that they are meant for. (DDI 0487 D8.1.8, table D8-6.) */
import type { Feature, Registers, TableFormat } from '../pagetable/format.ts';

/** Features that hardware may lack, without which it reads other things in the same tables. */
const NEEDED = ['s1pie', 's1poe', 's2pie', 'aie', 'haft'] as const satisfies readonly Feature[];

/** The sizes that a table was made for. Hardware with other sizes may not be able to walk it. */
export interface HardwareSizes {
  /** The output size that the registers say, in bits: the `oas` of the format. */
  readonly outputBits: number;
  /** What a walker takes as `cpu`: a PE or SMMU whose PAs have this many bits, 32 to 52, with the features that the tables need. */
  readonly cpu: { readonly paBits: number } & Readonly<Partial<Record<(typeof NEEDED)[number], true>>>;
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

/** The sizes for a format's output, and its features. */
export function hardwareSizes({ oas, features = [] }: Pick<TableFormat, 'oas' | 'features'>): HardwareSizes {
  const needed = NEEDED.filter((feature) => features.includes(feature)).map((feature) => [feature, true]);
  const paBits = Math.min(Math.max(oas, LEAST_PA), MOST_PA);
  return { outputBits: oas, cpu: { paBits, ...Object.fromEntries(needed) } };
}
