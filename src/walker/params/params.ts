/** Walk parameters: what S1TTWParams and S2TTWParams of the pseudocode hold, decoded for the walk's loop. (DDI 0487 J1.3.) */
import { read } from '../../arch/read.ts';
import { MAIR_ATTRIBUTES } from '../../arch/registers/base.ts';
import type { Stage2Security, StageSecurity } from '../../arch/security.ts';
import {
  type AttributeFeatures,
  decodeMairByte,
  decodeShareability,
  effectiveShareability,
  type MemoryRegion,
  unknownMemory,
} from '../attributes.ts';
import type { TableGeometry } from '../descriptor64.ts';
import type { S1Indirection, S2Rights } from '../permission-indirection.ts';
import type { S1Overlays } from '../permission-overlays.ts';
import type { S1PermissionControls } from '../permissions.ts';
import type { FaultKind } from '../types.ts';

/** A fault that the register values alone determine. */
export interface ConfigurationFault {
  readonly kind: FaultKind;
  readonly level: number;
}

/** Stage 1, one VA range. */
export interface S1Params extends TableGeometry, S1PermissionControls {
  readonly configurationFault: ConfigurationFault | undefined;
  /** TCR.E0PDn: unprivileged accesses fault. */
  readonly e0pd: boolean;
  /** The top byte is ignored: in data accesses, in instruction fetches. */
  readonly tbi: boolean;
  readonly tbiFetch: boolean;
  /** HCR_EL2.{NV, NV1} = {1, 1}: permissions are those of a guest hypervisor's descriptors. */
  readonly nv1: boolean;
  /** The Security state of its accesses, which decides what NS, NSTable and NSE mean. */
  readonly security: StageSecurity;
  /** Hierarchical permissions are disabled. */
  readonly hpd: boolean;
  /** Of PBHA, bits [62:59] of a leaf, those that hardware uses (TCR_ELx.HWUnn). */
  readonly hwu: number;
  /** Permissions are indirect (FEAT_S1PIE), and which overlays there are (FEAT_S1POE). */
  readonly indirection: S1Indirection | undefined;
  readonly overlays: S1Overlays | undefined;
  /** Bit 52 is Protected, not the contiguous hint (FEAT_THE). */
  readonly pnch: boolean;
  /** nG counts as 1: always (FEAT_ASID2), or if the translation is not assured (FEAT_THE). */
  readonly neverGlobal: boolean;
  readonly neverGlobalUnassured: boolean;
  /** Bit 59 of a leaf is AttrIndx[3] (FEAT_AIE). */
  readonly aie: boolean;
  /** Attributes by AttrIndx[2:0] + 8 * SH, and with FEAT_AIE those of MAIR2 behind them. */
  readonly regions: readonly MemoryRegion[];
}

/** What controls stage 2 besides VTCR: HCR of a PE, the stream table entry of an SMMU. */
export interface S2Control {
  readonly ptw: boolean;
  readonly fwb: boolean;
  readonly affd: boolean;
  readonly bigEndian: boolean;
  /** Default: Non-secure state. */
  readonly security?: Stage2Security;
}

/** Stage 2. */
export interface S2Params extends TableGeometry {
  /** T0SZ or SL0 is out of range, or they do not fit each other: every access is a translation fault. */
  readonly invalid: boolean;
  /** VTTBR points beyond the output size. */
  readonly baseOutOfRange: boolean;
  /** The level in a translation fault because of the configuration, or because an IPA is out of range. */
  readonly configurationLevel: number;
  /** HCR.PTW: a stage-1 walk may not read Device memory. */
  readonly ptw: boolean;
  /** HCR_EL2.FWB. */
  readonly fwb: boolean;
  /** Of PBHA, those that hardware uses (VTCR_EL2.HWUnn). */
  readonly hwu: number;
  /** VTCR.SH0 if it replaces the descriptor's SH (DS = 1). */
  readonly sh: number | undefined;
  readonly aarch32: boolean;
  /** The physical address spaces of its tables and its outputs. */
  readonly security: Stage2Security;
  /** FEAT_S2PIE in use: by PIIndex, what S2PIR_EL2 allows. FEAT_S2POE: by POIndex, what S2POR_EL1 leaves. The registers beside them. */
  readonly indirection: S2Permissions | undefined;
  readonly overlays: S2Permissions | undefined;
  /** VTCR_EL2 of FEAT_THE: bit 58 of a leaf is AssuredOnly; TopLevel checks of TTBR0_EL1 and TTBR1_EL1; GCSH. */
  readonly assuredOnly: boolean;
  readonly tl0: boolean;
  readonly tl1: boolean;
  readonly gcsh: boolean;
  /** MemAttr may say NoTagAccess (FEAT_MTE_PERM). */
  readonly tagPermissions: boolean;
}

/** S2PIR_EL2 or S2POR_EL1, and what each of its fields stands for. */
export interface S2Permissions {
  readonly register: bigint;
  readonly fields: readonly S2Rights[];
}

/** AttrIndx of the first byte of MAIR2. */
export const MAIR2_FIRST = 8;

const SH_CODES = [0, 1, 2, 3] as const;

/** Every combination of AttrIndx and SH of a MAIR, decoded. `mair` undefined: it was not given. `sh`: TCR.SHn if it replaces the descriptor's SH. `first`: the AttrIndx of the lowest byte. */
export function mairRegions(
  mair: bigint | undefined,
  sh: number | undefined,
  features: AttributeFeatures,
  first = 0,
): MemoryRegion[] {
  if (mair === undefined) return unknownRegions(sh, first);
  const types = MAIR_ATTRIBUTES.map((field) => Object.freeze(decodeMairByte(read(mair, field), features)));
  return SH_CODES.flatMap((code) =>
    types.map((attributes) => {
      const shareability = effectiveShareability(attributes, decodeShareability(sh ?? code));
      return Object.freeze({ attributes, shareability });
    }),
  );
}

/** The same if MAIR was not given: the types are not known, and the shareability is the descriptor's. */
function unknownRegions(sh: number | undefined, first: number): MemoryRegion[] {
  const types = MAIR_ATTRIBUTES.map((_, attrIndx) => Object.freeze(unknownMemory(first + attrIndx)));
  return SH_CODES.flatMap((code) =>
    types.map((attributes) => Object.freeze({ attributes, shareability: decodeShareability(sh ?? code) })),
  );
}
