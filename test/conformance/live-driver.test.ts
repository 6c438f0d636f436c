/** Tables made by the driver side, of every format and granule: intent, walker and QEMU must agree, at every edge. */
import { describe, expect, test } from 'vitest';
import { PhysicalMemory } from '../../src/index.ts';
import { type Config, configs, needsTcr2 } from '../support/configs.ts';
import { Random } from '../support/random.ts';
import { askCpu, CPU_RAM_BYTES } from './qemu/batch.ts';
import { agrees } from './qemu/compare-cpu.ts';
import { type DriverCase, driverCase, flushDomain } from './qemu/driver-tables.ts';
import { type Qemu, RAM_BASE, SharedRam } from './qemu/emulator.ts';
import { deviationsOf, expectation } from './qemu/expectation.ts';
import { offIntent } from './qemu/intent.ts';
import { TABLES_BASE } from './qemu/prober-a64.ts';
import { disagreement, Tally } from './qemu/report.ts';
import { partSeed, readSettings, survivesStage2Denial } from './qemu/settings.ts';

const { qemu, seed, title } = readSettings();

describe.skipIf(qemu === undefined)(title, () => {
  test.each(['max', 'cortex-a15'])('every configuration that %s can walk', async (cpu) => {
    const random = new Random(partSeed(seed, 0x1000_0000));
    const memory = new PhysicalMemory({ base: BigInt(RAM_BASE), size: BigInt(CPU_RAM_BYTES) });
    const all = configs
      .filter(isOfCpu)
      .map((config, i) =>
        driverCase(random.fork(), memory, TABLES_BASE, i, config, survivesStage2Denial(qemu as Qemu)),
      );
    const mine = all.filter(({ one }) => one.cpu === cpu);
    const tally = new Tally();
    await compare(qemu as Qemu, memory, mine, tally);
    console.log(`domains on ${cpu}: ${mine.length} configurations, ${tally.summary()}`);
    expect(tally.disagreements.slice(0, 5).join('\n'), `LPAE_SEED=0x${seed.toString(16)}`).toBe('');
    expect(tally.probes).toBeGreaterThan(mine.length * 100);
  });
});

/** A CPU of Arm's has neither a GPU's MMU, nor MediaTek's, nor RISC-V's. The probing program sets no TCR2_EL1. */
function isOfCpu(config: Config): boolean {
  const { format, options } = config;
  if (needsTcr2(config)) return false;
  const foreign = format.name === 'arm_mali_lpae' || format.name === 'riscv_64';
  return !foreign && options.quirks?.includes('arm_mtk_ext') !== true;
}

async function compare(
  qemu: Qemu,
  memory: PhysicalMemory,
  all: readonly DriverCase[],
  tally: Tally,
): Promise<void> {
  const ram = new SharedRam(CPU_RAM_BYTES);
  try {
    for (const { domain } of all) flushDomain(domain, ram);
    const answers = await askCpu(
      qemu,
      ram,
      all.map(({ one }) => one),
    );
    const rules = deviationsOf(qemu.release);
    for (const [i, { one, intents, domain }] of all.entries()) {
      for (const [j, probe] of one.probes.entries()) {
        const got = answers[i]?.[j];
        if (got === undefined) throw new Error(`no answer to probe ${j} of ${one.name}`);
        const expected = expectation(memory, rules, one, probe);
        tally.add(expected.result, expected.rules);
        const off = offIntent(intents[j], probe, domain.format, expected.result);
        if (off === undefined && agrees(expected, got)) continue;
        tally.disagreements.push(`${off ?? 'QEMU disagrees'}: ${disagreement(one, probe, expected, got)}`);
      }
    }
  } finally {
    ram.dispose();
  }
}
