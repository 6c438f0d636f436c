/** The possible readings of a word as a descriptor: each format, granule, level and kind whose type bits match, the likeliest first. */
import { formatNamed, formats } from '../../../formats/index.ts';
import {
  type DecodedField,
  type DescriptorLayout,
  decode,
  decodeAddress,
  matches,
} from '../../descriptor/index.ts';
import { mairByte, mairByteText } from '../../glossary/mair.ts';
import type { Reader } from '../../lint/layout.ts';
import type { Feature, TableFormat } from '../../pagetable/format.ts';
import { hex } from '../../text/numbers.ts';
import { usageError } from '../io.ts';
import { formatsOf, layoutFor } from './hardware-layout.ts';
import { judge, type Verdict } from './plausibility.ts';

export const GRANULES = { '4K': 0x1000n, '16K': 0x4000n, '64K': 0x1_0000n } as const;
export type GranuleName = keyof typeof GRANULES;
export const GRANULE_NAMES = Object.keys(GRANULES) as GranuleName[];

/** Every page and block size of any granule. A format keeps those of the granule that it is made for. */
const BLOCKS: Readonly<Record<GranuleName, bigint>> = {
  // 512G, 1G, 16M, 2M, 1M and 64K: a format with 4K pages keeps those that it has.
  '4K': 0x80_4131_0000n,
  // 64G (with LPA2) and 32M.
  '16K': 0x10_0200_0000n,
  '64K': 0x400_2000_0000n,
};
const MAX_BITS = [52, 48, 40, 32];

/** A format with its largest configuration, or undefined if it does not have the granule or a feature. */
export function largest(
  name: string,
  granule: GranuleName,
  features: readonly Feature[] = [],
): TableFormat | undefined {
  const format = formatNamed(name);
  if (format === undefined) return undefined;
  const page = GRANULES[granule];
  for (const oas of MAX_BITS) {
    for (const ias of MAX_BITS) {
      try {
        const request = { pgsizeBitmap: page | BLOCKS[granule], ias, oas, cpuPageSize: page, features };
        const made = format.configure(request);
        if (1n << BigInt(made.granuleLog2) === page) return made;
      } catch {
        // It may accept smaller addresses. A format without this granule refuses them all.
      }
    }
  }
  return undefined;
}

/** What is known about a descriptor besides its bits. */
export interface Known {
  readonly format?: string | undefined;
  readonly stage?: 1 | 2 | undefined;
  readonly granule?: GranuleName | undefined;
  readonly level?: number | undefined;
  /** TCR.DS: 52-bit addresses with 4K and 16K. */
  readonly ds?: boolean | undefined;
  /** The regime that reads it. */
  readonly by?: Reader | undefined;
  /** Features that registers turn on, `FEAT_S1PIE`. */
  readonly turnedOn?: readonly string[] | undefined;
}

const BY_STAGE = { 1: 'arm_64_lpae_s1', 2: 'arm_64_lpae_s2' } as const;

/**
 * The formats to try, each with every granule that is not ruled out.
 * @param short - the word may be a short descriptor: it is written with 8 digits.
 * @throws CliError (usage) for a format that is not known or not of that stage, or without the granule, the level or DS.
 */
export function candidates(known: Known, short: boolean): TableFormat[] {
  const { format, stage, granule, level, ds = false, by } = known;
  if (format !== undefined && formatNamed(format) === undefined) {
    throw usageError(`format ${format} is not known`, `known are ${formats.map((f) => f.name).join(', ')}`);
  }
  const names =
    format !== undefined ? [format] : by ? namesOfRegime(by, stage) : namesFor(stage, short && !ds);
  const granules = granule === undefined ? GRANULE_NAMES : [granule];
  const features: readonly Feature[] = ds ? ['lpa2'] : [];
  const made = names.flatMap((name) => granules.flatMap((one) => largest(name, one, features) ?? []));
  if (made.length === 0) throw nothingFits(names[0]!, granule, ds);
  const found = made.filter(({ levels }) => level === undefined || levels.some((one) => one.level === level));
  if (found.length > 0) return found;
  const levels = [...new Set(made.flatMap((one) => one.levels.map((l) => l.level)))].sort((a, b) => a - b);
  throw usageError(`${names.join(', ')} has no level ${level}`, `it has ${levels.join(', ')}`);
}

function namesFor(stage: 1 | 2 | undefined, short: boolean): string[] {
  if (stage === 2) return [BY_STAGE[2]];
  const long = stage === 1 ? [BY_STAGE[1]] : [BY_STAGE[1], BY_STAGE[2]];
  return short ? [...long, 'arm_v7s'] : long;
}

/** @throws CliError (usage) if the regime does not have that stage. */
function namesOfRegime({ regime }: Reader, stage: 1 | 2 | undefined): string[] {
  const isSecond = (name: string) => name.endsWith('_s2');
  const names = formatsOf(regime).filter((name) => stage === undefined || isSecond(name) === (stage === 2));
  if (names.length === 0) throw usageError(`${regime} has no stage ${stage}`, 'leave --stage out');
  return names;
}

