/**
 * One stream of an SMMUv3: from a stream table entry and context descriptors to translations.
 * (IHI 0070 3.3, 3.4, 5.2, 5.4, 15; 7.3.22 for the order of faults.)
 */
import { POW2 } from '../walker/bits.ts';
import { ALL_PERMISSIONS, PR } from '../walker/permissions.ts';
import { Stage1 } from '../walker/stage1.ts';
import { flatTranslate } from '../walker/stage1-off.ts';
import { Stage2 } from '../walker/stage2.ts';
import type { TableMemory } from '../walker/table-memory.ts';
import { checkAccess, type Stages, translate } from '../walker/translate.ts';
import type { Fault, WalkStep } from '../walker/types.ts';
import { type CdWords, type Context, decodeCd } from './context-descriptor.ts';
import { eventRecord } from './events.ts';
import type { SmmuFeatures } from './features.ts';
import {
  decodeSte,
  type SteWords,
  type StreamTableEntry,
  type StreamWorld,
  steIllegal,
  steStage2,
  streamWorld,
} from './stream-table-entry.ts';
import type { FaultClass, SmmuFault, SmmuResult, Transaction } from './types.ts';

/** A CD has 64 bytes. */
const CD_LOG2 = 6;

/** A CD is read, and only read. */
const CD_FETCH = { needed: PR, write: false, own: true };

interface Failed {
  readonly fault: SmmuFault;
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
    this.#ste = decodeSte(words);
    this.#illegal = !this.#ste.valid || steIllegal(this.#ste, features);
    this.#world = streamWorld(this.#ste, features, options.e2h);
    const translates = !this.#illegal && this.#ste.stage2;
    this.#stage2 = translates ? new Stage2(memory, steStage2(this.#ste, features), features.cpu) : undefined;
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

  /** STE.PRIVCFG and INSTCFG, where the SMMU lets them override. Writes are always data. */
  #overridden({
    access,
    privileged = true,
  }: Transaction): Pick<Required<Transaction>, 'access' | 'privileged'> {
    const { privCfg, instCfg } = this.#ste;
    if (!this.#options.features.attributeOverride) return { access, privileged };
    const kind = access === 'write' || instCfg < 2 ? access : instCfg === 3 ? 'execute' : 'read';
    return { access: kind, privileged: privCfg < 2 ? privileged : privCfg === 3 };
  }

  /** 5.5: CD.R and STE.S2R keep the four faults of translation from being recorded. */
  #recorded(fault: SmmuFault): boolean {
    if (!('class' in fault) || fault.kind === 'external_walk') return true;
    if (fault.stage === 2) return (this.#ste.words[2] >> 58n) % 2n === 1n;
    return !this.#ste.stage1 || this.#cd?.context?.record !== false;
  }

  /** The stages of a transaction: bypass, stage 2 alone, or stage 1 as its CD says. */
  #stages(substreamId: number | undefined, steps: WalkStep[] | undefined): Stages | Failed {
    const { features } = this.#options;
    const substreams = this.#ste.stage1 && features.ssidSize !== 0 && this.#ste.s1CdMax !== 0;
    if (substreamId !== undefined && (!substreams || substreamId >= 2 ** this.#ste.s1CdMax)) {
      return { fault: { kind: 'c_bad_substreamid' } };
    }
    if (!this.#ste.stage1) return this.#bypass();
    if (!substreams) return this.#context(0, false, steps);
    const { s1Dss } = this.#ste;
    if (substreamId === undefined) {
      if (s1Dss === 1) return this.#bypass();
      if (s1Dss !== 2) return { fault: { kind: 'f_stream_disabled' } };
    } else if (substreamId === 0 && s1Dss === 2) {
      return { fault: { kind: 'f_stream_disabled' } };
    }
    return this.#context(substreamId ?? 0, true, steps);
  }

  /** Stage 1 bypassed: the input is the IPA, of at most IAS bits (OAS, where stage 2 is bypassed too). (3.4) */
  #bypass(): Stages {
    const { oas, ias } = this.#options.features;
    const mapping = {
      inputBits: this.#stage2 ? ias : oas,
      beyond: { kind: 'address_size', level: 0, stage: 1 },
      topByteIgnored: () => false,
      // The incoming attributes are taken as Write-Back, so that the result is what stage 2 says.
      defaultCacheable: true,
      permissions: ALL_PERMISSIONS,
    } as const;
    return {
      first: (ia, request) => flatTranslate(mapping, ia, request),
      stage1: false,
      stage2: this.#stage2,
      unprivileged: true,
    };
  }

  /** Stage 1 of the CD at an index. */
  #context(index: number, substreams: boolean, steps: WalkStep[] | undefined): Stages | Failed {
    const words = this.#options.cd ?? this.#fetchCd(index, substreams, steps);
    if ('fault' in words) return words;
    if (this.#cd === undefined || words.some((word, i) => word !== this.#cd?.words[i])) {
      const context = decodeCd(words, this.#ste, this.#world, this.#options.features);
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
      unprivileged: context.ranges.unprivileged,
    };
  }

  /** The CD in memory: S1ContextPtr is an IPA where there is a stage 2. (5.2 S1Fmt, 5.3) */
  #fetchCd(index: number, substreams: boolean, steps: WalkStep[] | undefined): CdWords | Failed {
    const pointer = Number(this.#ste.s1ContextPtr);
    const leafBits = [0, 6, 10, 0][this.#ste.s1Fmt]!;
    let address = pointer + index * POW2[CD_LOG2]!;
    if (substreams && leafBits !== 0) {
      const l1 = this.#read(pointer + Math.floor(index / 2 ** leafBits) * 8, 1, steps);
      if ('fault' in l1) return l1;
      const [l1cd = 0n] = l1;
      if ((l1cd & 1n) === 0n) return { fault: { kind: 'c_bad_substreamid' } };
      address = Number(l1cd & 0xff_ffff_ffff_f000n) + (index % 2 ** leafBits) * POW2[CD_LOG2]!;
    }
    const words = this.#read(address, 4, steps);
    if ('fault' in words) return words;
    const [w0 = 0n, w1 = 0n, w2 = 0n, w3 = 0n] = words;
    return [w0, w1, w2, w3];
  }

  /** Little-endian 64-bit words of a configuration structure, its address translated by stage 2 where there is one. */
  #read(address: number, count: number, steps: WalkStep[] | undefined): bigint[] | Failed {
    let pa = address;
    if (this.#stage2 !== undefined) {
      const translated = this.#stage2.translate(address, CD_FETCH, true, steps);
      if (!translated.ok) return { fault: { ...translated.fault, class: 'cd' } };
      pa = translated.oa;
    }
    const words: bigint[] = [];
    for (let i = 0; i < count; i++) {
      if (!this.#memory.read64(pa + i * 8, false)) {
        return { fault: { kind: 'f_cd_fetch', fetchAddress: BigInt(pa) } };
      }
      words.push((BigInt(this.#memory.hi) << 32n) | BigInt(this.#memory.lo));
    }
    return words;
  }
}

/** CLASS of a translation's fault: an abort of a stage-1 descriptor's fetch is TT even of stage 1 alone. (7.3.12) */
function faultClass(fault: Fault): FaultClass {
  return fault.ptw || (fault.kind === 'external_walk' && fault.stage === 1) ? 'tt' : 'in';
}
