/**
 * One stream of an SMMUv3: from a stream table entry and context descriptors to translations.
 * (IHI 0070 3.3, 3.4, 5.2, 5.4, 15; 7.3.22 for the order of faults.)
 */
import { addressOf, isSet } from '../arch/read.ts';
import { CD, CD_LEAF_LOG2, INSTCFG, L1CD, PRIVCFG, S1DSS } from '../arch/smmu/index.ts';
import { DEFAULT_CACHEABLE } from '../walker/attributes.ts';
import { ALL_PERMISSIONS, PR } from '../walker/permissions.ts';
import { Stage1 } from '../walker/stage1.ts';
import { flatTranslate } from '../walker/stage1-off.ts';
import { Stage2 } from '../walker/stage2.ts';
import type { TableMemory } from '../walker/table-memory.ts';
import type { TableTree } from '../walker/table-tree.ts';
import { checkAccess, type Stages, translate } from '../walker/translate.ts';
import type { Fault, WalkStep } from '../walker/types.ts';
import { word64 } from '../walker/word.ts';
import { CD_RULES } from './cd-rules.ts';
import { type CdWords, type Context, contextOf, decodeCd } from './context-descriptor.ts';
import { eventRecord } from './events.ts';
import type { SmmuFeatures } from './features.ts';
import { isIllegal } from './rules.ts';
import { STE_RULES, type SteSubject, steSubject } from './ste-rules.ts';
import {
  decodeSte,
  type SteWords,
  type StreamTableEntry,
  type StreamWorld,
  streamWorld,
} from './stream-table-entry.ts';
import type { FaultClass, SmmuFault, SmmuResult, Transaction } from './types.ts';

const LEVEL1_BYTES = L1CD.width / 8;
const CD_BYTES = CD.width / 8;

/** A CD is read, and only read. */
const CD_FETCH = { needed: PR, write: false, own: true };

/** What INSTCFG makes of reads, and PRIVCFG of all transactions; nothing: they stay what they are. */
const READS: Readonly<Record<number, 'execute' | 'read'>> = {
  [INSTCFG.instruction]: 'execute',
  [INSTCFG.data]: 'read',
};
const PRIVILEGES: Readonly<Record<number, boolean>> = {
  [PRIVCFG.privileged]: true,
  [PRIVCFG.unprivileged]: false,
};

interface Failed {
  readonly fault: SmmuFault;
}

/** The CD that a transaction takes, by its index; none: stage 1 is bypassed. `substreams`: there is a table of them. */
export interface CdRoute {
  readonly cd: number | undefined;
  readonly substreams: boolean;
}

/** Where a structure is: its IPA where stage 2 translates it, and its PA. */
interface StructureAddress {
  readonly address: number;
  readonly pa?: number;
}

/** Where a CD is, and what came of fetching it. */
export interface CdLookup {
  /** The level 1 descriptor of a two-level table, unread where it can't be. */
  readonly level1?: StructureAddress & { readonly descriptor?: bigint };
  readonly cd?: StructureAddress;
  readonly outcome: CdWords | Failed;
}

/** What a stream needs beside its STE. */
export interface StreamOptions {
  readonly features: SmmuFeatures;
  readonly streamId: number;
  /** SMMU_CR2.E2H. */
  readonly e2h: boolean;
  /** The CD itself, in place of what STE.S1ContextPtr points to. */
  readonly cd?: CdWords;
}

/** A stream. The STE is decoded once; its CD is read anew in every transaction and decoded when it changed. */
export class Stream {
  readonly #memory: TableMemory;
  readonly #options: StreamOptions;
  readonly #ste: StreamTableEntry;
  readonly #subject: SteSubject;
  readonly #illegal: boolean;
  readonly #world: StreamWorld;
  readonly #stage2: Stage2 | undefined;
  #cd:
    | { readonly words: CdWords; readonly context: Context | undefined; readonly stages: Stages }
    | undefined;

