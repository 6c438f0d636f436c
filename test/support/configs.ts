/** Configurations for suites that every format must pass: each granule at each level that a table can start at. */
import { type FormatModule, type FormatRequest, formats } from '../../formats/index.ts';
import { FEATURES, type Feature, QUIRKS, type Quirk } from '../../src/pagetable/format.ts';

export const SIZES_4K = 0x4020_1000n;
export const SIZES_16K = 0x0200_4000n;
export const SIZES_64K = 0x2001_0000n;
/** 64K with blocks of 4 TiB, which 52-bit outputs allow. */
export const SIZES_64K_52 = 0x400_2001_0000n;
/** Small and large pages, sections and supersections. */
export const SIZES_SHORT = 0x111_1000n;
/** RISC-V's 4K, 2M and 1G with Svnapot's 64K. */
export const SIZES_SV39 = SIZES_4K | 0x1_0000n;

export interface Config {
  readonly name: string;
  readonly format: FormatModule;
  readonly options: FormatRequest;
  /** Level of the root. */
  readonly startLevel: number;
}

/** With contiguous runs: 64K, 32M and 16G beside the 4K granule's; 2M and 1G beside 16K's; 2M and 16G beside 64K's. */
export const RUNS_4K = SIZES_4K | 0x4_0201_0000n;
export const RUNS_16K = SIZES_16K | 0x4020_0000n;
export const RUNS_64K = SIZES_64K | 0x4_0020_0000n;
/** The blocks that LPA2 adds: 512 GiB and 64 GiB. */
const LPA2_4K = SIZES_4K | (1n << 39n);
const LPA2_16K = SIZES_16K | (1n << 36n);

/** pgsizeBitmap, ias, oas, start level, and quirks, features and `mandatory` concatenation. */
type Row = readonly [bigint, number, number, number, ...(Quirk | Feature | 'mandatory')[]];

const STAGE_1: readonly Row[] = [
  [SIZES_4K, 48, 48, 0],
  [SIZES_4K, 39, 40, 1],
  [SIZES_4K, 30, 36, 2],
  [SIZES_4K, 21, 32, 3],
  [SIZES_4K, 47, 48, 0, 'arm_ttbr1'],
  [SIZES_4K, 32, 40, 1, 'arm_ttbr1', 'arm_ns'],
  [SIZES_4K, 39, 48, 1, 'arm_hd'],
  [SIZES_16K, 48, 48, 0],
  [SIZES_16K, 47, 44, 1],
  [SIZES_16K, 36, 40, 2],
  [SIZES_16K, 25, 42, 3],
  [SIZES_16K, 36, 48, 2, 'arm_ttbr1'],
  [SIZES_64K_52, 52, 52, 1],
  [SIZES_64K, 42, 48, 2],
  [SIZES_64K, 29, 36, 3],
  [SIZES_64K, 42, 52, 2, 'arm_ttbr1'],
  [RUNS_4K, 39, 40, 1, 'contiguous'],
  [RUNS_4K | (1n << 39n), 52, 52, -1, 'contiguous', 'lpa2'],
  [RUNS_16K, 36, 48, 2, 'contiguous', 'arm_ttbr1'],
  [RUNS_16K | (1n << 36n), 52, 52, 0, 'contiguous', 'lpa2'],
  [RUNS_64K, 42, 48, 2, 'contiguous', 'dirty_state'],
  [LPA2_4K, 52, 52, -1, 'lpa2'],
  [LPA2_4K, 48, 52, 0, 'lpa2', 'arm_ttbr1'],
  [LPA2_4K, 39, 48, 1, 'lpa2'],
  [LPA2_16K, 52, 52, 0, 'lpa2'],
  [LPA2_16K, 47, 52, 1, 'lpa2', 'access_flag'],
  [SIZES_4K, 17, 32, 3],
  [SIZES_64K, 22, 32, 3],
  [SIZES_4K, 39, 48, 1, 's1pie'],
  [SIZES_4K, 30, 40, 2, 's1pie', 's1poe', 'dirty_state', 'haft'],
  [SIZES_64K, 42, 48, 2, 's1pie', 'aie', 'arm_ttbr1'],
  [SIZES_4K, 30, 36, 2, 's1poe', 'aie'],
];

