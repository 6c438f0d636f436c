/**
 * What a stage-2 leaf allows: direct or indirect permissions, overlays, dirty state managed by software, AssuredOnly and TopLevel checks,
 * NoTagAccess; and why it denies an access. (DDI 0487 D8.4.2, D8.5.2; J1.1 AArch64.S2ComputePermissions, S2CheckPermissions.)
 */
import { STAGE2_LEAF } from '../arch/descriptors/index.ts';
import { highMask, lowMask, shiftOf } from '../arch/read.ts';
import type { CpuFeatures } from './cpu.ts';
import type { Denial } from './denial-causes.ts';
import { s2Denials } from './denials.ts';
import { everyKey, keyOf } from './fast/key.ts';
import type { S2Params } from './params/params.ts';
import { permissionOf, type S2Rights } from './permission-indirection.ts';
import { effectiveXn, PW, S2AP_READ, S2AP_WRITE, s2Permissions, UW } from './permissions.ts';
import type { S2Request } from './stage2-request.ts';
import type { Fault } from './types.ts';

const { fields: FIELDS } = STAGE2_LEAF;
const S2AP = lowMask(FIELDS.S2AP);
const S2AP_SHIFT = shiftOf(FIELDS.S2AP);
const XN = highMask(FIELDS['XN[1:0]']);
const XN_SHIFT = shiftOf(FIELDS['XN[1:0]']);
const DBM = highMask(FIELDS.DBM);
const PO_INDEX = highMask(FIELDS.POIndex);
const PO_INDEX_SHIFT = shiftOf(FIELDS.POIndex);
const ASSURED_ONLY = highMask(FIELDS.AssuredOnly);
const MEM_ATTR = lowMask(FIELDS.MemAttr);
const MEM_ATTR_SHIFT = shiftOf(FIELDS.MemAttr);
const WRITES = PW | UW;

/** The halves of a leaf descriptor, and its level. */
interface LeafWords {
  readonly lo: number;
  readonly hi: number;
  readonly level: number;
}

/** PIIndex, from the bits that are XN[1:0], DBM and S2AP[0] with direct permissions. */
function piIndex(s2ap: number, xn: number, dbm: boolean): number {
  return xn * 4 + (dbm ? 2 : 0) + (s2ap & S2AP_READ);
}

/** By the key of a leaf's permission fields: the rights of ordinary accesses, and of table walks. Overlays apply on top. */
export class S2PermissionTable {
  readonly #params: S2Params;
  readonly #data: Uint16Array;
  readonly #walk: Uint16Array;
  /** Whether anything besides permissions is checked. */
  readonly #checks: boolean;

  constructor(params: S2Params, cpu: CpuFeatures) {
    this.#params = params;
    const { indirection, hd, assuredOnly, tl0, tl1, gcsh, tagPermissions } = params;
    const table = (own: boolean) =>
      everyKey((s2ap, xn, dbm) => {
        const dirty = (s2ap & S2AP_WRITE) !== 0;
        if (indirection === undefined) {
          return s2Permissions(hd && dbm ? s2ap | S2AP_WRITE : s2ap, xn, cpu, params.aarch32);
        }
        const rights = indirection.fields[piIndex(s2ap, xn, dbm)]!;
        const mask = own ? rights.walk : rights.data;
        return dirty || hd ? mask : mask & ~WRITES;
      }, 'leaves');
    this.#data = table(false);
    this.#walk = indirection === undefined ? this.#data : table(true);
    this.#checks = assuredOnly || tl0 || tl1 || gcsh || tagPermissions;
  }

