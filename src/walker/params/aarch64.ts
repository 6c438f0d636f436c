/**
 * Stage-1 and stage-2 walk parameters of the AArch64 regimes, gathered once from register values.
 * (DDI 0487 D19.2 for the fields; J1.1 AArch64.S1TTWParamsEL10, EL2, EL20, EL3, NSS2TTWParams, S1StartLevel, S2StartLevel.)
 */
import { isSet, read, withField } from '../../arch/read.ts';
import { PERMISSION_FIELDS } from '../../arch/registers/permissions.ts';
import { SCTLR_EL1 } from '../../arch/registers/sctlr.ts';
import { HCR_EL2, VTCR_EL2 } from '../../arch/registers/stage2.ts';
import { VSTCR_EL2 } from '../../arch/registers/stage2-secure.ts';
import { NON_SECURE_STAGE2, type StageSecurity } from '../../arch/security.ts';
import type { CpuFeatures } from '../cpu.ts';
import { ADDRESS_HIGH, type TableGeometry } from '../descriptor64.ts';
import { S2_RIGHTS } from '../permission-indirection.ts';
import { isBeyond } from '../rules/base.ts';
import { faultOf } from '../rules/rule.ts';
import { S1_FAULTS, takesTxsz } from '../rules/stage1.ts';
import { type StartSubject, startFaultOf, startLevelOf } from '../rules/stage2.ts';
import { type ExtendedControls, NOT_EXTENDED } from './extended.ts';
import {
  MAIR2_FIRST,
  mairRegions,
  type S1Params,
  type S2Control,
  type S2Params,
  type S2Permissions,
} from './params.ts';
import { type RangeFields, stage2Fields, type TableAddress } from './range-fields.ts';
import {
  effectiveDs,
  firstBlockLevel,
  hasWideBase,
  highAddress,
  outputBits,
  s1Effective,
  s2Effective,
  tableBase,
} from './sizes.ts';

/** The fields of SCTLR_ELx and HCR_EL2 that affect stage 1. */
export interface SystemControl {
  readonly security: StageSecurity;
  readonly wxn: boolean;
  readonly nv1: boolean;
  readonly epan: boolean;
  readonly bigEndian: boolean;
  /** What TCR2_ELx and similar registers add. */
  readonly extended: ExtendedControls;
}

/**
 * SCTLR_EL1, SCTLR_EL2 and SCTLR_EL3 have these fields in the same bits. With `nv1` PSTATE.PAN counts as 0, so EPAN has no effect
 * either.
 */
export function systemControl(
  sctlr: bigint,
  nv1: boolean,
  security: StageSecurity,
  cpu: CpuFeatures,
  extended: ExtendedControls = NOT_EXTENDED,
): SystemControl {
  const { WXN, EPAN, EE } = SCTLR_EL1.fields;
  const epan = cpu.pan3 && !nv1 && isSet(sctlr, EPAN);
  return { security, wxn: isSet(sctlr, WXN), nv1, epan, bigEndian: isSet(sctlr, EE), extended };
}

/** The geometry of a stage's tables: where they are and how they divide addresses, given granule, input size and start level. */
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
  const high = highAddress(granuleLog2, ds, cpu);
  return {
    granuleLog2,
    stride,
    iaBits,
    startLevel,
    tableBase: tableBase(address, tableLog2, hasWideBase({ granuleLog2, highAddress: high }, ps, cpu)),
    oaBits: outputBits(ps, granuleLog2, ds, cpu),
    firstBlockLevel: firstBlockLevel(granuleLog2, ds, cpu),
    highAddress: high,
    addressHighMask: ADDRESS_HIGH,
    nT: cpu.bbm > 0,
  };
}

