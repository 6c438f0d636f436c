/**
 * Names of registers from any source: the manual's (`TTBR0_EL2`, `HTTBR`, `MAIR1`), bare ones (`ttbr0`), those of security banks
 * (`TTBR0_NS`). Which registers a regime reads is what {@link traitsOf} says. (DDI 0487 D8.1.2, G8; IHI 0070 6.3.)
 */

import { REGISTER_NAMES, type RegisterName } from '../../arch/regime-table.ts';
import { isPe, type Regime, regimes, traitsOf } from '../../arch/regimes.ts';
import { isBystander } from '../../arch/registers/bystanders.ts';
import { GPCBW_EL3, GPCCR_EL3, GPTBR_EL3 } from '../../arch/registers/granule-protection.ts';
import { HCR_EL2 } from '../../arch/registers/stage2.ts';
import { UNMODELLED_REGISTERS } from '../../arch/registers/unmodelled.ts';
import { nearest } from '../../memory/near-names.ts';

/** A value and the name that it was given under. */
export interface Given {
  /** As it was written. */
  readonly written: string;
  readonly value: bigint;
  /** In upper case, without its bank. */
  readonly name: string;
  /** Secure or Non-secure, if the name says so. */
  readonly bank?: 'S' | 'NS';
}

/** Registers that each programming interface of an SMMUv3 has: the Secure one's are called SMMU_S_CR0 and so on. */
const INTERFACE_NAMES = ['strtab_base', 'strtab_base_cfg', 'cr0', 'cr2', 'gbpa', 's2pii'];
/** Registers of an SMMUv3 by the machine's names, with their other names. */
const SMMU_NAMES: readonly string[] = [
  ...INTERFACE_NAMES,
  ...INTERFACE_NAMES.map((name) => `s_${name}`),
  ...['idr0', 'idr1', 'idr3', 'idr5', 's_idr0', 's_idr1'],
  ...['ste', 'cd'].flatMap((name) => Array.from({ length: 8 }, (_, i) => `${name}${i}`)),
];
const SMMU_ALIASES: Readonly<Record<string, string>> = { strtab_cfg: 'strtab_base_cfg' };

/**
 * Names in addition to those in a regime's traits: EL2's names for EL1's registers with HCR_EL2.E2H = 1, and AArch64's names for AArch32's. Keyed by the
 * name in the traits.
 */
const OTHER_NAMES: Readonly<Record<string, readonly string[]>> = {
  TTBR0_EL1: ['TTBR0_EL12'],
  TTBR1_EL1: ['TTBR1_EL12'],
  TCR_EL1: ['TCR_EL12'],
  MAIR_EL1: ['MAIR_EL12'],
  SCTLR_EL1: ['SCTLR_EL12'],
  TCR2_EL1: ['TCR2_EL12'],
  PIR_EL1: ['PIR_EL12'],
  PIRE0_EL1: ['PIRE0_EL12'],
  POR_EL1: ['POR_EL12'],
  MAIR2_EL1: ['MAIR2_EL12'],
  TTBR0: ['TTBR0_EL1', 'TTBR0_EL12'],
  TTBR1: ['TTBR1_EL1', 'TTBR1_EL12'],
  TTBCR: ['TCR_EL1', 'TCR_EL12'],
  SCTLR: ['SCTLR_EL1', 'SCTLR_EL12'],
  'MAIR1:MAIR0': ['MAIR_EL1', 'MAIR_EL12'],
  'NMRR:PRRR': ['MAIR_EL1', 'MAIR_EL12'],
  DACR: ['DACR32_EL2'],
  // Xen writes HTTBR0.
  HTTBR: ['HTTBR0', 'TTBR0_EL2'],
  HTCR: ['TCR_EL2'],
  HSCTLR: ['SCTLR_EL2'],
  'HMAIR1:HMAIR0': ['MAIR_EL2'],
  VTTBR: ['VTTBR_EL2'],
  VTCR: ['VTCR_EL2'],
  HCR: ['HCR_EL2'],
  // The fields that it shares with mstatus are in the same bits.
  sstatus: ['MSTATUS'],
  AS_TRANSTAB: ['TRANSTAB'],
  AS_MEMATTR: ['MEMATTR'],
};

/** The sources of a regime's register: names of the whole value, and of its halves if it is a pair. */
export interface Sources {
  readonly slot: RegisterName;
  /** `TTBR0` in capitals is another register: PL1's, as opposed to Hyp mode's HTTBR. */
  readonly capitalsAreOther: boolean;
  /** Its width, if it differs from the one that its name in the manual suggests: TTBR0 and TTBR1 of short descriptors. */
  readonly bits?: number;
  /** The manual's name for the register that the regime reads. */
  readonly manual: string;
  readonly whole: readonly string[];
  readonly halves?: readonly [high: string, low: string];
}

/** They apply to every access of a PE, whatever its regime. */
const GRANULE_PROTECTION = { gpccr: GPCCR_EL3.name, gptbr: GPTBR_EL3.name, gpcbw: GPCBW_EL3.name } as const;

