/**
 * Contiguous runs: checks whether all entries around a leaf with its Contiguous bit set agree, as the bit promises.
 * A walk treats the bit as a mere hint, but a TLB may rely on it, so a broken promise is worth a report.
 * (DDI 0487 D8.7.1, D8.7.1.1; D8.5.5 for the bits that hardware may change in a single entry.)
 */
import { contiguousEntries, STAGE1_LEAF, STAGE2_LEAF } from '../arch/descriptors/index.ts';
import { type FieldBits, highMask, lowMask, place } from '../arch/read.ts';
import { alignDown, log2 } from './bits.ts';
import { granuleOf } from './descriptor64.ts';
import { AP_READ_ONLY, S2AP_WRITE } from './permissions.ts';
import type { FieldPlace } from './table-tree.ts';
import type { Access, WalkStep } from './types.ts';
import { halvesOf } from './word.ts';

/** A walker, or an SMMU's stream: anything that returns the steps of a walk. */
export interface StepSource {
  walk(ia: bigint, access: Access): { readonly steps: readonly WalkStep[] };
  /** Its tables, which say what bits of descriptors mean. */
  trees?(
    substreamId?: number,
  ): readonly { readonly root: { readonly stage: 1 | 2 }; readonly place: FieldPlace }[];
}

/** One entry of a run that does not match its neighbours. */
export interface ContiguousProblem {
  /** Position in the run, and the first input address that the entry maps. */
  readonly entry: number;
  readonly ia: bigint;
  readonly descriptor: bigint;
  /** Its Contiguous bit is 0; its output does not follow its neighbour's; its attributes or permissions differ. */
  readonly reason: 'not_contiguous' | 'output' | 'attributes';
}

/** A run of adjacent entries. Invalid entries in it are no misprogramming. */
export interface ContiguousRun {
  /** First input address and bytes of the run. */
  readonly ia: bigint;
  readonly size: bigint;
  /** Entries that make up the run: 16, 32 or 128. */
  readonly entries: number;
  /** Empty if the run is consistent. */
  readonly problems: readonly ContiguousProblem[];
}

/** A valid entry of a run: its descriptor's halves, and a leaf's output address; a table descriptor has `leaf: false`. */
export interface RunEntry {
  readonly lo: number;
  readonly hi: number;
  readonly leaf: boolean;
  readonly output: number;
}

/** The bits that must be equal, and the Contiguous bit, as masks of both halves. */
interface Compared {
  readonly contiguous: number;
  readonly lo: number;
  readonly hi: number;
  /** If DBM is set: the dirty state in the lower half, which hardware may change in a single entry. */
  readonly dbm: number;
  readonly dirty: number;
}

function compared(
  fields: readonly FieldBits[],
  contiguous: FieldBits,
  dbm: FieldBits,
  dirty: number,
): Compared {
  return {
    contiguous: highMask(contiguous),
    lo: fields.reduce((mask, field) => mask | lowMask(field), 0),
    hi: fields.reduce((mask, field) => mask | highMask(field), 0),
    dbm: highMask(dbm),
    dirty,
  };
}

const { fields: S1 } = STAGE1_LEAF;
const { fields: S2 } = STAGE2_LEAF;
/**
 * Memory attributes and permissions. Not AF, which hardware sets one entry at a time, nor nT, which does not affect what the
 * entry translates to, nor bits that hardware ignores: of PBHA those whose HWU bit is 0 (RPFZRK). If SH holds address bits,
 * these are equal in a run.
 */
const COMPARED: Readonly<Record<1 | 2, Compared>> = {
  1: compared(
    [S1.AttrIndx, S1.NS, S1['AP[2:1]'], S1['SH[1:0]'], S1.nG, S1.GP, S1.DBM, S1.PXN, S1.UXN],
    S1.Contiguous,
    S1.DBM,
    Number(place(S1['AP[2:1]'], AP_READ_ONLY)),
  ),
  2: compared(
    [S2.MemAttr, S2.S2AP, S2['SH[1:0]'], S2.FnXS, S2.DBM, S2['XN[1:0]']],
    S2.Contiguous,
    S2.DBM,
    Number(place(S2.S2AP, S2AP_WRITE)),
  ),
};

/** What features add: upper bits of the descriptor, by the feature that is in use. */
const ADDED: Readonly<Record<1 | 2, readonly (readonly [feature: string, field: FieldBits])[]>> = {
  1: [
    ['FEAT_S1POE', S1.POIndex],
    ['FEAT_AIE', S1['AttrIndx[3]']],
  ],
  2: [
    ['FEAT_S2POE', S2.POIndex],
    ['FEAT_THE', S2.AssuredOnly],
  ],
};
const INDIRECT = { 1: 'FEAT_S1PIE', 2: 'FEAT_S2PIE' } as const;

