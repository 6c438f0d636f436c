/** JSON read by schemas, and the sentences for what is not as it must be. */
import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { readJsonAs } from '../../src/json/read.ts';
import {
  andOthers,
  atLeast,
  maybe,
  members,
  oneShapeOf,
  pair,
  present,
  record,
  tagged,
  whole,
} from '../../src/json/schemas.ts';
import { nearest } from '../../src/memory/near-names.ts';

const bigints = v.pipe(
  v.string('must be digits'),
  v.regex(/^\d+$/, 'must be digits'),
  v.transform((text) => BigInt(text)),
);
const even = v.pipe(
  bigints,
  v.check((value) => value % 2n === 0n, 'must be even'),
);
const circle = members({ kind: v.literal('circle'), radius: whole(1, 9) });
const square = members({ kind: v.literal('square'), side: even });
const list = v.array(bigints);
const named = members({ values: list, unit: maybe(v.picklist(['mm', 'inch'])) });

const document = members({
  name: v.string(),
  size: maybe(whole(0, 100)),
  flag: maybe(v.boolean()),
  shapes: maybe(v.array(tagged('kind', [circle, square]))),
  pairs: maybe(v.array(pair({ from: even, to: bigints }))),
  numbers: maybe(
    oneShapeOf([list, named], (json) => (Array.isArray(json) ? list : named), 'must be numbers'),
  ),
  table: maybe(record(v.pipe(v.string(), v.regex(/^[a-z]$/, 'is no letter')), bigints)),
  loose: maybe(atLeast({ x: v.number() })),
  rest: maybe(andOthers({ note: maybe(v.unknown()) }, bigints)),
});

function problemOf(json: unknown): string {
  const read = readJsonAs(document, json);
  if (read.ok) throw new Error('nothing is wrong with it');
  return read.problem;
}

