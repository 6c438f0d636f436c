/**
 * A thousand random sequences of map, mapSg, unmap and unmapSg against a plain model: answers, translations by the walker, and
 * frames, after every operation. An emptied domain has its root left and nothing else.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  arm32LpaeS1,
  arm32LpaeS2,
  arm64LpaeS1,
  arm64LpaeS2,
  armV7s,
  type FormatModule,
} from '../../formats/index.ts';
import { type DomainOptions, IommuError, Scatterlist } from '../../src/index.ts';
import type { Prot } from '../../src/pagetable/format.ts';
import { SIZES_4K, SIZES_16K, SIZES_64K, SIZES_SHORT } from '../support/configs.ts';
import { everyLeaf, type Machine, machine, reachableFrames } from '../support/machine.ts';
import { Model } from '../support/model.ts';
import { rounds } from '../support/rounds.ts';
import { entryPlan, scatterlistOf } from '../support/scatterlists.ts';

/** Told apart by what the walker says of them: writable or not, and the MAIR byte. */
const PROTS: readonly (readonly [Prot, string])[] = [
  [{ read: true, write: true }, 'true 68'],
  [{ read: true }, 'false 68'],
  [{ read: true, write: true, cache: true }, 'true 255'],
  [{ read: true, mmio: true, noexec: true }, 'false 4'],
];

const pageNear = fc.oneof(fc.constantFrom(0, 0, 1, 2), fc.constantFrom(-1, -2, -3), fc.nat({ max: 40 }));
const place = fc.record({ anchor: fc.nat({ max: 3 }), page: pageNear });
const length = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 5 }).map((pages) => ({ pages, blocks: 0, large: 0 })) },
  {
    weight: 3,
    arbitrary: fc.record({
      pages: fc.constantFrom(0, 0, 1, -1, 3),
      blocks: fc.constantFrom(1, 1, 1, 2),
      large: fc.constant(0),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      pages: fc.constantFrom(0, 2),
      blocks: fc.constantFrom(0, 1),
      large: fc.constant(1),
    }),
  },
);
const failAt = fc.oneof(
  { weight: 9, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 3 }) },
);
const common = { place, failAt, prot: fc.nat({ max: PROTS.length - 1 }) };

/** All in range of the output: which of two reasons to refuse a batch comes first is no business of a model that knows no batches. */
const plan = fc
  .array(entryPlan, { minLength: 1, maxLength: 6 })
  .map((entries) => entries.map((e) => (e.place === 'end' ? { ...e, place: 'anywhere' as const } : e)));

const operation = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('map' as const),
      ...common,
      length,
      congruent: fc.constantFrom(true, true, false),
      pa: fc.nat({ max: 7 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('mapSg' as const),
      ...common,
      plan,
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('unmap' as const), ...common, length }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('undo' as const), ...common, which: fc.nat({ max: 20 }) }),
  },
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

/** Domain and model, side by side. Input addresses are counted from the format's first IOVA. */
class Pair {
  readonly m: Machine;
  readonly model: Model;
  readonly #block: number;
  readonly #large: number;
  readonly #done: [number, number][] = [];

  constructor(format: FormatModule, options: DomainOptions) {
    this.m = machine(format, options);
    this.model = new Model(this.m.domain.format);
    const shifts = this.m.domain.format.levels.map(({ shift }) => shift).reverse();
    this.#block = 2 ** shifts[1]!;
    this.#large = 2 ** (shifts[2] ?? shifts[1]!);
  }

