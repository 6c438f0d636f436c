/** Structures made of words that are read and cached one by one: every mixture of the words of one place. (IHI 0070 3.21.3.) */
import { FRESH, together, type Way } from './scripted-memory.ts';
import { merged, type Possible } from './timeline.ts';

/** A word of a structure: where the structure is, and which of its words. Level 1 descriptors are not part of one. */
export interface StructureWord {
  readonly index: number | 'level1';
  readonly address: number;
  readonly value: bigint;
}

/** A mixture: its words, and where they come from. */
export interface Mixture extends Way {
  readonly values: readonly bigint[];
}

/** Every choice of one value for each word, for each address at which all words are available. */
export function structures(words: readonly Possible<StructureWord>[], length: number): Mixture[] {
  const places = new Map<number, Map<bigint, Possible<bigint>>[]>();
  for (const { item, ...way } of words) {
    const { index, address, value } = item;
    if (index === 'level1') continue;
    let place = places.get(address);
    if (place === undefined) {
      place = Array.from({ length }, () => new Map());
      places.set(address, place);
    }
    const options = place[index]!;
    options.set(value, merged(options.get(value), { item: value, ...way }));
  }
  return [...places.values()].flatMap(mixtures);
}

function mixtures(place: readonly ReadonlyMap<bigint, Possible<bigint>>[]): Mixture[] {
  let found: Mixture[] = [{ values: [], ...FRESH }];
  for (const options of place) {
    found = found.flatMap(({ values, ...way }) =>
      [...options.values()].map(({ item, ...more }) => ({
        values: [...values, item],
        ...together(way, more),
      })),
    );
  }
  return found;
}
