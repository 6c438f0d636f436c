/** Topics of descriptor fields: their places from the formats' layouts, and what the layouts' few words leave out. (DDI 0487 D8.3, D8.4.) */
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
    text: 'Clear, an access takes an access flag fault, unless hardware sets it (TCR.HA). Kernels clear it to learn which pages are in use.',
    see: ['access flag fault', 'TCR_EL1.HA'],
  },
  SH: {
    aliases: ['shareability'],
    text: 'Which observers a cacheable page is kept coherent with. Device and Non-cacheable memory is outer shareable whatever it says. With TCR.DS = 1 these bits hold address bits, and TCR.SH0 says the shareability.',
    see: ['TCR_EL1.DS'],
  },
  AP: {
    aliases: ['access permissions'],
    text: 'AP[1] (bit 6) lets EL0 in, AP[2] (bit 7) takes writing away. Executing is XN and PXN. APTable of the tables above can only take more away.',
    see: ['APTable', 'DBM', 'permission fault'],
  },
  XN: {
    aliases: ['UXN', 'execute never'],
    text: 'At stage 1 of EL1&0 it is UXN, for EL0; PXN is for EL1. In regimes of one privilege level it is for that level. What EL0 may write, EL1 never executes.',
    see: ['PXN', 'XNTable', 'SCTLR_EL1.WXN'],
  },
  PXN: {
    text: 'Keeps EL1 from executing the page. In regimes of one privilege level the bit is RES0.',
    see: ['XN'],
  },
  nG: {
    aliases: ['global'],
    text: 'Set, a TLB entry is of the current ASID alone; clear, of every ASID. Kernel mappings are global, those of processes are not.',
    see: ['TTBR0_EL1.ASID'],
  },
  Contiguous: {
    aliases: ['CONT', 'contiguous hint'],
    text: 'Set in every entry of an aligned run with consecutive addresses and the same attributes: 16 entries with 4K; 128 pages or 32 blocks with 16K; 32 with 64K. A run that is not whole, aligned and alike can end in a TLB conflict.',
    see: ['TLB conflict abort'],
  },
  DBM: {
    aliases: ['dirty bit modifier'],
    text: 'With TCR.HD = 1, a write to a read-only entry with DBM = 1 does not fault: hardware makes it writable (AP[2] cleared, S2AP[1] set), which records that it is dirty.',
    see: ['TCR_EL1.HD'],
  },
  AttrIndx: {
    aliases: ['attribute index', 'AttrIndex'],
    text: 'Chooses one of eight memory types that MAIR_ELx holds (AS_MEMATTR on a Mali GPU): the descriptor alone does not say the type. lpae explain MAIR 0x… reads a MAIR.',
    see: ['MAIR_EL1'],
  },
  MemAttr: {
    text: 'The memory type of stage 2, combined with that of stage 1: the more restrictive of the two counts. With HCR_EL2.FWB (STE.S2FWB) the encoding is another one, and stage 2 decides.',
    see: ['HCR_EL2.FWB'],
  },
  S2AP: {
    text: 'Permissions of stage 2, over those of stage 1. Bit 6 allows reading, bit 7 writing; a stage-1 table under stage 2 must be readable too.',
    see: ['permission fault'],
  },
  nT: {
    text: 'For break-before-make: an entry with nT = 1 is not held in a TLB beside smaller ones, so that its size may be changed in steps (FEAT_BBM level 1).',
    see: ['TLB conflict abort'],
  },
  GP: {
    aliases: ['guarded page'],
    text: 'Guarded page (FEAT_BTI): an indirect branch into it must land on a BTI instruction, or it takes a branch target exception.',
  },
  NS: {
    text: 'Of meaning in Secure state only: the output address is in Non-secure memory.',
    see: ['NSTable'],
  },
  NSTable: {
    text: 'Of meaning in Secure state only. Set, all tables and pages below are Non-secure, whatever they say.',
    see: ['NS'],
  },
  APTable: {
    text: 'Takes permissions away from everything below, however far. Ignored with TCR.HPD0 or HPD1 = 1.',
    see: ['AP', 'TCR_EL1.HPD0'],
  },
  XNTable: {
    aliases: ['UXNTable'],
    text: 'Takes execution away from everything below. Ignored with TCR.HPD0 or HPD1 = 1.',
    see: ['XN'],
  },
  PXNTable: {
    text: 'Takes execution at EL1 away from everything below. Ignored with TCR.HPD0 or HPD1 = 1.',
    see: ['PXN'],
  },
  OA: {
    aliases: ['output address'],
    text: 'Where the entry leads. Its lowest bit is the size of what the entry covers; with 52-bit addresses the top bits stand below.',
  },
  NLTA: {
    aliases: ['next level table address', 'next table'],
    text: 'Where the next table lies. Its alignment is the size of a table.',
  },
  Valid: { text: 'Bit 0. Clear, hardware ignores all the other bits, and software may use them.' },
  Type: {
    text: 'Bit 1: 1 is a table below the last level and a page at it, 0 is a block. At the last level 0 is reserved, and the entry invalid.',
  },
  Domain: {
    text: 'Short descriptors: DACR says for each of 16 domains whether permissions are checked. Long descriptors have no domains.',
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
