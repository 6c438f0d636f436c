/** Decompresses Snappy blocks. (Snappy compressed format description, 2011-10-05.) */

/** The `size` decompressed bytes; or undefined if `packed` is not a valid block of that size. */
export function unpackSnappy(packed: Uint8Array, size: number): Uint8Array<ArrayBuffer> | undefined {
  const start = afterLength(packed, size);
  if (start === undefined) return undefined;
  const out = new Uint8Array(size);
  let length = 0;
  for (let at = start; at < packed.length; ) {
    const tag = packed[at]!;
    if ((tag & 3) === 0) {
      // A literal. For 60 and more, the length minus one is in 1 to 4 bytes after the tag.
      const extra = Math.max(0, (tag >>> 2) - 59);
      const count = 1 + (extra === 0 ? tag >>> 2 : littleEndian(packed, at + 1, extra));
      at += 1 + extra;
      if (at + count > packed.length || length + count > size) return undefined;
      out.set(packed.subarray(at, at + count), length);
      [at, length] = [at + count, length + count];
      continue;
    }
    // A copy of earlier output, which may overlap itself.
    const extra = COPY_BYTES[tag & 3]!;
    const count = extra === 1 ? 4 + ((tag >>> 2) & 7) : 1 + (tag >>> 2);
    const back = littleEndian(packed, at + 1, extra) + (extra === 1 ? (tag >>> 5) << 8 : 0);
    at += 1 + extra;
    if (at > packed.length || back === 0 || back > length || length + count > size) return undefined;
    for (let i = 0; i < count; i++, length++) out[length] = out[length - back]!;
  }
  return length === size ? out : undefined;
}

/** Bytes of the distance after the tag of a copy, by its kind. */
const COPY_BYTES = [0, 1, 2, 4] as const;

/** The offset after the length, which has 7 bits per byte; undefined if the length is not `size`. */
function afterLength(packed: Uint8Array, size: number): number | undefined {
  let length = 0;
  for (let i = 0; i < 5 && i < packed.length; i++) {
    length += (packed[i]! & 0x7f) * 2 ** (7 * i);
    if (packed[i]! < 0x80) return length === size ? i + 1 : undefined;
  }
  return undefined;
}

function littleEndian(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let i = 0; i < count; i++) value += (bytes[at + i] ?? 0) * 2 ** (8 * i);
  return value;
}
