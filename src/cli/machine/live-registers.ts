/** Register values of a running machine: those of a CPU by the names of its description, those of an SMMUv3 from its memory-mapped registers. */
import { SMMU_OFFSETS } from '../../arch/smmu/offsets.ts';
import type { GdbMachine } from '../../gdb/machine.ts';
import { ImageError } from '../../image/errors.ts';
import { kindOf } from '../../machine/registers/names.ts';
import { hex } from '../../text/numbers.ts';
import type { RegisterFile } from '../input/registers.ts';
import type { TargetOptions } from './options.ts';

interface Found {
  readonly file: RegisterFile;
  readonly notes: readonly string[];
}

/** Registers that a walk may depend on, or that are reported as ignored. */
const WANTED: readonly string[] = ['translation', 'unmodelled', 'state'];

/** QEMU names some registers as in the other Execution state. */
const NAMES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  aarch64: { SCTLR: 'SCTLR_EL1' },
  arm: {
    TTBR0_EL1: 'TTBR0',
    TTBR1_EL1: 'TTBR1',
    TCR_EL1: 'TTBCR',
    SCTLR_EL1: 'SCTLR',
    TTBR0_EL2: 'HTTBR',
    TCR_EL2: 'HTCR',
    SCTLR_EL2: 'HSCTLR',
    VTTBR_EL2: 'VTTBR',
    VTCR_EL2: 'VTCR',
    HCR_EL2: 'HCR',
  },
};

/** SCR.NS and SCR_EL3.NS: PL1 is Non-secure. */
const NON_SECURE = 1n;

/** Everything that a walk reads from a CPU, for all Exception levels. Of banked registers only the bank of the requested Security state, by default the current one. */
export function peRegisters(machine: GdbMachine, { registers, cpuNumber, security }: TargetOptions): Found {
  const { description, cpus } = machine.facts;
  const { architecture = '' } = description;
  const listed = new Set(description.registers.map(({ name }) => name));
  const given: Record<string, bigint> = {};
  // A file takes their place.
  const wanted = registers === undefined ? description.registers : [];
  for (const { name: written, number, bits } of wanted) {
    const [, plain = written, bank = ''] = /^(.+?)(_N?S)?$/.exec(written) ?? [];
    const renamed = NAMES[architecture]?.[plain];
    const name = renamed === undefined ? written : `${renamed}${bank}`;
    // Of two views of one register, use the one with its proper name: the other may be half of it.
    if (renamed !== undefined && listed.has(name)) continue;
    if (bits > 64 || !WANTED.includes(kindOf((renamed ?? plain).toUpperCase()))) continue;
    const value = machine.register(number);
    if (value !== undefined) given[name] ??= value;
  }
  const banked = Object.keys(given).filter((name) => name.endsWith('_S'));
  const scr = given.SCR ?? given.SCR_EL3;
  const secure =
    security === undefined ? scr !== undefined && (scr & NON_SECURE) === 0n : security === 'secure';
  for (const name of banked) delete given[secure ? name.slice(0, -2) : name];
  const notes =
    cpus > 1 && cpuNumber === undefined && registers === undefined
      ? [`registers are those of CPU 0, of ${cpus}: --cpu-number says another`]
      : [];
  if (banked.length > 0) {
    const why = security === undefined ? 'SCR.NS says so: --security says another' : 'as --security says';
    notes.push(`banked registers are those of ${secure ? 'Secure' : 'Non-secure'} state, ${why}`);
  }
  return { file: { given, cpu: {} }, notes };
}

/** @throws ImageError if no SMMUv3 answers. */
export function smmuRegisters(machine: GdbMachine, base: bigint): Found {
  const given: Record<string, bigint> = {};
  for (const [name, { offset, bits }] of Object.entries(SMMU_OFFSETS)) {
    let value = 0n;
    // In 32-bit words: a 64-bit register may be read as two.
    for (let at = 0; at < bits / 8; at += 4) {
      const bytes = machine.read(base + BigInt(offset + at), 4);
      if (bytes.length < 4) throw new ImageError(machine.name, `nothing can be read at ${hex(base)}`);
      value |= BigInt(new DataView(bytes.buffer).getUint32(0, true)) << BigInt(8 * at);
    }
    given[name] = value;
  }
  if (given.idr0 === 0n && given.idr5 === 0n) {
    throw new ImageError(machine.name, `there is no SMMUv3 at ${hex(base)}: SMMU_IDR0 and SMMU_IDR5 read 0`, {
      hint: "--smmu takes the PA of its first register page; of QEMU's virt machine it is 0x0905_0000",
    });
  }
  return { file: { given, regime: 'smmuv3', cpu: {} }, notes: [] };
}
