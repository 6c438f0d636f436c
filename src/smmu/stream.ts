/**
 * One stream of an SMMUv3: from a stream table entry and context descriptors to translations.
 * (IHI 0070 3.3, 3.4, 5.2, 5.4, 15; 7.3.22 for the order of faults.)
 */
import { INSTCFG, PRIVCFG, S1DSS } from '../arch/smmu/index.ts';
import type { S2Params } from '../walker/params/params.ts';
import { Stage1 } from '../walker/stage1.ts';
import { Stage2 } from '../walker/stage2.ts';
import type { TableMemory } from '../walker/table-memory.ts';
import type { TableTree } from '../walker/table-tree.ts';
import { checkAccess, translate } from '../walker/translate.ts';
import type { Fault, WalkStep } from '../walker/types.ts';
import { type CdLookup, cdWords, type Failed, locateCd } from './cd-fetch.ts';
import { CD_RULES } from './cd-rules.ts';
import { type CdWords, type Context, contextOf, decodeCd } from './context-descriptor.ts';
import { eventRecord } from './events.ts';
import type { SmmuFeatures } from './features.ts';
import { refuseCd, refuseSte } from './not-modelled.ts';
import { isIllegal } from './rules.ts';
import { STE_RULES } from './ste-rules.ts';
import { type SteSubject, steSubject } from './ste-subject.ts';
import { bypassStages, fetchesForeign, type StreamStages, stagesOfContext } from './stream-stages.ts';
import {
  decodeSte,
  type SteWords,
  type StreamTableEntry,
  type StreamWorld,
  streamWorld,
} from './stream-table-entry.ts';
import type { DeviceResponse, FaultClass, SmmuFault, SmmuResult, Transaction } from './types.ts';

/** How INSTCFG overrides reads, and PRIVCFG all transactions. Undefined: no override. */
const READS: Readonly<Record<number, 'execute' | 'read'>> = {
  [INSTCFG.instruction]: 'execute',
  [INSTCFG.data]: 'read',
};
const PRIVILEGES: Readonly<Record<number, boolean>> = {
  [PRIVCFG.privileged]: true,
  [PRIVCFG.unprivileged]: false,
};

/** The outcome of a fault: what the device sees, and whether an event is recorded. */
interface Outcome {
  readonly response: DeviceResponse;
  readonly recorded: boolean;
}

const BAD_CD: Failed = { fault: { kind: 'c_bad_cd' } };

function isSame(a: CdWords, b: CdWords): boolean {
  return a.length === b.length && a.every((word, i) => word === b[i]);
}

/** The index of a transaction's CD. None: stage 1 is bypassed. `substreams`: there is a table of CDs. */
export interface CdRoute {
  readonly cd: number | undefined;
  readonly substreams: boolean;
}

/** What a stream needs besides its STE. */
export interface StreamOptions {
  readonly features: SmmuFeatures;
  readonly streamId: number;
  /** SMMU_CR2.E2H. */
  readonly e2h: boolean;
  /** SMMU_S2PII, if it was given. */
  readonly s2pii?: bigint | undefined;
  /** The CD itself, or why there is none, instead of the one that STE.S1ContextPtr points to. It counts as read from memory that is not AssuredOnly. */
  readonly cd?: CdWords | Failed;
  /** Makes the stages; without it they read `memory`. */
  readonly stages?: StageMakers;
}

/** Makes the stages of a stream: where a TLB is in front of them. */
export interface StageMakers {
  readonly stage1: (context: Context, stage2: Stage2 | undefined) => Stage1;
  readonly stage2: (params: S2Params) => Stage2;
}

/** A stream. The STE is decoded once; its CD is read again in every transaction, and decoded if it has changed. */
export class Stream {
  readonly #memory: TableMemory;
  readonly #options: StreamOptions;
  readonly #ste: StreamTableEntry;
  readonly #subject: SteSubject;
  readonly #illegal: boolean;
  readonly #world: StreamWorld;
  readonly #stage2: Stage2 | undefined;
  #cd:
    | { readonly words: CdWords; readonly assured: boolean; readonly stages: StreamStages | undefined }
    | undefined;

