/**
 * Which TxSZ, start levels and output sizes AArch64 allows, depending on the granule and on what a PE implements.
 * (DDI 0487 D8.1.9, D8.1.10, D8.2.5 to D8.2.10; J1.1 AArch64.S1TxSZFaults, MaxTxSZ, S2MinTxSZ, S2StartLevel, S2InvalidSL,
 * S2InconsistentSL, PhysicalAddressSize, BlockDescSupported.)
 */
import { alignDown } from '../bits.ts';
import type { CpuFeatures } from '../cpu.ts';
import type { TableGeometry } from '../descriptor64.ts';
import type { RangeFields, TableAddress } from './range-fields.ts';

/** IPS and PS in bits. 0b111 is 56 bits, beyond every PA here. (Table D8-6.) */
export const OUTPUT_BITS = [32, 36, 40, 42, 44, 48, 52, 56] as const;
/** The code of IPS and PS that puts BADDR[51:48] into a 64K granule's TTBR. */
const PS_52 = 6;

const AARCH32_IPA_BITS = 40;

type SizeFields = Pick<RangeFields, 'granuleLog2' | 'ds'>;

/** TCR_ELx.DS, which needs FEAT_LPA2 and has no effect with 64K. */
export function effectiveDs({ ds, granuleLog2 }: SizeFields, cpu: CpuFeatures): boolean {
  return ds && cpu.lpa2 && granuleLog2 !== 16;
}

/** AArch64.MaxTxSZ. */
function mostTxsz(granuleLog2: number, cpu: CpuFeatures): number {
  if (!cpu.ttst) return 39;
  return granuleLog2 === 16 ? 47 : 48;
}

/** AArch64.S1TxSZFaults: the TxSZ values that stage 1 takes. For others the PE may fault or clamp. */
export function s1TxszLimits(fields: SizeFields, cpu: CpuFeatures): readonly [least: number, most: number] {
  const { granuleLog2 } = fields;
  const wide = cpu.lva && (granuleLog2 === 16 || effectiveDs(fields, cpu));
  return [wide ? 12 : 16, mostTxsz(granuleLog2, cpu)];
}

/** AArch64.S2MinTxSZ, MaxTxSZ: the T0SZ values that stage 2 takes. An IPA has no more bits than a PA of the PE. */
export function s2TxszLimits(fields: SizeFields, cpu: CpuFeatures): readonly [least: number, most: number] {
  const { granuleLog2 } = fields;
  const { ipaBits = cpu.paBits } = cpu;
  const wide = granuleLog2 === 16 || effectiveDs(fields, cpu);
  const least = ipaBits < 52 ? 64 - ipaBits : wide ? 12 : 16;
  return [least, mostTxsz(granuleLog2, cpu)];
}

/** The IPAs of a 32-bit guest have at least 40 bits, however many a PA has. (AArch64.S2MinTxSZ) */
export function withAArch32Ipas(cpu: CpuFeatures): CpuFeatures {
  return cpu.paBits < AARCH32_IPA_BITS ? { ...cpu, ipaBits: AARCH32_IPA_BITS } : cpu;
}

/** Whether hardware may clamp a TxSZ instead of faulting. It may clamp a small one only without the feature for wide addresses. */
function mayClamp(txsz: number, [least, most]: readonly [number, number], wide: boolean): boolean {
  return (txsz < least && !wide) || txsz > most;
}

export const s1MayClamp = (txsz: number, fields: SizeFields, cpu: CpuFeatures): boolean =>
  mayClamp(txsz, s1TxszLimits(fields, cpu), cpu.lva);
export const s2MayClamp = (txsz: number, fields: SizeFields, cpu: CpuFeatures): boolean =>
  mayClamp(txsz, s2TxszLimits(fields, cpu), cpu.lpa);

type Sized = SizeFields & Pick<RangeFields, 'txsz'>;

/** The fields with a granule that there is. */
function withGranule<Fields extends Sized>(fields: Fields, granules: readonly number[] | undefined): Fields {
  if (granules === undefined || granules.includes(fields.granuleLog2)) return fields;
  return { ...fields, granuleLog2: granules[0] ?? fields.granuleLog2 };
}

/** Stage 1's fields in effect: with a granule that the PE has, and TxSZ clamped if the PE does that. */
export function s1Effective<Fields extends Sized>(given: Fields, cpu: CpuFeatures): Fields {
  const fields = withGranule(given, cpu.granules1);
  if (cpu.clampsTxsz !== true || !s1MayClamp(fields.txsz, fields, cpu)) return fields;
  const [least, most] = s1TxszLimits(fields, cpu);
  return { ...fields, txsz: fields.txsz < least ? least : most };
}

