/** What is asked of a machine: cases (register values over tables in RAM) and the probes of each. */
import type { CpuModel, Regime, SecurityState } from '../../../src/walker/index.ts';

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
  /** Stage 2 of Secure IPAs, and granule protection checks. */
  vsttbr: bigint;
  vstcr: bigint;
  gptbr: bigint;
  gpccr: bigint;
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
  vsttbr: 0n,
  vstcr: 0n,
  gptbr: 0n,
  gpccr: 0n,
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
  /** The Security state of the accesses, which the program chooses by SCR_EL3. All cases of a boot have one, or none of them has. */
  readonly security?: CaseSecurity;
  /** The level 1 entry of the granule protection table for an address of RAM. */
  granuleEntry?(pa: number): { readonly at: number; readonly word: bigint; readonly granuleLog2: number };
  /** Room for two tables that no table of the case uses: its PA, and its address in stage 1's output space. */
  readonly scratch: Frame;
}

/** Where a case runs. */
export interface CaseSecurity {
  readonly state: Exclude<SecurityState, 'root'>;
  /** SCR_EL3.EEL2: Secure state has an EL2. */
  readonly eel2?: boolean;
  /** A machine with FEAT_RME, and whether it checks granules. */
  readonly rme: boolean;
  readonly checked?: boolean;
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