describe('a problem is told as a sentence', () => {
  test.each<[unknown, string]>([
    [null, 'the document must be an object, but is null'],
    [[], 'the document must be an object, but is []'],
    [{}, 'name must be a string, but is missing'],
    [{ name: 7 }, 'name must be a string, but is 7'],
    [{ name: 'x', size: 101 }, 'size must be a whole number from 0 to 100, but is 101'],
    [{ name: 'x', size: 1.5 }, 'size must be a whole number from 0 to 100, but is 1.5'],
    [{ name: 'x', size: '1' }, 'size must be a whole number from 0 to 100, but is "1"'],
    [{ name: 'x', flag: 0 }, 'flag must be true or false, but is 0'],
    [{ name: 'x', shapes: {} }, 'shapes must be a list, but is {}'],
    [{ name: 'x', shapes: [7] }, 'shapes[0] must be an object, but is 7'],
    [{ name: 'x', shapes: [[]] }, 'shapes[0] must be an object, but is []'],
    [{ name: 'x', shapes: [{}] }, 'shapes[0].kind must be one of circle, square, but is missing'],
    [{ name: 'x', shapes: [{ kind: 'dot' }] }, 'shapes[0].kind must be one of circle, square, but is "dot"'],
    [
      { name: 'x', shapes: [{ kind: 'circle', radius: 1 }, { kind: 'square' }] },
      'shapes[1].side must be digits, but is missing',
    ],
    // Of a value that is read before it is checked, the value as it stands in the file.
    [{ name: 'x', shapes: [{ kind: 'square', side: '3' }] }, 'shapes[0].side must be even, but is "3"'],
    [{ name: 'x', pairs: ['2'] }, 'pairs[0] must be a pair: ["0x<from>", "0x<to>"], but is "2"'],
    [{ name: 'x', pairs: [['2']] }, 'pairs[0] must be a pair: ["0x<from>", "0x<to>"], but is ["2"]'],
    [
      { name: 'x', pairs: [['2', '3', '4']] },
      'pairs[0] must be a pair: ["0x<from>", "0x<to>"], but is ["2","3","4"]',
    ],
    [{ name: 'x', pairs: [['2', 3]] }, 'pairs[0][1] must be digits, but is 3'],
    [{ name: 'x', pairs: [['3', '3']] }, 'pairs[0][0] must be even, but is "3"'],
    [{ name: 'x', numbers: ['1', 'two'] }, 'numbers[1] must be digits, but is "two"'],
    [{ name: 'x', numbers: { values: [], unit: 'm' } }, 'numbers.unit must be one of mm, inch, but is "m"'],
    [{ name: 'x', table: [] }, 'table must be an object, but is []'],
    [{ name: 'x', table: { aa: '1' } }, 'table.aa is no letter'],
    [{ name: 'x', table: { a: 1 } }, 'table.a must be digits, but is 1'],
    [{ name: 'x', table: { 'a b': '1' } }, 'table["a b"] is no letter'],
    [{ name: 'x', table: { '': '1' } }, 'table[""] is no letter'],
    [{ name: 'x', loose: { y: 1 } }, 'loose.x must be a number, but is missing'],
    [{ name: 'x', rest: { note: [], other: 1 } }, 'rest.other must be digits, but is 1'],
    [{ name: ['a'.repeat(60)] }, `name must be a string, but is ["${'a'.repeat(38)}…`],
  ])('%j', (json, problem) => {
    expect(problemOf(json)).toBe(problem);
  });

  test('that guesses what an unknown member was meant to be, before anything else is said', () => {
    expect(problemOf({ nmae: 'x' })).toBe(
      'nmae is not known here; did you mean name? Known are name, size, flag, shapes, pairs, numbers, table, loose, rest',
    );
    expect(problemOf({ name: 'x', shapes: [{ kind: 'circle', colour: 1 }] })).toBe(
      'shapes[0].colour is not known here; known are kind, radius',
    );
    expect(problemOf(JSON.parse('{ "name": "x", "__proto__": 1 }'))).toMatch(/^__proto__ is not known here;/);
    expect(problemOf({ name: 'x', toString: 1 })).toMatch(/^toString is not known here;/);
  });

  test('of an object as a whole', () => {
    const some = members({ a: maybe(v.number()), b: maybe(v.number()) }, (json) =>
      Object.keys(json).length > 0 ? undefined : 'must have an a or a b',
    );
    expect(readJsonAs(some, {})).toEqual({ ok: false, problem: 'the document must have an a or a b' });
    expect(readJsonAs(v.array(some), [{ a: 1 }, {}])).toMatchObject({ problem: '[1] must have an a or a b' });
    expect(readJsonAs(some, { c: 1 })).toMatchObject({
      problem: expect.stringMatching(/^c is not known here/),
    });
  });
});

test('null says as little as no member, and other members of loose objects are left out', () => {
  const json = {
    name: 'x',
    size: null,
    pairs: [['2', '3']],
    loose: { x: 1, y: 2 },
    rest: { note: null, a: '4' },
  };
  const read = readJsonAs(document, json);
  if (!read.ok) throw new Error(read.problem);
  expect(present(read.value)).toEqual({
    name: 'x',
    pairs: [{ from: 2n, to: 3n }],
    loose: { x: 1 },
    rest: { a: 4n },
  });
});

test('any JSON is read, or refused in one line that begins with a path', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(...Object.keys(document.entries)), (value, key) => {
      for (const json of [value, { name: 'x', [key]: value }]) {
        const read = readJsonAs(document, json);
        if (!read.ok) expect(read.problem).toMatch(/^\S.* (must|is) .*$/);
      }
    }),
  );
});

test('the nearest name', () => {
  expect(nearest('ivoa', ['op', 'iova', 'ret'])).toBe('iova');
  expect(nearest('IOVA', ['iova'])).toBe('iova');
  expect(nearest('prots', ['ret', 'prot', 'port'])).toBe('prot');
  expect(nearest('colour', ['kind', 'radius'])).toBeUndefined();
  expect(nearest('x', [])).toBeUndefined();
});
