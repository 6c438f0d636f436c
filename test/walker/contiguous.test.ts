/** Contiguous runs that keep their promise, and runs that do not. */
import { describe, expect, test } from 'vitest';
import { contiguousRun } from '../../src/walker/contiguous.ts';
import { stage1, stage2 } from '../../src/walker/create.ts';

import { memoryWith } from './table-builder.ts';

const CONT = 1n << 52n;

/** An L3 table of 4 KiB pages under T0SZ 25, entries 16 to 31 contiguous, changed by `change`. */
function walker(change: (index: number, word: bigint) => bigint = (_, word) => word) {
  const words: Record<string, bigint> = { '0x40000000': 0x4000_1003n, '0x40001000': 0x4000_2003n };
  for (let i = 16; i < 32; i++) {
    const word = (0x8001_0703n + BigInt(i - 16) * 0x1000n) | CONT;
    words[`0x${(0x4000_2000 + i * 8).toString(16)}`] = change(i, word);
  }
  return stage1(memoryWith(words), { ttbr0: 0x4000_0000n, tcr: 0x5_0080_0019n, mair: 0xffn });
}

test('a run of 16 pages', () => {
  expect(contiguousRun(walker(), 0x1_5678n)).toEqual({
    ia: 0x1_0000n,
    size: 0x1_0000n,
    entries: 16,
    problems: [],
  });
});

test('no run: an invalid entry, a page without the bit', () => {
  expect(contiguousRun(walker(), 0n)).toBeUndefined();
  expect(
    contiguousRun(
      walker((_, word) => word & ~CONT),
      0x1_0000n,
    ),
  ).toBeUndefined();
});

describe('misprogrammed', () => {
  const problems = (index: number, change: (word: bigint) => bigint) =>
    contiguousRun(
      walker((i, word) => (i === index ? change(word) : word)),
      0x1_0000n,
    )?.problems.map(({ entry, ia, reason }) => [entry, ia, reason]);

  test.each<[string, (word: bigint) => bigint]>([
    ['not_contiguous', (word) => word & ~CONT],
    ['output', (word) => word + 0x1000n],
    ['attributes', (word) => word ^ 0x4n],
    ['attributes', (word) => word ^ 0x80n],
    ['attributes', (word) => word ^ (1n << 54n)],
  ])('%s', (reason, change) => {
    expect(problems(19, change)).toEqual([[3, 0x1_3000n, reason]]);
  });

  test('an invalid entry is no misprogramming, nor is a different access flag', () => {
    expect(problems(20, () => 0n)).toEqual([]);
    expect(problems(20, (word) => word & ~0x400n)).toEqual([]);
  });

  test('AP[2] may differ where DBM makes it the dirty state, and nowhere else (D8.7.1)', () => {
    const DBM = 1n << 51n;
    const run = (dbm: bigint) =>
      contiguousRun(
        walker((i, word) => word | dbm | (i === 21 ? 0x80n : 0n)),
        0x1_0000n,
      )?.problems.map(({ entry, reason }) => [entry, reason]);
    expect(run(DBM)).toEqual([]);
    expect(run(0n)).toEqual([[5, 'attributes']]);
  });

  test('bits that hardware ignores, and the dirty state of an entry with DBM, may differ', () => {
    expect(problems(20, (word) => word | (0xfn << 55n))).toEqual([]);
    expect(problems(20, (word) => word | (0xfn << 59n))).toEqual([]);
    const dbm = walker((i, word) => word | (1n << 51n) | (i === 20 ? 0x80n : 0n));
    expect(contiguousRun(dbm, 0x1_0000n)?.problems).toEqual([]);
  });

  test.each<[string, bigint, number, string[]]>([
    // HPD0 is TCR_EL1[41], HWU059 to HWU062 are [46:43].
    ['HWU059, with HPD0', (1n << 41n) | (1n << 43n), 59, ['attributes']],
    ['HWU059, of another bit', (1n << 41n) | (1n << 43n), 60, []],
    ['HWU062, with HPD0', (1n << 41n) | (1n << 46n), 62, ['attributes']],
    ['HWU062 without HPD0', 1n << 46n, 62, []],
    ['none', 1n << 41n, 61, []],
    ['HWU159, of the other range', (1n << 41n) | (1n << 47n), 59, []],
  ])('a bit of PBHA counts where hardware uses it: %s (RPFZRK)', (_, tcr, bit, reasons) => {
    const words: Record<string, bigint> = { '0x40000000': 0x4000_1003n, '0x40001000': 0x4000_2003n };
    for (let i = 0; i < 16; i++) {
      const word = (0x8000_0703n + BigInt(i) * 0x1000n) | CONT;
      words[`0x${(0x4000_2000 + i * 8).toString(16)}`] = i === 5 ? word | (1n << BigInt(bit)) : word;
    }
    const registers = { ttbr0: 0x4000_0000n, tcr: 0x5_0080_0019n | tcr, mair: 0xffn };
    const found = contiguousRun(stage1(memoryWith(words), registers), 0n);
    expect(found?.problems.map(({ reason }) => reason)).toEqual(reasons);
  });

  test('the same at stage 2, by VTCR_EL2.HWU59 to HWU62', () => {
    const run = (vtcr: bigint) => {
      const words: Record<string, bigint> = { '0x40000000': 0x4000_2003n };
      for (let i = 0; i < 16; i++) {
        const word = (0x8000_07ffn + BigInt(i) * 0x1000n) | CONT;
        words[`0x${(0x4000_2000 + i * 8).toString(16)}`] = i === 5 ? word | (1n << 59n) : word;
      }
      // T0SZ 34, SL0 0: 30 bits from level 2.
      return contiguousRun(stage2(memoryWith(words), { vttbr: 0x4000_0000n, vtcr: 0x8002_0022n | vtcr }), 0n);
    };
    expect(run(1n << 25n)?.problems.map(({ entry, reason }) => [entry, reason])).toEqual([[5, 'attributes']]);
    expect(run(1n << 26n)?.problems).toEqual([]);
  });

  test('an output that is not aligned to the run', () => {
    const run = contiguousRun(
      walker((_, word) => word + 0x1000n),
      0x1_0000n,
    );
    expect(run?.problems).toHaveLength(16);
  });
});

test('a table among blocks of a run is misprogramming, whatever it leads to', () => {
  const words: Record<string, bigint> = { '0x40000000': 0x4000_1003n, '0x40002000': CONT | 0x8000_0703n };
  for (let i = 0; i < 16; i++) {
    words[`0x${(0x4000_1000 + i * 8).toString(16)}`] = CONT | (0x8000_0701n + BigInt(i) * 0x20_0000n);
  }
  words['0x40001010'] = 0x4000_2003n;
  const blocks = stage1(memoryWith(words), { ttbr0: 0x4000_0000n, tcr: 0x5_0080_0019n, mair: 0xffn });
  expect(contiguousRun(blocks, 0x20_0000n)?.problems).toEqual([
    { entry: 2, ia: 0x40_0000n, descriptor: 0x4000_2003n, reason: 'not_contiguous' },
  ]);
});

test('the bit is RES0 in 64K blocks of level 1, and means nothing there', () => {
  // 52-bit IPA, from level 1: T0SZ 12, 64K, PS 52 bits.
  const words = { '0x40000000': 0x0010_0000_0000_07fdn };
  const wide = stage2(memoryWith(words), { vttbr: 0x4000_0000n, vtcr: 0x8006_408cn });
  expect(wide.walk(0n, { access: 'read' })).toMatchObject({ ok: true, level: 1, contiguous: false });
  expect(contiguousRun(wide, 0n)).toBeUndefined();
});
