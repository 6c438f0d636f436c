/**
 * Names other than fields, registers, faults and operations: features of the translation chapters (DDI 0487 A2.2, D8), the reasons of Command queue
 * errors (IHI 0070 7.1), and words that answers here use. Each has a sentence.
 */
import type { Topic, TopicGroup } from './topic.ts';

type Sentences = Readonly<Record<string, string>>;

const FEATURES: Sentences = {
  FEAT_AIE:
    'Memory attribute index enhancement: AttrIndx has four bits, and MAIR2_ELx holds eight more attributes.',
  FEAT_AA32HPD: 'Hierarchical permissions of AArch32 long descriptors can be switched off, by TTBCR2.HPDn.',
  FEAT_ASID2:
    'Two ASIDs at once: entries below TTBR0 and TTBR1 have the ASID of their own TTBR (TCR2_ELx.A2).',
  FEAT_ATS1A: 'Address translation instructions AT S1E*A, which do not check permissions.',
  FEAT_BBM:
    'Break-before-make support levels: whether a block size may change without an invalid entry in between (levels 0 to 2; nT belongs to level 1).',
  FEAT_BBML1:
    'Break-before-make support level 1: nT keeps block entries out of TLBs, so that their size can be changed.',
  FEAT_BBML2:
    'Break-before-make support level 2: block sizes and the Contiguous bit may be changed directly; a conflict faults or is resolved.',
  FEAT_BTI:
    'Branch target identification: GP in a descriptor guards a page. Indirect branches into it must land on BTI.',
  FEAT_CMOW: 'SCTLR_ELx.CMOW: cache maintenance by VA from EL0 needs write permission.',
  FEAT_CONSTPACFIELD: 'The pointer authentication code has one place in an address, whatever TBI says.',
  FEAT_CPA: 'Checked pointer arithmetic, only the instructions.',
  FEAT_CPA2:
    'Checked pointer arithmetic: SCTLR2_ELx makes loads and stores check that an offset left the upper bits alone.',
  FEAT_CSV2: 'Branch predictions of one context do not steer another.',
  FEAT_D128: 'Descriptors of 128 bits, and 56-bit physical addresses.',
  FEAT_E0PD: 'TCR_EL1.E0PDn: EL0 faults on a half of the address space without a walk, in constant time.',
  FEAT_E2H0: 'HCR_EL2.E2H can be 0. Without it EL2 always has two ranges of addresses.',
  FEAT_ETS2:
    'Enhanced translation synchronization: after a DSB, without an ISB, the walks of later accesses see an earlier write of a descriptor.',
  FEAT_ETS3: 'As FEAT_ETS2, with more ordering between walks and explicit accesses.',
  FEAT_EVT: 'Traps to EL2 of TLB and cache maintenance of EL1.',
  FEAT_FPAC: 'A failed pointer authentication gives an exception immediately.',
  FEAT_FPACCOMBINE: 'The same for instructions that authenticate and use a pointer.',
  FEAT_FPACC_SPEC: "Rules for predictions of a pointer authentication's result.",
  FEAT_GCS: 'Guarded control stack: a stack of return addresses in pages with a special permission.',
  FEAT_GTG: 'Guest translation granules: ID_AA64MMFR0_EL1 lists the granules of stage 2 separately.',
  FEAT_HACDBS: 'Hardware accelerator that cleans dirty state of stage 2.',
  FEAT_HAFDBS:
    'Hardware management of the access flag and dirty state: TCR_ELx.HA and HD, DBM in descriptors.',
  FEAT_HAFT: 'Hardware management of the access flag in table descriptors (TCR2_ELx.HAFT).',
  FEAT_HDBSS: 'Hardware writes dirtied stage-2 pages into a buffer (HDBSSBR_EL2).',
  FEAT_HCX: 'HCRX_EL2: more controls of EL2, some of which let EL1 use newer registers.',
  FEAT_HPDS: 'Hierarchical permission disables: TCR_ELx.HPDn switches off APTable, XNTable and PXNTable.',
  FEAT_HPDS2:
    'Page-based hardware attributes (PBHA): bits [62:59] of a leaf are for IMPLEMENTATION DEFINED use.',
  FEAT_LPA:
    'Physical addresses of 52 bits with the 64K granule: address bits [51:48] are in bits [15:12] of a descriptor.',
  FEAT_LPA2:
    'Addresses of 52 bits with 4K and 16K granules (TCR_ELx.DS, VTCR_EL2.DS); address bits [51:50] take the place of SH.',
  FEAT_LVA: 'Virtual addresses of 52 bits with the 64K granule.',
  FEAT_LVA3: 'Virtual addresses of 56 bits, with descriptors of 128 bits.',
  FEAT_LS64: 'Single-copy atomic loads and stores of 64 bytes, which only some memory types support.',
  FEAT_LSUI: 'Loads and stores at EL1 with the permissions of EL0, including atomic ones.',
  FEAT_MEC: 'Memory encryption contexts of Realms: AMEC in descriptors chooses one.',
  FEAT_MOPS: 'Instructions that copy and set memory: one may fault at any of its bytes.',
  FEAT_MPAM: 'Resource partitions: table walks carry the partition of the access.',
  FEAT_MTE: 'Memory tagging, only the instructions.',
  FEAT_MTE2:
    'Memory tagging: memory of type Tagged has an allocation tag for each 16 bytes, checked against bits [59:56] of the address.',
  FEAT_MTE_NO_ADDRESS_TAGS: 'Bits [59:56] of an address are part of it: tags are only kept in memory.',
  FEAT_MTE_PERM: 'Stage-2 control of tag access: MemAttr values with NoTagAccess.',
  FEAT_NV:
    'Nested virtualization: a guest hypervisor at EL1; with NV1 its descriptors have other permission bits.',
  FEAT_NV2: 'Nested virtualization with a page of register values (VNCR_EL2).',
  FEAT_NMI: 'Interrupts that cannot be masked in the usual way.',
  FEAT_nTLBPA:
    'No cache of walks is indexed by the physical address of a descriptor, so none needs maintenance by it.',
  FEAT_PACIMP: 'Pointer authentication with an IMPLEMENTATION DEFINED algorithm.',
  FEAT_PACQARMA3: 'Pointer authentication by QARMA3.',
  FEAT_PACQARMA5: 'Pointer authentication by QARMA5.',
  FEAT_PAN:
    'Privileged access never: with PSTATE.PAN privileged data accesses to memory that EL0 may access fault.',
  FEAT_PAN2: 'AT instructions that honour PAN (AT S1E1RP, AT S1E1WP).',
  FEAT_PAN3: 'SCTLR_ELx.EPAN: PAN also applies to memory that EL0 may only execute.',
  FEAT_PAuth:
    'Pointer authentication: a code in the upper bits of an address, which must be removed before use.',
  FEAT_PAuth2: 'Pointer authentication with a better code.',
  FEAT_PAuth_LR: 'Pointer authentication that also uses the address of the signing instruction.',
  FEAT_PFAR: 'PFAR_ELx holds the physical address of an abort.',
  FEAT_RAS: 'Reliability, availability and serviceability: error records, and a syndrome in an SError.',
  FEAT_RME:
    'Realm management: four physical address spaces, and granule protection checks after translation.',
  FEAT_RME_GDI: 'Granular data isolation: more physical address spaces, for memory that no PE may access.',
  FEAT_RME_GPC3:
    'Granule protection of physical addresses of 56 bits, and windows that need no check (GPCBW_EL3).',
  FEAT_S1PIE: 'Stage-1 permission indirection: PIIndex of a descriptor chooses a field of PIR_ELx.',
  FEAT_S1POE:
    'Stage-1 permission overlays: POIndex chooses a field of POR_ELx, which takes permissions away.',
  FEAT_S2FWB: 'Forced Write-Back: HCR_EL2.FWB lets stage 2 decide memory types.',
  FEAT_S2PIE: 'Stage-2 permission indirection, by S2PIR_EL2.',
  FEAT_S2POE: 'Stage-2 permission overlays, by S2POR_EL1.',
  FEAT_SEL2: 'EL2 in Secure state, with VSTTBR_EL2 and VSTCR_EL2.',
  FEAT_SRMASK: 'Bits of control registers can be protected from writes (SCTLRMASK_ELx and similar).',
  FEAT_SVE: 'Scalable vectors. First-fault loads may skip elements that fault.',
  FEAT_TCR2: 'TCR2_EL1 and TCR2_EL2: more control of stage 1.',
  FEAT_THE: 'Translation hardening: Protected bits in descriptors, and RCW instructions that respect them.',
  FEAT_TLBIRANGE: 'TLB maintenance of ranges of addresses (TLBI RVA*, RIPAS2*).',
  FEAT_TTCNP: 'Common not private: TTBR.CnP lets PEs share TLB entries.',
  FEAT_TTL: 'TLBI operands may have a hint with the granule and level of the leaf (TTL).',
  FEAT_TTST: 'Small translation tables: T0SZ and T1SZ up to 48 (47 with 64K).',
  FEAT_UAO: 'User access override: LDTR and STTR of EL1 act as privileged.',
  FEAT_VHE: 'Virtualization host extensions: HCR_EL2.E2H gives EL2 two ranges of addresses and an EL0.',
  FEAT_VMID16: 'VMIDs of 16 bits (VTCR_EL2.VS).',
  FEAT_XNX: 'Stage-2 execute-never by exception level: XN[1:0].',
  FEAT_XS: 'The XS attribute: accesses that may take long, and TLBI nXS that does not wait for them.',
};

