/** Describes AArch64 ranges: stage 1 from TCR and TTBR or a context descriptor, stage 2 from VTCR and VTTBR or a stream table entry. (DDI 0487 D8.1, D8.2.) */
import type { CpuFeatures } from '../walker/cpu.ts';
import type { TableGeometry } from '../walker/descriptor64.ts';
import { startSubject } from '../walker/params/aarch64.ts';
import type { S1Params, S2Params } from '../walker/params/params.ts';
import { hasWideBase, s1Effective, s2Effective } from '../walker/params/sizes.ts';
import type { RangeSpan } from '../walker/ranges.ts';
import type { RawBase } from '../walker/rules/base.ts';
import { problemsOf } from '../walker/rules/rule.ts';
import { S1_CLAMPED, S1_DISABLED, S1_GRANULE, S1_RULES, takesTxsz } from '../walker/rules/stage1.ts';
import { S2_CLAMPED, S2_GRANULE, S2_RULES, type StartSubject, smallestT0sz } from '../walker/rules/stage2.ts';
import type { FieldNames, RawFields } from './fields.ts';
import { tablesOf, walkAttributes } from './tables.ts';
import type { OffReason, RangeDescription, Stage2Controls, TablesDescription } from './types.ts';

/** A stage-1 range of AArch64. */
export interface S1RangeInput {
  readonly names: FieldNames;
  readonly fields: RawFields;
  readonly upper: boolean;
  /** The table base register's value. */
  readonly value: bigint;
  readonly cnp: boolean;
  readonly span: RangeSpan;
  /** What switches the range off, apart from EPDn. */
  readonly off?: OffReason | undefined;
}

/** Describes a stage-1 range of AArch64, from either structure. */
export function s1Range(input: S1RangeInput, cpu: CpuFeatures): RangeDescription {
  const { names, upper, value, cnp, span } = input;
  const fields = s1Effective(input.fields, cpu);
  const { params } = span;
  const disabled = S1_DISABLED.holds({ fields, cpu });
  const off = input.off ?? (disabled ? S1_DISABLED.tell({ fields, cpu }, names) : undefined);
  const tables = takesTxsz(fields, cpu)
    ? tablesOf(params, span, cpu, { name: names.ps, encoding: fields.ps })
    : undefined;
  return {
    register: names.base,
    value,
    size: { field: names.txsz, value: input.fields.txsz },
    ...(off && { off }),
    ...(tables && { tables }),
    walks: walkAttributes(fields.irgn, fields.orgn, fields.sh),
    hpd: params.hpd,
    e0pd: params.e0pd,
    topByteIgnored: topByte(params),
    cnp,
    // If a range is switched off, nothing else counts. Its size is usually left as 0.
    problems: disabled
      ? []
      : [
          ...problemsOf([S1_GRANULE, S1_CLAMPED], { fields: input.fields, upper, cpu }, names),
          ...problemsOf(S1_RULES, { fields, upper, cpu, ...rawBase(fields, params, tables, cpu) }, names),
        ],
  };
}

/** The base in the register, beside the one that the walker uses. Without tables no rule needs it. */
function rawBase(
  { base, ps }: RawFields,
  geometry: TableGeometry,
  tables: TablesDescription | undefined,
  cpu: CpuFeatures,
): RawBase {
  const { tableBase, oaBits } = geometry;
  return {
    tableBase,
    oaBits,
    raw: BigInt(base(hasWideBase(geometry, ps, cpu))),
    alignLog2: tables?.alignLog2 ?? 0,
  };
}

function topByte({ tbi, tbiFetch }: S1Params): RangeDescription['topByteIgnored'] {
  return tbi ? (tbiFetch ? 'all' : 'data') : 'no';
}

/** A stage 2 of AArch64: VTCR_EL2, or the same fields of a stream table entry in its layout. */
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
  const { names, vtcr, value, cnp, params, off } = input;
  const fields = s2Effective(input.fields, cpu);
  const tables = params.invalid ? undefined : s2Tables(params, fields, names, cpu);
  return {
    register: names.base,
    value,
    size: { field: names.txsz, value: input.fields.txsz },
    ...(off && { off }),
    ...(tables && { tables }),
    walks: walkAttributes(fields.irgn, fields.orgn, fields.sh),
    hpd: false,
    e0pd: false,
    topByteIgnored: 'no',
    cnp,
    problems: [
      ...problemsOf([S2_GRANULE, S2_CLAMPED], { fields: input.fields, upper: false, cpu }, names),
      ...problemsOf(
        S2_RULES,
        { ...startOf(vtcr, fields, cpu), fields, upper: false, ...rawBase(fields, params, tables, cpu) },
        names,
      ),
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

/** VTCR_EL2 as the rules take it. The names of its fields may be those of another structure. */
function startOf(vtcr: bigint, fields: RawFields, cpu: CpuFeatures): StartSubject {
  return { ...startSubject(vtcr, cpu, fields.base), fields };
}

/** Properties of stage 2 besides its tables. */
export function stage2Controls(vtcr: bigint, params: S2Params, cpu: CpuFeatures): Stage2Controls {
  const subject = startSubject(vtcr, cpu, () => 0);
  return {
    sl0: subject.sl0,
    sl2: Number(subject.sl2),
    smallestT0sz: smallestT0sz(subject),
    fwb: params.fwb,
    ptw: params.ptw,
  };
}
