/** Why an access is denied, in words: each field of a descriptor and each register bit by its name in the regime. (DDI 0487 D8.4; IHI 0070 5.4 for streams.) */
import type { BitField, WordLayout } from '../arch/field.ts';
import { isStream, type MachineRegime, traitsOf } from '../arch/regimes.ts';
import { PIR_EL1, PIRE0_EL1, POR_EL0, POR_EL1, S2PIR_EL2, S2POR_EL1 } from '../arch/registers/permissions.ts';
import { CD, SMMU_S2PII, STE } from '../arch/smmu/index.ts';
import type { Denial, DirtyStateOff } from '../walker/denial-causes.ts';
import { AP_EL0, AP_READ_ONLY } from '../walker/permissions.ts';
import { riscvDenialText } from './riscv.ts';

/** `AP[2:1] = 0b10 at level 3: read-only, and not for EL0`. */
export function denialText(denial: Denial, regime: MachineRegime): string {
  const { by, value = 0, level, stage } = denial;
  const at = level === undefined ? '' : ` at level ${level}`;
  switch (by) {
    case 'AP':
      return `AP[2:1] = ${bits(value, 2)}${at}: ${apMeaning(value, regime)}`;
    case 'AP[2:0]':
      return `AP[2:0] = ${bits(value, 3)}${at}`;
    case 'APTable':
      return `APTable = ${bits(value, 2)} in the table descriptor${at}: ${listed([
        (value & AP_EL0) !== 0 && 'EL0 may access nothing below',
        (value & AP_READ_ONLY) !== 0 && 'everything below is read-only',
      ])}`;
    case 'XN':
      return stage === 2 ? stage2Xn(value, at) : `XN = 1${at}`;
    case 'UXN':
    case 'PXN':
      return `${by} = 1${at}`;
    case 'XNTable':
    case 'UXNTable':
    case 'PXNTable':
      return `${by} = 1 in the table descriptor${at}`;
    case 'S2AP':
      return `S2AP = ${bits(value, 2)}${at}: ${S2AP_MEANING[value]}`;
    case 'DBM': {
      const field = stage === 2 ? 'S2AP[1] = 0' : 'AP[2] = 1';
      const off = dirtyText(denial.dirtyOff, regime, stage);
      return `${field}${at}: read-only; DBM = 1 would let hardware make it writable, but hardware dirty state is off (${off})`;
    }
    case 'WXN':
      return `${controlName(regime, 'WXN')} = 1: writable memory is execute-never`;
    case 'UWXN':
      return `${controlName(regime, 'UWXN')} = 1: what EL0 may write PL1 may not execute`;
    case 'EL0-writable':
      return 'what EL0 may write EL1 may not execute, whatever PXN says';
    case 'PAN':
      if (denial.index !== undefined) {
        return `${panName(regime)} = 1, and EL0 may access it: ${permissionText('PIRE0', denial, regime)}`;
      }
      return `${panName(regime)} = 1, and EL0 may access it${traitsOf(regime).descriptors === 'long' ? ' (AP[1] = 1)' : ''}`;
    case 'EPAN':
      return `${panName(regime)} = 1 with ${controlName(regime, 'EPAN')} = 1, and EL0 may execute it`;
    case 'PA-space':
      return 'the output is in another physical address space than the state, which executes nothing there';
    case 'E0PD':
      return `${isStream(regime) ? 'CD' : (traitsOf(regime).registers.tcr ?? 'TCR')}.E0PD${value} = 1: EL0 may use no address of this range`;
    case 'PTW':
      return `${isStream(regime) ? 'STE.S2PTW' : `${traitsOf(regime).registers.hcr ?? 'HCR'}.PTW`} = 1: a stage-1 walk may not read Device memory`;
    case 'PIR':
    case 'PIRE0':
    case 'S2PIR':
    case 'POR':
    case 'POR_EL0':
    case 'S2POR':
      return permissionText(by, denial, regime);
    case 'PIR-PIRE0': {
      const { value0 = 0 } = denial;
      const both = [
        permissionText('PIR', denial, regime),
        permissionText('PIRE0', { ...denial, value: value0 }, regime),
      ];
      return `${both.join(' and ')}: EL1 would execute what EL0 writes, so that nobody may access it`;
    }
    case 'nDirty':
    case 'Dirty':
      return `${by} = ${by === 'Dirty' ? 0 : 1}${at}: writable-clean, and hardware dirty state is off (${dirtyText(denial.dirtyOff, regime, stage)})`;
    case 'GCS':
      return 'with direct permissions nothing is a Guarded Control Stack';
    case 'AssuredOnly':
      return `AssuredOnly = 1${at}: the translation that leads here is not assured`;
    case 'GCSH':
      return `VTCR_EL2.GCSH = 1, and AssuredOnly = 0${at}: no place for a Guarded Control Stack of EL1`;
    case 'TopLevel':
      return `${isStream(regime) ? 'STE' : 'VTCR_EL2'}.TL0 or TL1 = 1: the first table of a walk may not be here${at}`;
    case 'AP[1:0]':
      return `AP[1:0] = ${bits(value, 2)}${at}: ${S2AP_MEANING[value]}`;
    case 'XN[1]':
      return `XN[1] = 1${at}: execute-never`;
    case 'R':
    case 'W':
    case 'X':
    case 'U':
    case 'SUM':
    case 'MXR':
      return riscvDenialText(by, value, at);
    case 'NoTagAccess':
      return `MemAttr${at} says NoTagAccess, and the access is Tag Checked`;
  }
}

