/** Failures half way: nothing of the request stays, everything else is as it was, no frame is lost, and it works once the cause is gone. */
import { describe, expect, test } from 'vitest';
import { IommuDomain, IommuError, type IommuErrorCode, Scatterlist } from '../../src/index.ts';
import type { Prot } from '../../src/pagetable/format.ts';
import { type Config, configs } from '../support/configs.ts';
import { everyLeaf, type Machine, machine, reachableFrames, translations } from '../support/machine.ts';
import { everyThird } from '../support/rounds.ts';

const rw: Prot = { read: true, write: true, cache: true };

/** A machine whose tables already hold something, at both ends of the input space and around the request. */
function occupied({ format, options }: Config) {
  const m = machine(format, options);
  const { granuleLog2, ias, firstIova } = m.domain.format;
  const page = 1n << BigInt(granuleLog2);
  const table = page << BigInt(granuleLog2 - 3);
  const end = 1n << BigInt(ias);
  // The request crosses from one last-level table to the next, where there are two.
  const middle = end / 2n > table ? table * (end / 2n / table) : end / 2n;
  const iova = firstIova + middle - 3n * page;
  m.domain.map(firstIova, 0x1000_0000n, page, rw);
  m.domain.map(firstIova + end - page, 0x1001_0000n, page, { read: true });
  m.domain.map(iova - page, 0x1002_0000n, page, rw);
  return { m, page, table, iova };
}

/** Seven pages in five runs: three before the table's end, four behind it. */
function scattered(page: bigint): Scatterlist {
  const at = (n: bigint, pages: bigint) => ({ phys: 0x2000_0000n + n * page, length: pages * page });
  return Scatterlist.from([at(9n, 2n), at(5n, 1n), at(20n, 1n), at(21n, 1n), at(1n, 1n), at(30n, 1n)]);
}

function attempt(act: () => unknown): unknown {
  try {
    act();
    return undefined;
  } catch (error) {
    return error;
  }
}

function expectError(code: IommuErrorCode, act: () => unknown): IommuError {
  const error = attempt(act);
  expect(error).toBeInstanceOf(IommuError);
  expect((error as IommuError).code).toBe(code);
  return error as IommuError;
}

/** What the walker says of the first pages of the input space, of the last, and of those around `iova`. */
function view(m: Machine, iova: bigint): string[] {
  const { firstIova, granuleLog2, ias } = m.domain.format;
  const [ia, page, end] = [iova - firstIova, 1n << BigInt(granuleLog2), 1n << BigInt(ias)];
  const windows = [
    [0n, 4n * page],
    [ia - 8n * page, ia + 24n * page],
    [end - 8n * page, end],
  ] as const;
  return windows.flatMap(([from, to]) => translations(m, from < 0n ? 0n : from, to > end ? end : to));
}

/** Each frame is free or hangs on the root. */
function expectNoLeak(m: Machine): void {
  expect(m.allocator.allocated()).toEqual(reachableFrames(m.domain));
}

type Act = (m: Machine, iova: bigint, sg: Scatterlist) => unknown;
const WAYS: [string, Act][] = [
  ['mapSg', (m, iova, sg) => m.domain.mapSg(iova, sg, rw)],
  ['mapSgByMap', (m, iova, sg) => m.domain.mapSgByMap(iova, sg, rw)],
  ['map', (m, iova, sg) => m.domain.map(iova, 0x2000_0000n, sg.byteLength, rw)],
];

