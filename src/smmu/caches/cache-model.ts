/**
 * Everything that an SMMU's caches may hold, as timelines: configuration by StreamID, TLB entries by their tags. They are brought
 * up to a moment when a transaction asks. (IHI 0070 3.17, 3.21, 4.3, 4.4, 5.2, 5.4.)
 */
import { isSet } from '../../arch/read.ts';
import { SMMU_CR2 } from '../../arch/smmu/index.ts';
import { halvesOf } from '../../walker/word.ts';
import type { IdentificationRegisters, SmmuFeatures } from '../features.ts';
import { steBytes } from '../stream-table.ts';
import {
  level1Address,
  level2SteAddress,
  linearSteAddress,
  streamTablePlace,
} from '../stream-table-places.ts';
import { CdTimeline } from './cd-timeline.ts';
import type { Changes } from './changes.ts';
import { type DecodedSte, Decoder, type DecodingRegisters } from './decoded.ts';
import { Derived } from './derived.ts';
import { together } from './scripted-memory.ts';
import { type Stage1Configuration, Stage1Lane } from './stage1-lane.ts';
import { type Stage2Configuration, Stage2Lane } from './stage2-lane.ts';
import { SteTimeline, type StreamTablePlaces } from './ste-timeline.ts';
import { StreamPool } from './stream-pool.ts';
import { merged, type Possible, type Versioned, type Watch } from './timeline.ts';

/** Bytes of the smallest page. A lane covers one. */
const PAGE = 0x1000;

/** A part that computes ahead, and can forget. */
interface Rewinds {
  rewind(moment: number): void;
}

/** A cache beyond the SMMU, which is filled from its own and forgets with them. */
interface Beyond extends Rewinds {
  forget(): void;
}

/** A part of the caches that answers depend on. */
interface CachePart extends Versioned {
  wordsAt(moment: number): ReadonlySet<number>;
}

/** What is known of one stream. */
interface Stream {
  readonly ste: SteTimeline;
  /** Its STEs, decoded, where there is one. */
  readonly stes: Derived<readonly Possible<DecodedSte>[]>;
  /** By the index in the table of CDs. */
  readonly cds: Map<number, CdTimeline>;
}

export class CacheModel {
  readonly changes: Changes;
  readonly features: SmmuFeatures;
  readonly decoder: Decoder;
  readonly streams: StreamPool;
  readonly #identification: Pick<IdentificationRegisters, 'idr0' | 'idr1'>;
  readonly #streams = new Map<number, Stream>();
  #stage1 = new Map<bigint, Stage1Lane>();
  #stage2 = new Map<number, Stage2Lane>();
  readonly #beyond: Beyond[] = [];
  #stage1Configurations!: Derived<readonly Possible<Stage1Configuration>[]>;
  #stage2Configurations!: Derived<readonly Possible<Stage2Configuration>[]>;

  constructor(
    changes: Changes,
    features: SmmuFeatures,
    identification: Pick<IdentificationRegisters, 'idr0' | 'idr1'>,
  ) {
    this.changes = changes;
    this.features = features;
    this.decoder = new Decoder(features);
    this.streams = new StreamPool(features, changes, {
      stage1: (va) => this.stage1Lane(va),
      stage2: (ipa) => this.stage2Lane(ipa),
    });
    this.#identification = identification;
    this.#forgetTranslations();
  }

  /** Adds a cache beyond the SMMU. */
  attach(cache: Beyond): void {
    this.#beyond.push(cache);
  }

