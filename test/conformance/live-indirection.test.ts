/** Random tables under permission indirection and attribute index extension: the walker's answers against those of a QEMU that has them. */
import { describe, expect, test } from 'vitest';
import { compareBatch, makeBatch } from './qemu/compare-cpu.ts';
import type { Qemu } from './qemu/emulator.ts';
import { featuresOfQemu } from './qemu/identification.ts';
import type { RegimeA64 } from './qemu/random-cases-a64.ts';
import { randomCaseIndirect } from './qemu/random-cases-indirect.ts';
import { Tally } from './qemu/report.ts';
import { partSeed, readSettings } from './qemu/settings.ts';

const { qemu, seed, probes, title } = readSettings();
const REGIMES: readonly RegimeA64[] = ['el1&0', 'el2', 'el2&0', 'el1&0-s2', 'el1&0-nested'];
const CASES_A_BOOT = 40;
const SHOWN = 5;

/** What the test needs and QEMU's identification registers do not say. */
async function lackingOf(found: Qemu): Promise<string[]> {
  const { s1pie, s2pie, aie } = await featuresOfQemu(found);
  const wanted = { FEAT_S1PIE: s1pie, FEAT_S2PIE: s2pie, FEAT_AIE: aie };
  return Object.entries(wanted).flatMap(([name, has]) => (has === true ? [] : [name]));
}

const lacking = qemu === undefined ? [] : await lackingOf(qemu);
if (qemu === undefined) console.warn(title);
if (lacking.length > 0) {
  console.warn(
    `${title}: permission indirection is not asked for, since this QEMU has no ${lacking.join(', ')}; CONTRIBUTING.md says how to get one that has`,
  );
}

describe.skipIf(qemu === undefined || lacking.length > 0)(title, () => {
  test.each(REGIMES)(
    '%s',
    async (regime) => {
      const tally = new Tally();
      const wanted = probes / REGIMES.length;
      for (let boot = 0; tally.probes < wanted; boot++) {
        const cases = Math.min(CASES_A_BOOT, Math.ceil((wanted - tally.probes) / 80));
        const part = REGIMES.indexOf(regime) * 0x1_0000 + boot;
        const batch = makeBatch(partSeed(seed ^ 0x51e, part), cases, (random, space, name) =>
          randomCaseIndirect(random, space, regime, name),
        );
        await compareBatch(qemu as Qemu, batch, tally);
      }
      console.log(`${regime} with indirection: ${tally.summary()}`);
      const shown = tally.disagreements.slice(0, SHOWN).join('\n');
      expect(shown, `${tally.disagreements.length} disagreements; LPAE_SEED=0x${seed.toString(16)}`).toBe('');
      expect(tally.share('translation by')).toBeGreaterThan(0.05);
    },
    Math.max(120_000, probes * 20),
  );
});
