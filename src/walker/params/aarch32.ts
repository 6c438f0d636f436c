/**
 * Walk parameters of the AArch32 long-descriptor regimes: 4K granule, 40-bit addresses.
 * (DDI 0487 G5.5; J1.2 AArch32.S1TTWParamsEL10, S1WalkLD, GetS2TTWParams, S2Walk; DDI 0406C B3.6 for ARMv7.)
 */
import { addressOf, isSet, read, widthOf } from '../../arch/read.ts';
import { ARMV7_BASE, TTBR_LONG } from '../../arch/registers/aarch32-base.ts';
import { HTCR, SCTLR, TTBCR, VTCR } from '../../arch/registers/aarch32-control.ts';
import { pairOf } from '../../arch/registers/parts.ts';
import { NON_SECURE, NON_SECURE_STAGE2, type StageSecurity } from '../../arch/security.ts';
import { alignDown } from '../bits.ts';
import type { CpuFeatures } from '../cpu.ts';
import { ADDRESS_HIGH, ADDRESS_HIGH_ARMV7 } from '../descriptor64.ts';
import {
  LPAE_GRANULE_LOG2 as GRANULE_LOG2,
  LPAE_FAULTS,
  VTCR_RULES,
  type VtcrSubject,
  vtcrStartLevel,
} from '../rules/aarch32.ts';
import { isBeyond } from '../rules/base.ts';
import { faultOf } from '../rules/rule.ts';
import { mairRegions, type S1Params, type S2Control, type S2Params } from './params.ts';

/** Parameters that AArch32 regimes do not have. */
const NO_ARMV9_STAGE1 = {
  indirection: undefined,
  overlays: undefined,
  pnch: false,
  neverGlobal: false,
  neverGlobalUnassured: false,
  aie: false,
} as const;
const NO_ARMV9_STAGE2 = {
  indirection: undefined,
  overlays: undefined,
  assuredOnly: false,
  tl0: false,
  tl1: false,
  gcsh: false,
  tagPermissions: false,
} as const;

const STRIDE = 9;
const OA_BITS = 40;

/** TTBRn[47:40] and descriptor bits [47:40] must be zero; ARMv7 says UNK/SBZP and its machines ignore them. */
function addressHighMask(cpu: CpuFeatures): number {
  return cpu.armv7 ? ADDRESS_HIGH_ARMV7 : ADDRESS_HIGH;
}

/** The base of TTBR0, TTBR1, HTTBR and VTTBR, which have it in the same bits; not aligned yet. */
export function lpaeBase(ttbr: bigint, cpu: CpuFeatures): bigint {
  return addressOf(ttbr, (cpu.armv7 ? ARMV7_BASE : TTBR_LONG).fields.BADDR);
}

/** Fields common to both stages. */
function geometry(iaBits: number, startLevel: number, ttbr: bigint, bigEndian: boolean, cpu: CpuFeatures) {
  const tableLog2 = iaBits - ((3 - startLevel) * STRIDE + GRANULE_LOG2) + 3;
  return {
    granuleLog2: GRANULE_LOG2,
    stride: STRIDE,
    iaBits,
    startLevel,
    tableBase: alignDown(Number(lpaeBase(ttbr, cpu)), tableLog2),
    oaBits: OA_BITS,
    firstBlockLevel: 1,
    highAddress: 'none',
    addressHighMask: addressHighMask(cpu),
    bigEndian,
    ha: false,
    hd: false,
    haft: false,
    affd: false,
    nT: false,
  } as const;
}

const TXSZ = pairOf(TTBCR, 'TxSZ');
const EPD = pairOf(TTBCR, 'EPDx');

interface RangeRegisters {
  readonly ttbr: bigint;
  /** Undefined: not given. */
  readonly mair: bigint | undefined;
  readonly sctlr: bigint;
  /** Default: Non-secure state. */
  readonly security?: StageSecurity;
}

