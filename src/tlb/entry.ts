/**
 * A TLB entry: the translation of one leaf or contiguous run, its tags, and its answer to an access.
 * (DDI 0487 D8.16 RXCLRD, RSQBCS for what may be cached; D8.7.1 for runs; D8.7.3 and D8.17.2 for nT.)
 */

import { contiguousEntries, STAGE1_LEAF } from '../arch/descriptors/index.ts';
import { isSet, withField } from '../arch/read.ts';
import { traitsOf } from '../arch/regimes.ts';
import { granuleOf } from '../walker/descriptor64.ts';
import type { Access, Fault, Translation, WalkResult, WalkStep } from '../walker/index.ts';
import { ipasOf, type TlbContext } from './context.ts';
import { ADDRESS_BITS, sameRegime, type Tag } from './scope.ts';

/** Where an entry's leaf was read: a fault of the entry reports this. */
export interface LeafDescriptor {
  readonly level: number;
  readonly descriptor: bigint;
  readonly address: bigint;
}

/** One entry of a TLB: the translation of a leaf or contiguous run. Addresses and sizes are in bytes. */
export interface TlbEntry {
  readonly tag: Tag;
  /** The context that filled it. */
  readonly context: TlbContext;
  /** The access that filled it. */
  readonly access: Access;
  /**
   * Instruction and data entries are separate, as in most PEs, because fetches have their own attributes and rules for tagged addresses. Data
   * entries filled under PSTATE.PAN are separate too, because a walk's permissions include PAN.
   */
  readonly side: 'instruction' | 'data' | 'data-pan';
  /** Whether it belongs to TTBR1's range. Addresses of the other range do not find it. */
  readonly upper: boolean;
  /** The first input address that it translates, the number of bytes, and the first output address. */
  readonly base: bigint;
  readonly size: bigint;
  readonly oaBase: bigint;
  /** The result of the walk that filled it. */
  readonly translation: Translation;
  readonly stage1Leaf: LeafDescriptor | undefined;
  readonly stage2Leaf: LeafDescriptor | undefined;
  /** Whether a stage's leaf is writable-clean: the first write has to walk, so that hardware makes it dirty. */
  readonly clean: boolean;
}

const NO_STEPS: readonly WalkStep[] = Object.freeze([]);
const { DBM, nT, AF } = STAGE1_LEAF.fields;
/** AP[2]: 1 is read-only; S2AP[1], at the same bit: 1 is writable. */
const DIRTY_STATE = STAGE1_LEAF.fields['AP[2]'];

/** Which entries an access can hit. */
export function sideOf(context: TlbContext, { access, privileged, pan }: Access): TlbEntry['side'] {
  if (access === 'execute') return 'instruction';
  const el0 = traitsOf(context.regime).unprivileged;
  const effective = pan === true && context.cpu.pan && (!el0 || privileged !== false);
  return effective ? 'data-pan' : 'data';
}

/**
 * The entry for a walk's translation, or undefined if there is nothing to cache: no stage is on, the walk was told not to
 * update (so the access flag may still be 0), or a block has nT set.
 */
export function makeEntry(
  context: TlbContext,
  access: Access,
  result: Translation,
  mergeRuns: boolean,
): TlbEntry | undefined {
  const { holds } = context;
  if (holds === undefined || access.update === false) return undefined;
  const { stage1Step, stage2Step } = leafSteps(result, holds);
  const leaves = [stage1Step, stage2Step].filter((step) => step !== undefined);
  const [first] = leaves;
  if (first === undefined || leaves.some((step) => hasNt(step, context))) return undefined;
  const granuleLog2 = context.aarch32 ? 12 : granuleOf(first.level, first.size);
  const run =
    mergeRuns && holds !== 'both' && result.contiguous ? contiguousEntries(granuleLog2, first.level) : 1;
  const size = result.size * BigInt(run);
  if (!reachesWhole(context, access, alignDown(result.ia, size), size)) return undefined;
  const { regime, security, vmid } = context;
  const asid = context.asidOf(result.ia);
  const span = first.size * BigInt(run);
  const global = result.global || asid === undefined;
  const xs = context.cpu.xs && result.attributes.xs;
  const tag = {
    regime,
    security,
    ipas: ipasOf(context),
    holds,
    vmid,
    asid: global ? undefined : asid,
    granuleLog2,
    level: first.level,
    xs,
  };
  return {
    tag: { ...tag, from: alignDown(result.ia, span), size: span },
    context,
    access,
    side: sideOf(context, access),
    upper: context.upper(result.ia),
    base: alignDown(result.ia, size),
    size,
    oaBase: alignDown(result.pa, size),
    translation: { ...result, steps: NO_STEPS },
    stage1Leaf: stage1Step && leafDescriptor(stage1Step, access, context),
    stage2Leaf: stage2Step && leafDescriptor(stage2Step, access, context),
    clean: access.access !== 'write' && leaves.some((step) => isClean(step, context)),
  };
}

/** Only a leaf of more than 4 GiB can lie across the end of the output addresses, which have 32 bits at least. A TLB need not hold it. */
const SMALLEST_OUTPUT = 1n << 32n;

/** Whether the last byte of what an entry would hold has a translation, too. */
function reachesWhole({ walker }: TlbContext, access: Access, base: bigint, size: bigint): boolean {
  return (
    size <= SMALLEST_OUTPUT || walker.walk(base + size - 1n, { ...access, update: false, trace: false }).ok
  );
}

