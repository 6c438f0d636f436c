/**
 * What may be cached of one CD of a stream, by StreamID and SubstreamID and not by address: each of its words separately, and the level 1
 * descriptor of a table of two levels. (IHI 0070 3.21.3, 4.3.3, 5.3.)
 */
import { type CdFetch, type CdLookup, cdWords, type Failed, locateCd } from '../cd-fetch.ts';
import type { CdWords } from '../context-descriptor.ts';
import type { Changes } from './changes.ts';
import { forEveryChoice } from './choices.ts';
import type { DecodedSte, Decoder } from './decoded.ts';
import { coversStream, type Invalidation } from './invalidation.ts';
import { type Reading, ScriptedMemory, Trail, type Way } from './scripted-memory.ts';
import { ChosenStage2, type Saved, type Stage2Lanes } from './stages.ts';
import { structures } from './structures.ts';
import { type Found, FROM, type Possible, Timeline, type Versioned, type Watch } from './timeline.ts';

/** A word that may be cached: of the CD at an address (an IPA, if there is a stage 2), by its index, or the level 1 descriptor. */
export interface CdWord {
  readonly index: number | 'level1';
  readonly address: number;
  readonly value: bigint;
}

/** A CD that a transaction may meet, or why there is none. */
export interface CdOption extends Way {
  readonly cd: CdWords | Failed;
}

/** The STEs of a stream that lead to a CD. */
export interface SteSource extends Versioned {
  at(moment: number): readonly Possible<DecodedSte>[];
}

export class CdTimeline extends Timeline<CdWord> {
  readonly #streamId: number;
  readonly #index: number;
  readonly #stes: SteSource;
  readonly #lanes: Stage2Lanes;
  readonly #decoder: Decoder;

  /** @param index - of the CD in its table: the SubstreamID, or 0. */
  constructor(
    changes: Changes,
    { streamId, index }: { readonly streamId: number; readonly index: number },
    stes: SteSource,
    lanes: Stage2Lanes,
    decoder: Decoder,
  ) {
    super(changes, FROM.cd);
    this.#streamId = streamId;
    this.#index = index;
    this.#stes = stes;
    this.#lanes = lanes;
    this.#decoder = decoder;
  }

  protected explore(moment: number, kept: readonly Possible<CdWord>[], watch: Watch): Found<CdWord>[] {
    if (!this.changes.registersAt(moment).enabled) return [];
    watch.timeline(this.#stes, moment);
    const found: Found<CdWord>[] = [];
    for (const { item, ...way } of this.#stes.at(moment)) {
      if (item.illegal || !item.ste.stage1) continue;
      this.#fetch(moment, item, kept, new Trail(way), watch, ({ words, marks }, lookup, trail, fresh) => {
        if (fresh && words.length > 0) {
          found.push(
            keyed({ index: 'level1', address: lookup.level1!.address, value: words[0]! }, marks[1]!),
          );
        }
        const { outcome, cd } = lookup;
        if ('fault' in outcome) return;
        for (const [index, value] of outcome.entries()) {
          found.push(keyed({ index, address: cd!.address, value }, trail));
        }
      });
    }
    return found;
  }

  protected covers(invalidation: Invalidation, { index }: CdWord): boolean {
    if (!coversStream(invalidation, this.#streamId)) return false;
    if (invalidation.of === 'ste') return true;
    const { substream, leafOnly } = invalidation;
    return (substream === undefined || substream === this.#index) && (index !== 'level1' || !leafOnly);
  }

  /** Every CD that a transaction may meet after an STE, mixtures of words included. */
  optionsAt(moment: number, ste: DecodedSte): readonly CdOption[] {
    const possible = this.possibleAt(moment);
    const found: Possible<CdWord>[] = [];
    const faults: CdOption[] = [];
    const kept = possible.filter(({ item }) => item.index === 'level1');
    this.#fetch(moment, ste, kept, new Trail(), undefined, (_, { outcome, cd }, { last, until, mask }) => {
      if ('fault' in outcome) faults.push({ cd: outcome, last, until, mask });
      else {
        const address = cd!.address;
        for (const [index, value] of outcome.entries())
          found.push({ item: { index, address, value }, last, until, mask });
      }
    });
    found.push(...possible.map(({ item, last, until }) => ({ item, last, until, mask: FROM.cd })));
    const whole = structures(found, cdWords(this.#decoder.features)).map(({ values, ...way }): CdOption => {
      const [w0 = 0n, w1 = 0n, w2 = 0n, w3 = 0n, ...more] = values;
      return { cd: [w0, w1, w2, w3, ...more], ...way };
    });
    return [...faults, ...whole];
  }

  /** Fetches the CD in every way that memory, stage 2 and cached level 1 descriptors permit. `fresh`: a level 1 descriptor was read first. */
  #fetch(
    moment: number,
    { ste, stage2 }: DecodedSte,
    kept: readonly Possible<CdWord>[],
    start: Trail,
    watch: Watch | undefined,
    found: (memory: ScriptedMemory, lookup: CdLookup, trail: Trail, fresh: boolean) => void,
  ): void {
    const { features } = this.#decoder;
    const substreams = features.ssidSize !== 0 && ste.s1CdMax !== 0;
    if (this.#index >= (substreams ? 2 ** ste.s1CdMax : 1)) return;
    const level1 = substreams && ste.s1Fmt !== 0;
    const cached = level1 ? kept.filter(({ item }) => item.index === 'level1') : [];
    forEveryChoice((choices) => {
      const trail = new Trail(start);
      const chosen = cached[choices.pick(cached.length + 1) - 1];
      if (chosen !== undefined) trail.use({ ...chosen, mask: FROM.cd });
      const reading: Reading = { changes: this.changes, moment, choices, trail, watch };
      const memory = new ScriptedMemory(reading, chosen === undefined ? [] : [chosen.item.value]);
      const saved: Saved = { fetches: chosen === undefined ? 0 : 1, all: false };
      const fetch: CdFetch = {
        memory,
        stage2: stage2 && new ChosenStage2(this.#lanes, stage2, features.cpu, reading, saved),
        space: 'non-secure',
        oas: features.oas,
        steps: undefined,
        update: false,
        words: cdWords(features),
      };
      const lookup = locateCd(ste, substreams ? this.#index : undefined, fetch);
      found(memory, lookup, trail, level1 && chosen === undefined);
    });
  }
}

function keyed(item: CdWord, { last, until, mask }: Way): Found<CdWord> {
  const { index, address, value } = item;
  return { key: `${index} ${address} ${value}`, item, last, until, mask };
}
