/**
 * Stage-1 and stage-2 walk parameters of the AArch64 regimes, gathered once from register values.
 * (DDI 0487 D19.2 for the fields; J1.1 AArch64.S1TTWParamsEL10, EL2, EL20, EL3, NSS2TTWParams, S1TTBaseAddress, S1StartLevel,
 * S2StartLevel, S2InvalidSL, S2InconsistentSL, PhysicalAddressSize.)
 */
import { alignDown, field, flag, POW2 } from '../bits.ts';
import type { CpuFeatures } from '../cpu.ts';
import { ADDRESS_HIGH } from '../descriptor64.ts';
import type { S1Params, S2Control, S2Params } from './params.ts';
import { mairRegions } from './params.ts';

/** The TCR fields of one VA range, whichever register and position they come from. */
export interface RangeFields {
  readonly txsz: number;
  readonly granuleLog2: number;
  readonly sh: number;
  readonly ps: number;
  readonly ds: boolean;
  readonly tbi: boolean;
  readonly tbid: boolean;
  readonly hpd: boolean;
  readonly epd: boolean;
  readonly e0pd: boolean;
  readonly ha: boolean;
  readonly hd: boolean;
  /** CD.AFFD of an SMMU: AF = 0 is no fault. */
  readonly affd: boolean;
  /** The table's address, not aligned yet; 52 bits of it where the regime has them. */
  readonly base: TableAddress;
}

/** A table address as a register holds it: its place depends on whether addresses have 52 bits. */
export type TableAddress = (is52Bit: boolean) => number;

/** TTBR and VTTBR: bits [47:1], and with 52-bit addresses BADDR[51:48] in bits [5:2]. CnP, ASID and VMID are no part of it. */
export function ttbrAddress(ttbr: bigint): TableAddress {
  const low = Number(BigInt.asUintN(48, ttbr));
  return (is52Bit) => (is52Bit ? alignDown(low, 6) + field(ttbr, 5, 2) * POW2[48]! : low);
}

/** Reserved TG0 and TG1 encodings are an IMPLEMENTATION DEFINED granule: 4K here. (AArch64.S1DecodeTG0, S1DecodeTG1.) */
export const TG0_GRANULE = [12, 16, 14, 12] as const;
export const TG1_GRANULE = [12, 14, 12, 16] as const;
/** IPS and PS: output address bits. 0b111 is 56 bits, beyond every PA here. */
const OUTPUT_BITS = [32, 36, 40, 42, 44, 48, 52, 56] as const;

/** TCR_EL1, or TCR_EL2 with HCR_EL2.E2H = 1: the lower range (TTBR0) or the upper (TTBR1). */
export function twoRangeFields(tcr: bigint, ttbr: bigint, upper: boolean): RangeFields {
  const low = upper ? 16 : 0;
  const tg = upper ? TG1_GRANULE[field(tcr, 31, 30)]! : TG0_GRANULE[field(tcr, 15, 14)]!;
  return {
    txsz: field(tcr, low + 5, low),
    epd: flag(tcr, low + 7),
    sh: field(tcr, low + 13, low + 12),
    granuleLog2: tg,
    ps: field(tcr, 34, 32),
    tbi: flag(tcr, upper ? 38 : 37),
    ha: flag(tcr, 39),
    hd: flag(tcr, 40),
    hpd: flag(tcr, upper ? 42 : 41),
    tbid: flag(tcr, upper ? 52 : 51),
    e0pd: flag(tcr, upper ? 56 : 55),
    ds: flag(tcr, 59),
    affd: false,
    base: ttbrAddress(ttbr),
  };
}

/** TCR_EL2 with HCR_EL2.E2H = 0, and TCR_EL3: one range. */
export function oneRangeFields(tcr: bigint, ttbr: bigint): RangeFields {
  return {
    txsz: field(tcr, 5, 0),
    epd: false,
    sh: field(tcr, 13, 12),
    granuleLog2: TG0_GRANULE[field(tcr, 15, 14)]!,
    ps: field(tcr, 18, 16),
    tbi: flag(tcr, 20),
    ha: flag(tcr, 21),
    hd: flag(tcr, 22),
    hpd: flag(tcr, 24),
    tbid: flag(tcr, 29),
    e0pd: false,
    ds: flag(tcr, 32),
    affd: false,
    base: ttbrAddress(ttbr),
  };
}

