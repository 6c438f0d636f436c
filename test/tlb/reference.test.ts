/** The TLB against a stupid reference: one that never caches, which is the walker. Random tables, registers and accesses. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Tlb, type TlbContextOptions, type TlbiOperation, type TlbOptions } from '../../src/tlb/index.ts';
import { answerDifferences } from '../../src/tlb/stale.ts';
import {
  type Access,
  cpuModels,
  createWalker,
  type Regime,
  type WalkResult,
} from '../../src/walker/index.ts';
import { begin, type GuardedMemory, randomMemory } from '../fuzz/memory.ts';
import { randomAddress, randomRegisters } from '../fuzz/registers.ts';
import { Random } from '../support/random.ts';

const EL1_REGIMES: readonly Regime[] = [
  'el1&0',
  'el1&0-s2',
  'el1&0-nested',
  'pl1&0',
  'pl1&0-s2',
  'pl1&0-nested',
];

/**
 * TTBCR.EAE: long descriptors. The 16 entries of a short descriptor's supersection or large page must be alike, which random
 * ones are not: what one entry of a TLB answers for all of them is then another one's to choose.
 */
const EAE = 1n << 31n;

/** Register values without hardware updates: those are not the reference's to repeat. */
function withoutUpdates(options: TlbContextOptions): TlbContextOptions {
  const { regime, registers } = options;
  const one = regime === 'el2' || regime === 'el3';
  const updates = one ? 3n << 21n : 3n << 39n;
  const tcr = ((registers.tcr ?? 0n) & ~updates) | (regime.startsWith('pl') ? EAE : 0n);
  return { ...options, registers: { ...registers, tcr, vtcr: (registers.vtcr ?? 0n) & ~(3n << 21n) } };
}

/** Contexts that no entry of one may be used in another: VMIDs of their own, and one of each other regime. */
function contexts(random: Random, guarded: GuardedMemory): TlbContextOptions[] {
  const regimes = [random.pick(EL1_REGIMES), random.pick(EL1_REGIMES), random.pick(EL1_REGIMES)];
  const others: Regime[] = [random.pick(['el2', 'pl2']), 'el2&0', 'el3'];
  return [...regimes, ...others].map((regime, vmid) => {
    const registers = randomRegisters(random, regime, guarded.memory);
    return withoutUpdates({ regime, registers, cpu: random.pick(['max', ...cpuModels] as const), vmid });
  });
}

const SIZES: readonly TlbOptions[] = [
  {},
  { sets: 4, ways: 2, walkCache: 3 },
  { sets: 1, ways: 1, walkCache: 1 },
  { sets: 16, ways: 4, walkCache: 0 },
];

const OPERATIONS: readonly TlbiOperation[] = [
  'VAE1',
  'VALE1IS',
  'VAAE1',
  'VAE2',
  'VALE3',
  'ASIDE1',
  'VMALLE1',
  'VMALLS12E1',
  'IPAS2E1',
  'RVAE1',
  'RVAALE1OS',
  'RIPAS2LE1',
  'ALLE1',
];

function randomAccess(random: Random): Access {
  return {
    access: random.pick(['read', 'write', 'execute'] as const),
    privileged: random.chance(0.5),
    pan: random.chance(0.3),
  };
}

const comparable = (result: WalkResult) => ({ ...result, steps: [] });

function flush(tlb: Tlb): void {
  for (const regime of ['el1&0', 'el2', 'el2&0', 'el3'] as const) tlb.invalidate({ regime, stages: 'both' });
}

describe('the TLB and the walker', () => {
  let hits = 0;
  let saved = 0;
  let stale = 0;
  let differing = 0;

  test('answer alike while memory does not change, whatever is invalidated; and after a change once all is invalidated', () => {
    fc.assert(
      fc.property(fc.nat(0xffff_ffff), (seed) => {
        const random = new Random(seed);
        const guarded = randomMemory(random, random.chance(0.9));
        const { memory } = guarded;
        const list = contexts(random, guarded);
        const walkers = list.map((options) => createWalker(memory, options));
        const tlb = new Tlb(memory, list[0]!, random.pick(SIZES));
        const addresses = Array.from({ length: 12 }, () => randomAddress(random));
        let current = 0;

        const ask = () => {
          begin(guarded);
          const near = random.pick(addresses) ^ random.bits(random.pick([0, 3, 12, 16]));
          const access = randomAccess(random);
          const expected = walkers[current]!.walk(near, access);
          begin(guarded);
          return { expected, answer: tlb.translate(near, access) };
        };
        const session = (rounds: number) => {
          for (let i = 0; i < rounds; i++) {
            if (random.chance(0.05)) {
              current = random.word32() % list.length;
              tlb.switchTo(list[current]!);
            }
            if (random.chance(0.05)) tlb.tlbi(random.pick(OPERATIONS), random.word64());
            const { expected, answer } = ask();
            expect(comparable(answer.result)).toEqual(comparable(expected));
            expect(answer.conflict).toBeUndefined();
          }
        };

        session(120);
        expect(tlb.conflicts()).toEqual([]);
        expect(staleOf(tlb, guarded)).toEqual([]);

        // Every third word is made invalid. What the TLB then answers is known to be stale, or is what a walk answers.
        for (const region of memory.regions) {
          const words = region.words(region.start);
          for (let i = 0; i < words.length; i += 2) if (random.chance(0.3)) words[i]! &= ~1;
        }
        stale += staleOf(tlb, guarded).length;
        for (let i = 0; i < 40; i++) {
          const { expected, answer } = ask();
          if (answer.from !== 'tlb' || answerDifferences(answer.result, expected).length === 0) continue;
          differing++;
          const ia = expected.ia;
          const known = staleOf(tlb, guarded).some(
            ({ entry }) => ia >= entry.base && ia < entry.base + entry.size,
          );
          expect(known).toBe(true);
        }
        flush(tlb);
        expect(tlb.entries).toEqual([]);
        expect(tlb.walkCacheSize).toBe(0);
        session(40);
        hits += tlb.statistics.hits;
        saved += tlb.statistics.accessesSaved;
      }),
      { numRuns: 200 },
    );
    // The property is about something: entries are hit, walks are shortened, memory's changes are missed. (A run has about 1,000 hits,
    // but they come in bursts: the bounds say that there are many, not how many.)
    expect(hits).toBeGreaterThan(200);
    expect(saved).toBeGreaterThan(200);
    expect(stale).toBeGreaterThan(20);
    expect(differing).toBeGreaterThan(10);
  });
});

function staleOf(tlb: Tlb, guarded: GuardedMemory) {
  guarded.limit = false;
  const found = tlb.staleEntries();
  guarded.limit = true;
  return found;
}
