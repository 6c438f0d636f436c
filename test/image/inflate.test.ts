import { constants, deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { inflateZlib } from '../../src/image/inflate.ts';

/** Bytes with runs and repetitions, as memory has them. */
const memory = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc
        .tuple(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 1, max: 700 }))
        .map(([byte, n]) => new Uint8Array(n).fill(byte)),
      fc
        .constantFrom(...['page table ', 'descriptor, '])
        .map((text) => new Uint8Array(Buffer.from(text.repeat(9)))),
    ),
    { maxLength: 30 },
  )
  .map((parts) => new Uint8Array(Buffer.concat(parts)));
const options = fc.record({
  level: fc.constantFrom(0, 1, 6, 9),
  strategy: fc.constantFrom(
    constants.Z_DEFAULT_STRATEGY,
    constants.Z_FIXED,
    constants.Z_HUFFMAN_ONLY,
    constants.Z_RLE,
  ),
});

describe('data compressed by zlib', () => {
  test('is what it was', () => {
    fc.assert(
      fc.property(memory, options, (bytes, how) => {
        const packed = new Uint8Array(deflateSync(bytes, how));
        expect(inflateZlib(packed, bytes.length)).toEqual(bytes);
        // Where it lies in a buffer, and what is behind it, does not matter.
        const within = new Uint8Array([9, 9, 9, ...packed, 7, 7]).subarray(3);
        expect(inflateZlib(within, bytes.length)).toEqual(bytes);
        expect(inflateZlib(packed, bytes.length + 1)).toBeUndefined();
        if (bytes.length > 0) expect(inflateZlib(packed, bytes.length - 1)).toBeUndefined();
      }),
      { numRuns: 60 },
    );
  });

  test('by hand: a stored block, and a block of fixed codes', () => {
    const stored = [0x78, 0x01, 0x01, 0x02, 0x00, 0xfd, 0xff, 0x68, 0x69, 0x01, 0x3b, 0x00, 0xd2];
    expect(inflateZlib(Uint8Array.from(stored), 2)).toEqual(Uint8Array.of(0x68, 0x69));
    // RFC 1951 3.2.6: a (0x61) is the code 0x91 of eight bits; then a copy of length 4 and distance 1; then the end.
    const fixed = [0x78, 0x01, 0x4b, 0x4c, 0x04, 0x02, 0x00, 0x05, 0xb4, 0x01, 0xe6];
    expect(inflateZlib(Uint8Array.from(fixed), 5)).toEqual(new Uint8Array(5).fill(0x61));
  });

  test('that is damaged is nothing, or what zlib makes of it', () => {
    const bytes = new Uint8Array(Buffer.from('descriptor, table, block, page; '.repeat(40)));
    const packed = deflateSync(bytes);
    fc.assert(
      fc.property(fc.nat(packed.length * 8 - 1), fc.nat(packed.length), (bit, length) => {
        const damaged = new Uint8Array(packed);
        damaged[bit >> 3]! ^= 1 << (bit & 7);
        const found = inflateZlib(damaged, bytes.length);
        // Bits of the header say how hard the compressor tried.
        if (found !== undefined) expect(found).toEqual(bytes);
        expect(inflateZlib(new Uint8Array(packed).subarray(0, length), bytes.length)).toEqual(
          length < packed.length ? undefined : bytes,
        );
      }),
      { numRuns: 150 },
    );
  });
});
