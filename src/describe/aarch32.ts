/** AArch32 ranges described: long descriptors of TTBCR, HTCR and VTCR, and short descriptors. (DDI 0487 G5.4, G5.5, G8.2.) */
import { decodeShareability, decodeShortCacheability } from '../walker/attributes.ts';
import { field, flag, POW2 } from '../walker/bits.ts';
import type { CpuFeatures } from '../walker/cpu.ts';
import type { S2Params } from '../walker/params/params.ts';
import type { ShortParams } from '../walker/params/short.ts';
import type { RangeSpan } from '../walker/ranges.ts';
import { unaligned } from './problems.ts';
import { outputSize, tablesOf, walkAttributes } from './tables.ts';
import type {
  LevelDescription,
  OffReason,
  RangeDescription,
  RegisterProblem,
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

/** Describes a stage-1 range of long descriptors. */
export function lpaeRange(input: LpaeRangeInput, cpu: CpuFeatures): RangeDescription {
  const { base, txsz, epd, section, value, ttbcr, upper, cnp, span } = input;
  const low = upper ? 16 : 0;
  const bits = (high: number, from: number) => field(ttbcr, low + high, low + from);
  const exists = span.end > span.first;
  const tables = exists ? tablesOf(span.params, span, cpu) : undefined;
  const own = !exists
    ? unused(txsz, 0)
    : bits(7, 7) === 1
      ? disabled(epd, 'a level 1 translation fault', section)
      : undefined;
  const off = input.off ?? own;
  return {
    ...PLAIN,
    register: base,
    value,
    size: { field: txsz, value: bits(2, 0) },
    ...(off && { off }),
    ...(tables && { tables }),
    walks: walkAttributes(bits(9, 8), bits(11, 10), bits(13, 12)),
    hpd: span.params.hpd,
    cnp,
    problems: tables && !own ? lpaeBase(base, value, span.params.tableBase, tables.alignLog2, cpu) : [],
  };
}

function unused(field: string, value: number): OffReason {
  const rule = 'TTBR0 translates every address: this register is not used';
  return { field, value: BigInt(value), rule, section: 'DDI 0487 G5.5.5' };
}

function disabled(field: string, what: string, section: string): OffReason {
  return { field, value: 1n, rule: `no walks: every access of the range is ${what}`, section };
}

/** The base of an AArch32 long-descriptor table: 40 bits. */
function lpaeBase(
  base: string,
  value: bigint,
  tableBase: number,
  alignLog2: number,
  cpu: CpuFeatures,
): RegisterProblem[] {
  const found: RegisterProblem[] = [];
  if (tableBase >= POW2[40]!) {
    found.push({
      field: base,
      value: BigInt(tableBase),
      effect: 'fault',
      rule: 'the table base is beyond 40 bits: a level 0 address size fault; bits [47:40] must be 0',
      section: 'DDI 0487 G5.5.7',
    });
  }
  const raw = BigInt.asUintN(cpu.armv7 ? 40 : 48, value) & ~1n;
  const below = unaligned({ base, baseSection: 'DDI 0487 G5.5.7' }, raw, BigInt(tableBase), alignLog2);
  return below ? [...found, below] : found;
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
  const t0sz = Number(BigInt.asIntN(4, vtcr));
  const sl0 = field(vtcr, 7, 6);
  const span = { first: 0, end: POW2[params.iaBits]! };
  const tables = params.invalid ? undefined : tablesOf(params, span, cpu);
  const problems: RegisterProblem[] = [];
  if (params.invalid) {
    const rule =
      sl0 > 1
        ? 'the start level is reserved: a level 1 translation fault; 0 is level 2, 1 level 1'
        : `the start level does not fit T0SZ ${t0sz}: a level 1 translation fault; SL0 0 takes T0SZ -2 to 7, SL0 1 takes -8 to 1`;
    problems.push({
      field: of('SL0'),
      value: BigInt(sl0),
      effect: 'fault',
      rule,
      section: 'DDI 0487 G8.2.172',
    });
  }
  if (flag(vtcr, 4) !== t0sz < 0) {
    problems.push({
      field: of('S'),
      value: BigInt(flag(vtcr, 4)),
      effect: 'unpredictable',
      rule: 'must be as T0SZ[3], the sign: if not, T0SZ is UNKNOWN; taken as it stands',
      section: 'DDI 0487 G8.2.172',
    });
  }
  return {
    ...PLAIN,
    register: base,
    value,
    size: { field: of('T0SZ'), value: t0sz },
    ...(off && { off }),
    ...(tables && { tables }),
    walks: walkAttributes(field(vtcr, 9, 8), field(vtcr, 11, 10), field(vtcr, 13, 12)),
    cnp,
    problems: tables
      ? [...problems, ...lpaeBase(base, value, params.tableBase, tables.alignLog2, cpu)]
      : problems,
  };
}

/** Outputs of short descriptors: 40 bits through supersections, 35 of an M4U. */
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
    // An M4U's table is aligned to 16K whatever its size.
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

/** The ranges of TTBR0 and TTBR1 with TTBCR.EAE = 0, or the one of an M4U. */
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
  const pd = (one: 0 | 1) => disabled(`TTBCR.PD${one}`, 'a level 1 translation fault', section);
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

/** IRGN is {bit 0, bit 6}, RGN [4:3], S bit 1, NOS bit 5. (G8.2.167.) */
function shortWalks(ttbr: bigint): WalkAttributes {
  const notOuter = flag(ttbr, 5);
  return {
    inner: decodeShortCacheability((Number(flag(ttbr, 0)) << 1) | Number(flag(ttbr, 6))),
    outer: decodeShortCacheability(field(ttbr, 4, 3)),
    shareability: decodeShareability(flag(ttbr, 1) ? (notOuter ? 3 : 2) : 0),
  };
}

/** Bits [6:0] are the walk's attributes. */
function shortBase(base: string, value: bigint, tableBase: number, alignLog2: number): RegisterProblem[] {
  const raw = BigInt.asUintN(32, value) & ~0x7fn;
  const below = unaligned({ base, baseSection: 'DDI 0487 G8.2.167' }, raw, BigInt(tableBase), alignLog2, 7);
  return below ? [below] : [];
}

const DOMAIN_TYPES = ['none', 'client', 'reserved', 'manager'] as const;

/** SCTLR.TRE, AFE and DACR in words. */
export function shortControls(sctlr: bigint, { afe, dacr }: ShortParams): ShortControls {
  const domains = Array.from({ length: 16 }, (_, domain) => DOMAIN_TYPES[(dacr >>> (domain * 2)) & 3]!);
  return { tre: flag(sctlr, 28), afe, domains };
}
