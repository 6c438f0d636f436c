/** Batches of random cases on one boot each: made, asked, compared. */

import { Random } from '../../support/random.ts';
import { askCpu, CPU_RAM_BYTES } from './batch.ts';
import { type Qemu, RAM_BASE, SharedRam } from './emulator.ts';
import { deviationsOf, type Expected, expectation } from './expectation.ts';
import type { Case, CpuAnswer } from './probe.ts';
import { TABLES_BASE } from './prober-a64.ts';
import { disagreement, hex, type Tally } from './report.ts';
import { TableSpace } from './table-space.ts';

/** Cases of one boot, with the memory that they share. */
export interface Batch {
  readonly space: TableSpace;
  readonly cases: readonly Case[];
}

export type CaseMaker = (random: Random, space: TableSpace, name: string) => Case;

/** Makes a batch; the same seed makes the same batch. */
export function makeBatch(seed: number, count: number, make: CaseMaker): Batch {
  const random = new Random(seed);
  const space = new TableSpace(random, { base: TABLES_BASE, ramBytes: CPU_RAM_BYTES });
  const cases = Array.from({ length: count }, (_, i) =>
    make(random.fork(), space, `batch ${hex(seed)} case ${i}`),
  );
  return { space, cases };
}

/** IL of a syndrome without ISV says nothing in ARMv7. */
const SYNDROME = ~(1n << 25n);

/** Whether QEMU answered as expected. An exception leaves PAR as it was, so that only its syndrome counts. */
export function agrees(expected: CpuAnswer, got: CpuAnswer): boolean {
  if (expected.esr !== 0n) return (expected.esr & SYNDROME) === (got.esr & SYNDROME);
  return got.esr === 0n && expected.par === got.par;
}

/**
 * Whether a descriptor was fetched from where the `virt` machine has devices: below RAM, and its PCIe windows. There the walker has
 * nothing, and what the machine answers is no matter of translation.
 */
function fetchesFromDevice({ result }: Expected): boolean {
  const at = result.ok ? undefined : result.fault.fetchAddress;
  return at !== undefined && (at < RAM_BASE || (at >= 0x40_0000_0000n && at < 0x100_0000_0000n));
}

/** Asks QEMU and compares every probe, and then the tables: hardware updates must be the same. */
export async function compareBatch(qemu: Qemu, { space, cases }: Batch, tally: Tally): Promise<void> {
  const ram = new SharedRam(CPU_RAM_BYTES);
  try {
    space.flush(ram);
    const answers = await askCpu(qemu, ram, cases);
    const rules = deviationsOf(qemu.release);
    cases.forEach((one, i) => {
      one.probes.forEach((probe, j) => {
        const got = answers[i]?.[j];
        if (got === undefined) throw new Error(`no answer to probe ${j} of ${one.name}`);
        const expected = expectation(space.memory, rules, one, probe);
        if (fetchesFromDevice(expected)) {
          tally.notAsked++;
          return;
        }
        tally.add(expected.result, expected.rules);
        if (!agrees(expected, got)) tally.disagreements.push(disagreement(one, probe, expected, got));
      });
    });
    for (const { pa, walker, qemu: theirs } of space.differences(ram)) {
      tally.disagreements.push(
        `${cases[0]?.name.replace(/ case.*/, '')}: the word at ${hex(pa)} is ${hex(theirs)} after QEMU, ${hex(walker)} after the walker`,
      );
    }
  } finally {
    ram.dispose();
  }
}
