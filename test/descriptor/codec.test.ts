/** Encoding and decoding by declared fields, on a small layout whose words can be checked by eye. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fieldNamed } from '../../src/descriptor/codec.ts';
import { fieldMask } from '../../src/descriptor/field.ts';
import {
  bitRange,
  type DescriptorLayout,
  decode,
  decodeAddress,
  encode,
  encodeAddress,
  type Field,
  FieldError,
  matches,
} from '../../src/descriptor/index.ts';

const field = (name: string, high: number, low: number, extra: Partial<Field> = {}): Field => ({
  name,
  high,
  low,
  kind: 'field',
  meaning: name,
  reference: 'none',
  ...extra,
});

/** 16 bits of fields in a 64-bit word: an address of 28 bits whose top four bits are moved down to [7:4]. */
const layout: DescriptorLayout = {
  title: 'sample',
  kind: 'page',
  width: 64,
  fields: [
    field('Top', 63, 60, { values: { 3: 'three' } }),
    field('-', 59, 33, { kind: 'res0' }),
    field('One', 32, 32, { kind: 'res1' }),
    field('Soft', 31, 28, { kind: 'software' }),
    field('-', 27, 24, { kind: 'ignored' }),
    field('OA[23:8]', 23, 8, { address: 8 }),
    field('OA[27:24]', 7, 4, { address: 24 }),
    field('Attr', 3, 2),
    field('Type', 1, 0, { fixed: 3 }),
  ],
};

describe('encode', () => {
  test.each<[string, Record<string, number | bigint>, bigint, bigint]>([
    ['nothing: type and RES1 bits alone', {}, 0n, 0x1_0000_0003n],
    ['a field', { Attr: 2 }, 0n, 0x1_0000_000bn],
    ['the largest value of a field', { Top: 15 }, 0n, 0xf000_0001_0000_0003n],
    ['a software field', { Soft: 5 }, 0n, 0x1_5000_0003n],
    ['a bigint as well as a number', { Attr: 3n, Top: 1n }, 0n, 0x1000_0001_0000_000fn],
    ['an address, its top bits moved', {}, 0xa12_3400n, 0x1_0012_34a3n],
    ['the type that the layout has anyway', { Type: 3 }, 0n, 0x1_0000_0003n],
  ])('%s', (_, values, address, word) => {
    expect(encode(layout, values, address)).toBe(word);
  });

  test.each<[string, Record<string, number | bigint>, RegExp]>([
    ['an unknown field', { Colour: 1 }, /sample has no field Colour; it has Top Soft OA\[23:8\]/],
    ['a reserved field', { '-': 0 }, /has no field -/],
    ['a RES1 field', { One: 1 }, /has no field One/],
    ['a value one too large', { Attr: 4 }, /Attr\[3:2\] of sample holds 2 bits; 0x4 does not fit/],
    ['a value far too large', { Top: 1n << 70n }, /does not fit/],
    ['a negative value', { Attr: -1 }, /does not fit/],
    ['a fraction', { Attr: 1.5 }, /Attr/],
    ['no number', { Attr: Number.NaN }, /Attr/],
    ['a type that is not this layout’s', { Type: 1 }, /Type/],
  ])('refuses %s', (_, values, message) => {
    expect(() => encode(layout, values)).toThrow(FieldError);
    expect(() => encode(layout, values)).toThrow(message);
  });

  test.each([0x1n, 0xffn, 0x1000_0000n, 0x800_0000_0000n, -256n])(
    'refuses an address that the layout cannot carry: %#',
    (address) => {
      expect(() => encodeAddress(layout, address)).toThrow(FieldError);
      expect(() => encode(layout, {}, address)).toThrow(/can't carry bits/);
    },
  );

  test('names the field and the value in its error', () => {
    expect(() => encode(layout, { Top: 16 })).toThrow(
      expect.objectContaining({ name: 'FieldError', field: 'Top', value: 16n }),
    );
  });
});

describe('decode', () => {
  test('gives every field from the highest bit down, with names of values', () => {
    const fields = decode(layout, 0x3000_0001_5a12_34abn);
    expect(fields.map(({ field: { name }, value, text }) => [name, value, text])).toEqual([
      ['Top', 3n, 'three'],
      ['-', 0n, undefined],
      ['One', 1n, undefined],
      ['Soft', 5n, undefined],
      ['-', 0xan, undefined],
      ['OA[23:8]', 0x1234n, undefined],
      ['OA[27:24]', 0xan, undefined],
      ['Attr', 2n, undefined],
      ['Type', 3n, undefined],
    ]);
    expect(fields.filter(({ problem }) => problem)).toEqual([]);
    expect(decodeAddress(layout, 0x3000_0001_5a12_34abn)).toBe(0xa12_3400n);
  });

  test.each<[string, bigint, string, RegExp]>([
    ['a RES0 bit that is set', 0x1_0000_0003n | (1n << 33n), '-', /RES0/],
    ['the highest RES0 bit', 0x1_0000_0003n | (1n << 59n), '-', /RES0/],
    ['a RES1 bit that is clear', 0x3n, 'One', /RES1/],
    ['type bits of another kind', 0x1_0000_0001n, 'Type', /must be 3/],
  ])('says what is wrong with %s, and only that', (_, word, name, problem) => {
    const bad = decode(layout, word).filter((f) => f.problem !== undefined);
    expect(bad.map((f) => f.field.name)).toEqual([name]);
    expect(bad[0]!.problem).toMatch(problem);
  });

  test('says nothing of ignored and software bits', () => {
    expect(decode(layout, 0x1_ff00_0003n).filter((f) => f.problem)).toEqual([]);
  });

  test('takes any 64-bit word, and loses none of its bits', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), (word) => {
        const back = decode(layout, word).reduce((sum, f) => sum | (f.value << BigInt(f.field.low)), 0n);
        expect(back).toBe(word);
      }),
    );
  });
});

test('matches looks at the type bits alone', () => {
  expect(matches(layout, 3n)).toBe(true);
  expect(matches(layout, ~0n & 0xffff_ffff_ffff_fffcn)).toBe(false);
  expect(matches(layout, 1n)).toBe(false);
  expect(matches(layout, 0xffff_ffff_ffff_ffffn)).toBe(true);
});

test('fields are found by name, and shown as the manual shows bits', () => {
  expect(fieldNamed(layout, 'Soft').high).toBe(31);
  expect(() => fieldNamed(layout, 'soft')).toThrow(FieldError);
  expect([bitRange(layout.fields[0]!), bitRange(layout.fields[2]!)]).toEqual(['[63:60]', '[32]']);
  expect([fieldMask(layout.fields[0]!), fieldMask(layout.fields[5]!)]).toEqual([
    0xf000_0000_0000_0000n,
    0xff_ff00n,
  ]);
});
