/** Registers of an SMMUv3 that translation depends on: what it implements, and where its stream table is. (IHI 0070 G.b, 6.3.) */
import { bit, bits, layout } from '../field.ts';
import { NO_YES, ON } from '../registers/values.ts';

const WIDTH = { width: 32 } as const;

export const SMMU_IDR0 = layout(
  {
    ...WIDTH,
    name: 'SMMU_IDR0',
    aliases: ['IDR0'],
    title: 'SMMUv3 identification: stages and formats',
    reference: 'IHI 0070 6.3.1',
  },
  {
    RME_IMPL: bit(30, 'RME', NO_YES),
    ST_LEVEL: bits(28, 27, 'stream tables', ['linear only', 'linear or two levels']),
    TERM_MODEL: bit(26, 'a terminated transaction', ['CD.A decides', 'always aborts']),
    STALL_MODEL: bits(25, 24, 'stalls', ['CD.S and STE.S2S decide', 'never', 'always', 'reserved']),
    ATSRECERR: bit(23, 'more events of ATS and PRI can be recorded', NO_YES),
    TTENDIAN: bits(22, 21, 'endianness of tables', ['both', 'reserved', 'little', 'big']),
    VATOS: bit(20, 'address translation by a virtual machine, VATOS', NO_YES),
    CD2L: bit(19, 'tables of CDs of two levels', NO_YES),
    VMID16: bit(18, 'a VMID has', ['8 bits', '16 bits']),
    VMW: bit(17, 'TLB invalidation may ignore low bits of a VMID', NO_YES),
    PRI: bit(16, 'PCIe PRI', NO_YES),
    ATOS: bit(15, 'address translation by software, ATOS', NO_YES),
    SEV: bit(14, 'CMD_SYNC may send an event to PEs', NO_YES),
    MSI: bit(13, 'message signalled interrupts', NO_YES),
    ASID16: bit(12, 'an ASID has', ['8 bits', '16 bits']),
    NS1ATS: bit(11, 'split-stage ATS', ['supported', 'not supported']),
    ATS: bit(10, 'PCIe ATS', NO_YES),
    Hyp: bit(9, 'EL2 as a StreamWorld', NO_YES),
    DORMHINT: bit(8, 'the dormant hint', NO_YES),
    HTTU: bits(7, 6, 'hardware updates of', [
      'nothing',
      'the access flag',
      'access flag and dirty state',
      'access flag and dirty state, and of the access flag in table descriptors',
    ]),
    BTM: bit(5, 'TLB invalidation that PEs broadcast', NO_YES),
    COHACC: bit(4, 'coherent access to tables, structures and queues', NO_YES),
    TTF: bits(3, 2, 'table formats', ['reserved', 'VMSAv8-32 LPAE', 'VMSAv8-64', 'both']),
    S1P: bit(1, 'stage 1 is implemented', NO_YES),
    S2P: bit(0, 'stage 2 is implemented', NO_YES),
  },
);

export const SMMU_IDR1 = layout(
  {
    ...WIDTH,
    name: 'SMMU_IDR1',
    aliases: ['IDR1'],
    title: 'SMMUv3 identification: sizes of IDs',
    reference: 'IHI 0070 6.3.2',
  },
  {
    ATTR_TYPES_OVR: bit(27, 'STE.MTCFG, SHCFG and ALLOCCFG override incoming attributes', NO_YES),
    ATTR_PERMS_OVR: bit(26, 'STE.PRIVCFG and INSTCFG override incoming attributes', NO_YES),
    CMDQS: bits(25, 21, 'the Command queue has at most 2^CMDQS entries'),
    EVENTQS: bits(20, 16, 'the Event queue has at most 2^EVENTQS entries'),
    PRIQS: bits(15, 11, 'the PRI queue has at most 2^PRIQS entries'),
    SSIDSIZE: bits(10, 6, 'bits of a SubstreamID; 0: no substreams'),
    SIDSIZE: bits(5, 0, 'bits of a StreamID'),
  },
);

