/** What QEMU's CPU says of itself: a program at EL3 reads the identification registers and leaves them in RAM. (DDI 0487 D24.2.) */
import { identifiedFeatures } from '../../../src/walker/identification.ts';
import type { CpuFeatures } from '../../../src/walker/index.ts';
import { A64 } from './a64.ts';
import { type Qemu, run, SharedRam } from './emulator.ts';
import { APPLICATION_EXIT, CASES_BASE, PROGRAM_BASE, SYS_EXIT } from './prober-a64.ts';
import { IDENTIFICATION } from './system-names.ts';

const RAM_BYTES = 0x200_0000;

function reader(): Uint32Array {
  const a = new A64().mov(19, BigInt(CASES_BASE));
  for (const register of Object.values(IDENTIFICATION)) a.mrs(0, register).storeNext(0, 19);
  a.adr(1, 'reason').mov(0, SYS_EXIT).semihosting();
  a.align(8).label('reason').word(Number(APPLICATION_EXIT)).word(0).word(0).word(0);
  return a.assemble();
}

/** The features that QEMU's `max` (or another CPU of its) has, by its own identification registers. */
export async function featuresOfQemu(qemu: Qemu, cpu = 'max'): Promise<Partial<CpuFeatures>> {
  const ram = new SharedRam(RAM_BYTES);
  try {
    ram.writeWords32(PROGRAM_BASE, reader());
    await run(qemu, { cpu, machine: 'virtualization=on,secure=on', ram, entry: PROGRAM_BASE });
    const names = Object.keys(IDENTIFICATION);
    const words = new BigUint64Array(ram.read(CASES_BASE, names.length * 8));
    return identifiedFeatures(Object.fromEntries(names.map((name, i) => [name, words[i] ?? 0n])));
  } finally {
    ram.dispose();
  }
}
