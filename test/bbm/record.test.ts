/** Recording: every store in order, and what the driver side's operations come to under break-before-make. (DDI 0487 D8.17.1, D8.17.2.) */
import { describe, expect, test } from 'vitest';
import { arm64LpaeS1, arm64LpaeS2 } from '../../formats/index.ts';
import {
  judgeTrace,
  type Recording,
  recordWrites,
  type TraceStep,
  traceContext,
} from '../../src/bbm/index.ts';
import { IommuDomain, PhysicalMemory } from '../../src/index.ts';

const BASE = 0x8000_0000n;
const memoryOf = () => new PhysicalMemory({ base: BASE, size: 1n << 26n });
const writes = (recording: Recording) =>
  recording.steps.map((step) => ('write' in step ? [step.write, step.value] : step));

describe('stores', () => {
  test('of two halves are one write, in either order; a half alone keeps the other one', () => {
    const memory = memoryOf();
    memory.write64(BASE + 16n, 0x1111_1111_2222_2222n);
    const recording = recordWrites(memory);
    const words = memory.regions[0]!.words(Number(BASE));
    words[0] = 0xaaaa_0000;
    words[1] = 0xbbbb_0000;
    words[3] = 7;
    words[2] = 6;
    words[4] = 5;
    words[7] = 4;
    words[4] = 0x2222_2222;
    expect(writes(recording)).toEqual([
      [BASE, 0xbbbb_0000_aaaa_0000n],
      [BASE + 8n, 0x7_0000_0006n],
      [BASE + 16n, 0x1111_1111_0000_0005n],
      [BASE + 24n, 0x4_0000_0000n],
      [BASE + 16n, 0x1111_1111_2222_2222n],
    ]);
    expect(recording.initial(BASE + 16n)).toBe(0x1111_1111_2222_2222n);
    expect(recording.initial(BASE)).toBe(0n);
    expect(recording.initial(0n)).toBe(0n);
  });

  test('of a domain that went the same way before and after the recording', () => {
    const domain = new IommuDomain(memoryOf(), arm64LpaeS1, { pgsizeBitmap: 0x1000n, ias: 48, oas: 48 });
    domain.map(0x4000_0000n, 0x9_0000_0000n, 0x8000n, { read: true });
    const page = (i: number) => 0x4000_0000n + BigInt(i) * 0x1000n;
    for (const i of [0, 1, 2]) domain.unmap(page(i), 0x1000n);
    const recording = recordWrites(domain.memory);
    for (const i of [3, 4, 5]) domain.unmap(page(i), 0x1000n);
    const recorded = writes(recording);
    recording.stop();
    for (const i of [6, 7]) domain.unmap(page(i), 0x1000n);
    expect(recorded).toHaveLength(3);
    expect(recorded.every((step) => Array.isArray(step) && step[1] === 0n)).toBe(true);
    expect(writes(recording)).toEqual(recorded);
    expect([3, 7].map((i) => domain.iovaToPhys(page(i)))).toEqual([null, null]);
  });

  test('by fill, set, copyWithin and subarray, and through the memory; what changes nothing leaves no step', () => {
    const memory = memoryOf();
    const recording = recordWrites(memory);
    const words = memory.regions[0]!.words(Number(BASE));
    words.set([1, 2, 3], 4);
    words.fill(9, 0, 2);
    words.fill(9, 0, 2);
    words.copyWithin(8, 0, 2);
    words.subarray(12, 14)[1] = 3;
    memory.write64(BASE + 64n, 0x5_0000_0004n);
    memory.regions[0]!.clear(Number(BASE), 8);
    expect([words[4], words.length, [...words.subarray(8, 10)]]).toEqual([1, 0x4000, [9, 9]]);
    expect(writes(recording)).toEqual([
      [BASE + 16n, 0x2_0000_0001n],
      [BASE + 24n, 3n],
      [BASE, 0x9_0000_0009n],
      [BASE + 32n, 0x9_0000_0009n],
      [BASE + 48n, 0x3_0000_0000n],
      [BASE + 64n, 0x5_0000_0004n],
      [BASE, 0n],
    ]);
  });

  test('end with stop; a memory is recorded once at a time', () => {
    const memory = memoryOf();
    const recording = recordWrites(memory);
    const view = memory.regions[0]!.words(Number(BASE));
    expect(() => recordWrites(memory)).toThrow('already recorded');
    recording.stop();
    memory.write64(BASE, 1n);
    view[2] = 1;
    expect(recording.steps).toEqual([]);
    const again = recordWrites(memory);
    memory.write64(BASE, 2n);
    expect(writes(again)).toEqual([[BASE, 2n]]);
    expect(again.initial(BASE)).toBe(1n);
  });

  test('leave memory as it would be without', () => {
    const run = (recorded: boolean) => {
      const memory = memoryOf();
      if (recorded) recordWrites(memory);
      const domain = new IommuDomain(memory, arm64LpaeS1, { pgsizeBitmap: 0x4020_1000n, ias: 48, oas: 48 });
      domain.map(0x20_0000n, 0x4000_0000n, 0x40_0000n, { read: true, write: true });
      domain.unmap(0x30_0000n, 0x3000n);
      domain.map(0x30_0000n, 0x9000_1000n, 0x2000n, { read: true });
      domain.unmap(0x40_0000n, 0x20_0000n);
      domain.reclaim();
      return domain.tables();
    };
    expect(run(true)).toEqual(run(false));
  });
});

