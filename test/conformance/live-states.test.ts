/** Random tables of a guest hypervisor, in Secure state and under granule protection checks: the walker's answers against those of a QEMU that has them. */
import { describe, expect, test } from 'vitest';
import type { Random } from '../support/random.ts';
import { WITH_RME } from './qemu/batch.ts';
import { compareBatch, makeBatch } from './qemu/compare-cpu.ts';
import type { Qemu } from './qemu/emulator.ts';
import { featuresOfQemu } from './qemu/identification.ts';
import type { Case, CaseSecurity } from './qemu/probe.ts';
import type { RegimeA64 } from './qemu/random-cases-a64.ts';
import { randomCaseIn, randomCaseNv1 } from './qemu/random-cases-states.ts';
import { Tally } from './qemu/report.ts';
import { partSeed, readSettings, readsSecureStage2, survivesStage2Denial } from './qemu/settings.ts';
import type { TableSpace } from './qemu/table-space.ts';

const { qemu, seed, probes, title } = readSettings();
const CASES_A_BOOT = 40;
const SHOWN = 5;

/** Where a part runs: as a guest hypervisor, or in a state. */
type Where = 'nv1' | CaseSecurity;
type Part = readonly [name: string, regime: RegimeA64, where: Where];

const secure = { state: 'secure', rme: false } as const;
const secureEl2 = { ...secure, eel2: true } as const;
const withRme = (state: CaseSecurity['state']) => ({ state, eel2: true, rme: true }) as const;
const checked = (state: CaseSecurity['state']) => ({ ...withRme(state), checked: true }) as const;

const NV1: readonly Part[] = [
  ['a guest hypervisor', 'el1&0', 'nv1'],
  ['a guest hypervisor', 'el1&0-nested', 'nv1'],
];
const SECURE: readonly Part[] = [
  ['Secure state without EL2', 'el1&0', secure],
  ['Secure state', 'el2', secureEl2],
  ['Secure state', 'el2&0', secureEl2],
  ['Secure state', 'el1&0-nested', secureEl2],
];
const CHECKED: readonly Part[] = [
  ['Non-secure state, granules checked', 'el1&0', checked('non-secure')],
  ['Secure state, granules checked', 'el1&0', checked('secure')],
  ['Realm state, granules checked', 'el1&0', checked('realm')],
  ['Realm state, granules checked', 'el2', checked('realm')],
  ['Realm state, granules checked', 'el2&0', checked('realm')],
  ['Non-secure state, granules checked', 'el1&0-nested', checked('non-secure')],
  // QEMU reads tables in Non-secure memory here, whose granules it would check as such.
  ['Realm state', 'el1&0-nested', withRme('realm')],
];

function stage2IsAsked(found: Qemu, [, regime, where]: Part): boolean {
  if (regime !== 'el1&0-nested') return true;
  return (
    survivesStage2Denial(found) && (where === 'nv1' || where.state !== 'secure' || readsSecureStage2(found))
  );
}

/** The parts that QEMU has the features for, by its identification registers. What is left out is said. */
async function partsOf(found: Qemu): Promise<readonly Part[]> {
  const { nv, sel2 } = await featuresOfQemu(found);
  // A QEMU without the option does not start.
  const { rme } = await featuresOfQemu(found, WITH_RME).catch(() => ({ rme: false }));
  const wanted = [
    { feature: 'FEAT_NV', has: nv, parts: NV1 },
    { feature: 'FEAT_SEL2', has: sel2, parts: SECURE },
    { feature: 'FEAT_RME', has: rme, parts: CHECKED },
  ];
  const lacking = wanted.filter(({ has }) => has !== true);
  for (const { feature, parts } of lacking) {
    const names = [...new Set(parts.map(([name]) => name))];
    console.warn(`${title}: not asked for, since this QEMU has no ${feature}: ${names.join('; ')}`);
  }
  const there = wanted.flatMap(({ has, parts }) => (has === true ? parts : []));
  const asked = there.filter((part) => stage2IsAsked(found, part));
  for (const [name, regime] of there.filter((part) => !asked.includes(part))) {
    console.warn(`${title}: not asked for, since this QEMU gets stage 2 wrong: ${name}, ${regime}`);
  }
  return asked;
}

function randomCaseOf(random: Random, space: TableSpace, [, regime, where]: Part, name: string): Case {
  if (where === 'nv1') return randomCaseNv1(random, space, regime, name);
  return randomCaseIn(random, space, regime, where, name);
}

const parts = qemu === undefined ? [] : await partsOf(qemu);
if (qemu === undefined) console.warn(title);

describe.skipIf(parts.length === 0)(title, () => {
  test.each(parts)(
    '%s: %s',
    async (...part) => {
      const [name, regime] = part;
      const index = parts.findIndex((one) => one[0] === name && one[1] === regime);
      const tally = new Tally();
      const wanted = probes / parts.length;
      for (let boot = 0; tally.probes < wanted; boot++) {
        const cases = Math.min(CASES_A_BOOT, Math.ceil((wanted - tally.probes) / 80));
        const batchSeed = partSeed(seed ^ 0x57a7e5, index * 0x1_0000 + boot);
        const batch = makeBatch(batchSeed, cases, (random, space, called) =>
          randomCaseOf(random, space, part, called),
        );
        await compareBatch(qemu as Qemu, batch, tally);
      }
      console.log(`${name}, ${regime}: ${tally.summary()}`);
      const shown = tally.disagreements.slice(0, SHOWN).join('\n');
      expect(shown, `${tally.disagreements.length} disagreements; LPAE_SEED=0x${seed.toString(16)}`).toBe('');
      expect(tally.share('translation by')).toBeGreaterThan(0.05);
    },
    Math.max(120_000, probes * 20),
  );
});
