/** What would make a workload cheaper, or possible at all. Each piece of advice can be applied, and says exactly what that changes. */
import { leavesOf } from '../pagetable/leaf-sizes.ts';
import * as words from './advice-words.ts';
import { type Combination, formatOf, formatRequest, GRANULES, OFFERED } from './combinations.ts';
import { type Estimate, estimate } from './estimate.ts';
import type { Measured } from './measure.ts';
import { alignBuffers, alignIovas, type Changed, mergeRequests, padToPages, reorder } from './transforms.ts';
import { forEachRun, type Workload } from './workload.ts';

/**
 * - `offer-sizes`: let the table use blocks, or contiguous runs. `smaller-granule`: for requests that are refused.
 * - `align-iova`, `align-buffer`: give IOVA and PA the same offset in a block, by another IOVA or by another allocation.
 * - `merge-requests`: one call instead of several. `reorder`: sort entries by address, or put the largest first.
 * - `pad-to-pages`: map the whole pages around an entry, as the DMA layer does.
 */
export const ADVICE_KINDS = [
  'smaller-granule',
  'pad-to-pages',
  'offer-sizes',
  'merge-requests',
  'reorder',
  'align-iova',
  'align-buffer',
] as const;
/** What a piece of advice changes. */
export type AdviceKind = (typeof ADVICE_KINDS)[number];

/** What applying the advice saves in the tables that the driver writes: before minus after. Negative means that it costs more. */
export interface Gain {
  readonly refusedRequests: number;
  readonly descriptors: number;
  /** TLB entries: a contiguous run counts as one. */
  readonly leaves: number;
  readonly tables: number;
  readonly tableBytes: number;
}

/** What is measured: a workload under a combination. */
export interface Subject {
  readonly workload: Workload;
  readonly combination: Combination;
}

/** One thing to change, and exactly what that saves. */
export interface Advice {
  readonly kind: AdviceKind;
  /** What to do and why: a sentence without its full stop, and without the gain. */
  readonly text: string;
  /** Exact for this advice alone. Gains of several pieces do not add up. */
  readonly gain: Gain;
  /** Returns the changed subject, and leaves the given one alone. Measuring the result again shows a change of `gain`. */
  apply(subject: Subject): Subject;
}

/** A piece of advice whose gain is not yet known. */
interface Candidate {
  readonly kind: AdviceKind;
  readonly text: (after: Subject) => string;
  readonly apply: (subject: Subject) => Subject;
}

/** Gives advice on one workload. Whatever does not depend on the combination is worked out once. */
export class Adviser {
  readonly #workload: Workload;
  readonly #changed = new Map<string, Changed>();
  /** By workload, then by granule, sizes and format. */
  readonly #estimates = new Map<Workload, Map<string, Estimate>>();
  #longestRun: number | undefined;

  constructor(workload: Workload) {
    this.#workload = workload;
  }

  /**
   * Advice on the result of one combination: on refused requests if there are any, or else on cost. The best advice of each kind.
   * None if the obstacle is not a length or an address: overlapping IOVAs, or no memory left.
   */
  advise({ combination, refusedRequests, counts }: Measured): Advice[] {
    const before: Estimate = { refused: refusedRequests, counts };
    if (refusedRequests === 0) return this.#onCost(combination, before);
    const expected = this.#estimate(this.#workload, combination);
    return expected.refused === refusedRequests ? this.#onRefusal(combination, before) : [];
  }

