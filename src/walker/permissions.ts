/**
 * Permissions as a mask of six bits: read, write and execute, for privileged and unprivileged accesses.
 * (DDI 0487 D8.4; J1.1 AArch64.S1DirectBasePermissions, S2DirectBasePermissions; J1.2 AArch32.S1LDHasPermissionsFault,
 * AArch32.S2HasPermissionsFault.)
 */
import { TABLE_DESCRIPTOR } from '../arch/descriptors/index.ts';
import { type FieldBits, highMask, place, shiftOf } from '../arch/read.ts';
import type { CpuFeatures } from './cpu.ts';
import type { Access, Permissions } from './types.ts';

/** Privileged and unprivileged read, write, execute. */
export const PR = 1;
export const PW = 2;
export const PX = 4;
export const UR = 8;
export const UW = 16;
export const UX = 32;
export const ALL_PERMISSIONS = PR | PW | PX | UR | UW | UX;
/** Guarded Control Stack accesses (FEAT_GCS), privileged and unprivileged. */
export const PG = 64;
export const UG = 128;
export const GCS_PERMISSIONS = PG | UG;
export const PRIVILEGED_ONLY = PR | PW | PX;

/** Rights by AP[2:1]: with an unprivileged level, then without one (AP[1] is RES1 and ignored there). */
const AP_BOTH = [PR | PW, PR | PW | UR | UW, PR, PR | UR] as const;

const { APTable, UXNTable, PXNTable } = TABLE_DESCRIPTOR.fields;
/** Hierarchical bits collected on the way down: APTable, XNTable or UXNTable, PXNTable, in the upper half of a table descriptor. */
export const TABLE_PERMISSIONS = highMask(APTable) | highMask(UXNTable) | highMask(PXNTable);
/** How far they are shifted down. */
export const TABLE_PERMISSIONS_SHIFT = shiftOf(PXNTable);
const collected = (field: FieldBits, value: number) =>
  Number(place({ high: field.high - PXNTable.low, low: field.low - PXNTable.low }, value));
export const PXN_TABLE = collected(PXNTable, 1);
export const UXN_TABLE = collected(UXNTable, 1);
export const AP_TABLE_NO_EL0 = collected(APTable, 0b01);
export const AP_TABLE_READ_ONLY = collected(APTable, 0b10);

/** Values of AP[2:1] and S2AP: each bit by itself. */
export const AP_EL0 = 0b01;
export const AP_READ_ONLY = 0b10;
export const S2AP_READ = 0b01;
export const S2AP_WRITE = 0b10;
/** The part of XN[1:0] that counts without FEAT_XNX. */
const XN_1 = 0b10;

/** What the stage-1 permission functions need of the walk's parameters. */
export interface S1PermissionControls {
  /** SCTLR_ELx.WXN and (AArch32) SCTLR.UWXN; SCTLR_ELx.EPAN. */
  readonly wxn: boolean;
  readonly uwxn: boolean;
  readonly epan: boolean;
  /** TCR.HD with HA: a DBM entry counts as writable. */
  readonly hd: boolean;
}

/** The leaf's permission fields: AP[2:1], UXN (or XN), PXN, DBM; and the table bits above it. */
export interface S1PermissionFields {
  readonly ap: number;
  readonly uxn: boolean;
  readonly pxn: boolean;
  readonly dbm: boolean;
  readonly table: number;
  /** POIndex, bits [62:60] of the leaf. It only has a meaning with overlays. */
  readonly po: number;
}

function applyApTable(mask: number, table: number): number {
  let result = mask;
  if (table & AP_TABLE_NO_EL0) result &= ~(UR | UW);
  if (table & AP_TABLE_READ_ONLY) result &= ~(PW | UW);
  return result;
}

/** AArch64.S1DirectBasePermissions and S1ComputePermissions, for a regime with EL0. */
export function s1PermissionsTwoLevels(fields: S1PermissionFields, controls: S1PermissionControls): number {
  const ap = fields.dbm && controls.hd ? fields.ap & AP_EL0 : fields.ap;
  let mask = applyApTable(AP_BOTH[ap]!, fields.table);
  // EL1 never executes memory that EL0 may write.
  if (!fields.pxn && !(fields.table & PXN_TABLE) && !(mask & UW)) mask |= PX;
  if (!fields.uxn && !(fields.table & UXN_TABLE)) mask |= UX;
  if (controls.wxn) {
    if (mask & PW) mask &= ~PX;
    if (mask & UW) mask &= ~UX;
  }
  return mask;
}

/**
 * The same for EL1&0 with HCR_EL2.{NV, NV1} = {1, 1}: the bits of UXN and UXNTable are PXN and PXNTable for a guest hypervisor, AP[1]
 * and APTable[0] count as 0, and nothing is execute-never at EL0. (D8.14.3; S1ApplyOutputPerms, S1ApplyTablePerms.)
 */
export function s1PermissionsGuestHypervisor(
  fields: S1PermissionFields,
  controls: S1PermissionControls,
): number {
  return s1PermissionsTwoLevels(guestHypervisorFields(fields), controls);
}

