/** The judge's books against a plain reference that walks everything anew after each step, and properties of whole traces. (DDI 0487 D8.17.) */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { tableSpace } from '../../src/bbm/context.ts';
import { judgeTrace, TraceJudge, type TraceStep } from '../../src/bbm/index.ts';
import { BBM_LEVELS, MACHINES } from '../../src/bbm/judge.ts';
import { Reach } from '../../src/bbm/reach.ts';
import { scopeOf } from '../../src/bbm/steps.ts';

/** 4K, level 1 at the first of four tables; entries 0 to 2 of each are written. */
const TABLES = [0x4000_0000n, 0x4000_1000n, 0x4000_2000n, 0x4000_3000n];
const space = { stage: 1, granuleLog2: 12, iaBits: 39, root: TABLES[0]!, asid: 1 } as const;
const SIZES: Readonly<Record<number, number>> = { 1: 2 ** 30, 2: 2 ** 21, 3: 2 ** 12 };

const pa = fc
  .tuple(fc.constantFrom(...TABLES), fc.integer({ min: 0, max: 2 }))
  .map(([t, i]) => t + BigInt(i) * 8n);
const word = fc.oneof(
  fc.constant(0n),
  fc.constantFrom(...TABLES).map((table) => table | 3n),
  fc.constantFrom(0x8000_0f01n, 0x8000_0f03n, 0x8000_0703n, 0xc000_0f03n, 0x8000_0b03n, 0x8001_0f01n),
);
const write = fc.record({ write: pa, value: word });
const ia = fc
  .tuple(...[1, 2, 3].map((level) => fc.integer({ min: 0, max: 2 }).map((i) => i * SIZES[level]!)))
  .map((parts) => BigInt(parts.reduce((a, b) => a + b, 0)));
const invalidate = fc.oneof(
  { weight: 1, arbitrary: fc.constant({ invalidate: 'all' } as const) },
  {
    weight: 6,
    arbitrary: fc.record({
      invalidate: ia,
      size: fc.constantFrom(0x1000n, 0x20_0000n, 0x60_0000n),
      leaf: fc.boolean(),
    }),
  },
);
/** Three levels of tables, so that what is written is in reach. */
const LINKS: readonly TraceStep[] = [
  { write: 0x4000_0000n, value: 0x4000_1003n },
  { write: 0x4000_1000n, value: 0x4000_2003n },
  { write: 0x4000_1008n, value: 0x4000_3003n },
];
const trace: fc.Arbitrary<TraceStep[]> = fc
  .array(fc.oneof({ weight: 4, arbitrary: write }, { weight: 1, arbitrary: invalidate }), {
    minLength: 1,
    maxLength: 40,
  })
  .map((steps) => [...LINKS, ...steps]);

interface Known {
  readonly kind: 'table' | 'leaf';
  readonly level: number;
  readonly ia: number;
  readonly pa: bigint;
  readonly word: bigint;
}

const nameOf = ({ kind, level, ia, pa, word }: Known) => `${kind} L${level} ${ia} @${pa}: ${word}`;

/** What a walk finds below a table: entries, and what the tables that they point at hold. AF = 0 is not cached. */
function below(memory: ReadonlyMap<bigint, bigint>, base: bigint, level: number, from: number): Known[] {
  return [0, 1, 2].flatMap((index): Known[] => {
    const at = base + BigInt(index) * 8n;
    const found = memory.get(at) ?? 0n;
    const here = { level, ia: from + index * SIZES[level]!, pa: at, word: found };
    if ((found & 3n) === 3n && level < 3) {
      const next = found & 0xffff_ffff_f000n;
      return [{ kind: 'table', ...here }, ...below(memory, next, level + 1, here.ia)];
    }
    const isLeaf = (found & 1n) === 1n && ((found & 2n) === 2n) === (level === 3) && (found & 0x400n) !== 0n;
    return isLeaf ? [{ kind: 'leaf', ...here }] : [];
  });
}

/** Everything that was ever found and not invalidated since, found anew from what is cached as often as that gives more. */
class Reference {
  readonly memory = new Map<bigint, bigint>();
  #cache = new Map<string, Known>();

  step(step: TraceStep): void {
    if ('write' in step) this.memory.set(step.write, step.value);
    if ('invalidate' in step) this.#invalidate(step);
    this.#fill();
  }

  stale(): string[] {
    const live = new Set(this.#live().map(nameOf));
    return [...this.#cache.keys()].filter((name) => !live.has(name)).sort();
  }

  #live(): Known[] {
    return below(this.memory, TABLES[0]!, 1, 0);
  }

  #fill(): void {
    for (const entry of this.#live()) this.#cache.set(nameOf(entry), entry);
    for (const { kind, word, level, ia } of this.#cache.values()) {
      if (kind === 'leaf') continue;
      for (const entry of below(this.memory, word & 0xffff_ffff_f000n, level + 1, ia)) {
        this.#cache.set(nameOf(entry), entry);
      }
    }
  }

  #invalidate(step: Extract<TraceStep, { invalidate: unknown }>): void {
    const kept = [...this.#cache].filter(([, { kind, level, ia }]) => {
      if (step.invalidate === 'all') return false;
      const [from, end] = [Number(step.invalidate), Number(step.invalidate + step.size)];
      return (kind === 'table' && step.leaf === true) || ia >= end || ia + SIZES[level]! <= from;
    });
    this.#cache = new Map(kept);
  }
}

