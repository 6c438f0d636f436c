/** Arguments that make no sense: every one gets an IommuError that names it, and none changes anything. */
import { beforeEach, describe, expect, test } from 'vitest';
import { arm64LpaeS1 } from '../../formats/index.ts';
import { IommuError, Scatterlist } from '../../src/index.ts';
import { type Machine, machine, reachableFrames, tableWords } from '../support/machine.ts';

// biome-ignore lint/suspicious/noExplicitAny: the wrong types are the point
type Any = any;

const rw = { read: true, write: true };
const good = Scatterlist.from([{ page: 0x9000n, length: 0x1000 }]);
let m: Machine;
let before: string[];

beforeEach(() => {
  m = machine(arm64LpaeS1, { pgsizeBitmap: 0x4020_1000n, ias: 48, oas: 48 });
  m.domain.map(0x1000n, 0x5000n, 0x3000n, rw);
  before = tableWords(m);
});

/** What is neither a word of 64 bits nor a whole number that is exact. */
const NOT_WORDS: [string, Any][] = [
  ['a fraction', 4096.5],
  ['a negative number', -4096],
  ['a number that is not exact', 2 ** 53],
  ['infinity', Number.POSITIVE_INFINITY],
  ['NaN', Number.NaN],
  ['undefined', undefined],
  ['null', null],
  ['a string', '0x1000'],
  ['an object', {}],
  ['an array', [4096n]],
  ['a negative bigint', -4096n],
  ['65 bits', 1n << 64n],
  ['a thousand bits', 1n << 1000n],
];

function refused(act: () => unknown, code = 'EINVAL'): string {
  let error: unknown;
  try {
    act();
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(IommuError);
  expect((error as IommuError).code).toBe(code);
  expect(tableWords(m)).toEqual(before);
  expect(m.allocator.allocated()).toEqual(reachableFrames(m.domain));
  return (error as IommuError).message;
}

describe.each(NOT_WORDS)('%s', (_, value) => {
  test('is no IOVA', () => {
    for (const act of [
      () => m.domain.map(value, 0n, 0x1000n, rw),
      () => m.domain.mapSg(value, good, rw),
      () => m.domain.mapSgByMap(value, good, rw),
      () => m.domain.unmap(value, 0x1000n),
      () => m.domain.unmapSg(value, good),
      () => m.domain.iovaToPhys(value),
    ]) {
      expect(refused(act)).toMatch(/iova/);
    }
  });

  test('is no physical address', () => {
    expect(refused(() => m.domain.map(0x1_0000n, value, 0x1000n, rw))).toMatch(/pa/);
  });

  test('is no size', () => {
    expect(refused(() => m.domain.map(0x1_0000n, 0n, value, rw))).toMatch(/size/);
    expect(refused(() => m.domain.unmap(0x1000n, value))).toMatch(/size/);
  });
});

test.each<[string, Any]>([
  ['undefined', undefined],
  ['null', null],
  ['a number, as Linux has it', 3],
  ['a string', 'rw'],
  ['nothing allowed', {}],
  ['cache without access', { cache: true, noexec: true }],
])('%s is no prot', (_, prot) => {
  refused(() => m.domain.map(0x1_0000n, 0n, 0x1000n, prot));
  refused(() => m.domain.mapSg(0x1_0000n, good, prot));
  refused(() => m.domain.mapSgByMap(0x1_0000n, good, prot));
});

test.each<[string, Any]>([
  ['undefined', undefined],
  ['null', null],
  ['a plain array', [{ page: 0x9000n, offset: 0, length: 0x1000 }]],
  ['an empty array', []],
  ['an object', {}],
  ['a number', 5],
])('%s is no scatterlist', (_, sg) => {
  expect(refused(() => m.domain.mapSg(0x1_0000n, sg, rw))).toMatch(/scatterlist/i);
  expect(refused(() => m.domain.mapSgByMap(0x1_0000n, sg, rw))).toMatch(/scatterlist/i);
  expect(refused(() => m.domain.unmapSg(0x1_0000n, sg))).toMatch(/scatterlist/i);
});

describe('a scatterlist refuses', () => {
  test.each<[string, Any]>([
    ['a page that a double does not hold', { page: 2 ** 53, length: 1 }],
    ['a negative page', { page: -4096n, length: 1 }],
    ['a page that is not a page', { page: 0x800n, length: 1 }],
    ['a negative offset', { page: 0n, offset: -1, length: 1 }],
    ['an offset as a bigint', { page: 0n, offset: 1n, length: 1 }],
    ['an offset that is no number', { page: 0n, offset: Number.NaN, length: 1 }],
    ['a fraction of an offset', { page: 0n, offset: 0.5, length: 1 }],
    ['a fraction of an address', { phys: 4096.5, length: 1 }],
    ['an address as text', { phys: '4096', length: 1 }],
    ['a negative address', { phys: -1n, length: 1 }],
    ['neither page nor address', { length: 1 }],
    ['no length', { page: 0n }],
    ['a length that is no number', { page: 0n, length: Number.NaN }],
    ['an infinite length', { page: 0n, length: Number.POSITIVE_INFINITY }],
    ['a negative length', { page: 0n, length: -1 }],
    ['a negative bigint length', { page: 0n, length: -1n }],
    ['a fraction of a byte', { page: 0n, length: 0.5 }],
    ['a length as a string', { page: 0n, length: '4096' }],
    ['null as a length', { page: 0n, length: null }],
    ['true as a length', { page: 0n, length: true }],
    ['an offset to a whole address', { phys: 0n, offset: 4, length: 1 }],
    ['null', null],
    ['a number', 5],
  ])('%s', (_, entry) => {
    const sg = Scatterlist.from([{ page: 0n, length: 1 }]);
    expect(refused(() => Scatterlist.from([{ page: 0n, length: 1 }, entry]))).toMatch(/entry 1/);
    expect(sg.count).toBe(1);
  });

  test('an entry without being changed by it', () => {
    const sg = Scatterlist.from([{ page: 0n, length: 7 }]);
    refused(() => sg.addRange(0x1000n, Number.NaN));
    refused(() => sg.add(1n, 0, 1));
    expect([sg.count, sg.byteLength]).toEqual([1, 7n]);
  });

  test.each<[string, Any]>([
    ['0', 0],
    ['a negative number', -4096],
    ['what is no power of two', 12288],
    ['NaN', Number.NaN],
    ['infinity', Number.POSITIVE_INFINITY],
    ['a half', 0.5],
    ['not a bigint', 4095n],
    ['a string', '4096'],
  ])('a CPU page size of %s', (_, cpuPageSize) => {
    refused(() => new Scatterlist({ cpuPageSize }));
  });

  test.each<[string, Any, Any]>([
    ['NaN', [Number.NaN], [1]],
    ['a fraction', [0.5], [1]],
    ['a negative length', [0], [-1]],
    ['bigints', [1n], [1n]],
    ['an address of 54 bits', [2 ** 53], [1]],
  ])('columns with %s', (_, addresses, lengths) => {
    refused(() => Scatterlist.fromColumns(addresses, lengths));
  });
});
