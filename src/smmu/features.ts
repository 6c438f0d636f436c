/** The features of an SMMUv3, decoded from its identification registers. (IHI 0070 6.3.1 SMMU_IDR0, 6.3.2, 6.3.4, 6.3.6; 3.4.) */

import { isSet, read } from '../arch/read.ts';
import {
  HTTU,
  SMMU_IDR0,
  SMMU_IDR1,
  SMMU_IDR3,
  SMMU_IDR5,
  SMMU_S_CR0,
  SMMU_S_IDR0,
  SMMU_S_IDR1,
  TTF,
} from '../arch/smmu/index.ts';
import { type CpuFeatures, cpuFeatures } from '../walker/cpu.ts';

/** The identification registers that translation depends on: whole 32-bit values. */
export interface IdentificationRegisters {
  readonly idr0: bigint;
  readonly idr1: bigint;
  readonly idr3: bigint;
  readonly idr5: bigint;
}

/** An SMMUv3.1 with both stages, AArch64 tables of every granule, 44-bit output, no stalls, no substreams, no HTTU. */
export const DEFAULT_IDENTIFICATION: IdentificationRegisters = {
  idr0: 0x0d44_101bn,
  idr1: 0x273_0010n,
  idr3: 0x1404n,
  idr5: 0x74n,
};

/** The programming interface of a stream: the Non-secure one, or the Secure one with its own identification registers. */
export interface ProgrammingInterface {
  /** The Security state of the stream (SEC_SID). Default `non-secure`. (3.10.1) */
  readonly security?: 'non-secure' | 'secure';
  /** SMMU_S_IDR0 and SMMU_S_IDR1, 32 bits each. Default: stalls as of SMMU_IDR0, and Secure EL2. */
  readonly sIdr0?: bigint;
  readonly sIdr1?: bigint;
  /** SMMU_(S_)CR0, 32 bits: of Secure streams SIF counts. */
  readonly cr0?: bigint;
}

/** The registers, decoded. */
export interface SmmuFeatures {
  /** Whose streams: those of the Non-secure or the Secure stream table. */
  readonly security: 'non-secure' | 'secure';
  /** SMMU_S_IDR1.SEL2: Secure streams may have a stage 2, and belong to EL2. SMMU_IDR0.RME_IMPL: none belongs to EL3. */
  readonly sel2: boolean;
  /** SMMU_S_CR0.SIF: instruction fetches of Secure streams from Non-secure memory are permission faults of stage 1. */
  readonly sif: boolean;
  readonly rme: boolean;
  /** SMMU_IDR0.S1P, S2P. */
  readonly stage1: boolean;
  readonly stage2: boolean;
  /** TTF: which descriptor formats. */
  readonly aarch32: boolean;
  readonly aarch64: boolean;
  /** HTTU: 0 none, 1 access flag, 2 dirty state too, 3 access flags of table descriptors too. */
  readonly httu: number;
  readonly hyp: boolean;
  readonly asid16: boolean;
  readonly vmid16: boolean;
  /** CD2L: two-level tables of context descriptors. */
  readonly cd2l: boolean;
  /** TTENDIAN: 2 only little, 3 only big. */
  readonly endianness: number;
  /** STALL_MODEL: 0 configurable, 1 never, 2 forced. */
  readonly stallModel: number;
  /** TERM_MODEL: a terminated transaction always aborts. */
  readonly termModel: boolean;
  /** ATS: PCIe ATS. NS1ATS = 0: also split-stage ATS. SMMU_IDR3.DPT: with device permission tables. */
  readonly ats: boolean;
  readonly splitStageAts: boolean;
  readonly permissionTables: boolean;
  /** SMMU_IDR3.S1PI, S2PI, S2PO, PBHA, AIE, THE. SMMU_IDR5.D128, which is not modelled. */
  readonly s1pi: boolean;
  readonly s2pi: boolean;
  readonly s2po: boolean;
  readonly pbha: boolean;
  readonly aie: boolean;
  readonly the: boolean;
  readonly d128: boolean;
  readonly ssidSize: number;
  readonly sidSize: number;
  /** ATTR_PERMS_OVR: PRIVCFG and INSTCFG count. */
  readonly attributeOverride: boolean;
  /** Output and intermediate address bits. */
  readonly oas: number;
  readonly ias: number;
  /** Granules by log2. */
  readonly granules: readonly number[];
  /** The same features, as the walker takes them. */
  readonly cpu: CpuFeatures;
}

