/** Linux's unmap, with what it answers over holes, tables and parts of blocks; reclaim() and free(). */
import { describe, expect, test } from 'vitest';
import { arm64LpaeS1, arm64LpaeS2 } from '../../formats/index.ts';
import { countTree, IommuDomain, Scatterlist } from '../../src/index.ts';
import { SIZES_4K } from '../support/configs.ts';
import { machine, reachableFrames, translate } from '../support/machine.ts';

const rw = { read: true, write: true };
const [PAGE, BLOCK, GIB] = [0x1000n, 0x20_0000n, 0x4000_0000n];
const make = (format = arm64LpaeS1) => machine(format, { pgsizeBitmap: SIZES_4K, ias: 39, oas: 48 });

describe.each([arm64LpaeS1, arm64LpaeS2])('unmap, $name', (format) => {
  test('answers 0 for what is unaligned, unmapped or out of range', () => {
    const m = make(format);
    m.domain.map(0x1000n, 0x2000n, PAGE, rw);
    const calls: [bigint, bigint][] = [
      [0x1001n, PAGE],
      [0x1000n, 0x800n],
      [0x1000n, 0n],
      [0x2000n, PAGE],
      [1n << 39n, PAGE],
      [1n << 63n, PAGE],
    ];
    for (const [iova, size] of calls) expect(m.domain.unmap(iova, size)).toBe(0n);
    expect(translate(m, 0x1000n)).toBe(0x2000n);
    expect(m.domain.unmap(0x1000n, PAGE)).toBe(PAGE);
  });

  test('stops at the first hole', () => {
    const m = make(format);
    for (const iova of [0n, 0x1000n, 0x3000n]) m.domain.map(iova, iova, PAGE, rw);
    expect(m.domain.unmap(0n, 4n * PAGE)).toBe(2n * PAGE);
    expect([0n, 0x1000n, 0x3000n].map((iova) => translate(m, iova))).toEqual([null, null, 0x3000n]);
  });

  test('of a size that ends with the input space takes no more than there is', () => {
    const m = make(format);
    const last = (1n << 39n) - PAGE;
    m.domain.map(last, 0x5000n, PAGE, rw);
    expect(m.domain.unmap(last, 16n * PAGE)).toBe(PAGE);
    expect(m.domain.unmap(0n, 1n << 63n)).toBe(0n);
  });

  test('of a block over a table with one page answers the whole block, and frees the table', () => {
    const m = make(format);
    m.domain.map(BLOCK + 0x3000n, 0x7000n, PAGE, rw);
    const frames = m.allocator.frameCount;
    expect(m.domain.unmap(BLOCK, BLOCK)).toBe(BLOCK);
    expect(m.allocator.frameCount).toBe(frames - 1);
    expect(translate(m, BLOCK + 0x3000n)).toBeNull();
  });

  test('of a gigabyte over two levels of tables frees all of them', () => {
    const m = make(format);
    for (const at of [0n, 5n * BLOCK, 500n * BLOCK + PAGE]) m.domain.map(GIB + at, 0x7000n, PAGE, rw);
    expect(m.allocator.frameCount).toBe(5);
    expect(m.domain.unmap(GIB, GIB)).toBe(GIB);
    expect(m.allocator.frameCount).toBe(1);
  });

  test('of pages never frees their table, even the last of them', () => {
    const m = make(format);
    m.domain.map(BLOCK, 0x40_1000n, BLOCK, rw);
    const frames = m.allocator.frameCount;
    for (let at = 0n; at < BLOCK; at += PAGE) expect(m.domain.unmap(BLOCK + at, PAGE)).toBe(PAGE);
    expect(m.allocator.frameCount).toBe(frames);
  });

  test('of every page of an aligned block in one call frees the table', () => {
    const m = make(format);
    m.domain.map(BLOCK - PAGE, 0x40_1000n - PAGE, BLOCK + 2n * PAGE, rw);
    const frames = m.allocator.frameCount;
    expect(m.domain.unmap(BLOCK - PAGE, BLOCK + 2n * PAGE)).toBe(BLOCK + 2n * PAGE);
    expect(m.allocator.frameCount).toBe(frames - 1);
  });

  test('of a page in a block splits it once, of a page in a gigabyte twice', () => {
    const m = make(format);
    m.domain.map(0n, 0n, BLOCK, rw);
    m.domain.map(GIB, GIB, GIB, rw);
    const frames = m.allocator.frameCount;
    expect(m.domain.unmap(0x5000n, PAGE)).toBe(PAGE);
    expect(m.allocator.frameCount).toBe(frames + 1);
    expect(m.domain.unmap(GIB + 3n * BLOCK + 0x5000n, PAGE)).toBe(PAGE);
    expect(m.allocator.frameCount).toBe(frames + 3);
    const { byLevel } = countTree(m.domain.tables());
    expect(byLevel).toEqual([
      { level: 1, tables: 1, blocks: 0, pages: 0 },
      { level: 2, tables: 2, blocks: 511, pages: 0 },
      { level: 3, tables: 2, blocks: 0, pages: 1022 },
    ]);
    expect([0x4fffn, 0x5000n, 0x5fffn, 0x6000n].map((iova) => translate(m, iova))).toEqual([
      0x4fffn,
      null,
      null,
      0x6000n,
    ]);
  });

  test('across a hole’s edge inside a split block takes what is left of it', () => {
    const m = make(format);
    m.domain.map(0n, 0n, 2n * BLOCK, rw);
    expect(m.domain.unmap(BLOCK - 2n * PAGE, 4n * PAGE)).toBe(4n * PAGE);
    expect(translate(m, BLOCK - 3n * PAGE)).toBe(BLOCK - 3n * PAGE);
    expect(translate(m, BLOCK + 2n * PAGE)).toBe(BLOCK + 2n * PAGE);
    expect(
      [BLOCK - 2n * PAGE, BLOCK - 1n, BLOCK, BLOCK + 2n * PAGE - 1n].map((at) => translate(m, at)),
    ).toEqual([null, null, null, null]);
  });
});

