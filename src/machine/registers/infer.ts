/** Infers the regime from register values: from their names, and from HCR, SCTLR and TTBCR. (DDI 0487 D8.1.2.) */

import { isSet } from '../../arch/read.ts';
import { isAArch32, isStage2Alone, type MachineRegime, type Regime, traitsOf } from '../../arch/regimes.ts';
import { TTBCR } from '../../arch/registers/aarch32-control.ts';
import { SCTLR_EL1 } from '../../arch/registers/sctlr.ts';
import { HCR_EL2 } from '../../arch/registers/stage2.ts';
import { RegisterError } from './errors.ts';
import { type Given, smmuName } from './names.ts';

/** A regime, or an SMMUv3 whose stream table entry says which stages it has. */
export type AskedRegime = MachineRegime | 'smmuv3';

/** A regime that the values may belong to. */
interface Candidate {
  readonly regime: Regime;
  /** The registers that suggest it. */
  readonly by: readonly string[];
  /** What shows that nothing is translated in it. */
  readonly off?: string;
}

/** The inferred regime, the reason, and what was assumed. */
export interface Inferred {
  readonly regime: AskedRegime;
  readonly because: string;
  readonly assumed: readonly string[];
}

const { E2H, VM, DC, TGE } = HCR_EL2.fields;
const { M } = SCTLR_EL1.fields;

/** Values by their names. */
class Values {
  readonly #values: ReadonlyMap<string, bigint>;

  constructor(given: readonly Given[]) {
    this.#values = new Map(given.map(({ name, value }) => [name, value]));
  }

  of(...names: readonly string[]): bigint | undefined {
    for (const name of names) {
      const value = this.#values.get(name);
      if (value !== undefined) return value;
    }
    return undefined;
  }

