/** Fields of STEs and CDs on which no translation depends, each with what it is for: the SMMU's own reads, hints, MPAM, PRI. (IHI 0070 G.b, 5.2, 5.4.) */
import { bit, bits, layout } from '../field.ts';
import { CD } from './cd.ts';
import { STE } from './ste.ts';

const CD_READS = "attributes of the SMMU's own reads of CDs";
const MPAM = 'labels of accesses for MPAM';
const OWN_USE = 'IMPLEMENTATION DEFINED';
const INCOMING = 'overrides of attributes that come with a transaction, which are not modelled';
const LEAF_USE = 'bits of leaves that hardware may use for its own purposes';
const WIDE = 'for descriptors of 128 bits';

export const STE_BYSTANDERS = layout(
  { name: STE.name, title: STE.title, reference: STE.reference, width: STE.width },
  {
    S_S2SKL: bits(446, 445, WIDE),
    VMSPtr: bits(375, 332, 'where the maps of MPAM labels are'),
    MPAM_NS: bit(328, MPAM),
    PMG: bits(327, 320, MPAM),
    MECID: bits(319, 304, 'memory encryption of Realm streams'),
    PARTID: bits(287, 272, MPAM),
    IMPDEF2: bits(271, 256, OWN_USE, { name: 'bits [271:256]' }),
    S2SKL: bits(254, 253, WIDE),
    DPT_VMATCH: bits(191, 190, 'checks of ATS by device permission tables'),
    IMPDEF1: bits(159, 144, OWN_USE, { name: 'bits [159:144]' }),
    IMPDEF0: bits(127, 116, OWN_USE, { name: 'bits [127:116]' }),
    SHCFG: bits(109, 108, INCOMING),
    ALLOCCFG: bits(104, 101, INCOMING),
    MTCFG: bit(100, INCOMING),
    MemAttr: bits(99, 96, INCOMING),
    S1MPAM: bit(90, MPAM),
    SW_RESERVED: bits(87, 84, 'for software alone'),
    PPAR: bit(82, 'answers to page requests (PRI)'),
    DCP: bit(81, 'prefetches into caches'),
    CONT: bits(80, 77, 'a hint for caches of STEs'),
    DRE: bit(76, 'destructive reads'),
    S1CSH: bits(71, 70, CD_READS),
    S1COR: bits(69, 68, CD_READS),
    S1CIR: bits(67, 66, CD_READS),
  },
);

export const CD_BYSTANDERS = layout(
  { name: CD.name, title: CD.title, reference: CD.reference, width: CD.width },
  {
    PMG: bits(375, 368, MPAM),
    PARTID: bits(367, 352, MPAM),
    IMPDEF: bits(351, 320, OWN_USE, { name: 'bits [351:320]' }),
    AMAIR1: bits(319, 288, OWN_USE),
    AMAIR0: bits(287, 256, OWN_USE),
    HWU1: bits(191, 188, LEAF_USE, { name: 'HWU162 to HWU159' }),
    HWU0: bits(127, 124, LEAF_USE, { name: 'HWU062 to HWU059' }),
    ASET: bit(47, 'TLB invalidation that PEs broadcast'),
  },
);
