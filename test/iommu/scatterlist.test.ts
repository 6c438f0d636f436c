/** Scatterlists: entries of CPU pages in columns, their sums, and the runs that neighbours make. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { IommuError, Scatterlist } from '../../src/index.ts';

describe('a scatterlist', () => {
  test('is made of entries, of ranges, or of both, from any iterable', () => {
    function* entries() {
      yield { page: 0x9000n, offset: 0x10, length: 0x20 };
      yield { page: 0x4000n, length: 0x1000n };
      yield { phys: 0x1234n, length: 5 };
    }
    const sg = Scatterlist.from(entries());
    expect(sg.count).toBe(3);
    expect(sg.byteLength).toBe(0x1025n);
    expect([...sg]).toEqual([
      { page: 0x9000n, offset: 0x10, length: 0x20n },
      { page: 0x4000n, offset: 0, length: 0x1000n },
      { page: 0x1000n, offset: 0x234, length: 5n },
    ]);
  });

  test('counts pages and offsets by the size of the CPU’s pages', () => {
    const at = (cpuPageSize: number) =>
      Scatterlist.from([{ phys: 0x9_0001_2345n, length: 1 }], { cpuPageSize }).entry(0);
    expect(at(0x1000)).toEqual({ page: 0x9_0001_2000n, offset: 0x345, length: 1n });
    expect(at(0x1_0000)).toEqual({ page: 0x9_0001_0000n, offset: 0x2345, length: 1n });
    expect(new Scatterlist().cpuPageSize).toBe(4096);
  });

  test('wants pages that are pages of the CPU', () => {
    const sg = new Scatterlist({ cpuPageSize: 0x1_0000 });
    expect(() => sg.add(0x1000n, 0, 0x1000)).toThrow(/multiple of the CPU's page size 0x10000, not 0x1000/);
    sg.add(0x1_0000n, 0x1000, 0x1000);
    expect(sg.count).toBe(1);
  });

  test('takes an offset beyond the first page, and a length over many', () => {
    const sg = new Scatterlist().add(0x1000n, 0x2800, 0x10_0000);
    expect(sg.entry(0)).toEqual({ page: 0x3000n, offset: 0x800, length: 0x10_0000n });
  });

  test('copies columns', () => {
    const addresses = [0x1000, 0x3000];
    const sg = Scatterlist.fromColumns(addresses, Float64Array.of(0x1000, 0x2000));
    addresses[0] = 0;
    expect([...sg].map(({ page, length }) => [page, length])).toEqual([
      [0x1000n, 0x1000n],
      [0x3000n, 0x2000n],
    ]);
    expect(() => Scatterlist.fromColumns([1, 2], [3])).toThrow(/2 addresses but 1 lengths/);
  });

  test('holds a million entries, and reads each back', () => {
    const sg = new Scatterlist();
    for (let i = 0; i < 1_000_000; i++) sg.addRange(BigInt(i) << 13n, 4096);
    expect(sg.count).toBe(1_000_000);
    expect(sg.byteLength).toBe(4_096_000_000n);
    expect(sg.entry(999_999).page).toBe(999_999n << 13n);
    expect(sg.runs().length).toBe(1_000_000);
  });

  test('has no entry outside its own', () => {
    const sg = Scatterlist.from([{ phys: 0n, length: 1 }]);
    for (const index of [-1, 1, 0.5, Number.NaN]) expect(() => sg.entry(index)).toThrow(RangeError);
  });
});

describe('runs', () => {
  test.each<[string, [number, number][], [number, number, number][]]>([
    ['nothing of nothing', [], []],
    [
      'neighbours that touch',
      [
        [0x1000, 0x800],
        [0x1800, 0x800],
        [0x2000, 0x1000],
      ],
      [[0x1000, 0x2000, 0]],
    ],
    [
      'a gap between',
      [
        [0x1000, 0x1000],
        [0x3000, 0x1000],
      ],
      [
        [0x1000, 0x1000, 0],
        [0x3000, 0x1000, 1],
      ],
    ],
    [
      'backwards',
      [
        [0x2000, 0x1000],
        [0x1000, 0x1000],
      ],
      [
        [0x2000, 0x1000, 0],
        [0x1000, 0x1000, 1],
      ],
    ],
    [
      'the same page twice',
      [
        [0x1000, 0x1000],
        [0x1000, 0x1000],
      ],
      [
        [0x1000, 0x1000, 0],
        [0x1000, 0x1000, 1],
      ],
    ],
    [
      'an empty entry that touches',
      [
        [0x1000, 0x1000],
        [0x2000, 0],
        [0x2000, 0x1000],
      ],
      [[0x1000, 0x2000, 0]],
    ],
    [
      'an empty entry that does not',
      [
        [0x1000, 0x1000],
        [0x9000, 0],
        [0x2000, 0x1000],
      ],
      [
        [0x1000, 0x1000, 0],
        [0x2000, 0x1000, 2],
      ],
    ],
    [
      'an empty entry at the end',
      [
        [0x1000, 0x1000],
        [0x2000, 0],
      ],
      [[0x1000, 0x1000, 0]],
    ],
    [
      'across 4 GiB',
      [
        [0xffff_f000, 0x1000],
        [0x1_0000_0000, 0x1000],
      ],
      [[0xffff_f000, 0x2000, 0]],
    ],
  ])('of %s', (_, ranges, runs) => {
    const sg = Scatterlist.from(ranges.map(([phys, length]) => ({ phys: BigInt(phys), length })));
    expect(sg.runs().map(({ phys, length, entry }) => ({ phys, length, entry }))).toEqual(
      runs.map(([phys, length, entry]) => ({ phys: BigInt(phys), length: BigInt(length), entry })),
    );
  });

  test('name the last of their entries, an empty one that touches too', () => {
    const sg = Scatterlist.from([
      { phys: 0x1000n, length: 0x1000 },
      { phys: 0x2000n, length: 0x1000 },
      { phys: 0x3000n, length: 0 },
      { phys: 0x9000n, length: 0x1000 },
    ]);
    expect(sg.runs().map(({ entry, last }) => [entry, last])).toEqual([
      [0, 2],
      [3, 3],
    ]);
  });

  test('hold every byte of the entries, in order, and no two of them touch', () => {
    const range = fc.tuple(fc.nat({ max: 12 }), fc.nat({ max: 3 }));
    fc.assert(
      fc.property(fc.array(range, { maxLength: 12 }), (ranges) => {
        const sg = Scatterlist.from(ranges.map(([phys, length]) => ({ phys: BigInt(phys), length })));
        const bytes = (list: { phys: bigint; length: bigint | number }[]) =>
          list.flatMap(({ phys, length }) =>
            Array.from({ length: Number(length) }, (_, i) => Number(phys) + i),
          );
        const runs = sg.runs();
        expect(bytes(runs)).toEqual(bytes(ranges.map(([phys, length]) => ({ phys: BigInt(phys), length }))));
        expect(runs.every(({ length }) => length > 0n)).toBe(true);
      }),
    );
  });
});

test('the largest sums are exact, and what is larger is refused', () => {
  const sg = new Scatterlist().addRange(0n, (1n << 53n) - 1n);
  expect(sg.byteLength).toBe((1n << 53n) - 1n);
  expect(() => sg.addRange(0n, 1)).toThrow(IommuError);
  expect(() => sg.addRange(1n << 53n, 1)).toThrow(expect.objectContaining({ code: 'ERANGE' }));
  expect(sg.count).toBe(1);
});

test('addresses may be numbers: the same entries', () => {
  const numbers = Scatterlist.from([
    { page: 0x9000_0000, offset: 8, length: 4 },
    { phys: 0xf_ffff_f004, length: 8n },
  ]);
  const bigints = Scatterlist.from([
    { page: 0x9000_0000n, offset: 8, length: 4n },
    { phys: 0xf_ffff_f004n, length: 8 },
  ]);
  expect([...numbers]).toEqual([...bigints]);
  expect([...numbers]).toEqual([
    { page: 0x9000_0000n, offset: 8, length: 4n },
    { page: 0xf_ffff_f000n, offset: 4, length: 8n },
  ]);
});

test.each([0.5, -4096, 2 ** 53, Number.NaN])('no entry starts at %d', (pa) => {
  const list = new Scatterlist();
  expect(() => list.add(pa, 0, 1)).toThrow(
    /EINVAL: entry 0: page must be a bigint or a whole number below 2\^53, and a multiple/,
  );
  expect(() => list.addRange(pa, 1)).toThrow(/EINVAL: entry 0: a physical address must be/);
  expect(list.count).toBe(0);
});
