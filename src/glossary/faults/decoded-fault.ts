/** A fault read from a register, a record or a log: the result of every decoder here. */
import type { RegisterLayout } from '../register.ts';
import type { StatusKind } from '../status.ts';
import type { PrintedWalk } from './printed-walk.ts';

/** What reported the fault. */
export type FaultSource = CpuSource | SmmuSource | SocSource;
/** `text`: only words, without the value of a register. */
export type CpuSource = 'esr' | 'par' | 'dfsr' | 'ifsr' | 'text';
export type SmmuSource = 'smmuv3' | 'smmuv3-global' | 'smmuv2' | 'smmuv2-global';
/** MMUs of GPUs (an Adreno's is an SMMUv2), and IOMMUs other than Arm's SMMU. */
export type SocSource =
  | 'mali'
  | 'adreno'
  | 'm4u'
  | 'm4u-v1'
  | 'ipmmu'
  | 'dart'
  | 'sysmmu'
  | 'rockchip'
  | 'sun50i'
  | 'tegra-mc'
  | 'v3d'
  | 'lima'
  | 'etnaviv'
  | 'omap';

const CPU_SOURCES: readonly FaultSource[] = ['esr', 'par', 'dfsr', 'ifsr', 'text'] satisfies CpuSource[];

/** Whether the access was made by a device, not by a CPU. */
export function isOfDevice(source: FaultSource): boolean {
  return !CPU_SOURCES.includes(source);
}

/** Sources whose table format is not supported here. */
const OWN_FORMATS: readonly FaultSource[] = [
  'm4u-v1',
  'dart',
  'sysmmu',
  'rockchip',
  'sun50i',
  'tegra-mc',
  'v3d',
  'lima',
  'etnaviv',
  'omap',
] satisfies SocSource[];

/** Whether a walker here can repeat the walk. */
export function isWalkable(source: FaultSource): boolean {
  return !OWN_FORMATS.includes(source);
}

/**
 * A kind of fault status, of an SMMU's configuration (`c_bad_ste`), or neither: `none` for a translation that succeeded, `unknown`
 * if the report does not say.
 */
export type DecodedKind = StatusKind | ConfigurationKind | 'none' | 'other' | 'unknown';

export type ConfigurationKind =
  | 'f_uut'
  | 'c_bad_streamid'
  | 'f_ste_fetch'
  | 'c_bad_ste'
  | 'f_bad_ats_treq'
  | 'f_stream_disabled'
  | 'f_transl_forbidden'
  | 'c_bad_substreamid'
  | 'f_cd_fetch'
  | 'c_bad_cd'
  | 'f_cfg_conflict'
  | 'e_page_request'
  | 'f_vms_fetch'
  | 'unknown_stream';

/** A register or record from which the fault was read. */
export interface RegisterValue {
  readonly layout: RegisterLayout;
  readonly value: bigint;
}

/** The known facts of a fault. A member is undefined if the report does not say. */
export interface DecodedFault {
  readonly source: FaultSource;
  readonly kind: DecodedKind;
  /** The report's name for it: `DFSC 0x07`, `F_TRANSLATION`, `TF`. */
  readonly name: string;
  readonly stage?: 1 | 2 | undefined;
  /** Arm's level, -2 to 3. SMMUv3 events have none. */
  readonly level?: number | undefined;
  /** The Exception level that took the exception, if the report says. */
  readonly el?: 1 | 2 | 3 | undefined;
  /** The input address: a VA or IOVA, or an IPA with only stage 2. Unsigned, 64 bits. */
  readonly address?: bigint | undefined;
  /** The address that stage 2 could not translate; its lowest 12 bits may be missing. */
  readonly ipa?: bigint | undefined;
  readonly access?: 'read' | 'write' | 'execute' | undefined;
  readonly privileged?: boolean | undefined;
  /** A fault of stage 2 on the fetch (or update) of a stage-1 descriptor. */
  readonly ptw?: boolean | undefined;
  /** SMMUv3 CLASS. */
  readonly class?: 'cd' | 'tt' | 'in' | undefined;
  readonly streamId?: number | undefined;
  readonly substreamId?: number | undefined;
  /** SMMUv2: the context bank. */
  readonly contextBank?: number | undefined;
  /** Physical address of a fetch that was aborted. */
  readonly fetchAddress?: bigint | undefined;
  /** The command at which an SMMUv3's Command queue stopped: its name, or its opcode. */
  readonly command?: string | undefined;
  /** Whether the transaction waits for software. */
  readonly stalled?: boolean | undefined;
  /** Short descriptors: the domain, 0 to 15. */
  readonly domain?: number | undefined;
  /** Whether the tables have short descriptors, if known. */
  readonly short?: boolean | undefined;
  /** The physical address in the report: of a successful translation, or of an access that was refused after it. */
  readonly pa?: bigint | undefined;
  /** The last descriptor of the walk in a log. */
  readonly descriptor?: bigint | undefined;
  /** The walk that a log prints with the fault. */
  readonly printed?: PrintedWalk | undefined;
  /** The device that a log names. */
  readonly device?: string | undefined;
  readonly registers: readonly RegisterValue[];
  /** Notes on this report beyond its fields. */
  readonly notes: readonly string[];
  /** The cause, if other lines leave no doubt. */
  readonly cause?: string | undefined;
  /** Causes that this report shows, the surest first. */
  readonly hints?: readonly string[] | undefined;
  /** Other readings of the same number, if nothing nearby says which register it is. */
  readonly otherwise?: readonly DecodedFault[] | undefined;
}

const MASK_64 = (1n << 64n) - 1n;
const MASK_12 = 0xfffn;

/** An IPA from the page in a register and the offset of the input address. */
export function withOffset(page: bigint | undefined, address: bigint | undefined): bigint | undefined {
  if (page === undefined || address === undefined) return page;
  return (page | (address & MASK_12)) & MASK_64;
}
