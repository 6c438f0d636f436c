/** Linux's IOVAs against a model that tries every granule in turn: the places where searches go on, the caches, what a failure leaves behind. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LinuxIovaAllocator } from '../../src/dma/index.ts';
import { IommuError } from '../../src/index.ts';

const UNIT = 0x1_0000n;
/** 4 GiB in granules: the aperture lies on both sides. */
const LINE = 0x1_0000;
const [FIRST, LAST] = [LINE - 48, LINE + 47];

const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('allocate' as const),
      count: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 40 })),
      end: fc.constantFrom(LAST + 1, LAST + 1, LINE, LINE, LINE - 20, LINE + 20),
      keepCaches: fc.boolean(),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('free' as const), which: fc.nat() }) },
);
const setup = fc.record({
  policy: fc.constantFrom('linux' as const, 'tree' as const),
  reserved: fc.array(fc.tuple(fc.integer({ min: FIRST - 4, max: LAST }), fc.integer({ min: 1, max: 6 })), {
    maxLength: 3,
  }),
  steps: fc.array(step, { minLength: 20, maxLength: 80, size: 'max' }),
});

interface Used {
  readonly lo: number;
  readonly hi: number;
}
/** Where a search goes on: below `lo`, and if that fails from above `hi` on. */
const TOP: Used = { lo: Number.POSITIVE_INFINITY, hi: Number.POSITIVE_INFINITY };

/** Every granule is looked at, ranges are objects in a plain list. */
class Model {
  readonly used: Used[] = [];
  readonly #caches = new Map<number, Used[]>();
  #hint = TOP;
  #hint32 = TOP;
  #failed32 = LINE;
  readonly #cached: boolean;

  constructor(cached: boolean, reserved: readonly (readonly [number, number])[]) {
    this.#cached = cached;
    for (const [at, count] of reserved) {
      for (let i = at; i < at + count; i++) if (this.#free(i)) this.used.push({ lo: i, hi: i });
    }
  }

  allocate(asked: number, end: number, keepCaches: boolean): Used | undefined {
    const count = this.#cached && asked < 32 ? powerFrom(asked) : asked;
    const stack = (this.#cached && this.#caches.get(powerFrom(count))) || [];
    const fits = stack.findLastIndex(({ lo }) => lo + count <= end);
    if (fits >= 0) {
      const [found] = stack.splice(fits, 1, stack.at(-1)!);
      stack.pop();
      return found;
    }
    const found = this.#search(count, end);
    if (found !== undefined || keepCaches || !this.#cached) return found;
    for (let size = 1; size <= 32; size *= 2) {
      for (const range of this.#caches.get(size) ?? []) this.#remove(range);
    }
    this.#caches.clear();
    return this.#search(count, end);
  }

  free(range: Used): void {
    const count = powerFrom(range.hi + 1 - range.lo);
    if (this.#cached && count <= 32) this.#caches.set(count, [...(this.#caches.get(count) ?? []), range]);
    else this.#remove(range);
  }

  #search(count: number, end: number): Used | undefined {
    const low = end <= LINE;
    if (low && count >= this.#failed32) return undefined;
    const from = low ? this.#hint32 : this.#hint;
    let lo = this.#highest(count, FIRST, Math.min(end, from.lo));
    if (lo === undefined && from.hi < end) lo = this.#highest(count, from.hi + 1, end);
    if (lo === undefined) {
      this.#failed32 = count;
      return undefined;
    }
    const range = { lo, hi: lo + count - 1 };
    this.used.push(range);
    if (range.hi < LINE) this.#hint32 = range;
    else this.#hint = range;
    return range;
  }

  #highest(count: number, from: number, end: number): number | undefined {
    for (let at = Math.min(end, LAST + 1) - count; at >= from; at--) {
      if (at % powerFrom(count) !== 0) continue;
      if (Array.from({ length: count }, (_, i) => at + i).every((one) => this.#free(one))) return at;
    }
    return undefined;
  }

  #remove(range: Used): void {
    const above = this.used.filter(({ lo }) => lo > range.hi).sort((a, b) => a.lo - b.lo)[0] ?? TOP;
    if (range === this.#hint32 || (range.hi < LINE && range.lo >= this.#hint32.lo)) this.#hint32 = above;
    if (range.lo < LINE) this.#failed32 = LINE;
    if (range.lo >= this.#hint.lo) this.#hint = above;
    this.used.splice(this.used.indexOf(range), 1);
  }

  #free(at: number): boolean {
    return !this.used.some(({ lo, hi }) => lo <= at && at <= hi);
  }
}

function powerFrom(count: number): number {
  let power = 1;
  while (power < count) power *= 2;
  return power;
}

function tried<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof IommuError && error.code === 'ENOMEM') return undefined;
    throw error;
  }
}

test("Linux's IOVAs are the model's: every address, every failure, and every granule is accounted for", () => {
  const outcomes = { placed: 0, failed: 0, low: 0, high: 0 };
  fc.assert(
    fc.property(setup, ({ policy, reserved, steps }) => {
      const iovas = new LinuxIovaAllocator({
        granule: UNIT,
        base: BigInt(FIRST) * UNIT,
        limit: BigInt(LAST + 1) * UNIT - 1n,
        reserved: reserved.map(([at, count]) => ({
          iova: BigInt(at) * UNIT + 7n,
          size: BigInt(count) * UNIT - 7n,
        })),
        policy,
      });
      const model = new Model(policy === 'linux', reserved);
      const live: Used[] = [];
      for (const one of steps) {
        if (one.kind === 'allocate') {
          const { count, end, keepCaches } = one;
          const want = model.allocate(count, end, keepCaches);
          const got = tried(() =>
            iovas.allocate(BigInt(count) * UNIT - 5n, { limit: BigInt(end) * UNIT - 1n, keepCaches }),
          );
          expect(got).toBe(want && BigInt(want.lo) * UNIT);
          if (want === undefined) outcomes.failed++;
          else {
            live.push(want);
            outcomes.placed++;
            if (want.lo < LINE) outcomes.low++;
            else outcomes.high++;
          }
        } else if (live.length > 0) {
          const [range] = live.splice(one.which % live.length, 1);
          model.free(range!);
          iovas.free(BigInt(range!.lo) * UNIT);
        }
      }
      const bytes = (list: readonly { size: bigint }[]) => list.reduce((sum, { size }) => sum + size, 0n);
      const inUse = live.map(({ lo }) => BigInt(lo) * UNIT).sort((a, b) => (a < b ? -1 : 1));
      expect(iovas.allocated().map(({ iova }) => iova)).toEqual(inUse);
      expect(
        bytes(iovas.allocated()) + bytes(iovas.cached()) + bytes(iovas.available()) + iovas.bytesReserved,
      ).toBe(BigInt(LAST + 1 - FIRST) * UNIT);
    }),
    { numRuns: 400 },
  );
  expect(Math.min(...Object.values(outcomes))).toBeGreaterThan(300);
}, 120_000);