  /** Rights of ordinary accesses, or (`own`) of table walks and hardware updates. */
  rights({ lo, hi }: LeafWords, own: boolean): number {
    const mask = (own ? this.#walk : this.#data)[keyOf(lo, hi, 0)]!;
    const { overlays } = this.#params;
    if (overlays === undefined) return mask;
    const over = overlays.fields[(hi & PO_INDEX) >>> PO_INDEX_SHIFT]!;
    return mask & (own ? over.walk : over.data);
  }

  /** Whether table walks may write here but data accesses may not, which FEAT_THE relies on. */
  isMostlyReadOnly(leaf: LeafWords): boolean {
    if (!this.#checks || this.#params.indirection === undefined) return false;
    const { base, overlay } = partsOf(leaf, this.#params);
    const both = (kind: 'data' | 'walk') => base![kind] & (overlay?.[kind] ?? -1) & PW;
    return both('walk') !== 0 && both('data') === 0;
  }

  /** Whether something other than permissions denies the access. */
  isForbidden(leaf: LeafWords, request: S2Request): boolean {
    return this.#checks && checkOf(leaf, this.#params, request, this.isMostlyReadOnly(leaf)) !== undefined;
  }

  /** The details of a permission fault: the bits of ESR_ELx.ISS2, and what denies the access. */
  denialOf(
    leaf: LeafWords,
    request: S2Request,
    { device, foreign }: { readonly device: boolean; readonly foreign: boolean },
    cpu: CpuFeatures,
  ): Pick<Fault, 'overlay' | 'dirtyBit' | 'assuredOnly' | 'topLevel' | 'tagAccess' | 'denied'> {
    const params = this.#params;
    const check = checkOf(leaf, params, request, this.isMostlyReadOnly(leaf));
    const { base, overlay, pi, po } = partsOf(leaf, params);
    const { needed, own } = request;
    const at = { stage: 2, level: leaf.level } as const;
    const kind = own ? 'walk' : 'data';
    const denied: Denial[] = check === undefined ? [] : [{ by: CHECK_CAUSES[check], ...at }];
    const overlaid = overlay !== undefined && (overlay[kind] & needed) !== needed;
    if (overlaid) {
      denied.push({ by: 'S2POR', ...at, index: po, value: permissionOf(params.overlays!.register, po) });
    }
    const dirty = (leaf.lo & S2AP & (S2AP_WRITE << S2AP_SHIFT)) !== 0;
    const clean = params.indirection !== undefined && request.write && !params.hd && !dirty;
    if (base === undefined) {
      const fields = {
        s2ap: (leaf.lo & S2AP) >>> S2AP_SHIFT,
        xn: effectiveXn((leaf.hi & XN) >>> XN_SHIFT, cpu),
        dbm: (leaf.hi & DBM) !== 0,
        level: leaf.level,
      };
      denied.push(...s2Denials(fields, params, { needed, deviceTables: device, foreign, own }));
    } else {
      if ((base[kind] & needed) !== needed) {
        denied.push({ by: 'S2PIR', ...at, index: pi, value: permissionOf(params.indirection!.register, pi) });
      }
      if (device) denied.push({ by: 'PTW', stage: 2 });
      if (foreign) denied.push({ by: 'PA-space', stage: 2 });
    }
    if (clean) denied.push({ by: 'Dirty', ...at, ...(params.dirtyOff && { dirtyOff: params.dirtyOff }) });
    const lacks = base !== undefined && (base[kind] & needed) !== needed;
    return { ...bitsOf(check, { overlaid, lacks: lacks || device || foreign, clean }), denied };
  }
}

/** S2CheckPermissions: the bit that the first failing check sets. */
function bitsOf(
  check: Check | undefined,
  { overlaid, lacks, clean }: Readonly<Record<'overlaid' | 'lacks' | 'clean', boolean>>,
): Pick<Fault, 'overlay' | 'dirtyBit' | 'assuredOnly' | 'topLevel' | 'tagAccess'> {
  if (check === 'topLevel') return { topLevel: true };
  if (check === 'assuredOnly' || check === 'gcsh') return { assuredOnly: true };
  if (overlaid) return { overlay: true };
  if (lacks) return {};
  if (check === 'tagAccess') return { tagAccess: true };
  return clean ? { dirtyBit: true } : {};
}

function partsOf({ lo, hi }: LeafWords, { indirection, overlays }: S2Params) {
  const pi = piIndex((lo & S2AP) >>> S2AP_SHIFT, (hi & XN) >>> XN_SHIFT, (hi & DBM) !== 0);
  const po = (hi & PO_INDEX) >>> PO_INDEX_SHIFT;
  return { pi, po, base: indirection?.fields[pi], overlay: overlays?.fields[po] };
}

/** Checks other than permissions. */
type Check = 'topLevel' | 'assuredOnly' | 'gcsh' | 'tagAccess';
const CHECK_CAUSES = {
  topLevel: 'TopLevel',
  assuredOnly: 'AssuredOnly',
  gcsh: 'GCSH',
  tagAccess: 'NoTagAccess',
} as const;

/** The first of these checks that fails. */
function checkOf(
  leaf: LeafWords,
  params: S2Params,
  { top, assured, privilegedGcs, tagChecked }: S2Request,
  mostlyReadOnly: boolean,
): Check | undefined {
  if (top !== undefined && isBadTop(topLevelsOf(leaf, params, mostlyReadOnly), params, top))
    return 'topLevel';
  const assuredOnly = params.assuredOnly && (leaf.hi & ASSURED_ONLY) !== 0;
  if (assuredOnly && assured !== true) return 'assuredOnly';
  if (!assuredOnly && params.gcsh && privilegedGcs === true) return 'gcsh';
  return params.tagPermissions && tagChecked === true && isNoTagAccess(leaf, params)
    ? 'tagAccess'
    : undefined;
}

/** TopLevel0 and TopLevel1 of a leaf. With overlays, only mostly read-only memory has them. */
function topLevelsOf(
  leaf: LeafWords,
  params: S2Params,
  mostlyReadOnly: boolean,
): Pick<S2Rights, 'topLevel0' | 'topLevel1'> {
  const { base, overlay } = partsOf(leaf, params);
  if (base === undefined) return { topLevel0: false, topLevel1: false };
  if (overlay === undefined) return base;
  const either = (name: 'topLevel0' | 'topLevel1') => mostlyReadOnly && (base[name] || overlay[name]);
  return { topLevel0: either('topLevel0'), topLevel1: either('topLevel1') };
}

/** The TopLevel check: whether a table is not for this register, or only for the other one. (D8.4.2, Stage 2 TopLevel checks.) */
function isBadTop(
  { topLevel0, topLevel1 }: Pick<S2Rights, 'topLevel0' | 'topLevel1'>,
  { tl0, tl1 }: Pick<S2Params, 'tl0' | 'tl1'>,
  top: 'lower' | 'upper',
): boolean {
  return top === 'lower'
    ? (tl0 && !topLevel0) || (tl1 && topLevel1 && !topLevel0)
    : (tl1 && !topLevel1) || (tl0 && topLevel0 && !topLevel1);
}

/** Whether MemAttr means NoTagAccess: 0b0100, or with forced Write-Back 0b111x. (FEAT_MTE_PERM) */
export function isNoTagAccess({ lo }: Pick<LeafWords, 'lo'>, { fwb }: Pick<S2Params, 'fwb'>): boolean {
  const memAttr = (lo & MEM_ATTR) >>> MEM_ATTR_SHIFT;
  return fwb ? memAttr >= 0b1110 : memAttr === 0b0100;
}