const SHORT_BASE_BITS = 32;

/** Every register that a regime reads. */
export function sourcesOf(regime: Regime): readonly Sources[] {
  const { architecture, el, stage1, stage2, registers, descriptors } = traitsOf(regime);
  const alone = architecture === 'AArch64' && el === 1 && stage1 && !stage2;
  // HCR_EL2 switches no stage of EL1&0 on, but its NV and NV1 change what descriptors mean.
  const checked = isPe(regime) ? GRANULE_PROTECTION : {};
  const read = { ...registers, ...(alone && { hcr: HCR_EL2.name }), ...checked };
  return Object.entries(read).map(([slot, manual]) => {
    const name = slot as RegisterName;
    const [high, low] = manual.split(':');
    const others = OTHER_NAMES[manual] ?? [];
    // In Hyp mode, names in capitals are PL1's.
    const capitalsAreOther = architecture === 'AArch32' && el === 2;
    return high !== undefined && low !== undefined
      ? { slot: name, capitalsAreOther, manual, whole: others, halves: [high, low] }
      : {
          slot: name,
          capitalsAreOther,
          manual,
          whole: [manual.toUpperCase(), ...others],
          ...(descriptors === 'short' && /^ttbr/.test(name) && { bits: SHORT_BASE_BITS }),
        };
  });
}

/** Every known name of a translation register, for suggestions. */
const KNOWN_NAMES: readonly string[] = [
  ...new Set([
    ...regimes.flatMap((regime) =>
      sourcesOf(regime).flatMap(({ whole, halves = [] }) => [...whole, ...halves]),
    ),
    ...REGISTER_NAMES.map((name) => name.toUpperCase()),
    ...Object.keys(UNMODELLED_REGISTERS),
    'SCR_EL3',
  ]),
];
/** The same with the names of an SMMU. */
const ALL_NAMES = [...KNOWN_NAMES, ...[...SMMU_NAMES, ...Object.keys(SMMU_ALIASES)].map(upper)];

/** `TTBR` is a register of an M4U. Elsewhere the name is ambiguous. */
export const OF_M4U = 'TTBR';

function upper(text: string): string {
  return text.toUpperCase();
}

/** A value by its name. */
export function given(written: string, value: bigint): Given {
  const name = written.trim().toUpperCase();
  const [, plain = name, bank] = /^(.+?)_(NS|S)$/.exec(name) ?? [];
  return { written, value, name: plain, ...(bank !== undefined && { bank: bank as 'S' | 'NS' }) };
}

/** The machine's name of an SMMU's register, or undefined. */
export function smmuName(name: string): string | undefined {
  const plain = name.replace(/^SMMU_/, '').toLowerCase();
  const known = SMMU_ALIASES[plain] ?? plain;
  return SMMU_NAMES.includes(known) ? known : undefined;
}

/** Of a register of the Secure programming interface (`s_cr0`) the same of the Non-secure one; undefined: it is none. */
export function secureInterfaceName(slot: string): string | undefined {
  const plain = slot.replace(/^s_/, '');
  return plain !== slot && INTERFACE_NAMES.includes(plain) ? plain : undefined;
}

/** Whether both programming interfaces have the register. */
export function isInterfaceName(slot: string): boolean {
  return INTERFACE_NAMES.includes(slot);
}

/** What a name is. */
export type NameKind = 'translation' | 'smmu' | 'unmodelled' | 'state' | 'bystander' | 'unknown';

/** SCR_EL3 gives the Security state. */
const STATE = ['SCR_EL3', 'SCR'];

export function kindOf(name: string): NameKind {
  if (smmuName(name) !== undefined) return 'smmu';
  if (STATE.includes(name)) return 'state';
  if (Object.hasOwn(UNMODELLED_REGISTERS, name)) return 'unmodelled';
  if (KNOWN_NAMES.includes(name)) return 'translation';
  return isBystander(name.replace(/^SMMU_/, '')) ? 'bystander' : 'unknown';
}

/** The register that was probably meant: the same name with another exception level, or a name that differs in a letter or two. */
export function likelyName(name: string): string | undefined {
  const stem = name.replace(/_EL\d+$/, '');
  const level = name.slice(stem.length);
  const stems = [...new Set(ALL_NAMES.map((known) => known.replace(/_EL\d+$/, '')))];
  const near = stem === OF_M4U ? 'TTBR0' : stems.includes(stem) ? stem : nearest(stem, stems);
  if (near === undefined) return undefined;
  if (ALL_NAMES.includes(`${near}${level}`)) return `${near}${level}`;
  return ALL_NAMES.find((known) => known.startsWith(`${near}_EL`)) ?? near;
}

/** Whether some regime, or an SMMU, reads a register of this name, in upper or lower case, with or without a bank. */
export function isRegisterName(written: string): boolean {
  const { name } = given(written, 0n);
  const kind = kindOf(name);
  return kind === 'translation' || kind === 'smmu';
}
