/** Every answer that the architecture permits to one transaction, and which caches make it possible. (IHI 0070 3.17, 3.21, 7.3.) */
import { isSet } from '../../arch/read.ts';
import { EVENTS, type EventTraits, SMMU_CR2 } from '../../arch/smmu/index.ts';
import type { Failed } from '../cd-fetch.ts';
import type { CdWords } from '../context-descriptor.ts';
import { eventName, eventRecord } from '../events.ts';
import type { SteWords } from '../stream-table-entry.ts';
import type { Outcome, TraceCache } from '../trace.ts';
import type { ConfigurationFault, EventRecord, SmmuResult, Transaction } from '../types.ts';
import type { CacheModel } from './cache-model.ts';
import { forEveryChoice } from './choices.ts';
import type { DecodedSte, DecodingRegisters } from './decoded.ts';
import { together, type Way } from './scripted-memory.ts';
import { FROM, weightOf } from './timeline.ts';

/** A transaction of a stream. */
export interface StreamTransaction extends Transaction {
  readonly streamId: number;
  readonly ia: bigint;
  /** The device has ATS: it uses a translation that its cache may hold, or one that it asks for. (3.9.1.) */
  readonly ats?: boolean;
}

/** A permitted answer. `outcome.by` says which caches give it; if absent, it follows from memory as it is. */
export interface Answer {
  readonly outcome: Outcome;
  /**
   * The caches without which it is not possible: a mask of `FROM`.
   * @internal
   */
  readonly mask: number;
  /**
   * The last moment at which it may serve for filling a cache beyond the SMMU.
   * @internal
   */
  readonly last: number;
  /**
   * The last moment at which memory held everything that it is made of.
   * @internal
   */
  readonly until: number;
  /**
   * Every combination of caches by which it is possible, as masks. Default: `mask` alone.
   * @internal
   */
  readonly ways?: ReadonlySet<number>;
  /** The event record, where one is written. */
  readonly event: EventRecord | undefined;
}

/** Finds the answers to one transaction at one moment, with SMMUEN = 1. */
export class Search {
  readonly #model: CacheModel;
  readonly #moment: number;
  readonly #transaction: StreamTransaction;
  readonly #found = new Map<string, Answer>();
  readonly #counts: (ste: SteWords) => boolean;
  readonly #ways = new Map<string, Set<number>>();

  /** @param counts - which STEs are looked at. Default: all. */
  constructor(
    model: CacheModel,
    moment: number,
    transaction: StreamTransaction,
    counts: (ste: SteWords) => boolean = () => true,
  ) {
    this.#model = model;
    this.#counts = counts;
    this.#moment = moment;
    this.#transaction = transaction;
  }

