/** Traces with TLBI …nXS and VMALLWS2: what need not have gone is still owed. (DDI 0487 D8.17.5.4.) */
import { expect, test } from 'vitest';
import { judgeTrace, type TraceContext, type TraceStep } from '../../src/bbm/index.ts';

/** 4K, 39 bits from level 1. The page has AttrIndx 1. */
const WORDS = new Map([
  [0x8000_0000n, 0x8000_1003n],
  [0x8000_1000n, 0x8000_2003n],
  [0x8000_2000n, 0x9000_0f47n],
]);
const context: TraceContext = {
  stage: 1,
  granuleLog2: 12,
  iaBits: 39,
  root: 0x8000_0000n,
  initial: (pa) => WORDS.get(pa) ?? 0n,
};
const owedAfter = (tlbi: Extract<TraceStep, { tlbi: unknown }>['tlbi'], mair?: bigint) =>
  judgeTrace([{ write: 0x8000_2000n, value: 0n }, { tlbi }, { barrier: 'DSB ISH' }], {
    ...context,
    ...(mair !== undefined && { mair }),
  }).owed.length;

test('nXS covers Write-Back memory, whose XS is 0, and nothing else with certainty', () => {
  expect(owedAfter('VMALLE1IS')).toBe(0);
  expect(owedAfter('VMALLE1ISNXS')).toBe(1);
  expect(owedAfter('VMALLE1ISNXS', 0xff00n)).toBe(0);
  // Device-nGnRnE, and Normal Non-cacheable of both kinds: 0x44 has XS, 0x40 has not.
  expect(owedAfter('VMALLE1ISNXS', 0x0000n)).toBe(1);
  expect(owedAfter('VMALLE1ISNXS', 0x4400n)).toBe(1);
  expect(owedAfter('VMALLE1ISNXS', 0x4000n)).toBe(0);
});

test('ALLE1 is not about EL2&0', () => {
  const host: TraceContext = { ...context, regime: 'el2&0' };
  const steps = (tlbi: 'ALLE1IS' | 'ALLE2IS'): TraceStep[] => [{ write: 0x8000_2000n, value: 0n }, { tlbi }];
  expect(judgeTrace(steps('ALLE1IS'), host).owed).toHaveLength(1);
  expect(judgeTrace(steps('ALLE2IS'), host).owed).toEqual([]);
});

test('VMALLWS2E1 takes no stage-2 entry', () => {
  const stage2: TraceContext = {
    ...context,
    stage: 2,
    initial: (pa) => (WORDS.get(pa) ?? 0n) | (pa === 0x8000_2000n ? 0xc0n : 0n),
  };
  const write = { write: 0x8000_2000n, value: 0n };
  expect(judgeTrace([write, { tlbi: 'VMALLWS2E1IS' }], stage2).owed).toHaveLength(1);
  expect(judgeTrace([write, { tlbi: 'VMALLS12E1IS' }], stage2).owed).toEqual([]);
});
