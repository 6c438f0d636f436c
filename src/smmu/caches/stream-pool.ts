/**
 * Streams with a TLB in front of their stages, by STE and CD. Each is decoded once, since a search uses the same ones again and again:
 * whatever differs between two runs is in one object that they share.
 */
import { PhysicalMemory } from '../../memory/index.ts';
import { TableMemory } from '../../walker/table-memory.ts';
import type { Failed } from '../cd-fetch.ts';
import type { CdWords } from '../context-descriptor.ts';
import type { SmmuFeatures } from '../features.ts';
import { Stream } from '../stream.ts';
import type { SteWords } from '../stream-table-entry.ts';
import type { Changes } from './changes.ts';
import { Choices } from './choices.ts';
import { ChosenStage1 } from './chosen-stage1.ts';
import type { DecodedSte, DecodingRegisters } from './decoded.ts';
import { type Reading, Trail, type Way } from './scripted-memory.ts';
import type { Stage1Lane } from './stage1-lane.ts';
import { ChosenStage2, type Saved, type Stage2Lanes } from './stages.ts';

/** The current run: its moment and choices, and what it depends on. */
export class Run implements Reading {
  readonly changes: Changes;
  readonly saved: Saved = { fetches: 0, all: false };
  moment = 0;
  choices = new Choices();
  trail = new Trail();

  constructor(changes: Changes) {
    this.changes = changes;
  }

  begin(moment: number, choices: Choices, way: Way): void {
    this.moment = moment;
    this.choices = choices;
    this.trail = new Trail(way);
    this.saved.fetches = 0;
    this.saved.all = false;
  }
}

/** Finds the lanes of addresses. */
export interface Lanes {
  readonly stage1: (va: bigint) => Stage1Lane;
  readonly stage2: Stage2Lanes;
}

/** No stream reads it: its stages have the history of memory instead. */
const NOWHERE = new TableMemory(new PhysicalMemory({ base: 0n, size: 0x1000n }));
/** Streams that are kept. A trace has a few dozen. */
const MOST_STREAMS = 4096;

export class StreamPool {
  readonly run: Run;
  readonly #features: SmmuFeatures;
  readonly #lanes: Lanes;
  readonly #streams = new Map<string, Stream>();

  constructor(features: SmmuFeatures, changes: Changes, lanes: Lanes) {
    this.#features = features;
    this.#lanes = lanes;
    this.run = new Run(changes);
  }

  /** A stream. `cd`: its CD, or why there is none; undefined where none is used. */
  of(
    streamId: number,
    words: SteWords,
    decoded: DecodedSte,
    registers: DecodingRegisters,
    cd: CdWords | Failed | undefined,
  ): Stream {
    const { e2h, s2pii } = registers;
    const context = cd !== undefined && 'fault' in cd ? faultKey(cd) : cd?.join();
    const key = [streamId, words.join(), e2h, s2pii, context].join(' ');
    let stream = this.#streams.get(key);
    if (stream === undefined) {
      if (this.#streams.size === MOST_STREAMS) this.#streams.clear();
      stream = this.#make(streamId, words, decoded, registers, cd);
      this.#streams.set(key, stream);
    }
    return stream;
  }

  #make(
    streamId: number,
    words: SteWords,
    { world, vmid, stage2: configuration }: DecodedSte,
    registers: DecodingRegisters,
    cd: CdWords | Failed | undefined,
  ): Stream {
    const { cpu } = this.#features;
    const { run } = this;
    return new Stream(NOWHERE, words, {
      features: this.#features,
      streamId,
      ...registers,
      ...(cd && { cd }),
      stages: {
        stage1: ({ ranges, asid }, stage2) => {
          const tags = { world, vmid, asid: world === 'el2' ? undefined : asid };
          return new ChosenStage1(ranges, stage2, { tags, lane: this.#lanes.stage1, cpu, run });
        },
        stage2: () => new ChosenStage2(this.#lanes.stage2, configuration!, cpu, run, run.saved),
      },
    });
  }
}

function faultKey({ fault }: Failed): string {
  const { kind } = fault;
  if (!('class' in fault)) return [kind, fault.fetchAddress].join(' ');
  return [kind, fault.class, fault.stage, fault.level, fault.ipa, fault.fetchAddress].join(' ');
}