interface Setup {
  readonly format?: typeof arm64LpaeS1;
  readonly partialUnmap?: 'split' | 'refuse' | 'whole';
  readonly features?: readonly ['contiguous'];
  readonly pgsizeBitmap?: bigint;
}

/** What the operations of a domain come to: the number of illegal steps by level, of a PE and an SMMU. */
function judged(act: (domain: IommuDomain, trace: Recording) => void, setup: Setup = {}) {
  const { format = arm64LpaeS1, ...options } = setup;
  const memory = memoryOf();
  const domain = new IommuDomain(memory, format, {
    pgsizeBitmap: 0x4020_1000n,
    ias: 48,
    oas: 48,
    ...options,
  });
  const recording = recordWrites(memory);
  act(domain, recording);
  const context = { ...traceContext(domain.registers.hardware), combined: false, initial: recording.initial };
  const { illegal, owed, steps } = judgeTrace(recording.steps, context);
  return { illegal: `${illegal.pe.join(' ')}, ${illegal.smmu.join(' ')}`, owed: owed.length, steps };
}

const RW = { read: true, write: true } as const;
const NONE = '0 0 0, 0 0 0';

describe('a domain', () => {
  test('mapped for the first time: every step is legal, at once in reach, and nothing is owed', () => {
    const { illegal, owed, steps } = judged((domain) => domain.map(0x1000n, 0x9000_0000n, 0x3000n, RW));
    expect([illegal, owed]).toEqual([NONE, 0]);
    const levels = steps.map((step) => (step.kind === 'write' ? step.places.map(({ level }) => level) : []));
    expect(levels).toEqual([[0], [1], [2], [3], [3], [3]]);
  });

  test.each<[string, ((trace: Recording) => void) | undefined, string]>([
    ['without an invalidation', undefined, '1 1 1, 1 1 1'],
    ['with one', (trace) => trace.invalidate(0x1000n, 0x1000n), NONE],
    ['with one for leaves', (trace) => trace.invalidate(0x1000n, 0x1000n, { leaf: true }), NONE],
    ['with one for all', (trace) => trace.invalidate('all'), NONE],
    ['with one for another address', (trace) => trace.invalidate(0x2000n, 0x1000n), '1 1 1, 1 1 1'],
  ])('mapped, unmapped, mapped elsewhere %s', (_, sync, want) => {
    for (const format of [arm64LpaeS1, arm64LpaeS2]) {
      const { illegal } = judged(
        (domain, trace) => {
          domain.map(0x1000n, 0x9000_0000n, 0x1000n, RW);
          domain.unmap(0x1000n, 0x1000n);
          sync?.(trace);
          domain.map(0x1000n, 0xa000_0000n, 0x1000n, RW);
        },
        { format },
      );
      expect(illegal).toBe(want);
    }
  });

  test.each<['split' | 'whole' | 'refuse', string, number]>([
    ['split', '1 1 0, 1 1 0', 1],
    ['whole', NONE, 1],
    ['refuse', NONE, 0],
  ])('a page out of a block, %s', (partialUnmap, want, owed) => {
    const found = judged(
      (domain) => {
        domain.map(0x20_0000n, 0x4000_0000n, 0x20_0000n, RW);
        domain.unmap(0x20_1000n, 0x1000n);
      },
      { partialUnmap },
    );
    expect([found.illegal, found.owed]).toEqual([want, owed]);
  });

  test('a split fills the new table before it is linked', () => {
    const { steps } = judged((domain) => {
      domain.map(0x20_0000n, 0x4000_0000n, 0x20_0000n, RW);
      domain.unmap(0x20_1000n, 0x1000n);
    });
    const split = steps.filter((step) => step.kind === 'write').slice(3);
    expect(split).toHaveLength(512);
    const unreachable = split.map(({ changes }) => changes.includes('unreachable'));
    expect(unreachable.indexOf(false)).toBe(511);
    const { pa, before, after } = split[511]!;
    expect([pa, before & 3n, after & 3n]).toEqual([0x8000_2008n, 1n, 3n]);
  });

  test('a block over the empty table of unmapped pages: the table has to be invalidated, not the pages only', () => {
    const run = (leaf: boolean) =>
      judged((domain, trace) => {
        domain.map(0x20_0000n, 0x4000_0000n, 0x1_0000n, RW);
        domain.unmap(0x20_0000n, 0x1_0000n);
        trace.invalidate(0x20_0000n, 0x1_0000n, { leaf });
        domain.map(0x20_0000n, 0x8000_0000n, 0x20_0000n, RW);
      });
    // The table descriptor is cleared and replaced within the one map: no caller can invalidate in between.
    expect(run(true).illegal).toBe('1 1 0, 1 1 0');
    expect(run(false).illegal).toBe('1 1 0, 1 1 0');
  });

  test('pages into the empty table that unmapping left, invalidated', () => {
    const { illegal } = judged((domain, trace) => {
      domain.map(0x20_0000n, 0x4000_0000n, 0x1_0000n, RW);
      domain.unmap(0x20_0000n, 0x1_0000n);
      trace.invalidate(0x20_0000n, 0x1_0000n, { leaf: true });
      domain.map(0x20_0000n, 0x9000_0000n, 0x1_0000n, RW);
    });
    expect(illegal).toBe(NONE);
  });

  test('a table freed with its pages and used again for other addresses', () => {
    const run = (sync: boolean) =>
      judged((domain, trace) => {
        for (let page = 0n; page < 512n; page++)
          domain.map(0x20_0000n + page * 0x1000n, 0x5000_0000n + page * 0x3000n, 0x1000n, RW);
        domain.unmap(0x20_0000n, 0x20_0000n);
        if (sync) trace.invalidate(0x20_0000n, 0x20_0000n);
        domain.map(0x80_0000n, 0x9000_0000n, 0x1000n, RW);
      });
    const missing = run(false);
    expect(missing.illegal).toBe('1 1 1, 1 1 1');
    const bad = missing.steps.filter(
      (step) => step.kind === 'write' && step.judgements.some(({ legal }) => !legal),
    );
    expect(bad.map((step) => (step.kind === 'write' ? step.changes : []))).toEqual([['reuse']]);
    expect(run(true).illegal).toBe(NONE);
  });

  test('a contiguous run of which a part goes: the hint may not change in place at level 0', () => {
    const found = judged(
      (domain) => {
        domain.map(0x1_0000n, 0x4000_0000n, 0x1_0000n, RW);
        domain.unmap(0x1_2000n, 0x1000n);
      },
      { features: ['contiguous'], pgsizeBitmap: 0x4021_1000n },
    );
    expect(found.illegal).toBe('15 0 0, 15 0 0');
    expect(found.owed).toBe(1);
  });
});

