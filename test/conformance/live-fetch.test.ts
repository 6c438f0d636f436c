/** Execute permission by real instruction fetches at EL1 and EL0, on tables of the driver side: intent, walker and QEMU must agree. */
import { describe, expect, test } from 'vitest';
import { PhysicalMemory, type Prot } from '../../src/index.ts';
import { faultStatusCode } from '../../src/walker/fault-codes.ts';
import { createWalker, type WalkResult } from '../../src/walker/index.ts';
import { configs, needsTcr2 } from '../support/configs.ts';
import { Random } from '../support/random.ts';
import { CPU_RAM_BYTES } from './qemu/batch.ts';
import { type DriverFetches, driverFetches } from './qemu/driver-fetches.ts';
import { flushDomain } from './qemu/driver-tables.ts';
import { type Qemu, RAM_BASE, run, SharedRam } from './qemu/emulator.ts';
import { PROGRAM_BASE, TABLES_BASE } from './qemu/prober-a64.ts';
import {
  type Fetch,
  type FetchAnswer,
  FP_INSTRUCTION,
  fetchAnswers,
  loadFetches,
} from './qemu/prober-exec.ts';
import { hex, outcomeOf } from './qemu/report.ts';
import { partSeed, readSettings } from './qemu/settings.ts';

const { qemu, seed, title } = readSettings();
const STAGE_1 = configs.filter(
  (config) => config.format.name === 'arm_64_lpae_s1' && config.options.ias <= 48 && !needsTcr2(config),
);

describe.skipIf(qemu === undefined)(title, () => {
  test('every combination of write, priv, noexec and WXN, at every leaf size', async () => {
    const random = new Random(partSeed(seed, 0x3000_0000));
    const memory = new PhysicalMemory({ base: BigInt(RAM_BASE), size: BigInt(CPU_RAM_BYTES) });
    const all = STAGE_1.flatMap((config, i) =>
      [false, true].map((wxn, j) =>
        driverFetches(random.fork(), memory, TABLES_BASE, i * 2 + j, config, wxn),
      ),
    );
    const answers = await ask(qemu as Qemu, all);
    const wrong: string[] = [];
    let fetches = 0;
    let executed = 0;
    for (const [i, { one, prots }] of all.entries()) {
      const walker = createWalker(memory, { regime: 'el1&0', registers: one.registers, cpu: 'max' });
      for (const [j, fetch] of one.fetches.entries()) {
        const got = answers[i]?.[j];
        const walk = walker.walk(fetch.va, { access: 'execute', privileged: fetch.privileged });
        const wxn = one.name.endsWith('WXN');
        fetches++;
        if (walk.ok) executed++;
        const agree =
          got !== undefined && same(walk, fetch, got) && walk.ok === isExecutable(prots[j], fetch, wxn);
        if (agree) continue;
        wrong.push(
          `${one.name}: fetch of ${hex(fetch.va)} at ${fetch.privileged ? 'EL1' : 'EL0'} under ${JSON.stringify(prots[j])}: ` +
            `walker ${outcomeOf(walk)}, QEMU ELR ${hex(got?.elr ?? 0n)} ESR_EL1 ${hex(got?.esr ?? 0n)}`,
        );
      }
    }
    console.log(`fetches on max: ${fetches} in ${all.length} domains, ${executed} executed`);
    expect(
      wrong.slice(0, 5).join('\n'),
      `${wrong.length} disagreements; LPAE_SEED=0x${seed.toString(16)}`,
    ).toBe('');
    expect(executed).toBeGreaterThan(fetches / 10);
  });
});

/** What the driver meant: noexec is for both levels, what EL0 may write EL1 never executes, and with WXN nobody what it may write. */
function isExecutable(prot: Prot | undefined, { privileged }: Fetch, wxn: boolean): boolean {
  if (prot === undefined || prot.noexec) return false;
  const { write = false, priv = false } = prot;
  if (privileged) return !write || (priv && !wxn);
  // AP = 0b00 and 0b10 give EL0 no data access, but leave execution to UXN.
  return !(write && !priv && wxn);
}

/** Executed where it was: the trap came from the address. Otherwise ESR_EL1 holds an instruction abort with the fault's code. */
function same(walk: WalkResult, { va, privileged }: Fetch, { elr, esr }: FetchAnswer): boolean {
  if (walk.ok) return elr === va && esr === 0n;
  const abort = privileged ? 0x21n : 0x20n;
  return elr !== va && esr >> 26n === abort && Number(esr & 0x3fn) === faultStatusCode(walk.fault);
}

async function ask(qemu: Qemu, all: readonly DriverFetches[]): Promise<FetchAnswer[][]> {
  const ram = new SharedRam(CPU_RAM_BYTES);
  try {
    for (const { domain, targets } of all) {
      flushDomain(domain, ram);
      for (const pa of targets) ram.writeWords32(pa, Uint32Array.of(FP_INSTRUCTION));
    }
    const cases = all.map(({ one }) => one);
    loadFetches(ram, cases);
    await run(qemu, { cpu: 'max', machine: 'virtualization=on,secure=on', ram, entry: PROGRAM_BASE });
    return fetchAnswers(ram, cases);
  } finally {
    ram.dispose();
  }
}
