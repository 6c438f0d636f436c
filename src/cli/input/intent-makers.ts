/** What makes the tables of each regime: a format for each stage, and what it can say. (DDI 0487 D8.1.2, G5.1.) */
import type { MachineRegime } from '../../arch/regimes.ts';
import type { Quirk, Stage1Regime } from '../../pagetable/format.ts';

/** What makes the tables of one stage. */
export interface Maker {
  readonly format: string;
  /** Address sizes in bits. */
  readonly ias: number;
  readonly oas: number;
  /** Bits of input where lines need more than `ias`. */
  readonly input: number;
  readonly regime?: Stage1Regime;
  readonly quirks?: readonly Quirk[];
  /** Its accesses are Secure. */
  readonly secure?: true;
  /** What its prots can say beyond Linux's flags. */
  readonly prots: 'stage 1' | 'stage 2' | 'flags';
  /** There are accesses from EL0. */
  readonly unprivileged: boolean;
  /** Input addresses are sign-extended, and one table holds both halves. */
  readonly signed?: true;
  /** Registers say how all leaves are shared (LPA2). */
  readonly oneShareability?: true;
  /** XN forbids execution at all levels at once. */
  readonly oneXn?: true;
  /** By granule. */
  readonly sizes: Readonly<Record<string, bigint>>;
}

/** The stages of a regime. */
export interface Makers {
  readonly stage1?: Maker;
  readonly stage2?: Maker;
  /** Addresses of the upper half are in a table of their own (TTBR1). Otherwise only their low bits count. */
  readonly halves?: true;
}

export const LONG_SIZES = { '4K': 0x4020_1000n, '16K': 0x200_4000n, '64K': 0x2001_0000n };
const PAGES_4K = { '4K': 0x4020_1000n };

const S1: Maker = {
  format: 'arm_64_lpae_s1',
  ias: 48,
  oas: 48,
  input: 48,
  prots: 'stage 1',
  unprivileged: true,
  sizes: LONG_SIZES,
};
const S2: Maker = { ...S1, format: 'arm_64_lpae_s2', ias: 40, prots: 'stage 2' };
const PL1: Maker = {
  ...S1,
  format: 'arm_32_lpae_s1',
  ias: 32,
  oas: 40,
  input: 32,
  oneXn: true,
  sizes: PAGES_4K,
};
const PL1_S2: Maker = { ...S2, format: 'arm_32_lpae_s2', oas: 40, input: 40, sizes: PAGES_4K };
const V7S: Maker = {
  ...PL1,
  format: 'arm_v7s',
  oas: 32,
  prots: 'flags',
  sizes: { '4K': 0x111_1000n },
};
const ONE_LEVEL = { unprivileged: false } as const;
const SV: Maker = {
  format: 'riscv_64',
  ias: 39,
  oas: 52,
  input: 48,
  prots: 'flags',
  unprivileged: true,
  sizes: PAGES_4K,
};

/** Every regime. Streams have the tables of EL1's stages. */
export const MAKERS: Readonly<Record<MachineRegime, Makers>> = {
  'el1&0': { stage1: S1, halves: true },
  'el1&0-s2': { stage2: S2 },
  'el1&0-nested': { stage1: S1, stage2: S2, halves: true },
  el2: { stage1: { ...S1, ...ONE_LEVEL, regime: 'el2' } },
  'el2&0': { stage1: { ...S1, regime: 'el2&0' }, halves: true },
  el3: { stage1: { ...S1, ...ONE_LEVEL, regime: 'el3', secure: true } },
  'pl1&0': { stage1: PL1 },
  'pl1&0-s2': { stage2: PL1_S2 },
  'pl1&0-nested': { stage1: PL1, stage2: PL1_S2 },
  'pl1&0-nested64': { stage1: PL1, stage2: S2 },
  'pl1&0-short': { stage1: V7S },
  pl2: { stage1: { ...PL1, ...ONE_LEVEL, regime: 'pl2' } },
  mtk: { stage1: { ...V7S, ias: 34, oas: 35, input: 34, quirks: ['no_perms', 'arm_mtk_ext'] } },
  mali: {
    stage1: { ...SV, format: 'arm_mali_lpae', ias: 48, oas: 40, sizes: { '4K': 0x20_1000n } },
  },
  riscv: { stage1: { ...SV, signed: true } },
  'riscv-iova': { stage1: SV },
  'smmuv3-s1': { stage1: S1, halves: true },
  'smmuv3-s2': { stage2: S2 },
  'smmuv3-nested': { stage1: S1, stage2: S2, halves: true },
};
