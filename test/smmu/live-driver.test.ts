/** Random drivers on QEMU's SMMUv3: its answer to every transaction is among those that the architecture permits. Each run has a new seed; LPAE_SEED replays it. */
import { describe, expect, test } from 'vitest';
import { EVENTS } from '../../src/arch/smmu/index.ts';
import { outcomeText, replay } from '../../src/smmu/judge/index.ts';
import type { Outcome, SmmuTrace } from '../../src/smmu/trace.ts';
import { ofRelease } from '../conformance/qemu/deviation.ts';
import type { Qemu } from '../conformance/qemu/emulator.ts';
import { partSeed, readSettings } from '../conformance/qemu/settings.ts';
import { DRIVER_DEVIATIONS } from './driver-deviations.ts';
import { DriverMachine } from './driver-machine.ts';
import { randomDriver } from './random-trace.ts';

const { qemu, seed, title } = readSettings();
const rules = ofRelease(DRIVER_DEVIATIONS, qemu?.release ?? 0);
const SEQUENCES = 2000;

/** Mulberry32. */
function randomOf(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b_79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const CLASSES = ['cd', 'tt', 'in'] as const;

/** The outcome that an event record says. (IHI 0070 7.3.) */
function eventOutcome(words: readonly bigint[]): Outcome {
  const number = Number((words[0] ?? 0n) & 0xffn);
  const found = Object.entries(EVENTS).find(([, event]) => event.number === number);
  if (found === undefined) throw new Error(`event 0x${number.toString(16)}`);
  const fault = found[0] as keyof typeof EVENTS;
  if (number < 0x10 || number > 0x13) return { kind: 'fault', fault };
  const high = words[1] ?? 0n;
  const faultClass = CLASSES[Number((high >> 40n) & 3n)];
  return { kind: 'fault', fault, s2: (high & (1n << 39n)) !== 0n, ...(faultClass && { class: faultClass }) };
}

/** Each access: what QEMU answered, and what is permitted. */
async function compare(machine: DriverMachine, trace: SmmuTrace) {
  const seen = await machine.run(trace);
  const rows: { step: number; got: string; permitted: string[] }[] = [];
  for (const { step, answers } of replay(trace)) {
    const answer = seen.get(step);
    if (answers === undefined || answer === undefined) continue;
    const outcome: Outcome = Array.isArray(answer) ? eventOutcome(answer) : (answer as Outcome);
    rows.push({
      step,
      got: outcomeText(outcome),
      permitted: answers.map((one) =>
        outcomeText(rules.reduce((shown, rule) => rule.shows(shown), one.outcome)),
      ),
    });
  }
  return rows;
}

describe.skipIf(qemu === undefined)(title, () => {
  test(`${SEQUENCES} random drivers`, async () => {
    const machine = await DriverMachine.start(qemu as Qemu);
    let [accesses, open, stale] = [0, 0, 0];
    const wrong: string[] = [];
    try {
      for (let n = 0; n < SEQUENCES && wrong.length < 5; n++) {
        const trace = randomDriver({ machine: machine.atReset, random: randomOf(partSeed(seed, n)) });
        for (const { step, got, permitted } of await compare(machine, trace)) {
          accesses++;
          if (permitted.length > 1) open++;
          if (got !== permitted[0]) stale++;
          if (!permitted.includes(got)) {
            wrong.push(`sequence ${n}, step ${step}: ${got}, not one of ${permitted.join(' | ')}`);
          }
        }
      }
    } finally {
      await machine.dispose();
    }
    console.log(
      `${accesses} accesses, ${open} with more than one permitted answer, ${stale} answered by a cache`,
    );
    expect(wrong, `LPAE_SEED=0x${seed.toString(16)}`).toEqual([]);
    expect(open).toBeGreaterThan(accesses / 10);
    expect(stale).toBeGreaterThan(0);
  }, 600_000);
});
