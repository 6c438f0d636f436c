/** Describes AArch32 ranges: long descriptors of TTBCR, HTCR and VTCR, and short descriptors. (DDI 0487 G5.4, G5.5, G8.2.) */
import { addressOf, isSet, read } from '../arch/read.ts';
import { TTBR_SHORT } from '../arch/registers/aarch32-base.ts';
import { SCTLR, TTBCR, VTCR } from '../arch/registers/aarch32-control.ts';
import { pairOf } from '../arch/registers/parts.ts';
import { decodeShortCacheability } from '../walker/attributes.ts';
import { POW2 } from '../walker/bits.ts';
import type { CpuFeatures } from '../walker/cpu.ts';
import type { TableGeometry } from '../walker/descriptor64.ts';
import { lpaeBase, vtcrSubject } from '../walker/params/aarch32.ts';
import type { S2Params } from '../walker/params/params.ts';
import type { ShortParams } from '../walker/params/short.ts';
import type { RangeSpan } from '../walker/ranges.ts';
import { DOMAIN_TYPES, LPAE_DISABLED, LPAE_RULES, SHORT_RULES, VTCR_RULES } from '../walker/rules/aarch32.ts';
import { problemsOf, type RegisterProblem } from '../walker/rules/rule.ts';
import { outputSize, tablesOf, walkAttributes } from './tables.ts';
import type {
  LevelDescription,
  OffReason,
  RangeDescription,
  ShortControls,
  TablesDescription,
  WalkAttributes,
} from './types.ts';

const PLAIN = { hpd: false, e0pd: false, topByteIgnored: 'no', cnp: false } as const;

/** A range of TTBCR, HTCR, or a context descriptor in VMSAv8-32 LPAE format. */
export interface LpaeRangeInput {
  /** `TTBR0`, `TTBCR.T0SZ`, `TTBCR.EPD0`. */
  readonly base: string;
  readonly txsz: string;
  readonly epd: string;
  readonly section: string;
  readonly value: bigint;
  /** The size and walk attributes, in the layout of TTBCR. */
  readonly ttbcr: bigint;
  readonly upper: boolean;
  readonly cnp: boolean;
  readonly span: RangeSpan;
  readonly off?: OffReason | undefined;
}

const [TXSZ, EPD] = [pairOf(TTBCR, 'TxSZ'), pairOf(TTBCR, 'EPDx')];
const [IRGN, ORGN, SH] = [pairOf(TTBCR, 'IRGNx'), pairOf(TTBCR, 'ORGNx'), pairOf(TTBCR, 'SHx')];

/** Describes a stage-1 range of long descriptors. */
export function lpaeRange(input: LpaeRangeInput, cpu: CpuFeatures): RangeDescription {
  const { base, txsz, epd, section, value, ttbcr, upper, cnp, span } = input;
  const range = upper ? 1 : 0;
  const exists = span.end > span.first;
  const tables = exists ? tablesOf(span.params, span, cpu) : undefined;
  const disabled = { epd: isSet(ttbcr, EPD[range]) };
  const own = !exists
    ? unused(txsz, 0)
    : LPAE_DISABLED.holds(disabled)
      ? LPAE_DISABLED.tell(disabled, { epd, section })
      : undefined;
  const off = input.off ?? own;
  return {
    ...PLAIN,
    register: base,
    value,
    size: { field: txsz, value: read(ttbcr, TXSZ[range]) },
    ...(off && { off }),
    ...(tables && { tables }),
    walks: walkAttributes(read(ttbcr, IRGN[range]), read(ttbcr, ORGN[range]), read(ttbcr, SH[range])),
    hpd: span.params.hpd,
    cnp,
    problems: tables && !own ? baseProblems(base, value, span.params, tables.alignLog2, cpu) : [],
  };
}

function unused(field: string, value: number): OffReason {
  const rule = 'TTBR0 translates every address: this register is not used';
  return { field, value: BigInt(value), rule, section: 'DDI 0487 G5.5.5' };
}

/** Rules of an AArch32 long-descriptor base: 40 bits. */
function baseProblems(
  base: string,
  value: bigint,
  { tableBase, oaBits }: TableGeometry,
  alignLog2: number,
  cpu: CpuFeatures,
): RegisterProblem[] {
  const subject = { tableBase, oaBits, raw: lpaeBase(value, cpu), alignLog2 };
  return problemsOf(LPAE_RULES, subject, { base, baseSection: 'DDI 0487 G5.5.7' });
}

/** Stage 2 of VTCR and VTTBR, or of a stream table entry with those fields. */
export function lpaeStage2(
  input: {
    readonly base: string;
    readonly of: (name: string) => string;
    readonly vtcr: bigint;
    readonly value: bigint;
    readonly cnp: boolean;
    readonly params: S2Params;
    readonly off?: OffReason | undefined;
  },
  cpu: CpuFeatures,
): RangeDescription {
  const { base, of, vtcr, value, cnp, params, off } = input;
  const subject = vtcrSubject(vtcr);
  const { IRGN0, ORGN0, SH0 } = VTCR.fields;
  const span = { first: 0, end: POW2[params.iaBits]! };
  const tables = params.invalid ? undefined : tablesOf(params, span, cpu);
  const problems = problemsOf(VTCR_RULES, subject, of);
  return {
    ...PLAIN,
    register: base,
    value,
    size: { field: of('T0SZ'), value: subject.t0sz },
    ...(off && { off }),
    ...(tables && { tables }),
    walks: walkAttributes(read(vtcr, IRGN0), read(vtcr, ORGN0), read(vtcr, SH0)),
    cnp,
    problems: tables ? [...problems, ...baseProblems(base, value, params, tables.alignLog2, cpu)] : problems,
  };
}

