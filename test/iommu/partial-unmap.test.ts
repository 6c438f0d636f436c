/** Unmapping a part of a block or run: split, refuse or whole, for every format that has blocks, by the walker's word. */
import { describe, expect, test } from 'vitest';
import { arm64LpaeS1, armV7s } from '../../formats/index.ts';
import { IommuDomain, type PartialUnmap, PhysicalMemory } from '../../src/index.ts';
import { configs, RUNS_4K, SIZES_4K, SIZES_SHORT } from '../support/configs.ts';
import { everyLeaf, machine, reachableFrames, translations } from '../support/machine.ts';

const rw = { read: true, write: true };

/** Of each configuration, the leaf sizes above the smallest page that are not too large to look through. */
const parts = configs.flatMap((config) => {
  const { levels, pgsizeBitmap } = config.format.configure(config.options);
  const all = levels.flatMap(({ shift, runLog2 = 0 }) => (runLog2 ? [shift, shift + runLog2] : [shift]));
  const sizes = all.filter((log2) => (pgsizeBitmap >> BigInt(log2)) & 1n).sort((a, b) => a - b);
  return sizes
    .slice(1)
    .filter((log2) => log2 + 1 < config.options.ias && log2 <= 31)
    .map((log2) => ({ ...config, log2, page: 1n << BigInt(sizes[0]!), name: `${config.name}, 2^${log2}` }));
});

describe.each(parts)('$name', ({ format, options, log2, page }) => {
  const size = 1n << BigInt(log2);
  const make = (partialUnmap: PartialUnmap) => {
    const m = machine(format, { ...options, partialUnmap });
    const iova = m.domain.format.firstIova + size;
    m.domain.map(iova, 0n, size, rw);
    return { m, iova };
  };

  test('refuse: nothing changes, and the reason names the leaf', () => {
    const { m, iova } = make('refuse');
    const before = translations(m);
    const at = iova + size - 2n * page;
    const report = m.domain.unmapReport(at, page);
    expect(report).toMatchObject({ bytes: 0n, from: at, end: at });
    expect(report.stop).toMatchObject({ code: 'EINVAL', operands: { iova: at, pageSize: size } });
    expect(report.stop!.message).toContain(`a leaf of 0x${size.toString(16)} bytes`);
    expect(translations(m)).toEqual(before);
    expect(m.domain.unmap(iova, size)).toBe(size);
    expect(everyLeaf(m)).toEqual([]);
  });

  test('whole: all of it goes, and the report says from where to where', () => {
    const { m, iova } = make('whole');
    const at = iova + page;
    const report = m.domain.unmapReport(at, page);
    expect(report).toEqual({ bytes: size - page, from: iova, end: iova + size });
    expect(everyLeaf(m)).toEqual([]);
    expect(m.allocator.allocated()).toEqual(reachableFrames(m.domain));
  });

  test('split: the page goes alone', () => {
    const { m, iova } = make('split');
    const at = iova + size - page;
    expect(m.domain.unmapReport(at, page)).toEqual({ bytes: page, from: at, end: at + page });
    const left = everyLeaf(m).reduce((sum, { leaf }) => sum + leaf.size, 0n);
    expect(left).toBe(size - page);
  });
});

test('whole goes on behind the block that it took, to the end of what was asked', () => {
  const m = machine(arm64LpaeS1, { pgsizeBitmap: SIZES_4K, ias: 39, oas: 48, partialUnmap: 'whole' });
  m.domain.map(0x20_0000n, 0n, 0x40_0000n, rw);
  m.domain.map(0x60_0000n, 0x1000n, 0x3000n, rw);
  expect(m.domain.unmapReport(0x3f_f000n, 0x20_3000n)).toEqual({
    bytes: 0x20_3000n,
    from: 0x20_0000n,
    end: 0x60_2000n,
  });
  expect(translations(m).map((line) => line.split(' ')[0])).toEqual(['602000']);
});

