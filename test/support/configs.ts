/** Configurations for suites that every format must pass: each granule at each level that a table can start at. */
import { type FormatModule, type FormatRequest, formats } from '../../formats/index.ts';

export const SIZES_4K = 0x4020_1000n;
export const SIZES_16K = 0x0200_4000n;
export const SIZES_64K = 0x2001_0000n;
/** 64K with blocks of 4 TiB, which 52-bit outputs allow. */
export const SIZES_64K_52 = 0x400_2001_0000n;
/** Small and large pages, sections and supersections. */
export const SIZES_SHORT = 0x111_1000n;

export interface Config {
  readonly name: string;
  readonly format: FormatModule;
  readonly options: FormatRequest;
  /** Level of the root. */
  readonly startLevel: number;
}

/** pgsizeBitmap, ias, oas, start level, and quirks. */
type Row = readonly [bigint, number, number, number, ...NonNullable<FormatRequest['quirks']>];

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
];

/** By format. A new format needs its rows here. */
const ROWS: Readonly<Record<string, readonly Row[]>> = {
  arm_64_lpae_s1: STAGE_1,
  arm_64_lpae_s2: STAGE_2,
  arm_32_lpae_s1: [
    [SIZES_4K, 32, 40, 1],
    [SIZES_4K, 30, 32, 2],
    [SIZES_4K, 25, 40, 2],
    [SIZES_4K, 31, 40, 1, 'arm_ttbr1'],
  ],
  arm_32_lpae_s2: [
    [SIZES_4K, 40, 40, 1],
    [SIZES_4K, 32, 36, 1],
    [SIZES_4K, 30, 40, 2],
    [SIZES_4K, 25, 32, 2],
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
};

/** Formats in formats/index.ts that no row speaks of: a test says that there are none. */
export const formatsWithoutRows = formats.map(({ name }) => name).filter((name) => !(name in ROWS));

const GRANULE_NAMES = new Map([
  [SIZES_4K, '4K'],
  [SIZES_16K, '16K'],
  [SIZES_64K, '64K'],
  [SIZES_64K_52, '64K'],
  [SIZES_SHORT, '4K'],
]);

export const configs: readonly Config[] = formats.flatMap((format) =>
  (ROWS[format.name] ?? []).map(([pgsizeBitmap, ias, oas, startLevel, ...quirks]) => ({
    name: [
      format.name,
      GRANULE_NAMES.get(pgsizeBitmap) ?? `0x${pgsizeBitmap.toString(16)}`,
      `${ias} to ${oas} bits`,
      ...quirks,
    ].join(' '),
    format,
    options: { pgsizeBitmap, ias, oas, quirks },
    startLevel,
  })),
);
