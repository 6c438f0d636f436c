/**
 * Permission Indirection and Permission Overlay Registers: sixteen fields of four bits, of which an index in a descriptor chooses
 * one. (DDI 0487 D24.2.145 to D24.2.153, D24.2.166, D24.2.167; D8.4.1.3, D8.4.1.4, D8.4.2.2.)
 */
import { bits, layout } from '../field.ts';
import { numberedFields } from './parts.ts';

/** What a value of a stage-1 field stands for. */
export interface Stage1Permission {
  /** Letters: r, w, x, and g for Guarded Control Stack accesses. */
  readonly rights: string;
  /** Of a base permission: an overlay is applied to it. */
  readonly overlay?: true;
  /** PrivWXN or UnprivWXN: without an overlay what is writable is not executable. */
  readonly wxn?: true;
  /** Treated as no access. */
  readonly reserved?: true;
}

/** Base permissions of stage 1: PIR_ELx and PIRE0_ELx. (Tables D8-68, D8-69.) */
export const STAGE1_BASE: readonly Stage1Permission[] = [
  { rights: '', overlay: true },
  { rights: 'r', overlay: true },
  { rights: 'x', overlay: true },
  { rights: 'rx', overlay: true },
  { rights: '', overlay: true, reserved: true },
  { rights: 'rw', overlay: true },
  { rights: 'rwx', overlay: true, wxn: true },
  { rights: 'rwx', overlay: true },
  { rights: 'r' },
  { rights: 'rg' },
  { rights: 'rx' },
  { rights: '', reserved: true },
  { rights: 'rw' },
  { rights: '', reserved: true },
  { rights: 'rwx' },
  { rights: '', reserved: true },
];

const NOTHING: Stage1Permission = { rights: '', reserved: true };

/** Overlay permissions of stage 1: POR_ELx. (Table D8-74.) */
export const STAGE1_OVERLAY: readonly Stage1Permission[] = [
  ...['', 'r', 'x', 'rx', 'w', 'rw', 'wx', 'rwx'].map((rights) => ({ rights })),
  ...Array.from({ length: 8 }, () => NOTHING),
];

/** What a value of a stage-2 field stands for, base and overlay alike. */
export interface Stage2Permission {
  /** Letters: r, w; p and u for execution at EL1 and at EL0; m for writes of hardware updates and RCW instructions. */
  readonly rights: string;
  /** Tables of the top level below TTBR0_EL1, below TTBR1_EL1, may be here. */
  readonly topLevel0?: true;
  readonly topLevel1?: true;
  readonly reserved?: true;
}

/** S2PIR_EL2 and S2POR_EL1. (Tables D8-81, D8-82.) */
export const STAGE2_PERMISSIONS: readonly Stage2Permission[] = [
  { rights: '' },
  { rights: '', reserved: true },
  { rights: 'rm' },
  { rights: 'rm', topLevel1: true },
  { rights: 'w' },
  { rights: '', reserved: true },
  { rights: 'rm', topLevel0: true },
  { rights: 'rm', topLevel0: true, topLevel1: true },
  { rights: 'r' },
  { rights: 'ru' },
  { rights: 'rp' },
  { rights: 'rpu' },
  { rights: 'rwm' },
  { rights: 'rwmu' },
  { rights: 'rwmp' },
  { rights: 'rwmpu' },
];

/** In words: `read, write`. */
const LETTERS: readonly (readonly [string, string])[] = [
  ['r', 'read'],
  ['w', 'write'],
  ['x', 'execute'],
  ['g', 'Guarded Control Stack'],
];

function stage1Text({ rights, wxn, reserved }: Stage1Permission, note: string): string {
  if (reserved) return `reserved: no access${note}`;
  const words = LETTERS.filter(([letter]) => rights.includes(letter)).map(([, word]) => word);
  const text = words.length === 0 ? 'no access' : words.join(', ');
  return `${text}${wxn ? ', but not write and execute at once (WXN)' : ''}${note}`;
}

const EXECUTION = { p: 'execute at EL1', u: 'execute at EL0', pu: 'execute' } as const;