test('unmapSg unmaps what mapSg mapped, whatever the entries', () => {
  const m = make();
  const sg = Scatterlist.from([
    { phys: 0x9000n, length: 0x800 },
    { phys: 0x9800n, length: 0x2800 },
    { phys: 0x80_0000n, length: 0x40_0000 },
  ]);
  expect(m.domain.mapSg(0x7f_d000n, sg, rw)).toBe(0x40_3000n);
  expect(m.domain.unmapSg(0x7f_d000n, sg)).toBe(0x40_3000n);
  expect(m.domain.unmapSg(0x7f_d000n, sg)).toBe(0n);
});

describe('reclaim', () => {
  test('frees tables that hold nothing, says how many, and leaves the rest', () => {
    const m = make();
    m.domain.map(0x1000n, 0x5000n, PAGE, rw);
    for (const at of [GIB, GIB + BLOCK, 3n * GIB]) {
      m.domain.map(at, 0x6000n, PAGE, rw);
      m.domain.unmap(at, PAGE);
    }
    expect(m.allocator.frameCount).toBe(8);
    expect(m.domain.reclaim()).toBe(5);
    expect(m.domain.reclaim()).toBe(0);
    expect(m.allocator.allocated()).toEqual(reachableFrames(m.domain));
    expect(translate(m, 0x1000n)).toBe(0x5000n);
    expect(translate(m, GIB)).toBeNull();
  });

  test('leaves the root of an empty domain', () => {
    const m = make();
    m.domain.map(0n, 0n, 5n * BLOCK + PAGE, rw);
    m.domain.unmap(0n, 5n * BLOCK);
    m.domain.unmap(5n * BLOCK, PAGE);
    m.domain.reclaim();
    expect(m.allocator.allocated()).toEqual([{ pa: m.domain.root, bytes: 4096 }]);
  });
});

describe('a domain', () => {
  test('gives every frame back when it is freed, and the translations with them', () => {
    const m = make();
    m.domain.map(0x1000n, 0x5000n, 3n * GIB, rw);
    m.domain.free();
    expect(m.allocator.allocated()).toEqual([]);
    expect(m.allocator.bytesAllocated).toBe(0);
    expect(m.walker.walk(0x1000n, { access: 'read' }).ok).toBe(false);
  });

  test('shares its allocator with others, and touches none of their tables', () => {
    const a = make();
    const b = new IommuDomain(a.memory, arm64LpaeS2, {
      pgsizeBitmap: SIZES_4K,
      ias: 40,
      oas: 40,
      allocator: a.allocator,
    });
    a.domain.map(0x1000n, 0x5000n, PAGE, rw);
    b.map(0x1000n, 0x9000n, PAGE, rw);
    expect([a.domain.iovaToPhys(0x1000n), b.iovaToPhys(0x1000n)]).toEqual([0x5000n, 0x9000n]);
    a.domain.free();
    expect(a.allocator.allocated()).toEqual(reachableFrames(b));
    expect(b.iovaToPhys(0x1fffn)).toBe(0x9fffn);
  });

  test('does not look at IOVA bits above its input size in iovaToPhys, as Linux does not', () => {
    const m = make();
    m.domain.map(0x1000n, 0x5000n, PAGE, rw);
    expect(m.domain.iovaToPhys((1n << 39n) + 0x1234n)).toBe(0x5234n);
    expect(m.domain.iovaToPhys(0xffff_ff80_0000_1234n)).toBe(0x5234n);
  });
});