/** What hardware updates, with FEAT_HAFDBS: the access flag, and with it the dirty state. */
function updatesOf(fields: RangeFields, cpu: CpuFeatures): Pick<TableGeometry, 'ha' | 'hd' | 'dirtyOff'> {
  const ha = fields.ha && cpu.hafdbs;
  const hd = ha && fields.hd;
  const dirtyOff = !cpu.hafdbs ? 'FEAT_HAFDBS' : fields.hd ? 'HA' : 'HD';
  return { ha, hd, dirtyOff: hd ? undefined : dirtyOff };
}

/** Stage-1 parameters of one range; `upper`: TTBR1's. */
export function s1Params(
  given: RangeFields,
  mair: bigint | undefined,
  control: SystemControl,
  cpu: CpuFeatures,
  upper = false,
): S1Params {
  const { extended } = control;
  const { indirection, overlays, aie } = extended;
  const fields = s1Effective(given, cpu);
  const { granuleLog2, txsz, ps, base: address } = fields;
  const ds = effectiveDs(fields, cpu);
  const iaBits = takesTxsz(fields, cpu) ? 64 - txsz : 48;
  // AArch64.S1StartLevel: the bits above the page decide how many levels there are above level 3.
  const startLevel = 3 - Math.floor((iaBits - 1 - granuleLog2) / (granuleLog2 - 3));
  const geometry = tableGeometry({ granuleLog2, ds, iaBits, startLevel, ps, address }, cpu);
  const updates = updatesOf(fields, cpu);
  const sh = ds ? fields.sh : undefined;
  const range = upper ? 1 : 0;
  return {
    ...geometry,
    bigEndian: control.bigEndian,
    ...updates,
    haft: extended.haft && updates.ha,
    affd: fields.affd,
    configurationFault: faultOf(S1_FAULTS, { fields, cpu, ...geometry }),
    e0pd: fields.e0pd && cpu.e0pd,
    nv1: control.nv1,
    security: control.security,
    tbi: fields.tbi,
    tbiFetch: fields.tbi && !(fields.tbid && cpu.pauth),
    // Any of these disables hierarchical permissions, whatever HPD says. (R_JHSVW, R_BVXDG; D8.6.1 for AIE)
    hpd: (fields.hpd && cpu.hpds) || indirection !== undefined || overlays !== undefined || aie,
    // HWUnn counts with HPDn = 1 alone, and neither with overlays nor with FEAT_AIE, which have these bits. (D24.2.194, R_TDLFM)
    hwu: fields.hpd && cpu.hpds && overlays === undefined && !aie ? fields.hwu : 0,
    indirection,
    overlays,
    pnch: extended.pnch,
    neverGlobal: extended.neverGlobal[range],
    neverGlobalUnassured: extended.neverGlobalUnassured[range],
    aie,
    wxn: control.wxn,
    uwxn: false,
    epan: control.epan,
    regions: aie
      ? [...mairRegions(mair, sh, cpu), ...mairRegions(extended.mair2, sh, cpu, MAIR2_FIRST)]
      : mairRegions(mair, sh, cpu),
  };
}

/** S2PIR_EL2 and S2POR_EL1, which VTCR_EL2.S2PIE and S2POE enable. */
export interface S2PermissionRegisters {
  readonly s2pir: bigint;
  readonly s2por: bigint;
}

const NO_PERMISSION_REGISTERS: S2PermissionRegisters = { s2pir: 0n, s2por: 0n };

const s2Permissions = (register: bigint): S2Permissions => ({
  register,
  fields: PERMISSION_FIELDS.map((field) => S2_RIGHTS[read(register, field)]!),
});