describe('what TLBs may still hold', () => {
  test('is what a walk of everything, ever cached or not, finds', () => {
    let stale = 0;
    fc.assert(
      fc.property(trace, (steps) => {
        const memory = new Map<number, bigint>();
        const resolved = tableSpace(space);
        const reach = new Reach(resolved, (at) => memory.get(at) ?? 0n);
        const reference = new Reference();
        steps.forEach((step, index) => {
          reference.step(step);
          if ('write' in step) {
            const at = Number(step.write);
            const same = (memory.get(at) ?? 0n) === step.value;
            memory.set(at, step.value);
            if (!same) reach.write(at, step.value, index);
          } else if ('invalidate' in step) reach.invalidate(scopeOf(step, resolved));
          const found = [...reach.stale].map((entry) => nameOf({ ...entry, pa: BigInt(entry.pa) })).sort();
          stale += found.length;
          expect(found).toEqual(reference.stale());
        });
      }),
      { numRuns: 400 },
    );
    expect(stale).toBeGreaterThan(1000);
  });
});

/** Every step as many legal ones: an invalidation of all between a break and a make. */
function broken(steps: readonly TraceStep[]): TraceStep[] {
  return steps.flatMap((step): TraceStep[] =>
    'write' in step ? [{ ...step, value: 0n }, { invalidate: 'all' }, step] : [step],
  );
}

describe('traces', () => {
  test('are legal at every level where each change goes through an invalid entry and an invalidation', () => {
    fc.assert(
      fc.property(trace, (steps) => {
        expect(judgeTrace(broken(steps), space).illegal).toEqual({ pe: [0, 0, 0], smmu: [0, 0, 0] });
      }),
      { numRuns: 300 },
    );
  });

  test('have no step that is illegal at a level and legal below it', () => {
    let illegal = 0;
    fc.assert(
      fc.property(trace, (steps) => {
        for (const verdict of judgeTrace(steps, space).steps) {
          if (verdict.kind !== 'write') continue;
          for (const machine of MACHINES) {
            const of = verdict.judgements.filter((one) => one.machine === machine);
            expect(of.map(({ bbml }) => bbml)).toEqual([...BBM_LEVELS]);
            const grid = of.map(({ legal }) => legal);
            illegal += grid.filter((legal) => !legal).length;
            expect(grid).toEqual([...grid].sort());
          }
        }
      }),
      { numRuns: 300 },
    );
    expect(illegal).toBeGreaterThan(200);
  });

  test.each([
    ['stage 1', space],
    ['stage 1, upper', { ...space, upper: true }],
    ['EL2', { ...space, regime: 'el2' }],
    ['EL2&0', { ...space, regime: 'el2&0' }],
    ['EL3', { ...space, regime: 'el3' }],
    ['stage 2', { ...space, stage: 2, vmid: 3 }],
  ] as const)('%s: the instructions that are owed leave nothing owed', (_, context) => {
    let owedAtAll = 0;
    fc.assert(
      fc.property(trace, (steps) => {
        const judge = new TraceJudge(context);
        for (const step of steps) judge.judge(step);
        for (const { tlbi } of judge.owed()) {
          owedAtAll++;
          for (const { operation, operand } of tlbi) {
            if (operation === 'DSB ISH') continue;
            judge.judge({ tlbi: operation, ...(operand !== undefined && { operand }) });
          }
        }
        expect(judge.owed()).toEqual([]);
      }),
      { numRuns: 100 },
    );
    expect(owedAtAll).toBeGreaterThan(20);
  });

  test('need before an illegal step what makes it legal', () => {
    let mended = 0;
    fc.assert(
      fc.property(trace, (steps) => {
        const plain = judgeTrace(steps, space);
        const at = plain.steps.findIndex(
          (one) => one.kind === 'write' && one.judgements.some(({ legal }) => !legal),
        );
        const verdict = plain.steps[at];
        if (verdict?.kind !== 'write') return;
        const breaks = verdict.breakFirst ? [{ write: verdict.pa, value: 0n }] : [];
        const invalidations = verdict.needsBefore.flatMap(({ from, size, leaf }) => [
          { invalidate: from, size, leaf },
        ]);
        const again = [...steps.slice(0, at), ...breaks, ...invalidations, steps[at]!];
        const last = judgeTrace(again, space).steps.at(-1);
        const still = last?.kind === 'write' && last.judgements.some(({ legal }) => !legal);
        expect(still).toBe(false);
        mended++;
      }),
      { numRuns: 300 },
    );
    expect(mended).toBeGreaterThan(50);
  });
});