/** What must be alike at a place. With indirect permissions the bit of DBM is one of PIIndex, and every entry has a dirty state. */
function comparedAt(
  stage: 1 | 2,
  { features = [], hwu = 0 }: FieldPlace,
): Compared & { readonly anyDirty: boolean } {
  const inUse = new Set(features);
  const added = ADDED[stage].filter(([feature]) => inUse.has(feature));
  const hi = added.reduce((mask, [, field]) => mask | highMask(field), COMPARED[stage].hi | hardwareUse(hwu));
  return { ...COMPARED[stage], hi, anyDirty: inUse.has(INDIRECT[stage]) };
}

/** Of PBHA, which is in the same place at both stages, the bits that hardware uses. */
const hardwareUse = (hwu: number): number => Number(place(S1.PBHA, hwu) >> 32n);

/** Bit 52 of stage 1 is Protected there (FEAT_THE), and no contiguous hint. */
function hasRuns(stage: 1 | 2, { features = [] }: FieldPlace): boolean {
  return stage === 2 || !new Set(features).has('FEAT_THE');
}

/**
 * What is wrong in a run: the positions of the entries that do not match the one at `like`, in order. That entry itself is one of
 * them if its own output is wrong for an aligned run.
 *
 * @param entries - all entries of the run. Invalid ones are undefined, and are no misprogramming (IPGVGZ).
 * @param like - the position of a leaf with its Contiguous bit set.
 * @param sizeLog2 - log2 of the bytes that an entry maps.
 */
export function judgeRun(
  entries: readonly (RunEntry | undefined)[],
  like: number,
  sizeLog2: number,
  stage: 1 | 2,
  at: FieldPlace = {},
): Pick<ContiguousProblem, 'entry' | 'reason'>[] {
  const { contiguous, lo, hi, dbm, dirty, anyDirty } = comparedAt(stage, at);
  const model = entries[like]!;
  const base = alignDown(model.output, sizeLog2 + Math.log2(entries.length));
  const low = anyDirty || model.hi & dbm ? lo & ~dirty : lo;
  return entries.flatMap((found, entry): Pick<ContiguousProblem, 'entry' | 'reason'>[] => {
    if (found === undefined) return [];
    if (!found.leaf || (found.hi & contiguous) === 0) return [{ entry, reason: 'not_contiguous' }];
    if (found.output !== base + entry * 2 ** sizeLog2) return [{ entry, reason: 'output' }];
    const differs = ((found.lo ^ model.lo) & low) | ((found.hi ^ model.hi) & hi);
    return differs ? [{ entry, reason: 'attributes' }] : [];
  });
}

/** The leaf's Contiguous bit at any level. {@link contiguousEntries} says at which levels it has a meaning. */
function isMarked({ descriptor = 0n, stage }: WalkStep): boolean {
  return (halvesOf(descriptor).hi & COMPARED[stage].contiguous) !== 0;
}

/**
 * The contiguous run around an input address, or undefined if its leaf is not marked contiguous (or there is none).
 * With two stages, it is the run of stage 1. Memory is not changed.
 *
 * @throws WalkerError for an address that is not 64 bits.
 */
export function contiguousRun(walker: StepSource, ia: bigint): ContiguousRun | undefined {
  const leaf = ownSteps(walker, ia).find(isLeaf);
  if (leaf === undefined || !isMarked(leaf)) return undefined;
  const at = walker.trees?.().find(({ root }) => root.stage === leaf.stage)?.place;
  if (!hasRuns(leaf.stage, at ?? {})) return undefined;
  const entries = contiguousEntries(granuleOf(leaf.level, leaf.size), leaf.level);
  if (entries === 1) return undefined;
  const size = leaf.size * BigInt(entries);
  const first = ia - (ia % size);
  const placeOf = (entry: number) => first + leaf.size * BigInt(entry);
  const steps = Array.from({ length: entries }, (_, entry) =>
    ownSteps(walker, placeOf(entry)).find(
      ({ level, descriptor }) => level === leaf.level && descriptor !== undefined,
    ),
  );
  const like = Number((ia - first) / leaf.size);
  const found = judgeRun(steps.map(runEntry), like, log2(leaf.size), leaf.stage, at);
  const problems = found.map(({ entry, reason }) => ({
    entry,
    ia: placeOf(entry),
    descriptor: steps[entry]!.descriptor!,
    reason,
  }));
  return { ia: first, size, entries, problems };
}

function runEntry(step: WalkStep | undefined): RunEntry | undefined {
  if (step?.output === undefined || step.descriptor === undefined) return undefined;
  return { ...halvesOf(step.descriptor), leaf: isLeaf(step), output: Number(step.output) };
}

function isLeaf({ kind }: WalkStep): boolean {
  return kind === 'page' || kind === 'block';
}

/** The steps of the first stage that translates, whatever the result of the access. */
function ownSteps(walker: StepSource, ia: bigint): readonly WalkStep[] {
  const { steps } = walker.walk(ia, { access: 'read', update: false });
  const own = steps.filter(({ s1Level }) => s1Level === undefined);
  const stage = own[0]?.stage;
  return own.filter((step) => step.stage === stage);
}