  /** @internal Use `createStream`. */
  constructor(memory: TableMemory, words: SteWords, options: StreamOptions) {
    const { features } = options;
    this.#memory = memory;
    this.#options = options;
    const ste = decodeSte(words);
    this.#ste = ste;
    this.#subject = steSubject(ste, features);
    this.#illegal = isIllegal(STE_RULES, this.#subject);
    this.#world = streamWorld(ste, features, options.e2h);
    const translates = !this.#illegal && ste.stage2;
    this.#stage2 = translates ? new Stage2(memory, this.#subject.params, features.cpu) : undefined;
  }

  /** Translates one transaction. @throws WalkerError for an address that is not 64 bits or an unknown access. */
  translate(ia: bigint, transaction: Transaction): SmmuResult {
    checkAccess(ia, transaction);
    const steps: WalkStep[] | undefined = transaction.trace === false ? undefined : [];
    const asked = this.#overridden(transaction);
    const failed = (fault: SmmuFault): SmmuResult => {
      const context = {
        ...asked,
        ia,
        streamId: this.#options.streamId,
        substreamId: transaction.substreamId,
      };
      const recorded = this.#recorded(fault) ? eventRecord(fault, context) : undefined;
      return { ok: false, ia, fault, event: recorded, steps: steps ?? [] };
    };
    if (this.#illegal) return failed({ kind: 'c_bad_ste' });
    if (!this.#ste.passes) return failed({ kind: 'abort' });

    const stages = this.#stages(transaction.substreamId, steps);
    if ('fault' in stages) return failed(stages.fault);
    const context = this.#cd?.context;
    const privileged = asked.privileged || !stages.unprivileged;
    const update = transaction.update !== false;
    const pan = stages.stage1 && context?.pan === true && privileged;
    const result = translate(stages, ia, { access: asked.access, privileged, pan, update }, steps);
    return result.ok ? result : failed({ ...result.fault, class: faultClass(result.fault) });
  }

  /** The tables that its transactions may come to; none where the configuration is at fault. */
  trees(substreamId?: number): TableTree[] {
    if (this.#illegal || !this.#ste.passes) return [];
    const stages = this.#stages(substreamId, undefined);
    return 'fault' in stages ? [] : stages.trees();
  }

  /** STE.PRIVCFG and INSTCFG, where the SMMU lets them override. Writes are always data. */
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

  /** 5.5: CD.R and STE.S2R keep the four faults of translation from being recorded. */
  #recorded(fault: SmmuFault): boolean {
    if (!('class' in fault) || fault.kind === 'external_walk') return true;
    if (fault.stage === 2) return this.#ste.s2Record;
    return !this.#ste.stage1 || this.#cd?.context?.record !== false;
  }

  /** The stages of a transaction: bypass, stage 2 alone, or stage 1 as its CD says. */
  #stages(substreamId: number | undefined, steps: WalkStep[] | undefined): Stages | Failed {
    const route = this.route(substreamId);
    if ('fault' in route) return route;
    return route.cd === undefined ? this.#bypass() : this.#context(route.cd, route.substreams, steps);
  }

  /** The STE, decoded. @internal For `describeStream`. */
  get configuration(): SteSubject & { readonly illegal: boolean; readonly world: StreamWorld } {
    return { ...this.#subject, illegal: this.#illegal, world: this.#world };
  }

  /** Which CD a transaction takes: none where it bypasses stage 1. (5.2 S1CDMax, S1DSS.) @internal For `describeStream`. */
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

  /** Stage 1 bypassed: the input is the IPA, of at most IAS bits (OAS, where stage 2 is bypassed too). (3.4) */
  #bypass(): Stages {
    const { oas, ias } = this.#options.features;
    const mapping = {
      inputBits: this.#stage2 ? ias : oas,
      beyond: { kind: 'address_size', level: 0, stage: 1 },
      topByteIgnored: () => false,
      // The incoming attributes are taken as Write-Back, so that the result is what stage 2 says.
      region: DEFAULT_CACHEABLE,
      permissions: ALL_PERMISSIONS,
    } as const;
    return {
      first: (ia, request) => flatTranslate(mapping, ia, request),
      stage1: false,
      stage2: this.#stage2,
      trees: () => this.#stage2?.trees() ?? [],
      fetchesInstructions: false,
      unprivileged: true,
    };
  }

  /** Stage 1 of the CD at an index. */
  #context(index: number, substreams: boolean, steps: WalkStep[] | undefined): Stages | Failed {
    const words = this.#options.cd ?? this.locateCd(index, substreams, steps).outcome;
    if ('fault' in words) return words;
    if (this.#cd === undefined || words.some((word, i) => word !== this.#cd?.words[i])) {
      const decoded = decodeCd(words, this.#ste, this.#world, this.#options.features);
      const context = isIllegal(CD_RULES, decoded) ? undefined : contextOf(decoded);
      this.#cd = { words, context, stages: context ? this.#stage1(context) : this.#bypass() };
    }
    return this.#cd.context === undefined ? { fault: { kind: 'c_bad_cd' } } : this.#cd.stages;
  }

  #stage1(context: Context): Stages {
    const stage1 = new Stage1(this.#memory, context.ranges, this.#stage2);
    return {
      first: (ia, request, steps) => stage1.translate(ia, request, steps),
      stage1: true,
      stage2: this.#stage2,
      trees: () => [...stage1.trees(), ...(this.#stage2?.trees() ?? [])],
      fetchesInstructions: false,
      unprivileged: context.ranges.unprivileged,
    };
  }

  /**
   * The CD in memory: S1ContextPtr is an IPA where there is a stage 2. (5.2 S1Fmt, 5.3)
   * @internal For `describeStream`.
   */
  locateCd(index: number, substreams: boolean, steps: WalkStep[] | undefined): CdLookup {
    const pointer = Number(this.#ste.s1ContextPtr);
    const leafBits = CD_LEAF_LOG2[this.#ste.s1Fmt]!;
    if (!substreams || leafBits === 0) return this.#cdAt(pointer + index * CD_BYTES, steps);
    const at = pointer + Math.floor(index / 2 ** leafBits) * LEVEL1_BYTES;
    const { pa, outcome } = this.#read(at, 1, steps);
    const address = { address: at, ...(pa !== undefined && { pa }) };
    if ('fault' in outcome) return { level1: address, outcome };
    const level1 = { ...address, descriptor: outcome[0]! };
    if (!isSet(level1.descriptor, L1CD.fields.V)) {
      return { level1, outcome: { fault: { kind: 'c_bad_substreamid' } } };
    }
    const leaf = Number(addressOf(level1.descriptor, L1CD.fields.L2Ptr));
    return { level1, ...this.#cdAt(leaf + (index % 2 ** leafBits) * CD_BYTES, steps) };
  }

  #cdAt(address: number, steps: WalkStep[] | undefined): CdLookup {
    const { pa, outcome } = this.#read(address, 4, steps);
    const at = { address, ...(pa !== undefined && { pa }) };
    if ('fault' in outcome) return { cd: at, outcome };
    const [w0 = 0n, w1 = 0n, w2 = 0n, w3 = 0n] = outcome;
    return { cd: at, outcome: [w0, w1, w2, w3] };
  }

  /** Little-endian 64-bit words of a configuration structure, its address translated by stage 2 where there is one. */
  #read(
    address: number,
    count: number,
    steps: WalkStep[] | undefined,
  ): { readonly pa?: number; readonly outcome: readonly bigint[] | Failed } {
    let pa = address;
    if (this.#stage2 !== undefined) {
      const translated = this.#stage2.translate(address, CD_FETCH, true, steps);
      if (!translated.ok) return { outcome: { fault: { ...translated.fault, class: 'cd' } } };
      pa = translated.oa;
    }
    const words: bigint[] = [];
    for (let i = 0; i < count; i++) {
      if (!this.#memory.read64(pa + i * 8, false)) {
        return { pa, outcome: { fault: { kind: 'f_cd_fetch', fetchAddress: BigInt(pa) } } };
      }
      words.push(word64(this.#memory.lo, this.#memory.hi));
    }
    return { pa, outcome: words };
  }
}

/** CLASS of a translation's fault: an abort of a stage-1 descriptor's fetch is TT even of stage 1 alone. (7.3.12) */
function faultClass(fault: Fault): FaultClass {
  return fault.ptw || (fault.kind === 'external_walk' && fault.stage === 1) ? 'tt' : 'in';
}
