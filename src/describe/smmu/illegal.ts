/**
 * Why an STE or CD is not valid or ILLEGAL: the rules of SteIllegal and CdIllegal one by one, where the SMMU itself stops at
 * the first. (IHI 0070 5.2.2, 5.4.2.) A test holds them to what the SMMU does.
 */

import type { CdWords } from '../../smmu/context-descriptor.ts';
import type { SmmuFeatures } from '../../smmu/features.ts';
import { type StreamTableEntry, type StreamWorld, steStage2 } from '../../smmu/stream-table-entry.ts';
import { field, flag, POW2 } from '../../walker/bits.ts';
import { s1Params } from '../../walker/params/aarch64.ts';
import type { RawFields } from '../fields.ts';
import { legalTxsz, numbersText, takesTxsz } from '../problems.ts';
import type { RegisterProblem } from '../types.ts';

type Rule = readonly [illegal: boolean, field: string, value: number | bigint | boolean, rule: string];

function problems(rules: readonly Rule[], section: string): RegisterProblem[] {
  return rules
    .filter(([illegal]) => illegal)
    .map(([, name, value, rule]) => ({ field: name, value: BigInt(value), effect: 'fault', rule, section }));
}

/** Rules that an STE breaks. None of them: its transactions do not get C_BAD_STE. */
export function steProblems(ste: StreamTableEntry, features: SmmuFeatures): RegisterProblem[] {
  if (!ste.valid) return problems([[true, 'STE.V', 0, 'the entry is not valid']], 'IHI 0070 5.2');
  if (!ste.passes) return [];
  const { stage1, stage2 } = ste;
  const config = field(ste.words[0], 3, 1);
  const substreams = features.ssidSize !== 0;
  const rules: Rule[] = [
    [stage1 && !features.stage1, 'STE.Config', config, 'stage 1 is not implemented (SMMU_IDR0.S1P = 0)'],
    [stage2 && !features.stage2, 'STE.Config', config, 'stage 2 is not implemented (SMMU_IDR0.S2P = 0)'],
    [
      features.hyp && stage1 && !stage2 && (ste.strw & 1) !== 0,
      'STE.STRW',
      ste.strw,
      'of a Non-secure stream it is 0 (EL1) or 2 (EL2)',
    ],
    [
      stage1 && ste.s1Stalld && features.stallModel !== 0,
      'STE.S1STALLD',
      1,
      `stalls are not configurable (SMMU_IDR0.STALL_MODEL = ${features.stallModel})`,
    ],
    [
      stage1 && substreams && ste.s1CdMax > features.ssidSize,
      'STE.S1CDMax',
      ste.s1CdMax,
      `a SubstreamID has ${features.ssidSize} bits (SMMU_IDR1.SSIDSIZE)`,
    ],
    [
      stage1 && substreams && ste.s1CdMax !== 0 && !features.cd2l && (ste.s1Fmt === 1 || ste.s1Fmt === 2),
      'STE.S1Fmt',
      ste.s1Fmt,
      'two-level tables of CDs are not implemented (SMMU_IDR0.CD2L = 0)',
    ],
    [
      stage1 && !stage2 && ste.s1ContextPtr >> BigInt(features.oas) !== 0n,
      'STE.S1ContextPtr',
      ste.s1ContextPtr,
      `beyond the ${features.oas} bits of output addresses (SMMU_IDR5.OAS)`,
    ],
  ];
  return [
    ...problems(rules, 'IHI 0070 5.2.2'),
    ...(stage2 ? problems(stage2Rules(ste, features), 'IHI 0070 5.2.2') : []),
  ];
}

function stage2Rules(ste: StreamTableEntry, features: SmmuFeatures): Rule[] {
  const [, w1, w2] = ste.words;
  const { s2Aa64 } = ste;
  const [endi, hd, ha, stall] = [flag(w2, 52), flag(w2, 55), flag(w2, 56), flag(w2, 57)];
  const params = steStage2(ste, features);
  const tg = field(w2, 47, 46);
  const granules = features.granules.map((log2) => `${2 ** (log2 - 10)}K`).join(', ');
  return [
    [
      s2Aa64 ? !features.aarch64 : !features.aarch32,
      'STE.S2AA64',
      s2Aa64,
      'tables of this format are not implemented (SMMU_IDR0.TTF)',
    ],
    [!s2Aa64 && flag(w1, 25) && features.cpu.s2fwb, 'STE.S2FWB', 1, 'needs S2AA64 = 1'],
    [
      stallIllegal(stall, features),
      'STE.S2S',
      stall,
      `must be ${stall ? 0 : 1} (SMMU_IDR0.STALL_MODEL = ${features.stallModel})`,
    ],
    [(ha || hd) && !s2Aa64, ha ? 'STE.S2HA' : 'STE.S2HD', 1, 'needs S2AA64 = 1'],
    [
      s2Aa64 && ((ha && features.httu === 0) || (hd && features.httu < 2)),
      hd ? 'STE.S2HD' : 'STE.S2HA',
      1,
      `not implemented (SMMU_IDR0.HTTU = ${features.httu})`,
    ],
    [endianIllegal(endi, features), 'STE.S2ENDI', endi, endianRule(features)],
    [
      !features.vmid16 && ste.s2Vmid > 0xff,
      'STE.S2VMID',
      ste.s2Vmid,
      'a VMID has 8 bits (SMMU_IDR0.VMID16 = 0)',
    ],
    [
      s2Aa64 && (tg === 3 || !features.granules.includes(params.granuleLog2)),
      'STE.S2TG',
      tg,
      `not a granule of this SMMU: it has ${granules} (0 is 4K, 1 64K, 2 16K)`,
    ],
    [
      params.invalid,
      'STE.S2T0SZ',
      field(w2, 37, 32),
      `S2T0SZ, S2SL0 ${field(w2, 39, 38)} and the granule do not fit each other, or the IPA is larger than a PA`,
    ],
    [
      ste.s2TtbRaw >= BigInt(POW2[params.oaBits]!),
      'STE.S2TTB',
      ste.s2TtbRaw,
      `beyond the ${params.oaBits} bits of its outputs`,
    ],
  ];
}

