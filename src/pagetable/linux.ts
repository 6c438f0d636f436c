/**
 * Where versions of Linux's io-pgtable make different tables or give different answers, as one table: a request takes a row by
 * `linux`, and can make each choice by itself. (Linux 6.12 and 7.3, io-pgtable-arm.c and io-pgtable-arm-v7s.c.)
 */
import { FormatError } from './errors.ts';
import type { PartialUnmap } from './partial-unmap.ts';

const QUIRKS_6_12 = [
  'arm_ns',
  'no_perms',
  'arm_mtk_ext',
  'arm_mtk_ttbr_ext',
  'arm_ttbr1',
  'arm_outer_wbwa',
  'arm_hd',
] as const;

/** Linux's IO_PGTABLE_QUIRK_*, in lower case. */
export const QUIRKS = [...QUIRKS_6_12, 'arm_s2fwb', 'no_warn'] as const;
/** A quirk of Linux's io-pgtable by its name there, in lower case and without `IO_PGTABLE_QUIRK_`. Each format accepts its own. */
export type Quirk = (typeof QUIRKS)[number];

/**
 * When the root of a stage 2 consists of concatenated tables, so that the walk starts a level lower (DDI 0487 D8.2.2):
 * - `possible` (Linux 6.12): from level 0 to level 1, whenever up to 16 tables do, and nowhere else. With some output sizes hardware can't
 *   walk that;
 * - `mandatory` (Linux 7.3): only where the architecture leaves no other choice (R_DXBSH, R_SRKBC). More than 16 tables are refused.
 */
export const CONCATENATIONS = ['possible', 'mandatory'] as const;
/** When a stage-2 root consists of concatenated tables: wherever it is `possible`, or only where it is `mandatory`. */
export type Concatenation = (typeof CONCATENATIONS)[number];

/** What a version does. */
export interface LinuxChoices {
  readonly partialUnmap: PartialUnmap;
  readonly concatenation: Concatenation;
  /** The quirks that it knows; each format accepts some of them. */
  readonly quirks: readonly Quirk[];
}

/** Versions whose choices have a row. */
export const LINUX_VERSIONS = ['6.12', '7.3'] as const;
/** A version of Linux. A request that names it takes its choices. */
export type LinuxVersion = (typeof LINUX_VERSIONS)[number];

/** The choices of each version. */
export const LINUX: Readonly<Record<LinuxVersion, LinuxChoices>> = {
  '6.12': { partialUnmap: 'split', concatenation: 'possible', quirks: QUIRKS_6_12 },
  '7.3': { partialUnmap: 'refuse', concatenation: 'mandatory', quirks: QUIRKS },
};

/** The version whose choices count where a request names none. */
export const DEFAULT_LINUX: LinuxVersion = '6.12';

/** The choices of a version. @throws FormatError for one that has no row. */
export function choicesOf(linux: LinuxVersion = DEFAULT_LINUX): LinuxChoices {
  const choices: LinuxChoices | undefined = LINUX[linux];
  if (choices !== undefined) return choices;
  throw new FormatError(`linux must be one of ${LINUX_VERSIONS.join(', ')}, not ${String(linux)}`);
}