/** The steps that read the leaf of each stage. Stage 2 steps for fetches of stage-1 tables do not count. */
function leafSteps(
  { steps }: Translation,
  holds: Tag['holds'],
): { readonly stage1Step: WalkStep | undefined; readonly stage2Step: WalkStep | undefined } {
  const last = (wanted: 1 | 2) =>
    steps.findLast(
      ({ stage, kind, s1Level }) =>
        stage === wanted && (kind === 'block' || kind === 'page') && s1Level === undefined,
    );
  return {
    stage1Step: holds === 'stage2' ? undefined : last(1),
    stage2Step: holds === 'stage1' ? undefined : last(2),
  };
}

function alignDown(address: bigint, size: bigint): bigint {
  return address - (address % size);
}

/** At FEAT_BBM level 1 or 2 a block with nT is not cached. This is one of the permitted ways to avoid conflicts. */
function hasNt({ kind, descriptor = 0n }: WalkStep, { cpu, aarch32 }: TlbContext): boolean {
  return cpu.bbm > 0 && !aarch32 && kind === 'block' && isSet(descriptor, nT);
}

/** Whether a leaf is writable-clean, by DBM or with indirect permissions. If neither counts, a write faults before this matters. */
function isClean({ stage, descriptor = 0n }: WalkStep, context: TlbContext): boolean {
  const readOnly = isSet(descriptor, DIRTY_STATE) === (stage === 1);
  return readOnly && mayBecomeDirty(descriptor, stage, context);
}

/** With direct permissions DBM says so; with indirect ones every leaf may. (D8.5.2.1 I_HFBCN) */
function mayBecomeDirty(descriptor: bigint, stage: 1 | 2, { indirect }: TlbContext): boolean {
  return indirect.includes(stage) || isSet(descriptor, DBM);
}

/** The descriptor after the walk that filled the entry: accessed, and dirty after a write. AArch32 has no updates. */
function leafDescriptor(
  { stage, level, descriptor = 0n, address }: WalkStep,
  { access }: Access,
  context: TlbContext,
): LeafDescriptor {
  if (context.aarch32) return { level, descriptor, address };
  const dirty = access === 'write' && mayBecomeDirty(descriptor, stage, context);
  const written = dirty ? withField(descriptor, DIRTY_STATE, stage === 2) : descriptor;
  return { level, descriptor: withField(written, AF, true), address };
}

/** The entry after VMALLWS2: a stage 2 that hardware made writable is clean again. Undefined if nothing changes. */
export function cleanedEntry(entry: TlbEntry): TlbEntry | undefined {
  const { stage2Leaf, translation, clean } = entry;
  const dirty =
    stage2Leaf !== undefined &&
    mayBecomeDirty(stage2Leaf.descriptor, 2, entry.context) &&
    translation.stage2 !== undefined;
  return dirty && !clean ? { ...entry, clean: true } : undefined;
}

/** Whether an entry matches an address in the current context, whatever the access. */
export function entryMatches(
  entry: TlbEntry,
  context: TlbContext,
  ia: bigint,
  side: TlbEntry['side'],
): boolean {
  const { tag, base, size } = entry;
  return (
    ia >= base &&
    ia < base + size &&
    entry.side === side &&
    entry.upper === context.upper(ia) &&
    entry.context.dacr === context.dacr &&
    entry.context.overlays === context.overlays &&
    sameRegime(tag, context) &&
    // An entry of only stage 2 is found by IPA, any other by VA. With every stage off, none is found.
    context.holds !== undefined &&
    (tag.holds === 'stage2') === (context.holds === 'stage2') &&
    tag.vmid === context.vmid &&
    (tag.asid === undefined || tag.asid === context.asidOf(ia))
  );
}

/** An entry's answer to an access: its translation at that address, or a permission fault. No memory is read. */
export function answerOf(entry: TlbEntry, ia: bigint, access: Access): WalkResult {
  const { translation, context } = entry;
  const delta = ia - translation.ia;
  const privileged = !traitsOf(context.regime).unprivileged || access.privileged !== false;
  const allowed = (permissions: Translation['permissions']) =>
    permissions[privileged ? 'privileged' : 'unprivileged'][access.access];
  const moved = <T extends { readonly oa: bigint }>(stage: T): T => ({ ...stage, oa: stage.oa + delta });
  const movedFault = (fault: Fault): Fault =>
    fault.ipa === undefined ? fault : { ...fault, ipa: fault.ipa + delta };
  if (!allowed(translation.permissions)) {
    const stage1Denies =
      entry.stage1Leaf && (!translation.stage1 || !allowed(translation.stage1.permissions));
    return {
      ok: false,
      ia,
      fault: permissionFault(entry, ia, stage1Denies ? 1 : 2),
      security: translation.security,
      steps: NO_STEPS,
    };
  }
  const pa = entry.oaBase + (ia - entry.base);
  return {
    ...translation,
    ia,
    pa,
    leafBase: alignDown(pa, translation.size),
    ...(translation.permitted && { permitted: translation.permitted.map(movedFault) }),
    ...(translation.stage1 && { stage1: moved(translation.stage1) }),
    ...(translation.stage2 && { stage2: moved(translation.stage2) }),
  };
}

function permissionFault({ translation, stage1Leaf, stage2Leaf }: TlbEntry, ia: bigint, stage: 1 | 2): Fault {
  const leaf = (stage === 1 ? stage1Leaf : stage2Leaf)!;
  const ipa = translation.stage1
    ? translation.stage1.oa + (ia - translation.ia)
    : BigInt.asUintN(ADDRESS_BITS, ia);
  return {
    kind: 'permission',
    level: leaf.level,
    stage,
    ...(stage === 2 && { ipa }),
    descriptor: leaf.descriptor,
    descriptorAddress: leaf.address,
    ...(stage === 1 && translation.domain !== undefined && { domain: translation.domain }),
  };
}
