/**
 * Scans an address space through its walker: from leaf to leaf, and over each hole in one step. The size of a hole comes from the
 * walker too: the hole ends at the first address that takes another path through the tables.
 */
import {
  isAArch32,
  isNested,
  isStage2Alone,
  isStream,
  type MachineRegime,
  traitsOf,
} from '../arch/regimes.ts';
import type { Answer, Translator } from '../machine/machine.ts';
import { iaAt, type TablePlace, visitTree } from '../machine/visit.ts';
import { ENTRY_KINDS, type TableEntry } from '../walker/index.ts';
import type { AddressRange } from './address-range.ts';
import { probe } from './probe.ts';

type Faulted = Extract<Answer, { ok: false }>;

/** One leaf, or one hole: an entry that is not there. */
export interface Stretch {
  readonly ia: bigint;
  readonly size: bigint;
  readonly result: Answer;
  /** For a leaf that faults: the PA that `ia` would lead to, if there is one. */
  readonly pa?: bigint | undefined;
}

const IA_BITS = 64;
/**
 * The largest range of addresses of Arm's regimes (FEAT_LVA, FEAT_LPA2), and either half of Sv57; the smallest page. Bits above
 * them do not make a range larger: with TBI, an address of 56 one bits is a tagged address of the upper range.
 */
const MAX_WINDOW_LOG2 = 52;
const MAX_RISCV_WINDOW_LOG2 = 56;
const MIN_PAGE_LOG2 = 12;

/** The ranges of addresses that tables can translate: the lower one, and the upper one if there are two. */
export function windows(walker: Translator): AddressRange[] {
  const top = 1n << BigInt(hasShortAddresses(walker.regime) ? 32 : IA_BITS);
  const reaches = (ia: bigint) => hasAnswer(walker.walk(ia, { access: 'read' }), walker.regime);
  const riscv = traitsOf(walker.regime).architecture === 'RISC-V';
  const largest = riscv ? MAX_RISCV_WINDOW_LOG2 : MAX_WINDOW_LOG2;
  const found: AddressRange[] = [];
  for (let log2 = largest; log2 >= MIN_PAGE_LOG2; log2--) {
    const last = (1n << BigInt(log2)) - 1n;
    if (last < top && reaches(last)) {
      found.push({ first: 0n, last });
      break;
    }
  }
  const lowerEnd = found[0] ? found[0].last + 1n : 0n;
  for (let log2 = largest; log2 >= MIN_PAGE_LOG2; log2--) {
    const first = top - (1n << BigInt(log2));
    if (first >= lowerEnd && reaches(first)) {
      found.push({ first, last: top - 1n });
      break;
    }
  }
  return found;
}

function hasShortAddresses(regime: MachineRegime): boolean {
  return isAArch32(regime) && !isStage2Alone(regime);
}

/** False if the registers refuse the address before any table is read. */
function hasAnswer(result: Answer, regime: MachineRegime): boolean {
  if (result.ok || !(isStream(regime) && isNested(regime))) return result.ok || result.steps.length > 0;
  // An SMMU translates the address of its context descriptor first.
  return result.steps.some(({ stage, s1Level }) => stage === 1 || s1Level !== undefined);
}

/** Every stretch of `range`, in order; the first and the last may reach beyond it. */
export function* scan(walker: Translator, { first, last }: AddressRange): Generator<Stretch> {
  const entries = new EntrySizes(walker);
  for (let ia = first; ia <= last; ) {
    const result = probe(walker, ia, true);
    // Large pages and supersections of short descriptors have 16 entries, which may differ by mistake, so each counts separately.
    const byLeaf = result.ok && !['short', 'mtk'].includes(traitsOf(walker.regime).descriptors);
    const size = byLeaf ? result.size : entries.sizeAt(ia, result);
    const aligned = byLeaf ? ia - (result.pa - result.leafBase) : ia - (ia % size);
    // The lower part of an entry may have been in another stretch, if its output leaves the range of stage 2. Go on from there.
    const start = ia === first || aligned > ia ? aligned : ia;
    if (result.ok) yield { ia: start, size: aligned + size - start, result };
    else yield* faulting({ ia: start, size: aligned + size - start, result }, walker);
    ia = aligned + size;
  }
}

/** A leaf that faults, with its PA. With two stages it is cut where stage 2 changes, since stage 1 alone gives an IPA. */
function* faulting(stretch: Stretch & { readonly result: Faulted }, walker: Translator): Generator<Stretch> {
  const { ia, size, result } = stretch;
  const { steps } = result;
  const nested = isNested(walker.regime) && steps.some(({ stage }) => stage === 1);
  const leaf = nested ? steps.findLast(({ stage }) => stage === 1) : steps.at(-1);
  if (leaf?.output === undefined || leaf.kind === 'table') {
    yield stretch;
    return;
  }
  // Each entry in a run of short descriptors is a part of the leaf, so the leaf is larger than the stretch at `ia`.
  const output = leaf.output + (ia % leaf.size);
  if (!nested) {
    yield { ...stretch, pa: output };
    return;
  }
  for (let at = 0n; at < size; ) {
    const { pa, left } = stage2At(walker, output + at);
    const piece = left === undefined || left > size - at ? size - at : left;
    yield { ia: ia + at, size: piece, result, pa };
    at += piece;
  }
}

/** Stage 2's translation of an IPA: the PA, and the bytes from there to the end of the entry. */
function stage2At(walker: Translator, ipa: bigint): { readonly pa?: bigint; readonly left?: bigint } {
  const tree = walker.trees().find(({ root }) => root.stage === 2);
  let found: { readonly pa?: bigint; readonly left?: bigint } = {};
  const at = (entry: TableEntry, { entrySizeLog2 }: TablePlace, offset: number) => {
    const inEntry = ipa - iaAt(tree!, offset);
    const left = (1n << BigInt(entrySizeLog2)) - inEntry;
    found = entry.kind === ENTRY_KINDS.leaf ? { pa: BigInt(entry.output) + inEntry, left } : { left };
  };
  if (tree !== undefined) visitTree(tree, { leaf: at, other: at }, { within: { first: ipa, last: ipa } });
  return found;
}

/** The sizes of entries, learned from the walker once for each path through the levels. */
class EntrySizes {
  readonly #walker: Translator;
  readonly #known = new Map<string, bigint>();

  constructor(walker: Translator) {
    this.#walker = walker;
  }

  sizeAt(ia: bigint, result: Answer): bigint {
    const { steps } = result;
    if (steps.length === 0) return this.#measure(ia, result);
    const half = ia >> BigInt(IA_BITS - 1);
    const key = `${half}${steps.map(({ stage, level }) => `/${stage}.${level}`).join('')}`;
    let size = this.#known.get(key);
    if (size === undefined) {
      size = this.#measure(ia, result);
      this.#known.set(key, size);
    }
    return size;
  }

  /** Finds the lowest address bit that changes the descriptors on the path: entries ignore all bits below it. */
  #measure(ia: bigint, result: Answer): bigint {
    const way = wayOf(result);
    for (let log2 = MIN_PAGE_LOG2; log2 < IA_BITS; log2++) {
      const size = 1n << BigInt(log2);
      if (wayOf(probe(this.#walker, ia ^ size, true)) !== way) return size;
    }
    return 1n << BigInt(IA_BITS);
  }
}

function wayOf(result: Answer): string {
  return result.ok && result.steps.length === 0 ? 'flat' : result.steps.map((s) => s.address).join();
}
