/** Snappy blocks, unpacked. (Snappy compressed format description, 2011-10-05.) */

/** The unpacked bytes, of which there are `size`; or undefined where `packed` is no block of that many. */
export function unpackSnappy(packed: Uint8Array, size: number): Uint8Array<ArrayBuffer> | undefined {
  const start = afterLength(packed, size);
  if (start === undefined) return undefined;
  const out = new Uint8Array(size);
  let length = 0;
  for (let at = start; at < packed.length; ) {
    const tag = packed[at]!;
    if ((tag & 3) === 0) {
      // A literal. Of 60 and more, the length less one stands in 1 to 4 bytes behind the tag.
      const extra = Math.max(0, (tag >>> 2) - 59);
      const count = 1 + (extra === 0 ? tag >>> 2 : littleEndian(packed, at + 1, extra));
      at += 1 + extra;
      if (at + count > packed.length || length + count > size) return undefined;
      out.set(packed.subarray(at, at + count), length);
      [at, length] = [at + count, length + count];
      continue;
    }
    // A copy of what was unpacked before; it may run into itself.
    const extra = COPY_BYTES[tag & 3]!;
    const count = extra === 1 ? 4 + ((tag >>> 2) & 7) : 1 + (tag >>> 2);
    const back = littleEndian(packed, at + 1, extra) + (extra === 1 ? (tag >>> 5) << 8 : 0);
    at += 1 + extra;
    if (at > packed.length || back === 0 || back > length || length + count > size) return undefined;
    for (let i = 0; i < count; i++, length++) out[length] = out[length - back]!;
  }
  return length === size ? out : undefined;
}

/** Bytes of distance behind the tag of a copy, by its kind. */
const COPY_BYTES = [0, 1, 2, 4] as const;

/** Where the length ends, 7 bits a byte; undefined where it is not `size`. */
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
