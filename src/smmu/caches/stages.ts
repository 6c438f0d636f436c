/** The stages of a walk whose answers are chosen among those that caches permit. (IHI 0070 3.17, 3.21.1.) */
import type { CpuFeatures } from '../../walker/cpu.ts';
import type { StageFault } from '../../walker/lookup.ts';
import { ALL_PERMISSIONS } from '../../walker/permissions.ts';
import { Stage2 } from '../../walker/stage2.ts';
import type { S2Output } from '../../walker/stage2-output.ts';
import type { S2Request } from '../../walker/stage2-request.ts';
import { type Reading, ScriptedMemory } from './scripted-memory.ts';
import type { Stage2Configuration, Stage2Lane } from './stage2-lane.ts';
import type { Watch } from './timeline.ts';

/** Finds the lane of an IPA. */
export type Stage2Lanes = (ipa: number) => Stage2Lane;

/** Fetches that a cached entry replaces, so that stage 2 is not asked. */
export interface Saved {
  /** Reads of stage-1 descriptors, or of a level 1 CD descriptor. */
  fetches: number;
  /** The whole translation was in the TLB. */
  all: boolean;
}

export class ChosenStage2 extends Stage2 {
  readonly #lanes: Stage2Lanes;
  readonly #configuration: Stage2Configuration;
  readonly #reading: Reading;
  readonly #saved: Saved;

  constructor(
    lanes: Stage2Lanes,
    configuration: Stage2Configuration,
    cpu: CpuFeatures,
    reading: Reading,
    saved: Saved,
  ) {
    super(new ScriptedMemory(reading), configuration.params, cpu);
    this.#lanes = lanes;
    this.#configuration = configuration;
    this.#reading = reading;
    this.#saved = saved;
  }

  override translate(ipa: number, _space: 'non-secure', request: S2Request): S2Output | StageFault {
    const fetch = request.own;
    if (fetch && this.#saved.fetches > 0) {
      this.#saved.fetches--;
      return unchanged(ipa);
    }
    if (!fetch && this.#saved.all) return unchanged(ipa);
    const { moment, choices, trail, watch } = this.#reading;
    const lane = this.#lanes(ipa);
    (watch as Watch | undefined)?.timeline(lane, moment);
    const options = lane.optionsAt(moment, this.#configuration, ipa, request);
    const chosen = options[choices.pick(options.length)]!;
    trail.use(chosen);
    return chosen.output;
  }
}

/** MemAttr of Normal Write-Back memory, which leaves stage 1's attributes as they are. */
const WRITE_BACK = 15;

/** What is not translated again. */
function unchanged(oa: number): S2Output {
  return {
    ok: true,
    oa,
    level: 3,
    sizeLog2: 12,
    permissions: ALL_PERMISSIONS,
    mostlyReadOnly: false,
    contiguous: false,
    nT: false,
    attributeKey: WRITE_BACK,
    space: 'non-secure',
    assuredOnly: false,
  };
}
