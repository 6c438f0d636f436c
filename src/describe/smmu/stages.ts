/** Describes the stage 1 of a CD and the stage 2 of an STE with the walker's numbers. (IHI 0070 5.2, 5.4.) */

import type { BitField } from '../../arch/field.ts';
import { addressIn, isSetIn } from '../../arch/read.ts';
import { CD, type CdRangeControl } from '../../arch/smmu/index.ts';
import {
  type Context,
  type ContextDescriptor,
  cdMair,
  cdTtbcr,
  isIndirect,
} from '../../smmu/context-descriptor.ts';
import type { SteSubject } from '../../smmu/ste-subject.ts';
import { steVtcr } from '../../smmu/stream-table-entry.ts';
import { stage2Fields } from '../../walker/params/range-fields.ts';
import type { FieldNames } from '../../walker/rules/rule.ts';
import { lpaeRange, lpaeStage2 } from '../aarch32.ts';
import { s1Range, s2Range, stage2Controls } from '../aarch64.ts';
import { mairProblems } from '../problems.ts';
import { mairTypes } from '../tables.ts';
import type { StageDescription } from '../types.ts';

const cdName = ({ name }: BitField) => `CD.${name}`;

function cdNames(control: CdRangeControl): FieldNames {
  const n = control.upper ? 1 : 0;
  return {
    base: cdName(control.base),
    txsz: cdName(control.txsz),
    tg: cdName(control.tg),
    ps: cdName(control.ps),
    sh: cdName(control.sh),
    of: (name) => `CD.${name}`,
    numbered: (name) => `CD.${name === 'HPD' ? 'HAD' : name}${n}`,
    section: CD.reference,
    baseSection: CD.reference,
  };
}

/** Stage 1 of a legal CD. */
export function cdStage(cd: ContextDescriptor, { ranges, asid }: Context): StageDescription {
  const { words, aarch64, world, features } = cd;
  const { cpu } = features;
  const described = ranges.spans.map((span, i) => {
    const { control, fields } = i === 1 ? cd.upper : cd.lower;
    const common = { upper: control.upper, value: addressIn(words, control.base), cnp: false, span };
    if (aarch64) return s1Range({ ...common, names: cdNames(control), fields }, cpu);
    const names = {
      base: cdName(control.base),
      txsz: cdName(control.txsz),
      epd: cdName(control.epd),
      section: CD.reference,
    };
    return lpaeRange({ ...common, ...names, ttbcr: cdTtbcr(words, world) }, cpu);
  });
  const mair = cdMair(words);
  const bits = features.asid16 ? 16 : 8;
  return {
    stage: 1,
    format: aarch64 ? 'AArch64' : 'AArch32 long',
    ranges: described,
    ...(world !== 'el2' && { tag: { name: 'ASID', value: asid, bits, field: cdName(CD.fields.ASID) } }),
    memory: {
      register: 'CD.MAIR',
      value: mair,
      types: mairTypes(mair, ranges.spans[0]!.params.regions),
    },
    wxn: !(aarch64 && isIndirect(cd)) && isSetIn(words, CD.fields.WXN),
    uwxn: !aarch64 && isSetIn(words, CD.fields.UWXN),
    problems: mairProblems('CD.MAIR', mair, aarch64 ? cpu : { mte: false, xs: false }, CD.reference),
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
export function steStage({ ste, params, features }: SteSubject): StageDescription {
  const { cpu } = features;
  const vtcr = steVtcr(ste.words);
  const common = { value: ste.s2Ttb, cnp: false, params };
  const base = () => Number(ste.s2Ttb);
  const range = ste.s2Aa64
    ? s2Range({ ...common, names: STE_NAMES, vtcr, fields: stage2Fields(vtcr, base) }, cpu)
    : lpaeStage2({ ...common, base: STE_NAMES.base, of: STE_NAMES.of, vtcr }, cpu);
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
