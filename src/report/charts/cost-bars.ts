/** Bars of the costs of combinations: equal ones are drawn once, and none if there is nothing to compare. */
import type { Axis } from '../../draw/scale.ts';
import type { Granule, Offered } from '../../study/combinations.ts';
import { sizeText } from '../../text/numbers.ts';
import { sentence, tablesText } from '../words.ts';
import { alike, merged } from './axes.ts';
import { axisFor, type Chart, ofBars } from './chart.ts';
import type { ComparedResults } from './compared.ts';

/** Undefined if there is nothing to show. */
export type Value = number | undefined;

/** What the bars of a group have in common, and its values by series. */
export interface Category {
  readonly name: string;
  readonly values: readonly Value[];
}

export interface Costs {
  readonly id: string;
  readonly title: string;
  readonly subtitle: string;
  readonly value: Axis;
  /** Base of the axis if values are far apart. Default: 10. */
  readonly log?: 2 | 10;
  readonly series: readonly string[];
  /** Names series that have the same bars. */
  readonly seriesText: (names: readonly string[]) => string;
  readonly categories: readonly Category[];
}

/** One chart, or none if all values are equal or there are none. */
export function costChart(costs: Costs): Chart[] {
  const { id, title, subtitle, value, log, series, seriesText, categories } = costs;
  const groups = alike([...series.keys()], (index) => categories.map(({ values }) => values[index])).filter(
    ([first]) => categories.some(({ values }) => values[first!] !== undefined),
  );
  const drawn = groups.map((group) => ({
    name: seriesText(group.map((index) => series[index]!)),
    values: categories.map(({ values }) => values[group[0]!]),
  }));
  const numbers = drawn.flatMap(({ values }) => values.filter((one) => one !== undefined));
  if (new Set(numbers).size < 2) return [];
  // A single series has no legend.
  const name = drawn.length === 1 ? drawn[0]!.name : '';
  const only = name && ` ${groups[0]!.length > 1 ? `The same for ${name}.` : sentence(name)}`;
  return [
    ofBars(id, {
      title,
      subtitle: `${subtitle}${only}`,
      value: axisFor(value, numbers, log),
      categories: categories.map(({ name }) => name),
      series: drawn,
    }),
  ];
}

/**
 * A category for each granule, page sizes and `rest` with values. Equal categories of a granule are joined.
 * @param rest - what else distinguishes categories, and its name.
 */
export function byTables<R>(
  { granules, sizes }: ComparedResults,
  rest: readonly (readonly [name: string, R])[],
  restText: (names: readonly string[]) => string,
  valuesOf: (granule: Granule, sizes: Offered, rest: R) => readonly Value[],
): Category[] {
  const places = granules.flatMap((granule) =>
    sizes.flatMap((offered) =>
      rest.map(([name, one]) => ({
        at: [[sizeText(granule)], [offered], [name]],
        values: valuesOf(granule, offered, one),
      })),
    ),
  );
  // Categories without values can't be compared.
  const shown = places.filter(({ values }) => values.some((one) => one !== undefined));
  return merged(merged(shown, 2, 0), 1, 0).map(({ at, values }) => {
    const [granule, kinds, names] = [at[0]![0]!, at[1]!, at[2]!];
    const tables = tablesText(granule, kinds);
    return { values, name: names.length < rest.length ? `${tables}, ${restText(names)}` : tables };
  });
}
