/** Random tables and registers, on a new seed each run: the walker's answers against those of QEMU's CPUs. */
import { describe, expect, test } from 'vitest';
import type { CpuModel } from '../../src/walker/index.ts';
import type { Random } from '../support/random.ts';
import { compareBatch, makeBatch } from './qemu/compare-cpu.ts';
import type { Qemu } from './qemu/emulator.ts';
import type { Case } from './qemu/probe.ts';
import { type RegimeA32, randomCaseA32 } from './qemu/random-cases-a32.ts';
import { type RegimeA64, randomCase } from './qemu/random-cases-a64.ts';
import { randomCaseShort } from './qemu/random-cases-short.ts';
import { Tally } from './qemu/report.ts';
import { partSeed, readSettings, survivesStage2Denial } from './qemu/settings.ts';

import type { TableSpace } from './qemu/table-space.ts';

const { qemu, seed, probes, title } = readSettings();

/** A boot takes as long as some thousand probes, so that each part is a boot or several. */
type LiveRegime = RegimeA64 | RegimeA32 | 'pl1&0-short';

const ALL_PARTS: readonly (readonly [LiveRegime, CpuModel])[] = [
  ['el1&0', 'max'],
  ['el1&0', 'cortex-a53'],
  ['el1&0', 'neoverse-n1'],
  ['el2', 'max'],
  ['el2', 'cortex-a76'],
  ['el2&0', 'max'],
  ['el2&0', 'neoverse-n1'],
  ['el1&0-s2', 'max'],
  ['el1&0-s2', 'cortex-a57'],
  ['el1&0-nested', 'max'],
  ['el1&0-nested', 'cortex-a72'],
  ['el1&0-nested', 'cortex-a76'],
  ['pl1&0', 'cortex-a15'],
  ['pl1&0-s2', 'cortex-a7'],
  ['pl1&0-nested', 'cortex-a15'],
  ['pl1&0-short', 'cortex-a15'],
];
const PARTS = ALL_PARTS.filter(
  ([regime]) => qemu === undefined || survivesStage2Denial(qemu) || !/s2|nested/.test(regime),
);
const CASES_A_BOOT = 40;
/** Disagreements that a report shows. */
const SHOWN = 5;

const isA32 = (regime: LiveRegime): regime is RegimeA32 => regime.startsWith('pl1');

function randomCaseOf(
  random: Random,
  space: TableSpace,
  regime: LiveRegime,
  cpu: CpuModel,
  name: string,
): Case {
  if (regime === 'pl1&0-short') return randomCaseShort(random, space, cpu, name);
  return isA32(regime)
    ? randomCaseA32(random, space, regime, cpu, name)
    : randomCase(random, space, regime, cpu, name);
}

if (qemu === undefined) console.warn(title);

describe.skipIf(qemu === undefined)(title, () => {
  test.each(PARTS)(
    '%s on %s',
    async (regime, model) => {
      const part = PARTS.findIndex(([r, m]) => r === regime && m === model);
      const tally = new Tally();
      const wanted = probes / PARTS.length;
      for (let boot = 0; tally.probes < wanted; boot++) {
        const cases = Math.min(CASES_A_BOOT, Math.ceil((wanted - tally.probes) / 80));
        const batch = makeBatch(partSeed(seed, part * 0x1_0000 + boot), cases, (random, space, name) =>
          randomCaseOf(random, space, regime, model, name),
        );
        await compareBatch(qemu as Qemu, batch, tally);
      }
      console.log(`${regime} on ${model}: ${tally.summary()}`);
      const shown = tally.disagreements.slice(0, SHOWN).join('\n');
      expect(shown, `${tally.disagreements.length} disagreements; LPAE_SEED=0x${seed.toString(16)}`).toBe('');
      // The tables are worth asking about.
      expect(tally.share('translation by')).toBeGreaterThan(0.08);
    },
    Math.max(120_000, probes * 20),
  );
});
