/** Describes MMUs outside VMSA: an address space of a Mali GPU (panfrost_regs.h), and of a RISC-V hart (Privileged Architecture, "satp"). */
import { read } from '../arch/read.ts';
import { AS_TRANSTAB, MALI_ATTRIBUTES, SATP } from '../arch/registers/other.ts';
import type { CpuFeatures } from '../walker/cpu.ts';
import { maliRegions, maliTables } from '../walker/other/mali.ts';
import { riscvTables } from '../walker/other/riscv.ts';
import { SATP_MODE, SATP_SECTION, TRANSTAB_MODE } from '../walker/rules/other.ts';
import { problemsOf, type RegisterProblem } from '../walker/rules/rule.ts';
import { outputSize } from './tables.ts';
import type {
  LevelDescription,
  OffReason,
  RangeDescription,
  StageDescription,
  TablesDescription,
} from './types.ts';

/** Tables of 512 entries and 4K pages, with leaves at every level. */
function radix(base: number, startLevel: number, formatBits: number, cpu: CpuFeatures): TablesDescription {
  const inputBits = 12 + (4 - startLevel) * 9;
  const bits = Math.min(formatBits, cpu.paBits);
  return {
    granuleLog2: 12,
    inputBits,
    firstIa: 0n,
    lastIa: (1n << BigInt(inputBits)) - 1n,
    startLevel,
    entries: 512,
    concatenated: 1,
    tableBase: BigInt(base),
    alignLog2: 12,
    levels: Array.from({ length: 4 - startLevel }, (_, i) => levelOf(startLevel + i)),
    output: outputSize(bits, formatBits, cpu.paBits),
    wideAddress: 'none',
    ha: false,
    hd: false,
    bigEndian: false,
  };
}

function levelOf(level: number): LevelDescription {
  const low = 12 + (3 - level) * 9;
  return { level, high: low + 8, low, entrySize: 1n << BigInt(low), leaf: level === 3 ? 'page' : 'block' };
}

const PLAIN = { hpd: false, e0pd: false, topByteIgnored: 'no', cnp: false } as const;

/** One stage with one range. */
function oneRange(
  format: StageDescription['format'],
  range: Omit<RangeDescription, keyof typeof PLAIN | 'problems'>,
  more: Partial<StageDescription> & { readonly rangeProblems?: readonly RegisterProblem[] },
): StageDescription {
  const { rangeProblems = [], ...rest } = more;
  return {
    stage: 1,
    format,
    ...(range.off && { off: range.off }),
    ranges: [{ ...PLAIN, ...range, problems: rangeProblems }],
    wxn: false,
    uwxn: false,
    problems: [],
    ...rest,
  };
}

/** AS_TRANSTAB and AS_MEMATTR. */
export function maliStage(transtab: bigint, memattr: bigint, cpu: CpuFeatures): StageDescription {
  const { base } = maliTables(transtab);
  const regions = maliRegions(memattr);
  const types = MALI_ATTRIBUTES.map((field, index) => ({
    index,
    byte: read(memattr, field),
    attributes: regions[index]!.attributes,
  }));
  const mode = read(transtab, AS_TRANSTAB.fields.MODE);
  return oneRange(
    'Mali',
    { register: 'AS_TRANSTAB', value: transtab, tables: radix(base, 0, 48, cpu) },
    {
      memory: { register: 'AS_MEMATTR', value: memattr, types },
      rangeProblems: problemsOf([TRANSTAB_MODE], { mode }, undefined),
    },
  );
}

/** By the start level. */
const FORMATS: Readonly<Record<number, StageDescription['format']>> = {
  1: 'RISC-V Sv39',
  0: 'RISC-V Sv48',
  [-1]: 'RISC-V Sv57',
};

/** satp. A hart splits the range of the tables into a lower and an upper half; `unsigned` addresses cover it as one range. */
export function riscvStage(satp: bigint, unsigned: boolean, cpu: CpuFeatures): StageDescription {
  const { base, bare, startLevel } = riscvTables(satp);
  const { MODE, ASID } = SATP.fields;
  const mode = read(satp, MODE);
  const off: OffReason | undefined = bare
    ? {
        field: 'satp.MODE',
        value: BigInt(mode),
        rule: 'Bare: no translation and no protection',
        section: SATP_SECTION,
      }
    : undefined;
  if (startLevel === undefined) {
    const range = { register: 'satp', value: satp, ...(off && { off }) };
    return oneRange('RISC-V', range, { rangeProblems: problemsOf([SATP_MODE], { mode }, undefined) });
  }
  const tables = radix(base, startLevel, 56, cpu);
  const last = tables.levels.length - 1;
  // Svnapot: 64K of 16 pages.
  const levels = tables.levels.map((level, i) =>
    i === last ? { ...level, run: { entries: 16, size: level.entrySize << 4n } } : level,
  );
  const tag = { name: 'ASID', value: read(satp, ASID), bits: 16, field: 'satp.ASID' } as const;
  const whole = { ...tables, levels };
  const half = 1n << BigInt(tables.inputBits - 1);
  const halves = [
    { ...whole, lastIa: half - 1n },
    { ...whole, firstIa: ADDRESSES - half, lastIa: ADDRESSES - 1n },
  ];
  const stage = oneRange(FORMATS[startLevel]!, { register: 'satp', value: satp, tables: whole }, { tag });
  if (unsigned) return stage;
  return {
    ...stage,
    ranges: halves.map((one) => ({ ...PLAIN, register: 'satp', value: satp, tables: one, problems: [] })),
  };
}

/** The number of addresses. */
const ADDRESSES = 1n << 64n;
