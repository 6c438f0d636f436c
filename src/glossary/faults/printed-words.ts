/** Describes the entries of a printed walk: the kind of each, its target, and whether it allows the access that faulted. (DDI 0487 D8.3, G5.4, G5.5.) */
import {
  type DescriptorPlace,
  descriptorLayout,
  type EntryKind,
  LARGE_PAGE,
  SECTION,
  SHORT_TABLE,
  SMALL_PAGE,
  STAGE1_LEAF,
  STAGE2_LEAF,
  SUPERSECTION,
} from '../../arch/descriptors/index.ts';
import type { FieldBits } from '../../arch/read.ts';
import { addressOf, isSet, read } from '../../arch/read.ts';
import { hex, shortSize } from '../../text/numbers.ts';
import type { Granule, PrintedEntry, PrintedWalk } from './printed-walk.ts';

/** A printed entry, decoded as far as possible. */
export interface ReadEntry extends PrintedEntry {
  readonly kind: EntryKind | 'unknown';
  /** The next table, or the output address. */
  readonly target?: bigint | undefined;
  /** The entry in words. */
  readonly text: string;
  /** The leaf's permissions, as far as one entry can say. */
  readonly allows?: Permissions | undefined;
}

export interface Permissions {
  readonly read: boolean;
  readonly write: boolean;
  /** Whether unprivileged accesses are allowed. Always true at stage 2. */
  readonly unprivileged: boolean;
  readonly accessed: boolean;
  readonly executePrivileged: boolean;
  readonly executeUnprivileged: boolean;
  /** The names of the bits that forbid execution. */
  readonly never: readonly string[];
}

const GRANULE_LOG2: Readonly<Record<Granule, number>> = { '4K': 12, '16K': 14, '64K': 16 };
const LAST_LEVEL = 3;
/** The first level that a granule has without FEAT_LPA2. */
const LOWEST_LEVEL: Readonly<Record<Granule, number>> = { '4K': 0, '16K': 0, '64K': 1 };
/** The bits of Lv1 entries, as in exynos-iommu.c. */
const SYSMMU_TYPE = { table: { high: 0, low: 0 }, leaf: { high: 1, low: 1 } } as const;

/** Decodes each entry of a walk. */
export function readWalk(walk: PrintedWalk): ReadEntry[] {
  return walk.entries.map((entry) => readEntry(entry, walk));
}

function readEntry(entry: PrintedEntry, walk: PrintedWalk): ReadEntry {
  const { level, value } = entry;
  if (walk.format === 'long' && level !== undefined) return readLong(entry, level, walk);
  if (walk.format === 'short' && level !== undefined) return readShort(entry, level);
  const invalid = entry.valid === false || value === 0n;
  return {
    ...entry,
    kind: invalid ? 'invalid' : 'unknown',
    text: value === 0n ? 'not valid: it is 0' : invalid ? 'not valid' : ownText(entry),
  };
}

/** Entries of other IOMMUs. In Samsung's SysMMU, the two lowest bits distinguish a table (01) from a section or page (10). */
function ownText({ name, value }: PrintedEntry): string {
  if (name === 'Lv1')
    return isSet(value, SYSMMU_TYPE.table)
      ? 'table'
      : isSet(value, SYSMMU_TYPE.leaf)
        ? 'section'
        : 'not valid';
  if (name === 'Lv2') return value === 0n ? 'not valid' : 'page';
  return 'its format is not known here';
}

const ENTRY_BYTES_LOG2 = 3;

/** Bytes that an entry at a level covers. */
function sizeOf(level: number, granuleLog2: number): number {
  return 2 ** (granuleLog2 + (LAST_LEVEL - level) * (granuleLog2 - ENTRY_BYTES_LOG2));
}

/** The kinds of entry to try at a level. */
function kindsAt(level: number): readonly EntryKind[] {
  return level === LAST_LEVEL ? ['page'] : ['table', 'block'];
}

/** Whether a word has the fixed bits of a layout. */
function matches(place: DescriptorPlace, value: bigint): boolean {
  return descriptorLayout(place).fields.every(
    (field) => field.fixed === undefined || read(value, field) === field.fixed,
  );
}