/** AArch64.PhysicalAddressSize: the configured size, as far as the PE and the descriptor format go. */
function outputBits(ps: number, granuleLog2: number, ds: boolean, cpu: CpuFeatures): number {
  const limit = cpu.lpa && (granuleLog2 === 16 || ds) ? 52 : 48;
  return Math.min(OUTPUT_BITS[ps]!, limit, cpu.paBits);
}

function highAddress(granuleLog2: number, ds: boolean, cpu: CpuFeatures): 'none' | 'bits15_12' | 'ds' {
  if (granuleLog2 === 16) return cpu.paBits >= 52 ? 'bits15_12' : 'none';
  return ds ? 'ds' : 'none';
}

/** AArch64.BlockDescSupported. */
function firstBlockLevel(granuleLog2: number, ds: boolean, cpu: CpuFeatures): number {
  if (granuleLog2 === 12) return ds ? 0 : 1;
  if (granuleLog2 === 14) return ds ? 1 : 2;
  return cpu.paBits >= 52 ? 1 : 2;
}

/** AArch64.S1TTBaseAddress, S2TTBaseAddress: aligned to the first table's size, and to 64 bytes where addresses have 52 bits. */
function tableBase(address: TableAddress, tableLog2: number, is52Bit: boolean): number {
  return alignDown(address(is52Bit), is52Bit ? Math.max(tableLog2, 6) : tableLog2);
}

/** AArch64.MaxTxSZ. */
function maxTxsz(granuleLog2: number, cpu: CpuFeatures): number {
  if (!cpu.ttst) return 39;
  return granuleLog2 === 16 ? 47 : 48;
}

/** SCTLR_ELx as far as it matters to a walk. */
export interface SystemControl {
  readonly wxn: boolean;
  readonly epan: boolean;
  readonly bigEndian: boolean;
}

export function systemControl(sctlr: bigint, cpu: CpuFeatures): SystemControl {
  return { wxn: flag(sctlr, 19), epan: cpu.pan3 && flag(sctlr, 57), bigEndian: flag(sctlr, 25) };
}

/** Where the tables of either stage lie and how they divide addresses, once granule, input size and start level are known. */
function tableGeometry(
  tables: {
    readonly granuleLog2: number;
    readonly ds: boolean;
    readonly iaBits: number;
    readonly startLevel: number;
    readonly ps: number;
    readonly address: TableAddress;
  },
  cpu: CpuFeatures,
) {
  const { granuleLog2, ds, iaBits, startLevel, ps, address } = tables;
  const stride = granuleLog2 - 3;
  const tableLog2 = iaBits - ((3 - startLevel) * stride + granuleLog2) + 3;
  const is52Bit = ds || (granuleLog2 === 16 && ps === 6 && cpu.lpa);
  return {
    granuleLog2,
    stride,
    iaBits,
    startLevel,
    tableBase: tableBase(address, tableLog2, is52Bit),
    oaBits: outputBits(ps, granuleLog2, ds, cpu),
    firstBlockLevel: firstBlockLevel(granuleLog2, ds, cpu),
    highAddress: highAddress(granuleLog2, ds, cpu),
    addressHighMask: ADDRESS_HIGH,
    nT: cpu.bbm > 0,
  };
}

/** Stage-1 parameters of one range. */
export function s1Params(
  fields: RangeFields,
  mair: bigint,
  control: SystemControl,
  cpu: CpuFeatures,
): S1Params {
  const { granuleLog2, txsz } = fields;
  const stride = granuleLog2 - 3;
  const ds = fields.ds && cpu.lpa2 && granuleLog2 !== 16;
  // AArch64.S1TxSZFaults. Outside the range a fault is one of the permitted choices, clamping the other.
  const minTxsz = cpu.lva && (granuleLog2 === 16 || ds) ? 12 : 16;
  const txszFaults = txsz < minTxsz || txsz > maxTxsz(granuleLog2, cpu);
  const iaBits = txszFaults ? 48 : 64 - txsz;
  // AArch64.S1StartLevel: as many levels below 3 as the bits above the page need.
  const startLevel = 3 - Math.floor((iaBits - 1 - granuleLog2) / stride);
  const tables = { granuleLog2, ds, iaBits, startLevel, ps: fields.ps, address: fields.base };
  const ha = fields.ha && cpu.hafdbs;
  const geometry = tableGeometry(tables, cpu);
  return {
    ...geometry,
    bigEndian: control.bigEndian,
    ha,
    hd: ha && fields.hd,
    affd: fields.affd,
    // In the order of AArch64.S1Translate and S1Walk.
    configurationFault:
      txszFaults || fields.epd
        ? { kind: 'translation', level: 0 }
        : geometry.tableBase >= POW2[geometry.oaBits]!
          ? { kind: 'address_size', level: 0 }
          : undefined,
    e0pd: fields.e0pd && cpu.e0pd,
    tbi: fields.tbi,
    tbiFetch: fields.tbi && !(fields.tbid && cpu.pauth),
    hpd: fields.hpd && cpu.hpds,
    wxn: control.wxn,
    uwxn: false,
    epan: control.epan,
    regions: mairRegions(mair, ds ? fields.sh : undefined, cpu),
  };
}

