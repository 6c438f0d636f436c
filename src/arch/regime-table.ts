/**
 * Translation regimes as data: the parts of each, and the names of its registers. (DDI 0487 D8.1.2 and Table D8-1 for AArch64,
 * G5.1 for AArch32; IHI 0070 3.3 for streams.)
 */

/** The kind of a stage's descriptors. `long or short`: TTBCR.EAE chooses. */
export type DescriptorKind = 'long' | 'short' | 'long or short' | 'mtk' | 'mali' | 'riscv';

/** The walker's names of a PE's registers, the same for every exception level. */
export const REGISTER_NAMES = [
  'ttbr0',
  'ttbr1',
  'tcr',
  'mair',
  'sctlr',
  'vttbr',
  'vtcr',
  'vsttbr',
  'vstcr',
  'hcr',
  'dacr',
  'gpccr',
  'gptbr',
  'gpcbw',
  'sstatus',
  'tcr2',
  'pir',
  'pire0',
  'por',
  'por0',
  'mair2',
  's2pir',
  's2por',
  'hcrx',
] as const;

/** One of these names. */
export type RegisterName = (typeof REGISTER_NAMES)[number];

/** The properties of a regime. */
export interface RegimeTraits {
  /** The architecture. `SMMU`: the stream table entry chooses one of Arm's. */
  readonly architecture: 'AArch64' | 'AArch32' | 'SMMU' | 'MediaTek' | 'Mali' | 'RISC-V';
  /** The exception level that controls stage 1; undefined outside Arm's PEs. */
  readonly el: 1 | 2 | 3 | undefined;
  /** Which stages translate, the input of stage 2 alone being an IPA. */
  readonly stage1: boolean;
  readonly stage2: boolean;
  /** VA ranges of stage 1: only TTBR0, or also TTBR1 for the upper addresses. */
  readonly ranges: 1 | 2;
  /** There are unprivileged accesses (from EL0); without them every access is privileged. */
  readonly unprivileged: boolean;
  /** The descriptors of stage 1, or of stage 2 if there is no stage 1. */
  readonly descriptors: DescriptorKind;
  /** The manual's names of the registers that the regime reads. An absent one has no effect. */
  readonly registers: Readonly<Partial<Record<RegisterName, string>>>;
  /** The input has but the bits that the tables translate, as on a bus of that width: nothing extends its sign. */
  readonly unsigned?: true;
  /** Other names that people use for it, in lower case. */
  readonly aliases: readonly string[];
}

const EL1_STAGE1 = {
  ttbr0: 'TTBR0_EL1',
  ttbr1: 'TTBR1_EL1',
  tcr: 'TCR_EL1',
  mair: 'MAIR_EL1',
  sctlr: 'SCTLR_EL1',
  tcr2: 'TCR2_EL1',
  pir: 'PIR_EL1',
  pire0: 'PIRE0_EL1',
  por: 'POR_EL1',
  por0: 'POR_EL0',
  mair2: 'MAIR2_EL1',
  hcrx: 'HCRX_EL2',
} as const;
const EL2_STAGE1 = {
  ttbr0: 'TTBR0_EL2',
  tcr: 'TCR_EL2',
  mair: 'MAIR_EL2',
  sctlr: 'SCTLR_EL2',
  tcr2: 'TCR2_EL2',
  pir: 'PIR_EL2',
  por: 'POR_EL2',
  mair2: 'MAIR2_EL2',
} as const;
const AARCH64_STAGE2 = {
  vttbr: 'VTTBR_EL2',
  vtcr: 'VTCR_EL2',
  vsttbr: 'VSTTBR_EL2',
  vstcr: 'VSTCR_EL2',
  hcr: 'HCR_EL2',
  s2pir: 'S2PIR_EL2',
  s2por: 'S2POR_EL1',
} as const;
const PL1_STAGE1 = {
  ttbr0: 'TTBR0',
  ttbr1: 'TTBR1',
  tcr: 'TTBCR',
  mair: 'MAIR1:MAIR0',
  sctlr: 'SCTLR',
} as const;
const AARCH32_STAGE2 = { vttbr: 'VTTBR', vtcr: 'VTCR', hcr: 'HCR' } as const;

const EL1 = {
  architecture: 'AArch64',
  el: 1,
  ranges: 2,
  unprivileged: true,
  descriptors: 'long',
} as const;
const PL1 = {
  architecture: 'AArch32',
  el: 1,
  ranges: 2,
  unprivileged: true,
} as const;
const STREAM = {
  architecture: 'SMMU',
  el: undefined,
  ranges: 2,
  unprivileged: true,
  descriptors: 'long',
  registers: {},
} as const;
const OTHER = {
  el: undefined,
  stage1: true,
  stage2: false,
  ranges: 1,
  unprivileged: true,
} as const;

/**
 * Every regime by its name. `-s2`: stage 2 alone, the input address being an IPA; `-nested`: stage 1 under stage 2.
 * `pl1&0` is AArch32 with long descriptors, `pl1&0-short` with short ones; in `pl1&0-nested` TTBCR.EAE chooses, and in
 * `pl1&0-nested64`, whose stage 2 is that of an AArch64 hypervisor. `pl2` is AArch32 Hyp mode. `mtk`: short descriptors of a MediaTek M4U, with wider addresses; `mali`: an address space of a Mali GPU; `riscv`:
 * Sv39, Sv48 or Sv57 of a hart, whose addresses are sign-extended; `riscv-iova`: the same tables behind a bus with no more
 * address bits than they translate. `smmuv3-*`: a stream of an SMMUv3, by the stages that its entry asks for.
 */
