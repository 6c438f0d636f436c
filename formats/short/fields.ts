/**
 * The fields of short descriptors, declared once: tables, sections and supersections at level 1, large and small pages at
 * level 2 (DDI 0487 G5.4.1, DDI 0406C B3.5.1), with AP[0] as the access flag (SCTLR.AFE = 1). MediaTek's M4U keeps PA[34:32]
 * in bits 5, 4 and 9 (Linux io-pgtable-arm-v7s.c).
 */
import type { DescriptorLayout, Field } from '../../src/descriptor/index.ts';

const LEVEL_1 = 'DDI 0487 G5.4.1.1';
const LEVEL_2 = 'DDI 0487 G5.4.1.2';

const row = (
  high: number,
  low: number,
  name: string,
  meaning: string,
  extra: Partial<Field> = {},
): Field => ({ name, high, low, kind: 'field', meaning, reference: LEVEL_1, ...extra });

const spare = (high: number, low: number, meaning: string, kind: Field['kind'] = 'ignored'): Field =>
  row(high, low, '-', meaning, { kind });

const NEVER = { 0: 'executable', 1: 'execute-never' };
const NG = { values: { 0: 'global', 1: 'of one ASID' } };

const nG = (bit: number) => row(bit, bit, 'nG', 'not global', NG);
const S = (bit: number) => row(bit, bit, 'S', 'shareable, as PRRR defines it');
const AP2 = (bit: number) =>
  row(bit, bit, 'AP[2]', 'no writes', { values: { 0: 'read/write', 1: 'read-only' } });
const AP1 = (bit: number) =>
  row(bit, bit, 'AP[1]', 'access at PL0', { values: { 0: 'no access at PL0', 1: 'access at PL0' } });
const AF = (bit: number) =>
  row(bit, bit, 'AF', 'access flag: AP[0] with SCTLR.AFE = 1', {
    values: { 0: 'not accessed: faults', 1: 'accessed' },
  });
const TEX = (low: number) => row(low + 2, low, 'TEX', 'with C and B the memory type; with SCTLR.TRE, TEX[0]');
const C = row(3, 3, 'C', 'with TEX and B the memory type');
const B = row(2, 2, 'B', 'with TEX and C the memory type');
const XN = (bit: number) => row(bit, bit, 'XN', 'execute-never', { values: NEVER });
const PXN = (bit: number) => row(bit, bit, 'PXN', 'privileged execute-never', { values: NEVER });
const domain = (high: number, low: number) => row(high, low, 'Domain', 'which field of DACR applies');
const address = (high: number, low: number, carries = low, name = 'OA') =>
  row(high, low, `${name}[${carries + high - low}:${carries}]`, addressMeaning(name), { address: carries });
const addressMeaning = (name: string) => (name === 'OA' ? 'output address' : 'address of the level 2 table');
/** PA[34:32] of an M4U, each in a separate bit. */
const mtk = (bit: number, carries: number, name: string) =>
  row(bit, bit, `${name}[${carries}]`, `${addressMeaning(name)}, a bit above 32 (MediaTek)`, {
    address: carries,
    reference: 'Linux io-pgtable-arm-v7s.c, ARM_MTK_EXT',
  });

function table(extended: boolean): Field[] {
  return [
    address(31, 10, 10, 'NLTA'),
    extended ? mtk(9, 32, 'NLTA') : spare(9, 9, 'IMPLEMENTATION DEFINED'),
    ...(extended
      ? [spare(8, 6, 'no domains'), mtk(5, 34, 'NLTA'), mtk(4, 33, 'NLTA')]
      : [domain(8, 5), spare(4, 4, 'should be zero', 'res0')]),
    row(3, 3, 'NS', 'the pages are in Non-secure memory'),
    PXN(2),
    row(1, 0, 'Type', 'table', { fixed: 1 }),
  ];
}

function section(isSuper: boolean, extended: boolean): Field[] {
  const low = isSuper ? 24 : 20;
  const above = extended ? spare(23, 20, "inside the supersection's size") : address(23, 20, 32);
  return [
    address(31, low),
    ...(isSuper ? [above] : []),
    row(19, 19, 'NS', 'the output address is in Non-secure memory'),
    row(18, 18, 'Super', 'supersection', { fixed: isSuper ? 1 : 0 }),
    nG(17),
    S(16),
    AP2(15),
    TEX(12),
    AP1(11),
    AF(10),
    extended ? mtk(9, 32, 'OA') : spare(9, 9, 'IMPLEMENTATION DEFINED'),
    ...(extended
      ? [spare(8, 6, 'no domains'), mtk(5, 34, 'OA'), mtk(4, 33, 'OA')]
      : [isSuper ? address(8, 5, 36) : domain(8, 5), XN(4)]),
    C,
    B,
    row(1, 1, 'Type', 'section', { fixed: 1 }),
    PXN(0),
  ];
}

function page(isLarge: boolean, extended: boolean): Field[] {
  const permissions = extended ? [mtk(5, 34, 'OA'), mtk(4, 33, 'OA')] : [AP1(5), AF(4)];
  const fields = [
    ...(isLarge
      ? [address(31, 16), extended ? spare(15, 15, 'no permissions') : XN(15), TEX(12)]
      : [address(31, 12)]),
    nG(11),
    S(10),
    extended ? mtk(9, 32, 'OA') : AP2(9),
    isLarge ? spare(8, 6, 'should be zero', 'res0') : TEX(6),
    ...permissions,
    C,
    B,
    ...(isLarge
      ? [row(1, 0, 'Type', 'large page', { fixed: 1 })]
      : [row(1, 1, 'Type', 'small page', { fixed: 1 }), extended ? spare(0, 0, 'no permissions') : XN(0)]),
  ];
  return fields.map((field) => (field.reference === LEVEL_1 ? { ...field, reference: LEVEL_2 } : field));
}

/**
 * The declared fields of one kind of short descriptor.
 * @param run - a supersection or large page, of which 16 entries hold the same word.
 * @param extended - with the address bits of a MediaTek M4U.
 */
export function shortDescriptor(
  kind: DescriptorLayout['kind'],
  level: number,
  run: boolean,
  extended: boolean,
): DescriptorLayout {
  const what =
    kind === 'block' ? (run ? 'supersection' : 'section') : kind === 'page' && run ? 'large page' : kind;
  const title = `short stage 1 level ${level} ${kind}${what === kind ? '' : ` (${what})`}`;
  switch (kind) {
    case 'table':
      return { title, kind, width: 32, fields: table(extended) };
    case 'block':
      return { title, kind, width: 32, fields: section(run, extended) };
    case 'page':
      return { title, kind, width: 32, fields: page(run, extended) };
    default: {
      const type = row(1, 0, 'Type', 'not valid', { fixed: 0 });
      return { title, kind, width: 32, fields: [spare(31, 2, 'free for software'), type] };
    }
  }
}
