/** Advice: what it says for lists made for it, and that applying it to a copy changes exactly what was promised. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Scatterlist } from '../../src/index.ts';
import { ADVICE_KINDS, Adviser, gainOf, gainText } from '../../src/study/advice.ts';
import { combinationsOf } from '../../src/study/combinations.ts';
import {
  type Advice,
  type AdviceKind,
  type Combination,
  type Measured,
  WORKLOADS,
  type Workload,
  type WorkloadRequest,
  workloadNamed,
} from '../../src/study/index.ts';
import { measure } from '../../src/study/measure.ts';
import { orderOf } from '../../src/study/sort.ts';

const K = 1024;
const M = 1024 * K;
const G = 1024 * M;

type Row = [iova: number, ...entries: [phys: number, length: number][]];

function workloadOf(...rows: Row[]): Workload {
  const requests = rows.map(([iova, ...entries]): WorkloadRequest => {
    const ranges = entries.map(([phys, length]) => ({ phys: BigInt(phys), length }));
    return { iova: BigInt(iova), sg: Scatterlist.from(ranges) };
  });
  return { name: 'test', question: '?', cpuPageSize: 4096, requests };
}

const at = (
  granule: Combination['granule'],
  sizes: Combination['sizes'],
  stage: Combination['stage'] = 's1',
): Combination => ({ cpuPageSize: 4096, granule, sizes, stage });

const snapshot = ({ requests }: Workload) =>
  requests.map(({ iova, sg, space }) => [iova, space, ...[...sg].flatMap((one) => Object.values(one))]);

/** Applies a piece of advice to a copy, and measures again. */
function follow(workload: Workload, before: Measured, advice: Advice) {
  const copy = { ...workload, requests: [...workload.requests] };
  const was = snapshot(copy);
  const after = advice.apply({ workload: copy, combination: before.combination });
  expect(snapshot(copy)).toEqual(was);
  const measured = measure(after.workload, after.combination);
  const gain = gainOf(
    { refused: before.refusedRequests, counts: before.counts },
    { refused: measured.refusedRequests, counts: measured.counts },
  );
  return { after, measured, gain };
}

function advise(workload: Workload, combination: Combination) {
  const before = measure(workload, combination);
  const advice = new Adviser(workload).advise(before);
  for (const one of advice) expect(follow(workload, before, one).gain, one.text).toEqual(one.gain);
  return { before, advice };
}

/** Of one piece of advice: its sentence, and what is saved in words. */
function said(workload: Workload, combination: Combination, kind: AdviceKind): [string, string] | undefined {
  const { before, advice } = advise(workload, combination);
  const found = advice.find((one) => one.kind === kind);
  return found && [found.text, gainText(before, found.gain)];
}