  /** Those that were given. */
  among(...names: readonly string[]): string[] {
    return names.filter((name) => this.#values.has(name));
  }
}

/** Whether SCTLR was given and SCTLR.M is 0. */
function stage1Off(values: Values, register: string): string | undefined {
  const sctlr = values.of(register);
  return sctlr !== undefined && !isSet(sctlr, M) ? `${register}.M = 0` : undefined;
}

const candidate = (regime: Regime, by: readonly string[], off: string | undefined): Candidate => ({
  regime,
  by,
  ...(off !== undefined && { off }),
});

function ofEl1(values: Values, assumed: string[]): Candidate[] {
  const by = values.among('TTBR0_EL1', 'TTBR1_EL1', 'TCR_EL1', 'TTBR0_EL12', 'TTBR1_EL12', 'TCR_EL12');
  const stage2 = values.among('VTTBR_EL2', 'VTCR_EL2', 'VSTTBR_EL2', 'VSTCR_EL2', 'VTTBR', 'VTCR');
  const hcr = values.of('HCR_EL2', 'HCR');
  const on = hcr === undefined ? undefined : isSet(hcr, VM) || isSet(hcr, DC);
  if (by.length === 0) {
    if (stage2.length === 0) return [];
    return [candidate('el1&0-s2', stage2, on === false ? 'HCR_EL2.VM = 0' : undefined)];
  }
  const host = hcr !== undefined && isSet(hcr, TGE) ? 'HCR_EL2.TGE = 1' : undefined;
  if (on ?? stage2.length > 0) {
    if (on === undefined) assumed.push('HCR_EL2 is not given: stage 2 is taken to be on (VM = 1)');
    return [candidate('el1&0-nested', [...by, ...stage2], host)];
  }
  return [candidate('el1&0', by, host ?? stage1Off(values, 'SCTLR_EL1'))];
}

function ofEl2(values: Values, assumed: string[]): Candidate[] {
  const by = values.among('TTBR0_EL2', 'TTBR1_EL2', 'TCR_EL2');
  if (by.length === 0) return [];
  const off = stage1Off(values, 'SCTLR_EL2');
  const hcr = values.of('HCR_EL2', 'HCR');
  if (hcr !== undefined) return [candidate(isSet(hcr, E2H) ? 'el2&0' : 'el2', by, off)];
  const vhe = (values.of('TTBR1_EL2') ?? 0n) !== 0n;
  assumed.push(
    vhe
      ? 'HCR_EL2 is not given: E2H is taken to be 1, as TTBR1_EL2 is not 0'
      : 'HCR_EL2 is not given: E2H is taken to be 0 (--regime el2&0 is the other)',
  );
  return [candidate(vhe ? 'el2&0' : 'el2', by, off)];
}

function ofEl3(values: Values): Candidate[] {
  const by = values.among('TTBR0_EL3', 'TCR_EL3');
  return by.length === 0 ? [] : [candidate('el3', by, stage1Off(values, 'SCTLR_EL3'))];
}

/** AArch32: Hyp mode, and PL1&0 with its stage 2, if there is one. */
function ofAArch32(values: Values): Candidate[] {
  const hyp = values.among('HTTBR', 'HTCR');
  const found = hyp.length === 0 ? [] : [candidate('pl2', hyp, stage1Off(values, 'HSCTLR'))];
  const by = values.among('TTBCR', 'PRRR', 'NMRR', 'MAIR0');
  if (by.length === 0) return found;
  const bases = values.among('TTBR0', 'TTBR1');
  const hcr = values.of('HCR', 'HCR_EL2');
  const given = values.among('VTTBR', 'VTCR', 'VTTBR_EL2', 'VTCR_EL2').length > 0;
  const stage2 = hcr === undefined ? given : isSet(hcr, VM) || isSet(hcr, DC);
  const long = isSet(values.of('TTBCR', 'TCR') ?? 0n, TTBCR.fields.EAE);
  const alone = long ? 'pl1&0' : 'pl1&0-short';
  const regime = !stage2 ? alone : bases.length === 0 ? 'pl1&0-s2' : nestedAArch32(values);
  const off = stage2 ? undefined : stage1Off(values, 'SCTLR');
  return [...found, candidate(regime, [...bases, ...by], off)];
}

/** If the hypervisor's registers have AArch64 names, its stage 2 is an AArch64 one. */
function nestedAArch32(values: Values): Regime {
  const aarch64 = values.among('VTTBR_EL2', 'VTCR_EL2', 'HCR_EL2', 'VSTTBR_EL2', 'VSTCR_EL2').length > 0;
  return aarch64 ? 'pl1&0-nested64' : 'pl1&0-nested';
}

/** Bare names by themselves mean EL1 by default, with its stage 2, if there is one. */
function ofBareNames(values: Values): Inferred {
  const stage1 = values.among('TTBR0', 'TTBR1').length > 0;
  const stage2 = values.among('VTTBR', 'VTCR').length > 0;
  const regime = !stage2 ? 'el1&0' : stage1 ? 'el1&0-nested' : 'el1&0-s2';
  const because = 'bare names without --regime are taken for EL1';
  return { regime, because, assumed: [] };
}

/**
 * The regime that values belong to. Names of an exception level suggest its regime, unless SCTLR or HCR says that nothing is
 * translated there.
 * @throws RegisterError if several regimes are possible, or none of the suggested ones translates.
 */
export function inferRegime(given: readonly Given[]): Inferred {
  const values = new Values(given);
  const smmu = given.map(({ name }) => smmuName(name));
  if (['strtab_base', 's_strtab_base', 'ste0'].some((slot) => smmu.includes(slot))) {
    return { regime: 'smmuv3', because: 'a stream table, or its entry, is given', assumed: [] };
  }
  if (values.of('SATP') !== undefined) return { regime: 'riscv', because: 'satp is given', assumed: [] };
  const mali = values.among('AS_TRANSTAB', 'TRANSTAB');
  if (mali.length > 0) return { regime: 'mali', because: `${mali.join(', ')} is given`, assumed: [] };
  const assumed: string[] = [];
  const aarch32 = ofAArch32(values);
  const stage2Taken = aarch32.some(({ regime }) => traitsOf(regime).el !== 2);
  const el1 = ofEl1(values, assumed).filter(({ regime }) => !(stage2Taken && isStage2Alone(regime)));
  const all = [...el1, ...ofEl2(values, assumed), ...ofEl3(values), ...aarch32];
  if (all.length === 0) return ofBareNames(values);
  const live = all.filter(({ off }) => off === undefined);
  const [only, ...more] = all.length === 1 ? all : live;
  if (only !== undefined && more.length === 0) {
    const others = all.filter((one) => one !== only).map(({ regime, off }) => `not ${regime}: ${off}`);
    return { regime: only.regime, because: [`${only.by.join(', ')}`, ...others].join('; '), assumed };
  }
  throw severalFollow(live.length > 0 ? live : all);
}

function severalFollow(candidates: readonly Candidate[]): RegisterError {
  const list = candidates.map(
    ({ regime, by, off }) => `${regime} (${by.join(', ')}${off === undefined ? '' : `; ${off}`})`,
  );
  const rule = `${candidates.length} regimes follow from these registers: ${list.join(', ')}`;
  const remedy = `say which: ${candidates.map(({ regime }) => `--regime ${regime.replace('&', '')}`).join(' or ')}`;
  return new RegisterError('regime', rule, { remedy });
}

/** TTBCR.EAE chooses the descriptors of PL1&0: a requested regime of the other ones is changed. (G8.2.165.) */
export function underEae(asked: Regime, given: readonly Given[]): { regime: Regime; because?: string } {
  const ttbcr = new Values(given).of('TTBCR', 'TCR');
  if (ttbcr === undefined) return { regime: asked };
  const long = isSet(ttbcr, TTBCR.fields.EAE);
  if (asked === 'pl1&0' && !long)
    return { regime: 'pl1&0-short', because: 'TTBCR.EAE = 0 (short descriptors)' };
  if (asked === 'pl1&0-short' && long)
    return { regime: 'pl1&0', because: 'TTBCR.EAE = 1 (long descriptors)' };
  return { regime: asked };
}

/** How HCR changes a requested regime: stage 2 below EL1&0, or EL2&0 instead of EL2. */
export function underHcr(asked: Regime, given: readonly Given[]): { regime: Regime; because?: string } {
  const values = new Values(given);
  const hcr = values.of('HCR_EL2', 'HCR');
  if (hcr === undefined) return { regime: asked };
  const set = ([VM, DC, TGE] as const).find((field) => isSet(hcr, field));
  const name = isAArch32(asked) && nestedAArch32(values) === 'pl1&0-nested' ? 'HCR' : 'HCR_EL2';
  const why = `${name}.${set?.name} = 1 (--stage 1 asks for the first stage only)`;
  if (set !== undefined && asked === 'el1&0') return { regime: 'el1&0-nested', because: why };
  if (set !== undefined && (asked === 'pl1&0' || asked === 'pl1&0-short')) {
    return { regime: nestedAArch32(values), because: why };
  }
  if (asked === 'el2' && isSet(hcr, E2H)) return { regime: 'el2&0', because: 'HCR_EL2.E2H = 1' };
  if (asked === 'el2&0' && !isSet(hcr, E2H)) {
    const rule = 'HCR_EL2.E2H = 0: there is no EL2&0 regime, TCR_EL2 has its layout of one range';
    throw new RegisterError('contradiction', rule, {
      register: 'HCR_EL2',
      value: hcr,
      remedy: '--regime el2 is the one that there is',
    });
  }
  return { regime: asked };
}
