/**
 * The ARMv7 probing program: it runs in Hyp mode with its own MMU off, loads the registers of each case, executes one address
 * translation operation a probe, and leaves PAR in the probe's place. (DDI 0406C B3.13; DDI 0487 G8.3.)
 */
import { A32, type CoprocessorName, type WideName } from './a32.ts';
import type { SharedRam } from './emulator.ts';
import type { Case, CpuAnswer, Probe } from './probe.ts';
import { CASES_BASE, PROGRAM_BASE, TABLES_BASE, VECTORS_BASE } from './prober-a64.ts';

const HVBAR: CoprocessorName = [4, 12, 0, 0];
const HSR: CoprocessorName = [4, 5, 2, 0];
const HCR: CoprocessorName = [4, 1, 1, 0];
const VTCR: CoprocessorName = [4, 2, 1, 2];
const TTBCR: CoprocessorName = [0, 2, 0, 2];
const MAIR0: CoprocessorName = [0, 10, 2, 0];
const MAIR1: CoprocessorName = [0, 10, 2, 1];
const DACR: CoprocessorName = [0, 3, 0, 0];
const SCTLR: CoprocessorName = [0, 1, 0, 0];
const TLBIALLNSNH: CoprocessorName = [4, 8, 7, 4];
const VTTBR: WideName = [6, 2];
const TTBR0: WideName = [0, 2];
const TTBR1: WideName = [1, 2];
const PAR: WideName = [0, 7];

/** TTBCR comes first: EAE decides what MAIR and the TTBRs are. */
const CASE_REGISTERS = [HCR, VTCR, TTBCR, MAIR0, MAIR1, DACR, SCTLR] as const;
const WIDE_REGISTERS = [VTTBR, TTBR0, TTBR1] as const;
const CASE_WORDS = 1 + CASE_REGISTERS.length + 2 * WIDE_REGISTERS.length;

/** ATS1CPR, CPW, CUR, CUW, then ATS12NSOPR, PW, UR, UW: CRn c7, CRm c8, opc2 0 to 7. */
const OPERATIONS: readonly CoprocessorName[] = Array.from({ length: 8 }, (_, opc2) => [0, 7, 8, opc2]);
const SYS_EXIT = 0x18;
const APPLICATION_EXIT = 0x2_0026;

/** R8: where the next word is read. R7: probes left. R6: the syndrome of this probe. */
function program(): { readonly program: Uint32Array; readonly vectors: Uint32Array } {
  const a = new A32();
  a.mov(0, VECTORS_BASE).mcr(HVBAR, 0).mov(8, CASES_BASE);
  a.label('case').loadNext(7, 8).subtract(7, 7, 0).branchIfZero('exit');
  for (const register of CASE_REGISTERS) a.loadNext(0, 8).mcr(register, 0);
  for (const register of WIDE_REGISTERS) a.loadNext(0, 8).loadNext(1, 8).mcrr(register, 0, 1);
  a.barrier().mcr(TLBIALLNSNH, 0).barrier();
  // A probe is an address, an index and two words of room; PAR and the syndrome take their place.
  a.label('probe').load(0, 8, 0).load(1, 8, 4).mov(6, 0);
  a.jumpTable(1).word(0);
  for (const operation of OPERATIONS) a.mcr(operation, 0).branch('answer');
  a.label('answer').barrier().mrrc(2, 3, PAR);
  a.storeNext(2, 8).storeNext(3, 8).storeNext(6, 8).mov(2, 0).storeNext(2, 8);
  a.subtract(7, 7, 1).branchUnlessZero('probe').branch('case');
  a.label('exit').mov(0, SYS_EXIT).mov(1, APPLICATION_EXIT).semihosting();

  // A data abort in Hyp mode (offset 0x10) is an operation that failed: note why, and go on behind it.
  const v = new A32().padTo(0x10);
  v.mrc(6, HSR).readElrHyp(3).add(3, 3, 4).writeElrHyp(3).eret();
  return { program: a.assemble(), vectors: v.assemble() };
}

function operationOf(regime: Case['regime'], { access, privileged }: Probe): number {
  // With stage 2 off, ATS12NSO* is stage 1 alone; and from Hyp mode only it answers in the short format.
  const both = regime !== 'pl1&0';
  return (both ? 4 : 0) + (privileged ? 0 : 2) + (access === 'write' ? 1 : 0);
}

function registerWords({ registers: r }: Case): number[] {
  const low = (value: bigint): number => Number(value & 0xffff_ffffn);
  const high = (value: bigint): number => Number(value >> 32n);
  const single = [r.hcr, r.vtcr, r.tcr, r.mair, r.mair >> 32n, r.dacr, r.sctlr].map(low);
  return [...single, ...[r.vttbr, r.ttbr0, r.ttbr1].flatMap((value) => [low(value), high(value)])];
}

/** Writes the program and its cases. @throws Error when they do not fit. */
export function loadA32(ram: SharedRam, cases: readonly Case[]): void {
  const code = program();
  ram.writeWords32(PROGRAM_BASE, code.program);
  ram.writeWords32(VECTORS_BASE, code.vectors);
  const words: number[] = [];
  for (const one of cases) {
    words.push(one.probes.length, ...registerWords(one));
    for (const probe of one.probes) {
      words.push(Number(probe.va & 0xffff_ffffn), operationOf(one.regime, probe), 0, 0);
    }
  }
  words.push(0);
  if (CASES_BASE + words.length * 4 > TABLES_BASE)
    throw new Error(`${words.length} words of cases do not fit`);
  ram.writeWords32(CASES_BASE, Uint32Array.from(words));
}

/** What the program left, case by case. */
export function answersA32(ram: SharedRam, cases: readonly Case[]): CpuAnswer[][] {
  let at = CASES_BASE;
  return cases.map(({ probes }) => {
    at += CASE_WORDS * 4;
    const words = new BigUint64Array(ram.read(at, probes.length * 16));
    at += probes.length * 16;
    return probes.map((_, i) => ({ par: words[i * 2] ?? 0n, esr: words[i * 2 + 1] ?? 0n }));
  });
}
