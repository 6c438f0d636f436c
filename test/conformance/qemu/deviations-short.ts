/** Where QEMU leaves the architecture with short descriptors. (DDI 0487 G5.4, G5.7.2; J1.2 AArch32.S1WalkSD.) */
import { shortFaultStatus } from '../../../src/walker/fault-codes.ts';
import type { CpuDeviation, Situation } from './deviations-cpu.ts';

const AFE = 1n << 29n;
const MANAGER = 3;

/** DACR's word on the domain of a first-level entry, and the level that a domain fault of it has. */
function domainOf({
  case: one,
  result,
}: Situation): { readonly kind: number; readonly level: number } | undefined {
  const [first] = result.steps;
  if (one.regime !== 'pl1&0-short' || first?.descriptor === undefined) return undefined;
  if (first.kind === 'invalid') return undefined;
  const supersection = first.kind === 'block' && first.size === 1n << 24n;
  const domain = supersection ? 0n : (first.descriptor >> 5n) & 15n;
  return { kind: Number((one.registers.dacr >> (domain * 2n)) & 3n), level: first.kind === 'table' ? 2 : 1 };
}

const domainFirst: CpuDeviation = {
  name: 'domain-before-second-level',
  section:
    'AArch32.S1WalkSD, AArch32.S1TranslateSD: the domain is checked after the walk and after the access flag',
  text: 'it is checked as soon as the first-level entry is known',
  answer(situation) {
    const domain = domainOf(situation);
    if (domain === undefined || domain.kind === 1 || domain.kind === MANAGER) return undefined;
    return { par: (BigInt(shortFaultStatus({ kind: 'domain', level: domain.level })) << 1n) | 1n, esr: 0n };
  },
};

const managerSkipsFlag: CpuDeviation = {
  name: 'manager-skips-access-flag',
  section: 'AArch32.S1TranslateSD: the access flag is checked in manager domains too',
  text: 'in a manager domain it is not',
  view(situation) {
    const { sctlr } = { ...situation.case.registers, ...situation.changes.registers };
    if (domainOf(situation)?.kind !== MANAGER || !(sctlr & AFE)) return undefined;
    return { registers: { sctlr: sctlr & ~AFE } };
  },
};

const PD0_PD1 = 3n << 4n;

const noWalkDisable: CpuDeviation = {
  name: 'no-pd-without-el3',
  section: 'G8.2.167 TTBCR.PD0, PD1: no walk with that TTBR',
  text: 'an ARMv7 CPU without EL3, as the prober needs it, has neither bit',
  view({ case: one, changes }) {
    const { tcr } = { ...one.registers, ...changes.registers };
    if (one.regime !== 'pl1&0-short' || !(tcr & PD0_PD1)) return undefined;
    return { registers: { tcr: tcr & ~PD0_PD1 } };
  },
};

/** Every rule of the short-descriptor format. */
export const shortDeviations: readonly CpuDeviation[] = [noWalkDisable, managerSkipsFlag, domainFirst];
