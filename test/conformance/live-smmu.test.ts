/** Random streams, on a new seed each run: the SMMU's answers to transactions of a PCI device against those of QEMU's SMMUv3. */
import { describe, expect, test } from 'vitest';
import { compareStreams } from './qemu/compare-smmu.ts';
import type { Qemu } from './qemu/emulator.ts';
import { Tally } from './qemu/report.ts';
import { partSeed, readSettings } from './qemu/settings.ts';
import type { StreamKind } from './qemu/smmu-cases.ts';
import { SmmuMachine } from './qemu/smmu-machine.ts';

const { qemu, seed, probes, title } = readSettings();
const SHOWN = 5;
/** QEMU's SMMU has a stage 2 that can be relied on, and nested streams, from 9.1 on. */
const KINDS: readonly StreamKind[] =
  qemu && qemu.release >= 901 ? ['stage 1', 'stage 2', 'nested'] : ['stage 1'];

const PARTS = [false, true].flatMap((broken) =>
  KINDS.map((kind) => [`SMMUv3 ${kind}${broken ? ', one field broken' : ''}`, kind, broken] as const),
);

describe.skipIf(qemu === undefined)(title, () => {
  test.each(PARTS)(
    '%s',
    async (what, kind, broken) => {
      const { release } = qemu as Qemu;
      const machine = await SmmuMachine.start(qemu as Qemu);
      const tally = new Tally();
      try {
        const identification = await machine.identification();
        const part = KINDS.indexOf(kind) * 2 + Number(broken);
        for (let batch = 0; tally.probes < probes / (broken ? 20 : 10); batch++) {
          const batchSeed = partSeed(seed, 0x2000_0000 + part * 0x400_0000 + batch);
          await compareStreams(machine, identification, release, kind, batchSeed, tally, broken);
        }
      } finally {
        await machine.dispose();
      }
      console.log(`${what}: ${tally.summary()}`);
      const shown = tally.disagreements.slice(0, SHOWN).join('\n');
      expect(shown, `${tally.disagreements.length} disagreements; LPAE_SEED=0x${seed.toString(16)}`).toBe('');
      expect(tally.share('translation by')).toBeGreaterThan(broken ? 0 : kind === 'nested' ? 0.08 : 0.2);
    },
    Math.max(120_000, probes * 20),
  );
});
