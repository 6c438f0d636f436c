/** SMMUs of which one answer is known: against QEMU's own answers, and always within what is permitted. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { PhysicalMemory } from '../../src/memory/index.ts';
import { QemuCaches } from '../../src/smmu/device/qemu-caches.ts';
import {
  type Answer,
  fixedSmmu,
  outcomeText,
  SMMU_POLICIES,
  SmmuDevice,
  type SmmuPolicy,
} from '../../src/smmu/index.ts';
import { transactionOf } from '../../src/smmu/judge/index.ts';
import { parseSmmuTrace, type SmmuTrace } from '../../src/trace/index.ts';
import { randomDriver } from './random-trace.ts';

const FOLDER = 'fixtures/smmu-trace';
const files = readdirSync(FOLDER).filter((file) => file.endsWith('.json'));
const json = (file: string) => JSON.parse(readFileSync(join(FOLDER, file), 'utf8'));

/** Does what a trace says on a device, and tells of each access. */
function run(
  { machine, memory: words, steps }: SmmuTrace,
  make: (
    memory: PhysicalMemory,
    options: SmmuTrace['machine'] & { streams: readonly number[] },
  ) => SmmuDevice,
  seen: (step: number, chosen: Answer, answers: readonly Answer[]) => void,
): void {
  const memory = new PhysicalMemory({ base: machine.ram.base, size: machine.ram.size });
  for (const { pa, value } of words) memory.write64(pa, value);
  const device = make(memory, { ...machine, streams: machine.sids });
  for (const [i, step] of steps.entries()) {
    if (step.kind === 'write64') device.write64(step.pa, step.value);
    else if (step.kind === 'barrier') device.barrier();
    else if (step.kind === 'mmio') device.mmioWrite(step.register, step.value, step.half);
    else if (step.kind === 'read') device.mmioRead(step.register);
    else if (step.kind === 'access') {
      const { chosen, answers } = device.access(transactionOf(step.access));
      seen(i, chosen, answers);
    }
  }
}

const plain = (text: string) => text.replace(/ not recorded$/, '');

function answersOf(trace: SmmuTrace, policy: SmmuPolicy): Map<number, string> {
  const found = new Map<number, string>();
  run(
    trace,
    (memory, options) => fixedSmmu(memory, policy, options),
    (step, { outcome }) => found.set(step, plain(outcomeText(outcome))),
  );
  return found;
}

describe("QEMU's policy", () => {
  test.each(files)('%s: every answer is what QEMU 11.1 gave', (file) => {
    const trace = parseSmmuTrace(json(file));
    const leaves: number[] = json(file).producer_leaves_arm_at ?? [];
    const answers = answersOf(trace, 'qemu');
    for (const [step, answer] of answers) {
      const { got } = trace.steps[step] as { got?: { outcome: Answer['outcome'] } };
      const differs = leaves.some((one) => one <= step);
      if (got === undefined || got.outcome.kind === 'abort' || differs) continue;
      expect([step, answer]).toEqual([step, plain(outcomeText(got.outcome))]);
    }
  });
});

/** The answers at the accesses before the TLBI, behind it without CMD_SYNC, and behind CMD_SYNC. */
test.each<[SmmuPolicy, string[]]>([
  [
    'nothing cached',
    ['F_TRANSLATION s2=0 class=in', 'F_TRANSLATION s2=0 class=in', 'F_TRANSLATION s2=0 class=in'],
  ],
  ['everything cached', ['pa 0x44002018', 'pa 0x44002018', 'F_TRANSLATION s2=0 class=in']],
  ['qemu', ['pa 0x44002018', 'F_TRANSLATION s2=0 class=in', 'F_TRANSLATION s2=0 class=in']],
])('%s: a page that is unmapped', (policy, expected) => {
  const answers = answersOf(parseSmmuTrace(json('unmap-tlbi-sync.json')), policy);
  expect([26, 32, 38].map((step) => answers.get(step))).toEqual(expected);
});

describe('over random drivers', () => {
  const machine: SmmuTrace['machine'] = {
    base: undefined,
    idr0: 0xd44_101bn,
    idr1: 0x273_0010n,
    idr3: 0x1414n,
    idr5: 0x74n,
    aidr: 1n,
    gbpa: 0n,
    sids: [8],
    ram: { base: 0x4000_0000n, size: 0x800_0000n },
  };
  /** Numerical Recipes' generator. */
  const randomOf = (seed: number) => {
    let state = seed;
    return () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32;
    };
  };
  const traces = Array.from({ length: 12 }, (_, i) => randomDriver({ machine, random: randomOf(i + 1) }));

  test("what QEMU's caches give is permitted", () => {
    let stale = 0;
    for (const trace of traces) {
      run(
        trace,
        (memory, options) => {
          const caches = new QemuCaches(memory, options);
          caches.device = new SmmuDevice(memory, {
            ...options,
            note: (note) => {
              if (note.kind === 'command') caches.consume(note.command.command);
            },
            choose: (answers, transaction) => {
              const one = outcomeText(caches.answer(transaction));
              const index = answers.findIndex(({ outcome }) => plain(outcomeText(outcome)) === plain(one));
              expect(answers.map(({ outcome }) => plain(outcomeText(outcome)))).toContain(plain(one));
              return index;
            },
          });
          return caches.device;
        },
        (_, { outcome }) => {
          if (outcome.by !== undefined) stale++;
        },
      );
    }
    expect(stale).toBeGreaterThan(0);
  });

  test('a cache that keeps everything answers with something old wherever something old is permitted', () => {
    let several = 0;
    for (const trace of traces) {
      run(
        trace,
        (memory, options) => fixedSmmu(memory, 'everything cached', options),
        (_, chosen, answers) => {
          expect(answers).toContain(chosen);
          if (
            answers.length === 1 ||
            answers.slice(1).every(({ until }) => until === Number.POSITIVE_INFINITY)
          )
            return;
          several++;
          expect(chosen.outcome).not.toEqual(answers[0]!.outcome);
        },
      );
    }
    expect(several).toBeGreaterThan(0);
  });
});

test('an unknown policy is refused', () => {
  const memory = new PhysicalMemory({ base: 0n, size: 0x1000n });
  const ids = { idr0: 0xd44_101bn, idr1: 0x273_0010n, idr3: 0x1414n, idr5: 0x74n };
  expect(() => fixedSmmu(memory, 'quemu' as SmmuPolicy, ids)).toThrow("did you mean 'qemu'?");
  expect(SMMU_POLICIES).toHaveLength(3);
});
