/**
 * Walk parameters of the AArch32 long-descriptor regimes: 4K granule, 40-bit addresses.
 * (DDI 0487 G5.5; J1.2 AArch32.S1TTWParamsEL10, S1WalkLD, GetS2TTWParams, S2Walk; DDI 0406C B3.6 for ARMv7.)
 */
import { alignDown, field, flag, POW2 } from '../bits.ts';
import type { CpuFeatures } from '../cpu.ts';
import { ADDRESS_HIGH, ADDRESS_HIGH_ARMV7 } from '../descriptor64.ts';
import { mairRegions, type S1Params, type S2Control, type S2Params } from './params.ts';

const GRANULE_LOG2 = 12;
const STRIDE = 9;
const OA_BITS = 40;

/** TTBRn[47:40] and descriptor bits [47:40] must be zero; ARMv7 says UNK/SBZP and its machines ignore them. */
function addressHighMask(cpu: CpuFeatures): number {
  return cpu.armv7 ? ADDRESS_HIGH_ARMV7 : ADDRESS_HIGH;
}

function tableBase(ttbr: bigint, tableLog2: number, cpu: CpuFeatures): number {
  return alignDown(Number(BigInt.asUintN(cpu.armv7 ? 40 : 48, ttbr)), tableLog2);
}

/** Fields common to both stages. */
function geometry(iaBits: number, startLevel: number, ttbr: bigint, bigEndian: boolean, cpu: CpuFeatures) {
  const tableLog2 = iaBits - ((3 - startLevel) * STRIDE + GRANULE_LOG2) + 3;
  return {
    granuleLog2: GRANULE_LOG2,
    stride: STRIDE,
    iaBits,
    startLevel,
    tableBase: tableBase(ttbr, tableLog2, cpu),
    oaBits: OA_BITS,
    firstBlockLevel: 1,
    highAddress: 'none',
    addressHighMask: addressHighMask(cpu),
    bigEndian,
    ha: false,
    hd: false,
    affd: false,
    nT: false,
  } as const;
}

/** One range of TTBCR (EAE = 1): TTBR0 with T0SZ, or TTBR1 with T1SZ. */
export function s1ParamsLpae(
  registers: { readonly ttbcr: bigint; readonly ttbr: bigint; readonly mair: bigint; readonly sctlr: bigint },
  upper: boolean,
  cpu: CpuFeatures,
): S1Params {
  const { ttbcr, ttbr, mair, sctlr } = registers;
  const low = upper ? 16 : 0;
  const iaBits = 32 - field(ttbcr, low + 2, low);
  const startLevel = 3 - Math.floor((iaBits - 1 - GRANULE_LOG2) / STRIDE);
  const tables = geometry(iaBits, startLevel, ttbr, flag(sctlr, 25), cpu);
  return {
    ...tables,
    configurationFault: flag(ttbcr, low + 7)
      ? { kind: 'translation', level: 1 }
      : tables.tableBase >= POW2[OA_BITS]!
        ? { kind: 'address_size', level: 0 }
        : undefined,
    e0pd: false,
    tbi: false,
    tbiFetch: false,
    hpd: false,
    wxn: flag(sctlr, 19),
    uwxn: flag(sctlr, 20),
    epan: false,
    // Neither Tagged memory nor the XS attribute exists in AArch32 stage 1.
    regions: mairRegions(mair, undefined, { mte: false, xs: false }),
  };
}

/**
 * Hyp mode: HTCR, HTTBR, HMAIR1:HMAIR0 and HSCTLR. T0SZ, EE and WXN stand where TTBCR and SCTLR have them; HTCR has no EPD0,
 * and HPD in bit 24. (G8.2.76; J1.2 AArch32.S1TTWParamsEL2.)
 */
export function s1ParamsHyp(
  registers: { readonly htcr: bigint; readonly ttbr: bigint; readonly mair: bigint; readonly sctlr: bigint },
  cpu: CpuFeatures,
): S1Params {
  const { htcr } = registers;
  const params = s1ParamsLpae({ ...registers, ttbcr: htcr & 7n }, false, cpu);
  return { ...params, hpd: flag(htcr, 24) && cpu.hpds };
}

/** T0SZ and T1SZ of TTBCR, 3 bits each. */
export function ttbcrSizes(ttbcr: bigint): { readonly t0sz: number; readonly t1sz: number } {
  return { t0sz: field(ttbcr, 2, 0), t1sz: field(ttbcr, 18, 16) };
}

/** Stage 2 from VTCR and VTTBR. T0SZ is signed: 32 - T0SZ is 25 to 40 bits. SL0 is 0 (level 2) or 1 (level 1). */
export function s2ParamsLpae(vtcr: bigint, vttbr: bigint, control: S2Control, cpu: CpuFeatures): S2Params {
  const iaBits = 32 - Number(BigInt.asIntN(4, vtcr));
  const sl0 = field(vtcr, 7, 6);
  const level = 2 - sl0;
  const smallest = (3 - level) * STRIDE + GRANULE_LOG2 + 1;
  const invalid = sl0 > 1 || iaBits < smallest || iaBits > smallest + STRIDE - 1 + 4;
  const tables = invalid
    ? geometry(GRANULE_LOG2 + 1, 3, vttbr, control.bigEndian, cpu)
    : geometry(iaBits, level, vttbr, control.bigEndian, cpu);
  return {
    ...tables,
    invalid,
    baseOutOfRange: tables.tableBase >= POW2[OA_BITS]!,
    configurationLevel: 1,
    affd: control.affd,
    ptw: control.ptw,
    fwb: false,
    sh: undefined,
    aarch32: true,
  };
}
