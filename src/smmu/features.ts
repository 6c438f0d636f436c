/** What an SMMUv3 implements, as its identification registers say. (IHI 0070 6.3.1 SMMU_IDR0, 6.3.2, 6.3.4, 6.3.6; 3.4.) */

import { field, flag } from '../walker/bits.ts';
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

/** The registers, decoded. */
export interface SmmuFeatures {
  /** SMMU_IDR0.S1P, S2P. */
  readonly stage1: boolean;
  readonly stage2: boolean;
  /** TTF: which descriptor formats. */
  readonly aarch32: boolean;
  readonly aarch64: boolean;
  /** HTTU: 0 none, 1 access flag, 2 dirty state too. */
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
  readonly ssidSize: number;
  readonly sidSize: number;
  /** ATTR_PERMS_OVR: PRIVCFG and INSTCFG count. */
  readonly attributeOverride: boolean;
  /** Output and intermediate address bits. */
  readonly oas: number;
  readonly ias: number;
  /** Granules by log2. */
  readonly granules: readonly number[];
  /** The same as the walker sees it. */
  readonly cpu: CpuFeatures;
}

/** SMMU_IDR5.OAS. 0b111 (56 bits) is beyond every PA here. */
const OAS_BITS = [32, 36, 40, 42, 44, 48, 52, 52] as const;

export function smmuFeatures(registers: IdentificationRegisters, oas?: number): SmmuFeatures {
  const { idr0, idr1, idr3, idr5 } = registers;
  const outputBits = oas ?? OAS_BITS[field(idr5, 2, 0)]!;
  const httu = field(idr0, 7, 6);
  const aarch32 = flag(idr0, 2);
  const granules = [flag(idr5, 4) ? [12] : [], flag(idr5, 5) ? [14] : [], flag(idr5, 6) ? [16] : []].flat();
  return {
    stage1: flag(idr0, 1),
    stage2: flag(idr0, 0),
    aarch32,
    aarch64: flag(idr0, 3),
    httu,
    hyp: flag(idr0, 9),
    asid16: flag(idr0, 12),
    vmid16: flag(idr0, 18),
    cd2l: flag(idr0, 19),
    endianness: field(idr0, 22, 21),
    stallModel: field(idr0, 25, 24),
    termModel: flag(idr0, 26),
    ssidSize: field(idr1, 10, 6),
    sidSize: field(idr1, 5, 0),
    attributeOverride: flag(idr1, 26),
    oas: outputBits,
    ias: aarch32 ? Math.max(40, outputBits) : outputBits,
    granules,
    cpu: cpuFeatures({
      model: 'smmuv3',
      paBits: outputBits,
      lpa: true,
      lpa2: flag(idr5, 7),
      lva: field(idr5, 11, 10) !== 0,
      ttst: flag(idr3, 9),
      xnx: flag(idr3, 4),
      hafdbs: httu !== 0,
      s2fwb: flag(idr3, 8),
      e0pd: flag(idr3, 13),
      hpds: flag(idr3, 2),
      pan3: flag(idr3, 17),
    }),
  };
}
