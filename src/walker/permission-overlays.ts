/**
 * Permission overlays of stage 1: which base permissions each POIndex keeps.
 * (DDI 0487 D8.4.1.4; J1.1 AArch64.S1OverlayPermissions, S1ComputePermissions.)
 */
import { STAGE1_OVERLAY } from '../arch/registers/permissions.ts';
import { P_OVERLAY, P_WXN, permissionOf, U_OVERLAY, U_WXN } from './permission-indirection.ts';
import { ALL_PERMISSIONS, PR, PW, PX, UR, UW, UX } from './permissions.ts';

/** VMSAv8-64 descriptors have three bits of POIndex. */
const PO_INDEXES = 8;
const PRIVILEGED = PR | PW | PX;
const UNPRIVILEGED = UR | UW | UX;
/** The distance from a right of EL1 to the same right of EL0. */
const EL0 = UR / PR;

/** The overlays in effect. */
export interface S1Overlays {
  /** POR_ELx and POR_EL0, each only if its privilege level has overlays. */
  readonly por: bigint | undefined;
  readonly por0: bigint | undefined;
  /** P_OVERLAY, U_OVERLAY: which levels have them. */
  readonly on: number;
  /** By POIndex: the rights that it keeps. A level without overlays keeps all. */
  readonly masks: Uint8Array;
}

const OVERLAY_RIGHTS = STAGE1_OVERLAY.map(
  ({ rights }) =>
    (rights.includes('r') ? PR : 0) | (rights.includes('w') ? PW : 0) | (rights.includes('x') ? PX : 0),
);

/** @param por - undefined if POE is 0, `por0` if E0POE is 0. */
export function s1Overlays(por: bigint | undefined, por0: bigint | undefined): S1Overlays {
  const rights = (register: bigint | undefined, index: number) =>
    register === undefined ? PRIVILEGED : OVERLAY_RIGHTS[permissionOf(register, index)]!;
  return {
    por,
    por0,
    on: (por === undefined ? 0 : P_OVERLAY) | (por0 === undefined ? 0 : U_OVERLAY),
    masks: Uint8Array.from(
      { length: PO_INDEXES },
      (_, index) => rights(por, index) | (rights(por0, index) * EL0),
    ),
  };
}

/** The rights that overlays keep: all rights of a level without an overlay. If an overlay allows execution, WXN removes writing. (R_QXXPC, R_NPBXC) */
export function overlayRights(controls: number, overlays: S1Overlays | undefined, poIndex: number): number {
  if (overlays === undefined) return ALL_PERMISSIONS;
  const applied = controls & overlays.on;
  let mask = overlays.masks[poIndex]!;
  if ((applied & P_OVERLAY) === 0) mask |= PRIVILEGED;
  else if ((controls & P_WXN) !== 0 && (mask & PX) !== 0) mask &= ~PW;
  if ((applied & U_OVERLAY) === 0) mask |= UNPRIVILEGED;
  else if ((controls & U_WXN) !== 0 && (mask & UX) !== 0) mask &= ~UW;
  return mask;
}

/** Base rights with WXN: at a level without overlays, writable memory is not executable. */
export function withoutWritableExecute(controls: number, overlays: S1Overlays | undefined): number {
  const applied = overlays === undefined ? 0 : controls & overlays.on;
  let rights = controls;
  if ((controls & P_WXN) !== 0 && (applied & P_OVERLAY) === 0) rights &= ~PX;
  if ((controls & U_WXN) !== 0 && (applied & U_OVERLAY) === 0) rights &= ~UX;
  return rights;
}
