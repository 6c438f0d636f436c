/** What every format must do, at every level that a table of each granule can start at. Each check is made by the walker too. */
import { describe, expect, test } from 'vitest';
import type { TableFormat } from '../../formats/index.ts';
import { type Config, configs, formatsWithoutRows } from '../support/configs.ts';
import {
  everyLeaf,
  type Machine,
  machine,
  paOf,
  reachableFrames,
  translate,
  translations,
} from '../support/machine.ts';

const rw = { read: true, write: true };

test('every format of formats/index.ts has configurations here', () => {
  expect(formatsWithoutRows).toEqual([]);
  expect(configs.length).toBeGreaterThan(30);
});

/** Sizes that the table has a leaf for, ascending. */
function leafSizes(format: TableFormat): bigint[] {
  const spans = format.levels.flatMap(({ shift, runLog2 = 0 }) => [shift, shift + runLog2]).map(BigInt);
  const offered = [...new Set(spans)].filter((log2) => (format.pgsizeBitmap >> log2) & 1n);
  return offered.map((log2) => 1n << log2).sort((a, b) => (a < b ? -1 : 1));
}

/** A place for a leaf of that size in the middle of the input space, or at its start where there is no middle. */
function place({ domain }: Machine, size: bigint): bigint {
  const half = (1n << BigInt(domain.format.ias)) / 2n;
  return domain.format.firstIova + half - (half % size);
}

/** An output address for it that uses the highest bits there are, all ones. */
function target({ domain }: Machine, size: bigint): bigint {
  return (1n << BigInt(domain.format.oas)) - size;
}

const start = ({ format, options }: Config) => machine(format, options);
/** Every leaf size, with the depth of its level, what one entry there covers, and how many tables are below it. */
const sizesOf = (config: Config) => {
  const format = config.format.configure(config.options);
  return leafSizes(format).map((size, i) => {
    const depth = format.levels.findIndex(
      ({ shift, runLog2 = 0 }) => size === 1n << BigInt(shift) || size === 1n << BigInt(shift + runLog2),
    );
    const entry = 1n << BigInt(format.levels[depth]!.shift);
    return { name: `0x${size.toString(16)}`, size, i, depth, entry, below: format.levels.length - 1 - depth };
  });
};

