/**
 * Predicts the result of mapping a workload without mapping it: Linux's choice of page sizes for every run, and the tables that the leaves need.
 * The gains of advice come from here. Tests compare it with real tables.
 */
import type { Scatterlist } from '../iommu/scatterlist.ts';
import type { TableFormat } from '../pagetable/format.ts';
import { leavesOf, type TableLeaf } from '../pagetable/leaf-sizes.ts';
import { choosePageSize, type PageChoice } from '../pagetable/page-size.ts';
import { type Combination, formatOf, formatRequest } from './combinations.ts';
import { type Counts, Tally } from './counts.ts';
import { forEachRun, spacesOf, type Workload } from './workload.ts';

/** The predicted result of mapping a workload. */
export interface Estimate {
  /** Requests that can't be mapped, because a run is not aligned or an address is out of range. */
  readonly refused: number;
  readonly counts: Counts;
}

const choice: PageChoice = { sizeLog2: 0, count: 0 };

/** Assumes that requests do not overlap within an address space, and that there is memory for all tables. */
export function estimate(workload: Workload, combination: Combination): Estimate {
  const format = formatOf(combination).configure(formatRequest(combination));
  const tally = new Tally(format);
  let refused = 0;
  for (const indexes of spacesOf(workload).values()) {
    const requests = indexes.map((index) => workload.requests[index]!);
    requests.sort((a, b) => (a.iova < b.iova ? -1 : 1));
    const space = new SpaceEstimate(format, tally);
    for (const { iova, sg } of requests) {
      if (canMap(sg, iova, format)) space.add(Number(iova), sg);
      else refused++;
    }
  }
  return { refused, counts: tally.result() };
}

/** Whether the lengths and addresses of a list allow it to be mapped, whatever else is mapped. */
function canMap(sg: Scatterlist, iova: bigint, { pgsizeBitmap, ias, oas }: TableFormat): boolean {
  const mask = Number(pgsizeBitmap & -pgsizeBitmap) - 1;
  const end = 2 ** oas;
  if (iova + sg.byteLength > 1n << BigInt(ias)) return false;
  let fits = true;
  const start = Number(iova);
  forEachRun(sg, (phys, length, offset) => {
    if (((phys | length | (start + offset)) & mask) !== 0 || phys + length > end) fits = false;
  });
  return fits;
}

/** One address space. Requests are added in the order of their IOVAs, so that a table once left is never visited again. */
class SpaceEstimate {
  readonly #levels: TableFormat['levels'];
  readonly #tally: Tally;
  readonly #leaves: readonly TableLeaf[];
  readonly #sizes: readonly number[];
  /** Where the last table of each depth ends. */
  readonly #ends: Float64Array;

  constructor(format: TableFormat, tally: Tally) {
    this.#levels = format.levels;
    this.#tally = tally;
    this.#leaves = leavesOf(format);
    this.#sizes = this.#leaves.map(({ sizeLog2 }) => sizeLog2);
    this.#ends = new Float64Array(format.levels.length);
    tally.addTables(0, 1);
  }

  add(iova: number, sg: Scatterlist): void {
    const page = 2 ** this.#sizes[0]!;
    const last = this.#levels.length - 1;
    forEachRun(sg, (phys, length, offset) => {
      if (length === page) {
        this.#tally.addLeaves(last, 0, 1);
        this.#addTables(last, iova + offset, iova + offset + page);
        return;
      }
      for (let done = 0; done < length; ) {
        const ia = iova + offset + done;
        choosePageSize(this.#sizes, ia, phys + done, length - done, choice);
        const { depth, runLog2 } = this.#leaves[this.#sizes.indexOf(choice.sizeLog2)]!;
        this.#tally.addLeaves(depth, runLog2, choice.count);
        const bytes = choice.count * 2 ** choice.sizeLog2;
        this.#addTables(depth, ia, ia + bytes);
        done += bytes;
      }
    });
  }

  /** The tables below the root on the way to leaves at `depth` that map `[ia, end)`. */
  #addTables(depth: number, ia: number, end: number): void {
    for (let at = depth; at > 0 && end > this.#ends[at]!; at--) {
      const span = 2 ** this.#levels[at - 1]!.shift;
      const first = Math.max(Math.floor(ia / span), this.#ends[at]! / span);
      const last = Math.ceil(end / span);
      this.#tally.addTables(at, last - first);
      this.#ends[at] = last * span;
    }
  }
}
