/** What is asked of a machine: cases (register values over tables in RAM) and the probes of each. */
import type { CpuModel, Regime } from '../../../src/walker/index.ts';

/** Register values by the names that the walker has for them. */
export interface RegisterValues {
  ttbr0: bigint;
  ttbr1: bigint;
  tcr: bigint;
  mair: bigint;
  sctlr: bigint;
  vttbr: bigint;
  vtcr: bigint;
  hcr: bigint;
  dacr: bigint;
  /** Of FEAT_TCR2 and what it turns on. A machine without these features has none of them. */
  tcr2: bigint;
  pir: bigint;
  pire0: bigint;
  mair2: bigint;
  s2pir: bigint;
}

export const NO_REGISTERS: Readonly<RegisterValues> = {
  ttbr0: 0n,
  ttbr1: 0n,
  tcr: 0n,
  mair: 0n,
  sctlr: 0n,
  vttbr: 0n,
  vtcr: 0n,
  hcr: 0n,
  dacr: 0n,
  tcr2: 0n,
  pir: 0n,
  pire0: 0n,
  mair2: 0n,
  s2pir: 0n,
};

export interface Probe {
  readonly va: bigint;
  readonly access: 'read' | 'write' | 'execute';
  readonly privileged: boolean;
  /** PSTATE.PAN counts. */
  readonly pan?: boolean;
}

/** One set of register values, and what is asked under it. */
export interface Case {
  /** What it is, for reports: where a generator made it, and from which seed. */
  readonly name: string;
  readonly regime: Regime;
  readonly cpu: CpuModel;
  readonly registers: Readonly<RegisterValues>;
  readonly probes: readonly Probe[];
  /** The program loads the registers of FEAT_TCR2 too. All cases of a boot agree in that. */
  readonly extended?: boolean;
  /** Room for two tables that no table of the case uses: its PA, and its address in stage 1's output space. */
  readonly scratch: Frame;
}

/** Memory for a table: its PA, and its address as a descriptor names it, an IPA under stage 2. */
export interface Frame {
  readonly pa: number;
  readonly address: number;
}

/** What QEMU's CPU answered to one probe. */
export interface CpuAnswer {
  /** PAR_EL1 (or PAR) afterwards. */
  readonly par: bigint;
  /** The syndrome of the exception that the instruction took instead (an external abort on the walk), else 0. */
  readonly esr: bigint;
}
