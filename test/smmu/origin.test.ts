/** Which writes an answer comes of: the one that made what may be cached, and the one that replaced it. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { judgeSmmuTrace } from '../../src/smmu/index.ts';
import { parseSmmuTrace } from '../../src/trace/index.ts';

const read = (name: string) =>
  parseSmmuTrace(JSON.parse(readFileSync(`fixtures/smmu-trace/${name}.json`, 'utf8')));
const judged = (name: string) => judgeSmmuTrace(read(name)).accesses;

describe('the origin of an answer', () => {
  test('of a block that was split twice: from before the trace, and from its first pages', () => {
    const stale = judged('block-split').flatMap(({ step, answers }) =>
      answers.flatMap(({ origin }) => (origin ? [{ step, ...origin }] : [])),
    );
    expect(stale).toEqual([
      { step: 33, written: -1, replaced: 27 },
      { step: 41, written: 25, replaced: 31 },
    ]);
  });

  test('of a word that a barrier has not made observable', () => {
    const trace = read('unmap-tlbi-sync');
    const unmap = trace.steps.findIndex(({ note }) => note === 'unmap');
    const access = trace.steps.find(({ kind }) => kind === 'access')!;
    const steps = [...trace.steps.slice(0, unmap + 1), access];
    const [last] = judgeSmmuTrace({ ...trace, steps }).accesses.slice(-1);
    expect(last!.answers.map(({ origin }) => origin)).toEqual([undefined, { written: -1, replaced: unmap }]);
  });

  test('none of an entry that another stream may make now: they share an ASID', () => {
    const answers = judged('asid-shared').flatMap((access) => access.answers);
    const shared = answers.filter(({ outcome, origin }) => outcome.by !== undefined && origin === undefined);
    expect(shared.length).toBeGreaterThan(0);
    expect(shared.every(({ outcome }) => outcome.by?.join() === 'tlb')).toBe(true);
  });

  test.each(['random-11', 'ste-other-cd', 'cd-ttb-change', 'nested-s2-change', 'l1std-leaf'])(
    '%s: every answer that takes a cache has one, and it is a step of the trace that changed a word or a register',
    (name) => {
      const { steps } = read(name);
      let told = 0;
      for (const { step, answers } of judged(name)) {
        for (const { outcome, origin } of answers) {
          if (outcome.by === undefined && origin === undefined) continue;
          told++;
          expect(origin).toBeDefined();
          const { written = -1, replaced } = origin!;
          expect(written).toBeLessThan(replaced);
          expect(replaced).toBeLessThan(step);
          expect(['write64', 'mmio']).toContain(steps[replaced]!.kind);
          if (written >= 0) expect(steps[written]!.kind).toBe('write64');
        }
      }
      expect(told).toBeGreaterThan(0);
    },
  );
});
