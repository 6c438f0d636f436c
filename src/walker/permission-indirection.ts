/**
 * Permission indirection: the permissions of each PIIndex, computed once from PIR_ELx and PIRE0_ELx, or S2PIR_EL2.
 * (DDI 0487 D8.4.1.3, D8.4.2.2; IHI 0070 3.26 for an SMMU; J1.1 AArch64.S1IndirectBasePermissions, S2IndirectBasePermissions.)
 */
import { type FieldBits, read } from '../arch/read.ts';
import {
  PERMISSION_FIELDS,
  STAGE1_BASE,
  STAGE2_PERMISSIONS,
  type Stage1Permission,
} from '../arch/registers/permissions.ts';
import { AP_EL0, PG, PR, PW, PX, type S1PermissionFields, UG, UR, UW, UX } from './permissions.ts';

/** Bits beside the rights in the controls of a PIIndex: PrivWXN and UnprivWXN, and which overlays apply. */
export const P_WXN = 0x100;
export const U_WXN = 0x200;
export const P_OVERLAY = 0x400;
export const U_OVERLAY = 0x800;

/** How registers hold the permissions of a PIIndex: which field, and what its values stand for. */
export interface S1PermissionEncoding {
  readonly fields: readonly FieldBits[];
  readonly permissions: readonly Stage1Permission[];
}

/** Of PIR_ELx and PIRE0_ELx. An SMMU has another in its CDs. */
export const REGISTERS: S1PermissionEncoding = { fields: PERMISSION_FIELDS, permissions: STAGE1_BASE };

/** Stage 1. */
export interface S1Indirection {
  /** The effective PIR_ELx and PIRE0_ELx (of a CD: PIIP and PIIU); `pire0` is undefined if there is no EL0. */
  readonly pir: bigint;
  readonly pire0: bigint | undefined;
  readonly encoding: S1PermissionEncoding;
  /** By PIIndex: rights, WXN and overlay bits. */
  readonly controls: Uint16Array;
  /** By PIIndex: 1 if PAN denies, since PIRE0 is not 0. (R_TBKKB; reserved values count as not 0.) */
  readonly el0: Uint8Array;
}

/** The value of a Perm field. */
export function permissionOf(register: bigint, index: number): number {
  return read(register, PERMISSION_FIELDS[index]!);
}

function privileged({ rights, wxn, overlay }: Stage1Permission): number {
  const has = (letter: string, bit: number) => (rights.includes(letter) ? bit : 0);
  const mask = has('r', PR) | has('w', PW) | has('x', PX) | has('g', PG);
  return mask | (wxn ? P_WXN : 0) | (overlay ? P_OVERLAY : 0);
}

function unprivileged({ rights, wxn, overlay }: Stage1Permission): number {
  const has = (letter: string, bit: number) => (rights.includes(letter) ? bit : 0);
  const mask = has('r', UR) | has('w', UW) | has('x', UX) | has('g', UG);
  return mask | (wxn ? U_WXN : 0) | (overlay ? U_OVERLAY : 0);
}

/** The base rights. R_VFPJF takes these away, and leaves WXN and overlays as they are. */
const BASE_RIGHTS = PR | PW | PX | PG | UR | UW | UX | UG;

/** If EL1 may execute memory or use it as a Guarded Control Stack, EL0 may neither write it nor use it as one. (R_VFPJF) */
export function isUnsafe(controls: number): boolean {
  return (controls & (PX | PG)) !== 0 && (controls & (UW | UG)) !== 0;
}

/** The values that PIR_ELx and PIRE0_ELx have for a PIIndex. */
export function s1PermissionsOf(
  { pir, pire0, encoding }: Pick<S1Indirection, 'pir' | 'pire0' | 'encoding'>,
  index: number,
): { readonly privileged: number; readonly unprivileged: number } {
  const field = encoding.fields[index]!;
  return { privileged: read(pir, field), unprivileged: pire0 === undefined ? 0 : read(pire0, field) };
}

/** The controls of a PIIndex before unsafe ones are taken away. */
export function decodedControls(
  indirection: Pick<S1Indirection, 'pir' | 'pire0' | 'encoding'>,
  index: number,
): number {
  const { permissions } = indirection.encoding;
  const values = s1PermissionsOf(indirection, index);
  const el0 = indirection.pire0 === undefined ? 0 : unprivileged(permissions[values.unprivileged]!);
  return privileged(permissions[values.privileged]!) | el0;
}

/** @param pire0 - undefined in a regime without EL0. */
export function s1Indirection(
  pir: bigint,
  pire0: bigint | undefined,
  encoding: S1PermissionEncoding = REGISTERS,
): S1Indirection {
  const made = { pir, pire0, encoding, controls: new Uint16Array(16), el0: new Uint8Array(16) };
  for (let index = 0; index < made.controls.length; index++) {
    const controls = decodedControls(made, index);
    made.controls[index] = isUnsafe(controls) ? controls & ~BASE_RIGHTS : controls;
    made.el0[index] = s1PermissionsOf(made, index).unprivileged !== 0 ? 1 : 0;
  }
  return made;
}

/** PIIndex of a leaf: bits [54:53], 51 and 6, which are UXN, PXN, DBM and AP[1] with direct permissions. */
export function piIndexOf({ uxn, pxn, dbm, ap }: S1PermissionFields): number {
  return (uxn ? 8 : 0) | (pxn ? 4 : 0) | (dbm ? 2 : 0) | (ap & AP_EL0);
}

/** Stage 2: what a field of S2PIR_EL2 or S2POR_EL1 allows each kind of access. */
export interface S2Rights {
  /** Rights of ordinary accesses, and rights of table walks and hardware updates. */
  readonly data: number;
  readonly walk: number;
  readonly topLevel0: boolean;
  readonly topLevel1: boolean;
}

/** By the value of the field. */
export const S2_RIGHTS: readonly S2Rights[] = STAGE2_PERMISSIONS.map((one): S2Rights => {
  const has = (letter: string, bits: number) => (one.rights.includes(letter) ? bits : 0);
  const reads = has('r', PR | UR);
  return {
    data: reads | has('w', PW | UW) | has('p', PX) | has('u', UX),
    walk: reads | has('m', PW | UW),
    topLevel0: one.topLevel0 === true,
    topLevel1: one.topLevel1 === true,
  };
});
