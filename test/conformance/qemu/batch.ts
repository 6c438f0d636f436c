/** One boot of QEMU for cases of one CPU model that share RAM: which machine it is, and what it answered. */
import { cpuFeatures } from '../../../src/walker/cpu.ts';
import { type Qemu, run, type SharedRam } from './emulator.ts';
import type { Case, CpuAnswer } from './probe.ts';
import { answersA32, loadA32 } from './prober-a32.ts';
import { answersA64, loadA64, PROGRAM_BASE } from './prober-a64.ts';

/** RAM of the CPU machines: 1 GiB from RAM_BASE on. */
export const CPU_RAM_BYTES = 0x4000_0000;

/** QEMU's CPU with FEAT_RME, which is an experimental option. */
export const WITH_RME = 'max,x-rme=on';

/** Boots QEMU for cases of one model. The tables are in `ram` already. */
export async function askCpu(qemu: Qemu, ram: SharedRam, cases: readonly Case[]): Promise<CpuAnswer[][]> {
  const model = cases[0]?.cpu ?? 'max';
  if (cpuFeatures(model).armv7) {
    loadA32(ram, cases);
    await run(qemu, { cpu: model, machine: 'virtualization=on', ram, entry: PROGRAM_BASE });
    return answersA32(ram, cases);
  }
  loadA64(ram, cases, cpuFeatures(model).pan);
  const machine = 'virtualization=on,secure=on';
  await run(qemu, { cpu: cases[0]?.security?.rme ? WITH_RME : model, machine, ram, entry: PROGRAM_BASE });
  return answersA64(ram, cases);
}
