/** Who may access which granules: the granule protection table as ranges of physical addresses. (FEAT_RME; DDI 0487 D9.6.) */
import type { GpcFault, GranuleProtection } from '../walker/index.ts';

/** Physical addresses with the same entry in the granule protection table. Both ends are included. */
export interface GranuleRange {
  readonly first: bigint;
  readonly last: bigint;
  /** The level of the table with the entry. */
  readonly level: 0 | 1;
  /** GPI: who may access them. */
  readonly gpi?: number;
  /** Instead of a GPI: why every access fails. */
  readonly gpc?: GpcFault['gpc'];
}

/** The ranges, in ascending order. */
export interface Granules {
  readonly ranges: readonly GranuleRange[];
  /** False: there are more. */
  readonly complete: boolean;
}

const MAX_RANGES = 2 ** 16;

/**
 * Reads a granule protection table from end to end; memory is only read.
 *
 * @param only - only these physical addresses. Default: all that are protected (GPCCR_EL3.PPS).
 *
 * @example
 * const registers = { gpccr: 0x1_3501n, gptbr: 0x8_0000n }; // 36 bits, 4K granules, the table at 0x8000_0000
 * const walker = createWalker(memory, { regime: 'el3', security: 'root', registers });
 * for (const { first, last, gpi } of listGranules(walker.granuleProtection!).ranges) console.log(first, last, gpi);
 */
export function listGranules(
  gpc: GranuleProtection,
  {
    only,
    maxRanges = MAX_RANGES,
  }: {
    readonly only?: { readonly first: bigint; readonly last: bigint } | undefined;
    readonly maxRanges?: number;
  } = {},
): Granules {
  const { l0Log2, granuleLog2, ppsLog2, invalid, baseOutOfRange } = gpc.params;
  const end = only === undefined ? 2 ** ppsLog2 : Math.min(2 ** ppsLog2, Number(only.last) + 1);
  const ranges: Mutable<GranuleRange>[] = [];
  if (invalid || baseOutOfRange) return { ranges, complete: true };
  const group = 2 ** (granuleLog2 + 4);
  let pa = only === undefined ? 0 : Number(only.first);
  while (pa < end) {
    const entry = gpc.entryOf(pa);
    const level = 'gpc' in entry ? entry.gptLevel : entry.level;
    const size = level === 0 ? 2 ** l0Log2 : 'gpc' in entry ? group : 2 ** entry.ownLog2;
    const next = Math.min(end, pa - (pa % size) + size);
    const say = 'gpc' in entry ? { gpc: entry.gpc } : { gpi: entry.gpi };
    const open = ranges.at(-1);
    const last = BigInt(next) - 1n;
    if (open?.level === level && open.gpi === say.gpi && open.gpc === say.gpc) open.last = last;
    else if (ranges.length === maxRanges) return { ranges, complete: false };
    else ranges.push({ first: BigInt(pa), last, level, ...say });
    pa = next;
  }
  return { ranges, complete: true };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