describe.each(configs)('$name', (config) => {
  test('starts at its level, and is empty', () => {
    const m = start(config);
    const { firstIova, ias } = m.domain.format;
    expect(m.domain.format.levels[0]!.level).toBe(config.startLevel);
    expect(everyLeaf(m)).toEqual([]);
    const end = firstIova + (1n << BigInt(ias));
    for (const iova of [firstIova, firstIova + 42n, end - 1n]) {
      expect(translate(m, iova)).toBeNull();
      const walk = m.walker.walk(iova, { access: 'read' });
      expect(walk).toMatchObject({
        ok: false,
        fault: { kind: 'translation', level: config.startLevel, descriptor: 0n },
      });
    }
    expect(m.allocator.frameCount).toBe(1);
  });

  test('has nothing outside its input space', () => {
    const m = start(config);
    const { firstIova, ias, granuleLog2 } = m.domain.format;
    const page = 1n << BigInt(granuleLog2);
    const end = firstIova + (1n << BigInt(ias));
    m.domain.map(end - page, 0n, page, rw);
    m.domain.map(firstIova, page, page, rw);
    expect(translate(m, end - 1n)).toBe(page - 1n);
    for (const outside of [end, end + page, firstIova - 1n, 1n << 63n]) {
      if (outside < 0n || outside >> 64n) continue;
      expect(m.walker.walk(outside, { access: 'read' }).ok).toBe(false);
      expect(() => m.domain.map(outside & ~(page - 1n), 0n, page, rw)).toThrow(/^ERANGE/);
      expect(m.domain.unmap(outside & ~(page - 1n), page)).toBe(0n);
    }
  });

  describe.each(sizesOf(config))('a leaf of $name', ({ size, i, depth, entry, below }) => {
    test('translates its first byte to its last, and neither neighbour', () => {
      const m = start(config);
      const [iova, pa] = [place(m, size), target(m, size)];
      m.domain.map(iova, pa, size, rw);
      for (const offset of [0n, 1n, 42n, size / 2n, size - 1n])
        expect(translate(m, iova + offset)).toBe(pa + offset);
      for (const outside of [iova - 1n, iova + size]) {
        if (outside >= m.domain.format.firstIova && outside < 1n << 64n)
          expect(paOf(m.walker, outside)).toBeNull();
      }
      const leaves = everyLeaf(m);
      expect(leaves.map(({ leaf }) => [leaf.leafBase, leaf.size])).toEqual([[pa, size]]);
      expect(leaves[0]!.ia).toBe(iova - m.domain.format.firstIova);
    });

    test('keeps every bit of its addresses apart', () => {
      const m = start(config);
      const { ias, oas, firstIova } = m.domain.format;
      for (let bit = BigInt(size.toString(2).length - 1); bit < BigInt(Math.max(ias, oas)); bit++) {
        const ia = bit < BigInt(ias) ? 1n << bit : 0n;
        const pa = bit < BigInt(oas) ? 1n << bit : 0n;
        m.domain.map(firstIova + ia, pa, size, rw);
        expect(translate(m, firstIova + ia + size - 1n)).toBe(pa + size - 1n);
        expect(m.domain.unmap(firstIova + ia, size)).toBe(size);
      }
    });

    test('is in the way of any mapping of any size that touches it, and stays', () => {
      const m = start(config);
      const [iova, pa] = [place(m, size), target(m, size)];
      m.domain.map(iova, pa, size, rw);
      const before = translations(m);
      for (const other of leafSizes(m.domain.format)) {
        const around = iova - (iova % other);
        for (const at of new Set([around, iova, iova + size - other])) {
          if (at % other !== 0n || at < m.domain.format.firstIova) continue;
          expect(() => m.domain.map(at, 0n, other, rw)).toThrow(/^EEXIST/);
        }
      }
      expect(translations(m)).toEqual(before);
      expect(m.allocator.allocated()).toEqual(reachableFrames(m.domain));
    });

    test('goes as a whole, and can be mapped again elsewhere', () => {
      const m = start(config);
      const iova = place(m, size);
      m.domain.map(iova, 0n, size, rw);
      const frames = m.allocator.frameCount;
      expect(m.domain.unmap(iova, size)).toBe(size);
      expect(everyLeaf(m)).toEqual([]);
      m.domain.map(iova, target(m, size), size, { read: true });
      expect(translate(m, iova + size - 1n)).toBe(target(m, size) + size - 1n);
      expect(m.allocator.frameCount).toBe(frames);
    });

    test('frees every table when its unmap covers their entries', () => {
      const m = start(config);
      const page = leafSizes(m.domain.format)[0]!;
      const iova = place(m, size);
      // Each entry that the size covers has something below it: with runs, that is a page in each.
      for (let base = 0n; base < size; base += entry) {
        const offsets = new Set([0n, entry / 2n, entry - page].map((at) => base + at - (at % page)));
        for (const at of offsets) m.domain.map(iova + at, at, page, rw);
      }
      // What stays is the path down to the leaf's own level.
      expect(m.domain.unmap(iova, size)).toBe(size);
      expect(m.allocator.frameCount).toBe(depth + 1);
      expect(m.allocator.allocated()).toEqual(reachableFrames(m.domain));
      expect(everyLeaf(m)).toEqual([]);
    });

    test('takes the place of an empty table, and frees it; not of one that holds a page', () => {
      const m = start(config);
      if (i === 0) return;
      const page = leafSizes(m.domain.format)[0]!;
      const iova = place(m, size);
      m.domain.map(iova + 2n * page, 0n, page, rw);
      const frames = m.allocator.frameCount;
      expect(() => m.domain.map(iova, 0n, size, rw)).toThrow(/^EEXIST/);
      expect(translate(m, iova + 2n * page)).toBe(0n);
      expect(m.allocator.frameCount).toBe(frames);
      m.domain.unmap(iova + 2n * page, page);
      m.domain.map(iova, target(m, size), size, rw);
      expect(translate(m, iova + size - 1n)).toBe(target(m, size) + size - 1n);
      expect(everyLeaf(m).length).toBe(1);
      expect(m.allocator.frameCount).toBe(frames - below);
      expect(m.allocator.allocated()).toEqual(reachableFrames(m.domain));
    });
  });

  const blocks = sizesOf(config).slice(1);
  test.each(blocks)(
    'a block of $name loses one page and keeps all others, with their attributes',
    ({ size, below, entry }) => {
      const prots = [
        { read: true, noexec: true, cache: true },
        { read: true, write: true, priv: true },
      ];
      for (const [n, prot] of prots.entries()) {
        const m = start(config);
        const page = leafSizes(m.domain.format)[0]!;
        const [iova, pa] = [place(m, size), target(m, size)];
        m.domain.map(iova, pa, size, prot);
        const frames = m.allocator.frameCount;
        const whole = everyLeaf(m)[0]!.leaf;
        const hole = n === 0 ? 0n : size - page * 3n;
        expect(m.domain.unmap(iova + hole, page)).toBe(page);
        expect(m.allocator.frameCount).toBe(frames + below);
        expect(m.allocator.allocated()).toEqual(reachableFrames(m.domain));
        let next = iova - m.domain.format.firstIova;
        for (const { ia, leaf } of everyLeaf(m)) {
          if (next === iova + hole - m.domain.format.firstIova) next += page;
          expect([ia, leaf.leafBase]).toEqual([next, pa + (ia + m.domain.format.firstIova - iova)]);
          expect(leaf.permissions).toEqual(whole.permissions);
          expect([leaf.attributes, leaf.shareability, leaf.global]).toEqual([
            whole.attributes,
            whole.shareability,
            whole.global,
          ]);
          next += leaf.size;
        }
        expect(next).toBe(iova + size - m.domain.format.firstIova);
        expect(translate(m, iova + hole)).toBeNull();
        if (size === entry) expect(m.domain.unmap(iova, size)).toBe(size);
        // Of a run with a hole the rest goes leaf by leaf.
        for (const { ia, leaf } of everyLeaf(m)) {
          expect(m.domain.unmap(m.domain.format.firstIova + ia, leaf.size)).toBe(leaf.size);
        }
        expect(everyLeaf(m)).toEqual([]);
      }
    },
  );

  test('mixes its sizes in one mapping, largest where it can', () => {
    const m = start(config);
    const space = 1n << BigInt(m.domain.format.ias);
    const sizes = leafSizes(m.domain.format).filter((size) => size <= 1n << 30n && size * 4n <= space);
    const page = sizes[0]!;
    const largest = sizes.at(-1)!;
    const iova = place(m, largest) - page;
    const length = sizes.reduce((sum, size) => sum + size, page);
    m.domain.map(iova, 2n * largest - page, length, rw);
    const leaves = everyLeaf(m);
    const bySize = sizes.map((size) => leaves.filter(({ leaf }) => leaf.size === size).length);
    expect(bySize).toEqual(sizes.map((_, i) => (i === 0 ? 2 : 1)));
    expect(m.domain.unmap(iova, length)).toBe(length);
    expect(everyLeaf(m)).toEqual([]);
  });
});