/** The fields of a guest hypervisor's descriptors, as fields of a regime with EL0. */
export function guestHypervisorFields({ ap, uxn, dbm, table, po }: S1PermissionFields): S1PermissionFields {
  return { ap: ap & ~AP_EL0, uxn: false, pxn: uxn, dbm, table: guestHypervisorTable(table), po };
}

/** The same for the bits of table descriptors. */
export function guestHypervisorTable(table: number): number {
  return (table & AP_TABLE_READ_ONLY) | (table & UXN_TABLE ? PXN_TABLE : 0);
}

/** The same for a regime without EL0 (EL2, EL3): AP[1], APTable[0] and PXN have no effect. */
export function s1PermissionsOneLevel(fields: S1PermissionFields, controls: S1PermissionControls): number {
  const readOnly =
    (fields.ap & AP_READ_ONLY && !(fields.dbm && controls.hd)) || fields.table & AP_TABLE_READ_ONLY;
  let mask = readOnly ? PR : PR | PW;
  if (!fields.uxn && !(fields.table & UXN_TABLE) && !(controls.wxn && mask & PW)) mask |= PX;
  return mask;
}

/** AArch32.S1LDHasPermissionsFault: execution needs read permission; UWXN replaces AArch64's fixed rule. */
export function s1PermissionsAArch32(fields: S1PermissionFields, controls: S1PermissionControls): number {
  const mask = applyApTable(AP_BOTH[fields.ap]!, fields.table);
  const xn = fields.uxn || (fields.table & UXN_TABLE) !== 0;
  const pxn = fields.pxn || (fields.table & PXN_TABLE) !== 0;
  return mask | executeAArch32(mask, xn, pxn, controls);
}

/** The execute bits of AArch32 stage 1, long and short descriptors alike. */
export function executeAArch32(
  mask: number,
  xn: boolean,
  pxn: boolean,
  controls: Pick<S1PermissionControls, 'wxn' | 'uwxn'>,
): number {
  if (xn) return 0;
  const ux = mask & UR && !(mask & UW && controls.wxn);
  const px = mask & PR && !pxn && !(mask & PW && controls.wxn) && !(mask & UW && controls.uwxn);
  return (ux ? UX : 0) | (px ? PX : 0);
}

/** PAN: a privileged data access may not touch memory that EL0 can access (with EPAN, even if EL0 can only execute it). */
export function applyPan(mask: number, epan: boolean): number {
  return mask & (UR | UW) || (epan && mask & UX) ? mask & ~(PR | PW) : mask;
}

/**
 * S2DirectBasePermissions (AArch64) or S2HasPermissionsFault (AArch32: execution needs read permission).
 * `s2ap` is S2AP[1:0] including the effect of dirty state, `xn` descriptor bits [54:53].
 */
export function s2Permissions(s2ap: number, xn: number, cpu: CpuFeatures, aarch32: boolean): number {
  const read = (s2ap & S2AP_READ) !== 0;
  const mask = (read ? PR | UR : 0) | (s2ap & S2AP_WRITE ? PW | UW : 0);
  if (aarch32 && !read) return mask;
  // Without FEAT_XNX, bit 53 is RES0 and XN is only bit 54.
  return mask | executableAtStage2(effectiveXn(xn, cpu));
}

/** The effective XN[1:0]. */
export function effectiveXn(xn: number, cpu: CpuFeatures): number {
  return cpu.xnx ? xn : xn & XN_1;
}

/** The execute bits of an effective XN[1:0]. */
export function executableAtStage2(xn: number): number {
  const [px, ux] = XN_TO_EXECUTE[xn]!;
  return (px ? PX : 0) | (ux ? UX : 0);
}

/** By XN[1:0]: execute at EL1, execute at EL0. */
const XN_TO_EXECUTE: readonly (readonly [boolean, boolean])[] = [
  [true, true],
  [false, true],
  [false, false],
  [true, false],
];

/** The mask bit that an access needs. */
export function requiredPermission(access: Access['access'], privileged: boolean, gcs = false): number {
  if (gcs) return privileged ? PG : UG;
  const bit = access === 'read' ? PR : access === 'write' ? PW : PX;
  return privileged ? bit : bit * (UR / PR);
}

const level = (mask: number, read: number, write: number, execute: number, gcs: number) =>
  Object.freeze({
    read: (mask & read) !== 0,
    write: (mask & write) !== 0,
    execute: (mask & execute) !== 0,
    ...((mask & gcs) !== 0 && { gcs: true as const }),
  });

/** One frozen object for each mask, which results share. */
const PERMISSIONS: readonly Permissions[] = Array.from(
  { length: (ALL_PERMISSIONS | GCS_PERMISSIONS) + 1 },
  (_, mask) =>
    Object.freeze({ privileged: level(mask, PR, PW, PX, PG), unprivileged: level(mask, UR, UW, UX, UG) }),
);

export function permissionsOf(mask: number): Permissions {
  return PERMISSIONS[mask]!;
}
