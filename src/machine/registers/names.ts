/**
 * Names of registers, whoever wrote them: a manual's (`TTBR0_EL2`, `HTTBR`, `MAIR1`), bare ones (`ttbr0`), those of security banks
 * (`TTBR0_NS`). Which registers a regime reads is what {@link traitsOf} says. (DDI 0487 D8.1.2, G8; IHI 0070 6.3.)
 */
import { type Regime, type RegisterName, regimes, traitsOf } from '../../arch/regimes.ts';
import { isBystander } from '../../arch/registers/bystanders.ts';
import { GPCBW_EL3, GPCCR_EL3, GPTBR_EL3 } from '../../arch/registers/granule-protection.ts';
import { HCR_EL2 } from '../../arch/registers/stage2.ts';
import { UNMODELLED_REGISTERS } from '../../arch/registers/unmodelled.ts';
import { nearest } from '../../memory/near-names.ts';

/** A value under the name that it was given. */
export interface Given {
  /** As it was written. */
  readonly written: string;
  readonly value: bigint;
  /** In upper case, without its bank. */
  readonly name: string;
  /** Secure or Non-secure, where the name says so. */
  readonly bank?: 'S' | 'NS';
}

/** Names of the walker's, for the registers of whatever regime was chosen. */
export const BARE: readonly RegisterName[] = [
  'ttbr0',
  'ttbr1',
  'tcr',
  'mair',
  'sctlr',
  'vttbr',
  'vtcr',
  'vsttbr',
  'vstcr',
  'hcr',
  'dacr',
  'gpccr',
  'gptbr',
  'gpcbw',
  'sstatus',
  'tcr2',
  'pir',
  'pire0',
  'por',
  'por0',
  'mair2',
  's2pir',
  's2por',
  'hcrx',
];

/** Registers of an SMMUv3, as the machine calls them, and other names of them. */
const SMMU_NAMES: readonly string[] = [
  ...['strtab_base', 'strtab_base_cfg', 'cr0', 'cr2', 'gbpa', 'idr0', 'idr1', 'idr3', 'idr5'],
  ...['ste0', 'ste1', 'ste2', 'ste3', 'cd0', 'cd1', 'cd2', 'cd3'],
];
const SMMU_ALIASES: Readonly<Record<string, string>> = { strtab_cfg: 'strtab_base_cfg' };

/**
 * Names beside those of a regime's traits: what EL2 calls EL1's with HCR_EL2.E2H = 1, and what AArch64 calls AArch32's. By the
 * name that the traits have.
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
  // What it has of mstatus is in the same places.
  sstatus: ['MSTATUS'],
  AS_TRANSTAB: ['TRANSTAB'],
  AS_MEMATTR: ['MEMATTR'],
};

/** Where a regime's register may come from: names of the whole value, and of its halves where it is a pair. */
export interface Sources {
  readonly slot: RegisterName;
  /** `TTBR0` in capitals is another register: that of PL1, beside Hyp mode's HTTBR. */
  readonly capitalsAreOther: boolean;
  /** How wide it is, where that is not as the manual's name says: TTBR0 and TTBR1 of short descriptors. */
  readonly bits?: number;
  /** The manual's name of what the regime reads. */
  readonly manual: string;
  readonly whole: readonly string[];
  readonly halves?: readonly [high: string, low: string];
}

/** Every access of a PE is checked by them, whatever its regime. */
const GRANULE_PROTECTION = { gpccr: GPCCR_EL3.name, gptbr: GPTBR_EL3.name, gpcbw: GPCBW_EL3.name } as const;

const SHORT_BASE_BITS = 32;

/** Every register that a regime reads. */
export function sourcesOf(regime: Regime): readonly Sources[] {
  const { architecture, el, stage1, stage2, registers, descriptors } = traitsOf(regime);
  const alone = architecture === 'AArch64' && el === 1 && stage1 && !stage2;
  // HCR_EL2 switches no stage of EL1&0 on, but its NV and NV1 change what descriptors mean.
  const checked = architecture === 'AArch64' || architecture === 'AArch32' ? GRANULE_PROTECTION : {};
  const read = { ...registers, ...(alone && { hcr: HCR_EL2.name }), ...checked };
  return Object.entries(read).map(([slot, manual]) => {
    const name = slot as RegisterName;
    const [high, low] = manual.split(':');
    const others = OTHER_NAMES[manual] ?? [];
    // Of Hyp mode the names in capitals are PL1's.
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

/** Every name of translation that is known: for likely ones. */
const KNOWN_NAMES: readonly string[] = [
  ...new Set([
    ...regimes.flatMap((regime) =>
      sourcesOf(regime).flatMap(({ whole, halves = [] }) => [...whole, ...halves]),
    ),
    ...BARE.map((name) => name.toUpperCase()),
    ...Object.keys(UNMODELLED_REGISTERS),
    'SCR_EL3',
  ]),
];
/** With the names of an SMMU, for those that are likely to be one. */
const ALL_NAMES = [...KNOWN_NAMES, ...[...SMMU_NAMES, ...Object.keys(SMMU_ALIASES)].map(upper)];

/** `TTBR` is an M4U's. Elsewhere it does not say which. */
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

/** What a name is. */
export type NameKind = 'translation' | 'smmu' | 'unmodelled' | 'state' | 'bystander' | 'unknown';

/** SCR_EL3 says which security state there is. */
const STATE = ['SCR_EL3', 'SCR'];

export function kindOf(name: string): NameKind {
  if (smmuName(name) !== undefined) return 'smmu';
  if (STATE.includes(name)) return 'state';
  if (Object.hasOwn(UNMODELLED_REGISTERS, name)) return 'unmodelled';
  if (KNOWN_NAMES.includes(name)) return 'translation';
  return isBystander(name.replace(/^SMMU_/, '')) ? 'bystander' : 'unknown';
}

/** The register that was probably meant: the same with another exception level, or one that differs in a letter or two. */
export function likelyName(name: string): string | undefined {
  const stem = name.replace(/_EL\d+$/, '');
  const level = name.slice(stem.length);
  const stems = [...new Set(ALL_NAMES.map((known) => known.replace(/_EL\d+$/, '')))];
  const near = stem === OF_M4U ? 'TTBR0' : stems.includes(stem) ? stem : nearest(stem, stems);
  if (near === undefined) return undefined;
  if (ALL_NAMES.includes(`${near}${level}`)) return `${near}${level}`;
  return ALL_NAMES.find((known) => known.startsWith(`${near}_EL`)) ?? near;
}

/** Whether some regime, or an SMMU, reads a register of this name. In any case, with or without a bank. */
export function isRegisterName(written: string): boolean {
  const { name } = given(written, 0n);
  const kind = kindOf(name);
  return kind === 'translation' || kind === 'smmu';
}