/** Outputs of short descriptors: 40 bits through supersections, 35 in an M4U. */
const SHORT_OUTPUT = 40;
const MTK_OUTPUT = 35;

/** Sections and supersections; small and large pages. */
function shortLevels(high: number): LevelDescription[] {
  const [section, page] = [1n << 20n, 1n << 12n];
  return [
    { level: 1, high, low: 20, entrySize: section, leaf: 'block', run: { entries: 16, size: section << 4n } },
    { level: 2, high: 19, low: 12, entrySize: page, leaf: 'page', run: { entries: 16, size: page << 4n } },
  ];
}

function shortTables(
  params: ShortParams,
  base: number,
  first: number,
  end: number,
  inputBits: number,
  cpu: CpuFeatures,
): TablesDescription {
  const bits = params.mtk ? MTK_OUTPUT : SHORT_OUTPUT;
  return {
    granuleLog2: 12,
    inputBits,
    firstIa: BigInt(first),
    lastIa: BigInt(end - 1),
    startLevel: 1,
    entries: 2 ** (inputBits - 20),
    concatenated: 1,
    tableBase: BigInt(base),
    // An M4U's table is aligned to 16K, whatever its size.
    alignLog2: params.mtk ? 14 : inputBits - 18,
    levels: shortLevels(inputBits - 1),
    output: outputSize(bits, bits, cpu.paBits),
    wideAddress: 'none',
    ha: false,
    hd: false,
    bigEndian: params.bigEndian,
  };
}

interface ShortRegisters {
  readonly ttbr0: bigint;
  readonly ttbr1: bigint;
}

/** The ranges of TTBR0 and TTBR1 with TTBCR.EAE = 0, or the single range of an M4U. */
export function shortRanges(
  params: ShortParams,
  { ttbr0, ttbr1 }: ShortRegisters,
  stageOff: OffReason | undefined,
  cpu: CpuFeatures,
): RangeDescription[] {
  const { n, inputBits, mtk, lower, upper } = params;
  const split = 2 ** (inputBits - n);
  const section = 'DDI 0487 G8.2.165';
  const size = { field: 'TTBCR.N', value: n };
  const pd = (one: 0 | 1) => LPAE_DISABLED.tell({ epd: true }, { epd: `TTBCR.PD${one}`, section });
  const lowerOff = stageOff ?? (lower.disabled ? pd(0) : undefined);
  const tables = shortTables(params, lower.base, 0, split, inputBits - n, cpu);
  const first: RangeDescription = {
    ...PLAIN,
    register: mtk ? 'TTBR' : 'TTBR0',
    value: ttbr0,
    ...(mtk ? {} : { size }),
    ...(lowerOff && { off: lowerOff }),
    tables,
    ...(mtk ? {} : { walks: shortWalks(ttbr0) }),
    problems: mtk || lower.disabled ? [] : shortBase('TTBR0', ttbr0, lower.base, tables.alignLog2),
  };
  if (mtk) return [first];
  const upperOff =
    stageOff ?? (n === 0 ? { ...unused('TTBCR.N', 0), section: 'DDI 0487 G5.4.4' } : undefined);
  const off = upperOff ?? (upper.disabled ? pd(1) : undefined);
  const all = n === 0 ? undefined : shortTables(params, upper.base, split, 2 ** 32, 32, cpu);
  return [
    first,
    {
      ...PLAIN,
      register: 'TTBR1',
      value: ttbr1,
      size,
      ...(off && { off }),
      ...(all && { tables: all }),
      walks: shortWalks(ttbr1),
      problems: all && !upper.disabled ? shortBase('TTBR1', ttbr1, upper.base, all.alignLog2) : [],
    },
  ];
}

/** IRGN is in two parts. (G8.2.167.) */
function shortWalks(ttbr: bigint): WalkAttributes {
  const { IRGN0, IRGN1, RGN, S, NOS } = TTBR_SHORT.fields;
  const shareability = !isSet(ttbr, S) ? 'non' : isSet(ttbr, NOS) ? 'inner' : 'outer';
  return {
    inner: decodeShortCacheability(read(ttbr, IRGN1) * 2 + read(ttbr, IRGN0)),
    outer: decodeShortCacheability(read(ttbr, RGN)),
    shareability,
  };
}

/** Bits below the base are the walk's attributes. */
function shortBase(base: string, value: bigint, tableBase: number, alignLog2: number): RegisterProblem[] {
  const raw = addressOf(value, TTBR_SHORT.fields.TTB);
  const names = { base, baseSection: 'DDI 0487 G8.2.167' };
  return problemsOf(SHORT_RULES, { raw, tableBase, alignLog2, oaBits: SHORT_OUTPUT }, names);
}

/** SCTLR.TRE, AFE and DACR in words. */
export function shortControls(sctlr: bigint, { afe, domains }: ShortParams): ShortControls {
  return { tre: isSet(sctlr, SCTLR.fields.TRE), afe, domains: domains.map((type) => DOMAIN_TYPES[type]!) };
}