  /** Does one operation to both. @returns the part of the input space that it was about. */
  do(op: Operation): [number, number] {
    const { domain, allocator } = this.m;
    const { model } = this;
    const { firstIova } = domain.format;
    const ia = Math.max(0, this.#anchors[op.place.anchor]! + op.place.page * model.page);
    const iova = firstIova + BigInt(ia);
    allocator.failAt(op.failAt);
    model.failAt = op.failAt;
    let touched: [number, number] = [ia, 0];
    const mapped = (answer: unknown, size: number) => {
      touched = [ia, size];
      if (answer === 0 || (typeof answer === 'number' && answer > 0)) this.#done.push([ia, size]);
    };
    if (op.kind === 'map') {
      const size = this.#bytes(op.length);
      const base = op.congruent ? op.pa * this.#block + (ia % this.#large) : op.pa * 3 * model.page;
      // More than a table of single pages says nothing new.
      const span = op.congruent ? size : Math.min(size, this.#block + 3 * model.page);
      const [prot] = PROTS[op.prot]!;
      const want = model.map(ia, base, span, op.prot);
      expect(codeOf(() => domain.map(iova, BigInt(base), BigInt(span), prot)) ?? 0).toBe(want);
      mapped(want, span);
    } else if (op.kind === 'mapSg') {
      const sg = scatterlistOf(op.plan, domain.format, BigInt(ia));
      const entries = Array.from({ length: sg.count }, (_, i) => [sg.addresses[i]!, sg.lengths[i]!] as const);
      const want = model.mapSg(ia, entries, op.prot);
      let answer: unknown;
      const code = codeOf(() => (answer = Number(domain.mapSg(iova, sg, PROTS[op.prot]![0]))));
      expect(code ?? answer).toBe(want);
      mapped(want, Number(sg.byteLength));
    } else {
      const [at, size] =
        op.kind === 'unmap'
          ? [ia, this.#bytes(op.length)]
          : (this.#done[op.which % this.#done.length] ?? [ia, model.page]);
      const from = firstIova + BigInt(at);
      const sg = Scatterlist.from([{ phys: 0n, length: size }]);
      const answer = op.kind === 'unmap' ? domain.unmap(from, BigInt(size)) : domain.unmapSg(from, sg);
      expect(Number(answer)).toBe(model.unmap(at, size));
      touched = [at, size];
    }
    allocator.failAt(0);
    model.failAt = 0;
    return touched;
  }

  /** No frame is lost: there are as many as there must be, and (where that is not many entries to read) all hang on the root. */
  checkFrames(reachable = this.m.domain.format.granuleLog2 === 12): void {
    const { allocator, domain } = this.m;
    expect(allocator.frameCount).toBe(1 + this.model.tableCount);
    if (reachable) expect(allocator.allocated()).toEqual(reachableFrames(domain));
  }

  /** Every page of `[from, end)` translates, in the walker's view, as the model says. */
  checkPages(from: number, end: number): void {
    const { page, pages } = this.model;
    let next = Math.floor(Math.max(0, from) / page);
    const last = Math.min(Math.ceil(end / page), pages.length);
    const isHole = (until: number) => {
      for (; next < until; next++)
        if (pages[next] !== -1) throw new Error(`page ${next} is not mapped, but should be`);
    };
    for (const { ia, leaf } of everyLeaf(this.m, BigInt(next * page), BigInt(last * page))) {
      isHole(Math.max(next, Number(ia) / page));
      const seen = `${leaf.permissions.privileged.write} ${leaf.attributes.byte}`;
      const prot = PROTS.findIndex(([, name]) => name === seen);
      const pa = Number(leaf.leafBase) - Number(ia) + prot;
      for (const until = Math.min(last, (Number(ia) + Number(leaf.size)) / page); next < until; next++) {
        if (pages[next] !== pa + next * page)
          throw new Error(`page ${next} is at ${pa + next * page}, not ${pages[next]}`);
      }
    }
    isHole(last);
  }

  checkAll(): void {
    this.checkFrames(true);
    this.checkPages(0, 2 ** this.m.domain.format.ias);
  }

  /** Unmaps all that is mapped; reclaim then leaves the root alone. */
  checkEmptied(): void {
    const { domain, allocator } = this.m;
    for (const { ia, size } of this.model.leaves()) {
      expect(domain.unmap(domain.format.firstIova + BigInt(ia), BigInt(size))).toBe(BigInt(size));
    }
    const empty = allocator.frameCount - 1;
    expect(domain.reclaim()).toBe(empty);
    expect(allocator.frameCount).toBe(1);
    expect(allocator.allocated()[0]!.pa).toBe(domain.root);
    expect(everyLeaf(this.m)).toEqual([]);
  }

  /** The places where things happen: block boundaries around the middle, or around a larger one; the last block. */
  get #anchors(): number[] {
    const end = 2 ** this.m.domain.format.ias;
    return [0, end / 2 - this.#block, end / 2, end - this.#block];
  }

  #bytes({ pages, blocks, large }: { pages: number; blocks: number; large: number }): number {
    return Math.max(0, pages * this.model.page + blocks * this.#block + large * this.#large);
  }
}

function codeOf(act: () => unknown): string | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    if (error instanceof IommuError) return error.code;
    throw error;
  }
}

/** Small input spaces, so that operations meet: four blocks, or with gigabytes two. `whole`: look at every page after each operation. */
const SPACES: [string, FormatModule, DomainOptions, number, 'whole' | 'near'][] = [
  ['stage 1, 4K', arm64LpaeS1, { pgsizeBitmap: SIZES_4K, ias: 23, oas: 40 }, 60, 'whole'],
  ['stage 2, 4K', arm64LpaeS2, { pgsizeBitmap: SIZES_4K, ias: 23, oas: 40 }, 60, 'whole'],
  [
    'upper half',
    arm64LpaeS1,
    { pgsizeBitmap: SIZES_4K, ias: 23, oas: 48, quirks: ['arm_ttbr1'] },
    150,
    'near',
  ],
  ['dirty state', arm64LpaeS1, { pgsizeBitmap: SIZES_4K, ias: 23, oas: 48, quirks: ['arm_hd'] }, 140, 'near'],
  ['gigabytes, stage 1', arm64LpaeS1, { pgsizeBitmap: SIZES_4K, ias: 31, oas: 48 }, 60, 'near'],
  ['gigabytes, stage 2', arm64LpaeS2, { pgsizeBitmap: SIZES_4K, ias: 31, oas: 36 }, 60, 'near'],
  ['pages only', arm64LpaeS1, { pgsizeBitmap: 0x1000n, ias: 23, oas: 48 }, 60, 'near'],
  ['stage 1, 16K', arm64LpaeS1, { pgsizeBitmap: SIZES_16K, ias: 27, oas: 48 }, 70, 'near'],
  ['stage 2, 16K', arm64LpaeS2, { pgsizeBitmap: SIZES_16K, ias: 27, oas: 44 }, 70, 'near'],
  ['stage 1, 64K', arm64LpaeS1, { pgsizeBitmap: SIZES_64K, ias: 31, oas: 52 }, 20, 'near'],
  ['stage 2, 64K', arm64LpaeS2, { pgsizeBitmap: SIZES_64K, ias: 31, oas: 48 }, 20, 'near'],
  ['AArch32 stage 1', arm32LpaeS1, { pgsizeBitmap: SIZES_4K, ias: 25, oas: 40 }, 45, 'near'],
  ['AArch32 stage 2', arm32LpaeS2, { pgsizeBitmap: SIZES_4K, ias: 25, oas: 40 }, 45, 'near'],
  ['short descriptors', armV7s, { pgsizeBitmap: SIZES_SHORT, ias: 25, oas: 32 }, 70, 'whole'],
  [
    'runs, 4K',
    arm64LpaeS1,
    { pgsizeBitmap: 0x20_1000n | 0x201_0000n, ias: 27, oas: 48, features: ['contiguous'] },
    70,
    'near',
  ],
];

test('there are a thousand sequences, a quarter of them in a short run', () => {
  expect(SPACES.reduce((sum, [, , , runs]) => sum + runs, 0)).toBe(1000);
});

describe.each(SPACES)('%s', (_, format, options, whole, look) => {
  test('answers, translations and frames are as in the model after every operation', () => {
    fc.assert(
      fc.property(fc.array(operation, { minLength: 8, maxLength: 25, size: 'max' }), (operations) => {
        const pair = new Pair(format, options);
        const near = 40 * pair.model.page;
        for (const op of operations) {
          const [from, size] = pair.do(op);
          pair.checkFrames();
          if (look === 'whole') pair.checkAll();
          else {
            pair.checkPages(from - near, from + near);
            pair.checkPages(from + size - near, from + size + near);
          }
        }
        pair.checkAll();
        pair.checkEmptied();
      }),
      { numRuns: rounds(Math.ceil(whole / 4), whole) },
    );
  });
});
