/** Operands of TLB maintenance instructions, Xt of a PE. (DDI 0487 D8.17.5.1, D8.17.5.2, C5.5.) */
import { bit, bits, layout } from '../field.ts';

const TTL = 'granule and level of the leaf, 0: any';
const ASID = bits(63, 48, 'address space of the entries');
const GRANULES = ['none: reserved', '4K', '16K', '64K'] as const;

export const TLBI_VA = layout(
  {
    name: 'TLBI VA',
    title: 'Operand of TLBI VA*, VAA* and ASID*',
    reference: 'DDI 0487 D8.17.5.1',
    width: 64,
  },
  { ASID, TTL: bits(47, 44, TTL), VA: bits(43, 0, 'VA[55:12]', { name: 'VA[55:12]', address: 12 }) },
);

export const TLBI_IPA = layout(
  { name: 'TLBI IPA', title: 'Operand of TLBI IPAS2*', reference: 'DDI 0487 D8.17.5.1', width: 64 },
  {
    NS: bit(63, 'Secure state: the IPA space', { values: { 1: 'Non-secure' } }),
    TTL: bits(47, 44, TTL),
    IPA: bits(39, 0, 'IPA[51:12]', { name: 'IPA[51:12]', address: 12 }),
  },
);

/** TTL of these. */
export const TTL_HINT = layout(
  { name: 'TTL', title: 'Translation table level hint', reference: 'DDI 0487 D8.17.5.1', width: 4 },
  {
    granule: bits(3, 2, 'granule of the leaf', ['any: no hint', '4K', '16K', '64K']),
    level: bits(1, 0, 'level of the leaf'),
  },
);

/** BaseADDR counts in granules, or in 64K where TCR_ELx.DS is 1. Of a VA it is signed. */
export const TLBI_RANGE = layout(
  {
    name: 'TLBI range',
    title: 'Operand of TLBI RVA*, RVAA* and RIPAS2*: (NUM + 1) * 2^(5 * SCALE + 1) granules',
    reference: 'DDI 0487 D8.17.5.2',
    width: 64,
  },
  {
    ASID,
    TG: bits(47, 46, 'granule', GRANULES),
    SCALE: bits(45, 44, 'the range is (NUM + 1) * 2^(5 * SCALE + 1) granules'),
    NUM: bits(43, 39, 'the range is (NUM + 1) * 2^(5 * SCALE + 1) granules'),
    TTL: bits(38, 37, 'level of the leaves, 0: any'),
    BaseADDR: bits(36, 0, 'first address of the range, in granules'),
  },
);