function nothingFits(name: string, granule: GranuleName | undefined, ds: boolean) {
  if (!ds) return usageError(`${name} has no ${granule} granule`, 'lpae formats lists what each has');
  return usageError(
    `${name} has no 52-bit addresses by TCR.DS${granule === undefined ? '' : ` with ${granule}`}`,
    'FEAT_LPA2 is for arm_64_lpae_s1 and arm_64_lpae_s2, with 4K and 16K',
  );
}

/** A format with one granule, and a level of it. */
export interface Place {
  readonly format: TableFormat;
  readonly level: number;
}

/** One reading of a word: a kind of descriptor, with all granules and levels that give the same result. */
export interface Reading {
  /** The first is drawn. */
  readonly places: readonly [Place, ...Place[]];
  readonly layout: DescriptorLayout;
  /** Whether it is an entry of a run, so that its address is that of the whole run. */
  readonly run: boolean;
  /** Output or next-table address. Undefined if the kind has none. */
  readonly address: bigint | undefined;
  readonly verdict: Verdict;
}

/** The readings of `word`, the likeliest first. Readings as an invalid entry are included only if there are no others. */
export function readingsOf(
  word: bigint,
  from: readonly TableFormat[],
  { level, by, turnedOn }: Pick<Known, 'level' | 'by' | 'turnedOn'>,
): Reading[] {
  const all = from
    .filter(({ entries }) => word >> BigInt(entries.wordsPerEntry * 32) === 0n)
    .flatMap((format) =>
      format.levels
        .filter((one) => level === undefined || one.level === level)
        .map((one) => readingAt({ format, level: one.level }, word, by, turnedOn)),
    );
  const valid = all.filter(({ layout }) => layout.kind !== 'invalid');
  const readings = joinAlike(valid.length ? valid : all, word);
  return readings.sort((a, b) => a.verdict.score - b.verdict.score);
}

function readingAt(
  place: Place,
  word: bigint,
  by: Reader | undefined,
  turnedOn: readonly string[] | undefined,
): Reading {
  const { format, level } = place;
  const last = format.levels.at(-1)!.level;
  const kinds = level === last ? (['page'] as const) : (['block', 'table'] as const);
  for (const kind of kinds) {
    if (kind === 'block' && !holdsBlock(format, level)) continue;
    for (const run of [false, true]) {
      const layout = layoutFor(format, kind, level, run, by, turnedOn);
      if (!matches(layout, word)) continue;
      const address = decodeAddress(layout, word);
      return { places: [place], layout, run, address, verdict: judge(layout, word, address) };
    }
  }
  const layout = layoutFor(format, 'invalid', level, false, by, turnedOn);
  return { places: [place], layout, run: false, address: undefined, verdict: judge(layout, word, undefined) };
}

/** A level has blocks if its entries cover one of the page sizes. */
function holdsBlock(format: TableFormat, level: number): boolean {
  const shift = format.levels.find((l) => l.level === level)?.shift;
  return shift !== undefined && (format.pgsizeBitmap & (1n << BigInt(shift))) !== 0n;
}

/** Joins readings that do not depend on the granule or level: tables at any level, leaves of one level. */
function joinAlike(readings: readonly Reading[], word: bigint): Reading[] {
  const joined = new Map<string, Reading>();
  for (const reading of readings) {
    const { layout, address, places, verdict } = reading;
    const leaf = layout.kind === 'block' || layout.kind === 'page';
    // A field that is 0 means the same as a missing one.
    const fields = decode(layout, word).filter(
      ({ field, value }) => field.kind === 'field' && field.address === undefined && value !== 0n,
    );
    const key = [
      places[0].format.name,
      layout.kind,
      reading.run,
      leaf ? places[0].level : '',
      address,
      verdict.score >= 100,
      ...fields.map(({ field, value }) => `${field.name}=${value}`),
    ].join(' ');
    const same = joined.get(key);
    joined.set(key, same === undefined ? reading : { ...same, places: [...same.places, ...places] });
  }
  return [...joined.values()];
}

/** log2 of the bytes that a leaf covers at one place. */
export function leafShift({ format, level }: Place, run: boolean): number {
  const { shift, runLog2 = 0 } = format.levels.find((l) => l.level === level)!;
  return shift + (run ? runLog2 : 0);
}

/** The fields of `word` in a reading. With a MAIR, AttrIndx shows the memory type. */
export function fieldsOf(
  { layout, places }: Reading,
  word: bigint,
  mair: bigint | undefined,
): DecodedField[] {
  const fields = decode(layout, word);
  // Only formats whose AttrIndx is an index into MAIR: that of a Mali GPU is not.
  const indexed = places[0].format.protExtras?.includes('mairIndex') ?? false;
  if (mair === undefined || !indexed) return fields;
  return fields.map((decoded) => {
    if (decoded.field.name !== 'AttrIndx') return decoded;
    const byte = mairByte(mair, Number(decoded.value));
    return { ...decoded, text: `${hex(byte, 2)}, ${mairByteText(byte)}` };
  });
}
