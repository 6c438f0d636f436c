/**
 * How long a search is. `npm test` takes a short one; `npm run test:long` (`LPAE_LONG=1`) takes the whole one, in every test file that asks here,
 * and whatever is called `long-….test.ts`.
 */
export const LONG = process.env.LPAE_LONG === '1';

/** The number of rounds of this run: `short`, or `whole` in the long run. */
export const rounds = (short: number, whole: number): number => (LONG ? whole : short);

/** All of a list in the long run; else every third, so that neighbours, which are most alike, stand for each other. */
export const everyThird = <T>(list: readonly T[]): readonly T[] =>
  LONG ? list : list.filter((_, i) => i % 3 === 0);
