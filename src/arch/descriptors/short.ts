/**
 * Short descriptors: tables, sections and supersections at level 1, large and small pages at level 2. (DDI 0487 G5.4.1, G5.4.2.)
 * MediaTek's M4U keeps PA[34:32] in bits 5, 4 and 9, and has neither domains nor permissions. (Linux io-pgtable-arm-v7s.c.)
 */
import { bit, bits, type Condition, form, hole } from './declare.ts';

const LEVEL_1 = { width: 32, reference: 'DDI 0487 G5.4.1.1' } as const;
const LEVEL_2 = { width: 32, reference: 'DDI 0487 G5.4.1.2' } as const;
const NEVER = { 0: 'executable', 1: 'execute-never' } as const;

const isArm: Condition = ({ format }) => format !== 'mtk';
const isMtk: Condition = ({ format }) => format === 'mtk';
const isFlag: Condition = ({ afe, format }) => afe !== false && format !== 'mtk';
const isAp0: Condition = ({ afe, format }) => afe === false && format !== 'mtk';

const OUTPUT = 'output address';
const NEXT = 'address of the level 2 table';

const nG = (at: number) => bit(at, 'not global', { values: { 0: 'global', 1: 'of one ASID' } });
const S = (at: number) => bit(at, 'shareable, as PRRR defines it');
const XN = (at: number) => bit(at, 'execute-never', { values: NEVER, when: isArm });
const PXN = (at: number) => bit(at, 'privileged execute-never', { values: NEVER });
const TEX = (low: number) => bits(low + 2, low, 'with C and B the memory type; with SCTLR.TRE, TEX[0]');
const CACHE = {
  C: bit(3, 'with TEX and B the memory type'),
  B: bit(2, 'with TEX and C the memory type'),
};
const DOMAIN = bits(8, 5, 'which field of DACR applies', { name: 'Domain', when: isArm });

/** AP[2], AP[1], and AP[0] or the access flag, each at its bit. A section of an M4U keeps them. */
function permissions(ap2: number, ap1: number, af: number, inMtk: boolean) {
  const AF_VALUES = { 0: 'not accessed: faults', 1: 'accessed' } as const;
  const also: Condition = inMtk ? () => true : isArm;
  return {
    AP2: bit(ap2, 'no writes', {
      name: 'AP[2]',
      values: { 0: 'read/write', 1: 'read-only' },
      when: also,
    }),
    AP1: bit(ap1, 'access at PL0', {
      name: 'AP[1]',
      values: { 0: 'no access at PL0', 1: 'access at PL0' },
      when: also,
    }),
    AF: bit(af, 'access flag: AP[0] with SCTLR.AFE = 1', {
      values: AF_VALUES,
      when: inMtk ? (context) => isFlag(context) || isMtk(context) : isFlag,
    }),
    AP0: bit(af, 'less access at PL0', { name: 'AP[0]', when: isAp0 }),
  };
}

/** PA[34:32] of an M4U, each in a bit of its own. */
function mtkAddress(name: 'OA' | 'NLTA', meaning: string) {
  const part = (at: number, address: number) =>
    bit(at, `${meaning}, a bit above 32 (MediaTek)`, {
      name: `${name}[${address}]`,
      address,
      reference: 'Linux io-pgtable-arm-v7s.c, ARM_MTK_EXT',
      when: isMtk,
    });
  return { BIT_32: part(9, 32), BIT_34: part(5, 34), BIT_33: part(4, 33) };
}

const LEVEL_1_HOLES = [
  hole(9, 9, 'ignored', 'IMPLEMENTATION DEFINED'),
  hole(8, 6, 'ignored', 'no domains', isMtk),
] as const;

export const SHORT_TABLE = form(
  LEVEL_1,
  {
    BASE: bits(31, 10, NEXT, { name: 'NLTA[31:10]', address: 10 }),
    ...mtkAddress('NLTA', NEXT),
    Domain: DOMAIN,
    NS: bit(3, 'the pages are in Non-secure memory'),
    PXN: PXN(2),
    Type: bits(1, 0, 'table', { fixed: 1 }),
  },
  [...LEVEL_1_HOLES, hole(4, 4, 'res0', 'should be zero')],
);

/** What sections and supersections share. */
const SECTION_FIELDS = {
  NS: bit(19, 'the output address is in Non-secure memory'),
  nG: nG(17),
  S: S(16),
  ...permissions(15, 11, 10, true),
  TEX: TEX(12),
  ...mtkAddress('OA', OUTPUT),
  XN: XN(4),
  ...CACHE,
  Type: bit(1, 'section', { fixed: 1 }),
  PXN: PXN(0),
};

export const SECTION = form(
  LEVEL_1,
  {
    BASE: bits(31, 20, OUTPUT, { name: 'OA[31:20]', address: 20 }),
    Super: bit(18, 'supersection', { fixed: 0 }),
    Domain: DOMAIN,
    ...SECTION_FIELDS,
  },
  LEVEL_1_HOLES,
);

export const SUPERSECTION = form(
  LEVEL_1,
  {
    BASE: bits(31, 24, OUTPUT, { name: 'OA[31:24]', address: 24 }),
    BASE_32: bits(23, 20, OUTPUT, { name: 'OA[35:32]', address: 32, when: isArm }),
    Super: bit(18, 'supersection', { fixed: 1 }),
    BASE_36: bits(8, 5, OUTPUT, { name: 'OA[39:36]', address: 36, when: isArm }),
    ...SECTION_FIELDS,
  },
  [hole(23, 20, 'ignored', "inside the supersection's size", isMtk), ...LEVEL_1_HOLES],
);

export const LARGE_PAGE = form(
  LEVEL_2,
  {
    BASE: bits(31, 16, OUTPUT, { name: 'OA[31:16]', address: 16 }),
    XN: XN(15),
    TEX: TEX(12),
    nG: nG(11),
    S: S(10),
    ...permissions(9, 5, 4, false),
    ...mtkAddress('OA', OUTPUT),
    ...CACHE,
    Type: bits(1, 0, 'large page', { fixed: 1 }),
  },
  [hole(15, 15, 'ignored', 'no permissions', isMtk), hole(8, 6, 'res0', 'should be zero')],
);

export const SMALL_PAGE = form(
  LEVEL_2,
  {
    BASE: bits(31, 12, OUTPUT, { name: 'OA[31:12]', address: 12 }),
    nG: nG(11),
    S: S(10),
    TEX: TEX(6),
    ...permissions(9, 5, 4, false),
    ...mtkAddress('OA', OUTPUT),
    ...CACHE,
    Type: bit(1, 'small page', { fixed: 1 }),
    XN: XN(0),
  },
  [hole(0, 0, 'ignored', 'no permissions', isMtk)],
);

export const SHORT_INVALID = form(LEVEL_1, { Type: bits(1, 0, 'not valid', { fixed: 0 }) }, [
  hole(31, 2, 'ignored', 'free for software'),
]);
