/** What a word can be as a descriptor: each format, level and kind whose type bits it has. */
import { formatNamed, formats } from '../../formats/index.ts';
import { type DescriptorLayout, decode, decodeAddress, matches } from '../descriptor/index.ts';
import type { TableFormat } from '../pagetable/format.ts';
import { usageError } from './io.ts';

export const GRANULES = { '4K': 0x1000n, '16K': 0x4000n, '64K': 0x1_0000n } as const;
export type GranuleName = keyof typeof GRANULES;
export const GRANULE_NAMES = Object.keys(GRANULES) as GranuleName[];

/** Every page and block size that any granule has: a format keeps those of the granule that comes with them. */
const BLOCKS: Readonly<Record<GranuleName, bigint>> = {
  // 512G, 1G, 16M, 2M, 1M and 64K: whatever a format with 4K pages has of them.
  '4K': 0x80_4131_0000n,
  '16K': 0x200_0000n,
  '64K': 0x400_2000_0000n,
};
const MAX_BITS = [52, 48, 40, 32];

/** A format at its largest, or undefined where it does not have the granule. */
export function largest(name: string, granule: GranuleName): TableFormat | undefined {
  const format = formatNamed(name);
  if (format === undefined) return undefined;
  const page = GRANULES[granule];
  for (const oas of MAX_BITS) {
    for (const ias of MAX_BITS) {
      try {
        const made = format.configure({ pgsizeBitmap: page | BLOCKS[granule], ias, oas, cpuPageSize: page });
        if (1n << BigInt(made.granuleLog2) === page) return made;
      } catch {
        // Smaller addresses may do; a format without this granule refuses them all.
      }
    }
  }
  return undefined;
}

/** @throws CliError (usage) for a format that is not known, or without the granule. */
export function formatAt(name: string, granule: GranuleName): TableFormat {
  if (formatNamed(name) === undefined) {
    throw usageError(`format ${name} is not known`, `known are ${formats.map((f) => f.name).join(', ')}`);
  }
  const format = largest(name, granule);
  if (format === undefined)
    throw usageError(`${name} has no ${granule} granule`, 'lpae formats lists what each has');
  return format;
}

/** A way to read a word: one kind of descriptor, at each of the levels where that comes to the same. */
export interface Reading {
  readonly format: TableFormat;
  readonly levels: readonly number[];
  readonly layout: DescriptorLayout;
  /** An entry of a run, whose address is the whole run's. */
  readonly run?: boolean;
  /** Output or next-table address; undefined where the kind has none. */
  readonly address: bigint | undefined;
}

/** The readings of `word` in `format`, the likeliest first: at `level`, or at every level where it means something. */
export function readingsOf(format: TableFormat, word: bigint, level: number | undefined): Reading[] {
  if (word >> BigInt(format.entries.wordsPerEntry * 32)) return [];
  if (level !== undefined) return [readingAt(format, word, level)];
  const all = format.levels.map((l) => readingAt(format, word, l.level));
  const valid = all.filter(({ layout }) => layout.kind !== 'invalid');
  // What is valid at some level is not worth reading as invalid at the others.
  const readings = joinLevels(valid.length ? valid : all);
  return readings.sort((a, b) => oddity(a.layout, word) - oddity(b.layout, word));
}

function readingAt(format: TableFormat, word: bigint, level: number): Reading {
  const last = format.levels.at(-1)!.level;
  const kinds = level === last ? (['page'] as const) : (['block', 'table'] as const);
  for (const kind of kinds) {
    if (kind === 'block' && !holdsBlock(format, level)) continue;
    for (const run of [false, true]) {
      const layout = format.layout(kind, level, run);
      if (matches(layout, word))
        return { format, levels: [level], layout, run, address: decodeAddress(layout, word) };
    }
  }
  return { format, levels: [level], layout: format.layout('invalid', level), address: undefined };
}

/** A level has blocks where its entries cover one of the page sizes. */
function holdsBlock(format: TableFormat, level: number): boolean {
  const shift = format.levels.find((l) => l.level === level)?.shift;
  return shift !== undefined && (format.pgsizeBitmap & (1n << BigInt(shift))) !== 0n;
}

/** Tables, and what is not valid, read alike at each level. */
function joinLevels(readings: readonly Reading[]): Reading[] {
  const joined: Reading[] = [];
  for (const reading of readings) {
    const { kind } = reading.layout;
    const same = kind === 'block' ? -1 : joined.findIndex(({ layout }) => layout.kind === kind);
    if (same < 0) joined.push(reading);
    else joined[same] = { ...joined[same]!, levels: [...joined[same]!.levels, ...reading.levels] };
  }
  return joined;
}

/** How much of a word speaks against a reading: bits that must not be set weigh most, then bits that nobody would look at. */
function oddity(layout: DescriptorLayout, word: bigint): number {
  return decode(layout, word).reduce((sum, { field, value, problem }) => {
    if (problem !== undefined) return sum + 100;
    return field.kind === 'ignored' && value !== 0n ? sum + 1 : sum;
  }, 0);
}
