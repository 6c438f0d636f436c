/**
 * The reasons for a permission fault: every field and register bit that denies an access by itself. This runs after the walk has found that
 * the access is denied, so it does not slow walks down. (DDI 0487 D8.4; J1.1 AArch64.S1DirectBasePermissions,
 * S1CheckPermissions, S2CheckPermissions; J1.2 AArch32.S1LDHasPermissionsFault, S1SDHasPermissionsFault, S2HasPermissionsFault.)
 */

import type { Denial, DenialCause, DirtyStateOff } from './denial-causes.ts';
import type { S2Params } from './params/params.ts';
import type { ShortParams } from './params/short.ts';
import {
  AP_EL0,
  AP_READ_ONLY,
  AP_TABLE_NO_EL0,
  AP_TABLE_READ_ONLY,
  executableAtStage2,
  guestHypervisorFields,
  guestHypervisorTable,
  PR,
  PW,
  PX,
  PXN_TABLE,
  type S1PermissionControls,
  type S1PermissionFields,
  S2AP_READ,
  S2AP_WRITE,
  UR,
  UW,
  UX,
  UXN_TABLE,
} from './permissions.ts';

/** The access to a stage-1 leaf, and what the leaf allows without PAN. */
export interface S1Denied {
  /** The permission bit that the access needs. */
  readonly needed: number;
  /** PSTATE.PAN applies to this access. */
  readonly pan: boolean;
  /** The output is outside the only physical address space that this state executes from. */
  readonly foreign?: boolean;
  readonly permissions: number;
  readonly level: number;
  /** APTable, XNTable and PXNTable of each level, collected by {@link collectTable}. */
  readonly tables: number;
}

/** Why there is no hardware dirty state. Undefined if there is, or if descriptors have no DBM. */
export type S1DenialControls = S1PermissionControls & { readonly dirtyOff?: DirtyStateOff | undefined };

/** Why a leaf does not allow the access. */
export type S1Denials = (
  fields: S1PermissionFields,
  controls: S1DenialControls,
  asked: S1Denied,
) => readonly Denial[];

const UNPRIVILEGED = UR | UW | UX;
const WRITES = PW | UW;
const EXECUTES = PX | UX;
/** Values of a level's collected bits; levels from -1. */
const TABLE_VALUES = 16;
const LEVELS = [-1, 0, 1, 2, 3];
/** What a level's bits are multiplied by, from level -1 on. */
const TABLE_PLACES = LEVELS.map((_, i) => TABLE_VALUES ** i);

/** Adds a level's collected bits to those of the levels above. */
export function collectTable(tables: number, level: number, bits: number): number {
  return tables + bits * TABLE_PLACES[level + 1]!;
}

function tableAt(tables: number, level: number): number {
  return Math.floor(tables / TABLE_PLACES[level + 1]!) % TABLE_VALUES;
}

/** The causes of one leaf, as they are found. */
class Causes {
  readonly found: Denial[] = [];
  readonly #asked: Pick<S1Denied, 'level' | 'tables'>;

  constructor(asked: Pick<S1Denied, 'level' | 'tables'>) {
    this.#asked = asked;
  }

