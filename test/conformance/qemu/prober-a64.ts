/**
 * The AArch64 probing program: it runs at EL3 with its own MMU off, loads the registers of each case, executes one address
 * translation instruction a probe, and leaves PAR_EL1 in the probe's place. (DDI 0487 C5.5 AT, D24.2.145 PAR_EL1.)
 */
import { A64, type SystemName } from './a64.ts';
import { RAM_BASE, type SharedRam } from './emulator.ts';
import type { Case, CaseSecurity, CpuAnswer, Probe, RegisterValues } from './probe.ts';
import * as sys from './system-names.ts';

/** The program, then the vectors, then the cases: everything below `TABLES_BASE` is the prober's. (QEMU starts RAM with a device tree.) */
export const PROGRAM_BASE = RAM_BASE + 0x40_0000;
export const VECTORS_BASE = PROGRAM_BASE + 0x8000;
export const CASES_BASE = PROGRAM_BASE + 0x1_0000;
export const TABLES_BASE = RAM_BASE + 0x200_0000;

/** Registers of a case, in the order of its words in RAM. */
const CASE_REGISTERS: readonly SystemName[] = [
  sys.HCR_EL2,
  sys.VTCR_EL2,
  sys.VTTBR_EL2,
  sys.TCR_EL1,
  sys.MAIR_EL1,
  sys.TTBR0_EL1,
  sys.TTBR1_EL1,
  sys.SCTLR_EL1,
  sys.TCR_EL2,
  sys.MAIR_EL2,
  sys.TTBR0_EL2,
  sys.TTBR1_EL2,
  sys.SCTLR_EL2,
];

/** More of them, on a machine that has FEAT_TCR2, S1PIE, S2PIE and AIE. */
const EXTENDED_REGISTERS: readonly SystemName[] = [
  sys.TCR2_EL1,
  sys.PIR_EL1,
  sys.PIRE0_EL1,
  sys.MAIR2_EL1,
  sys.TCR2_EL2,
  sys.PIR_EL2,
  sys.PIRE0_EL2,
  sys.MAIR2_EL2,
  sys.S2PIR_EL2,
  sys.HCRX_EL2,
];

/** On a machine with FEAT_SEL2: SCR_EL3 comes last, since it decides what the other registers mean. */
const SECURE_REGISTERS: readonly SystemName[] = [sys.VSTTBR_EL2, sys.VSTCR_EL2, sys.SCR_EL3];
/** With FEAT_RME too. The table comes before the register that turns checks on. */
const GRANULE_REGISTERS: readonly SystemName[] = [sys.GPTBR_EL3, sys.GPCCR_EL3];

/** All cases of a boot have the same registers. */
function registersOf([first]: readonly Case[]): readonly SystemName[] {
  return [
    ...CASE_REGISTERS,
    ...(first?.extended ? EXTENDED_REGISTERS : []),
    ...(first?.security ? SECURE_REGISTERS : []),
    ...(first?.security?.rme ? GRANULE_REGISTERS : []),
  ];
}

/** The instructions that a probe can name, by index. */
const OPERATIONS = [
  sys.AT_S1E1R,
  sys.AT_S1E1W,
  sys.AT_S1E0R,
  sys.AT_S1E0W,
  sys.AT_S1E1RP,
  sys.AT_S1E1WP,
  sys.AT_S1E2R,
  sys.AT_S1E2W,
  sys.AT_S12E1R,
  sys.AT_S12E1W,
  sys.AT_S12E0R,
  sys.AT_S12E0W,
] as const;

/** SCR_EL3: lower levels are Non-secure (NS), use AArch64 (RW) and have HVC (HCE); external aborts come here (EA). */
const SCR = 1n | (0b11n << 4n) | (1n << 3n) | (1n << 8n) | (1n << 10n);
/** SCR_EL3.NS, EEL2 and NSE. */
const SCR_NS = 1n;
const SCR_EEL2 = 1n << 18n;
const SCR_NSE = 1n << 62n;
/** SCR_EL3.{AIEn, PIEn, TCR2En, HXEn}: lower levels have these registers. HCRX_EL2.TCR2En: so has EL1. */
const SCR_EXTENDED = (1n << 46n) | (1n << 45n) | (1n << 43n) | (1n << 38n);
const HCRX_TCR2EN = 1n << 14n;
/** Semihosting: the call, and the reason behind it. */
export const SYS_EXIT = 0x18n;
export const APPLICATION_EXIT = 0x2_0026n;

