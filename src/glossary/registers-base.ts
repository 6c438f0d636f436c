/**
 * Base addresses and memory attributes: TTBR, VTTBR, MAIR, DACR. (DDI 0487 D24.2.209 TTBR0_EL1, D24.2.225 VTTBR_EL2, D24.2.127
 * MAIR_EL1, G8.2.38 DACR.)
 */
import { type RegisterLayout, rowsOf } from './register.ts';

const ttbr = rowsOf('DDI 0487 D24.2.209');
export const TTBR0_EL1: RegisterLayout = {
  name: 'TTBR0_EL1',
  aliases: ['TTBR', 'TTBR0', 'TTBR1', 'TTBR1_EL1', 'TTBR0_EL2'],
  title: 'Translation Table Base Register: the root table of stage 1, and an ASID',
  reference: 'DDI 0487 D24.2.209',
  width: 64,
  fields: [
    ttbr(63, 48, 'ASID', 'address space of entries with nG = 1 (in the TTBR that TCR.A1 chooses)'),
    ttbr(
      47,
      1,
      'BADDR',
      'address bits [47:1] of the root; with 52-bit addresses bits [5:2] are address bits [51:48]',
    ),
    ttbr(0, 0, 'CnP', 'common not private: PEs may share TLB entries (FEAT_TTCNP)', ['no', 'yes']),
  ],
};

const vttbr = rowsOf('DDI 0487 D24.2.225');
export const VTTBR_EL2: RegisterLayout = {
  name: 'VTTBR_EL2',
  aliases: ['VTTBR'],
  title: 'Virtualization Translation Table Base Register: the root of stage 2, and a VMID',
  reference: 'DDI 0487 D24.2.225',
  width: 64,
  fields: [
    vttbr(63, 48, 'VMID', 'the virtual machine of TLB entries: 8 bits, or 16 with VTCR_EL2.VS'),
    vttbr(47, 1, 'BADDR', 'address bits [47:1] of the root, aligned to the whole of concatenated tables'),
    vttbr(0, 0, 'CnP', 'common not private: PEs may share TLB entries (FEAT_TTCNP)', ['no', 'yes']),
  ],
};

const mair = rowsOf('DDI 0487 D24.2.127');
export const MAIR_EL1: RegisterLayout = {
  name: 'MAIR_EL1',
  aliases: ['MAIR', 'MAIR_EL2'],
  title:
    'Memory Attribute Indirection Register: eight memory types, of which AttrIndx in a descriptor chooses one',
  reference: 'DDI 0487 D24.2.127',
  width: 64,
  fields: [7, 6, 5, 4, 3, 2, 1, 0].map((n) =>
    mair(n * 8 + 7, n * 8, `Attr${n}`, `memory type of AttrIndx = ${n}`),
  ),
};

const dacr = rowsOf('DDI 0487 G8.2.38');
const DOMAIN = [
  'no access: a domain fault',
  'client: permissions are checked',
  'reserved',
  'manager: permissions are not checked',
];
export const DACR: RegisterLayout = {
  name: 'DACR',
  title: 'Domain Access Control Register: what each domain of short descriptors may',
  reference: 'DDI 0487 G8.2.38',
  width: 32,
  fields: [15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0].map((n) =>
    dacr(n * 2 + 1, n * 2, `D${n}`, `domain ${n}`, DOMAIN),
  ),
};
