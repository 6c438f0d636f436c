/** The lean TLB against the exact one, access by access: what hits, what a miss reads. Random tables, traces and sizes. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arm64LpaeS1 } from '../../../formats/index.ts';
import { IommuDomain, PhysicalMemory, Scatterlist } from '../../../src/index.ts';
import { nestedMachine } from '../../../src/study/memory.ts';
import { runTlb, type TlbShape } from '../../../src/study/tlb/model.ts';
import { footprintWorkload, makeTables } from '../../../src/study/tlb/tables.ts';
import type { Trace } from '../../../src/study/tlb/trace.ts';
import { walkTrace } from '../../../src/study/tlb/walks.ts';
import { Tlb, type TlbContextOptions } from '../../../src/tlb/index.ts';
import { cpuFeatures } from '../../../src/walker/cpu.ts';
import { cpuModels, createWalker, type Regime } from '../../../src/walker/index.ts';
import { begin, randomMemory } from '../../fuzz/memory.ts';
import { randomAddress, randomRegisters } from '../../fuzz/registers.ts';
import { Random } from '../../support/random.ts';

const read = { access: 'read' } as const;

/** What the exact TLB answers to a trace: the cost of each access, -1 where an entry answered, and its counters. */
function exact(memory: PhysicalMemory, options: TlbContextOptions, trace: Trace, shape: TlbShape) {
  const ways = shape.ways === 'full' ? shape.entries : shape.ways;
  const sets = shape.entries / ways;
  const { walkCache, runs = true } = shape;
  const tlb = new Tlb(memory, options, { sets, ways, walkCache, contiguous: runs });
  const costs: number[] = [];
  let from = 0;
  trace.addresses.forEach((address, i) => {
    if (trace.unmaps?.includes(i)) {
      invalidate(tlb, trace.addresses.subarray(from, i));
      from = i;
    }
    const before = tlb.statistics.memoryAccesses;
    const { from: where } = tlb.translate(BigInt.asUintN(64, BigInt(address)), read);
    costs.push(where === 'tlb' ? -1 : tlb.statistics.memoryAccesses - before);
  });
  const reach = tlb.entries.reduce((sum, { size }) => sum + Number(size), 0);
  return { costs, reach, statistics: tlb.statistics };
}

/** Last-level entries of these addresses go, whatever regime they are of. */
function invalidate(tlb: Tlb, addresses: Float64Array): void {
  for (const address of new Set(addresses)) {
    const from = BigInt.asUintN(56, BigInt(address));
    for (const regime of ['el1&0', 'el2', 'el2&0', 'el3'] as const)
      tlb.invalidate({ regime, stages: 'both', from, last: from, lastLevel: true });
  }
}

function lean(walked: ReturnType<typeof walkTrace>, shape: TlbShape) {
  const costs: number[] = [];
  const counts = runTlb(walked, shape, (cost) => costs.push(cost));
  return { costs, counts };
}

function expectAlike(
  memory: PhysicalMemory,
  options: TlbContextOptions,
  walked: ReturnType<typeof walkTrace>,
  shape: TlbShape,
) {
  const { costs, counts } = lean(walked, shape);
  const wanted = exact(memory, options, walked.trace, shape);
  expect(costs).toEqual(wanted.costs);
  expect(counts.hits + counts.misses).toBe(counts.accesses);
  const { statistics } = wanted;
  expect(counts).toMatchObject({
    hits: statistics.hits,
    misses: statistics.misses,
    fetches: statistics.memoryAccesses,
    fetchesSaved: statistics.accessesSaved,
    walkCacheHits: statistics.walkCacheHits,
    evictions: statistics.evictions,
    reach: wanted.reach,
  });
  expect(statistics.walks).toBe(counts.misses);
  return counts;
}

const SHAPES: readonly TlbShape[] = [
  { entries: 1, ways: 1, walkCache: 0 },
  { entries: 4, ways: 'full', walkCache: 1 },
  { entries: 8, ways: 2, walkCache: 2 },
  { entries: 16, ways: 4, walkCache: 3, runs: false },
  { entries: 12, ways: 3, walkCache: 16 },
  { entries: 64, ways: 'full', walkCache: 16 },
];

const granules = fc.constantFrom(0x1000, 0x4000, 0x1_0000) as fc.Arbitrary<0x1000 | 0x4000 | 0x1_0000>;

