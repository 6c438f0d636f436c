/** MMUs that are not VMSA's described: an address space of a Mali GPU (panfrost_regs.h), and of a RISC-V hart (Privileged Architecture, "satp"). */
import { field } from '../walker/bits.ts';
import type { CpuFeatures } from '../walker/cpu.ts';
import { maliRegions, maliTables } from '../walker/other/mali.ts';
import { riscvTables } from '../walker/other/riscv.ts';
import { outputSize } from './tables.ts';
import type {
  LevelDescription,
  OffReason,
  RangeDescription,
  RegisterProblem,
  StageDescription,
  TablesDescription,
} from './types.ts';

/** Tables of 512 entries and 4K pages, a leaf at every level. */
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
  const { base, enabled } = maliTables(transtab);
  const regions = maliRegions(memattr);
  const types = Array.from({ length: 8 }, (_, index) => ({
    index,
    byte: field(memattr, index * 8 + 7, index * 8),
    attributes: regions[index]!.attributes,
  }));
  const mode: RegisterProblem = {
    field: 'AS_TRANSTAB.MODE',
    value: transtab & 3n,
    effect: 'fault',
    rule: 'not the address mode of a table (3): every access is a translation fault',
    section: 'panfrost_regs.h AS_TRANSTAB',
  };
  return oneRange(
    'Mali',
    { register: 'AS_TRANSTAB', value: transtab, tables: radix(base, 0, 48, cpu) },
    {
      memory: { register: 'AS_MEMATTR', value: memattr, types },
      rangeProblems: enabled ? [] : [mode],
    },
  );
}

const SATP = 'RISC-V Privileged Architecture, satp';

/** satp. */
export function riscvStage(satp: bigint, cpu: CpuFeatures): StageDescription {
  const { base, bare, startLevel } = riscvTables(satp);
  const mode = BigInt(field(satp, 63, 60));
  const off: OffReason | undefined = bare
    ? { field: 'satp.MODE', value: mode, rule: 'Bare: no translation and no protection', section: SATP }
    : undefined;
  if (startLevel === undefined) {
    const rule = 'no mode that the walker knows: every access faults; 8 is Sv39, 9 Sv48';
    const problem: RegisterProblem = {
      field: 'satp.MODE',
      value: mode,
      effect: 'fault',
      rule,
      section: SATP,
    };
    const range = { register: 'satp', value: satp, ...(off && { off }) };
    return oneRange('RISC-V', range, { rangeProblems: bare ? [] : [problem] });
  }
  const tables = radix(base, startLevel, 56, cpu);
  const last = tables.levels.length - 1;
  // Svnapot: 64K of 16 pages.
  const levels = tables.levels.map((level, i) =>
    i === last ? { ...level, run: { entries: 16, size: level.entrySize << 4n } } : level,
  );
  return oneRange(
    startLevel === 1 ? 'RISC-V Sv39' : 'RISC-V Sv48',
    { register: 'satp', value: satp, tables: { ...tables, levels } },
    { tag: { name: 'ASID', value: field(satp, 59, 44), bits: 16, field: 'satp.ASID' } },
  );
}
