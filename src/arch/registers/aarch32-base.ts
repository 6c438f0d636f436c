/**
 * Base addresses, memory attributes and domains of AArch32: TTBR0 in both forms, HTTBR, VTTBR, MAIR0, PRRR, NMRR, DACR. (DDI 0487
 * G8.2.167, G8.2.78, G8.2.173, G8.2.111, G8.2.122, G8.2.119, G8.2.38.)
 */
import { bit, bits, layout } from '../field.ts';
import { byNumber, numberedFields } from './parts.ts';
import { CACHEABILITIES, NO_YES } from './values.ts';

export const TTBR_SHORT = layout(
  {
    name: 'TTBR0',
    aliases: ['TTBR1'],
    title: 'Translation Table Base Register (AArch32) with short descriptors',
    reference: 'DDI 0487 G8.2.167',
    width: 32,
  },
  {
    TTB: bits(31, 7, 'address bits [31:7] of the root, of TTBR0 aligned to 2^(14-TTBCR.N) bytes', {
      address: 7,
    }),
    IRGN0: bit(6, 'inner cacheability of table walks, bit 0', { name: 'IRGN[0]' }),
    NOS: bit(5, 'with S = 1 table walks are', ['outer shareable', 'inner shareable']),
    RGN: bits(4, 3, 'outer cacheability of table walks', CACHEABILITIES),
    S: bit(1, 'table walks are shareable', NO_YES),
    IRGN1: bit(0, 'inner cacheability of table walks, bit 1', { name: 'IRGN[1]' }),
  },
);

/** `ttbr0` of a MediaTek M4U: the base has 35 bits. */
export const M4U_TTBR = layout(
  {
    name: 'TTBR of an M4U',
    title: 'The table base of a MediaTek M4U',
    reference: 'Linux io-pgtable-arm-v7s.c, IO_PGTABLE_QUIRK_ARM_MTK_TTBR_EXT',
    width: 32,
  },
  {
    base: bits(31, 14, 'address bits [31:14] of the root', { address: 14 }),
    high: bits(2, 0, 'address bits [34:32] of the root', { address: 32 }),
  },
);

const CNP = bit(0, 'common not private: PEs may share TLB entries', {
  values: NO_YES,
  feature: 'FEAT_TTCNP',
});

export const TTBR_LONG = layout(
  {
    name: 'TTBR0',
    aliases: ['TTBR1'],
    title: 'Translation Table Base Register (AArch32) with long descriptors',
    reference: 'DDI 0487 G8.2.167',
    width: 64,
  },
  {
    ASID: bits(55, 48, 'address space of entries with nG = 1 (in the TTBR that TTBCR.A1 chooses)'),
    BADDR: bits(47, 1, 'address bits [39:1] of the root; bits [47:40] must be 0'),
    CnP: CNP,
  },
);

export const HTTBR = layout(
  {
    name: 'HTTBR',
    title: 'Hyp Translation Table Base Register (AArch32): the root table of Hyp mode',
    reference: 'DDI 0487 G8.2.78',
    width: 64,
  },
  { BADDR: bits(47, 1, 'address bits [39:1] of the root; bits [47:40] must be 0'), CnP: CNP },
);

export const VTTBR = layout(
  {
    name: 'VTTBR',
    title: 'Virtualization Translation Table Base Register (AArch32): the root of stage 2, and a VMID',
    reference: 'DDI 0487 G8.2.173',
    width: 64,
  },
  {
    VMID: bits(55, 48, 'the virtual machine of TLB entries'),
    BADDR: bits(47, 1, 'address bits [39:1] of the root; bits [47:40] must be 0'),
    CnP: CNP,
  },
);

/** The base as an ARMv7 machine reads it: 40 bits, those above ignored. (DDI 0406C B3.6.) */
export const ARMV7_BASE = layout(
  {
    name: 'TTBR of ARMv7',
    title: 'The root table as ARMv7 reads TTBR, HTTBR and VTTBR',
    reference: 'DDI 0406C B3.6',
    width: 64,
  },
  { BADDR: bits(39, 1, 'address bits [39:1] of the root') },
);

