/**
 * What is wrong with the fields of a stage-1 range, each with its rule. Which sizes would do is asked of the walker's own
 * decoder, so that nothing here can disagree with it. (DDI 0487 D8.1.7, D8.1.9, D8.2.3, D8.2.5.2, D24.2.)
 */
import { hex } from '../memory/hex.ts';
import { POW2 } from '../walker/bits.ts';
import type { CpuFeatures } from '../walker/cpu.ts';
import type { TableGeometry } from '../walker/descriptor64.ts';
import { s1Params } from '../walker/params/aarch64.ts';
import type { FieldNames, RawFields } from './fields.ts';
import { hasWideBase } from './tables.ts';
import type { RegisterProblem } from './types.ts';

/** `16 to 39`, `30, 33`: the numbers of an ascending list. */
export function numbersText(numbers: readonly number[]): string {
  const [first, last] = [numbers[0], numbers.at(-1)];
  if (first === undefined || last === undefined) return 'none';
  if (first === last) return String(first);
  return last - first + 1 === numbers.length ? `${first} to ${last}` : numbers.join(', ');
}

/** Whether the granule takes this TxSZ, with DS and what the PE implements. */
export function takesTxsz(fields: RawFields, cpu: CpuFeatures, txsz = fields.txsz): boolean {
  const control = { wxn: false, epan: false, bigEndian: false };
  const tried = { ...fields, txsz, epd: false, base: () => 0 };
  return s1Params(tried, 0n, control, cpu).configurationFault === undefined;
}

/** All the TxSZ values that it takes. */
export function legalTxsz(fields: RawFields, cpu: CpuFeatures): number[] {
  return Array.from({ length: 64 }, (_, txsz) => txsz).filter((txsz) => takesTxsz(fields, cpu, txsz));
}

/** Fields of either stage: granule, DS, IPS or PS, HA and HD, SH of the walks. */
export function commonProblems(
  names: FieldNames,
  fields: RawFields,
  upper: boolean,
  cpu: CpuFeatures,
): RegisterProblem[] {
  const { section } = names;
  const found: RegisterProblem[] = [];
  const add = (on: boolean, problem: RegisterProblem) => {
    if (on) found.push(problem);
  };
  add(fields.tg === (upper ? 0 : 3), {
    field: names.tg,
    value: BigInt(fields.tg),
    effect: 'unpredictable',
    rule: `the encoding is reserved: hardware takes a granule of its choice, here 4K (${upper ? '1 is 16K, 2 4K, 3 64K' : '0 is 4K, 1 64K, 2 16K'})`,
    section,
  });
  add(fields.ps === 7, {
    field: names.ps,
    value: 7n,
    effect: 'ignored',
    rule: `56 bits need FEAT_D128: the size counts as the ${cpu.paBits} bits implemented; 6 is the largest that this format has`,
    section: 'DDI 0487 D8.1.7',
  });
  add(fields.ds && (!cpu.lpa2 || fields.granuleLog2 === 16), {
    field: names.of('DS'),
    value: 1n,
    effect: 'ignored',
    rule: cpu.lpa2
      ? 'RES0 with the 64K granule: 52-bit addresses need no DS there'
      : 'RES0 without FEAT_LPA2: addresses keep 48 bits',
    section,
  });
  add((fields.ha || fields.hd) && !cpu.hafdbs, {
    field: names.of(fields.ha ? 'HA' : 'HD'),
    value: 1n,
    effect: 'ignored',
    rule: 'RES0 without FEAT_HAFDBS: software sets access flag and dirty state',
    section,
  });
  add(fields.hd && !fields.ha && cpu.hafdbs, {
    field: names.of('HD'),
    value: 1n,
    effect: 'ignored',
    rule: 'behaves as 0 while HA is 0: dirty state is managed only together with the access flag',
    section,
  });
  add(fields.sh === 1, {
    field: names.sh,
    value: 1n,
    effect: 'unpredictable',
    rule: 'the encoding is reserved: taken as outer shareable (0 is non-shareable, 2 outer, 3 inner)',
    section,
  });
  return found;
}