export const SMMU_IDR3 = layout(
  {
    ...WIDTH,
    name: 'SMMU_IDR3',
    aliases: ['IDR3'],
    title: 'SMMUv3 identification: features',
    reference: 'IHI 0070 6.3.4',
  },
  {
    AIE: bit(23, 'CD.AIE, attribute index extension at stage 1, as FEAT_AIE', NO_YES),
    MTEPERM: bit(22, 'stage-2 MemAttr with NoTagAccess, as FEAT_MTE_PERM', NO_YES),
    THE: bit(21, 'translation hardening, as FEAT_THE', NO_YES),
    S2PO: bit(20, 'STE.S2POE, permission overlays at stage 2, as FEAT_S2POE', NO_YES),
    S2PI: bit(19, 'STE.S2PIE, permission indirection at stage 2, as FEAT_S2PIE', NO_YES),
    S1PI: bit(18, 'STE.S1PIE and CD.PIE, permission indirection at stage 1, as FEAT_S1PIE', NO_YES),
    EPAN: bit(17, 'CD.EPAN, as FEAT_PAN3', NO_YES),
    DPT: bit(15, 'device permission tables', NO_YES),
    E0PD: bit(13, 'CD.E0PDn, as FEAT_E0PD', NO_YES),
    BBML: bits(12, 11, 'break-before-make level, as FEAT_BBM', ['0', '1', '2', 'reserved']),
    RIL: bit(10, 'TLB invalidation by range and level', NO_YES),
    STT: bit(9, 'small tables, as FEAT_TTST', NO_YES),
    FWB: bit(8, 'STE.S2FWB, as FEAT_S2FWB', NO_YES),
    MPAM: bit(7, 'MPAM', NO_YES),
    PPS: bit(5, 'answers to a page request that overflows have its PASID', NO_YES),
    XNX: bit(4, 'XN for EL0 and EL1 apart at stage 2, as FEAT_XNX', NO_YES),
    PBHA: bit(3, 'STE.S2HWUn and CD.HWUn, as FEAT_HPDS2', NO_YES),
    HAD: bit(2, 'CD.HADn, as FEAT_HPDS', NO_YES),
  },
);

export const SMMU_IDR5 = layout(
  {
    ...WIDTH,
    name: 'SMMU_IDR5',
    aliases: ['IDR5'],
    title: 'SMMUv3 identification: addresses',
    reference: 'IHI 0070 6.3.6',
  },
  {
    STALL_MAX: bits(31, 16, 'how many transactions may be stalled'),
    VAX: bits(11, 10, 'virtual addresses', ['48 bits', '52 bits', '56 bits', 'reserved']),
    D128: bit(8, 'descriptors of 128 bits, VMSAv9-128', NO_YES),
    DS: bit(7, '52-bit addresses with 4K and 16K, as FEAT_LPA2', NO_YES),
    GRAN64K: bit(6, 'the 64K granule', NO_YES),
    GRAN16K: bit(5, 'the 16K granule', NO_YES),
    GRAN4K: bit(4, 'the 4K granule', NO_YES),
    OAS: bits(2, 0, 'output size', [
      '32 bits',
      '36 bits',
      '40 bits',
      '42 bits',
      '44 bits',
      '48 bits',
      '52 bits',
      '56 bits',
    ]),
  },
);

export const SMMU_AIDR = layout(
  {
    ...WIDTH,
    name: 'SMMU_AIDR',
    aliases: ['AIDR'],
    title: 'SMMUv3 identification: version of the architecture',
    reference: 'IHI 0070 6.3.8',
  },
  {
    ArchMajorRev: bits(7, 4, 'major version', { 0: 'SMMUv3' }),
    ArchMinorRev: bits(3, 0, 'minor version', ['3.0', '3.1', '3.2', '3.3', '3.4']),
  },
);

