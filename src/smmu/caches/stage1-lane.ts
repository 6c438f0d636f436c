/**
 * What TLBs may hold of stage 1 for one page of addresses: leaf entries (of both stages, where there are two), table descriptors, the
 * start of the walk. They are found by VMID and ASID, not by StreamID. (IHI 0070 3.17, 3.21.1, 4.4.2, 5.4.1.)
 */
import { STAGE1_LEAF } from '../../arch/descriptors/index.ts';
import { isSet } from '../../arch/read.ts';
import type { CpuFeatures } from '../../walker/cpu.ts';
import type { S1Request } from '../../walker/first-stage.ts';
import type { S1Ranges } from '../../walker/ranges.ts';
import { Stage1 } from '../../walker/stage1.ts';
import type { WalkStep } from '../../walker/types.ts';
import { halvesOf } from '../../walker/word.ts';
import type { StreamWorld } from '../stream-table-entry.ts';
import type { Changes } from './changes.ts';
import { forEveryChoice } from './choices.ts';
import type { Derived } from './derived.ts';
import { coversTlb, type Invalidation, type TlbTags } from './invalidation.ts';
import { type Reading, ScriptedMemory, Trail, together, type Way } from './scripted-memory.ts';
import { isLeaf, type Stage2Configuration, type Stage2Entry } from './stage2-lane.ts';
import { ChosenStage2, type Stage2Lanes } from './stages.ts';
import { type Found, FROM, type Possible, Timeline, type Watch } from './timeline.ts';

/** A stage 1 that some stream's STE and CD may describe. */
export interface Stage1Configuration {
  readonly world: StreamWorld;
  readonly vmid: number;
  readonly asid: number | undefined;
  readonly ranges: S1Ranges;
  readonly stage2: Stage2Configuration | undefined;
  /** Equal for equal walks in equal tables. */
  readonly key: string;
}

/** An entry: the descriptors of stage 1 from the root on, complete (a leaf) or not. */
export interface Stage1Entry {
  readonly tags: TlbTags;
  /** ASID of table descriptors and of leaves that are not global. */
  readonly configuration: Stage1Configuration;
  readonly descriptors: readonly bigint[];
  /** What a leaf leads to: a PA of stage 1 alone, a PA through a leaf of stage 2, or an IPA that stage 2 still has to translate. */
  readonly output: 'table' | 'pa' | 'ipa' | Stage2Entry;
}

/** Bits of an address below its tag. (DDI 0487 D8.8.) */
const BELOW_TAG = 56;

/** The access that fills a TLB: what it may do does not matter. */
const FILL: S1Request = {
  access: 'read',
  privileged: true,
  pan: false,
  gcs: false,
  tagChecked: false,
  update: false,
};

/** Where a walk begins: at the root, or at a table descriptor that is cached. */
interface Start {
  readonly configuration: Stage1Configuration;
  readonly descriptors: readonly bigint[];
  readonly last: number;
  readonly until: number;
  readonly cached: boolean;
}

export class Stage1Lane extends Timeline<Stage1Entry> {
  readonly #va: bigint;
  readonly #cpu: CpuFeatures;
  readonly #configurations: Derived<readonly Possible<Stage1Configuration>[]>;
  readonly #lanes: Stage2Lanes;
  readonly #matches = new WeakMap<object, Map<string, readonly Found<Stage1Entry>[]>>();

  /** @param va - of its first byte, 64 bits. */
  constructor(
    changes: Changes,
    va: bigint,
    cpu: CpuFeatures,
    configurations: Derived<readonly Possible<Stage1Configuration>[]>,
    lanes: Stage2Lanes,
  ) {
    super(changes, FROM.tlb);
    this.#va = va;
    this.#cpu = cpu;
    this.#configurations = configurations;
    this.#lanes = lanes;
  }

  protected covers(invalidation: Invalidation, { tags }: Stage1Entry): boolean {
    return coversTlb(invalidation, tags);
  }

  /** Entries that a stream with these tags hits. */
  matchesAt(
    moment: number,
    { world, vmid, asid }: Pick<Stage1Configuration, 'world' | 'vmid' | 'asid'>,
  ): readonly Found<Stage1Entry>[] {
    const all = this.possibleAt(moment);
    const key = `${world} ${vmid} ${asid}`;
    let known = this.#matches.get(all);
    if (known === undefined) {
      known = new Map();
      this.#matches.set(all, known);
    }
    let matches = known.get(key);
    if (matches === undefined) {
      matches = all.filter(
        ({ item: { tags } }) =>
          tags.world === world && tags.vmid === vmid && (tags.asid === undefined || tags.asid === asid),
      );
      known.set(key, matches);
    }
    return matches;
  }

  /** Fills from every configuration, and from table descriptors that other streams left under the same tags, until nothing new is found. */
  protected explore(
    moment: number,
    kept: readonly Possible<Stage1Entry>[],
    watch: Watch,
  ): Found<Stage1Entry>[] {
    if (!this.changes.registersAt(moment).enabled) return [];
    watch.timeline(this.#configurations, moment);
    const configurations = this.#configurations.at(moment);
    const found: Found<Stage1Entry>[] = [];
    for (const { item, last, until } of configurations) {
      const start = { configuration: item, descriptors: [], last, until, cached: false };
      this.#fill(moment, item, start, watch, found);
    }
    const tables = [...found, ...kept].filter(({ item }) => item.output === 'table');
    const done = new Map<string, number>();
    for (const { item, ...way } of tables) {
      for (const other of configurations) {
        if (!isShared(item, other.item)) continue;
        const { last, until } = together(way, other);
        const key = `${other.item.stage2?.key} ${item.configuration.key} ${item.descriptors.join()}`;
        if ((done.get(key) ?? -1) >= last) continue;
        done.set(key, last);
        const { configuration, descriptors } = item;
        const more: Found<Stage1Entry>[] = [];
        this.#fill(
          moment,
          other.item,
          { configuration, descriptors, last, until, cached: true },
          watch,
          more,
        );
        found.push(...more);
        tables.push(...more.filter((one) => one.item.output === 'table'));
      }
    }
    return found;
  }

