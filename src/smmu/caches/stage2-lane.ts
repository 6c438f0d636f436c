/** What TLBs may hold of stage 2 for one page of IPAs: leaf entries, table descriptors, the start of the walk. (IHI 0070 3.17, 3.21.1, 4.4.3, 5.2.) */
import type { CpuFeatures } from '../../walker/cpu.ts';
import type { StageFault } from '../../walker/lookup.ts';
import type { S2Params } from '../../walker/params/params.ts';
import { PR } from '../../walker/permissions.ts';
import { Stage2 } from '../../walker/stage2.ts';
import type { S2Output } from '../../walker/stage2-output.ts';
import type { S2Request } from '../../walker/stage2-request.ts';
import type { WalkStep } from '../../walker/types.ts';
import type { Changes } from './changes.ts';
import { forEveryChoice } from './choices.ts';
import type { Derived } from './derived.ts';
import { coversTlb, type Invalidation, type TlbTags } from './invalidation.ts';
import { FRESH, type Reading, ScriptedMemory, Trail, type Way } from './scripted-memory.ts';
import { type Found, FROM, merged, type Possible, Timeline, type Watch } from './timeline.ts';

/** A stage 2 that some stream's STE may describe. */
export interface Stage2Configuration {
  /** Equal for equal walks: all but the VMID. */
  readonly key: string;
  readonly vmid: number;
  readonly params: S2Params;
}

/** An entry of stage 2: the descriptors from the root on, complete (a leaf) or not. */
export interface Stage2Entry {
  readonly tags: TlbTags;
  readonly configuration: Stage2Configuration;
  readonly descriptors: readonly bigint[];
}

/** An answer of stage 2 that a walk may get. */
export interface Stage2Option extends Way {
  readonly output: S2Output | StageFault;
}

/** The access that fills a TLB. Its rights do not matter. */
const FILL: S2Request = { needed: PR, write: false, own: false };
const NON_SECURE = 'non-secure';

export class Stage2Lane extends Timeline<Stage2Entry> {
  readonly #ipa: number;
  readonly #cpu: CpuFeatures;
  readonly #configurations: Derived<readonly Possible<Stage2Configuration>[]>;
  readonly #options = new WeakMap<object, Map<string, readonly Stage2Option[]>>();

  /** @param ipa - of its first byte. */
  constructor(
    changes: Changes,
    ipa: number,
    cpu: CpuFeatures,
    configurations: Derived<readonly Possible<Stage2Configuration>[]>,
  ) {
    super(changes, FROM.tlb);
    this.#ipa = ipa;
    this.#cpu = cpu;
    this.#configurations = configurations;
  }

  protected explore(
    moment: number,
    kept: readonly Possible<Stage2Entry>[],
    watch: Watch,
  ): Found<Stage2Entry>[] {
    if (!this.changes.registersAt(moment).enabled) return [];
    watch.timeline(this.#configurations, moment);
    const found: Found<Stage2Entry>[] = [];
    for (const { item, ...way } of this.#configurations.at(moment)) {
      this.#fill(moment, item, undefined, way, watch, found);
    }
    for (const { item, ...way } of kept) {
      if (item.tags.leaf) continue;
      this.#fill(moment, item.configuration, item.descriptors, way, watch, found);
    }
    return found;
  }

  protected covers(invalidation: Invalidation, { tags }: Stage2Entry): boolean {
    return coversTlb(invalidation, tags);
  }

  /** Leaf entries of a VMID, for entries that combine both stages. */
  leavesAt(moment: number, vmid: number): readonly Possible<Stage2Entry>[] {
    return this.possibleAt(moment).filter(({ item: { tags } }) => tags.leaf && tags.vmid === vmid);
  }

  /** Every answer that a request may get, from memory or TLB entries. */
  optionsAt(
    moment: number,
    configuration: Stage2Configuration,
    ipa: number,
    request: S2Request,
  ): readonly Stage2Option[] {
    const version = this.versionAt(moment);
    let known = this.#options.get(version);
    if (known === undefined) {
      known = new Map();
      this.#options.set(version, known);
    }
    const { needed, write, own, s1Level } = request;
    const key = [configuration.vmid, configuration.key, ipa, needed, write, own, s1Level].join(' ');
    let options = known.get(key);
    if (options === undefined) {
      options = this.#optionsAt(moment, configuration, ipa, request);
      known.set(key, options);
    }
    return options;
  }

  #optionsAt(
    moment: number,
    configuration: Stage2Configuration,
    ipa: number,
    request: S2Request,
  ): readonly Stage2Option[] {
    const found = new Map<string, Possible<Stage2Option['output']>>();
    const ask = (params: S2Params, script: readonly bigint[], start: Way) => {
      forEveryChoice((choices) => {
        const trail = new Trail(start);
        const memory = new ScriptedMemory({ changes: this.changes, moment, choices, trail }, script);
        const output = new Stage2(memory, params, this.#cpu).translate(
          ipa,
          NON_SECURE,
          request,
          false,
          undefined,
        );
        const key = signature(output);
        const { last, until, mask } = trail;
        found.set(key, merged(found.get(key), { item: output, last, until, mask }));
      });
    };
    ask(configuration.params, [], FRESH);
    for (const { item, last, until } of this.possibleAt(moment)) {
      const { tags, descriptors } = item;
      if (tags.vmid !== configuration.vmid) continue;
      ask(item.configuration.params, descriptors, { last, until, mask: FROM.tlb });
    }
    return [...found.values()].map(({ item: output, ...way }) => ({ output, ...way }));
  }

