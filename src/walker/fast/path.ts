/**
 * The fast path: from an address to its PA and nothing else, without allocating objects. It handles one stage of little-endian 64-bit
 * descriptors that hardware need not update, and leaves everything else to the full walk. (DDI 0487 D8.2; the order of checks does
 * not matter here, since every fault is the same answer.)
 */
import type { PhysicalMemory } from '../../memory/index.ts';
import { type DirectStage, tablePlans } from './plan.ts';
import { ASK, FAULT, type FastAccess, FastRange, type FoundLeaf } from './range.ts';

/** Input addresses are signed 64-bit numbers that a double holds exactly. */
export class FastPath {
  /** For the last `translate` that was not FAULT or ASK. */
  leaf: FoundLeaf | undefined;
  readonly #ranges: readonly FastRange[];

  constructor(memory: PhysicalMemory, stage: DirectStage, access: FastAccess) {
    this.#ranges = tablePlans(stage, access).map((plan) => new FastRange(memory, plan, access));
  }

  /** The PA, FAULT or ASK. */
  translate(ia: number): number {
    const range = this.#rangeOf(ia);
    if (range === undefined) return FAULT;
    this.leaf = range;
    return range.translate(ia);
  }

  /** The same for the first `count` of `ias`. */
  translateMany(ias: Float64Array, pas: Float64Array, count: number): void {
    for (const range of this.#ranges) range.forget();
    for (let i = 0; i < count; ) {
      const ia = ias[i]!;
      const range = this.#rangeOf(ia);
      if (!Number.isSafeInteger(ia)) pas[i++] = ASK;
      else if (range === undefined) pas[i++] = FAULT;
      else i = range.translateMany(ias, pas, i, count);
    }
  }

  #rangeOf(ia: number): FastRange | undefined {
    for (const range of this.#ranges) if (ia >= range.first && ia < range.end) return range;
    return undefined;
  }
}
