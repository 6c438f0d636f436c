/** The stage 1 of a CD and the stage 2 of an STE, described in the walker's numbers. (IHI 0070 5.2, 5.4.) */

import { type CdWords, type Context, cdRangeFields, cdTtb } from '../../smmu/context-descriptor.ts';
import type { SmmuFeatures } from '../../smmu/features.ts';
import { type StreamTableEntry, type StreamWorld, steStage2 } from '../../smmu/stream-table-entry.ts';
import { field, flag } from '../../walker/bits.ts';
import { lpaeRange, lpaeStage2 } from '../aarch32.ts';
import { s1Range, s2Range, stage2Controls } from '../aarch64.ts';
import type { FieldNames, RawFields } from '../fields.ts';
import { mairProblems } from '../problems.ts';
import { vtcrFields } from '../regime.ts';
import { mairTypes } from '../tables.ts';
import type { StageDescription } from '../types.ts';

/** The fields of one range of a CD. */
export function cdFields(words: CdWords, upper: boolean): RawFields {
  const [w0] = words;
  const low = upper ? 16 : 0;
  return {
    ...cdRangeFields(words, upper),
    tg: field(w0, low + 7, low + 6),
    irgn: field(w0, low + 9, low + 8),
    orgn: field(w0, low + 11, low + 10),
  };
}

function cdNames(upper: boolean): FieldNames {
  const n = upper ? 1 : 0;
  return {
    base: `CD.TTB${n}`,
    txsz: `CD.T${n}SZ`,
    tg: `CD.TG${n}`,
    ps: 'CD.IPS',
    sh: `CD.SH${n}`,
    of: (name) => `CD.${name}`,
    numbered: (name) => `CD.${name === 'HPD' ? 'HAD' : name}${n}`,
    section: 'IHI 0070 5.4',
    baseSection: 'IHI 0070 5.4',
  };
}

/** Stage 1 of a legal CD. */
export function cdStage(
  words: CdWords,
  { ranges, asid }: Context,
  world: StreamWorld,
  features: SmmuFeatures,
): StageDescription {
  const [w0, , , mair] = words;
  const { cpu } = features;
  const aarch64 = flag(w0, 41);
  const epd = (upper: boolean) => (flag(w0, upper ? 30 : 14) ? 0x80n : 0n) << (upper ? 16n : 0n);
  // Sizes and walk attributes stand where TTBCR has them.
  const ttbcr = (w0 & 0x3f07_3f07n) | epd(false) | epd(true);
  const described = ranges.spans.map((span, i) => {
    const upper = i === 1;
    const value = cdTtb(words, upper);
    // EPD0 and E0PD0 exist only where there are two ranges.
    const one = world === 'el2' && { epd: false, e0pd: false };
    const range = { upper, value, cnp: false, span };
    if (aarch64)
      return s1Range({ ...range, names: cdNames(upper), fields: { ...cdFields(words, upper), ...one } }, cpu);
    const names = { base: `CD.TTB${i}`, txsz: `CD.T${i}SZ`, epd: `CD.EPD${i}`, section: 'IHI 0070 5.4' };
    return lpaeRange({ ...range, ...names, ttbcr }, cpu);
  });
  const bits = features.asid16 ? 16 : 8;
  return {
    stage: 1,
    format: aarch64 ? 'AArch64' : 'AArch32 long',
    ranges: described,
    ...(world !== 'el2' && { tag: { name: 'ASID', value: asid, bits, field: 'CD.ASID' } }),
    memory: {
      register: 'CD.MAIR',
      value: mair,
      types: mairTypes(mair, ranges.spans[0]!.params.regions),
    },
    wxn: flag(w0, 36),
    uwxn: !aarch64 && flag(w0, 37),
    problems: mairProblems('CD.MAIR', mair, aarch64 ? cpu : { mte: false, xs: false }, 'IHI 0070 5.4'),
  };
}

const STE_NAMES: FieldNames = {
  base: 'STE.S2TTB',
  txsz: 'STE.S2T0SZ',
  tg: 'STE.S2TG',
  ps: 'STE.S2PS',
  sh: 'STE.S2SH0',
  of: (name) => `STE.S2${name}`,
  numbered: (name) => `STE.S2${name}`,
  section: 'IHI 0070 5.2',
  baseSection: 'IHI 0070 5.2',
};

/** Stage 2 of a legal STE. */
export function steStage(ste: StreamTableEntry, features: SmmuFeatures): StageDescription {
  const [, , w2, w3] = ste.words;
  const { cpu } = features;
  const params = steStage2(ste, features);
  // The fields in the layout of VTCR_EL2: S2T0SZ to S2PS as they stand, S2HA, S2HD, S2DS and the upper bit of S2SL0.
  const moved = (on: boolean, to: bigint) => (on ? 1n << to : 0n);
  const vtcr =
    BigInt(field(w2, 50, 32)) |
    moved(flag(w2, 56), 21n) |
    moved(flag(w2, 55), 22n) |
    moved(flag(w3, 3), 32n) |
    moved(flag(w3, 2), 33n);
  const common = { value: ste.s2TtbRaw, cnp: false, params };
  const range = ste.s2Aa64
    ? s2Range(
        {
          ...common,
          names: STE_NAMES,
          vtcr,
          fields: { ...vtcrFields(vtcr, 0n), base: () => Number(ste.s2TtbRaw) },
        },
        cpu,
      )
    : lpaeStage2({ ...common, base: 'STE.S2TTB', of: STE_NAMES.of, vtcr: vtcr & 0xffffn }, cpu);
  return {
    stage: 2,
    format: ste.s2Aa64 ? 'AArch64' : 'AArch32 long',
    ranges: [range],
    tag: { name: 'VMID', value: ste.s2Vmid, bits: features.vmid16 ? 16 : 8, field: 'STE.S2VMID' },
    wxn: false,
    uwxn: false,
    ...(ste.s2Aa64 && { stage2: stage2Controls(vtcr, params, cpu) }),
    problems: [],
  };
}
