/** Motorola S-records: `S1`, `S2` and `S3` hold data at addresses of 2, 3 and 4 bytes. (M68000 Family Programmer's Reference Manual, appendix C.) */
import { hex } from '../memory/hex.ts';
import type { ByteSource } from './bytes.ts';
import { ImageError } from './errors.ts';
import { Gathered } from './gathered.ts';
import type { MemoryImage } from './image.ts';
import { hexBytes, lineError, linesOf } from './text-lines.ts';

/** Bytes of the address, by type. S4 is reserved. */
const ADDRESS_BYTES = [2, 2, 3, 4, undefined, 2, 3, 4, 3, 2] as const;
const record = new Uint8Array(256);

/** Whether a line is a record with the right checksum. */
export function isSRecord(text: string): boolean {
  return typeof decode(text.trim()) === 'number';
}

/**
 * @param base - added to each address.
 * @throws ImageError with the line for bad digits, lengths, checksums and counts, and for data that overlaps.
 */
export function readSRecords(source: ByteSource, base: bigint): MemoryImage {
  const gathered = new Gathered(source, base);
  let records = 0;
  let ended = false;
  for (const line of linesOf(source)) {
    const text = line.text.trim();
    if (text === '') continue;
    const type = decode(text);
    if (typeof type === 'string') throw lineError(source, line, type);
    const width = ADDRESS_BYTES[type]!;
    const address = bigEndian(width);
    if (type >= 1 && type <= 3) {
      const count = record[0]! - width - 1;
      gathered.add(line, BigInt(address), record.subarray(1 + width, 1 + width + count), count);
      records++;
    } else if (type === 5 || type === 6) {
      if (address !== records % 2 ** (8 * width)) {
        throw lineError(
          source,
          line,
          `counts ${address} data records, but ${records} came before it: lines are missing`,
        );
      }
    } else if (type >= 7) ended = true;
  }
  const segments = gathered.segments('never');
  if (segments.length === 0) throw new ImageError(source.name, 'has no data records');
  const notes = ended ? [] : ['there is no end record (S7, S8 or S9): the file may be cut off'];
  return { source: source.name, format: 'srec', segments, notes };
}

function bigEndian(width: number): number {
  let value = 0;
  for (let i = 1; i <= width; i++) value = value * 256 + record[i]!;
  return value;
}

/** The record's type, with the bytes from the length on in `record`; or what is wrong with it. */
function decode(text: string): number | string {
  const type = text[0] === 'S' ? text.charCodeAt(1) - 0x30 : -1;
  const width = ADDRESS_BYTES[type];
  if (width === undefined) return 'not a record: S0 to S3 or S5 to S9, and pairs of hex digits';
  const count = hexBytes(text, 2, record);
  if (count === undefined || count < 1) return 'not pairs of hex digits, or more than 256 of them';
  const length = record[0]!;
  if (count !== length + 1) return `the record says ${length} bytes and has ${count - 1}`;
  if (length < width + 1) return `a record S${type} has at least ${width + 1} bytes, not ${length}`;
  let sum = 0;
  for (let i = 0; i < count; i++) sum += record[i]!;
  if ((sum & 0xff) === 0xff) return type;
  const right = ~(sum - record[count - 1]!) & 0xff;
  return `the checksum is ${hex(record[count - 1]!)}; it would be ${hex(right)}`;
}