test('a report says where and why an unmap stopped', () => {
  const m = machine(arm64LpaeS1, { pgsizeBitmap: SIZES_4K, ias: 39, oas: 48 });
  m.domain.map(0x1000n, 0x1000n, 0x1000n, rw);
  m.domain.map(0x20_0000n, 0n, 0x20_0000n, rw);
  const hole = m.domain.unmapReport(0x1000n, 0x3000n);
  expect([hole.bytes, hole.end, hole.stop?.message]).toEqual([
    0x1000n,
    0x2000n,
    'EINVAL: nothing is mapped at IOVA 0x2000',
  ]);
  expect(m.domain.unmapReport(0x1001n, 0x1000n).stop?.message).toMatch(
    /multiples of the smallest page 0x1000/,
  );
  expect(m.domain.unmapReport(1n << 39n, 0x1000n).stop?.code).toBe('ERANGE');
  m.allocator.failAt(1);
  expect(m.domain.unmapReport(0x20_0000n, 0x1000n).stop?.code).toBe('ENOMEM');
  expect(m.domain.unmapReport(0x20_0000n, 0x20_0000n).stop).toBeUndefined();
});

test('of a contiguous run the rest stays, without the hint', () => {
  const options = { pgsizeBitmap: RUNS_4K, ias: 39, oas: 48, features: ['contiguous'] as const };
  const m = machine(arm64LpaeS1, options);
  m.domain.map(0x1_0000n, 0x9_0000n, 0x1_0000n, rw);
  const words = () =>
    m.domain
      .tables()
      .at(-1)!
      .entries.map(({ descriptor }) => descriptor);
  expect(words()).toEqual(Array.from({ length: 16 }, (_, i) => 0x10_0000_0009_0e43n + BigInt(i * 0x1000)));
  m.domain.unmap(0x1_3000n, 0x1000n);
  const left = Array.from({ length: 16 }, (_, i) => 0x9_0e43n + BigInt(i * 0x1000));
  expect(words()).toEqual(left.filter((_, i) => i !== 3));
});

test('unmapping a run of which an entry is empty: up to the hole, but of short descriptors nothing, as in Linux', () => {
  const options = { pgsizeBitmap: RUNS_4K, ias: 39, oas: 48, features: ['contiguous'] as const };
  const long = machine(arm64LpaeS1, options);
  const short = machine(armV7s, { pgsizeBitmap: SIZES_SHORT, ias: 32, oas: 32 });
  for (const { domain } of [long, short]) domain.map(0x1_0000n, 0x1000n, 0x3000n, rw);
  expect(long.domain.unmap(0x1_0000n, 0x1_0000n)).toBe(0x3000n);
  expect(short.domain.unmap(0x1_0000n, 0x1_0000n)).toBe(0n);
  expect(short.domain.unmap(0x1_0000n, 0x3000n)).toBe(0x3000n);
});

test.each([
  ['contiguous', arm64LpaeS1, { pgsizeBitmap: RUNS_4K, ias: 39, oas: 48, features: ['contiguous'] as const }],
  ['large pages', armV7s, { pgsizeBitmap: SIZES_SHORT, ias: 32, oas: 32 }],
] as const)(
  'pages up to and into a run, %s: the run keeps its rest, as single entries',
  (_, format, options) => {
    const m = machine(format, options);
    m.domain.map(0x1000n, 0x1000n, 0x1_f000n, rw);
    expect(m.domain.unmap(0xd000n, 0x4000n)).toBe(0x4000n);
    expect(everyLeaf(m).map(({ leaf }) => leaf.size)).toEqual(new Array(27).fill(0x1000n));
  },
);

test('another policy is refused by name', () => {
  const memory = new PhysicalMemory({ base: 0n, size: 0x10_0000n });
  const options = { pgsizeBitmap: SIZES_4K, ias: 39, oas: 48, partialUnmap: 'half' as PartialUnmap };
  expect(() => new IommuDomain(memory, arm64LpaeS1, options)).toThrow(
    /partialUnmap must be one of split, refuse, whole/,
  );
});
