/** AArch64 ranges described: stage 1 from TCR and TTBR or a context descriptor, stage 2 from VTCR and VTTBR or a stream table entry. (DDI 0487 D8.1, D8.2.) */
import { field, flag } from '../walker/bits.ts';
import type { CpuFeatures } from '../walker/cpu.ts';
import { s2Params, type TableAddress } from '../walker/params/aarch64.ts';
import type { S1Params, S2Params } from '../walker/params/params.ts';
import type { RangeSpan } from '../walker/ranges.ts';
import type { FieldNames, RawFields } from './fields.ts';
import { baseProblems, commonProblems, numbersText, s1Problems, takesTxsz } from './problems.ts';
import { tablesOf, walkAttributes } from './tables.ts';
import type {
  OffReason,
  RangeDescription,
  RegisterProblem,
  Stage2Controls,
  TablesDescription,
} from './types.ts';

/** A stage-1 range of AArch64. */
export interface S1RangeInput {
  readonly names: FieldNames;
  readonly fields: RawFields;
  readonly upper: boolean;
  /** The table base register's value. */
  readonly value: bigint;
  readonly cnp: boolean;
  readonly span: RangeSpan;
  /** What switches the range off other than EPDn. */
  readonly off?: OffReason | undefined;
}

/** Describes a stage-1 range of AArch64, whichever structure it is from. */
export function s1Range(input: S1RangeInput, cpu: CpuFeatures): RangeDescription {
  const { names, fields, upper, value, cnp, span } = input;
  const { params } = span;
  const disabled = walkDisabled(names, fields, upper);
  const off = input.off ?? disabled;
  // Of a range that is switched off nothing else counts: its size is mostly left as 0.
  const problems = disabled ? [] : s1Problems(names, fields, upper, cpu);
  const tables = takesTxsz(fields, cpu)
    ? tablesOf(params, span, cpu, { name: names.ps, encoding: fields.ps })
    : undefined;
  return {
    register: names.base,
    value,
    size: { field: names.txsz, value: fields.txsz },
    ...(off && { off }),
    ...(tables && { tables }),
    walks: walkAttributes(fields.irgn, fields.orgn, fields.sh),
    hpd: params.hpd,
    e0pd: params.e0pd,
    topByteIgnored: topByte(params),
    cnp,
    problems:
      tables && !disabled
        ? [...problems, ...baseProblems(names, fields, params, tables.alignLog2, cpu)]
        : problems,
  };
}

function walkDisabled(names: FieldNames, { epd }: RawFields, upper: boolean): OffReason | undefined {
  if (!epd) return undefined;
  return {
    field: names.of(upper ? 'EPD1' : 'EPD0'),
    value: 1n,
    rule: 'no walks: every access of the range is a level 0 translation fault',
    section: 'DDI 0487 D8.2.4',
  };
}

function topByte({ tbi, tbiFetch }: S1Params): RangeDescription['topByteIgnored'] {
  return tbi ? (tbiFetch ? 'all' : 'data') : 'no';
}

/** A stage 2 of AArch64: VTCR_EL2, or the same fields of a stream table entry in that layout. */
export interface S2RangeInput {
  readonly names: FieldNames;
  readonly vtcr: bigint;
  readonly fields: RawFields;
  readonly value: bigint;
  readonly cnp: boolean;
  readonly params: S2Params;
  readonly off?: OffReason | undefined;
}

/** Describes the one range of stage 2. */
export function s2Range(input: S2RangeInput, cpu: CpuFeatures): RangeDescription {
  const { names, vtcr, fields, value, cnp, params, off } = input;
  const tables = params.invalid ? undefined : s2Tables(params, fields, names, cpu);
  return {
    register: names.base,
    value,
    size: { field: names.txsz, value: fields.txsz },
    ...(off && { off }),
    ...(tables && { tables }),
    walks: walkAttributes(fields.irgn, fields.orgn, fields.sh),
    hpd: false,
    e0pd: false,
    topByteIgnored: 'no',
    cnp,
    problems: [
      ...commonProblems(names, fields, false, cpu),
      ...startProblems(input, cpu),
      ...(flag(vtcr, 33) ? sl2Problems(input, cpu) : []),
      ...(tables ? baseProblems(names, fields, params, tables.alignLog2, cpu) : []),
    ],
  };
}

function s2Tables(
  params: S2Params,
  { ps }: RawFields,
  names: FieldNames,
  cpu: CpuFeatures,
): TablesDescription {
  const span = { first: 0, end: 2 ** params.iaBits };
  return tablesOf(params, span, cpu, { name: names.ps, encoding: ps });
}

