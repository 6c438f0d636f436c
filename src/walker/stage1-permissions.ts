/**
 * What a stage-1 leaf of VMSAv8-64 allows: base permissions, direct or indirect, PAN, overlays, dirty state managed by software; and why it
 * denies an access. (DDI 0487 D8.4.1, D8.5.2; J1.1 AArch64.S1ComputePermissions, S1CheckPermissions.)
 */

import type { Denial } from './denial-causes.ts';
import type { S1Params } from './params/params.ts';
import {
  decodedControls,
  isUnsafe,
  P_OVERLAY,
  P_WXN,
  permissionOf,
  piIndexOf,
  type S1Indirection,
  s1PermissionsOf,
  U_OVERLAY,
  U_WXN,
} from './permission-indirection.ts';
import { overlayRights, withoutWritableExecute } from './permission-overlays.ts';
import {
  AP_READ_ONLY,
  applyPan,
  GCS_PERMISSIONS,
  PG,
  PR,
  PW,
  PX,
  type S1PermissionFields,
  UW,
  UX,
} from './permissions.ts';
import type { S1Ranges } from './ranges.ts';
import type { Fault } from './types.ts';

const PRIVILEGED = PR | PW | PX | PG;
const WRITES = PW | UW;
const EXECUTES = PX | UX;
/** The rights that nobody has outside the state's own physical address space. */
const FOREIGN = EXECUTES | GCS_PERMISSIONS;
const BOTH_OVERLAYS = P_OVERLAY | U_OVERLAY;

/** The access to a leaf. */
export interface S1Asked {
  /** The right that the access needs; PG or UG for a Guarded Control Stack access. */
  readonly needed: number;
  readonly write: boolean;
  /** PSTATE.PAN applies to this access. */
  readonly pan: boolean;
  /** The output is outside the only physical address space that this state executes from. */
  readonly foreign: boolean;
}

/** Permissions of a leaf, as numbers. Without indirection and overlays, nothing is read for them. */
export function s1Permissions(
  ranges: S1Ranges,
  params: S1Params,
  fields: S1PermissionFields,
  { pan, foreign }: Pick<S1Asked, 'pan' | 'foreign'>,
): number {
  const { overlays } = params;
  if (params.indirection === undefined && overlays === undefined) {
    const direct = ranges.permissions(fields, params);
    const own = foreign ? direct & ~EXECUTES : direct;
    return pan ? applyPan(own, params.epan) : own;
  }
  const controls = s1Controls(ranges, params, fields, pan);
  const base = withoutWritableExecute(controls, overlays) & (foreign ? ~FOREIGN : -1);
  const rights = base & (overlayRights(controls, overlays, fields.po) | GCS_PERMISSIONS);
  return isClean(params, fields) ? rights & ~WRITES : rights;
}

/** Base permissions with WXN and the overlays to apply beside them. */
function s1Controls(ranges: S1Ranges, params: S1Params, fields: S1PermissionFields, pan: boolean): number {
  const { indirection } = params;
  if (indirection !== undefined) {
    const index = piIndexOf(fields);
    const controls = indirection.controls[index]!;
    return pan && indirection.el0[index] === 1 ? controls & ~(PR | PW) : controls;
  }
  const direct = ranges.permissions(fields, { ...params, wxn: false });
  const mask = pan ? applyPan(direct, params.epan) : direct;
  const wxn = (rights: number, flag: number) => (params.wxn && (mask & rights) === rights ? flag : 0);
  return mask | wxn(PW | PX, P_WXN) | wxn(UW | UX, U_WXN) | BOTH_OVERLAYS;
}

/** Whether it is writable-clean and hardware does not make it dirty. Only with indirect permissions. (R_PPGMC) */
export function isClean({ indirection, hd }: S1Params, { ap }: S1PermissionFields): boolean {
  return indirection !== undefined && !hd && (ap & AP_READ_ONLY) !== 0;
}

/** Whether a leaf allows the access. A write to a Guarded Control Stack also needs it to be dirty. */
export function s1Allows(
  permissions: number,
  { needed, write }: Pick<S1Asked, 'needed' | 'write'>,
  clean: boolean,
): boolean {
  return (permissions & needed) !== 0 && !(write && clean);
}

