/** Whether a map request makes more leaves than memory holds: that is said before the tables are made. */
import { leavesOfStretch } from '../../golden/known.ts';
import type { IommuDomain, SgEntry, SgRange } from '../../index.ts';
import { count } from '../../text/numbers.ts';
import { MOST_LEAVES } from '../input/limits.ts';
import type { MapRequest } from '../input/request.ts';
import { inputError } from '../io.ts';

interface Memory {
  readonly pa: bigint;
  readonly size: bigint;
}

/** @throws CliError (input) that says how many there would be. */
export function checkLeaves(domain: IommuDomain, { ops, dma }: MapRequest): void {
  const { pgsizeBitmap, firstIova, ias, oas } = domain.format;
  const [end, endOfMemory] = [firstIova + (1n << BigInt(ias)), 1n << BigInt(oas)];
  const page = pgsizeBitmap & -pgsizeBitmap;
  const leavesAt = (iova: bigint, { pa, size }: Memory) => {
    // What does not fit is refused, and makes none.
    if (iova < firstIova || iova + size > end || pa + size > endOfMemory) return 0;
    const first = pa - (pa % page);
    const bytes = pa + size - first;
    const whole = { iova: iova - (iova % page), pa: first, size: bytes + ((page - (bytes % page)) % page) };
    return leavesOfStretch(domain, whole);
  };
  let leaves = 0;
  for (const op of ops) {
    if (op.op === 'map') leaves += leavesAt(op.iova, { pa: op.paddr, size: op.size });
    if (op.op !== 'map_sg') continue;
    let { iova } = op;
    for (const run of runsOf(op.sg)) {
      leaves += leavesAt(iova, run);
      iova += run.size;
    }
  }
  for (const op of dma?.ops ?? []) {
    // At best an IOVA is aligned as its memory is.
    if (op.op === 'map_single') leaves += leavesAt(op.phys, { pa: op.phys, size: op.size });
    if (op.op === 'map_sg') for (const run of runsOf(op.sg)) leaves += leavesAt(run.pa, run);
  }
  if (leaves <= MOST_LEAVES) return;
  throw inputError(
    `the request makes ${count(leaves)} leaves, more than memory holds here: about ${count(MOST_LEAVES)}`,
    'larger pages make fewer (pgsize_bitmap; iova and paddr aligned alike); more memory: NODE_OPTIONS=--max-old-space-size=<MiB>',
  );
}

/** Entries that are neighbours in memory, joined. */
function runsOf(sg: readonly (SgEntry | SgRange)[]): Memory[] {
  const runs: { pa: bigint; size: bigint }[] = [];
  for (const entry of sg) {
    const pa = 'phys' in entry ? BigInt(entry.phys) : BigInt(entry.page) + BigInt(entry.offset ?? 0);
    const run = runs.at(-1);
    if (run !== undefined && run.pa + run.size === pa) run.size += BigInt(entry.length);
    else runs.push({ pa, size: BigInt(entry.length) });
  }
  return runs;
}