/** The same of stage 2. */
export function s2Effective<Fields extends Sized>(given: Fields, cpu: CpuFeatures): Fields {
  const fields = withGranule(given, cpu.granules2);
  if (cpu.clampsTxsz !== true || !s2MayClamp(fields.txsz, fields, cpu)) return fields;
  const [least, most] = s2TxszLimits(fields, cpu);
  return { ...fields, txsz: fields.txsz < least ? least : most };
}

/** Whether SL2 has an effect: with DS = 1 and the 4K granule. */
export function countsSl2(fields: SizeFields, cpu: CpuFeatures): boolean {
  return fields.granuleLog2 === 12 && effectiveDs(fields, cpu);
}

/** The codes of SL0, or of SL2:SL0 if {@link countsSl2}. */
export function startCodes(fields: SizeFields, cpu: CpuFeatures): readonly number[] {
  return countsSl2(fields, cpu) ? [0, 1, 2, 3, 4, 5, 6, 7] : [0, 1, 2, 3];
}

/** AArch64.S2StartLevel by SL2:SL0; undefined is AArch64.S2InvalidSL. */
function levelOfCode(sl: number, fields: SizeFields, cpu: CpuFeatures): number | undefined {
  const { granuleLog2 } = fields;
  if (granuleLog2 === 12) {
    if (sl > 3) return sl === 4 && cpu.paBits >= 52 ? -1 : undefined;
    if (sl === 3) return cpu.ttst ? 3 : undefined;
    return sl === 2 && cpu.paBits < 44 ? undefined : 2 - sl;
  }
  if (granuleLog2 === 14) {
    if (sl === 3) return effectiveDs(fields, cpu) && cpu.paBits >= 52 ? 0 : undefined;
    return sl === 2 && cpu.paBits < 42 ? undefined : 3 - sl;
  }
  return sl === 3 || (sl === 2 && cpu.paBits < 44) ? undefined : 3 - sl;
}

/** log2 of the most tables that stage 2 concatenates at its start level, 16. */
const CONCATENATED_LOG2 = 4;

/** AArch64.S2InconsistentSL: the first level must resolve at least one bit, and at most a stride and 16 concatenated tables. */
export function startFits(iaBits: number, startLevel: number, granuleLog2: number): boolean {
  const stride = granuleLog2 - 3;
  const least = (3 - startLevel) * stride + granuleLog2 + 1;
  return iaBits >= least && iaBits <= least + stride - 1 + CONCATENATED_LOG2;
}

/** The start level of stage 2, or undefined where T0SZ or the code `sl` is out of range, or they do not fit each other. */
export function s2StartLevel(
  txsz: number,
  sl: number,
  fields: SizeFields,
  cpu: CpuFeatures,
): number | undefined {
  const [least, most] = s2TxszLimits(fields, cpu);
  if (txsz < least || txsz > most) return undefined;
  const level = levelOfCode(sl, fields, cpu);
  return level !== undefined && startFits(64 - txsz, level, fields.granuleLog2) ? level : undefined;
}

/** AArch64.PhysicalAddressSize: the configured size, limited by the PE and the descriptor format. */
export function outputBits(ps: number, granuleLog2: number, ds: boolean, cpu: CpuFeatures): number {
  const limit = cpu.lpa && (granuleLog2 === 16 || ds) ? 52 : 48;
  return Math.min(OUTPUT_BITS[ps]!, limit, cpu.paBits);
}

export function highAddress(
  granuleLog2: number,
  ds: boolean,
  cpu: CpuFeatures,
): TableGeometry['highAddress'] {
  if (granuleLog2 === 16) return cpu.paBits >= 52 ? 'bits15_12' : 'none';
  return ds ? 'ds' : 'none';
}

/** AArch64.BlockDescSupported. */
export function firstBlockLevel(granuleLog2: number, ds: boolean, cpu: CpuFeatures): number {
  if (granuleLog2 === 12) return ds ? 0 : 1;
  if (granuleLog2 === 14) return ds ? 1 : 2;
  return cpu.paBits >= 52 ? 1 : 2;
}

/** Whether the table base register holds BADDR[51:48] in bits [5:2]. (AArch64.S1TTBaseAddress.) */
export function hasWideBase(
  { granuleLog2, highAddress: high }: Pick<TableGeometry, 'granuleLog2' | 'highAddress'>,
  ps: number,
  cpu: CpuFeatures,
): boolean {
  return high === 'ds' || (granuleLog2 === 16 && ps === PS_52 && cpu.lpa);
}

/** If addresses have 52 bits, tables are aligned to at least 64 bytes. */
export const WIDE_ALIGN_LOG2 = 6;

/** AArch64.S1TTBaseAddress, S2TTBaseAddress: aligned to the first table's size. */
export function tableBase(address: TableAddress, tableLog2: number, is52Bit: boolean): number {
  return alignDown(address(is52Bit), is52Bit ? Math.max(tableLog2, WIDE_ALIGN_LOG2) : tableLog2);
}
