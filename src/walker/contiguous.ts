/**
 * Contiguous runs: whether the entries beside a leaf that has its Contiguous bit set keep the promise that the bit makes.
 * A walk takes the bit for the hint that it is; a TLB need not, so a broken promise is worth a report.
 * (DDI 0487 D8.7.1, table D8-104 for run lengths; D8.5.5 for the bits that hardware may change in one entry alone.)
 */
import { log2 } from './bits.ts';
import type { Access, WalkStep } from './types.ts';

/** A walker, or an SMMU's stream: what can be asked for the steps of a walk. */
export interface StepSource {
  walk(ia: bigint, access: Access): { readonly steps: readonly WalkStep[] };
}

/** One entry of a run that is not as its neighbours say. */
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
  /** Empty when the run is well made. */
  readonly problems: readonly ContiguousProblem[];
}

/** By log2 of what one entry maps: 4K, 2M, 1G; 16K, 32M; 64K, 512M. No granule shares a size with another. (Table D8-104.) */
const RUN_ENTRIES: Readonly<Record<number, number>> = {
  12: 16,
  21: 16,
  30: 16,
  14: 128,
  25: 32,
  16: 32,
  29: 32,
};

/** Entries of a run whose entries map 2^`sizeLog2` bytes each, or 1 where the Contiguous bit is RES0. */
export function runEntries(sizeLog2: number): number {
  return RUN_ENTRIES[sizeLog2] ?? 1;
}

const CONTIGUOUS = 1n << 52n;
const DBM = 1n << 51n;
/** AttrIndx or MemAttr, NS, AP[1] or S2AP[0], SH, nG; GP, DBM, PXN, UXN. Not AF: hardware sets it one entry at a time. */
const ATTRIBUTES = 0xb7cn | (0b110_1100n << 48n);
/** AP[2] or S2AP[1]: dirty state where DBM = 1, a permission else. */
const WRITABLE = 1n << 7n;

/**
 * The contiguous run around an input address, or undefined where its leaf is not marked contiguous (or there is none).
 * Of two stages the run is stage 1's. Memory is not changed.
 *
 * @throws WalkerError for an address that is not 64 bits.
 */
export function contiguousRun(walker: StepSource, ia: bigint): ContiguousRun | undefined {
  const leaf = leafStep(walker, ia);
  if (leaf?.descriptor === undefined || !(leaf.descriptor & CONTIGUOUS)) return undefined;
  const entries = runEntries(log2(leaf.size));
  if (entries === 1) return undefined;
  const size = leaf.size * BigInt(entries);
  const first = ia - (ia % size);
  const output = leaf.output! - (leaf.output! % size);
  const problems: ContiguousProblem[] = [];
  for (let entry = 0; entry < entries; entry++) {
    const offset = leaf.size * BigInt(entry);
    const found = leafStep(walker, first + offset);
    if (found?.descriptor === undefined) continue;
    const reason = problemOf(found, leaf.descriptor, output + offset);
    if (reason) problems.push({ entry, ia: first + offset, descriptor: found.descriptor, reason });
  }
  return { ia: first, size, entries, problems };
}

function problemOf(
  { descriptor = 0n, output }: WalkStep,
  like: bigint,
  wantedOutput: bigint,
): ContiguousProblem['reason'] | undefined {
  if (!(descriptor & CONTIGUOUS)) return 'not_contiguous';
  if (output !== wantedOutput) return 'output';
  const compared = ATTRIBUTES | (like & DBM ? 0n : WRITABLE);
  return (descriptor ^ like) & compared ? 'attributes' : undefined;
}

/** The leaf that the first translating stage found, whatever became of the access. */
function leafStep(walker: StepSource, ia: bigint): WalkStep | undefined {
  const { steps } = walker.walk(ia, { access: 'read', update: false });
  const own = steps.filter(({ s1Level }) => s1Level === undefined);
  const stage = own[0]?.stage;
  return own.find((step) => step.stage === stage && (step.kind === 'page' || step.kind === 'block'));
}
