/** makedumpfile's flattened format, for pipes: a 4 KiB header, and records of offset, size and data from which the real file is put together. (makedumpfile(8), -F; QEMU writes it too.) */
import { hex } from '../memory/hex.ts';
import { type ByteSource, checkWindow, viewAt } from './bytes.ts';
import { ImageError } from './errors.ts';
import { firstEndingAfter } from './sorted.ts';

const SIGNATURE = 'makedumpfile';
const HEADER_BYTES = 4096;
const RECORD_BYTES = 16;
const END = -1n;
const MAX_RECORDS = 1 << 22;
/** Maximum number of records that overlap in one place. Normally only the header is written again, at the end. */
const MAX_OVERLAPPING = 4096;

/** `[start, end)` of the real file is at offset `at` in this one. */
interface Extent {
  readonly start: number;
  readonly end: number;
  readonly at: number;
}

export function isFlattened(start: Uint8Array): boolean {
  return (
    start.length >= 16 &&
    new TextDecoder('latin1').decode(start.subarray(0, 16)) === SIGNATURE.padEnd(16, '\0')
  );
}

/**
 * The real file, read through the records. Parts without a record are zeros.
 * @throws ImageError with the offset of a record that is wrong or cut off.
 */
export function unflatten(source: ByteSource): ByteSource {
  const header = viewAt(source, 0, HEADER_BYTES);
  const [type, version] = [header.getBigInt64(16), header.getBigInt64(24)];
  if (type !== 1n || version !== 1n) {
    throw new ImageError(
      source.name,
      `flattened format of type ${type}, version ${version}; 1 and 1 are known`,
      { offset: 16 },
    );
  }
  const extents = withoutOverlap(source, readRecords(source));
  return {
    name: source.name,
    size: extents.at(-1)?.end ?? 0,
    read(offset, into) {
      checkWindow(this, offset, into.length);
      into.fill(0);
      const end = offset + into.length;
      for (let i = firstEndingAfter(extents, offset); i < extents.length && extents[i]!.start < end; i++) {
        const { start, end: extentEnd, at } = extents[i]!;
        const [from, to] = [Math.max(start, offset), Math.min(extentEnd, end)];
        source.read(at + from - start, into.subarray(from - offset, to - offset));
      }
    },
  };
}

/** The records in the file's order. */
function readRecords(source: ByteSource): Extent[] {
  const records: Extent[] = [];
  for (let at = HEADER_BYTES; ; ) {
    const view = viewAt(source, at, RECORD_BYTES);
    const [start, size] = [view.getBigInt64(0), view.getBigInt64(8)];
    if (start === END && size === END) return records;
    const data = at + RECORD_BYTES;
    if (start < 0n || size < 0n || start + size > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw new ImageError(source.name, `a record of offset ${start} and size ${size}`, { offset: at });
    }
    if (size > BigInt(source.size - data) || records.length === MAX_RECORDS) {
      const message = `a record of ${hex(size)} bytes goes beyond the file's end: it is truncated`;
      throw new ImageError(
        source.name,
        records.length === MAX_RECORDS ? 'more than 4 million records' : message,
        { offset: at },
      );
    }
    if (size > 0n) records.push({ start: Number(start), end: Number(start + size), at: data });
    at = data + Number(size);
  }
}

/** The records by ascending offset. Where they overlap, the one written last wins. */
function withoutOverlap(source: ByteSource, records: readonly Extent[]): Extent[] {
  const sorted = [...records].sort((a, b) => a.start - b.start);
  const result: Extent[] = [];
  for (let i = 0; i < sorted.length; ) {
    const group = [sorted[i]!];
    let end = sorted[i]!.end;
    for (i++; i < sorted.length && sorted[i]!.start < end; i++) {
      group.push(sorted[i]!);
      end = Math.max(end, sorted[i]!.end);
    }
    if (group.length > MAX_OVERLAPPING) {
      const message = `${group.length} records overlap around ${hex(group[0]!.start)}`;
      throw new ImageError(source.name, message, { offset: group[0]!.at });
    }
    if (group.length === 1) result.push(group[0]!);
    else result.push(...lastWritten(group));
  }
  return result;
}

function lastWritten(group: readonly Extent[]): Extent[] {
  const edges = [...new Set(group.flatMap(({ start, end }) => [start, end]))].sort((a, b) => a - b);
  return edges.slice(1).map((end, i) => {
    const start = edges[i]!;
    const over = group.filter((one) => one.start <= start && one.end >= end);
    const last = over.reduce((a, b) => (a.at > b.at ? a : b));
    return { start, end, at: last.at + start - last.start };
  });
}