test.each<[AdviceKind, Workload, Combination, string, string]>([
  [
    'align-iova',
    workloadOf([G + 4096, [4 * G, 2 * M]]),
    at(4096, 'blocks'),
    'align the IOVA to 2M: request 0 at 0x40400000 instead of 0x40001000, a multiple of it',
    '512 leaves become 1, 5 tables become 3',
  ],
  [
    'align-iova',
    workloadOf([G, [4 * G + 0x3000, 4 * M]], [2 * G, [5 * G + 0x5000, 4 * M]], [3 * G, [6 * G, 4 * M]]),
    at(4096, 'blocks'),
    'align the IOVA to 2M: request 0 at 0xc0403000 instead of 0x40000000, 0x3000 into it as the buffer is (and 1 more request)',
    '2,050 leaves become 1,028, 9 tables become 7',
  ],
  [
    'align-buffer',
    workloadOf([G, [4 * G + 0x3000, 2 * M]]),
    at(4096, 'blocks'),
    'use a 2M-aligned allocation, and an IOVA to match: the buffer at PA 0x100003000 of request 0 is off by 0x3000; move it back by that much, or forward by 0x1fd000, and it fits',
    '512 leaves become 1, 4 tables become 3',
  ],
  [
    'align-buffer',
    workloadOf([G, [4 * G + 0x3000, 64 * K]]),
    at(4096, 'contiguous'),
    'use a 64K-aligned allocation, and an IOVA to match: the buffer at PA 0x100003000 of request 0 is off by 0x3000; move it back by that much, or forward by 0xd000, and it fits',
    '16 leaves become 1',
  ],
  [
    'offer-sizes',
    workloadOf([G, [4 * G, 2 * M]]),
    at(4096, 'pages'),
    'offer blocks of 2M 1G beside 4K',
    '512 leaves become 1, 4 tables become 3',
  ],
  [
    'offer-sizes',
    workloadOf([G, [4 * G, 64 * K]]),
    at(4096, 'blocks'),
    'offer contiguous runs of 64K 32M 16G beside 4K 2M 1G',
    '16 leaves become 1',
  ],
  [
    'offer-sizes',
    workloadOf([G, [4 * G, 2 * M]]),
    at(16384, 'pages', 's2'),
    'offer blocks and contiguous runs of 2M 32M 1G beside 16K',
    '128 leaves become 1',
  ],
  [
    'merge-requests',
    workloadOf([G, [4 * G, M]], [G + M, [4 * G + M, M]], [2 * G, [8 * G, 4096]]),
    at(4096, 'blocks'),
    'merge request 0 and the requests after it into one call: 1 request starts where another ends, in IOVA and in memory, but no page can be larger than what one call maps',
    '513 leaves become 2, 6 tables become 5',
  ],
  [
    'reorder',
    workloadOf([G, [4 * G + M, M], [4 * G, M]]),
    at(4096, 'blocks'),
    'sort the entries of request 0 by address, if their order does not matter: entries 1 and 0 are adjacent in memory but not in the list; 2 runs become 1',
    '512 leaves become 1, 4 tables become 3',
  ],
  [
    'reorder',
    workloadOf([G, [8 * G, 64 * K], [4 * G, 2 * M]]),
    at(4096, 'blocks'),
    'put the largest entries of request 0 first, if their order does not matter: smaller ones in front push them out of alignment',
    '528 leaves become 17, 5 tables become 4',
  ],
  [
    'smaller-granule',
    workloadOf([G, [4 * G, 4096], [5 * G, 4096]]),
    at(65536, 'blocks'),
    'take a granule of 4K instead of 64K: an IOMMU maps nothing smaller than its page',
    '1 more request mapped',
  ],
  [
    'smaller-granule',
    workloadOf([G, [4 * G, 16 * K]], [2 * G, [5 * G, 4 * K]]),
    at(65536, 'blocks'),
    'take a granule of 4K instead of 64K: an IOMMU maps nothing smaller than its page',
    '2 more requests mapped',
  ],
  [
    'pad-to-pages',
    workloadOf([G + 0x123, [4 * G + 0x123, 4096]]),
    at(4096, 'pages'),
    'map whole pages of 4K around each entry, as the DMA layer does: 4.00 KiB that no request covers',
    '1 more request mapped',
  ],
])('%s', (kind, workload, combination, text, gain) => {
  expect(said(workload, combination, kind)).toEqual([text, gain]);
});

test('buffers that are aligned already get no advice, and what can’t help is not advised', () => {
  const aligned = workloadOf([G, [4 * G, 2 * M]]);
  expect(advise(aligned, at(4096, 'blocks')).advice).toEqual([]);
  const singles = workloadOf([G, [4 * G, 4096], [5 * G, 4096]]);
  expect(advise(singles, at(4096, 'pages')).advice).toEqual([]);
  // Moving the IOVA does as much as moving the buffer: the simpler is said.
  const iova = advise(workloadOf([G + 4096, [4 * G, 2 * M]]), at(4096, 'blocks')).advice;
  expect(iova.map(({ kind }) => kind)).toEqual(['align-iova']);
  // What overlaps is refused for another reason than lengths and addresses.
  const twice = workloadOf([G, [4 * G, 4096]], [G, [5 * G, 4096]]);
  expect(advise(twice, at(4096, 'blocks')).advice).toEqual([]);
});

test('no room behind the last IOVA: the request stays where it is', () => {
  const last = 2 ** 48 - 2 * M - 4096;
  const workload = workloadOf([last, [4 * G, 2 * M]]);
  expect(advise(workload, at(4096, 'blocks')).advice).toEqual([]);
});

