/** Changes of an STE or CD that is in use: which mixtures of words hardware may use in between. (IHI 0070 3.21.3.) */
import { isSetIn, placeInto } from '../../arch/read.ts';
import { CD, STE } from '../../arch/smmu/index.ts';
import { FRESH } from '../caches/scripted-memory.ts';
import { structures } from '../caches/structures.ts';

/** A write of one 64-bit word, or an invalidation of the structure with its CMD_SYNC. */
export type StructureStep =
  | { readonly kind: 'write'; readonly index: number; readonly value: bigint }
  | { readonly kind: 'sync' };

/** A change of a structure of eight words. `used…`: the bits that matter of the old and of the new one. Default: all. */
export interface StructureChange {
  readonly structure: 'ste' | 'cd';
  readonly from: readonly bigint[];
  readonly to: readonly bigint[];
  readonly usedFrom: readonly bigint[] | undefined;
  readonly usedTo: readonly bigint[] | undefined;
  readonly steps: readonly StructureStep[];
}

/** Words that hardware may use after a step, and that are neither the old structure nor the new one. */
export interface TornStructure {
  /** The step after which they may be seen, from 0 on. */
  readonly step: number;
  readonly words: readonly bigint[];
  /** Whether V = 1. A structure that is not valid makes transactions fail, which is at least no wrong translation. */
  readonly valid: boolean;
}

/** What hardware may see of a change. */
export interface ChangeReport {
  /** No transaction sees anything but the old or the new structure. */
  readonly hitless: boolean;
  readonly syncs: number;
  /** The structure was not valid when it was invalidated. */
  readonly invalidSynced: boolean;
  /** Each once. */
  readonly torn: readonly TornStructure[];
  /** What memory holds at the end is the new structure, and no older word can still be cached. */
  readonly complete: boolean;
}

const WORDS = 8;
const ONES = Array.from({ length: WORDS }, () => (1n << 64n) - 1n);

/** Fields of an STE that a driver may change with the others: ATS is off at the device meanwhile, and merged events are a hint. (5.2 EATS, MEV.) */
const HARMLESS: Readonly<Record<StructureChange['structure'], readonly bigint[]>> = {
  ste: steHarmless(),
  cd: ONES.map(() => 0n),
};

function steHarmless(): readonly bigint[] {
  const words = ONES.map(() => 0n);
  for (const field of [STE.fields.EATS, STE.fields.MEV]) placeInto(words, field, -1n);
  return words;
}

/** Goes through a change and finds every mixture of words that may be cached after each step. */
export function examineChange(change: StructureChange): ChangeReport {
  const { from, to, steps, structure } = change;
  const now = [...from];
  let seen = from.map((word) => new Set([word]));
  const torn = new Map<string, TornStructure>();
  let syncs = 0;
  let invalidSynced = false;
  for (const [step, one] of steps.entries()) {
    if (one.kind === 'sync') {
      syncs++;
      seen = now.map((word) => new Set([word]));
      invalidSynced ||= !isValid(structure, now);
    } else {
      now[one.index] = one.value;
      seen[one.index]!.add(one.value);
    }
    for (const words of mixturesOf(seen)) {
      if (isEither(words, change)) continue;
      const key = words.join();
      if (!torn.has(key)) torn.set(key, { step, words, valid: isValid(structure, words) });
    }
  }
  const complete = seen.every((values, i) => values.size === 1 && values.has(to[i]!));
  return { hitless: torn.size === 0, syncs, invalidSynced, torn: [...torn.values()], complete };
}

function mixturesOf(seen: readonly ReadonlySet<bigint>[]): (readonly bigint[])[] {
  const words = seen.flatMap((values, index) =>
    [...values].map((value) => ({ item: { index, address: 0, value }, ...FRESH })),
  );
  return structures(words, seen.length).map(({ values }) => values);
}

/** Whether words mean the same as the old or the new structure. */
function isEither(
  words: readonly bigint[],
  { structure, from, to, usedFrom = ONES, usedTo = ONES }: StructureChange,
): boolean {
  const harmless = HARMLESS[structure];
  const same = (other: readonly bigint[], used: readonly bigint[]) =>
    words.every((word, i) => ((word ^ other[i]!) & used[i]! & ~harmless[i]!) === 0n);
  return same(from, usedFrom) || same(to, usedTo);
}

function isValid(structure: StructureChange['structure'], words: readonly bigint[]): boolean {
  return isSetIn(words, structure === 'ste' ? STE.fields.V : CD.fields.V);
}