/** AArch64.S2StartLevel by SL2:SL0; undefined is AArch64.S2InvalidSL. */
function s2StartLevel(
  sl0: number,
  sl2: boolean,
  granuleLog2: number,
  ds: boolean,
  cpu: CpuFeatures,
): number | undefined {
  if (granuleLog2 === 12) {
    if (sl2) return sl0 === 0 && cpu.paBits >= 52 ? -1 : undefined;
    if (sl0 === 3) return cpu.ttst ? 3 : undefined;
    return sl0 === 2 && cpu.paBits < 44 ? undefined : 2 - sl0;
  }
  if (granuleLog2 === 14) {
    if (sl0 === 3) return ds && cpu.paBits >= 52 ? 0 : undefined;
    return sl0 === 2 && cpu.paBits < 42 ? undefined : 3 - sl0;
  }
  if (sl0 === 3) return undefined;
  return sl0 === 2 && cpu.paBits < 44 ? undefined : 3 - sl0;
}

/** AArch64.S2InconsistentSL: the first level must resolve at least one bit, and at most a stride and 16 concatenated tables. */
function inconsistentStart(iaBits: number, startLevel: number, granuleLog2: number, stride: number): boolean {
  const smallest = (3 - startLevel) * stride + granuleLog2 + 1;
  return iaBits < smallest || iaBits > smallest + stride - 1 + 4;
}

/** AArch64.S2MinTxSZ: an IPA is no larger than a PA. */
function s2MinTxsz(granuleLog2: number, ds: boolean, cpu: CpuFeatures): number {
  if (cpu.paBits >= 52) return granuleLog2 === 16 || ds ? 12 : 16;
  return 64 - cpu.paBits;
}

/** HCR_EL2.PTW (not with TGE) and FWB. */
export function hypervisorControl(hcr: bigint): S2Control {
  return { ptw: flag(hcr, 2) && !flag(hcr, 27), fwb: flag(hcr, 46), affd: false, bigEndian: false };
}

/**
 * Non-secure stage 2 from the value of VTCR_EL2 and the table's address. (AArch64.NSS2TTWParams, S2Translate's checks.)
 */
export function s2Params(
  vtcr: bigint,
  address: TableAddress,
  control: S2Control,
  cpu: CpuFeatures,
): S2Params {
  const granuleLog2 = TG0_GRANULE[field(vtcr, 15, 14)]!;
  const stride = granuleLog2 - 3;
  const txsz = field(vtcr, 5, 0);
  const ps = field(vtcr, 18, 16);
  const ds = flag(vtcr, 32) && cpu.lpa2 && granuleLog2 !== 16;
  const sl2 = flag(vtcr, 33) && ds && granuleLog2 === 12;
  const txszFaults = txsz < s2MinTxsz(granuleLog2, ds, cpu) || txsz > maxTxsz(granuleLog2, cpu);
  const level = s2StartLevel(field(vtcr, 7, 6), sl2, granuleLog2, ds, cpu);
  const invalid =
    txszFaults || level === undefined || inconsistentStart(64 - txsz, level, granuleLog2, stride);
  const iaBits = invalid ? granuleLog2 + 1 : 64 - txsz;
  const startLevel = invalid ? 3 : level;
  const ha = flag(vtcr, 21) && cpu.hafdbs;
  const geometry = tableGeometry({ granuleLog2, ds, iaBits, startLevel, ps, address }, cpu);
  return {
    ...geometry,
    bigEndian: control.bigEndian,
    ha,
    hd: ha && flag(vtcr, 22),
    affd: control.affd,
    invalid,
    baseOutOfRange: geometry.tableBase >= POW2[geometry.oaBits]!,
    configurationLevel: 0,
    ptw: control.ptw,
    fwb: control.fwb && cpu.s2fwb,
    sh: ds ? field(vtcr, 13, 12) : undefined,
    aarch32: false,
  };
}