const NO_CONTROL = { ptw: false, fwb: false, affd: false, bigEndian: false };
const NOWHERE: TableAddress = () => 0;
const T0SZ = 0x3fn;
const SL = (3n << 6n) | (1n << 33n);

/** The start level that the walker takes of a T0SZ and SL2:SL0 (3 bits), or undefined where they do not fit each other. */
function startLevel(vtcr: bigint, t0sz: number, sl: number, cpu: CpuFeatures): number | undefined {
  const tried = (vtcr & ~T0SZ & ~SL) | BigInt(t0sz) | (BigInt(sl & 3) << 6n) | (BigInt(sl >> 2) << 33n);
  const params = s2Params(tried, NOWHERE, NO_CONTROL, cpu);
  return params.invalid ? undefined : params.startLevel;
}

/** T0SZ values that a start level takes. */
function legalT0sz(vtcr: bigint, sl: number, cpu: CpuFeatures): number[] {
  return EVERY_T0SZ.filter((t0sz) => startLevel(vtcr, t0sz, sl, cpu) !== undefined);
}

const EVERY_T0SZ = Array.from({ length: 64 }, (_, t0sz) => t0sz);
const EVERY_SL = [0, 1, 2, 3, 4, 5, 6, 7];

/** SL2:SL0, T0SZ: out of range, reserved, or not fitting each other. */
function startProblems({ names, vtcr, fields, params }: S2RangeInput, cpu: CpuFeatures): RegisterProblem[] {
  if (!params.invalid) return [];
  const { txsz } = fields;
  const sl = field(vtcr, 7, 6) | (Number(flag(vtcr, 33)) << 2);
  const own = legalT0sz(vtcr, sl, cpu);
  const others = EVERY_SL.filter((one) => startLevel(vtcr, txsz, one, cpu) !== undefined);
  const fault = { effect: 'fault', section: 'DDI 0487 D8.2.8.2, D8.2.9.2, D8.2.10.2' } as const;
  const start = { ...fault, field: names.of('SL0'), value: BigInt(sl & 3) };
  const wants = others
    .map((one) => `${slText(one)} (level ${startLevel(vtcr, txsz, one, cpu)})`)
    .join(' or ');
  if (others.length === 0) {
    const all = EVERY_SL.flatMap((one) => legalT0sz(vtcr, one, cpu)).sort((a, b) => a - b);
    const rule = `${64 - txsz} IPA bits are out of range: a level 0 translation fault; legal here is ${numbersText([...new Set(all)])}, an IPA being no larger than a PA (${cpu.paBits} bits)`;
    return [{ ...fault, field: names.txsz, value: BigInt(txsz), rule, section: 'DDI 0487 D8.1.10' }];
  }
  const rule =
    own.length === 0
      ? `the start level is reserved with this granule and ${cpu.paBits} PA bits: a level 0 translation fault; T0SZ ${txsz} wants ${wants}`
      : `the start level does not fit T0SZ ${txsz}: a level 0 translation fault; it takes T0SZ ${numbersText(own)}, and T0SZ ${txsz} wants ${wants}`;
  return [{ ...start, rule }];
}

function slText(sl: number): string {
  return sl >= 4 ? `SL2:SL0 1:${sl & 3}` : `SL0 ${sl}`;
}

function sl2Problems({ names, params }: S2RangeInput, cpu: CpuFeatures): RegisterProblem[] {
  if (params.highAddress === 'ds' && params.granuleLog2 === 12) return [];
  const why = cpu.lpa2 ? 'unless DS = 1 with the 4K granule' : 'without FEAT_LPA2';
  const rule = `RES0 ${why}: SL0 alone gives the start level`;
  return [{ field: names.of('SL2'), value: 1n, effect: 'ignored', rule, section: names.section }];
}

/** What stage 2 has beside its tables. */
export function stage2Controls(vtcr: bigint, params: S2Params, cpu: CpuFeatures): Stage2Controls {
  const smallest = EVERY_T0SZ.find((t0sz) =>
    EVERY_SL.some((sl) => startLevel(vtcr, t0sz, sl, cpu) !== undefined),
  );
  return {
    sl0: field(vtcr, 7, 6),
    sl2: Number(flag(vtcr, 33)),
    smallestT0sz: smallest!,
    fwb: params.fwb,
    ptw: params.ptw,
  };
}
