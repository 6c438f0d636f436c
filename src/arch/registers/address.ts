/** Input addresses of AArch64 as words. (DDI 0487 D8.2.10; J1.1 AArch64.GetVARange, AddrTop.) */
import { bit, bits, layout } from '../field.ts';

export const VA = layout(
  { name: 'VA', title: 'Virtual address', reference: 'DDI 0487 D8.2.10', width: 64 },
  {
    sign: bits(63, 52, 'bits that no table resolves: all equal'),
    above48: bits(63, 48, 'bits that tables of 48 bits do not resolve'),
    signBelowTag: bits(55, 52, 'the same where TBI ignores the top byte'),
    range: bit(55, 'which range translates it', ['TTBR0', 'TTBR1']),
    untagged: bits(55, 0, 'all but the top byte'),
    low: bits(51, 0, 'bits that tables may resolve'),
  },
);