  /** Walks from the root, or (`start`) from a table descriptor, and notes every entry that this can leave. */
  #fill(
    moment: number,
    configuration: Stage2Configuration,
    start: readonly bigint[] | undefined,
    way: Way,
    watch: Watch,
    found: Found<Stage2Entry>[],
  ): void {
    const script = start ?? [];
    forEveryChoice((choices) => {
      const reading: Reading = {
        changes: this.changes,
        moment,
        choices,
        trail: new Trail({ ...way, mask: FROM.memory }),
        watch,
      };
      const memory = new ScriptedMemory(reading, script);
      const steps: WalkStep[] = [];
      const stage2 = new Stage2(memory, configuration.params, this.#cpu);
      const result = stage2.translate(this.#ipa, NON_SECURE, FILL, false, steps);
      if (steps.length === 0) return;
      // An entry does not renew itself.
      for (let i = start === undefined ? 0 : script.length + 1; i <= memory.words.length; i++) {
        const leaf = i > 0 && isLeaf(steps[i - 1]!);
        if (i > 0 && !leaf && steps[i - 1]!.kind !== 'table') continue;
        if (leaf && !result.ok && result.fault.kind !== 'permission') continue;
        found.push(this.#entry(configuration, memory, steps, i));
      }
    });
  }

  #entry(
    configuration: Stage2Configuration,
    memory: ScriptedMemory,
    steps: readonly WalkStep[],
    reads: number,
  ): Found<Stage2Entry> {
    const descriptors = memory.words.slice(0, reads);
    const { vmid, params, key } = configuration;
    const step = steps[reads - 1];
    const size = step?.size ?? 1n << 64n;
    const first = (BigInt(this.#ipa) / size) * size;
    const tags: TlbTags = {
      world: 'el1',
      stage: 2,
      vmid,
      asid: undefined,
      granuleLog2: params.granuleLog2,
      level: step?.level ?? params.startLevel - 1,
      leaf: step !== undefined && isLeaf(step),
      first,
      last: first + size - 1n,
    };
    const { last, until } = memory.marks[reads]!;
    const item: Stage2Entry = { tags, configuration, descriptors };
    return { key: `${vmid} ${key} ${descriptors.join()}`, item, last, until, mask: FROM.tlb };
  }
}

/** Whether a step met a page or block. */
export function isLeaf({ kind }: WalkStep): boolean {
  return kind === 'page' || kind === 'block';
}

function signature(output: S2Output | StageFault): string {
  if (output.ok) {
    const { oa, level, sizeLog2, permissions, attributeKey } = output;
    return [oa, level, sizeLog2, permissions, attributeKey].join(' ');
  }
  const { kind, level, ipa, s1Level, ptw } = output.fault;
  return [kind, level, ipa, s1Level, ptw].join(' ');
}