/** Two registers of 32 bits as one value, as AArch64 maps them: MAIR1:MAIR0, HMAIR1:HMAIR0, NMRR:PRRR. */
export const PAIR = layout(
  { name: 'pair', title: 'Two 32-bit registers as one value', reference: 'DDI 0487 G8.2.111', width: 64 },
  {
    high: bits(63, 32, 'the second register', { address: 0 }),
    low: bits(31, 0, 'the first register'),
  },
);

const attributes = (register: 0 | 1) =>
  layout(
    {
      name: `MAIR${register}`,
      aliases: [`HMAIR${register}`],
      title: `Memory Attribute Indirection Register ${register} (AArch32, long descriptors): the memory types of AttrIndx ${register * 4} to ${register * 4 + 3}`,
      reference: `DDI 0487 G8.2.${111 + register}`,
      width: 32,
    },
    {
      ...numberedFields('Attr', 4, (n) =>
        bits(n * 8 + 7, n * 8, `memory type of AttrIndx = ${register * 4 + n}`, {
          name: `Attr${register * 4 + n}`,
        }),
      ),
    },
  );

export const MAIR0 = attributes(0);
export const MAIR1 = attributes(1);

const TYPES = ['Device-nGnRnE', 'Device-nGnRE', 'Normal', 'reserved'] as const;
const region = (n: number) => `memory with TEX[0]:C:B = ${n}`;

export const PRRR = layout(
  {
    name: 'PRRR',
    title:
      'Primary Region Remap Register (AArch32, short descriptors with SCTLR.TRE = 1): eight memory types',
    reference: 'DDI 0487 G8.2.122',
    width: 32,
  },
  {
    ...numberedFields('NOS', 8, (n) =>
      bit(24 + n, `${region(n)}, where it is shareable`, ['outer shareable', 'inner shareable']),
    ),
    NS1: bit(19, 'Normal memory with S = 1', ['non-shareable', 'shareable']),
    NS0: bit(18, 'Normal memory with S = 0', ['non-shareable', 'shareable']),
    DS1: bit(17, 'Device memory with S = 1: outer shareable in any case'),
    DS0: bit(16, 'Device memory with S = 0: outer shareable in any case'),
    ...numberedFields('TR', 8, (n) => bits(n * 2 + 1, n * 2, region(n), TYPES)),
  },
);
export const PRRR_TYPES = byNumber(PRRR, 'TR');
export const PRRR_NOT_OUTER = byNumber(PRRR, 'NOS');

export const NMRR = layout(
  {
    name: 'NMRR',
    title:
      'Normal Memory Remap Register (AArch32, short descriptors with SCTLR.TRE = 1): cacheability of the types',
    reference: 'DDI 0487 G8.2.119',
    width: 32,
  },
  {
    ...numberedFields('OR', 8, (n) =>
      bits(n * 2 + 17, n * 2 + 16, `outer cacheability of ${region(n)}`, CACHEABILITIES),
    ),
    ...numberedFields('IR', 8, (n) =>
      bits(n * 2 + 1, n * 2, `inner cacheability of ${region(n)}`, CACHEABILITIES),
    ),
  },
);
export const NMRR_OUTER = byNumber(NMRR, 'OR');
export const NMRR_INNER = byNumber(NMRR, 'IR');

const DOMAIN = [
  'no access: a domain fault',
  'client: permissions are checked',
  'reserved',
  'manager: permissions are not checked',
] as const;

export const DACR = layout(
  {
    name: 'DACR',
    title: 'Domain Access Control Register: what each domain of short descriptors may',
    reference: 'DDI 0487 G8.2.38',
    width: 32,
  },
  numberedFields('D', 16, (n) => bits(n * 2 + 1, n * 2, `domain ${n}`, DOMAIN)),
);
/** D0 to D15. */
export const DACR_DOMAINS = byNumber(DACR, 'D');
