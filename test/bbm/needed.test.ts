/** The invalidations that a step needs: literal operations, operands and commands, by regime, granule and size. (DDI 0487 D8.17.5; IHI 0070 4.4.) */
import { describe, expect, test } from 'vitest';
import { judgeTrace, type TraceContext, type TraceStep, type WriteVerdict } from '../../src/bbm/index.ts';

/** The last write's needs as text: instructions, commands. */
function needs(
  words: readonly (readonly [bigint, bigint])[],
  steps: TraceStep[],
  over: Partial<TraceContext> = {},
) {
  const memory = new Map(words);
  const context: TraceContext = {
    stage: 1,
    granuleLog2: 12,
    iaBits: 39,
    root: 0x4000_0000n,
    initial: (pa) => memory.get(pa) ?? 0n,
    ...over,
  };
  const verdict = judgeTrace(steps, context).steps.at(-1) as WriteVerdict;
  return verdict.needsAfter.map(({ tlbi, operations, commands }) => ({
    tlbi: tlbi.map(({ operation, operand }) =>
      operand === undefined ? operation : `${operation} 0x${operand.toString(16)}`,
    ),
    operations,
    commands: commands.map(({ command, fields }) =>
      [command, ...Object.entries(fields).map(([name, n]) => `${name}=${n.toString(16)}`)].join(' '),
    ),
  }));
}

// IA 0x40_5000: entry 2 of level 2, entry 5 of level 3.
const PATH = [
  [0x4000_0000n, 0x4000_1003n],
  [0x4000_1010n, 0x4000_2003n],
] as const;
const NG = 0x8000_0f03n;
const GLOBAL = 0x8000_0703n;
const page = (word: bigint) => [...PATH, [0x4000_2028n, word] as const];
const unmap: TraceStep[] = [{ write: 0x4000_2028n, value: 0n }];

describe('a page', () => {
  test.each<[string, bigint, Partial<TraceContext>, string[], string[]]>([
    [
      'of an ASID',
      NG,
      { asid: 0x1234 },
      ['VALE1IS 0x1234000000000405', 'DSB ISH'],
      ['CMD_TLBI_NH_VA VMID=0 ASID=1234 Addr=405000 Leaf=1', 'CMD_SYNC'],
    ],
    [
      'global',
      GLOBAL,
      { asid: 0x1234, vmid: 2 },
      ['VAALE1IS 0x405', 'DSB ISH'],
      ['CMD_TLBI_NH_VAA VMID=2 Addr=405000 Leaf=1', 'CMD_SYNC'],
    ],
    [
      'of the upper range',
      NG,
      { upper: true, asid: 1 },
      ['VALE1IS 0x10ffff8000405', 'DSB ISH'],
      ['CMD_TLBI_NH_VA VMID=0 ASID=1 Addr=ffffff8000405000 Leaf=1', 'CMD_SYNC'],
    ],
    [
      'of EL2',
      NG,
      { regime: 'el2' },
      ['VALE2IS 0x405', 'DSB ISH'],
      ['CMD_TLBI_EL2_VA Addr=405000 Leaf=1', 'CMD_SYNC'],
    ],
    [
      'of EL2&0',
      NG,
      { regime: 'el2&0', asid: 1 },
      ['VALE1IS 0x1000000000405', 'DSB ISH'],
      ['CMD_TLBI_EL2_VA ASID=1 Addr=405000 Leaf=1', 'CMD_SYNC'],
    ],
    [
      'of EL3',
      NG,
      { regime: 'el3' },
      ['VALE3IS 0x405', 'DSB ISH'],
      ['CMD_TLBI_EL3_VA Addr=405000 Leaf=1', 'CMD_SYNC'],
    ],
    [
      'of stage 2',
      0x8000_07ffn,
      { stage: 2, vmid: 9 },
      ['IPAS2LE1IS 0x405', 'DSB ISH', 'VMALLE1IS', 'DSB ISH'],
      ['CMD_TLBI_S2_IPA VMID=9 Addr=405000 Leaf=1', 'CMD_SYNC', 'CMD_TLBI_NH_ALL VMID=9', 'CMD_SYNC'],
    ],
    [
      'of stage 2 alone',
      0x8000_07ffn,
      { stage: 2, vmid: 9, combined: false },
      ['IPAS2LE1IS 0x405', 'DSB ISH', 'VMALLE1IS', 'DSB ISH'],
      ['CMD_TLBI_S2_IPA VMID=9 Addr=405000 Leaf=1', 'CMD_SYNC'],
    ],
  ])('%s', (_, word, over, tlbi, commands) => {
    expect(needs(page(word), unmap, over)).toEqual([{ tlbi, operations: 1, commands }]);
  });
});