/** SMMU_IDR5.OAS. 0b111 means 56 bits, but PAs here have at most 52. */
const OAS_BITS = [32, 36, 40, 42, 44, 48, 52, 52] as const;

/** An IPA of AArch32 tables. */
const AARCH32_BITS = 40;

/** Granules by log2, and the bit that says that the SMMU supports them. */
const GRANULES = [
  [12, SMMU_IDR5.fields.GRAN4K],
  [14, SMMU_IDR5.fields.GRAN16K],
  [16, SMMU_IDR5.fields.GRAN64K],
] as const;

export function smmuFeatures(
  registers: IdentificationRegisters & ProgrammingInterface,
  oas?: number,
): SmmuFeatures {
  const { idr0, idr1, idr3, idr5, security = 'non-secure', sIdr1 } = registers;
  const secure = security === 'secure';
  const stalls =
    secure && registers.sIdr0 !== undefined
      ? read(registers.sIdr0, SMMU_S_IDR0.fields.STALL_MODEL)
      : undefined;
  const [id0, id1, id3, id5] = [SMMU_IDR0.fields, SMMU_IDR1.fields, SMMU_IDR3.fields, SMMU_IDR5.fields];
  const outputBits = oas ?? OAS_BITS[read(idr5, id5.OAS)]!;
  const httu = read(idr0, id0.HTTU);
  const formats = read(idr0, id0.TTF);
  const aarch32 = formats === TTF.aarch32 || formats === TTF.both;
  const aarch64 = formats === TTF.aarch64 || formats === TTF.both;
  const ias = Math.max(aarch32 ? AARCH32_BITS : 0, aarch64 ? outputBits : 0);
  return {
    security,
    sel2: secure && (sIdr1 === undefined || isSet(sIdr1, SMMU_S_IDR1.fields.SEL2)),
    sif: secure && isSet(registers.cr0 ?? 0n, SMMU_S_CR0.fields.SIF),
    rme: isSet(idr0, id0.RME_IMPL),
    stage1: isSet(idr0, id0.S1P),
    stage2: isSet(idr0, id0.S2P),
    aarch32,
    aarch64,
    httu,
    hyp: isSet(idr0, id0.Hyp),
    asid16: isSet(idr0, id0.ASID16),
    vmid16: isSet(idr0, id0.VMID16),
    cd2l: isSet(idr0, id0.CD2L),
    endianness: read(idr0, id0.TTENDIAN),
    stallModel: stalls ?? read(idr0, id0.STALL_MODEL),
    termModel: isSet(idr0, id0.TERM_MODEL),
    // STE.EATS of a Secure stream is RES0.
    ats: !secure && isSet(idr0, id0.ATS),
    splitStageAts: !isSet(idr0, id0.NS1ATS),
    permissionTables: isSet(idr3, id3.DPT),
    s1pi: isSet(idr3, id3.S1PI),
    s2pi: isSet(idr3, id3.S2PI),
    s2po: isSet(idr3, id3.S2PO),
    pbha: isSet(idr3, id3.PBHA),
    aie: isSet(idr3, id3.AIE),
    the: isSet(idr3, id3.THE),
    d128: isSet(idr5, id5.D128),
    ssidSize: read(idr1, id1.SSIDSIZE),
    sidSize: read(idr1, id1.SIDSIZE),
    attributeOverride: isSet(idr1, id1.ATTR_PERMS_OVR),
    oas: outputBits,
    ias,
    granules: GRANULES.flatMap(([log2, has]) => (isSet(idr5, has) ? [log2] : [])),
    cpu: {
      ...cpuFeatures({
        model: 'smmuv3',
        paBits: outputBits,
        lpa: true,
        lpa2: isSet(idr5, id5.DS),
        lva: read(idr5, id5.VAX) !== 0,
        ttst: isSet(idr3, id3.STT),
        xnx: isSet(idr3, id3.XNX),
        hafdbs: httu !== HTTU.none,
        haft: httu === HTTU.tableAccessFlag,
        s2fwb: isSet(idr3, id3.FWB),
        e0pd: isSet(idr3, id3.E0PD),
        hpds: isSet(idr3, id3.HAD),
        pan3: isSet(idr3, id3.EPAN),
        s1pie: isSet(idr3, id3.S1PI),
        s2pie: isSet(idr3, id3.S2PI),
        s2poe: isSet(idr3, id3.S2PO),
        aie: isSet(idr3, id3.AIE),
        the: isSet(idr3, id3.THE),
        mtePerm: isSet(idr3, id3.MTEPERM),
      }),
      ipaBits: ias,
    },
  };
}