/** The table base: beyond the output size, or with bits below its alignment. */
export function baseProblems(
  names: FieldNames,
  fields: Pick<RawFields, 'base' | 'ps'>,
  geometry: TableGeometry,
  alignLog2: number,
  cpu: CpuFeatures,
): RegisterProblem[] {
  const { tableBase, oaBits } = geometry;
  const found: RegisterProblem[] = [];
  if (tableBase >= POW2[oaBits]!) {
    found.push({
      field: names.base,
      value: BigInt(tableBase),
      effect: 'fault',
      rule: `the table base is beyond the ${oaBits} output bits: a level 0 address size fault; it must be below ${hex(1n << BigInt(oaBits))}`,
      section: names.baseSection,
    });
  }
  const raw = BigInt(fields.base(hasWideBase(geometry, fields.ps, cpu)));
  const below = unaligned(names, raw & ~1n, BigInt(tableBase), alignLog2);
  return below ? [...found, below] : found;
}

/** Base bits below the table's alignment, which hardware takes as 0. `lowest`: below that the register holds something else. */
export function unaligned(
  { base, baseSection }: Pick<FieldNames, 'base' | 'baseSection'>,
  raw: bigint,
  tableBase: bigint,
  alignLog2: number,
  lowest = 1,
): RegisterProblem | undefined {
  const low = BigInt.asUintN(alignLog2, raw);
  if (low === 0n) return undefined;
  return {
    field: base,
    value: raw,
    effect: 'ignored',
    rule: `base bits [${alignLog2 - 1}:${lowest}] are RES0, as the first table of ${hex(1n << BigInt(alignLog2))} bytes is aligned to its size: ${hex(low)} is dropped, the base is ${hex(tableBase)}`,
    section: baseSection,
  };
}

/** A stage-1 range, its base apart. */
export function s1Problems(
  names: FieldNames,
  fields: RawFields,
  upper: boolean,
  cpu: CpuFeatures,
): RegisterProblem[] {
  const found = commonProblems(names, fields, upper, cpu);
  if (!takesTxsz(fields, cpu)) {
    const legal = legalTxsz(fields, cpu);
    const small = fields.txsz < legal[0]!;
    const why = small ? needsMore(fields, cpu) : '';
    found.push({
      field: names.txsz,
      value: BigInt(fields.txsz),
      effect: 'fault',
      rule: `${64 - fields.txsz} input bits are too ${small ? 'many' : 'few'}: a level 0 translation fault (hardware without FEAT_LVA may clamp instead); legal here is ${numbersText(legal)}${why}`,
      section: 'DDI 0487 D8.1.9',
    });
  }
  const missing: readonly (readonly [boolean, string, string])[] = [
    [fields.hpd && !cpu.hpds, 'HPD', 'FEAT_HPDS: hierarchical permissions count'],
    [fields.e0pd && !cpu.e0pd, 'E0PD', 'FEAT_E0PD: unprivileged accesses are translated'],
    [fields.tbid && !cpu.pauth, 'TBID', 'FEAT_PAuth: TBI counts for instructions too'],
  ];
  for (const [on, name, rule] of missing) {
    if (!on) continue;
    const field = names.numbered(name);
    found.push({ field, value: 1n, effect: 'ignored', rule: `RES0 without ${rule}`, section: names.section });
  }
  return found;
}

/** What larger addresses would take. */
function needsMore({ granuleLog2, ds }: RawFields, cpu: CpuFeatures): string {
  if (granuleLog2 === 16) return cpu.lva ? '' : '; 12 to 15 need FEAT_LVA';
  return ds && cpu.lpa2 ? '' : '; 12 to 15 need DS = 1 (FEAT_LPA2)';
}

/** Reserved bytes of a MAIR. (DDI 0487 D24.2.127.) */
export function mairProblems(
  register: string,
  mair: bigint,
  features: Pick<CpuFeatures, 'mte' | 'xs'>,
  section: string,
): RegisterProblem[] {
  return Array.from({ length: 8 }, (_, index) => index).flatMap((index) => {
    const byte = Number(BigInt.asUintN(8, mair >> BigInt(index * 8)));
    if (!reservedMair(byte, features)) return [];
    const taken =
      byte >> 4 === 0 ? 'Device memory, bits [1:0] being ignored' : 'Normal Inner and Outer Non-cacheable';
    const rule = `${hex(byte)} is UNPREDICTABLE: taken as ${taken}`;
    return [
      {
        field: `${register}.Attr${index}`,
        value: BigInt(byte),
        effect: 'unpredictable',
        rule,
        section,
      } as const,
    ];
  });
}

function reservedMair(byte: number, { mte, xs }: Pick<CpuFeatures, 'mte' | 'xs'>): boolean {
  if (byte >> 4 === 0) return (byte & 3) > (xs ? 1 : 0);
  if ((byte & 0xf) !== 0) return false;
  if (byte === 0xf0) return !mte;
  return !(xs && (byte === 0x40 || byte === 0xa0));
}