describe('a table descriptor', () => {
  const clear: TraceStep[] = [{ write: 0x4000_1010n, value: 0n }];
  test('of an empty table: one address of it', () => {
    expect(needs(PATH, clear, { asid: 7 })).toEqual([
      {
        tlbi: ['VAE1IS 0x7000000000400', 'DSB ISH'],
        operations: 1,
        commands: ['CMD_TLBI_NH_VA VMID=0 ASID=7 Addr=400000 Leaf=0', 'CMD_SYNC'],
      },
    ]);
  });

  test('of a table with pages: these, and not for the last level alone', () => {
    const pages = [4n, 5n, 6n].map((i) => [0x4000_2000n + i * 8n, NG + i * 0x1000n] as const);
    // SCALE 0, NUM 1: four pages are the least that covers three.
    expect(needs([...PATH, ...pages], clear)).toEqual([
      {
        tlbi: ['RVAE1IS 0x408000000404', 'DSB ISH'],
        operations: 3,
        commands: ['CMD_TLBI_NH_VA VMID=0 ASID=0 Addr=404000 Leaf=0 TG=1 SCALE=0 NUM=2', 'CMD_SYNC'],
      },
    ]);
  });

  test('of a table with pages apart: a range each', () => {
    const pages = [1n, 9n].map((i) => [0x4000_2000n + i * 8n, NG + i * 0x1000n] as const);
    expect(needs([...PATH, ...pages], clear).map(({ tlbi }) => tlbi[0])).toEqual([
      'VAE1IS 0x401',
      'VAE1IS 0x409',
    ]);
  });

  test('of a full table of 4K pages: 512 of them', () => {
    const pages = Array.from(
      { length: 512 },
      (_, i) => [0x4000_2000n + BigInt(i) * 8n, NG + BigInt(i) * 0x1000n] as const,
    );
    // SCALE 1, NUM 7: 8 * 2^6 pages.
    expect(needs([...PATH, ...pages], clear)).toEqual([
      {
        tlbi: ['RVAE1IS 0x538000000400', 'DSB ISH'],
        operations: 512,
        commands: ['CMD_TLBI_NH_VA VMID=0 ASID=0 Addr=400000 Leaf=0 TG=1 SCALE=4 NUM=1f', 'CMD_SYNC'],
      },
    ]);
  });
});

describe('granules', () => {
  test.each<[string, Partial<TraceContext>, bigint, string]>([
    // Level 2 and 3 tables; entry 5 of level 3, of which four go.
    ['16K', { granuleLog2: 14, iaBits: 36 }, 0x8000_0f03n, 'RVALE1IS 0x808000000005'],
    ['64K', { granuleLog2: 16, iaBits: 42 }, 0x8000_0f03n, 'RVALE1IS 0xc08000000005'],
    // DS = 1: BaseADDR counts 64K, so that the range begins a page early.
    ['16K with DS', { granuleLog2: 14, iaBits: 36, oa52: true }, 0x8000_0c03n, 'RVALE1IS 0x810000000001'],
  ])('%s', (_, over, word, operation) => {
    const size = 1n << BigInt(over.granuleLog2!);
    const entries = [5n, 6n, 7n, 8n].map((i) => [0x4001_0000n + i * 8n, word + (i - 5n) * size] as const);
    const memory = new Map<bigint, bigint>([[0x4000_0000n, 0x4001_0003n], ...entries]);
    const { owed } = judgeTrace(
      entries.map(([write]) => ({ write, value: 0n })),
      {
        stage: 1,
        granuleLog2: 12,
        iaBits: 39,
        root: 0x4000_0000n,
        ...over,
        initial: (pa) => memory.get(pa) ?? 0n,
      },
    );
    expect(owed).toHaveLength(1);
    expect(`${owed[0]!.tlbi[0]!.operation} 0x${owed[0]!.tlbi[0]!.operand!.toString(16)}`).toBe(operation);
  });

  test('more than a range operation covers: everything', () => {
    const blocks = Array.from(
      { length: 16 },
      (_, i) => [0x4000_0000n + BigInt(i) * 8n, 0x8000_0f01n + BigInt(i) * 0x4000_0000n] as const,
    );
    const memory = new Map(blocks);
    const { owed } = judgeTrace(
      blocks.map(([write]) => ({ write, value: 0n })),
      { stage: 1, granuleLog2: 12, iaBits: 39, root: 0x4000_0000n, initial: (pa) => memory.get(pa) ?? 0n },
    );
    expect(owed.map(({ tlbi, size }) => [tlbi[0]!.operation, size])).toEqual([['VMALLE1IS', 0x4_0000_0000n]]);
  });
});
