/** Bigints and numbers at the edge of the API, against plain conversions. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bigintOf, smallNumber } from '../../src/iommu/word.ts';

const NEAR = [0n, 1n, 1n << 31n, 1n << 32n, 1n << 52n, 1n << 63n, 1n << 64n, 1n << 65n, 1n << 128n];
const edge = fc
  .tuple(fc.constantFrom(...NEAR), fc.bigInt(-2n, 2n), fc.constantFrom(1n, -1n))
  .map(([near, offset, sign]) => sign * near + offset);

test('smallNumber: the number of 0 to 2^52 - 1, -1 for any other bigint', () => {
  const value = fc.oneof(edge, fc.bigInt(-(1n << 70n), 1n << 70n), fc.bigInt(0n, 1n << 52n));
  fc.assert(
    fc.property(value, (one) => {
      expect(smallNumber(one)).toBe(one >= 0n && one < 1n << 52n ? Number(one) : -1);
    }),
    { numRuns: 2000 },
  );
});

test.each([[5], ['5'], [undefined], [null], [Number.NaN], [{}]])(
  'smallNumber of %s, no bigint: -1',
  (value) => {
    expect(smallNumber(value)).toBe(-1);
  },
);

test('bigintOf: the bigint of an exact number', () => {
  const value = fc.oneof(
    fc.maxSafeNat(),
    fc.nat(),
    fc.constantFrom(0, 2 ** 32 - 1, 2 ** 32, 2 ** 52, 2 ** 53),
  );
  fc.assert(
    fc.property(value, (one) => {
      expect(bigintOf(one)).toBe(BigInt(one));
    }),
    { numRuns: 2000 },
  );
});
