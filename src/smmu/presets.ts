/**
 * SMMUs by name: the identification registers of QEMU's and of hardware whose manual says them, and of an SMMU with all that is
 * modelled here. (IHI 0070 6.3.1 to 6.3.8, 6.3.14.)
 */
import { wordOf } from '../arch/read.ts';
import { SMMU_AIDR, SMMU_IDR0, SMMU_IDR1, SMMU_IDR3, SMMU_IDR5 } from '../arch/smmu/index.ts';
import type { IdentificationRegisters } from './features.ts';

/** An SMMU's identification registers, and SMMU_GBPA at reset: whole 32-bit values. */
export interface SmmuPreset extends IdentificationRegisters {
  readonly aidr: bigint;
  readonly gbpa: bigint;
}

/** QEMU 7.2's: stage 1 alone. Read from its registers. */
const QEMU_7_2: SmmuPreset = {
  idr0: 0xd40_101an,
  idr1: 0x273_0010n,
  idr3: 0x1404n,
  idr5: 0x74n,
  aidr: 0x1n,
  gbpa: 0n,
};

/** QEMU 11.1's: both stages. Read from its registers. */
const QEMU_11_1: SmmuPreset = {
  idr0: 0xd44_101bn,
  idr1: 0x273_0010n,
  idr3: 0x1414n,
  idr5: 0x74n,
  aidr: 0x1n,
  gbpa: 0x1000n,
};

/**
 * The MMU-600 of Intel's Agilex 5: the reset values in its register map, `smmu_tcu Address Map` of the Agilex 5 HPS Address Map and
 * Register Definitions. (The pages of single fields there show COHACC, BTM, SEV and OAS as 0, which inputs of the MMU-600 decide.)
 */
const AGILEX_5: SmmuPreset = {
  idr0: 0x80f_7e3fn,
  idr1: 0xe73_9d18n,
  idr3: 0x3cn,
  idr5: 0x40_0075n,
  aidr: 0x1n,
  gbpa: 0n,
};

/** Every feature that is modelled, at its largest: SMMUv3.4 with both stages and formats, substreams, stalls, ATS, PRI, HTTU and 52 bits. */
const ALL: SmmuPreset = {
  idr0: wordOf(SMMU_IDR0, {
    ST_LEVEL: 1,
    CD2L: true,
    VMID16: true,
    VMW: true,
    PRI: true,
    MSI: true,
    ASID16: true,
    ATS: true,
    Hyp: true,
    HTTU: 3,
    COHACC: true,
    TTF: 3,
    S1P: true,
    S2P: true,
  }),
  idr1: wordOf(SMMU_IDR1, {
    ATTR_TYPES_OVR: true,
    ATTR_PERMS_OVR: true,
    CMDQS: 19,
    EVENTQS: 19,
    PRIQS: 19,
    SSIDSIZE: 20,
    SIDSIZE: 32,
  }),
  idr3: wordOf(SMMU_IDR3, {
    AIE: true,
    MTEPERM: true,
    THE: true,
    S2PO: true,
    S2PI: true,
    S1PI: true,
    EPAN: true,
    E0PD: true,
    BBML: 2,
    RIL: true,
    STT: true,
    FWB: true,
    PPS: true,
    XNX: true,
    PBHA: true,
    HAD: true,
  }),
  idr5: wordOf(SMMU_IDR5, {
    STALL_MAX: 256,
    VAX: 1,
    DS: true,
    GRAN64K: true,
    GRAN16K: true,
    GRAN4K: true,
    OAS: 6,
  }),
  aidr: wordOf(SMMU_AIDR, { ArchMinorRev: 4 }),
  gbpa: 0n,
};

/** SMMUs by name. */
export const SMMU_PRESETS = {
  'qemu-7.2': QEMU_7_2,
  'qemu-11.1': QEMU_11_1,
  'mmu-600-agilex-5': AGILEX_5,
  all: ALL,
} as const satisfies Readonly<Record<string, SmmuPreset>>;

/** The name of one. */
export type SmmuPresetName = keyof typeof SMMU_PRESETS;

/** All names. */
export const SMMU_PRESET_NAMES = Object.keys(SMMU_PRESETS) as SmmuPresetName[];
