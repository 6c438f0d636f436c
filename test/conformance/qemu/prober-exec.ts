/**
 * The fetching program: from EL3 it returns to an address at EL1 or EL0 and sees what comes back. What lies there (and at EL1's
 * vectors) is an FP instruction, which CPTR_EL3.TFP traps to EL3 from every level: either from the address itself, which then was
 * executed, or from EL1's vectors, whose ESR_EL1 says why not. (DDI 0487 D1.3, D24.2.35 CPTR_EL3, D24.2.43 ESR_EL1.)
 */
import { A64, type SystemName } from './a64.ts';
import type { SharedRam } from './emulator.ts';
import type { RegisterValues } from './probe.ts';
import { CASES_BASE, PROGRAM_BASE, TABLES_BASE, VECTORS_BASE } from './prober-a64.ts';
import * as sys from './system-names.ts';

/** FMOV D0, D0. */
export const FP_INSTRUCTION = 0x1e60_4000;

/** A fetch at an address. */
export interface Fetch {
  readonly va: bigint;
  readonly privileged: boolean;
}

export interface FetchCase {
  readonly name: string;
  readonly registers: Readonly<RegisterValues>;
  /** Where EL1's vectors are, through the other half of the address space. */
  readonly vbar: bigint;
  readonly fetches: readonly Fetch[];
}

/** Where the FP instruction was trapped, and ESR_EL1. */
export interface FetchAnswer {
  readonly elr: bigint;
  readonly esr: bigint;
}

const CASE_REGISTERS: readonly SystemName[] = [
  sys.TCR_EL1,
  sys.MAIR_EL1,
  sys.TTBR0_EL1,
  sys.TTBR1_EL1,
  sys.SCTLR_EL1,
  sys.VBAR_EL1,
];

const SCR = 1n | (0b11n << 4n) | (1n << 3n) | (1n << 8n) | (1n << 10n);
const TFP = 1n << 10n;
const HCR_RW = 1n << 31n;
const FPEN = 3n << 20n;
/** SPSR: interrupts masked, EL1 with its own stack pointer, or EL0. */
const EL1H = 0x3c5n;
const EL0T = 0x3c0n;

/** x19: where the next word is read. x20: fetches left. */
function program(): { readonly program: Uint32Array; readonly vectors: Uint32Array } {
  const a = new A64();
  a.mov(0, BigInt(VECTORS_BASE)).msr(sys.VBAR_EL3, 0);
  a.mov(0, SCR).msr(sys.SCR_EL3, 0).mov(0, TFP).msr(sys.CPTR_EL3, 0);
  a.mov(0, HCR_RW).msr(sys.HCR_EL2, 0).mov(0, FPEN).msr(sys.CPACR_EL1, 0);
  a.mov(19, BigInt(CASES_BASE));
  a.label('case').loadNext(20, 19).branchIfZero(20, 'exit');
  for (const register of CASE_REGISTERS) a.loadNext(0, 19).msr(register, 0);
  a.barrier().sys(sys.TLBI_ALLE1).barrier();
  a.label('fetch').load(0, 19).load(1, 19, 8);
  a.msr(sys.ELR_EL3, 0).msr(sys.SPSR_EL3, 1).mov(2, 0n).msr(sys.ESR_EL1, 2);
  a.sys(sys.IC_IALLU).barrier().eret();
  a.label('exit').adr(1, 'reason').mov(0, 0x18n).semihosting();
  a.align(8).label('reason').word(0x2_0026).word(0).word(0).word(0);
  // The vector is at a fixed distance: it comes back here.
  a.align(0x1000).label('answer');
  a.mrs(2, sys.ELR_EL3).storeNext(2, 19).mrs(2, sys.ESR_EL1).storeNext(2, 19);
  a.subImmediate(20, 20, 1).branchUnlessZero(20, 'fetch').branch('case');
  const words = a.assemble();
  const answer = PROGRAM_BASE + Math.floor((words.length * 4 - 1) / 0x1000) * 0x1000;
  // From a lower level that uses AArch64: offset 0x400.
  const v = new A64().align(0x800, 0x400).mov(3, BigInt(answer)).branchTo(3);
  return { program: words, vectors: v.assemble() };
}

/** Writes the program and its cases. @throws Error when they do not fit. */
export function loadFetches(ram: SharedRam, cases: readonly FetchCase[]): void {
  const code = program();
  ram.writeWords32(PROGRAM_BASE, code.program);
  ram.writeWords32(VECTORS_BASE, code.vectors);
  const words: bigint[] = [];
  for (const { registers: r, vbar, fetches } of cases) {
    words.push(BigInt(fetches.length), r.tcr, r.mair, r.ttbr0, r.ttbr1, r.sctlr, vbar);
    for (const { va, privileged } of fetches) words.push(va, privileged ? EL1H : EL0T);
  }
  words.push(0n);
  if (CASES_BASE + words.length * 8 > TABLES_BASE)
    throw new Error(`${words.length} words of fetches do not fit`);
  ram.writeWords64(CASES_BASE, words);
}

/** What the program left, case by case. */
export function fetchAnswers(ram: SharedRam, cases: readonly FetchCase[]): FetchAnswer[][] {
  let at = CASES_BASE;
  return cases.map(({ fetches }) => {
    at += 8 * (1 + CASE_REGISTERS.length);
    const words = new BigUint64Array(ram.read(at, fetches.length * 16));
    at += fetches.length * 16;
    return fetches.map((_, i) => ({ elr: words[i * 2] ?? 0n, esr: words[i * 2 + 1] ?? 0n }));
  });
}
