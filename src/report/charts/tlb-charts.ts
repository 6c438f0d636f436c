/** Charts of a TLB study: how often TLBs miss, what walks read, and what a TLB would need; by number of entries if there are several. */
import type { Axis } from '../../draw/scale.ts';
import { stageText } from '../../study/combination-words.ts';
import type { TlbMeasured, TlbResult } from '../../study/tlb/study.ts';
import { count, sizeText } from '../../text/numbers.ts';
import { listed } from '../../text/sentence.ts';
import { sentence, sizesText, tablesText } from '../words.ts';
import { alike, merged, type Placed } from './axes.ts';
import { axisFor, type Chart, ofLines } from './chart.ts';
import { costChart } from './cost-bars.ts';

interface Question {
  readonly id: string;
  readonly title: string;
  readonly subtitle: string;
  readonly axis: Axis;
  readonly value: (result: TlbMeasured) => number;
}

const MISSES: Question = {
  id: 'tlb-misses',
  title: 'How often does the TLB miss?',
  subtitle: 'The first access to each leaf misses in any TLB.',
  axis: { label: 'Misses per 1000 accesses', format: fourDigits },
  value: ({ misses, accesses }) => (misses / accesses) * 1000,
};

const READS: Question = {
  id: 'tlb-reads',
  title: 'How many descriptors do walks read?',
  subtitle: 'Counts reads from memory, without those that the walk cache saves.',
  axis: { label: 'Descriptors read per 1000 accesses', format: fourDigits },
  value: ({ fetchesPerAccess }) => fetchesPerAccess * 1000,
};

const NEEDS: Question = {
  id: 'tlb-needs',
  title: 'How many entries would hold everything?',
  subtitle: 'The leaves that the trace accesses: a TLB with fewer entries evicts some.',
  axis: { label: 'Entries' },
  value: ({ workingSet }) => workingSet.entries,
};

/** The axes of a study, by their place in `at`. The x axis of lines is one more: the number of entries. */
const [STAGE, GRANULE, SIZES, WAYS, CACHE] = [0, 1, 2, 3, 4] as const;

/** A result's names along the axes. Tables that were given have empty names. */
function namesOf({ combination }: TlbResult): string[] {
  const { tables, ways, walkCache, runs = true } = combination;
  return [
    tables ? stageText(tables.stage) : '',
    tables ? sizeText(tables.granule) : '',
    tables ? tables.sizes : '',
    `${ways === 'full' ? 'full' : `${ways}-way`}${runs ? '' : ', no runs'}`,
    walkCache === 0 ? 'no cache' : `cache ${count(walkCache)}`,
  ];
}

type Points = readonly (readonly [entries: number, value: number])[];

/** The most lines that can be told apart in one chart. */
const MOST_LINES = 9;

/**
 * Charts of TLB results: lines if there are several numbers of entries, otherwise bars. Combinations that can't be mapped are left
 * out, and so are charts that would show the same everywhere. Without results there are no charts.
 */
export function tlbCharts(results: readonly TlbResult[]): Chart[] {
  const study = new Study(results);
  const several = new Set(results.map(({ combination }) => combination.entries)).size > 1;
  const charts = (question: Question) => (several ? study.lines(question) : study.bars(question));
  return [...charts(MISSES), ...charts(READS), ...study.bars(NEEDS)];
}

class Study {
  readonly #measured: readonly TlbMeasured[];
  /** The number of names on each axis. */
  readonly #names: readonly number[];
  readonly #refused: string;

