/** The topics for descriptor fields: their places from the layouts, with notes that add to the layouts' short texts. (DDI 0487 D8.3, D8.4.) */
import { type DescriptorField, descriptorFields } from './descriptor-fields.ts';
import type { Topic } from './topic.ts';

interface Note {
  readonly aliases?: readonly string[];
  readonly text: string;
  readonly see?: readonly string[];
}

/** By a field's bare name. */
const NOTES: Readonly<Record<string, Note>> = {
  AF: {
    aliases: ['access flag'],
    text: 'If it is 0, an access takes an access flag fault, unless hardware sets it (TCR.HA). Kernels clear it to learn which pages are in use.',
    see: ['access flag fault', 'TCR_EL1.HA'],
  },
  SH: {
    aliases: ['shareability'],
    text: 'The observers with which a cacheable page is kept coherent. Device and Non-cacheable memory is always outer shareable. With TCR.DS = 1 these are address bits, and TCR.SH0 gives the shareability.',
    see: ['TCR_EL1.DS'],
  },
  AP: {
    aliases: ['access permissions'],
    text: 'AP[1] (bit 6) gives EL0 access, AP[2] (bit 7) forbids writing. XN and PXN control execution. APTable of the tables above can only remove permissions.',
    see: ['APTable', 'DBM', 'permission fault'],
  },
  XN: {
    aliases: ['UXN', 'execute never'],
    text: 'At stage 1 of EL1&0 it is UXN, for EL0, and PXN is for EL1. In a regime with one privilege level it is for that level. EL1 never executes what EL0 may write.',
    see: ['PXN', 'XNTable', 'SCTLR_EL1.WXN'],
  },
  PXN: {
    text: 'Keeps EL1 from executing the page. In a regime with one privilege level the bit is RES0.',
    see: ['XN'],
  },
  nG: {
    aliases: ['global'],
    text: 'If it is 1, a TLB entry is only for the current ASID. If it is 0, it is for every ASID. Kernel mappings are global, those of processes are not.',
    see: ['TTBR0_EL1.ASID'],
  },
  Contiguous: {
    aliases: ['CONT', 'contiguous hint'],
    text: 'Set in every entry of an aligned run with consecutive addresses and the same attributes: 16 entries with 4K; 128 pages or 32 blocks with 16K; 32 with 64K. A run that is incomplete, unaligned or uneven can cause a TLB conflict.',
    see: ['TLB conflict abort'],
  },
  DBM: {
    aliases: ['dirty bit modifier'],
    text: 'With TCR.HD = 1, a write to a read-only entry with DBM = 1 does not fault: hardware makes it writable (AP[2] cleared, S2AP[1] set), which records that it is dirty.',
    see: ['TCR_EL1.HD'],
  },
  AttrIndx: {
    aliases: ['attribute index', 'AttrIndex'],
    text: 'Chooses one of eight memory types in MAIR_ELx (AS_MEMATTR on a Mali GPU): the descriptor alone does not give the type. lpae explain MAIR 0x… decodes a MAIR.',
    see: ['MAIR_EL1'],
  },
  MemAttr: {
    text: 'The memory type of stage 2, combined with that of stage 1: the more restrictive of the two applies. With HCR_EL2.FWB (STE.S2FWB) the encoding is different, and stage 2 decides.',
    see: ['HCR_EL2.FWB'],
  },
  S2AP: {
    text: 'Permissions of stage 2, in addition to those of stage 1. Bit 6 allows reading, bit 7 writing. A stage-1 table under stage 2 must be readable too.',
    see: ['permission fault'],
  },
  nT: {
    text: 'For break-before-make: a TLB does not hold an entry with nT = 1 together with smaller ones, so its size may be changed in steps (FEAT_BBM level 1).',
    see: ['TLB conflict abort'],
  },
  GP: {
    aliases: ['guarded page'],
    text: 'Guarded page (FEAT_BTI): an indirect branch into it must land on a BTI instruction, or it takes a branch target exception.',
  },
  NS: {
    text: 'Only used in Secure state: the output address is in Non-secure memory.',
    see: ['NSTable'],
  },
  NSTable: {
    text: 'Only used in Secure state. If it is 1, all tables and pages below are Non-secure, whatever their own bits.',
    see: ['NS'],
  },
  APTable: {
    text: 'Removes permissions from everything below, at all levels. Ignored with TCR.HPD0 or HPD1 = 1.',
    see: ['AP', 'TCR_EL1.HPD0'],
  },
  XNTable: {
    aliases: ['UXNTable'],
    text: 'Forbids execution of everything below. Ignored with TCR.HPD0 or HPD1 = 1.',
    see: ['XN'],
  },
  PXNTable: {
    text: 'Forbids execution at EL1 of everything below. Ignored with TCR.HPD0 or HPD1 = 1.',
    see: ['PXN'],
  },
  OA: {
    aliases: ['output address'],
    text: 'The address of the mapped memory. Its lowest bit matches the size of the entry. With 52-bit addresses the top bits are in lower places.',
  },
  NLTA: {
    aliases: ['next level table address', 'next table'],
    text: 'The address of the next table. It is aligned to the size of a table.',
  },
  Valid: { text: 'Bit 0. If it is 0, hardware ignores all other bits, and software may use them.' },
  Type: {
    text: 'Bit 1. 1 means a page at the last level and a table at other levels. 0 means a block; at the last level it is reserved, and makes the entry invalid.',
  },
  PIIndex: {
    aliases: ['permission indirection index'],
    text: 'With permission indirection (TCR2_ELx.PIE at stage 1, VTCR_EL2.S2PIE at stage 2) these bits choose one of sixteen fields of PIR_ELx and PIRE0_ELx (S2PIR_EL2), which say who may do what. AP, XN and DBM do not exist then.',
    see: ['TCR2_EL1.PIE', 'PIR_EL1', 'PIRE0_EL1', 'S2PIR_EL2', 'POIndex'],
  },
  POIndex: {
    aliases: ['permission overlay index'],
    text: 'With permission overlays (TCR2_ELx.POE or E0POE, VTCR_EL2.S2POE) these bits choose a field of POR_ELx (S2POR_EL1), which can only take permissions away. Otherwise they are free, or PBHA.',
    see: ['TCR2_EL1.POE', 'POR_EL1', 'POR_EL0', 'S2POR_EL1', 'PIIndex'],
  },
  nDirty: {
    text: 'With permission indirection: 1, a write is a permission fault until software (or with TCR.HD = 1 hardware) makes the memory dirty. It stands where AP[2] is otherwise.',
    see: ['PIIndex', 'TCR_EL1.HD'],
  },
  Dirty: {
    text: 'With permission indirection at stage 2: 0, a write is a permission fault until software (or with VTCR_EL2.HD = 1 hardware) makes the memory dirty. It stands where S2AP[1] is otherwise.',
    see: ['PIIndex', 'VTCR_EL2.HD'],
  },
  Domain: {
    text: 'Short descriptors: for each of 16 domains, DACR decides whether permissions are checked. Long descriptors have no domains.',
    see: ['DACR', 'domain fault'],
  },
};

export function descriptorTopics(): Topic[] {
  return descriptorFields().map(topicOf);
}

function topicOf({ name, places }: DescriptorField): Topic {
  const note = NOTES[name];
  const meanings = [...new Set(places.map(({ meaning }) => meaning))];
  return {
    name,
    group: 'descriptor field',
    aliases: note?.aliases ?? [],
    summary: note?.text ?? `${meanings.join('; ')}.`,
    places,
    ...(note?.see !== undefined && { see: note.see }),
  };
}