/** x19: where the next word is read. x20: probes left. x21, x22: PAR and syndrome of this probe. x23: the operations. */
export function proberA64(
  pan: boolean,
  extended: boolean,
  registers: readonly SystemName[],
): { program: Uint32Array; vectors: Uint32Array } {
  const a = new A64();
  a.mov(0, BigInt(VECTORS_BASE)).msr(sys.VBAR_EL3, 0);
  a.mov(0, extended ? SCR | SCR_EXTENDED : SCR).msr(sys.SCR_EL3, 0);
  if (pan) a.msrPan(1);
  a.mov(19, BigInt(CASES_BASE)).adr(23, 'operations');

  a.label('case').loadNext(20, 19).branchIfZero(20, 'exit');
  for (const register of registers) a.loadNext(0, 19).msr(register, 0);
  a.barrier().sys(sys.TLBI_ALLE1).sys(sys.TLBI_ALLE2);
  // What the granule protection table said is in TLBs too.
  if (registers.includes(sys.GPCCR_EL3)) a.sys(sys.TLBI_PAALL);
  a.barrier();

  // A probe is an address and an index; the answers take their place. Each operation is two instructions long.
  a.label('probe').load(0, 19).load(1, 19, 8).mov(22, 0n);
  a.addShifted(2, 23, 1, 3).branchTo(2);
  a.label('answer').barrier().mrs(21, sys.PAR_EL1).storeNext(21, 19).storeNext(22, 19);
  a.subImmediate(20, 20, 1).branchUnlessZero(20, 'probe').branch('case');

  a.label('exit').adr(1, 'reason').mov(0, SYS_EXIT).semihosting();
  a.align(8).label('reason').word(Number(APPLICATION_EXIT)).word(0).word(0).word(0);
  a.label('operations');
  for (const operation of OPERATIONS) a.sys(operation, 0).branch('answer');

  // An exception at EL3 itself (offset 0x200) is an instruction that failed: note why, and go on behind it.
  const v = new A64().align(0x800, 0x200);
  v.mrs(22, sys.ESR_EL3).mrs(3, sys.ELR_EL3).addImmediate(3, 3, 4).msr(sys.ELR_EL3, 3).eret();
  return { program: a.assemble(), vectors: v.assemble() };
}

/** Which instruction asks this. */
function operationOf(regime: Case['regime'], { access, privileged, pan }: Probe): number {
  const write = access === 'write' ? 1 : 0;
  if (regime === 'el2') return 6 + write;
  if (regime === 'el1&0-nested' || regime === 'el1&0-s2') return 8 + (privileged ? 0 : 2) + write;
  if (!privileged) return 2 + write;
  if (regime === 'el2&0') return 6 + write;
  return (pan ? 4 : 0) + write;
}

/** HCR_EL2 with E2H and TGE: the regime of an EL2 host. */
const HCR_HOST = (1n << 34n) | (1n << 27n);
/** RW: EL1 uses AArch64. */
const HCR_RW = 1n << 31n;

/** SCR_EL3 of a case's state. Only Realm state has NSE. */
export function scrOf({ state, eel2 = false }: CaseSecurity): bigint {
  const base = SCR & ~SCR_NS;
  if (state === 'secure') return base | (eel2 ? SCR_EEL2 : 0n);
  return base | SCR_NS | (state === 'realm' ? SCR_NSE : 0n);
}

function securityWords(security: CaseSecurity, r: Readonly<RegisterValues>): bigint[] {
  return [r.vsttbr, r.vstcr, scrOf(security), ...(security.rme ? [r.gptbr, r.gpccr] : [])];
}

function extendedWords(regime: Case['regime'], r: Readonly<RegisterValues>): bigint[] {
  const stage1 = [r.tcr2, r.pir, r.pire0, r.mair2];
  const off = [0n, 0n, 0n, 0n];
  return [...(regime.startsWith('el2') ? [...off, ...stage1] : [...stage1, ...off]), r.s2pir, HCRX_TCR2EN];
}

function registerWords(regime: Case['regime'], r: Readonly<RegisterValues>): bigint[] {
  const stage1 = [r.tcr, r.mair, r.ttbr0, r.ttbr1, r.sctlr];
  const off = [0n, 0n, 0n, 0n, 0n];
  switch (regime) {
    case 'el2':
      return [HCR_RW | r.hcr, 0n, 0n, ...off, ...stage1];
    case 'el2&0':
      return [HCR_RW | HCR_HOST | r.hcr, 0n, 0n, ...off, ...stage1];
    default:
      return [HCR_RW | r.hcr, r.vtcr, r.vttbr, ...stage1, ...off];
  }
}

/** Writes the program and its cases. @throws Error when they do not fit. */
export function loadA64(ram: SharedRam, cases: readonly Case[], pan: boolean): void {
  const extended = cases[0]?.extended === true;
  const { program, vectors } = proberA64(pan, extended, registersOf(cases));
  ram.writeWords32(PROGRAM_BASE, program);
  ram.writeWords32(VECTORS_BASE, vectors);
  const words: bigint[] = [];
  for (const { regime, registers, probes, security } of cases) {
    words.push(BigInt(probes.length), ...registerWords(regime, registers));
    if (extended) words.push(...extendedWords(regime, registers));
    if (security) words.push(...securityWords(security, registers));
    for (const probe of probes) words.push(probe.va, BigInt(operationOf(regime, probe)));
  }
  words.push(0n);
  if (CASES_BASE + words.length * 8 > TABLES_BASE)
    throw new Error(`${words.length} words of cases do not fit`);
  ram.writeWords64(CASES_BASE, words);
}

/** What the program left, case by case. */
export function answersA64(ram: SharedRam, cases: readonly Case[]): CpuAnswer[][] {
  let at = CASES_BASE;
  const registers = registersOf(cases);
  return cases.map(({ probes }) => {
    at += 8 * (1 + registers.length);
    const words = new BigUint64Array(ram.read(at, probes.length * 16));
    at += probes.length * 16;
    return probes.map((_, i) => ({ par: words[i * 2] ?? 0n, esr: words[i * 2 + 1] ?? 0n }));
  });
}
