/** Operands of TLBI: literal registers, and every range against the formula, address by address. (DDI 0487 D8.17.5.1, D8.17.5.2.) */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeAddressOperand, decodeRangeOperand, decodeTtl } from '../../src/tlb/operands.ts';

describe('an operand of one address', () => {
  test.each([
    [0x0005_0000_0000_0001n, false, { asid: 5, address: 0x1000n, hint: {} }],
    [0xffff_0fff_ffff_ffffn, false, { asid: 0xffff, address: 0xff_ffff_ffff_f000n, hint: {} }],
    [0x0001_7000_0000_0040n, false, { asid: 1, address: 0x4_0000n, hint: { granuleLog2: 12, level: 3 } }],
    [0x8000_00ff_ffff_ffffn, true, { asid: 0x8000, address: 0xf_ffff_ffff_f000n, hint: {} }],
    [
      0x0000_f1ff_ffff_ffffn,
      true,
      { asid: 0, address: 0xf_ffff_ffff_f000n, hint: { granuleLog2: 16, level: 3 } },
    ],
  ] as const)('0x%x', (xt, ipa, expected) => {
    expect(decodeAddressOperand(xt, ipa, false)).toEqual(expected);
  });

  test('TTL: sixteen values, some reserved, two of them only without FEAT_LPA2', () => {
    const name = (ttl: number, lpa2: boolean) => {
      const { granuleLog2, level } = decodeTtl(ttl, lpa2);
      return granuleLog2 === undefined ? '-' : `${granuleLog2}:${level}`;
    };
    const all = Array.from({ length: 16 }, (_, ttl) => ttl);
    expect(all.map((ttl) => name(ttl, false)).join(' ')).toBe(
      '- - - - - 12:1 12:2 12:3 - - 14:2 14:3 - 16:1 16:2 16:3',
    );
    expect(all.map((ttl) => name(ttl, true)).join(' ')).toBe(
      '- - - - 12:0 12:1 12:2 12:3 - 14:1 14:2 14:3 - 16:1 16:2 16:3',
    );
  });
});

const va = { ipa: false, ds: false, lpa2: false };

describe('an operand of a range', () => {
  test.each([
    // TG 4K, SCALE 0, NUM 0: two pages from 0x1_0000.
    [0x0007_4000_0000_0010n, va, { asid: 7, from: 0x1_0000n, last: 0x1_1fffn, hint: { granuleLog2: 12 } }],
    // SCALE 3, NUM 31, 4K: 32 * 2^16 pages, 8 GiB.
    [0x0000_7f80_0000_0000n, va, { asid: 0, from: 0n, last: 0x1_ffff_ffffn }],
    // 16K, SCALE 1, NUM 1, TTL 3: 2 * 2^6 granules.
    [0x0000_90e0_0000_0001n, va, { from: 0x4000n, last: 0x20_3fffn, hint: { granuleLog2: 14, level: 3 } }],
    // 64K, SCALE 0, NUM 0, TTL 2, aligned to 512 MiB.
    [
      0x0000_c040_0000_2000n,
      va,
      { from: 0x2000_0000n, last: 0x2001_ffffn, hint: { granuleLog2: 16, level: 2 } },
    ],
    // DS = 1: BaseADDR counts 64K also with the 4K granule.
    [0x0000_4000_0000_0001n, { ...va, ds: true, lpa2: true }, { from: 0x1_0000n, last: 0x1_1fffn }],
    // A base with its top bit set is in the upper half (VA), or just large (IPA).
    [0x0000_401f_ffff_ffffn, va, { from: 0xff_ffff_ffff_f000n, last: 0xff_ffff_ffff_ffffn }],
    [0x0000_401f_ffff_ffffn, { ...va, ipa: true }, { from: 0x1_ffff_ffff_f000n, last: 0x2_0000_0000_0fffn }],
  ] as const)('0x%x', (xt, options, expected) => {
    expect(decodeRangeOperand(xt, options)).toMatchObject({ ...expected, unpredictable: false });
  });

  test('TG 0b00 is reserved', () => {
    expect(decodeRangeOperand(0x3f80_0000_0000n, va)).toBeUndefined();
  });

  test.each([
    [12, 1, 30],
    [12, 2, 21],
    [14, 2, 25],
    [16, 1, 42],
    [16, 2, 29],
  ])('granule 2^%i, TTL %i: a base that is not aligned to 2^%i is UNPREDICTABLE', (granule, ttl, log2) => {
    const operand = (base: bigint) =>
      (BigInt((granule - 10) / 2) << 46n) | (BigInt(ttl) << 37n) | (base >> BigInt(granule));
    const aligned = 1n << BigInt(log2);
    expect(decodeRangeOperand(operand(aligned), va)?.unpredictable).toBe(false);
    expect(decodeRangeOperand(operand(aligned >> 1n), va)?.unpredictable).toBe(true);
  });

  test('TTL 1 with 16K is reserved without FEAT_LPA2: no hint', () => {
    const xt = (2n << 46n) | (1n << 37n) | 1n;
    expect(decodeRangeOperand(xt, va)).toMatchObject({ hint: { granuleLog2: 14 }, unpredictable: false });
    expect(decodeRangeOperand(xt, { ...va, lpa2: true })).toMatchObject({ unpredictable: true });
  });

  test('covers exactly the addresses of the formula', () => {
    const operand = fc.record({
      tg: fc.integer({ min: 1, max: 3 }),
      scale: fc.nat(3),
      num: fc.nat(31),
      base: fc.bigInt({ min: 0n, max: (1n << 37n) - 1n }),
      ds: fc.boolean(),
      ipa: fc.boolean(),
      offset: fc.bigInt({ min: -(1n << 40n), max: 1n << 40n }),
    });
    fc.assert(
      fc.property(operand, ({ tg, scale, num, base, ds, ipa, offset }) => {
        const xt = (BigInt(tg) << 46n) | (BigInt(scale) << 44n) | (BigInt(num) << 39n) | base;
        const range = decodeRangeOperand(xt, { ipa, ds, lpa2: ds })!;
        // BaseADDR <= address < BaseADDR + (NUM + 1) * 2^(5 * SCALE + 1) * granule, in signed numbers.
        const granule = { 1: 4096n, 2: 16384n, 3: 65536n }[tg]!;
        const signed = ipa || base < 1n << 36n ? base : base - (1n << 37n);
        const start = signed * (ds ? 65536n : granule);
        const end = start + BigInt(num + 1) * 2n ** BigInt(5 * scale + 1) * granule;
        for (const address of [start - 1n, start, start + offset, end - 1n, end]) {
          if (address >= 1n << 55n || (ipa && address < 0n)) continue;
          // Not around the end of the address space: -1 and 0 are in different halves.
          const inRange = address >= start && address < end && address < 0n === start < 0n;
          const operandBits = BigInt.asUintN(56, address);
          expect(operandBits >= range.from && operandBits <= range.last).toBe(inRange);
        }
      }),
      { numRuns: 500 },
    );
  });
});