  leaf(holds: boolean, by: DenialCause, value?: number): void {
    if (holds)
      this.found.push({ by, stage: 1, level: this.#asked.level, ...(value !== undefined && { value }) });
  }

  tables(bits: number, by: DenialCause): void {
    for (const level of LEVELS) {
      const collected = tableAt(this.#asked.tables, level);
      if ((collected & bits) !== 0) this.found.push({ by, stage: 1, level, ...apTableValue(by, collected) });
    }
  }

  control(holds: boolean, by: DenialCause): void {
    if (holds) this.found.push({ by, stage: 1 });
  }

  /** AP[2:1] and APTable: read-only, and no access from EL0. */
  access(
    { ap, dbm }: S1PermissionFields,
    { hd, dirtyOff }: S1DenialControls,
    el0: boolean,
    write: boolean,
  ): void {
    const readOnly = write && (ap & AP_READ_ONLY) !== 0 && !(dbm && hd);
    const clean = readOnly && dbm && dirtyOff !== undefined;
    this.leaf((el0 && (ap & AP_EL0) === 0) || (readOnly && !clean), 'AP', ap);
    if (clean) {
      const { level } = this.#asked;
      this.found.push({ by: 'DBM', stage: 1, level, value: ap, dirtyOff });
    }
    this.tables((el0 ? AP_TABLE_NO_EL0 : 0) | (write ? AP_TABLE_READ_ONLY : 0), 'APTable');
  }

  /** `permissions` do not include PAN. */
  privilegedAccessNever({ pan, permissions }: S1Denied, epan: boolean): void {
    const touchable = (permissions & (UR | UW)) !== 0;
    this.control(pan && touchable, 'PAN');
    this.control(pan && !touchable && epan && (permissions & UX) !== 0, 'EPAN');
  }
}

/** APTable can deny two different things; the others are single bits. */
function apTableValue(by: DenialCause, collected: number): { readonly value?: number } {
  if (by !== 'APTable') return {};
  return { value: (collected & AP_TABLE_NO_EL0 ? 1 : 0) + (collected & AP_TABLE_READ_ONLY ? 2 : 0) };
}

/** For a regime with EL0. */
export const s1DenialsTwoLevels: S1Denials = (fields, controls, asked) => {
  const { needed, permissions } = asked;
  const causes = new Causes(asked);
  if ((needed & EXECUTES) === 0) {
    causes.access(fields, controls, (needed & UNPRIVILEGED) !== 0, (needed & WRITES) !== 0);
    causes.privilegedAccessNever(asked, controls.epan);
  } else if (needed === PX) {
    causes.leaf(fields.pxn, 'PXN');
    causes.tables(PXN_TABLE, 'PXNTable');
    causes.control((permissions & UW) !== 0, 'EL0-writable');
    causes.control(controls.wxn && (permissions & PW) !== 0, 'WXN');
  } else {
    causes.leaf(fields.uxn, 'UXN');
    causes.tables(UXN_TABLE, 'UXNTable');
    causes.control(controls.wxn && (permissions & UW) !== 0, 'WXN');
  }
  causes.control((needed & EXECUTES) !== 0 && asked.foreign === true, 'PA-space');
  return causes.found;
};

/** For EL1&0 with HCR_EL2.{NV, NV1} = {1, 1}. The fields have the names that apply there. */
export const s1DenialsGuestHypervisor: S1Denials = (fields, controls, asked) => {
  const tables = LEVELS.reduce(
    (sum, level) => collectTable(sum, level, guestHypervisorTable(tableAt(asked.tables, level))),
    0,
  );
  return s1DenialsTwoLevels(guestHypervisorFields(fields), controls, { ...asked, tables });
};

/** For a regime without EL0. */
export const s1DenialsOneLevel: S1Denials = (fields, controls, asked) => {
  const { needed, permissions } = asked;
  const causes = new Causes(asked);
  if ((needed & EXECUTES) === 0) causes.access(fields, controls, false, (needed & WRITES) !== 0);
  else {
    causes.leaf(fields.uxn, 'XN');
    causes.tables(UXN_TABLE, 'XNTable');
    causes.control(controls.wxn && (permissions & PW) !== 0, 'WXN');
    causes.control(asked.foreign === true, 'PA-space');
  }
  return causes.found;
};

/** For AArch32 long descriptors, where execution needs read permission. */
export const s1DenialsAArch32: S1Denials = (fields, controls, asked) => {
  const { needed } = asked;
  const causes = new Causes(asked);
  const el0 = (needed & UNPRIVILEGED) !== 0;
  causes.access({ ...fields, dbm: false }, controls, el0, (needed & WRITES) !== 0);
  if ((needed & EXECUTES) === 0) causes.privilegedAccessNever(asked, false);
  else {
    causes.leaf(fields.uxn, 'XN');
    causes.tables(UXN_TABLE, 'XNTable');
    causes.leaf(!el0 && fields.pxn, 'PXN');
    if (!el0) causes.tables(PXN_TABLE, 'PXNTable');
    writableExecute(causes, controls, asked);
  }
  return causes.found;
};

/** SCTLR.WXN and UWXN. */
function writableExecute(
  causes: Causes,
  { wxn, uwxn }: Pick<S1PermissionControls, 'wxn' | 'uwxn'>,
  { needed, permissions }: S1Denied,
): void {
  causes.control(wxn && (permissions & (needed === PX ? PW : UW)) !== 0, 'WXN');
  causes.control(uwxn && needed === PX && (permissions & UW) !== 0, 'UWXN');
}

/** For short descriptors: AP[2:0] and XN of the leaf, PXN of level 1. `data`: the rights without execution. */
export function shortDenials(
  { ap, xn, pxn }: { readonly ap: number; readonly xn: boolean; readonly pxn: boolean },
  params: Pick<ShortParams, 'wxn' | 'uwxn'>,
  asked: S1Denied,
): readonly Denial[] {
  const { needed, permissions } = asked;
  const causes = new Causes(asked);
  // Execution needs read permission.
  const data = needed === PX ? PR : needed === UX ? UR : needed;
  causes.leaf((permissions & data) === 0, 'AP[2:0]', ap);
  if ((needed & EXECUTES) === 0) causes.privilegedAccessNever(asked, false);
  else {
    causes.leaf(xn, 'XN');
    if (pxn && needed === PX) causes.found.push({ by: 'PXN', stage: 1, level: 1 });
    writableExecute(causes, params, asked);
  }
  return causes.found;
}

/** The fields of a stage-2 leaf, without the effect of dirty state. */
export interface S2PermissionFields {
  readonly s2ap: number;
  /** XN[1:0]. Bit 0 counts only with FEAT_XNX. */
  readonly xn: number;
  readonly dbm: boolean;
  readonly level: number;
}

/** The access to a stage-2 leaf. */
export interface S2Denied {
  readonly needed: number;
  /** A walk's own access met Device memory under HCR.PTW. */
  readonly deviceTables: boolean;
  /** In Realm state: the output is in Non-secure memory, where neither instructions nor tables may be. */
  readonly foreign: boolean;
  /** It is a walk's own access. */
  readonly own: boolean;
}

/** Why stage 2 does not allow the access. */
export function s2Denials(
  { s2ap, xn, dbm, level }: S2PermissionFields,
  { hd, dirtyOff, aarch32 }: Pick<S2Params, 'hd' | 'dirtyOff' | 'aarch32'>,
  { needed, deviceTables, foreign, own }: S2Denied,
): readonly Denial[] {
  const found: Denial[] = [];
  const at = { stage: 2, level } as const;
  const reads = (needed & (PR | UR)) !== 0 || (aarch32 && (needed & EXECUTES) !== 0);
  const unwritable = (needed & WRITES) !== 0 && (s2ap & S2AP_WRITE) === 0 && !(dbm && hd);
  const clean = unwritable && dbm && dirtyOff !== undefined;
  if ((reads && (s2ap & S2AP_READ) === 0) || (unwritable && !clean)) {
    found.push({ by: 'S2AP', ...at, value: s2ap });
  }
  if (clean) found.push({ by: 'DBM', ...at, value: s2ap, dirtyOff });
  if ((needed & EXECUTES & ~executableAtStage2(xn)) !== 0) found.push({ by: 'XN', ...at, value: xn });
  if (deviceTables) found.push({ by: 'PTW', stage: 2 });
  if (foreign && (own || (needed & EXECUTES) !== 0)) found.push({ by: 'PA-space', stage: 2 });
  return found;
}