function readLong(entry: PrintedEntry, level: number, { stage, granule }: PrintedWalk): ReadEntry {
  const { value } = entry;
  if (level < (LOWEST_LEVEL[granule ?? '4K'] ?? 0)) {
    return { ...entry, kind: 'unknown', text: `no entry: the ${granule} granule has no level ${level}` };
  }
  const place = { stage, level, granuleLog2: GRANULE_LOG2[granule ?? '4K'] } as const;
  const kind = kindsAt(level).find((one) => matches({ ...place, kind: one }, value));
  if (kind === undefined) {
    return { ...entry, kind: 'invalid', text: value === 0n ? 'invalid: it is 0' : 'invalid' };
  }
  const target = targetOf({ ...place, kind }, value);
  if (kind === 'table') return { ...entry, kind, target, text: `table, next table at ${hex(target)}` };
  const allows = stage === 1 ? permissions1(value) : permissions2(value);
  const size = kind === 'block' ? `, ${shortSize(sizeOf(level, place.granuleLog2))}` : '';
  const text = `${kind} at PA ${hex(target)}${size}, ${stage === 1 ? words1(value) : words2(value)}`;
  return { ...entry, kind, target, allows, text };
}

function targetOf(place: DescriptorPlace, value: bigint): bigint {
  return descriptorLayout(place)
    .fields.filter(({ address }) => address !== undefined)
    .reduce((found, field) => found | addressOf(value, field as FieldBits), 0n);
}

const S1 = STAGE1_LEAF.fields;
const S2 = STAGE2_LEAF.fields;
/** The accesses that AP[2:1] and S2AP allow, by value. */
const AP = ['writes', 'writes-el0', 'reads', 'reads-el0'] as const;
const S2AP_READ: readonly number[] = [1, 3];
const S2AP_WRITE: readonly number[] = [2, 3];
/** The values of stage 2's XN[1:0] with which privileged software may execute. */
const XN_PRIVILEGED: readonly number[] = [0, 3];
const XN_UNPRIVILEGED: readonly number[] = [0, 1];

function permissions1(value: bigint): Permissions {
  const ap = AP[read(value, S1['AP[2:1]'])]!;
  const never = [S1.PXN, S1.UXN].filter((field) => isSet(value, field)).map(({ name }) => name);
  return {
    read: true,
    write: ap.startsWith('writes'),
    unprivileged: /el0$/.test(ap),
    accessed: isSet(value, S1.AF),
    executePrivileged: !isSet(value, S1.PXN),
    executeUnprivileged: !isSet(value, S1.UXN),
    never,
  };
}

function words1(value: bigint): string {
  const { never } = permissions1(value);
  return [
    S1['AP[2:1]'].values?.[read(value, S1['AP[2:1]'])],
    ...never.map((name) => `${name} is 1`),
    isSet(value, S1.AF) ? '' : 'AF is 0',
  ]
    .filter(Boolean)
    .join(', ');
}

function permissions2(value: bigint): Permissions {
  const ap = read(value, S2.S2AP);
  const xn = read(value, S2['XN[1:0]']);
  return {
    read: S2AP_READ.includes(ap),
    write: S2AP_WRITE.includes(ap),
    unprivileged: true,
    accessed: isSet(value, S2.AF),
    executePrivileged: XN_PRIVILEGED.includes(xn),
    executeUnprivileged: XN_UNPRIVILEGED.includes(xn),
    never: xn === 0 ? [] : [`XN[1:0] ${xn}`],
  };
}

function words2(value: bigint): string {
  return [
    `${S2.S2AP.values?.[read(value, S2.S2AP)]} (S2AP)`,
    `${S2['XN[1:0]'].values?.[read(value, S2['XN[1:0]'])]} (XN ${read(value, S2['XN[1:0]'])})`,
    isSet(value, S2.AF) ? '' : 'AF is 0',
  ]
    .filter(Boolean)
    .join(', ');
}

/** The forms of short descriptors by level, with their names. */
const SHORT_FORMS = {
  1: [
    { form: SHORT_TABLE, kind: 'table', title: 'table' },
    { form: SECTION, kind: 'block', title: 'section' },
    { form: SUPERSECTION, kind: 'block', title: 'supersection' },
  ],
  2: [
    { form: SMALL_PAGE, kind: 'page', title: 'small page' },
    { form: LARGE_PAGE, kind: 'page', title: 'large page' },
  ],
} as const;

function readShort(entry: PrintedEntry, level: number): ReadEntry {
  const { value } = entry;
  const forms = level === 1 ? SHORT_FORMS[1] : SHORT_FORMS[2];
  const found = forms.find(({ form }) =>
    Object.values(form.fields).every(
      (field) => field.fixed === undefined || read(value, field) === field.fixed,
    ),
  );
  if (found === undefined) {
    return { ...entry, kind: 'invalid', text: value === 0n ? 'invalid: it is 0' : 'invalid' };
  }
  const { form, kind, title } = found;
  const target = addressOf(value, form.fields.BASE);
  const domain = 'Domain' in form.fields ? `, domain ${read(value, form.fields.Domain)}` : '';
  return {
    ...entry,
    kind,
    target,
    text:
      kind === 'table'
        ? `table, next table at ${hex(target)}${domain}`
        : `${title} at PA ${hex(target)}${domain}`,
  };
}
