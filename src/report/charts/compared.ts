/** Results of a comparison, looked up by combination, and the values of each axis. */
import {
  GRANULES,
  type Granule,
  OFFERED,
  type Offered,
  STAGES,
  type StageChoice,
} from '../../study/combinations.ts';
import type { CombinationResult, Compared, GranuleResult } from '../../study/compare.ts';
import { occurring } from '../words.ts';

export class ComparedResults {
  /** The lists of each CPU page size that has results. */
  readonly lists: readonly Compared[];
  readonly granules: readonly Granule[];
  readonly sizes: readonly Offered[];
  readonly stages: readonly StageChoice[];
  readonly #results: ReadonlyMap<Compared, ReadonlyMap<string, CombinationResult>>;

  constructor(compared: readonly Compared[]) {
    this.lists = compared.filter(({ results }) => results.length > 0);
    const all = this.lists.flatMap(({ results }) => results.map(({ combination }) => combination));
    this.granules = occurring(
      GRANULES,
      all.map(({ granule }) => granule),
    );
    this.sizes = occurring(
      OFFERED,
      all.map(({ sizes }) => sizes),
    );
    this.stages = occurring(
      STAGES,
      all.map(({ stage }) => stage),
    );
    this.#results = new Map(
      this.lists.map((list) => [
        list,
        new Map(
          list.results.map((result) => {
            const { granule, sizes, stage } = result.combination;
            return [keyOf(granule, sizes, stage), result];
          }),
        ),
      ]),
    );
  }

  /** A result, or undefined if it is not measured yet. */
  at(list: Compared, granule: Granule, sizes: Offered, stage: StageChoice): CombinationResult | undefined {
    return this.#results.get(list)?.get(keyOf(granule, sizes, stage));
  }

  /** The part that is the same for all results of a granule. */
  ofGranule({ results }: Compared, granule: Granule): GranuleResult | undefined {
    return results.find(({ combination }) => combination.granule === granule)?.ofGranule;
  }
}

function keyOf(granule: Granule, sizes: Offered, stage: StageChoice): string {
  return `${granule} ${sizes} ${stage}`;
}