test('no room behind the last buffer: only those are moved that memory has a place for', () => {
  // Places are 2M apart behind all buffers: there is one below 2^48. The second IOVA ends at 2^48, so that no IOVA can move.
  const workload = workloadOf(
    [G, [4 * G + 0x3000, 2 * M]],
    [2 ** 48 - 2 * M, [2 ** 48 - 10 * M + 0x3000, 2 * M]],
  );
  const [advice, ...others] = advise(workload, at(4096, 'blocks')).advice;
  expect(others).toEqual([]);
  expect([advice?.kind, advice?.gain.leaves]).toEqual(['align-buffer', 511]);
  const after = advice!.apply({ workload, combination: at(4096, 'blocks') }).workload;
  expect(snapshot(after)[1]).toEqual(snapshot(workload)[1]);
  const { page, offset } = after.requests[0]!.sg.entry(0);
  expect(page + BigInt(offset)).toBe(2n ** 48n - BigInt(4 * M));
});

test('numbers are ordered, equal ones as they stood, however large they are', () => {
  expect([...orderOf(Float64Array.of(2 ** 52 + 1, 3, 2 ** 52 + 1, 1))]).toEqual([3, 1, 0, 2]);
  const keys = fc.array(fc.oneof(fc.nat({ max: 9 }), fc.nat({ max: 2 ** 31 - 1 }), fc.maxSafeNat()));
  fc.assert(
    fc.property(keys, fc.constantFrom(1, 4096), (some, unit) => {
      const numbers = some.map((n) => Math.floor(n / unit) * unit);
      const expected = numbers.map((_, i) => i).sort((a, b) => numbers[a]! - numbers[b]! || a - b);
      expect([...orderOf(Float64Array.from(numbers))]).toEqual(expected);
    }),
  );
});

describe('every piece of advice keeps its promise', () => {
  test.each(WORKLOADS)('%s', (name) => {
    const kinds = new Set<AdviceKind>();
    for (const cpuPageSize of [4096, 16384]) {
      const workload = workloadNamed(name, { bytes: 5 * M, cpuPageSize, fragmentation: 0.02, seed: 2 });
      for (const combination of combinationsOf(cpuPageSize, { stages: ['s1', 's2'] })) {
        for (const { kind } of advise(workload, combination).advice) kinds.add(kind);
      }
    }
    expect([...kinds].every((kind) => ADVICE_KINDS.includes(kind))).toBe(true);
    expect(kinds.size).toBeGreaterThan(0);
  });

  /** Buffers that follow each other, lie on blocks or a little off them, in any order; `odd` ones now and then end inside a page. */
  const length = fc.constantFrom(4 * K, 16 * K, 64 * K, 128 * K, M, 2 * M, 4 * M, 32 * M);
  const entry = fc.record({
    joins: fc.boolean(),
    block: fc.nat({ max: 30 }),
    off: fc.constantFrom(0, 0, 0, 4 * K, 64 * K, 0x7000),
    length,
    odd: fc.constantFrom(0, 0, 0x800),
  });
  const request = fc.record({
    gap: fc.constantFrom(0, 0, 4 * K, 64 * K, 2 * M, 0x3000),
    goesOn: fc.boolean(),
    entries: fc.array(entry, { minLength: 1, maxLength: 5 }),
  });
  const plan = fc.array(request, { minLength: 1, maxLength: 4 });
  const odd = fc.constantFrom(0, 0, 0, 0, 0, 1);
  const combination = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(at(4096, 'pages'), at(4096, 'blocks'), at(4096, 'contiguous')) },
    { weight: 1, arbitrary: fc.constantFrom(...combinationsOf(4096, { stages: ['s1', 's2'] })) },
  );

  const followed = new Set<AdviceKind>();

  test('on any workload', () => {
    fc.assert(
      fc.property(plan, odd, combination, (requests, isOdd, one) => {
        let iova = G;
        let end = 0;
        const rows = requests.map(({ gap, goesOn, entries }): Row => {
          if (!goesOn) iova += gap;
          const start = iova;
          const list = entries.map(({ joins, block, off, length: whole, odd: part }, i): [number, number] => {
            const bytes = whole + isOdd * part;
            const joined = (joins || (goesOn && i === 0)) && end > 0;
            const phys = joined ? end : 4 * G + block * 32 * M + off;
            end = phys + bytes;
            iova += bytes;
            return [phys, bytes];
          });
          return [start, ...list];
        });
        const workload = workloadOf(...rows);
        for (const { kind, gain } of advise(workload, one).advice) {
          followed.add(kind);
          expect(gain.refusedRequests > 0 || gain.leaves > 0 || gain.tables > 0).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
    expect(followed.size).toBeGreaterThan(4);
  });
});