  #onRefusal(combination: Combination, before: Estimate): Advice[] {
    const smaller = GRANULES.filter((granule) => granule < combination.granule).map((granule) => ({
      ...combination,
      granule,
    }));
    return [
      ...this.#best(
        combination,
        before,
        smaller.map((other) => ofCombination('smaller-granule', other, words.smallerGranule(combination))),
      ),
      ...this.#best(combination, before, [
        this.#ofWorkload(
          'pad-to-pages',
          `${combination.granule}`,
          words.pad(combination.granule),
          (workload) => padToPages(workload, combination.granule),
        ),
      ]),
    ];
  }

  #onCost(combination: Combination, before: Estimate): Advice[] {
    const bitmap = bitmapOf(combination);
    const larger = OFFERED.slice(OFFERED.indexOf(combination.sizes) + 1).map((sizes) =>
      ofCombination('offer-sizes', { ...combination, sizes }, words.offer(bitmap)),
    );
    const sorts = (['address', 'size'] as const).map((by) =>
      this.#ofWorkload('reorder', by, words.reordered(by), (workload) => reorder(workload, by)),
    );
    const merge = this.#ofWorkload('merge-requests', '', words.merged, mergeRequests);
    const sizes = this.#sizesThatFit(combination);
    const iovas = this.#best(
      combination,
      before,
      sizes.map((size) =>
        this.#ofWorkload('align-iova', `${size}`, words.alignedIova(size), (workload) =>
          alignIovas(workload, size),
        ),
      ),
    );
    const buffers = this.#best(
      combination,
      before,
      sizes.map((size) =>
        this.#ofWorkload('align-buffer', `${size}`, words.alignedBuffer(size), (workload) =>
          alignBuffers(workload, size),
        ),
      ),
    );
    // Moving an IOVA is easier than moving a buffer.
    const [iova, buffer] = [iovas[0], buffers[0]];
    const useful = buffer && !(iova && !isBetter(buffer.gain, iova.gain)) ? [buffer] : [];
    return [
      ...this.#best(combination, before, larger),
      ...this.#best(combination, before, [merge]),
      ...this.#best(combination, before, sorts),
      ...iovas,
      ...useful,
    ];
  }

  #estimate(workload: Workload, combination: Combination): Estimate {
    const { granule, sizes } = combination;
    const name = `${granule} ${sizes} ${formatOf(combination).name}`;
    const known = this.#estimates.get(workload) ?? new Map<string, Estimate>();
    this.#estimates.set(workload, known);
    const found = known.get(name) ?? estimate(workload, combination);
    known.set(name, found);
    return found;
  }

  /** Leaf sizes above the page for which some run of the workload is long enough. */
  #sizesThatFit(combination: Combination): number[] {
    const format = formatOf(combination).configure(formatRequest(combination));
    const sizes = leavesOf(format).map(({ sizeLog2 }) => 2 ** sizeLog2);
    return sizes.slice(1).filter((size) => size <= this.#longest());
  }

  #longest(): number {
    if (this.#longestRun === undefined) {
      let longest = 0;
      for (const { sg } of this.#workload.requests) {
        forEachRun(sg, (_, length) => {
          if (length > longest) longest = length;
        });
      }
      this.#longestRun = longest;
    }
    return this.#longestRun;
  }

  /** The candidate that saves the most, if one saves anything. */
  #best(combination: Combination, before: Estimate, candidates: readonly Candidate[]): Advice[] {
    const subject = { workload: this.#workload, combination };
    let best: { gain: Gain; candidate: Candidate; after: Subject } | undefined;
    for (const candidate of candidates) {
      const after = candidate.apply(subject);
      if (after.workload === subject.workload && after.combination === subject.combination) continue;
      const gain = gainOf(before, this.#estimate(after.workload, after.combination));
      if (saves(before, gain) && (best === undefined || isBetter(gain, best.gain)))
        best = { gain, candidate, after };
    }
    if (best === undefined) return [];
    const { gain, candidate, after } = best;
    return [{ kind: candidate.kind, text: candidate.text(after), gain, apply: candidate.apply }];
  }

  #ofWorkload(
    kind: AdviceKind,
    key: string,
    text: (before: Workload, changed: Changed) => string,
    change: (workload: Workload) => Changed,
  ): Candidate {
    const own = this.#workload;
    const changedOwn = () => {
      const name = `${kind} ${key}`;
      const known = this.#changed.get(name) ?? change(own);
      this.#changed.set(name, known);
      return known;
    };
    return {
      kind,
      text: () => text(own, changedOwn()),
      apply: ({ workload, combination }) => {
        const changed = workload === own ? changedOwn() : change(workload);
        return { combination, workload: changed.requests.length > 0 ? changed.workload : workload };
      },
    };
  }
}

function bitmapOf(combination: Combination): bigint {
  return formatOf(combination).configure(formatRequest(combination)).pgsizeBitmap;
}

function ofCombination(
  kind: AdviceKind,
  to: Combination,
  text: (to: Combination, bitmap: bigint) => string,
): Candidate {
  return {
    kind,
    text: () => text(to, bitmapOf(to)),
    apply: ({ workload, combination }) => ({
      workload,
      combination: { ...combination, granule: to.granule, sizes: to.sizes },
    }),
  };
}

/** What changes from one measurement (or estimate) to another. */
export function gainOf(before: Estimate, after: Estimate): Gain {
  return {
    refusedRequests: before.refused - after.refused,
    descriptors: before.counts.descriptors - after.counts.descriptors,
    leaves: before.counts.leaves - after.counts.leaves,
    tables: before.counts.tables - after.counts.tables,
    tableBytes: before.counts.tableBytes - after.counts.tableBytes,
  };
}

const ORDER = ['refusedRequests', 'leaves', 'tables', 'descriptors'] as const satisfies (keyof Gain)[];

/** A saving below one percent is not worth a sentence. */
const WORTH = 0.01;

function saves({ counts }: Estimate, { refusedRequests, leaves, tables }: Gain): boolean {
  if (refusedRequests !== 0) return refusedRequests > 0;
  if (leaves !== 0) return leaves > counts.leaves * WORTH;
  return tables > counts.tables * WORTH;
}

function isBetter(gain: Gain, other: Gain): boolean {
  const what = ORDER.find((one) => gain[one] !== other[one]);
  return what !== undefined && gain[what] > other[what];
}

/** The savings in words: `512 leaves become 1, 3 tables become 2`. */
export function gainText({ counts }: Pick<Measured, 'counts'>, gain: Gain): string {
  if (gain.refusedRequests > 0) return words.mappedMore(gain.refusedRequests);
  return words.saved(
    [counts.leaves, gain.leaves, 'leaf', 'leaves'],
    [counts.tables, gain.tables, 'table', 'tables'],
  );
}
