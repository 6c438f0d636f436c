/**
 * What may be cached of one stream's STE: level 1 descriptors, and each 64-bit word of the STE separately, since they are read
 * in any order. (IHI 0070 3.21.3, 4.3.1, 5.1.)
 */
import type { SteWords } from '../stream-table-entry.ts';
import type { ConfigurationFault } from '../types.ts';
import type { Changes } from './changes.ts';
import { coversStream, type Invalidation } from './invalidation.ts';
import { FRESH, type Way } from './scripted-memory.ts';
import { structures } from './structures.ts';
import { type Found, FROM, type Possible, Timeline, type Watch } from './timeline.ts';

/** A word that may be cached: of the STE at an address, by its index, or the level 1 descriptor. */
export interface SteWord {
  readonly index: number | 'level1';
  readonly address: number;
  readonly value: bigint;
}

/** An STE that a transaction may meet, or why there is none. */
export interface SteOption extends Way {
  readonly ste: SteWords | ConfigurationFault;
}

/** Where the structures of a stream are, from the registers at one moment. */
export interface StreamTablePlaces {
  /** Whether the StreamID is in the table at all. */
  readonly known: boolean;
  /** The level 1 descriptor, of a table of two levels. */
  readonly level1?: number;
  /** The STE: of a linear table, or below a level 1 descriptor. Undefined: it leads nowhere. */
  steAt(level1?: bigint): number | undefined;
}

export class SteTimeline extends Timeline<SteWord> {
  readonly streamId: number;
  readonly #words: number;
  readonly #places: (moment: number) => StreamTablePlaces;

  /** @param words - how many words of an STE the SMMU reads. */
  constructor(
    changes: Changes,
    streamId: number,
    words: number,
    places: (moment: number) => StreamTablePlaces,
  ) {
    super(changes, FROM.ste);
    this.#words = words;
    this.streamId = streamId;
    this.#places = places;
  }

  protected explore(moment: number, kept: readonly Possible<SteWord>[], watch: Watch): Found<SteWord>[] {
    const { enabled } = this.changes.registersAt(moment);
    if (!enabled) return [];
    const places = this.#places(moment);
    if (!places.known) return [];
    const found: Found<SteWord>[] = [];
    const read = (address: number, index: SteWord['index'], way: Way) => {
      const pa = index === 'level1' ? address : address + index * 8;
      watch.words.add(pa);
      for (const [i, value] of (this.changes.words.readable(pa, moment) ?? []).entries()) {
        const written = i === 0 ? FROM.memory : FROM.write;
        const item = { index, address, value };
        found.push({ key: `${index} ${address} ${value}`, item, ...way, mask: way.mask | written });
      }
    };
    const readSte = (at: number | undefined, way: Way) => {
      if (at === undefined) return;
      for (let i = 0; i < this.#words; i++) read(at, i, way);
    };
    if (places.level1 === undefined) readSte(places.steAt(), FRESH);
    else {
      read(places.level1, 'level1', FRESH);
      const level1 = [...found, ...kept.filter(({ item }) => item.index === 'level1')];
      for (const { item, last, until, mask } of level1) {
        readSte(places.steAt(item.value), { last, until, mask });
      }
    }
    return found;
  }

  protected covers(invalidation: Invalidation, { index }: SteWord): boolean {
    if (!coversStream(invalidation, this.streamId) || invalidation.of !== 'ste') return false;
    return index !== 'level1' || !invalidation.leafOnly;
  }

  /** Every STE that the stream's transactions may meet, mixtures of words included. */
  optionsAt(moment: number): readonly SteOption[] {
    const places = this.#places(moment);
    if (!places.known) {
      return [{ ste: { kind: 'c_bad_streamid' }, ...FRESH }];
    }
    const possible = this.possibleAt(moment);
    const faults: SteOption[] = [];
    if (places.level1 !== undefined) {
      const level1 = possible.filter(({ item }) => item.index === 'level1');
      for (const { item, last, until, mask } of level1) {
        if (places.steAt(item.value) === undefined) {
          faults.push({ ste: { kind: 'c_bad_streamid' }, last, until, mask });
        }
      }
      if (level1.length === 0) faults.push(fetchFault(places.level1));
    }
    const whole = structures(possible, this.#words).map(({ values, ...way }): SteOption => {
      const [w0 = 0n, w1 = 0n, w2 = 0n, w3 = 0n, ...more] = values;
      return { ste: [w0, w1, w2, w3, ...more], ...way };
    });
    const at = places.level1 === undefined ? places.steAt() : undefined;
    if (at !== undefined && whole.length === 0) faults.push(fetchFault(at));
    return [...faults, ...whole];
  }
}

/** No RAM at an address. */
function fetchFault(address: number): SteOption {
  return { ste: { kind: 'f_ste_fetch', fetchAddress: BigInt(address) }, ...FRESH };
}