describe('the lean TLB and the exact one', () => {
  test('agree over tables of every kind', () => {
    let [hits, saved, faults] = [0, 0, 0];
    fc.assert(
      fc.property(
        granules,
        fc.constantFrom('pages', 'blocks', 'contiguous'),
        fc.constantFrom('s1', 's2', 'nested'),
        fc.constantFrom('fragmented', 'gpu'),
        fc.constantFrom(0, 0.1, 1),
        fc.nat(0xffff_ffff),
        (granule, sizes, stage, workload, fragmentation, seed) => {
          const random = new Random(seed);
          const bytes = granule * random.between(1, 200);
          const made = footprintWorkload({ workload, fragmentation, seed, bytes }, granule);
          const tables = makeTables(made, { granule, sizes, stage });
          const { iova, sg } = made.requests[0]!;
          const end = Number(sg.byteLength);
          // Most accesses are near the one before; some are behind the end, where nothing is mapped.
          let at = 0;
          const addresses = Float64Array.from({ length: 150 }, () => {
            if (random.chance(0.3)) at = random.between(0, end + 2 * granule);
            else at = Math.max(0, at + random.between(-2, 2) * granule * random.pick([0, 1, 1, 16]));
            return Number(iova) + at;
          });
          const unmaps = random.chance(0.5) ? {} : { unmaps: Uint32Array.of(20, 21, 90) };
          const walked = walkTrace(tables, { name: 'random', addresses, ...unmaps });
          const { memory, regime, registers } = tables.machine;
          for (const shape of SHAPES) {
            const counts = expectAlike(memory, { regime, registers }, walked, shape);
            hits += counts.hits;
            saved += counts.fetchesSaved;
            faults += counts.faults;
          }
        },
      ),
      { numRuns: 60 },
    );
    expect(Math.min(hits, saved, faults)).toBeGreaterThan(500);
  });

  test('agree where a table of stage 1 is many pages of stage 2', () => {
    // Level 3 of a 64K granule: 8192 descriptors, in 16 pages of 4K. The walk cache knows the table, and the way to a page of it.
    const made = footprintWorkload({ bytes: 2 ** 28, fragmentation: 0.5 }, 0x1_0000);
    const memory = new PhysicalMemory({ base: 1n << 46n, size: 1n << 30n });
    const guest = new IommuDomain(memory, arm64LpaeS1, { pgsizeBitmap: 0x1_0000n, ias: 48, oas: 48 });
    const [{ iova, sg } = { iova: 0n, sg: new Scatterlist() }] = made.requests;
    guest.mapSg(iova, sg, { read: true });
    const small = { cpuPageSize: 0x1000, granule: 0x1000, sizes: 'pages', stage: 'nested' } as const;
    const { stage2, walker } = nestedMachine(guest, made.requests, small);
    const registers = { ...guest.registers.hardware.registers, ...stage2.registers.hardware.registers };
    const options = { regime: 'el1&0-nested', registers } as const;
    const random = new Random(1);
    const addresses = Float64Array.from({ length: 400 }, () => Number(iova) + random.between(0, 2 ** 28 - 1));
    const walked = walkTrace({ walker }, { name: 'large tables', addresses });
    for (const shape of SHAPES) expectAlike(stage2.memory, options, walked, shape);
  });

  test('agree over random memory and registers', () => {
    const regimes: readonly Regime[] = ['el1&0', 'el1&0-s2', 'el1&0-nested', 'el2', 'el2&0', 'el3', 'pl2'];
    let [hits, saved, faults] = [0, 0, 0];
    fc.assert(
      fc.property(fc.nat(0xffff_ffff), (seed) => {
        const random = new Random(seed);
        const guarded = randomMemory(random, random.chance(0.9));
        guarded.limit = false;
        const regime = random.pick(regimes);
        const cpu = random.pick(['max', ...cpuModels] as const);
        const options = withoutUpdates({
          regime,
          cpu,
          registers: randomRegisters(random, regime, guarded.memory),
        });
        const walker = createWalker(guarded.memory, options);
        const near = Array.from({ length: 8 }, () => randomAddress(random));
        const addresses = Array.from({ length: 120 }, () =>
          Number(BigInt.asIntN(64, random.pick(near) ^ random.bits(random.pick([0, 3, 12, 16])))),
        ).filter(Number.isSafeInteger);
        begin(guarded);
        const nT = cpuFeatures(cpu).bbm > 0;
        const walked = walkTrace({ walker, nT }, { name: 'fuzz', addresses: Float64Array.from(addresses) });
        for (const shape of SHAPES) {
          // Random entries disagree about the contiguous hint: what one of them says for all is for the exact model.
          const counts = expectAlike(guarded.memory, options, walked, { ...shape, runs: false });
          hits += counts.hits;
          saved += counts.fetchesSaved;
          faults += counts.faults;
        }
      }),
      // Granule protection faults on the way: of a first table, and of one below another.
      { numRuns: 200, examples: [[1963546240], [1299020423]] },
    );
    expect(Math.min(hits, saved, faults)).toBeGreaterThan(200);
  });
});

const EAE = 1n << 31n;

/** Long descriptors, and none that hardware would write back. */
function withoutUpdates(options: TlbContextOptions): TlbContextOptions {
  const { regime, registers } = options;
  const updates = regime === 'el2' || regime === 'el3' ? 3n << 21n : 3n << 39n;
  const tcr = ((registers.tcr ?? 0n) & ~updates) | (regime.startsWith('pl') ? EAE : 0n);
  return { ...options, registers: { ...registers, tcr, vtcr: (registers.vtcr ?? 0n) & ~(3n << 21n) } };
}