describe.each(everyThird(configs))('$name', (config) => {
  test.each(WAYS)('%s out of memory, at every allocation in turn', (_, act) => {
    for (let nth = 1; ; nth++) {
      const { m, page, iova } = occupied(config);
      const sg = scattered(page);
      const before = translations(m);
      const frames = m.allocator.frameCount;
      m.allocator.failAt(nth);
      const failed = attempt(() => act(m, iova, sg));
      m.allocator.failAt(0);
      if (failed === undefined) {
        // One of the tables is there already where the page before the request lies; a one-level tree needs none.
        const added = m.allocator.frameCount - frames;
        expect(nth).toBe(added + 1);
        break;
      }
      expect(failed).toMatchObject({ name: 'IommuError', code: 'ENOMEM', errno: -12 });
      expect(translations(m)).toEqual(before);
      expectNoLeak(m);
      // Tables that the attempt had added are empty, and reclaim finds them all.
      const left = m.allocator.frameCount - frames;
      expect(left).toBeLessThan(nth);
      expect(m.domain.reclaim()).toBe(left);
      expect(m.allocator.frameCount).toBe(frames);
      act(m, iova, sg);
      expect(m.domain.unmapSg(iova, sg)).toBe(sg.byteLength);
      expect(translations(m)).toEqual(before);
    }
  });

  test.each(WAYS)('%s into a page that is mapped already, at every page in turn', (_, act) => {
    for (let at = 0n; at < 7n; at++) {
      const { m, page, iova } = occupied(config);
      const sg = scattered(page);
      const taken = iova + at * page;
      m.domain.map(taken, 0x3000_0000n, page, { read: true, noexec: true });
      const before = view(m, iova);
      const error = expectError('EEXIST', () => act(m, iova, sg));
      expect(error.operands.iova).toBe(taken);
      expect(error.message).toContain('0x30000000');
      expect(view(m, iova)).toEqual(before);
      expectNoLeak(m);
      expect(m.domain.unmap(taken, page)).toBe(page);
      act(m, iova, sg);
      expect(m.domain.unmapSg(iova, sg)).toBe(7n * page);
      expect(view(m, iova)).toEqual(before.filter((line) => !line.includes(' 30000000 ')));
    }
  });

  test.each(WAYS)('%s across the end of the input space', (_, act) => {
    const { m, page, iova } = occupied(config);
    const { firstIova, ias } = m.domain.format;
    const end = firstIova + (1n << BigInt(ias));
    m.domain.unmap(end - page, page);
    const before = view(m, iova);
    for (let inside = 1n; inside < 7n; inside++) {
      expectError('ERANGE', () => act(m, end - inside * page, scattered(page)));
      expect(view(m, iova)).toEqual(before);
      expectNoLeak(m);
    }
    act(m, end - 7n * page, scattered(page));
    expect(m.domain.unmap(end - 7n * page, 7n * page)).toBe(7n * page);
  });

  test('mapSg with a PA beyond the output size, at every entry in turn', () => {
    const { m, page, iova } = occupied(config);
    const before = view(m, iova);
    const end = 1n << BigInt(m.domain.format.oas);
    const ranges = [...scattered(page)].map(({ page: at, offset, length }) => ({
      phys: at + BigInt(offset),
      length,
    }));
    for (const how of ['mapSg', 'mapSgByMap'] as const) {
      for (let entry = 0; entry < ranges.length; entry++) {
        for (const phys of [end, end + page, (1n << 53n) - page]) {
          const sg = Scatterlist.from(ranges.with(entry, { phys, length: page }));
          const error = expectError('ERANGE', () => m.domain[how](iova, sg, rw));
          expect(error.operands.entry).toBe(entry);
          expect(view(m, iova)).toEqual(before);
          expectNoLeak(m);
        }
        // The last byte counts, not the first alone.
        const across = Scatterlist.from(ranges.with(entry, { phys: end - page, length: 2n * page }));
        expectError('ERANGE', () => m.domain[how](iova, across, rw));
        expect(view(m, iova)).toEqual(before);
        expectNoLeak(m);
      }
      expect(m.domain[how](iova, Scatterlist.from([{ phys: end - page, length: page }]), rw)).toBe(page);
      expect(m.domain.unmap(iova, page)).toBe(page);
    }
  });
});

const withBlocks = configs.filter(({ startLevel, options }) => startLevel < 3 && options.ias > 32);

test.each(withBlocks)(
  '$name: an unmap that cannot split for want of memory takes nothing, and works later',
  (config) => {
    const { m, page } = occupied(config);
    const { levels, firstIova, pgsizeBitmap, ias } = m.domain.format;
    const block = levels.slice(0, -1).find(({ shift }) => (pgsizeBitmap >> BigInt(shift)) & 1n)!;
    const size = 1n << BigInt(block.shift);
    // The largest block, a quarter into the input space.
    const at = firstIova + (1n << BigInt(ias - 2));
    m.domain.map(at, 0n, size, rw);
    const before = translations(m);
    // The first table that the split needs, then at each try one more is made before the next fails.
    for (let made = 0; made < levels.at(-1)!.level - block.level; made++) {
      m.allocator.failAt(made === 0 ? 1 : 2);
      expect(m.domain.unmap(at + page, page)).toBe(0n);
      m.allocator.failAt(0);
      expectNoLeak(m);
      const mapped = everyLeaf(m).filter(({ ia }) => firstIova + ia >= at && firstIova + ia < at + size);
      for (const { ia, leaf } of mapped) expect(leaf.leafBase).toBe(firstIova + ia - at);
      expect(mapped.reduce((sum, { leaf }) => sum + leaf.size, 0n)).toBe(size);
    }
    expect(m.domain.unmap(at + page, page)).toBe(page);
    expect(before.length).toBe(4);
  },
);

test('the first allocation of all, the root, fails with an error that says how large it is', () => {
  for (const { format, options } of configs) {
    const m = machine(format, options);
    m.allocator.failAt(1);
    const error = expectError(
      'ENOMEM',
      () =>
        new IommuDomain(m.memory, format, {
          ...options,
          allocator: m.allocator,
        }),
    );
    expect(error.message).toContain(`0x${m.domain.format.rootBytes.toString(16)} bytes`);
    expect(m.allocator.frameCount).toBe(1);
  }
});