  /** Walks on from a start as a stream with this configuration would, and notes every entry that this can leave. */
  #fill(
    moment: number,
    { world, vmid, asid, stage2 }: Stage1Configuration,
    start: Start,
    watch: Watch,
    found: Found<Stage1Entry>[],
  ): void {
    const configuration = { ...start.configuration, world, vmid, asid, stage2 };
    const { ranges } = configuration;
    const script = start.descriptors;
    forEveryChoice((choices) => {
      const reading: Reading = {
        changes: this.changes,
        moment,
        choices,
        trail: new Trail({ ...start, mask: FROM.memory }),
        watch,
      };
      const memory = new ScriptedMemory(reading, script);
      const saved = { fetches: script.length, all: false };
      const next = stage2 && new ChosenStage2(this.#lanes, stage2, this.#cpu, reading, saved);
      const all: WalkStep[] = [];
      const result = new Stage1(memory, ranges, next).translate(halvesOf(this.#va), FILL, all);
      const steps = all.filter(({ stage }) => stage === 1);
      if (steps.length === 0 && script.length === 0) return;
      // An entry does not renew itself.
      for (let i = start.cached ? script.length + 1 : 0; i <= memory.words.length; i++) {
        const step = i > 0 ? steps[i - 1]! : undefined;
        if (step !== undefined && step.kind !== 'table' && !isLeaf(step)) continue;
        const way = memory.marks[i]!;
        const leaf = step !== undefined && isLeaf(step);
        if (leaf && !result.ok && result.fault.kind !== 'permission') continue;
        const entry = this.#entry(configuration, memory.words.slice(0, i), step);
        if (!leaf || stage2 === undefined) {
          found.push(keyed({ ...entry, output: leaf ? 'pa' : 'table' }, way));
          continue;
        }
        found.push(keyed({ ...entry, output: 'ipa' }, way));
        const ipa = Number(step.output! + (this.#va & (step.size - 1n)));
        const lane = this.#lanes(ipa);
        watch.timeline(lane, moment);
        for (const second of lane.leavesAt(moment, vmid)) {
          found.push(keyed(this.#combined(entry, second.item), together(way, second)));
        }
      }
    });
  }

  /** An entry of both stages covers no more than the smaller leaf. */
  #combined(entry: Omit<Stage1Entry, 'output'>, output: Stage2Entry): Stage1Entry {
    const size = output.tags.last - output.tags.first + 1n;
    if (size >= entry.tags.last - entry.tags.first + 1n) return { ...entry, output };
    const { first: from, last } = entry.tags;
    const first = from + ((this.#va - from) & (last - from) & ~(size - 1n));
    return { ...entry, tags: { ...entry.tags, first, last: first + size - 1n }, output };
  }

  #entry(
    configuration: Stage1Configuration,
    descriptors: readonly bigint[],
    step: WalkStep | undefined,
  ): Omit<Stage1Entry, 'output'> {
    const { world, vmid, asid, ranges } = configuration;
    const params = ranges.select(halvesOf(this.#va), false)!.params;
    const size = step?.size ?? 1n << 64n;
    // A tag in the top byte is no part of the address that a command names.
    const va = params.tbi ? BigInt.asUintN(64, BigInt.asIntN(BELOW_TAG, this.#va)) : this.#va;
    const first = (va / size) * size;
    const leaf = step !== undefined && isLeaf(step);
    const tags: TlbTags = {
      world,
      stage: 1,
      vmid,
      asid: leaf && isGlobal(step, ranges) ? undefined : asid,
      granuleLog2: params.granuleLog2,
      level: step?.level ?? params.startLevel - 1,
      leaf,
      first,
      last: first + size - 1n,
    };
    return { tags, configuration, descriptors };
  }
}

/** Whether a stream with this configuration finds a table descriptor under its tags that its own walks do not read: one for another kind of walk, or one that was left behind. */
function isShared({ tags }: Stage1Entry, { world, vmid, asid }: Stage1Configuration): boolean {
  return tags.world === world && tags.vmid === vmid && tags.asid === asid;
}

/** A leaf with nG = 0 serves every ASID. (D8.16.4; EL2 without E2H has no ASIDs.) */
function isGlobal({ descriptor }: WalkStep, { unprivileged }: S1Ranges): boolean {
  return !unprivileged || !isSet(descriptor!, STAGE1_LEAF.fields.nG);
}

function keyed(item: Stage1Entry, { last, until }: Way): Found<Stage1Entry> {
  const { tags, configuration, descriptors, output } = item;
  const { world, vmid, asid } = tags;
  const second =
    typeof output === 'string' ? output : `${output.configuration.key} ${output.descriptors.join()}`;
  const key = [world, vmid, asid, configuration.key, descriptors.join(), second].join(' ');
  return { key, item, last, until, mask: FROM.tlb };
}
