/** Stage 1 with a TLB in front of it: a transaction walks, begins at a table descriptor that is cached, or hits a leaf. (IHI 0070 3.17.) */
import type { CpuFeatures } from '../../walker/cpu.ts';
import type { InputAddress, S1Output, S1Request } from '../../walker/first-stage.ts';
import type { StageFault } from '../../walker/lookup.ts';
import { requiredPermission } from '../../walker/permissions.ts';
import type { S1Ranges } from '../../walker/ranges.ts';
import { Stage1 } from '../../walker/stage1.ts';
import { Stage2 } from '../../walker/stage2.ts';
import type { WalkStep } from '../../walker/types.ts';
import { word64 } from '../../walker/word.ts';
import { type Reading, ScriptedMemory } from './scripted-memory.ts';
import type { Stage1Configuration, Stage1Lane } from './stage1-lane.ts';
import type { Stage2Entry } from './stage2-lane.ts';
import type { Saved } from './stages.ts';
import { FROM } from './timeline.ts';

/** The tags by which a stream's stage 1 finds TLB entries, and the current run. */
export interface Stage1Options {
  readonly tags: Pick<Stage1Configuration, 'world' | 'vmid' | 'asid'>;
  readonly lane: (va: bigint) => Stage1Lane;
  readonly cpu: CpuFeatures;
  readonly run: Reading & { readonly saved: Saved };
}

export class ChosenStage1 extends Stage1 {
  readonly #ranges: S1Ranges;
  readonly #stage2: Stage2 | undefined;
  readonly #options: Stage1Options;

  constructor(ranges: S1Ranges, stage2: Stage2 | undefined, options: Stage1Options) {
    super(new ScriptedMemory(options.run), ranges, stage2);
    this.#ranges = ranges;
    this.#stage2 = stage2;
    this.#options = options;
  }

  override translate(
    ia: InputAddress,
    request: S1Request,
    steps: WalkStep[] | undefined,
  ): S1Output | StageFault {
    const { tags, lane, run } = this.#options;
    const { choices, trail, saved } = run;
    const found = lane(word64(ia.lo, ia.hi)).matchesAt(run.moment, tags);
    // What an IPA means, only a stream with stage 2 knows.
    const entries = this.#stage2 ? found : found.filter(({ item }) => item.output !== 'ipa');
    const chosen = entries[choices.pick(entries.length + 1) - 1];
    if (chosen === undefined) {
      const walk = new Stage1(new ScriptedMemory(run), this.#ranges, this.#stage2);
      return walk.translate(ia, request, steps);
    }
    const { configuration, descriptors, output } = chosen.item;
    trail.use({ ...chosen, mask: FROM.tlb });
    const memory = new ScriptedMemory(run, descriptors);
    if (output === 'table' || output === 'ipa') {
      saved.fetches = this.#stage2 === undefined ? 0 : descriptors.length;
      return new Stage1(memory, configuration.ranges, this.#stage2).translate(ia, request, steps);
    }
    saved.all = true;
    const first = new Stage1(memory, configuration.ranges, undefined).translate(ia, request, steps);
    return first.ok && output !== 'pa' ? this.#throughStage2(first, output, request) : first;
  }

  /** An entry of both stages: the IPA as its stage-2 leaf translates it. */
  #throughStage2(
    first: S1Output,
    { configuration, descriptors }: Stage2Entry,
    { access, privileged }: S1Request,
  ): S1Output | StageFault {
    const memory = new ScriptedMemory(this.#options.run, descriptors);
    const request = { needed: requiredPermission(access, privileged), write: access === 'write', own: false };
    const stage2 = new Stage2(memory, configuration.params, this.#options.cpu);
    const second = stage2.translate(first.oa, first.space, request, false, undefined);
    if (!second.ok) return second;
    return { ...first, oa: second.oa, permissions: first.permissions & second.permissions };
  }
}