/** A value of S2PIR_EL2 or S2POR_EL1 in words. */
export function stage2Text({ rights, topLevel0, topLevel1, reserved }: Stage2Permission): string {
  if (reserved) return 'reserved: no access';
  const plain = rights.replace('m', '');
  if (plain === '') return 'no access';
  if (plain === 'w') return 'write alone';
  if (rights === 'rm') {
    const top = topLevel0 && topLevel1 ? ', TopLevel0 and 1' : topLevel0 ? ', TopLevel0' : '';
    return `mostly read-only: only hardware updates of tables write${top || (topLevel1 ? ', TopLevel1' : '')}`;
  }
  const execute = /[pu]+$/.exec(plain)?.[0] as keyof typeof EXECUTION | undefined;
  const data = plain.includes('w') ? 'read, write' : 'read';
  return execute === undefined ? data : `${data}, ${EXECUTION[execute]}`;
}

/** Values of each field, in words. */
const STAGE1_BASE_VALUES = STAGE1_BASE.map((one) => stage1Text(one, one.overlay ? '' : ', no overlay'));
const STAGE1_OVERLAY_VALUES = STAGE1_OVERLAY.map((one) => stage1Text(one, ''));
const STAGE2_VALUES = STAGE2_PERMISSIONS.map(stage2Text);

const FIELDS = 16;
const FIELD_BITS = 4;

function permissionFields(meaning: (n: number) => string, values: readonly string[]) {
  return numberedFields('Perm', FIELDS, (n) =>
    bits(n * FIELD_BITS + FIELD_BITS - 1, n * FIELD_BITS, meaning(n), { ...values }),
  );
}

const ofBase = (whose: string) => (n: number) => `${whose} where PIIndex = ${n}`;
const ofOverlay = (whose: string) => (n: number) => `${whose} where POIndex = ${n}`;

export const PIR_EL1 = layout(
  {
    name: 'PIR_EL1',
    aliases: ['PIR', 'PIR_EL2', 'PIR_EL3'],
    title:
      'Permission Indirection Register: sixteen rights of privileged accesses, one of which PIIndex in a descriptor chooses',
    reference: 'DDI 0487 D24.2.145',
    width: 64,
  },
  permissionFields(ofBase('base permissions of privileged accesses'), STAGE1_BASE_VALUES),
);

export const PIRE0_EL1 = layout(
  {
    name: 'PIRE0_EL1',
    aliases: ['PIRE0', 'PIRE0_EL2'],
    title:
      'Permission Indirection Register 0: sixteen rights of unprivileged accesses, one of which PIIndex in a descriptor chooses',
    reference: 'DDI 0487 D24.2.148',
    width: 64,
  },
  permissionFields(ofBase('base permissions of unprivileged accesses'), STAGE1_BASE_VALUES),
);

export const POR_EL0 = layout(
  {
    name: 'POR_EL0',
    title:
      'Permission Overlay Register (EL0): sixteen limits for unprivileged accesses, one of which POIndex in a descriptor chooses',
    reference: 'DDI 0487 D24.2.150',
    width: 64,
  },
  permissionFields(ofOverlay('overlay permissions of unprivileged accesses'), STAGE1_OVERLAY_VALUES),
);

export const POR_EL1 = layout(
  {
    name: 'POR_EL1',
    aliases: ['POR', 'POR_EL2', 'POR_EL3'],
    title:
      'Permission Overlay Register: sixteen limits for privileged accesses, one of which POIndex in a descriptor chooses',
    reference: 'DDI 0487 D24.2.151',
    width: 64,
  },
  permissionFields(ofOverlay('overlay permissions of privileged accesses'), STAGE1_OVERLAY_VALUES),
);

export const S2PIR_EL2 = layout(
  {
    name: 'S2PIR_EL2',
    aliases: ['S2PIR'],
    title:
      'Stage 2 Permission Indirection Register: sixteen rights, one of which PIIndex in a stage-2 descriptor chooses',
    reference: 'DDI 0487 D24.2.166',
    width: 64,
  },
  permissionFields(ofBase('base permissions of stage 2'), STAGE2_VALUES),
);

export const S2POR_EL1 = layout(
  {
    name: 'S2POR_EL1',
    aliases: ['S2POR'],
    title:
      'Stage 2 Permission Overlay Register: sixteen limits, one of which POIndex in a stage-2 descriptor chooses',
    reference: 'DDI 0487 D24.2.167',
    width: 64,
  },
  permissionFields(ofOverlay('overlay permissions of stage 2'), STAGE2_VALUES),
);

/** A field of any of these registers, by the index that a descriptor has: `Perm0` first. */
export const PERMISSION_FIELDS = Array.from({ length: FIELDS }, (_, n) => PIR_EL1.fields[`Perm${n}`]!);
