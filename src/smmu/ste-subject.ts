/** What rules about an STE look at: the entry, the features of the SMMU, and the stage 2 that follows from both. (IHI 0070 5.2.) */
import { STE } from '../arch/smmu/index.ts';
import type { S2Params } from '../walker/params/params.ts';
import type { SmmuFeatures } from './features.ts';
import { type IllegalRule, rulesOf } from './rules.ts';
import { type SteWords, type StreamTableEntry, steStage2 } from './stream-table-entry.ts';

/** An STE, the SMMU's features, and the stage 2 that follows from both. */
export interface SteSubject {
  readonly ste: StreamTableEntry;
  readonly words: SteWords;
  readonly features: SmmuFeatures;
  readonly params: S2Params;
  /** Of a Secure stream: stage 2 of Secure IPAs, and `params` is that of Non-secure ones. */
  readonly secure?: S2Params | undefined;
}

/** `s2pii`: SMMU_S2PII, if the SMMU has it and it was given. */
export function steSubject(ste: StreamTableEntry, features: SmmuFeatures, s2pii?: bigint): SteSubject {
  const common = { ste, words: ste.words, features } as const;
  if (features.security === 'non-secure') return { ...common, params: steStage2(ste, features, s2pii) };
  const of = (ipas: 'secure' | 'non-secure') => steStage2(ste, features, s2pii, ipas);
  return { ...common, params: of('non-secure'), secure: of('secure') };
}

/** A rule about STEs. */
export type SteRule = IllegalRule<SteSubject>;

/** Makes one of SteIllegal. */
export const steRule = rulesOf<SteSubject>(STE, 'IHI 0070 5.2.2');