/** A range of TTBCR or HTCR. SCTLR and HSCTLR have EE and WXN in the same bits. */
function s1ParamsLong(
  { ttbr, mair, sctlr, security = NON_SECURE }: RangeRegisters,
  {
    txsz,
    epd,
    hpd,
    uwxn,
  }: { readonly txsz: number; readonly epd: boolean; readonly hpd: boolean; readonly uwxn: boolean },
  cpu: CpuFeatures,
): S1Params {
  const { EE, WXN } = SCTLR.fields;
  const iaBits = 32 - txsz;
  const startLevel = 3 - Math.floor((iaBits - 1 - GRANULE_LOG2) / STRIDE);
  const tables = geometry(iaBits, startLevel, ttbr, isSet(sctlr, EE), cpu);
  return {
    ...tables,
    configurationFault: faultOf(LPAE_FAULTS, { epd, ...tables }),
    e0pd: false,
    nv1: false,
    security,
    tbi: false,
    tbiFetch: false,
    hpd,
    hwu: 0,
    wxn: isSet(sctlr, WXN),
    uwxn,
    epan: false,
    // Neither Tagged memory nor the XS attribute exists in AArch32 stage 1.
    ...NO_ARMV9_STAGE1,
    regions: mairRegions(mair, undefined, { mte: false, xs: false }),
  };
}

/** One range of TTBCR (EAE = 1): TTBR0 with T0SZ, or TTBR1 with T1SZ. */
export function s1ParamsLpae(
  registers: RangeRegisters & { readonly ttbcr: bigint },
  upper: boolean,
  cpu: CpuFeatures,
): S1Params {
  const { ttbcr, sctlr } = registers;
  const range = upper ? 1 : 0;
  const fields = {
    txsz: read(ttbcr, TXSZ[range]),
    epd: isSet(ttbcr, EPD[range]),
    hpd: false,
    uwxn: isSet(sctlr, SCTLR.fields.UWXN),
  };
  return s1ParamsLong(registers, fields, cpu);
}

/** Hyp mode: HTCR, HTTBR, HMAIR1:HMAIR0 and HSCTLR. HTCR has no EPD0, HSCTLR no UWXN. (G8.2.76; J1.2 AArch32.S1TTWParamsEL2.) */
export function s1ParamsHyp(
  registers: RangeRegisters & { readonly htcr: bigint },
  cpu: CpuFeatures,
): S1Params {
  const { htcr } = registers;
  const { T0SZ, HPD } = HTCR.fields;
  const hpd = isSet(htcr, HPD) && cpu.hpds;
  return s1ParamsLong(registers, { txsz: read(htcr, T0SZ), epd: false, hpd, uwxn: false }, cpu);
}

/** T0SZ and T1SZ of TTBCR, 3 bits each. */
export function ttbcrSizes(ttbcr: bigint): { readonly t0sz: number; readonly t1sz: number } {
  return { t0sz: read(ttbcr, TXSZ[0]), t1sz: read(ttbcr, TXSZ[1]) };
}

/** VTCR's sizes for the rules. T0SZ is signed: 32 - T0SZ is 25 to 40 bits. */
export function vtcrSubject(vtcr: bigint): VtcrSubject {
  const { T0SZ, SL0, S } = VTCR.fields;
  const t0sz = read(vtcr, T0SZ);
  return {
    t0sz: Number(BigInt.asIntN(widthOf(T0SZ), BigInt(t0sz))),
    sl0: read(vtcr, SL0),
    s: isSet(vtcr, S),
  };
}

/** Stage 2 from VTCR and VTTBR. SL0 is 0 (level 2) or 1 (level 1). */
export function s2ParamsLpae(vtcr: bigint, vttbr: bigint, control: S2Control, cpu: CpuFeatures): S2Params {
  const subject = vtcrSubject(vtcr);
  const invalid = faultOf(VTCR_RULES, subject) !== undefined;
  const level = vtcrStartLevel(subject);
  const tables =
    invalid || level === undefined
      ? geometry(GRANULE_LOG2 + 1, 3, vttbr, control.bigEndian, cpu)
      : geometry(32 - subject.t0sz, level, vttbr, control.bigEndian, cpu);
  return {
    ...tables,
    invalid,
    baseOutOfRange: isBeyond(tables),
    configurationLevel: 1,
    affd: control.affd,
    ptw: control.ptw,
    fwb: false,
    hwu: 0,
    sh: undefined,
    aarch32: true,
    security: NON_SECURE_STAGE2,
    ...NO_ARMV9_STAGE2,
  };
}
