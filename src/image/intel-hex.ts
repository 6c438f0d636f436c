/** Intel HEX: records of `:LLAAAATT…CC`. (Intel, Hexadecimal Object File Format Specification, rev. A.) */
import { hex } from '../memory/hex.ts';
import type { ByteSource } from './bytes.ts';
import { ImageError } from './errors.ts';
import { Gathered } from './gathered.ts';
import type { MemoryImage } from './image.ts';
import { hexBytes, type Line, lineError, linesOf } from './text-lines.ts';

const TYPE = { data: 0, end: 1, segment: 2, start: 3, linear: 4, linearStart: 5 } as const;
/** Data bytes of records that are not of type 00. */
const LENGTHS: Readonly<Record<number, number>> = {
  [TYPE.end]: 0,
  [TYPE.segment]: 2,
  [TYPE.start]: 4,
  [TYPE.linear]: 2,
  [TYPE.linearStart]: 4,
};

/** Length, address, type and checksum. */
const AROUND = 5;
/** Offset of the data in a record. */
const DATA = 4;
const record = new Uint8Array(AROUND + 255);

/** Whether a line is a record with the right checksum. */
export function isIntelHex(text: string): boolean {
  return typeof decode(text.trim()) === 'number';
}

/**
 * @param base - added to each address: records have 32 bits of it, so memory above 4 GiB needs one.
 * @throws ImageError with the line for bad digits, lengths, checksums and types, and for data that overlaps.
 */
export function readIntelHex(source: ByteSource, base: bigint): MemoryImage {
  const gathered = new Gathered(source, base);
  const notes: string[] = [];
  let upper = 0;
  let segmented = false;
  let ended = false;
  for (const line of linesOf(source)) {
    const text = line.text.trim();
    if (text === '') continue;
    if (ended) {
      notes.push(`line ${line.number} and everything after it come after the end record, and were not read`);
      break;
    }
    const type = typeOf(source, line, text);
    if (type === TYPE.end) ended = true;
    if (type === TYPE.segment || type === TYPE.linear) {
      segmented = type === TYPE.segment;
      upper = bigEndian16(DATA) * (segmented ? 0x10 : 0x1_0000);
    }
    if (type !== TYPE.data) continue;
    const [offset, count] = [bigEndian16(1), record[0]!];
    if (segmented && offset + count > 0x1_0000) {
      throw lineError(
        source,
        line,
        'the data wraps around within its 64 KiB segment, which is not supported',
      );
    }
    gathered.add(line, BigInt(upper + offset), record.subarray(DATA, DATA + count), count);
  }
  if (!ended) notes.push('there is no end record (:00000001FF): the file may be cut off');
  const segments = gathered.segments('never');
  if (segments.length === 0) throw new ImageError(source.name, 'has no data records');
  return { source: source.name, format: 'ihex', segments, notes };
}

function bigEndian16(at: number): number {
  return (record[at]! << 8) | record[at + 1]!;
}

function typeOf(source: ByteSource, line: Line, text: string): number {
  const type = decode(text);
  if (typeof type === 'string') throw lineError(source, line, type);
  return type;
}

/** The record's type, with its bytes in `record`; or what is wrong with it. */
function decode(text: string): number | string {
  const count = text[0] === ':' ? hexBytes(text, 1, record) : undefined;
  if (count === undefined || count < AROUND) return 'not a record: `:` and pairs of hex digits, at least 5';
  const [length, type] = [record[0]!, record[3]!];
  if (count !== AROUND + length) return `the record says ${length} bytes of data and has ${count - AROUND}`;
  let sum = 0;
  for (let i = 0; i < count; i++) sum += record[i]!;
  if (sum & 0xff) {
    const [found, right] = [record[count - 1]!, (record[count - 1]! - sum) & 0xff];
    return `the checksum is ${hex(found)}; it would be ${hex(right)}`;
  }
  if (type === TYPE.data) return type;
  if (LENGTHS[type] === undefined) return `record type ${type}; 00 to 05 are known`;
  if (LENGTHS[type] !== length)
    return `a record of type ${type} has ${LENGTHS[type]} bytes of data, not ${length}`;
  return type;
}