  constructor(results: readonly TlbResult[]) {
    this.#measured = results.filter((result) => result.maps);
    const names = this.#measured.map(namesOf);
    this.#names = [STAGE, GRANULE, SIZES, WAYS, CACHE].map(
      (axis) => new Set(names.map((at) => at[axis])).size,
    );
    this.#refused = refusedText(results);
  }

  /** One chart for all stages, or for each that differs. One for each granule if there are many lines, or long names. */
  lines(question: Question): Chart[] {
    const byStage = alike(merged(this.#places(question), STAGE), ({ at }) => at[STAGE]);
    return byStage.flatMap((places) => {
      const lines = this.#merged(places);
      const whole = lines.length <= MOST_LINES && lines.every(({ at }) => this.#ofTlb(at).length === 0);
      const parts = whole ? [lines] : alike(lines, ({ at }) => at[GRANULE]);
      return parts.flatMap((part) => this.#lineChart(question, part));
    });
  }

  #lineChart({ id, title, subtitle, axis }: Question, lines: readonly Placed<Points>[]): Chart[] {
    const values = lines.flatMap((line) => line.values.map(([, value]) => value));
    if (new Set(values).size < 2) return [];
    const { at } = lines[0]!;
    const stages = listed(at[STAGE]!);
    const all = at[STAGE]!.length > 1 && at[STAGE]!.length === this.#names[STAGE];
    const same = all ? ` The same for ${stages}.` : '';
    // What all lines have in common goes into the title.
    const granule = new Set(lines.map((line) => line.at[GRANULE]![0])).size === 1 ? at[GRANULE]![0] : '';
    const common = [all ? '' : stages, granule && `${granule} granule`].filter(Boolean);
    return [
      ofLines([id, ...common].join('-').replaceAll(' ', '-'), {
        title: common.length === 0 ? title : `${title} ${sentence(common.join(', '))}`,
        subtitle: `${subtitle}${same}${this.#refused}`,
        x: { label: 'Entries in the TLB', log: 2 },
        y: axisFor(axis, values),
        series: lines.map((line) => ({ name: this.#nameOf(line.at, granule === ''), points: line.values })),
      }),
    ];
  }

  /** Bars by stage, for the first number of entries. */
  bars({ id, title, subtitle, axis, value }: Question): Chart[] {
    const stages = [...new Set(this.#measured.map((result) => namesOf(result)[STAGE]!))];
    const groups = alike(this.#measured, (result) => namesOf(result).slice(GRANULE));
    const places = groups.map((group) => ({
      at: [
        [],
        ...namesOf(group[0]!)
          .slice(GRANULE)
          .map((name) => [name]),
      ],
      values: stages.map((stage) => {
        const result = group.find((one) => namesOf(one)[STAGE] === stage);
        return result && value(result);
      }),
    }));
    return costChart({
      id,
      title,
      subtitle: `${subtitle}${this.#refused}`,
      value: axis,
      series: stages,
      seriesText: listed,
      categories: this.#merged(places).map(({ at, values }) => ({ name: this.#nameOf(at, true), values })),
    });
  }

  #places({ value }: Question): Placed<Points>[] {
    return alike(this.#measured, namesOf).map((group) => ({
      at: namesOf(group[0]!).map((name) => [name]),
      values: group
        .map((result) => [result.combination.entries, value(result)] as const)
        .sort((a, b) => a[0] - b[0]),
    }));
  }

  #merged<V>(places: readonly Placed<V>[]): Placed<V>[] {
    return merged(merged(merged(places, CACHE), WAYS), SIZES, GRANULE);
  }

  /** The names that distinguish a place from others. */
  #nameOf(at: Placed<unknown>['at'], withGranule: boolean): string {
    const [granule, sizes] = [at[GRANULE]![0]!, at[SIZES]!];
    const tables = granule === '' ? [] : [withGranule ? tablesText(granule, sizes) : sizesText(sizes)];
    return [...tables, ...this.#ofTlb(at)].join(', ') || 'these tables';
  }

  /** The names of the kind of TLB, if it makes a difference. */
  #ofTlb(at: Placed<unknown>['at']): string[] {
    return [WAYS, CACHE].flatMap((axis) =>
      at[axis]!.length < this.#names[axis]! ? [listed(at[axis]!)] : [],
    );
  }
}

/** ` Not mapped: 4K, pages and blocks; 64K, any sizes.` */
function refusedText(results: readonly TlbResult[]): string {
  const places = results.filter(({ maps }) => !maps).map(namesOf);
  const granules = alike(places, (at) => at[GRANULE]).map((group) =>
    tablesText(group[0]![GRANULE]!, [...new Set(group.map((at) => at[SIZES]!))]),
  );
  return granules.length === 0 ? '' : ` Not mapped: ${granules.join('; ')}.`;
}

/** `1,560`, `0.6641`. */
function fourDigits(value: number): string {
  return value.toLocaleString('en-US', { maximumSignificantDigits: 4 });
}
