/** Generated workloads: the same for the same seed, of the size asked, made of what they say they are made of. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Scatterlist } from '../../src/index.ts';
import { StudyError, separated, WORKLOADS, type Workload, workloadNamed } from '../../src/study/index.ts';
import { sizeOf } from '../../src/study/workload.ts';
import { questionOf } from '../../src/study/workloads.ts';

const MIB = 2 ** 20;
const CPU_PAGES = [4096, 16384, 65536];

/** Every entry as `[phys, length]`, with the IOVA of its list. */
function entriesOf({ requests }: Workload): [phys: number, length: number][] {
  return requests.flatMap(({ sg }) =>
    [...sg].map(({ page, offset, length }): [number, number] => [Number(page) + offset, Number(length)]),
  );
}

const asText = (workload: Workload) =>
  JSON.stringify(workload.requests.map(({ iova, sg }) => [`${iova}`, ...[...sg].map(String)])) +
  JSON.stringify(entriesOf(workload));

test('there are these, each with a question', () => {
  expect([...WORKLOADS].sort()).toEqual([
    'fragmented',
    'gpu',
    'huge-pages',
    'misaligned',
    'network-ring',
    'odd-start',
    'page-cache',
  ]);
  for (const name of WORKLOADS) expect(questionOf(name)).toMatch(/^[A-Z].*\?$/);
});

describe.each(WORKLOADS)('%s', (name) => {
  test('is the same for the same seed, and another for another', () => {
    const make = (seed: number) => asText(workloadNamed(name, { seed, bytes: 8 * MIB }));
    expect(make(5)).toBe(make(5));
    expect(make(5)).not.toBe(make(6));
  });

  test.each(CPU_PAGES)('with CPU pages of %i asks for all bytes, none of them twice', (cpuPageSize) => {
    for (const bytes of [1, 300_000, 20 * MIB]) {
      const workload = workloadNamed(name, { bytes, cpuPageSize, seed: 11 });
      expect(workload.cpuPageSize).toBe(cpuPageSize);
      expect(Number(sizeOf(workload).bytes)).toBeGreaterThanOrEqual(bytes);
      const entries = entriesOf(workload).sort(([a], [b]) => a - b);
      entries.reduce((end, [phys, length]) => {
        expect(phys).toBeGreaterThanOrEqual(end);
        return phys + length;
      }, 0);
      const ranges = workload.requests.map(({ iova, sg }) => [iova, iova + sg.byteLength] as const);
      ranges.reduce((end, [from, next]) => {
        expect(from >= end).toBe(true);
        return next;
      }, 0n);
    }
  });
});

test('page-cache is single pages', () => {
  const entries = entriesOf(workloadNamed('page-cache', { bytes: MIB, cpuPageSize: 16384 }));
  expect(entries.length).toBe(64);
  for (const [phys, length] of entries) expect([phys % 16384, length]).toEqual([0, 16384]);
});

test.each([
  [4096, 2 * MIB, 32],
  [16384, 32 * MIB, 2],
  [65536, 512 * MIB, 1],
])('huge pages of a CPU with pages of %i have %i bytes', (cpuPageSize, huge, count) => {
  const entries = entriesOf(workloadNamed('huge-pages', { cpuPageSize }));
  expect(entries.length).toBe(count);
  for (const [phys, length] of entries) expect([phys % huge, length]).toEqual([0, huge]);
});

test.each([0, 0.02, 0.3, 0.7, 1])(
  'fragmented: a share of %d does not follow the page before',
  (fragmentation) => {
    const { requests } = workloadNamed('fragmented', { fragmentation, bytes: 80 * MIB, seed: 3 });
    const runs = requests[0]!.sg.runs();
    const pages = (80 * MIB) / 4096;
    if (fragmentation === 0) expect(runs.length).toBe(1);
    else expect(Math.abs(runs.length / pages - fragmentation)).toBeLessThan(0.03 * fragmentation + 0.003);
  },
);

test('a ring has buffers of 2K, behind each other in their pages', () => {
  const workload = workloadNamed('network-ring', { bytes: MIB });
  expect(sizeOf(workload)).toEqual({ requests: 8, entries: 512, bytes: 0x10_0000n });
  const entries = entriesOf(workload);
  for (const [i, [phys, length]] of entries.entries()) {
    expect(length).toBe(2048);
    expect(phys % 4096).toBe((i % 2) * 2048);
    if (i % 2) expect(phys).toBe(entries[i - 1]![0] + 2048);
  }
});

