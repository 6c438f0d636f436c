/** Properties of permitted sets: what is demanded is enough and nothing less is, and memory as it is is always among the answers. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createSmmu, needsOf, outcomeText } from '../../src/smmu/index.ts';
import { answersAfter } from '../../src/smmu/judge/index.ts';
import { type Action, IDS, RandomDriver } from './random-driver.ts';

const action = fc.record({
  kind: fc.constantFrom<Action['kind']>(
    'page',
    'page',
    'ste',
    'cd',
    'barrier',
    'barrier',
    'command',
    'access',
    'access',
  ),
  a: fc.nat(29),
  b: fc.nat(29),
});
const drivers = fc.array(action, { minLength: 10, maxLength: 20 });

describe('of a random driver', () => {
  test('the demanded commands leave one answer, none of them can be left out, and then nothing is demanded', () => {
    let open = 0;
    fc.assert(
      fc.property(drivers, (actions) => {
        const driver = new RandomDriver();
        for (const one of actions) {
          if (one.kind !== 'access') {
            driver.act(one);
            continue;
          }
          const asked = driver.access(one);
          const { answers } = driver.smmu.access(asked);
          if (answers.length === 1) continue;
          const needs = needsOf(driver.smmu, asked);
          if (needs === null) continue;
          open++;
          for (const left of needs) {
            const rest = needs.filter((step) => step !== left);
            expect(answersAfter(driver.smmu, asked, rest)).toBeGreaterThan(1);
          }
          driver.commands(needs);
          expect(driver.smmu.access(asked).answers.map(({ outcome }) => outcomeText(outcome))).toHaveLength(
            1,
          );
        }
      }),
      { numRuns: 10, seed: 20 },
    );
    expect(open).toBeGreaterThan(4);
  });

  test('after a barrier the first answer is that of an SMMU without caches', () => {
    let accesses = 0;
    fc.assert(
      fc.property(drivers, (actions) => {
        const driver = new RandomDriver();
        for (const one of actions) {
          if (one.kind !== 'access') {
            driver.act(one);
            continue;
          }
          driver.smmu.barrier();
          accesses++;
          const { streamId, ia, access } = driver.access(one);
          const plain = createSmmu(driver.memory, {
            ...without(IDS),
            strtabBase: 0x4100_0000n,
            strtabBaseCfg: 5n,
            cr0: 1n,
            cr2: 2n,
          });
          const result = plain.translate(streamId, ia, { access });
          const [first] = driver.smmu.access({ streamId, ia, access }).answers;
          expect(first!.outcome.by).toBeUndefined();
          if (result.ok) expect(first!.outcome).toEqual({ kind: 'pa', pa: result.pa });
          else expect(first!.event).toEqual(result.event);
        }
      }),
      { numRuns: 8, seed: 21 },
    );
    expect(accesses).toBeGreaterThan(10);
  });

  test('CFGI_ALL, TLBI_NSNH_ALL and CMD_SYNC leave one answer, unless streams share a tag', () => {
    fc.assert(
      fc.property(drivers, (actions) => {
        const driver = new RandomDriver();
        for (const one of actions) if (one.kind !== 'cd') driver.act(one);
        driver.commands(['CFGI_ALL', 'TLBI_NSNH_ALL', 'CMD_SYNC']);
        for (const b of [0, 1, 2]) {
          for (const a of [0, 1, 2, 3]) {
            expect(driver.smmu.access(driver.access({ kind: 'access', a, b })).answers).toHaveLength(1);
          }
        }
      }),
      { numRuns: 5, seed: 22 },
    );
  });
});

function without({ idr0, idr1, idr3, idr5 }: typeof IDS) {
  return { idr0, idr1, idr3, idr5 };
}
