/** A short run of the fuzzer, on a new seed each time: CPU regimes and SMMU streams. `npm run fuzz` is the long one. */
import { expect, test } from 'vitest';
import { PhysicalMemory } from '../../src/memory/index.ts';
import { stage1 } from '../../src/walker/create.ts';
import type { Translation } from '../../src/walker/index.ts';
import { check, Violation } from './check.ts';
import { runLog } from './logs.ts';
import { newTally, runMachine, WALKS_PER_MACHINE } from './machine.ts';

test('random memory and random registers: 20,000 walks and no violation', () => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  console.log(`fuzz seed ${seed}`);
  const tally = newTally();
  for (let machine = 0; machine < 80; machine++) runMachine(seed, machine, tally);
  expect(tally.walks).toBe(80 * WALKS_PER_MACHINE);
});

test('mutated logs: 600 texts and no violation', () => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  console.log(`fuzz seed ${seed}`);
  let faults = 0;
  for (let round = 0; round < 600; round++) faults += runLog(seed, round).faults;
  expect(faults).toBeGreaterThan(100);
});

test('a machine is replayed by its seed and index', () => {
  const answers = () => {
    const tally = newTally();
    runMachine(7, 11, tally);
    return [...tally.answers];
  };
  expect(answers()).toEqual(answers());
});

test('the checks see a wrong answer', () => {
  const memory = new PhysicalMemory({ base: 0n, size: 0x1_0000n });
  memory.write64(0x1000n, 0x4000_0701n);
  const access = { access: 'read' } as const;
  const result = stage1(memory, { ttbr0: 0x1000n, tcr: 0x5_0080_0019n }).walk(0x123n, access) as Translation;
  const question = { ia: 0x123n, access, memory, paBits: 48 };
  expect(() => check(result, question)).not.toThrow();
  const wrong: Partial<Translation>[] = [
    { ia: 0x124n },
    { pa: 1n << 48n },
    { pa: result.pa + 1n },
    { leafBase: result.leafBase + 0x1000n },
    { size: 0x3000n },
    { level: 4 },
  ];
  for (const edit of wrong) expect(() => check({ ...result, ...edit }, question)).toThrow(Violation);
});
