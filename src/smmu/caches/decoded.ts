/** STEs and CDs, decoded once for each combination of words that a search meets. (IHI 0070 5.2, 5.4.) */
import { placeInto, readIn } from '../../arch/read.ts';
import { STE } from '../../arch/smmu/index.ts';
import { CD_RULES } from '../cd-rules.ts';
import { type CdWords, type Context, contextOf, decodeCd } from '../context-descriptor.ts';
import type { SmmuFeatures } from '../features.ts';
import { refuseCd, refuseSte } from '../not-modelled.ts';
import { isIllegal } from '../rules.ts';
import { STE_RULES } from '../ste-rules.ts';
import { steSubject } from '../ste-subject.ts';
import {
  decodeSte,
  type SteWords,
  type StreamTableEntry,
  type StreamWorld,
  streamWorld,
} from '../stream-table-entry.ts';
import type { Stage2Configuration } from './stage2-lane.ts';

/** Registers that the meaning of an STE depends on. */
export interface DecodingRegisters {
  /** SMMU_CR2.E2H. */
  readonly e2h: boolean;
  /** SMMU_S2PII. */
  readonly s2pii: bigint;
}

/** An STE, and what translations depend on. */
export interface DecodedSte {
  readonly ste: StreamTableEntry;
  readonly illegal: boolean;
  readonly world: StreamWorld;
  /** The VMID of its TLB entries: S2VMID, also for a stream with stage 1 only. 0 without stage 2, and in worlds without VMIDs. (3.17, 5.2) */
  readonly vmid: number;
  /** Undefined: no stage 2. */
  readonly stage2: Stage2Configuration | undefined;
  /** Equal for STEs that give all transactions the same answers. */
  readonly key: string;
}

/** A legal CD, with what walks depend on. Undefined: C_BAD_CD. */
export interface DecodedCd {
  readonly context: Context | undefined;
  /** Undefined: entries have no ASID. */
  readonly asid: number | undefined;
  readonly key: string;
}

const { S2VMID } = STE.fields;
/** The first word of an STE that is about stage 2. */
const STAGE2_FROM = 2;

export class Decoder {
  readonly features: SmmuFeatures;
  readonly #stes = new Map<string, DecodedSte>();
  readonly #cds = new Map<string, DecodedCd>();

  constructor(features: SmmuFeatures) {
    this.features = features;
  }

  ste(words: SteWords, registers: DecodingRegisters): DecodedSte {
    const { e2h, s2pii } = registers;
    const key = `${words.join()} ${e2h} ${s2pii}`;
    let decoded = this.#stes.get(key);
    if (decoded === undefined) {
      decoded = this.#decodeSte(words, registers);
      this.#stes.set(key, decoded);
    }
    return decoded;
  }

  cd(words: CdWords, { ste, world }: DecodedSte): DecodedCd {
    const key = `${words.join()} ${world} ${ste.stage2} ${ste.s2Aa64} ${ste.words[1]}`;
    let decoded = this.#cds.get(key);
    if (decoded === undefined) {
      const cd = decodeCd(words, ste, world, this.features);
      refuseCd(cd);
      const context = isIllegal(CD_RULES, cd) ? undefined : contextOf(cd);
      decoded = { context, asid: world === 'el2' ? undefined : cd.asid, key };
      this.#cds.set(key, decoded);
    }
    return decoded;
  }

  #decodeSte(words: SteWords, { e2h, s2pii }: DecodingRegisters): DecodedSte {
    const ste = decodeSte(words);
    const subject = steSubject(ste, this.features, s2pii);
    refuseSte(subject, s2pii);
    const illegal = isIllegal(STE_RULES, subject);
    const world = streamWorld(ste, this.features, e2h);
    const tagged = this.features.stage2 && world === 'el1';
    const vmid = tagged ? readIn(words, S2VMID) : 0;
    const untagged = [...words];
    placeInto(untagged, S2VMID, 0);
    const stage2 =
      !illegal && ste.stage2
        ? {
            key: `${untagged.slice(STAGE2_FROM).join()} ${ste.stage1} ${s2pii}`,
            vmid,
            params: subject.params,
          }
        : undefined;
    return { ste, illegal, world, vmid, stage2, key: keyOf(words, { ste, illegal, vmid }) };
  }
}

/** Words that make no difference do not change the key. */
function keyOf(
  words: SteWords,
  { ste, illegal, vmid }: Pick<DecodedSte, 'ste' | 'illegal' | 'vmid'>,
): string {
  if (illegal) return 'illegal';
  if (!ste.passes) return 'abort';
  const stage2 = ste.stage2 ? [words[2], words[3]] : [];
  const stage1 = ste.stage1 ? [words[0]] : [];
  return [ste.config, vmid, words[1], ...stage1, ...stage2, ...words.slice(4)].join();
}
