/**
 * Describes the tables of a range from the walker's own parameters: levels, sizes, runs, what limits the output.
 * (DDI 0487 D8.1.7, D8.2.5, D8.2.8 to D8.2.10; D8.7.1 for contiguous runs.)
 */
import { contiguousEntries } from '../arch/descriptors/index.ts';
import { read } from '../arch/read.ts';
import { MAIR_ATTRIBUTES } from '../arch/registers/base.ts';
import { decodeShareability, decodeShortCacheability } from '../walker/attributes.ts';
import type { CpuFeatures } from '../walker/cpu.ts';
import { entrySizeLog2, type TableGeometry } from '../walker/descriptor64.ts';
import type { S1Params } from '../walker/params/params.ts';
import { hasWideBase, OUTPUT_BITS, WIDE_ALIGN_LOG2 } from '../walker/params/sizes.ts';
import type {
  LevelDescription,
  MemoryTypeDescription,
  OutputSize,
  TablesDescription,
  WalkAttributes,
  WideAddress,
} from './types.ts';

/** The field that asks for an output size. */
export interface SizeField {
  readonly name: string;
  readonly encoding: number;
}

/** Addresses that a double holds, as unsigned 64-bit numbers. */
export function unsigned(address: number): bigint {
  return BigInt.asUintN(64, BigInt(address));
}

function levelsOf(geometry: TableGeometry): LevelDescription[] {
  const { startLevel, stride, iaBits, granuleLog2, firstBlockLevel } = geometry;
  return Array.from({ length: 4 - startLevel }, (_, i): LevelDescription => {
    const level = startLevel + i;
    const low = entrySizeLog2(level, geometry);
    const leaf = level === 3 ? 'page' : level >= firstBlockLevel ? 'block' : 'none';
    const high = i === 0 ? iaBits - 1 : low + stride - 1;
    const run = leaf === 'none' ? 1 : contiguousEntries(granuleLog2, level);
    // A run that is larger than the input range is a programming error.
    const entries = 2 ** (high - low + 1) >= run ? run : 1;
    const entrySize = 1n << BigInt(low);
    return {
      level,
      high,
      low,
      entrySize,
      leaf,
      ...(entries > 1 && { run: { entries, size: entrySize * BigInt(entries) } }),
    };
  });
}

export function wideAddressOf({ highAddress }: TableGeometry): WideAddress {
  return highAddress === 'ds' ? 'lpa2' : highAddress === 'bits15_12' ? 'lpa' : 'none';
}

/** Where an output size comes from. In AArch32, no field asks for one. */
export function outputSize(
  bits: number,
  formatBits: number,
  implementedBits: number,
  asked?: SizeField,
): OutputSize {
  const configuredBits = asked && OUTPUT_BITS[asked.encoding]!;
  const limitedBy =
    configuredBits === bits
      ? 'field'
      : implementedBits === bits && formatBits > bits
        ? 'implemented'
        : 'format';
  return {
    bits,
    ...(asked && configuredBits && { field: asked.name, encoding: asked.encoding, configuredBits }),
    formatBits,
    implementedBits,
    limitedBy,
  };
}

/**
 * Tables of 64-bit descriptors.
 * @param span - `[first, end)` of the input addresses as signed numbers.
 * @param asked - IPS or PS. Without it (AArch32) the output is as large as the format's.
 */
export function tablesOf(
  geometry: TableGeometry,
  span: { readonly first: number; readonly end: number },
  cpu: CpuFeatures,
  asked?: SizeField,
): TablesDescription {
  const { granuleLog2, stride, iaBits, startLevel, tableBase, oaBits, ha, hd, bigEndian } = geometry;
  const entriesLog2 = iaBits - entrySizeLog2(startLevel, geometry);
  const wideBase = asked !== undefined && hasWideBase(geometry, asked.encoding, cpu);
  const wideAddress = wideAddressOf(geometry);
  const formatBits = asked === undefined ? oaBits : wideAddress !== 'none' && cpu.lpa ? 52 : 48;
  return {
    granuleLog2,
    inputBits: iaBits,
    firstIa: unsigned(span.first),
    lastIa: unsigned(span.end - 1),
    startLevel,
    entries: 2 ** entriesLog2,
    concatenated: 2 ** Math.max(0, entriesLog2 - stride),
    tableBase: BigInt(tableBase),
    alignLog2: Math.max(entriesLog2 + 3, wideBase ? WIDE_ALIGN_LOG2 : 0),
    levels: levelsOf(geometry),
    output: outputSize(oaBits, formatBits, cpu.paBits, asked),
    wideAddress,
    ha,
    hd,
    bigEndian,
  };
}

/** IRGN and ORGN (two bits each) and SH of a control register. */
export function walkAttributes(irgn: number, orgn: number, sh: number): WalkAttributes {
  return {
    inner: decodeShortCacheability(irgn),
    outer: decodeShortCacheability(orgn),
    shareability: decodeShareability(sh),
  };
}

/** The memory types of a MAIR, as the walker decoded them. */
export function mairTypes(mair: bigint, regions: S1Params['regions']): MemoryTypeDescription[] {
  return MAIR_ATTRIBUTES.map((field, index) => ({
    index,
    byte: read(mair, field),
    attributes: regions[index]!.attributes,
  }));
}