/** The registers of permission indirection and overlays: the walker's name, what chooses a field, and its layout. */
const PERMISSION_REGISTERS = {
  PIR: { slot: 'pir', index: 'PIIndex', layout: PIR_EL1 },
  PIRE0: { slot: 'pire0', index: 'PIIndex', layout: PIRE0_EL1 },
  S2PIR: { slot: 's2pir', index: 'PIIndex', layout: S2PIR_EL2 },
  POR: { slot: 'por', index: 'POIndex', layout: POR_EL1 },
  POR_EL0: { slot: 'por0', index: 'POIndex', layout: POR_EL0 },
  S2POR: { slot: 's2por', index: 'POIndex', layout: S2POR_EL1 },
} as const;

/** What an SMMU has in the place of these registers. It has no overlays of stage 1. (IHI 0070 3.26) */
const SMMU_PERMISSIONS: Readonly<
  Record<'PIR' | 'PIRE0' | 'S2PIR' | 'S2POR', { readonly structure: WordLayout; readonly prefix: string }>
> = {
  PIR: { structure: CD, prefix: 'PIIP' },
  PIRE0: { structure: CD, prefix: 'PIIU' },
  S2PIR: { structure: SMMU_S2PII, prefix: 'S2PII' },
  S2POR: { structure: STE, prefix: 'S2POI' },
};

/** By the names that denials have. */
export type PermissionRegister = keyof typeof PERMISSION_REGISTERS;

/** `PIIndex 0xd at level 3: PIR_EL1[55:52] = 0x8, read, no overlay`; of a stream `CD.PIIP[41:39] = 0x1, read`. */
export function permissionText(
  by: PermissionRegister,
  { index = 0, value = 0, level, wxn }: Pick<Denial, 'index' | 'value' | 'level' | 'wxn'>,
  regime: MachineRegime,
): string {
  const { index: chosenBy } = PERMISSION_REGISTERS[by];
  const { name, high, low, values } = isStream(regime) ? streamField(by, index) : peField(by, index, regime);
  const at = level === undefined ? '' : ` at level ${level}`;
  const both = wxn ? '; what is executable is not writable (WXN)' : '';
  return `${chosenBy} 0x${index.toString(16)}${at}: ${name}[${high}:${low}] = 0x${value.toString(16)}, ${values?.[value]}${both}`;
}

/** The register's field that an index chooses. */
function peField(by: PermissionRegister, index: number, regime: MachineRegime): PermissionField {
  const { slot, layout } = PERMISSION_REGISTERS[by];
  return { ...layout.fields[`Perm${index}`]!, name: traitsOf(regime).registers[slot] ?? layout.name };
}

/** The field of an SMMU, with its bits counted within PIIP, PIIU, S2POI or S2PII. */
function streamField(by: PermissionRegister, index: number): PermissionField {
  const { structure, prefix } = SMMU_PERMISSIONS[by as keyof typeof SMMU_PERMISSIONS];
  const { high, low, values } = structure.fields[`${prefix}${index}`]!;
  const width = high - low + 1;
  const name = structure === SMMU_S2PII ? structure.name : `${structure.name}.${prefix}`;
  return { name, high: (index + 1) * width - 1, low: index * width, values };
}

type PermissionField = Pick<BitField, 'name' | 'high' | 'low'> & {
  readonly values?: BitField['values'] | undefined;
};

/** Each of them, the first one first. */
export function denialsText(denied: readonly Denial[], regime: MachineRegime): string {
  return denied.map((denial) => denialText(denial, regime)).join('; ');
}

const S2AP_MEANING = ['no access', 'read-only', 'write-only', 'read and write'];
const XN_MEANING = [
  'executable',
  'EL1 may not execute (FEAT_XNX)',
  'execute-never',
  'EL0 may not execute (FEAT_XNX)',
];

/** AP[2:1]; APTable has the same bits with EL0 the other way round. */
function apMeaning(value: number, regime: MachineRegime): string {
  const { unprivileged } = traitsOf(regime);
  return listed([
    (value & AP_READ_ONLY) !== 0 && 'read-only',
    unprivileged && (value & AP_EL0) === 0 && 'not for EL0',
  ]);
}

/** A bit of system control: SCTLR's of a PE, the context descriptor's of a stream. */
function controlName(regime: MachineRegime, field: string): string {
  return isStream(regime) ? `CD.${field}` : `${traitsOf(regime).registers.sctlr ?? 'SCTLR'}.${field}`;
}

function panName(regime: MachineRegime): string {
  return isStream(regime) ? 'CD.PAN' : 'PSTATE.PAN';
}

function dirtyText(off: DirtyStateOff | undefined, regime: MachineRegime, stage: 1 | 2): string {
  if (isStream(regime)) {
    const structure = stage === 2 ? 'STE.S2' : 'CD.';
    return off === 'FEAT_HAFDBS' ? 'SMMU_IDR0.HTTU has none' : `${structure}${offText(off)}`;
  }
  const { vtcr = 'VTCR', tcr = 'TCR' } = traitsOf(regime).registers;
  return off === 'FEAT_HAFDBS' ? 'no FEAT_HAFDBS' : `${stage === 2 ? vtcr : tcr}.${offText(off)}`;
}

function offText(off: DirtyStateOff | undefined): string {
  return off === 'HA' ? 'HA = 0, without which HD does nothing' : 'HD = 0';
}

const bits = (value: number, width: number): string => `0b${value.toString(2).padStart(width, '0')}`;
const listed = (parts: readonly (string | false)[]): string => parts.filter(Boolean).join(', ');

function stage2Xn(value: number, at: string): string {
  return `XN[1:0] = ${bits(value, 2)}${at}: ${XN_MEANING[value]}`;
}