  /** The answers: first the one of memory as it is, then the others in a fixed order. */
  answers(): readonly Answer[] {
    const registers = this.#model.registersAt(this.#moment);
    const seen = new Map<string, { readonly words: SteWords; readonly decoded: DecodedSte; way: Way }>();
    for (const { ste, last, until, mask } of this.#model
      .steOf(this.#transaction.streamId)
      .optionsAt(this.#moment)) {
      if ('kind' in ste) {
        this.#add(this.#terminated(ste), { last, until, mask });
        continue;
      }
      if (!this.#counts(ste)) continue;
      const decoded = this.#model.decoder.ste(ste, registers);
      const known = seen.get(decoded.key);
      if (known === undefined) seen.set(decoded.key, { words: ste, decoded, way: { last, until, mask } });
      else known.way = better(known.way, { last, until, mask });
    }
    for (const { words, decoded, way } of seen.values()) this.#behindSte(words, decoded, way, registers);
    return [...this.#found.values()]
      .sort((a, b) => weightOf(a.mask) - weightOf(b.mask) || order(keyOf(a.outcome), keyOf(b.outcome)))
      .map((answer) => ({ ...answer, outcome: withCaches(answer) }));
  }

  #behindSte(words: SteWords, decoded: DecodedSte, way: Way, registers: DecodingRegisters): void {
    const { streamId, ia, ats: _, ...transaction } = this.#transaction;
    const asked = { ...transaction, update: false, trace: false };
    const { streams } = this.#model;
    const { run } = streams;
    const ask = (cd: CdWords | Failed | undefined, from: Way) => {
      const stream = streams.of(streamId, words, decoded, registers, cd);
      forEveryChoice((choices) => {
        run.begin(this.#moment, choices, from);
        const result = stream.translate(ia, asked);
        this.#add(result, run.trail);
      });
    };
    const route = streams.of(streamId, words, decoded, registers, undefined).route(asked.substreamId);
    const walksStage1 =
      !decoded.illegal && decoded.ste.passes && !('fault' in route) && route.cd !== undefined;
    if (!walksStage1) {
      ask(undefined, way);
      return;
    }
    const timeline = this.#model.cdOf(streamId, route.cd ?? 0);
    for (const option of timeline.optionsAt(this.#moment, decoded)) ask(option.cd, together(way, option));
  }

  /** A fault before there is an STE. */
  #terminated(fault: ConfigurationFault): SmmuResult {
    const { streamId, substreamId, ia, access, privileged = true } = this.#transaction;
    const { cr2 } = this.#model.changes.registersAt(this.#moment);
    if (fault.kind === 'c_bad_streamid' && !isSet(cr2, SMMU_CR2.fields.RECINVSID)) {
      return { ok: false, ia, fault: { kind: 'abort' }, event: undefined, response: 'abort', steps: [] };
    }
    const event = eventRecord(fault, { streamId, substreamId, ia, access, privileged });
    return { ok: false, ia, fault, event, response: 'abort', steps: [] };
  }

  #add(result: SmmuResult, { mask, until, last: own }: Way): void {
    const outcome = outcomeOf(result);
    const key = keyOf(outcome);
    const known = this.#found.get(key);
    const last = Math.max(known?.last ?? own, own);
    const ways = this.#ways.get(key) ?? new Set();
    this.#ways.set(key, ways.add(mask));
    if (known !== undefined) {
      const lighter = weightOf(known.mask) - weightOf(mask);
      if (lighter < 0 || (lighter === 0 && known.until <= until)) {
        this.#found.set(key, { ...known, last });
        return;
      }
    }
    const event = result.ok ? undefined : result.event;
    this.#found.set(key, { outcome, mask, last, until, ways, event });
  }
}

/** The outcome of a translation, in the form of traces. */
export function outcomeOf(result: SmmuResult): Outcome {
  if (result.ok) return { kind: 'pa', pa: result.pa };
  const { fault, event, response } = result;
  const name = eventName(fault.kind);
  if (name === undefined) return { kind: 'abort' };
  const { parts }: EventTraits = EVENTS[name];
  const staged = parts.includes('stage') && 'class' in fault;
  return {
    kind: 'fault',
    fault: name,
    ...(staged && { s2: fault.stage === 2, class: fault.class }),
    ...(event === undefined && { recorded: false }),
    ...(response === 'stall' && { stall: true }),
  };
}

/** Equal for equal outcomes. */
export function keyOf(outcome: Outcome): string {
  if (outcome.kind === 'pa') return `pa ${outcome.pa.toString(16).padStart(16, '0')}`;
  if (outcome.kind !== 'fault') return outcome.kind;
  const { fault, s2 = false, class: where = '', recorded = true, stall = false } = outcome;
  return ['fault', fault, s2, where, recorded, stall].join(' ');
}

/** Of two ways to the same answer, the one with fewer sources, or the older one. */
function better(one: Way, other: Way): Way {
  const lighter = weightOf(one.mask) - weightOf(other.mask);
  return lighter < 0 || (lighter === 0 && one.until <= other.until) ? one : other;
}

/** The outcome, with the caches that give it. */
function withCaches({ outcome, mask }: Answer): Outcome {
  const by = cachesOf(mask);
  return by.length === 0 ? outcome : { ...outcome, by };
}

/** The caches of a mask. Where configuration is stale, a TLB or ATC entry that it needs as well is not named. */
export function cachesOf(mask: number): readonly TraceCache[] {
  const configuration = (['ste', 'cd'] as const).filter((cache) => (mask & FROM[cache]) !== 0);
  if (configuration.length > 0) return configuration;
  return (['tlb', 'atc'] as const).filter((cache) => (mask & FROM[cache]) !== 0);
}

function order(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