test('contexts from registers: geometry, ASID, and regimes that are refused', () => {
  const registers = { ttbr0: 0x0007_0000_8000_0000n, tcr: 0x15_0080_3519n };
  expect(traceContext({ regime: 'el1&0', registers })).toMatchObject({
    stage: 1,
    granuleLog2: 12,
    iaBits: 39,
    startLevel: 1,
    root: 0x8000_0000n,
    asid: 7,
    upper: false,
    hierarchical: true,
  });
  expect(() => traceContext({ regime: 'mali', registers })).toThrow('VMSAv8-64');
  expect(() => traceContext({ regime: 'el1&0', registers: { tcr: 0x0n } })).toThrow(
    'nothing is translated in this range',
  );
  const steps: TraceStep[] = [{ write: 0x8000_0004n, value: 0n }];
  const space = { stage: 1, granuleLog2: 12, iaBits: 39, root: 0x8000_0000n } as const;
  expect(() => judgeTrace(steps, space)).toThrow('at a multiple of 8');
  expect(() => judgeTrace([], { ...space, iaBits: 60 })).toThrow('60 input address bits');
  expect(() => judgeTrace([], { ...space, startLevel: 2 })).toThrow('one of level 1');
  expect(() => judgeTrace([{ tlbi: 'VAE9' as 'VAE1' }], space)).toThrow("no operation 'VAE9'");
  expect(() => judgeTrace([{ invalidate: 0n, size: 0n }], space)).toThrow('at least one byte');
  expect(() => judgeTrace([{ write: 0n, value: 1n << 64n }], space)).toThrow('64 bits');
});