function stallIllegal(stall: boolean, { stallModel }: SmmuFeatures): boolean {
  return (stallModel === 1 && stall) || (stallModel === 2 && !stall);
}

function endianIllegal(bigEndian: boolean, { endianness }: SmmuFeatures): boolean {
  return (endianness === 2 && bigEndian) || (endianness === 3 && !bigEndian);
}

function endianRule({ endianness }: SmmuFeatures): string {
  return `tables are ${endianness === 2 ? 'little' : 'big'}-endian alone (SMMU_IDR0.TTENDIAN = ${endianness})`;
}

/** A range of a CD, as far as its legality goes. */
export interface CdRange {
  readonly upper: boolean;
  readonly fields: RawFields;
}

/** Rules that a CD breaks. None of them: its transactions do not get C_BAD_CD. */
export function cdProblems(
  words: CdWords,
  ste: StreamTableEntry,
  world: StreamWorld,
  features: SmmuFeatures,
  ranges: readonly CdRange[],
): RegisterProblem[] {
  const [w0] = words;
  if (!flag(w0, 31)) return problems([[true, 'CD.V', 0, 'the descriptor is not valid']], 'IHI 0070 5.4');
  const [stall, abort, aa64] = [flag(w0, 44), flag(w0, 46), flag(w0, 41)];
  const [hd, ha, asid] = [flag(w0, 42), flag(w0, 43), field(w0, 63, 48)];
  const rules: Rule[] = [
    [ste.s1Stalld && stall, 'CD.S', 1, 'STE.S1STALLD forbids stalls'],
    [features.termModel && !abort, 'CD.A', 0, 'must be 1 (SMMU_IDR0.TERM_MODEL = 1)'],
    [
      stallIllegal(stall, features),
      'CD.S',
      stall,
      `must be ${stall ? 0 : 1} (SMMU_IDR0.STALL_MODEL = ${features.stallModel})`,
    ],
    [
      aa64 ? !features.aarch64 : !features.aarch32,
      'CD.AA64',
      aa64,
      'tables of this format are not implemented (SMMU_IDR0.TTF)',
    ],
    [aa64 && ste.stage2 && !ste.s2Aa64, 'CD.AA64', 1, 'an AArch64 stage 1 needs an AArch64 stage 2'],
    [!aa64 && world === 'el2-e2h', 'CD.AA64', 0, 'EL2 with E2H has AArch64 tables alone'],
    [
      aa64 && ((ha && features.httu === 0) || (hd && features.httu < 2)),
      hd ? 'CD.HD' : 'CD.HA',
      1,
      `not implemented (SMMU_IDR0.HTTU = ${features.httu})`,
    ],
    [
      world !== 'el2' && !features.asid16 && asid > 0xff,
      'CD.ASID',
      asid,
      'an ASID has 8 bits (SMMU_IDR0.ASID16 = 0)',
    ],
    ...ranges.flatMap((range) => rangeRules(words, range, features)),
  ];
  return problems(rules, 'IHI 0070 5.4.2');
}

/** Of a range that is walked. */
function rangeRules(words: CdWords, { upper, fields }: CdRange, features: SmmuFeatures): Rule[] {
  if (fields.epd) return [];
  const n = upper ? 1 : 0;
  const [w0] = words;
  const aa64 = flag(w0, 41);
  const bigEndian = flag(w0, 15);
  const base = fields.base(true);
  const rules: Rule[] = [[endianIllegal(bigEndian, features), 'CD.ENDI', bigEndian, endianRule(features)]];
  if (!aa64) return [...rules, [base >= POW2[40]!, `CD.TTB${n}`, base, 'beyond 40 bits']];
  const { cpu, granules } = features;
  const { granuleLog2 } = fields;
  // The output size does not depend on TxSZ: 25 is one that every granule takes.
  const control = { wxn: false, epan: false, bigEndian };
  const { oaBits } = s1Params({ ...fields, txsz: 25 }, 0n, control, cpu);
  const reserved = fields.tg === (upper ? 0 : 3);
  const names = granules.map((log2) => `${2 ** (log2 - 10)}K`).join(', ');
  return [
    ...rules,
    [
      reserved || !granules.includes(granuleLog2),
      `CD.TG${n}`,
      fields.tg,
      `not a granule of this SMMU: it has ${names} (${upper ? '1 is 16K, 2 4K, 3 64K' : '0 is 4K, 1 64K, 2 16K'})`,
    ],
    [
      !takesTxsz(fields, cpu),
      `CD.T${n}SZ`,
      fields.txsz,
      `out of range: legal here is ${numbersText(legalTxsz(fields, cpu))}`,
    ],
    [base >= POW2[oaBits]!, `CD.TTB${n}`, base, `beyond the ${oaBits} bits of its outputs`],
  ];
}