test('a gpu buffer has aligned chunks of 64K and 2M', () => {
  const entries = entriesOf(workloadNamed('gpu', { bytes: 64 * MIB }));
  for (const [phys, length] of entries) expect(phys % length).toBe(0);
  expect([...new Set(entries.map(([, length]) => length))].sort()).toEqual([2 * MIB, 65536]);
});

test('misaligned buffers begin in a page of the CPU but not of a block; odd ones anywhere', () => {
  for (const cpuPageSize of CPU_PAGES) {
    for (const { iova, sg } of workloadNamed('misaligned', { cpuPageSize, seed: 4 }).requests) {
      const { page, offset } = sg.entry(0);
      expect([offset, iova % 0x20_0000n]).toEqual([0, 0n]);
      // 32 pages of 64K are a whole block.
      if (cpuPageSize < 65536) expect(page % 0x20_0000n).not.toBe(0n);
    }
    for (const { iova, sg } of workloadNamed('odd-start', { cpuPageSize, seed: 4 }).requests) {
      const { offset } = sg.entry(0);
      expect(offset).toBeGreaterThan(0);
      expect(iova % BigInt(cpuPageSize)).toBe(BigInt(offset));
    }
  }
});

test.each<[string, Record<string, unknown>, RegExp]>([
  ['nothing', {}, /there is no workload 'nothing'; there are page-cache, /],
  ['toString', {}, /there is no workload/],
  ['gpu', { seed: 0.5 }, /seed must be a whole number, not 0\.5/],
  ['gpu', { bytes: 0 }, /bytes must be 1 to 2\^40, not 0/],
  ['gpu', { bytes: 2 ** 41 }, /bytes must be 1 to 2\^40/],
  ['fragmented', { fragmentation: 1.5 }, /fragmentation must be a share from 0 to 1, not 1\.5/],
  ['fragmented', { fragmentation: Number.NaN }, /fragmentation must be/],
  ['gpu', { cpuPageSize: 8192 }, /cpuPageSize must be 0x1000, 0x4000, 0x10000, not 8192/],
])('%s with %j is refused', (name, options, message) => {
  expect(() => workloadNamed(name, options)).toThrow(message);
  expect(() => workloadNamed(name, options)).toThrow(StudyError);
});

describe('requests of several devices', () => {
  const list = (bytes: number) => Scatterlist.from([{ phys: 0x8000_0000n, length: bytes }]);
  const spaces = (...ranges: [iova: number, bytes: number][]) =>
    separated(ranges.map(([iova, bytes]) => ({ iova: BigInt(iova), sg: list(bytes) }))).map(
      ({ space }) => space,
    );

  test('go to a new space where they overlap', () => {
    const apart = spaces([0x3000, 0x1000], [0x1000, 0x1000], [0x2000, 0x1000], [0x4000, 0x1000]);
    expect(apart).toEqual([0, 0, 0, 0]);
    expect(spaces([0x3000, 0x1000], [0x3000, 0x1000], [0x3000, 0x1000])).toEqual([0, 1, 2]);
    expect(spaces([0x3000, 0x2000], [0x2000, 0x1001], [0x3000, 0x1000])).toEqual([0, 1, 2]);
    expect(spaces([0x3000, 0x2000], [0x4000, 0x1000], [0x3000, 0x1000])).toEqual([0, 1, 1]);
  });

  test('never overlap within one', () => {
    const ranges = fc.array(fc.tuple(fc.nat({ max: 40 }), fc.nat({ max: 9 })), { maxLength: 30 });
    fc.assert(
      fc.property(ranges, (some) => {
        const requests = separated(some.map(([at, bytes]) => ({ iova: BigInt(at), sg: list(bytes) })));
        for (const [i, a] of requests.entries()) {
          for (const b of requests.slice(i + 1)) {
            const apart = a.iova + a.sg.byteLength <= b.iova || b.iova + b.sg.byteLength <= a.iova;
            if (a.sg.byteLength > 0n && b.sg.byteLength > 0n && !apart) expect(a.space).not.toBe(b.space);
          }
        }
      }),
    );
  });
});
