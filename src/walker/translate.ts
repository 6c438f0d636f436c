/**
 * Combines the stages of a regime: one access through stage 1 and stage 2, and the combined answer.
 * (DDI 0487 J1.1 AArch64.FullTranslate, J1.2 AArch32.FullTranslate.)
 */
import type { PaSpace, SecurityState } from '../arch/security.ts';
import { DEFAULT_CACHEABLE, type MemoryRegion } from './attributes.ts';
import { alignDown } from './bits.ts';
import type { ControlsInForce } from './cacheability.ts';
import { deviceFetch, stage1DeviceFault } from './device-fetch.ts';
import { WalkerError } from './errors.ts';
import type { DirectStages } from './fast/plan.ts';
import type { FoundLeaf } from './fast/range.ts';
import type { InputAddress, S1Output, S1Request } from './first-stage.ts';
import type { GranuleProtection } from './granule-protection.ts';
import type { StageFault } from './lookup.ts';
import { GCS_PERMISSIONS, permissionsOf, requiredPermission } from './permissions.ts';
import { s1Output } from './stage1-output.ts';
import type { Stage2 } from './stage2.ts';
import { type S2Output, s2Output } from './stage2-output.ts';
import type { TableTree } from './table-tree.ts';
import type {
  Access,
  Fault,
  FaultedWalk,
  StageTranslation,
  Translation,
  WalkResult,
  WalkStep,
} from './types.ts';
import { bigintOf, halvesOf } from './word.ts';

/** First stage of a walk: stage 1 with its tables, or the flat map if it is off. */
export type FirstStage = (
  ia: InputAddress,
  request: S1Request,
  steps: WalkStep[] | undefined,
) => S1Output | StageFault;