export const SMMU_CR0 = layout(
  { ...WIDTH, name: 'SMMU_CR0', aliases: ['CR0'], title: 'SMMUv3 control', reference: 'IHI 0070 6.3.9' },
  {
    VMW: bits(8, 6, 'how many low bits of a VMID invalidation commands ignore'),
    ATSCHK: bit(4, 'translated transactions of ATS', ['pass unchecked', 'are checked against STE.EATS']),
    CMDQEN: bit(3, 'commands are processed', NO_YES),
    EVENTQEN: bit(2, 'events are recorded', NO_YES),
    PRIQEN: bit(1, 'page requests are recorded', NO_YES),
    SMMUEN: bit(0, 'translation of Non-secure streams', ON),
  },
);

export const SMMU_CR2 = layout(
  {
    ...WIDTH,
    name: 'SMMU_CR2',
    aliases: ['CR2'],
    title: 'SMMUv3 control of events and EL2',
    reference: 'IHI 0070 6.3.12',
  },
  {
    RECINVSID: bit(1, 'a StreamID that is in no table leaves an event, C_BAD_STREAMID', NO_YES),
    E2H: bit(0, 'streams of EL2 have two ranges and ASIDs, as with HCR_EL2.E2H', NO_YES),
  },
);

export const SMMU_GBPA = layout(
  {
    ...WIDTH,
    name: 'SMMU_GBPA',
    aliases: ['GBPA'],
    title: 'SMMUv3 bypass while translation is off',
    reference: 'IHI 0070 6.3.14',
  },
  {
    Update: bit(
      31,
      'a write takes effect if it is written as 1; reads as 1 until it has taken effect',
      NO_YES,
    ),
    ABORT: bit(20, 'transactions', ['pass', 'are aborted']),
  },
);

export const SMMU_STRTAB_BASE = layout(
  {
    name: 'SMMU_STRTAB_BASE',
    aliases: ['STRTAB_BASE'],
    title: 'SMMUv3 stream table base',
    reference: 'IHI 0070 6.3.24',
    width: 64,
  },
  {
    RA: bit(62, 'a hint to allocate on reads', NO_YES),
    ADDR: bits(55, 6, 'physical address of the stream table; aligned to its size', { address: 6 }),
  },
);

export const SMMU_STRTAB_BASE_CFG = layout(
  {
    ...WIDTH,
    name: 'SMMU_STRTAB_BASE_CFG',
    aliases: ['STRTAB_BASE_CFG'],
    title: 'SMMUv3 stream table configuration',
    reference: 'IHI 0070 6.3.25',
  },
  {
    FMT: bits(17, 16, 'format of the table', ['linear', 'two levels', 'reserved: as 0', 'reserved: as 0']),
    SPLIT: bits(10, 6, 'bits of a StreamID that index the second level; any other value is treated as 6', {
      6: '4K of STEs',
      8: '16K of STEs',
      10: '64K of STEs',
    }),
    LOG2SIZE: bits(5, 0, 'the table has 2^LOG2SIZE StreamIDs'),
  },
);

/** STRTAB_BASE_CFG.FMT: a table of two levels. */
export const TWO_LEVELS = 1;

/** IDR0.ST_LEVEL where stream tables have one level alone. */
export const ST_LEVEL_LINEAR = 0;

/** IDR0.STALL_MODEL and IDR0.TTENDIAN where they leave no choice. */
export const STALL_MODEL = { configurable: 0, never: 1, always: 2 } as const;
export const TTENDIAN = { both: 0, little: 2, big: 3 } as const;

/** IDR0.HTTU: each includes those before it. */
export const HTTU = { none: 0, accessFlag: 1, dirtyState: 2, tableAccessFlag: 3 } as const;

/** IDR0.TTF: which table formats. */
export const TTF = { aarch32: 1, aarch64: 2, both: 3 } as const;
