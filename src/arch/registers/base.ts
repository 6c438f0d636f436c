/** Base addresses and memory attributes of AArch64: TTBR, MAIR. (DDI 0487 D24.2.209 TTBR0_EL1, D24.2.127 MAIR_EL1.) */
import { bit, bits, layout } from '../field.ts';
import { byNumber, numberedFields } from './parts.ts';
import { NO_YES } from './values.ts';

export const TTBR0_EL1 = layout(
  {
    name: 'TTBR0_EL1',
    aliases: ['TTBR', 'TTBR0', 'TTBR1', 'TTBR1_EL1', 'TTBR0_EL2', 'TTBR1_EL2', 'TTBR0_EL3'],
    title: 'Translation Table Base Register: the root table of stage 1, and an ASID',
    reference: 'DDI 0487 D24.2.209',
    width: 64,
  },
  {
    ASID: bits(63, 48, 'address space of entries with nG = 1 (in the TTBR that TCR.A1 chooses)'),
    BADDR: bits(
      47,
      1,
      'address bits [47:1] of the root; with 52-bit addresses bits [5:2] are address bits [51:48]',
    ),
    CnP: bit(0, 'common not private: PEs may share TLB entries (FEAT_TTCNP)', {
      values: NO_YES,
      feature: 'FEAT_TTCNP',
    }),
  },
);

/** TTBRn_ELx and VTTBR_EL2 where addresses have 52 bits: the root is aligned to 64 bytes, and its highest bits stand lower. */
export const WIDE_BASE = layout(
  {
    name: 'TTBR with 52-bit addresses',
    title: 'The root table where addresses have 52 bits',
    reference: 'DDI 0487 D24.2.209',
    width: 64,
  },
  {
    low: bits(47, 6, 'address bits [47:6] of the root', { name: 'BADDR[47:6]' }),
    high: bits(5, 2, 'address bits [51:48] of the root', { name: 'BADDR[51:48]', address: 48 }),
  },
);

export const MAIR_EL1 = layout(
  {
    name: 'MAIR_EL1',
    aliases: ['MAIR', 'MAIR_EL2', 'MAIR_EL3'],
    title:
      'Memory Attribute Indirection Register: eight memory types, one of which AttrIndx in a descriptor chooses',
    reference: 'DDI 0487 D24.2.127',
    width: 64,
  },
  numberedFields('Attr', 8, (n) => bits(n * 8 + 7, n * 8, `memory type of AttrIndx = ${n}`)),
);

/** Attr0 to Attr7: the byte that AttrIndx chooses. */
export const MAIR_ATTRIBUTES = byNumber(MAIR_EL1, 'Attr');

export const MAIR2_EL1 = layout(
  {
    name: 'MAIR2_EL1',
    aliases: ['MAIR2', 'MAIR2_EL2', 'MAIR2_EL3'],
    title: 'Extended Memory Attribute Indirection Register: eight more memory types (FEAT_AIE)',
    reference: 'DDI 0487 D24.2.124',
    width: 64,
  },
  numberedFields('Attr', 8, (n) => bits(n * 8 + 7, n * 8, `memory type of AttrIndx = ${n + 8}`)),
);