  /** @internal Use `createStream`. */
  constructor(memory: TableMemory, words: SteWords, options: StreamOptions) {
    const { features } = options;
    this.#memory = memory;
    this.#options = options;
    const ste = decodeSte(words);
    this.#ste = ste;
    this.#subject = steSubject(ste, features, options.s2pii);
    this.#illegal = isIllegal(STE_RULES, this.#subject);
    this.#world = streamWorld(ste, features, options.e2h);
    const translates = !this.#illegal && ste.stage2;
    const { params } = this.#subject;
    const make = options.stages?.stage2 ?? ((own: S2Params) => this.#plainStage2(own));
    this.#stage2 = translates ? make(params) : undefined;
  }

  /** Stage 2 of a Secure stream has tables for the IPAs of two spaces. */
  #plainStage2(params: S2Params): Stage2 {
    const { secure, features } = this.#subject;
    if (secure === undefined) return new Stage2(this.#memory, params, features.cpu);
    return new Stage2(this.#memory, secure, features.cpu, { nonSecure: params });
  }

  /** Translates one transaction, a privileged read by default. @throws WalkerError for an address that is not 64 bits or an unknown access. */
  translate(ia: bigint, transaction: Transaction = { access: 'read' }): SmmuResult {
    checkAccess(ia, transaction);
    const steps: WalkStep[] | undefined = transaction.trace === false ? undefined : [];
    const asked = this.#overridden(transaction);
    const failed = (fault: SmmuFault, context?: Context): SmmuResult => {
      const { response, recorded } = this.#outcome(fault, context);
      const { substreamId } = transaction;
      const { streamId } = this.#options;
      const about = { ...asked, ia, streamId, substreamId, stalled: response === 'stall' };
      const event = recorded ? eventRecord(fault, about) : undefined;
      return { ok: false, ia, fault, event, response, steps: steps ?? [] };
    };
    this.refuse();
    if (this.#illegal) return failed({ kind: 'c_bad_ste' });
    if (!this.#ste.passes) return failed({ kind: 'abort' });

    const update = transaction.update !== false;
    const stages = this.#stages(transaction, steps, update);
    // A fault of stage 2 on the way to the CD: there is no CD yet.
    if ('fault' in stages) return failed(stages.fault);
    const { context } = stages;
    const privileged = asked.privileged || !stages.unprivileged;
    const pan = context?.pan === true && privileged;
    const request = { access: asked.access, privileged, pan, update, gcs: false, tagChecked: false };
    const foreign = context === undefined && fetchesForeign(this.#subject, asked.access, transaction.ns);
    if (foreign) return failed({ kind: 'permission', level: 0, stage: 1, class: 'in' });
    const result = translate(stages, ia, request, steps);
    return result.ok ? result : failed({ ...result.fault, class: faultClass(result.fault) }, context);
  }

  /** The tables that its transactions may use: none if the configuration is at fault. */
  trees(substreamId?: number): TableTree[] {
    this.refuse();
    if (this.#illegal || !this.#ste.passes) return [];
    const stages = this.#stages({ substreamId }, undefined, false);
    return 'fault' in stages ? [] : stages.trees();
  }

  /** @throws WalkerError for an STE that asks for what is not modelled, or for a register that was not given. @internal For `describeStream`. */
  refuse(): void {
    refuseSte(this.#subject, this.#options.s2pii);
  }

  /** STE.PRIVCFG and INSTCFG, if the SMMU lets them override. Writes are always data. */
  #overridden({
    access,
    privileged = true,
  }: Transaction): Pick<Required<Transaction>, 'access' | 'privileged'> {
    const { privCfg, instCfg } = this.#ste;
    if (!this.#options.features.attributeOverride) return { access, privileged };
    return {
      access: access === 'write' ? access : (READS[instCfg] ?? access),
      privileged: PRIVILEGES[privCfg] ?? privileged,
    };
  }

  /**
   * 5.5: how CD.A, R and S, and STE.S2R and S2S, affect the four translation-related faults. Without S, R = 0 keeps them from being
   * recorded. All other faults abort and are recorded.
   */
  #outcome(fault: SmmuFault, context: Context | undefined): Outcome {
    const aborted = { response: 'abort', recorded: true } as const;
    if (!('class' in fault) || fault.kind === 'external_walk') return aborted;
    const { s2Record, s2Stall } = this.#ste;
    const { record, abort, stall } =
      fault.stage === 2
        ? { record: s2Record, abort: true, stall: s2Stall }
        : (context ?? { record: true, abort: true, stall: false });
    if (stall) return { response: 'stall', recorded: true };
    return { response: abort ? 'abort' : 'raz/wi', recorded: record };
  }

  /** The stages of a transaction: bypass, stage 2 only, or stage 1 as its CD says. */
  #stages(
    { substreamId, ns }: { readonly substreamId?: number | undefined; readonly ns?: boolean | undefined },
    steps: WalkStep[] | undefined,
    update: boolean,
  ): StreamStages | Failed {
    const route = this.route(substreamId);
    if ('fault' in route) return route;
    return route.cd === undefined
      ? bypassStages(this.#subject, this.#stage2, ns)
      : this.#context(route.cd, route.substreams, steps, update);
  }

  /** The STE, decoded. @internal For `describeStream`. */
  get configuration(): SteSubject & { readonly illegal: boolean; readonly world: StreamWorld } {
    return { ...this.#subject, illegal: this.#illegal, world: this.#world };
  }

  /** Which CD a transaction uses: none if it bypasses stage 1. (5.2 S1CDMax, S1DSS.) @internal For `describeStream`. */
  route(substreamId: number | undefined): CdRoute | Failed {
    const { features } = this.#options;
    const substreams = this.#ste.stage1 && features.ssidSize !== 0 && this.#ste.s1CdMax !== 0;
    if (substreamId !== undefined && (!substreams || substreamId >= 2 ** this.#ste.s1CdMax)) {
      return { fault: { kind: 'c_bad_substreamid' } };
    }
    if (!this.#ste.stage1) return { cd: undefined, substreams };
    if (!substreams) return { cd: 0, substreams };
    const { s1Dss } = this.#ste;
    if (substreamId === undefined) {
      if (s1Dss === S1DSS.bypass) return { cd: undefined, substreams };
      if (s1Dss !== S1DSS.cd0) return { fault: { kind: 'f_stream_disabled' } };
    } else if (substreamId === 0 && s1Dss === S1DSS.cd0) {
      return { fault: { kind: 'f_stream_disabled' } };
    }
    return { cd: substreamId ?? 0, substreams };
  }

  /** The CD in memory. @internal For `describeStream`. */
  locateCd(index: number, substreams: boolean, steps: WalkStep[] | undefined, update: boolean): CdLookup {
    const fetch = {
      memory: this.#memory,
      stage2: this.#stage2,
      space: this.#options.features.security,
      oas: this.#options.features.oas,
      steps,
      update,
      words: cdWords(this.#options.features),
    } as const;
    return locateCd(this.#ste, substreams ? index : undefined, fetch);
  }

  /** Stage 1 of the CD at an index. */
  #context(
    index: number,
    substreams: boolean,
    steps: WalkStep[] | undefined,
    update: boolean,
  ): StreamStages | Failed {
    const { outcome: words, assured } =
      this.#options.cd === undefined
        ? this.locateCd(index, substreams, steps, update)
        : { outcome: this.#options.cd, assured: false };
    if ('fault' in words) return words;
    const known = this.#cd;
    if (known?.assured === assured && isSame(known.words, words)) return known.stages ?? BAD_CD;
    const decoded = decodeCd(words, this.#ste, this.#world, this.#options.features);
    refuseCd(decoded);
    const stages = isIllegal(CD_RULES, decoded) ? undefined : this.#stage1(contextOf(decoded), assured);
    this.#cd = { words, assured, stages };
    return stages ?? BAD_CD;
  }

  /** `assurable`: the CD lies in AssuredOnly memory. (3.27.2) */
  #stage1(context: Context, assurable: boolean): StreamStages {
    const stage2 = this.#stage2;
    const stage1 =
      this.#options.stages?.stage1(context, stage2) ??
      new Stage1(this.#memory, context.ranges, stage2, { assurable });
    return stagesOfContext(context, stage1, stage2, this.#options.features.security);
  }
}

/** CLASS of a translation fault. An abort on the fetch of a stage-1 descriptor is TT, even without a stage 2. (7.3.12) */
function faultClass(fault: Fault): FaultClass {
  return fault.ptw || (fault.kind === 'external_walk' && fault.stage === 1) ? 'tt' : 'in';
}