  /** Adds a stream, whose structures may have been read since reset. What comes of it is computed again. */
  addStream(streamId: number, substream = 0): void {
    let stream = this.#streams.get(streamId);
    if (stream?.cds.has(substream)) return;
    if (stream === undefined) {
      const ste = new SteTimeline(this.changes, streamId, steBytes(this.features) / 8, (moment) =>
        this.#places(streamId, moment),
      );
      const stes = new Derived(this.changes, (moment, watch) => this.#decodedStes(ste, moment, watch));
      stream = { ste, stes, cds: new Map() };
      this.#streams.set(streamId, stream);
    }
    this.#forgetTranslations();
    const lanes = (ipa: number) => this.stage2Lane(ipa);
    for (const index of [...stream.cds.keys(), substream]) {
      stream.cds.set(
        index,
        new CdTimeline(this.changes, { streamId, index }, stream.stes, lanes, this.decoder),
      );
    }
  }

  get streamIds(): readonly number[] {
    return [...this.#streams.keys()];
  }

  steOf(streamId: number): SteTimeline {
    return this.#streams.get(streamId)!.ste;
  }

  cdOf(streamId: number, index: number): CdTimeline {
    return this.#streams.get(streamId)!.cds.get(index)!;
  }

  /** What the TLB may hold for a VA. */
  stage1Lane(va: bigint): Stage1Lane {
    const page = va / BigInt(PAGE);
    let lane = this.#stage1.get(page);
    if (lane === undefined) {
      const base = page * BigInt(PAGE);
      const lanes = (ipa: number) => this.stage2Lane(ipa);
      lane = new Stage1Lane(this.changes, base, this.features.cpu, this.#stage1Configurations, lanes);
      this.#stage1.set(page, lane);
    }
    return lane;
  }

  /** What the TLB may hold of stage 2 for an IPA. */
  stage2Lane(ipa: number): Stage2Lane {
    const page = Math.floor(ipa / PAGE);
    let lane = this.#stage2.get(page);
    if (lane === undefined) {
      lane = new Stage2Lane(this.changes, page * PAGE, this.features.cpu, this.#stage2Configurations);
      this.#stage2.set(page, lane);
    }
    return lane;
  }

  /** The word that changed last of those that the answers to a transaction may depend on, its STE, CD and tables: the moments of its changes. */
  changesFor(streamId: number, index: number, ia: bigint, moment: number): readonly number[] {
    let latest: readonly number[] = [];
    for (const word of this.wordsFor(streamId, index, ia, moment)) {
      const written = this.changes.words.writesTo(word);
      if ((written.at(-1) ?? -1) > (latest.at(-1) ?? -1)) latest = written;
    }
    return latest;
  }

  /** The words that the answers to a transaction may depend on at a moment: of its STE, its CD and tables. */
  wordsFor(streamId: number, index: number, ia: bigint, moment: number): ReadonlySet<number> {
    const parts = this.partsFor(streamId, index, ia);
    return new Set(parts.flatMap((part) => [...part.wordsAt(moment)]));
  }

  /** What the answers to a transaction come of: its STE, its CD and TLB entries. */
  partsFor(streamId: number, index: number, ia: bigint): readonly CachePart[] {
    const { ste, cds } = this.#streams.get(streamId)!;
    return [ste, cds.get(index)!, this.stage1Lane(ia), this.stage2Lane(Number(ia))];
  }

  /** How many different STEs a stream's transactions may meet; those that are ILLEGAL count as one. */
  readableStes(streamId: number, moment: number): number {
    return this.#streams.get(streamId)!.stes.at(moment).length;
  }

  /** Makes changes, looks at the result, and undoes them. */
  attempt<T>(changes: () => void, look: () => T): T {
    const { now } = this.changes;
    try {
      return this.changes.attempt(changes, look);
    } finally {
      for (const part of this.#parts()) part.rewind(now);
    }
  }

  *#parts(): Iterable<Rewinds> {
    for (const { ste, stes, cds } of this.#streams.values()) yield* [ste, stes, ...cds.values()];
    yield* [this.#stage1Configurations, this.#stage2Configurations];
    yield* this.#stage1.values();
    yield* this.#stage2.values();
    yield* this.#beyond;
  }

  #forgetTranslations(): void {
    this.#stage1 = new Map();
    this.#stage2 = new Map();
    for (const one of this.#beyond) one.forget();
    this.#stage1Configurations = new Derived(this.changes, (moment, watch) => this.#allStage1(moment, watch));
    this.#stage2Configurations = new Derived(this.changes, (moment, watch) => this.#allStage2(moment, watch));
  }

  #places(streamId: number, moment: number): StreamTablePlaces {
    const registers = this.changes.registersAt(moment);
    const table = streamTablePlace({ ...registers, ...this.#identification });
    const { log2Size, split } = table;
    const known = streamId < 2 ** log2Size;
    if (split === undefined) return { known, steAt: () => linearSteAddress(table, streamId) };
    return {
      known,
      level1: level1Address(table, split, streamId),
      steAt: (level1 = 0n) => level2SteAddress(halvesOf(level1), split, streamId),
    };
  }

  /** Registers that STEs are decoded with at a moment. */
  registersAt(moment: number): DecodingRegisters {
    const { cr2, s2pii } = this.changes.registersAt(moment);
    return { e2h: isSet(cr2, SMMU_CR2.fields.E2H), s2pii };
  }

  #decodedStes(timeline: SteTimeline, moment: number, watch: Watch): readonly Possible<DecodedSte>[] {
    watch.timeline(timeline, moment);
    const found = new Map<string, Possible<DecodedSte>>();
    if (!this.changes.registersAt(moment).enabled) return [];
    const registers = this.registersAt(moment);
    for (const { ste, ...way } of timeline.optionsAt(moment)) {
      if ('kind' in ste) continue;
      const decoded = this.decoder.ste(ste, registers);
      merge(found, decoded.key, { item: decoded, ...way });
    }
    return [...found.values()];
  }

  #allStage2(moment: number, watch: Watch): readonly Possible<Stage2Configuration>[] {
    const found = new Map<string, Possible<Stage2Configuration>>();
    for (const { stes } of this.#streams.values()) {
      watch.timeline(stes, moment);
      for (const { item, ...way } of stes.at(moment)) {
        const { stage2 } = item;
        if (stage2 !== undefined) merge(found, `${stage2.vmid} ${stage2.key}`, { item: stage2, ...way });
      }
    }
    return [...found.values()];
  }

  #allStage1(moment: number, watch: Watch): readonly Possible<Stage1Configuration>[] {
    const found = new Map<string, Possible<Stage1Configuration>>();
    for (const { stes, cds } of this.#streams.values()) {
      watch.timeline(stes, moment);
      for (const timeline of cds.values()) {
        watch.timeline(timeline, moment);
        for (const source of stes.at(moment)) this.#contexts(timeline, source, moment, found);
      }
    }
    return [...found.values()];
  }

  #contexts(
    timeline: CdTimeline,
    { item, ...way }: Possible<DecodedSte>,
    moment: number,
    found: Map<string, Possible<Stage1Configuration>>,
  ): void {
    const { illegal, ste, world, vmid, stage2 } = item;
    if (illegal || !ste.stage1) return;
    for (const option of timeline.optionsAt(moment, item)) {
      if ('fault' in option.cd) continue;
      const { context, asid, key } = this.decoder.cd(option.cd, item);
      if (context === undefined) continue;
      const stage1 = { world, vmid, asid, ranges: context.ranges, stage2, key };
      const whole = [world, vmid, asid, key, stage2?.key].join(' ');
      merge(found, whole, { item: stage1, ...together(way, option) });
    }
  }
}

function merge<T>(found: Map<string, Possible<T>>, key: string, one: Possible<T>): void {
  found.set(key, merged(found.get(key), one));
}