const STAGE_2: readonly Row[] = [
  [SIZES_4K, 48, 48, 0],
  [SIZES_4K, 43, 44, 1],
  [SIZES_4K, 40, 40, 1],
  [SIZES_4K, 30, 36, 2],
  [SIZES_4K, 21, 32, 3],
  [SIZES_16K, 48, 48, 1],
  [SIZES_16K, 36, 42, 2],
  [SIZES_16K, 25, 32, 3],
  [SIZES_64K_52, 52, 52, 1],
  [SIZES_64K, 42, 48, 2],
  [SIZES_64K, 29, 36, 3],
  [RUNS_4K, 40, 44, 1, 'contiguous', 'xnx'],
  [RUNS_16K, 36, 48, 2, 'contiguous'],
  [RUNS_64K, 42, 48, 2, 'contiguous', 'fwb'],
  [LPA2_4K, 52, 52, 0, 'lpa2'],
  [LPA2_4K, 40, 52, 1, 'lpa2', 'dirty_state'],
  [LPA2_16K, 52, 52, 0, 'lpa2'],
  [SIZES_4K, 40, 44, 0, 'mandatory'],
  [SIZES_16K, 37, 40, 2, 'mandatory'],
  [LPA2_4K, 52, 52, -1, 'lpa2', 'mandatory'],
  [SIZES_4K, 40, 40, 1, 's2pie'],
  [SIZES_4K | 0x1_0000n, 30, 40, 2, 'contiguous', 's2pie', 'dirty_state', 'haft'],
];

/** Memory types beside those of Linux's MAIR. */
const MAIR2 = 0xf0bb_0c08_0000_0000n;

/** By format. A new format needs its rows here. */
const ROWS: Readonly<Record<string, readonly Row[]>> = {
  arm_64_lpae_s1: STAGE_1,
  arm_64_lpae_s2: STAGE_2,
  arm_32_lpae_s1: [
    [SIZES_4K, 32, 40, 1],
    [SIZES_4K, 30, 32, 2],
    [SIZES_4K, 25, 40, 2],
    [SIZES_4K, 31, 40, 1, 'arm_ttbr1'],
    [RUNS_4K, 32, 40, 1, 'contiguous'],
  ],
  arm_32_lpae_s2: [
    [SIZES_4K, 40, 40, 1],
    [SIZES_4K, 32, 36, 1],
    [SIZES_4K, 30, 40, 2],
    [SIZES_4K, 25, 32, 2],
    [RUNS_4K, 33, 40, 1, 'contiguous'],
  ],
  arm_mali_lpae: [
    [SIZES_4K, 48, 40, 0],
    [SIZES_4K, 40, 36, 0],
    [SIZES_4K, 33, 32, 0],
  ],
  arm_v7s: [
    [SIZES_SHORT, 32, 32, 1],
    [SIZES_SHORT, 28, 32, 1],
    [0x11_1000n, 25, 31, 1],
    [SIZES_SHORT, 31, 32, 1, 'arm_ns'],
    [SIZES_SHORT, 32, 32, 1, 'no_perms'],
    [SIZES_SHORT, 34, 35, 1, 'no_perms', 'arm_mtk_ext'],
    [SIZES_SHORT, 33, 34, 1, 'no_perms', 'arm_mtk_ext', 'arm_mtk_ttbr_ext'],
  ],
  riscv_64: [
    [SIZES_4K, 39, 40, 1],
    [SIZES_4K, 48, 44, 0],
    [SIZES_SV39, 39, 52, 1],
    [SIZES_SV39 | (1n << 39n), 48, 52, 0],
  ],
};

/** Formats in formats/index.ts without a row: a test holds that there are none. */
export const formatsWithoutRows = formats.map(({ name }) => name).filter((name) => !(name in ROWS));

const GRANULE_NAMES = new Map([
  [SIZES_4K, '4K'],
  [SIZES_16K, '16K'],
  [SIZES_64K, '64K'],
  [SIZES_64K_52, '64K'],
  [SIZES_SHORT, '4K'],
]);

export const configs: readonly Config[] = formats.flatMap((format) =>
  (ROWS[format.name] ?? []).map(([pgsizeBitmap, ias, oas, startLevel, ...names]) => ({
    name: [
      format.name,
      GRANULE_NAMES.get(pgsizeBitmap) ?? `0x${pgsizeBitmap.toString(16)}`,
      `${ias} to ${oas} bits`,
      ...names,
    ].join(' '),
    format,
    options: {
      pgsizeBitmap,
      ias,
      oas,
      quirks: QUIRKS.filter((quirk) => names.includes(quirk)),
      features: FEATURES.filter((feature) => names.includes(feature)),
      ...(names.includes('mandatory') && { concatenation: 'mandatory' as const }),
      ...(names.includes('aie') && { mair2: MAIR2 }),
    },
    startLevel,
  })),
);

/** Whether a table needs features of FEAT_TCR2 and its like, which the programs of the live suite do not turn on. */
export function needsTcr2({ options }: Config): boolean {
  return (['s1pie', 's1poe', 's2pie', 'aie', 'haft'] as const).some((one) => options.features?.includes(one));
}