const ERRORS: Sentences = {
  CERROR_NONE: 'SMMU_CMDQ_CONS.ERR 0x00: no error (7.1).',
  CERROR_ILL:
    'SMMU_CMDQ_CONS.ERR 0x01: the command is illegal: an unknown opcode, a reserved value, or a feature that is not implemented (7.1).',
  CERROR_ABT: 'SMMU_CMDQ_CONS.ERR 0x02: the fetch of a command was aborted (7.1).',
  CERROR_ATC_INV_SYNC:
    'SMMU_CMDQ_CONS.ERR 0x03: a CMD_SYNC could not complete a CMD_ATC_INV: the device did not answer in time (7.1).',
};

const WORDS: Sentences = {
  IPA: 'Intermediate physical address: the output of stage 1, which stage 2 translates.',
  IOVA: "I/O virtual address: the address that a device uses, which its IOMMU's stage 1 translates.",
  PA: 'Physical address: the output of the last stage.',
  TTD: 'Translation table descriptor: an entry of a table.',
  VA: 'Virtual address: the input of stage 1.',
  granule: 'The size of a page and of a table: 4K, 16K or 64K.',
  level:
    "Arm's number of a table's place in the walk: 3 is the last, 0 the usual start with 48 bits, -1 with 52.",
  'block descriptor': 'A leaf above the last level, which maps more than a page.',
  'page descriptor': 'A leaf of the last level.',
  'table descriptor': 'An entry that leads to a table of the next level.',
  'printed walk':
    'The entries that a log prints with a fault, one for each level. Their names give the levels.',
  'context bank': 'In an SMMUv2, the registers of one translation regime.',
  StreamID: 'The number that identifies a device to an SMMU.',
  'unidentified stream fault':
    'No stream mapping entry of an SMMUv2 matches the StreamID, and sCR0.USFCFG makes that a fault.',
  'tag check': 'FEAT_MTE2: the tag in an address is compared with that of the memory.',
  UNKNOWN: 'A value that the manual calls UNKNOWN may be anything, so it is not used here.',
  'stale TLB': 'A TLB entry that no longer matches the tables in memory, because a TLBI is missing.',
};

function topics(group: TopicGroup, sentences: Sentences, reference: string): Topic[] {
  return Object.entries(sentences).map(([name, summary]) => ({
    name,
    group,
    aliases: [],
    summary,
    reference,
  }));
}

export function wordTopics(): Topic[] {
  return [
    ...topics('feature', FEATURES, 'DDI 0487 A2.2'),
    ...topics('SMMUv3 command', ERRORS, 'IHI 0070 7.1'),
    ...topics('word', WORDS, 'DDI 0487 D8'),
  ];
}