export const REGIMES = {
  'el1&0': {
    ...EL1,
    stage1: true,
    stage2: false,
    registers: EL1_STAGE1,
    aliases: ['el1', 'el0'],
  },
  'el1&0-s2': {
    ...EL1,
    stage1: false,
    stage2: true,
    registers: AARCH64_STAGE2,
    aliases: ['el1-s2', 'stage2', 's2'],
  },
  'el1&0-nested': {
    ...EL1,
    stage1: true,
    stage2: true,
    registers: { ...EL1_STAGE1, ...AARCH64_STAGE2 },
    aliases: ['el1-nested', 'nested'],
  },
  el2: {
    architecture: 'AArch64',
    el: 2,
    stage1: true,
    stage2: false,
    ranges: 1,
    unprivileged: false,
    descriptors: 'long',
    registers: EL2_STAGE1,
    aliases: [],
  },
  'el2&0': {
    architecture: 'AArch64',
    el: 2,
    stage1: true,
    stage2: false,
    ranges: 2,
    unprivileged: true,
    descriptors: 'long',
    registers: { ...EL2_STAGE1, ttbr1: 'TTBR1_EL2', pire0: 'PIRE0_EL2', por0: 'POR_EL0' },
    aliases: ['vhe', 'e2h', 'el2-vhe'],
  },
  el3: {
    architecture: 'AArch64',
    el: 3,
    stage1: true,
    stage2: false,
    ranges: 1,
    unprivileged: false,
    descriptors: 'long',
    registers: {
      ttbr0: 'TTBR0_EL3',
      tcr: 'TCR_EL3',
      mair: 'MAIR_EL3',
      sctlr: 'SCTLR_EL3',
      pir: 'PIR_EL3',
      por: 'POR_EL3',
      mair2: 'MAIR2_EL3',
    },
    aliases: [],
  },
  'pl1&0': {
    ...PL1,
    stage1: true,
    stage2: false,
    descriptors: 'long',
    registers: PL1_STAGE1,
    aliases: ['pl1', 'pl1-long'],
  },
  'pl1&0-s2': {
    ...PL1,
    stage1: false,
    stage2: true,
    descriptors: 'long',
    registers: AARCH32_STAGE2,
    aliases: ['pl1-s2'],
  },
  'pl1&0-nested': {
    ...PL1,
    stage1: true,
    stage2: true,
    descriptors: 'long or short',
    registers: { ...PL1_STAGE1, dacr: 'DACR', ...AARCH32_STAGE2 },
    aliases: ['pl1-nested'],
  },
  'pl1&0-nested64': {
    ...PL1,
    stage1: true,
    stage2: true,
    descriptors: 'long or short',
    registers: { ...PL1_STAGE1, dacr: 'DACR', ...AARCH64_STAGE2 },
    aliases: ['pl1-nested64'],
  },
  'pl1&0-short': {
    ...PL1,
    stage1: true,
    stage2: false,
    descriptors: 'short',
    registers: { ...PL1_STAGE1, mair: 'NMRR:PRRR', dacr: 'DACR' },
    aliases: ['pl1-short', 'short', 'v7s'],
  },
  pl2: {
    architecture: 'AArch32',
    el: 2,
    stage1: true,
    stage2: false,
    ranges: 1,
    unprivileged: false,
    descriptors: 'long',
    registers: { ttbr0: 'HTTBR', tcr: 'HTCR', mair: 'HMAIR1:HMAIR0', sctlr: 'HSCTLR' },
    aliases: ['hyp'],
  },
  mtk: {
    ...OTHER,
    architecture: 'MediaTek',
    descriptors: 'mtk',
    registers: { ttbr0: 'TTBR', tcr: 'TTBCR', mair: 'NMRR:PRRR', sctlr: 'SCTLR', dacr: 'DACR' },
    aliases: ['m4u', 'mediatek'],
  },
  mali: {
    ...OTHER,
    architecture: 'Mali',
    descriptors: 'mali',
    registers: { ttbr0: 'AS_TRANSTAB', mair: 'AS_MEMATTR' },
    aliases: [],
  },
  riscv: {
    ...OTHER,
    architecture: 'RISC-V',
    descriptors: 'riscv',
    registers: { ttbr0: 'satp', sstatus: 'sstatus' },
    aliases: ['risc-v', 'sv39', 'sv48', 'sv57'],
  },
  'riscv-iova': {
    ...OTHER,
    architecture: 'RISC-V',
    descriptors: 'riscv',
    registers: { ttbr0: 'satp', sstatus: 'sstatus' },
    unsigned: true,
    aliases: [],
  },
  'smmuv3-s1': { ...STREAM, stage1: true, stage2: false, aliases: ['smmu-s1'] },
  'smmuv3-s2': { ...STREAM, stage1: false, stage2: true, aliases: ['smmu-s2'] },
  'smmuv3-nested': { ...STREAM, stage1: true, stage2: true, aliases: ['smmu-nested'] },
} as const satisfies Readonly<Record<string, RegimeTraits>>;
