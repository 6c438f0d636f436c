/** Structures made of words that are read and cached one by one: every mixture of the words of one place. (IHI 0070 3.21.3.) */
import { type Possible, STILL, simpler } from './timeline.ts';

/** A word of a structure: where that is, and which of its words. Level 1 descriptors are no part of one. */
export interface StructureWord {
  readonly index: number | 'level1';
  readonly address: number;
  readonly value: bigint;
}

/** A mixture: its words, until when it can be used for reading more, and without what it can't be had. */
export interface Mixture {
  readonly values: readonly bigint[];
  readonly last: number;
  readonly mask: number;
}

/** Every choice of one value for each word, of each address at which all words can be had. */
export function structures(words: readonly Possible<StructureWord>[], length: number): Mixture[] {
  const places = new Map<number, Map<bigint, Possible<bigint>>[]>();
  for (const { item, last, mask } of words) {
    const { index, address, value } = item;
    if (index === 'level1') continue;
    let place = places.get(address);
    if (place === undefined) {
      place = Array.from({ length }, () => new Map());
      places.set(address, place);
    }
    const options = place[index]!;
    const known = options.get(value) ?? { last, mask };
    options.set(value, {
      item: value,
      last: Math.max(known.last, last),
      mask: simpler(known.mask, mask),
    });
  }
  return [...places.values()].flatMap(mixtures);
}

function mixtures(place: readonly ReadonlyMap<bigint, Possible<bigint>>[]): Mixture[] {
  let found: Mixture[] = [{ values: [], last: STILL, mask: 0 }];
  for (const options of place) {
    found = found.flatMap(({ values, last, mask }) =>
      [...options.values()].map((option) => ({
        values: [...values, option.item],
        last: Math.min(last, option.last),
        mask: mask | option.mask,
      })),
    );
  }
  return found;
}