/** The stages of a regime. */
export interface Stages {
  readonly first: FirstStage;
  /** Whether stage 1 translates (is not off). */
  readonly stage1: boolean;
  readonly stage2: Stage2 | undefined;
  /** The tables of all stages, as hardware reads them. */
  readonly trees: () => TableTree[];
  /** Whether an instruction fetch from Device memory counts as one from Normal memory, or faults. This is so for a PE, not for an SMMU. (IHI 0070 13.1) */
  readonly fetchesInstructions: boolean;
  /** What makes Normal memory Non-cacheable; undefined if nothing does. */
  readonly cacheControls?: ControlsInForce | undefined;
  /** The Security state of the accesses. */
  readonly security: SecurityState;
  /** Granule protection checks, if they are on. Fetches of tables are checked when they are made. */
  readonly gpc?: GranuleProtection;
  /** Whether there are unprivileged accesses; without them every access is privileged. */
  readonly unprivileged: boolean;
  /** The stages that translate, if the fast path can handle them. */
  readonly direct?: DirectStages;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** 2^n as a bigint, n up to 64. */
const SIZES: readonly bigint[] = Array.from({ length: 65 }, (_, log2) => 1n << BigInt(log2));
const NO_STEPS: readonly WalkStep[] = Object.freeze([]);
const ADDRESS_LIMIT = 1n << 64n;
const CLEAR_LIMIT = 2 ** 63;

/**
 * One access, checked on entry: arguments that JavaScript callers can get wrong throw here, and nothing throws later.
 * @throws WalkerError for an address that is not 64 bits or an unknown kind of access.
 */
export function checkAccess(ia: bigint, access: Pick<Access, 'access'>): void {
  // Comparing numbers is much cheaper than comparing bigints. Rounding matters only near 2^64.
  const number = typeof ia === 'bigint' ? Number(ia) : Number.NaN;
  if (!(number >= 0 && number < CLEAR_LIMIT) && !(typeof ia === 'bigint' && ia >= 0n && ia < ADDRESS_LIMIT)) {
    throw new WalkerError(`the input address must be a bigint of at most 64 bits, not ${String(ia)}`);
  }
  checkKind(access);
}

/** @throws WalkerError for an unknown kind of access. */
export function checkKind(asked: Pick<Access, 'access'>): void {
  const access: unknown = (asked as Partial<Access> | null)?.access;
  if (access !== 'read' && access !== 'write' && access !== 'execute') {
    throw new WalkerError(`unknown access '${String(access)}'; it is read, write or execute`);
  }
}

/** FullTranslate. Steps are pushed to `steps` if it is given. */
export function translate(
  stages: Stages,
  ia: bigint,
  request: S1Request,
  steps: WalkStep[] | undefined,
): WalkResult {
  const s1 = stages.first(halvesOf(ia), request, steps);
  if (!s1.ok) return faulted(stages, ia, s1.fault, steps);
  const { stage2 } = stages;
  if (stage2 === undefined) return protectedResult(stages, ia, s1, undefined, request, steps);
  const needed = requiredPermission(request.access, request.privileged);
  const { gcs, tagChecked, privileged } = request;
  const s2Request = {
    needed,
    write: request.access === 'write',
    own: false,
    assured: s1.assured === true,
    privilegedGcs: gcs && privileged,
    tagChecked: tagChecked && s1.region.attributes.type === 'normal' && s1.region.attributes.tagged,
  };
  const s2 = stage2.translate(s1.oa, s1.space, s2Request, request.update, steps);
  if (!s2.ok) {
    const result = faulted(stages, ia, s2.fault, steps);
    const permitted = stages.fetchesInstructions ? stage1DeviceFault(s1, request) : [];
    return permitted.length === 0 ? result : { ...result, permitted };
  }
  return protectedResult(stages, ia, s1, s2, request, steps);
}

/** TranslateAddress: the access itself also gets a granule protection check, after everything else. */
function protectedResult(
  stages: Stages,
  ia: bigint,
  s1: S1Output,
  s2: S2Output | undefined,
  request: S1Request,
  steps: WalkStep[] | undefined,
): WalkResult {
  const last = s2 ?? s1;
  const fault = stages.gpc && accessDenial(stages.gpc, last.oa, last.space);
  if (fault === undefined) return assemble(stages, ia, s1, s2, request, steps);
  return faulted(stages, ia, fault, steps);
}

/** The fault of an access itself to a PA, if its granule protection check fails. It belongs to neither stage; the architecture reports it as stage 1. */
export function accessDenial(gpc: GranuleProtection, pa: number, space: PaSpace): Fault | undefined {
  const denied = gpc.denial(pa, space);
  return denied && { kind: 'granule_protection', level: 0, stage: 1, output: true, ...denied };
}

/** What a fast path found: the last leaf and, of two stages, the first one's with the IPA. */
export interface FoundLeaves {
  readonly leaf: FoundLeaf | undefined;
  readonly first?: FoundLeaf | undefined;
  readonly ipa?: number;
}

/** The same, without steps, if the fast path found the leaf. Undefined if it can't give the whole answer. */
export function translateLeaf(
  stages: Stages,
  ia: bigint,
  request: S1Request,
  { leaf, first, ipa }: FoundLeaves,
  oa: number,
): WalkResult | undefined {
  const { direct } = stages;
  if (leaf === undefined) return undefined;
  // In Secure state, the tables on the path affect the PA's address space, and the fast path does not collect that.
  if (direct === undefined || stages.security !== 'non-secure') return undefined;
  if ('stage2' in direct) {
    const s1 = stages.first(halvesOf(ia), request, undefined);
    const s2 = s2Output(direct.stage2, leaf, oa, leaf.permissions);
    return s1.ok ? assemble(stages, ia, s1, s2, request, undefined) : undefined;
  }
  if ('below' in direct) {
    if (first?.s1 === undefined || ipa === undefined) return undefined;
    const s1 = s1Output(direct.stage1, first.s1, first, ipa, first.permissions, false);
    const s2 = s2Output(direct.below.stage2, leaf, oa, leaf.permissions);
    return assemble(stages, ia, s1, s2, request, undefined);
  }
  if (leaf.s1 === undefined) return undefined;
  const s1 = s1Output(direct.stage1, leaf.s1, leaf, oa, leaf.permissions, false);
  return assemble(stages, ia, s1, undefined, request, undefined);
}

function assemble(
  { stage1, stage2, fetchesInstructions, cacheControls, security }: Stages,
  ia: bigint,
  s1: S1Output,
  s2: S2Output | undefined,
  request: S1Request,
  steps: WalkStep[] | undefined,
): Translation {
  const last = s2 ?? s1;
  const sizeLog2 = Math.min(s1.sizeLog2, last.sizeLog2);
  const region = s2 && stage2 ? stage2.combine(s1.region, s2.attributeKey) : s1.region;
  // Optional members are added one by one: spreading them in costs more than the whole walk.
  const result: Mutable<Translation> = {
    ok: true,
    ia,
    pa: bigintOf(last.oa),
    level: s1.level ?? last.level,
    stage: s2 ? 2 : 1,
    size: SIZES[sizeLog2]!,
    leafBase: bigintOf(alignDown(last.oa, sizeLog2)),
    attributes: region.attributes,
    shareability: region.shareability,
    // Stage 2 treats Guarded Control Stack accesses as ordinary reads and writes.
    permissions: permissionsOf(s1.permissions & (last.permissions | GCS_PERMISSIONS)),
    global: s1.global,
    security,
    paSpace: last.space,
    ns: last.space === 'non-secure',
    contiguous: last.contiguous,
    nT: last.nT,
    guarded: s1.guarded,
    steps: steps ?? NO_STEPS,
  };
  if (cacheControls !== undefined) {
    const combine = s2 && stage2 ? (one: MemoryRegion) => stage2.combine(one, s2.attributeKey) : undefined;
    const fetch = request.access === 'execute';
    const effective = cacheControls.effective(s1.region, fetch, s2?.attributeKey, combine);
    if (effective !== undefined) result.effective = effective;
  }
  if (s1.domain !== undefined) result.domain = s1.domain;
  if (s2 && stage2) {
    if (security !== 'non-secure') result.ipaSpace = s1.space;
    if (stage1) result.stage1 = stageOf(s1, s1.region);
    result.stage2 = stageOf(s2, stage2.combine(DEFAULT_CACHEABLE, s2.attributeKey));
  }
  if (fetchesInstructions && request.access === 'execute') {
    Object.assign(result, deviceFetch(s1, s2, stage2, request));
  }
  return result;
}

function stageOf(
  output: Pick<S1Output, 'oa' | 'level' | 'sizeLog2' | 'permissions'>,
  { attributes, shareability }: S1Output['region'],
): StageTranslation {
  return {
    oa: bigintOf(output.oa),
    level: output.level,
    size: SIZES[output.sizeLog2]!,
    leafBase: bigintOf(alignDown(output.oa, output.sizeLog2)),
    attributes,
    shareability,
    permissions: permissionsOf(output.permissions),
  };
}

function faulted({ security }: Stages, ia: bigint, fault: Fault, steps: WalkStep[] | undefined): FaultedWalk {
  return { ok: false, ia, fault, security, steps: steps ?? NO_STEPS };
}
