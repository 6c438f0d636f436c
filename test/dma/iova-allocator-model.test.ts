/** The IOVA allocator against a model that tries every granule in turn: places, failures and accounting of random sequences. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { IovaAllocator } from '../../src/dma/index.ts';
import { IommuError } from '../../src/index.ts';

const GRANULES = 64;
const BASE = 5;

const powerOfTwo = (most: number) => fc.nat({ max: most }).map((log2) => 2 ** log2);
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

const operation = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('allocate' as const),
      granules: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 30 })),
      short: fc.nat({ max: 0xffe }),
      limit: optional(fc.nat({ max: BASE + GRANULES + 3 })),
      alignment: optional(powerOfTwo(4)),
      boundary: optional(powerOfTwo(5)),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('free' as const), which: fc.nat() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('reserve' as const),
      at: fc.nat({ max: BASE + GRANULES }),
      granules: fc.integer({ min: 1, max: 3 }),
    }),
  },
);

const setup = fc.record({
  granuleLog2: fc.constantFrom(12n, 14n, 16n),
  maxAlignment: optional(powerOfTwo(5)),
  order: fc.constantFrom('top-down' as const, 'bottom-up' as const),
  operations: fc.array(operation, { minLength: 20, maxLength: 60, size: 'max' }),
});

type Cell = 'free' | 'reserved' | number;

/** All in granules from address 0 on. */
interface Wanted {
  readonly size: number;
  readonly alignment: number;
  readonly boundary: number | undefined;
  /** Granules below this one may be used. */
  readonly end: number;
}

function placesOf(cells: ReadonlyMap<number, Cell>, { size, alignment, boundary, end }: Wanted): number[] {
  const places: number[] = [];
  for (let at = BASE; at + size <= Math.min(end, BASE + GRANULES); at++) {
    if (at % alignment !== 0) continue;
    if (boundary && Math.floor(at / boundary) !== Math.floor((at + size - 1) / boundary)) continue;
    if (Array.from({ length: size }, (_, i) => cells.get(at + i)).every((cell) => cell === 'free')) {
      places.push(at);
    }
  }
  return places;
}

/** Runs of granules for which `same` holds with the one before, as the allocator lists ranges. */
function runs(cells: ReadonlyMap<number, Cell>, wanted: (cell: Cell) => boolean, unit: bigint) {
  const list: { iova: bigint; size: bigint }[] = [];
  let last: Cell | undefined;
  for (let at = BASE; at < BASE + GRANULES; at++) {
    const cell = cells.get(at)!;
    if (wanted(cell)) {
      if (cell === last) list[list.length - 1]!.size += unit;
      else list.push({ iova: BigInt(at) * unit, size: unit });
    }
    last = cell;
  }
  return list;
}

const isRange = (cell: Cell) => typeof cell === 'number';

describe('random sequences of allocate, free and reserve', () => {
  test('find the best place where there is one, fail where there is none, and account for every granule', () => {
    const seen = { placed: 0, failed: 0, freed: 0, reserved: 0, occupied: 0 };
    fc.assert(
      fc.property(setup, ({ granuleLog2, maxAlignment, order, operations }) => {
        const unit = 1n << granuleLog2;
        const bytes = (granules: number) => BigInt(granules) * unit;
        const iovas = new IovaAllocator({
          granule: unit,
          base: bytes(BASE),
          limit: bytes(BASE + GRANULES) - 1n,
          order,
          ...(maxAlignment && { maxAlignment: bytes(maxAlignment) }),
        });
        const cells = new Map<number, Cell>(
          Array.from({ length: GRANULES }, (_, i): [number, Cell] => [BASE + i, 'free']),
        );
        const set = (at: number, count: number, cell: Cell) => {
          for (let i = at; i < at + count; i++) if (cells.has(i)) cells.set(i, cell);
        };
        const inUse: { at: number; size: number }[] = [];
        let number = 0;
        for (const op of operations) {
          if (op.kind === 'allocate') {
            const size = op.granules;
            let natural = 1;
            while (natural < size) natural *= 2;
            const boundary = op.boundary && op.boundary >= size ? op.boundary : undefined;
            const places = placesOf(cells, {
              size,
              alignment: Math.max(Math.min(natural, maxAlignment ?? natural), op.alignment ?? 1),
              boundary,
              end: op.limit ?? Number.POSITIVE_INFINITY,
            });
            const request = {
              // Anywhere in the granule behind: what is only partly below the limit is no use.
              ...(op.limit !== undefined && { limit: bytes(op.limit) + BigInt(op.short) }),
              ...(op.alignment && { alignment: bytes(op.alignment) }),
              ...(boundary && { boundary: bytes(boundary) }),
            };
            const want = order === 'top-down' ? places.at(-1) : places[0];
            let got: bigint | undefined;
            try {
              got = iovas.allocate(bytes(size) - BigInt(op.short), request);
            } catch (error) {
              if (!(error instanceof IommuError) || error.code !== 'ENOMEM') throw error;
            }
            expect(got).toBe(want === undefined ? undefined : bytes(want));
            if (want === undefined) seen.failed++;
            else {
              seen.placed++;
              set(want, size, number++);
              inUse.push({ at: want, size });
            }
          } else if (op.kind === 'free') {
            const [one] = inUse.splice(op.which % Math.max(1, inUse.length), 1);
            if (one) {
              seen.freed++;
              expect(iovas.free(bytes(one.at))).toBe(bytes(one.size));
              set(one.at, one.size, 'free');
            }
          } else {
            const { at, granules } = op;
            const taken = Array.from({ length: granules }, (_, i) => cells.get(at + i)).some(
              (cell) => cell !== undefined && isRange(cell),
            );
            let code: string | undefined;
            try {
              iovas.reserve({ iova: bytes(at), size: bytes(granules) });
            } catch (error) {
              if (!(error instanceof IommuError)) throw error;
              code = error.code;
            }
            expect(code).toBe(taken ? 'EEXIST' : undefined);
            if (taken) seen.occupied++;
            else {
              seen.reserved++;
              set(at, granules, 'reserved');
            }
          }
          const count = (wanted: (cell: Cell) => boolean) => bytes([...cells.values()].filter(wanted).length);
          expect(iovas.available()).toEqual(runs(cells, (cell) => cell === 'free', unit));
          expect(iovas.allocated()).toEqual(runs(cells, isRange, unit));
          expect(iovas.bytesFree).toBe(count((cell) => cell === 'free'));
          expect(iovas.bytesReserved).toBe(count((cell) => cell === 'reserved'));
          expect(iovas.bytesAllocated).toBe(count(isRange));
        }
      }),
      { numRuns: 120 },
    );
    // Every branch was taken often.
    for (const [what, times] of Object.entries(seen)) expect([what, times > 50]).toEqual([what, true]);
  });
});