/** The details of a permission fault at stage 1: the bits of ESR_ELx.ISS2, and what denies the access. */
export function s1DenialOf(
  ranges: S1Ranges,
  params: S1Params,
  fields: S1PermissionFields,
  asked: S1Asked & { readonly level: number; readonly tables: number },
): Pick<Fault, 'overlay' | 'dirtyBit' | 'denied'> {
  const { overlays, indirection } = params;
  const { needed, write, level } = asked;
  const gcs = (needed & GCS_PERMISSIONS) !== 0;
  const controls = s1Controls(ranges, params, fields, asked.pan);
  const base = withoutWritableExecute(controls, overlays) & (asked.foreign ? ~FOREIGN : -1);
  const overlay = !gcs && (overlayRights(controls, overlays, fields.po) & needed) === 0;
  const clean = write && isClean(params, fields);
  const denied: Denial[] = overlay ? [overlayDenial(params, controls, fields.po, asked)] : [];
  if ((base & needed) === 0) {
    denied.push(
      ...(indirection === undefined
        ? directDenials(ranges, params, fields, asked)
        : indirectDenials(indirection, piIndexOf(fields), controls, asked)),
    );
  }
  if (clean) {
    denied.push({ by: 'nDirty', stage: 1, level, ...(params.dirtyOff && { dirtyOff: params.dirtyOff }) });
  }
  const alone = !overlay && (base & needed) !== 0;
  return { ...(overlay && { overlay }), ...(clean && alone && { dirtyBit: true }), denied };
}

function directDenials(
  ranges: S1Ranges,
  params: S1Params,
  fields: S1PermissionFields,
  asked: S1Asked & { readonly level: number; readonly tables: number },
): readonly Denial[] {
  if ((asked.needed & GCS_PERMISSIONS) !== 0) return [{ by: 'GCS', stage: 1, level: asked.level }];
  // With an overlay, WXN removes writing, not execution.
  const controls = params.overlays === undefined ? params : { ...params, wxn: false };
  const permissions = ranges.permissions(fields, controls);
  return ranges.denials(fields, controls, { ...asked, permissions });
}

/** The register that denies the access, and its field that POIndex chooses. */
function overlayDenial(
  { overlays }: S1Params,
  controls: number,
  index: number,
  { needed, level }: { readonly needed: number; readonly level: number },
): Denial {
  const el1 = (needed & PRIVILEGED) !== 0;
  const value = permissionOf((el1 ? overlays?.por : overlays?.por0) ?? 0n, index);
  const writes = (overlays!.masks[index]! & needed) !== 0;
  return {
    by: el1 ? 'POR' : 'POR_EL0',
    stage: 1,
    level,
    index,
    value,
    ...(writes && (controls & (el1 ? P_WXN : U_WXN)) !== 0 && { wxn: true }),
  };
}

function indirectDenials(
  indirection: S1Indirection,
  index: number,
  controls: number,
  { needed, pan, foreign, level }: S1Asked & { readonly level: number },
): readonly Denial[] {
  const el1 = (needed & PRIVILEGED) !== 0;
  const at = { stage: 1, level, index } as const;
  const { privileged, unprivileged } = s1PermissionsOf(indirection, index);
  const decoded = decodedControls(indirection, index);
  const found: Denial[] = [];
  const lacks = (decoded & needed) === 0;
  const wxn = (needed & EXECUTES) !== 0 && (controls & (el1 ? P_WXN : U_WXN)) !== 0;
  if (lacks || wxn) found.push({ by: el1 ? 'PIR' : 'PIRE0', ...at, value: el1 ? privileged : unprivileged });
  if (isUnsafe(decoded)) {
    found.push({ by: 'PIR-PIRE0', ...at, value: privileged, value0: unprivileged });
  }
  if (pan && el1 && (needed & (PR | PW)) !== 0 && indirection.el0[index] === 1) {
    found.push({ by: 'PAN', ...at, value: unprivileged });
  }
  if (foreign && (needed & FOREIGN) !== 0) found.push({ by: 'PA-space', stage: 1 });
  return found;
}