/** VTCR_EL2's controls of indirect permissions, of overlays and of FEAT_THE. Overlays need indirection. (R_MMYHQ) */
function s2Extended(vtcr: bigint, { s2pir, s2por }: S2PermissionRegisters, cpu: CpuFeatures) {
  const { S2PIE, S2POE, AssuredOnly, TL0, TL1, GCSH } = VTCR_EL2.fields;
  const indirect = cpu.s2pie && isSet(vtcr, S2PIE);
  return {
    indirection: indirect ? s2Permissions(s2pir) : undefined,
    overlays: indirect && cpu.s2poe && isSet(vtcr, S2POE) ? s2Permissions(s2por) : undefined,
    assuredOnly: cpu.the && isSet(vtcr, AssuredOnly),
    tl0: cpu.the && isSet(vtcr, TL0),
    tl1: cpu.the && isSet(vtcr, TL1),
    gcsh: cpu.the && cpu.gcs && isSet(vtcr, GCSH),
    tagPermissions: cpu.mtePerm,
  };
}

/** HCR_EL2.PTW (not with TGE) and FWB. AArch32's HCR has PTW and TGE in the same places, and nothing above bit 31. */
export function hypervisorControl(hcr: bigint): S2Control {
  const { PTW, TGE, FWB } = HCR_EL2.fields;
  return { ptw: isSet(hcr, PTW) && !isSet(hcr, TGE), fwb: isSet(hcr, FWB), affd: false, bigEndian: false };
}

/** VTCR_EL2 as the rules for a start level take it. */
export function startSubject(vtcr: bigint, cpu: CpuFeatures, address: TableAddress): StartSubject {
  const { SL0, SL2 } = VTCR_EL2.fields;
  return {
    fields: s2Effective(stage2Fields(vtcr, address), cpu),
    sl0: read(vtcr, SL0),
    sl2: isSet(vtcr, SL2),
    cpu,
  };
}

/** If T0SZ and SL0 are invalid: the smallest table, which no walk reads. */
const NOWHERE = { startLevel: 3, inputBits: 1 } as const;

const SECURE_IPA_FIELDS = Object.values(VSTCR_EL2.fields).filter(({ name }) =>
  ['SL2', 'TG0', 'SL0', 'T0SZ'].includes(name),
);

/** VTCR_EL2 for Secure IPAs, with the size and granule of their tables from VSTCR_EL2, which has them in the same bits. (AArch64.SS2TTWParams.) */
export function secureVtcr(vtcr: bigint, vstcr: bigint): bigint {
  return SECURE_IPA_FIELDS.reduce((word, field) => withField(word, field, read(vstcr, field)), vtcr);
}

/**
 * Stage 2 from the value of VTCR_EL2 and the table's address. (AArch64.NSS2TTWParams, SS2TTWParams, RLS2TTWParams, S2Translate's
 * checks.)
 */
export function s2Params(
  vtcr: bigint,
  address: TableAddress,
  control: S2Control,
  cpu: CpuFeatures,
  registers: S2PermissionRegisters = NO_PERMISSION_REGISTERS,
): S2Params {
  const subject = startSubject(vtcr, cpu, address);
  const { fields } = subject;
  const { granuleLog2, ps } = fields;
  const ds = effectiveDs(fields, cpu);
  const invalid = startFaultOf(subject) !== undefined;
  const iaBits = invalid ? granuleLog2 + NOWHERE.inputBits : 64 - fields.txsz;
  const startLevel = startLevelOf(subject) ?? NOWHERE.startLevel;
  const updates = updatesOf(fields, cpu);
  const extended = s2Extended(vtcr, registers, cpu);
  const geometry = tableGeometry({ granuleLog2, ds, iaBits, startLevel, ps, address }, cpu);
  return {
    ...geometry,
    bigEndian: control.bigEndian,
    ...updates,
    haft: cpu.haft && updates.ha && isSet(vtcr, VTCR_EL2.fields.HAFT),
    ...extended,
    hwu: extended.overlays === undefined ? fields.hwu : 0,
    affd: control.affd,
    invalid,
    baseOutOfRange: isBeyond(geometry),
    configurationLevel: 0,
    ptw: control.ptw,
    fwb: control.fwb && cpu.s2fwb,
    sh: ds ? fields.sh : undefined,
    aarch32: false,
    security: control.security ?? NON_SECURE_STAGE2,
  };
}
