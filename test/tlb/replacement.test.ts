/** Which entry goes when a set is full: the least recently used, against a model that keeps a list for each set. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Tlb } from '../../src/tlb/index.ts';
import { memoryWith } from '../walker/table-builder.ts';

const read = { access: 'read' } as const;
/** 4K, 30 bits: from level 2. L2[0] -> L3 with 512 pages, L2[1] a block. */
const registers = { ttbr0: 0x4000_0000n, tcr: 0x5_0080_0022n };

function memory() {
  const words: Record<string, bigint> = { '0x40000000': 0x4000_1003n, '0x40000008': 0x9000_0701n };
  for (let i = 0n; i < 512n; i++)
    words[`0x${(0x4000_1000n + i * 8n).toString(16)}`] = 0x8000_0703n + i * 0x1000n;
  return memoryWith(words);
}

function replay(pages: readonly number[], sets: number, ways: number) {
  const tlb = new Tlb(memory(), { regime: 'el1&0', registers }, { sets, ways });
  const hits = pages.map((page) => tlb.translate(BigInt(page) * 0x1000n, read).from === 'tlb');
  return { tlb, hits };
}

/** The textbook: each set is a list with the most recently used in front. */
function model(pages: readonly number[], sets: number, ways: number): boolean[] {
  const lists = Array.from({ length: sets }, (): number[] => []);
  return pages.map((page) => {
    const list = lists[page % sets]!;
    const at = list.indexOf(page);
    if (at >= 0) list.splice(at, 1);
    list.unshift(page);
    if (list.length > ways) list.pop();
    return at >= 0;
  });
}

describe('replacement', () => {
  const shapes = fc.constantFrom([1, 1], [1, 4], [2, 2], [4, 1], [8, 4]);
  const pages = fc.array(fc.nat(23), { maxLength: 120 });

  test('is least recently used, set by set', () => {
    fc.assert(
      fc.property(pages, shapes, (sequence, [sets, ways]) => {
        const { tlb, hits } = replay(sequence, sets!, ways!);
        const expected = model(sequence, sets!, ways!);
        expect(hits).toEqual(expected);
        const { misses, evictions } = tlb.statistics;
        expect(misses).toBe(expected.filter((hit) => !hit).length);
        expect(evictions).toBe(misses - tlb.entries.length);
      }),
      { numRuns: 200 },
    );
  });

  test('is the same every time', () => {
    fc.assert(
      fc.property(pages, shapes, (sequence, [sets, ways]) => {
        const bases = () => replay(sequence, sets!, ways!).tlb.entries.map(({ base }) => base);
        expect(bases()).toEqual(bases());
      }),
      { numRuns: 50 },
    );
  });

  test('a block is indexed by the bits above its own size', () => {
    const { tlb } = replay([0], 2, 1);
    tlb.translate(0x20_0000n, read); // block 1: set 1
    expect(tlb.translate(0n, read).from).toBe('tlb');
    tlb.translate(0x1000n, read); // page 1: set 1
    expect(tlb.translate(0x20_0000n, read).from).toBe('walk');
  });

  test('the walk cache gives its least recently used table', () => {
    const tlb = new Tlb(memory(), { regime: 'el1&0', registers }, { walkCache: 1, ways: 1 });
    for (const ia of [0n, 0x1000n, 0x2000n]) tlb.translate(ia, read);
    expect(tlb.walkCacheSize).toBe(1);
    expect(tlb.statistics).toMatchObject({ walkCacheHits: 2, memoryAccesses: 4 });
  });
});
