/** Granule protection checks: GPCCR_EL3, GPTBR_EL3, GPCBW_EL3. (FEAT_RME; DDI 0487 D24.2.55 to D24.2.57.) */
import { bit, bits, layout } from '../field.ts';
import { CACHEABILITIES, NO_YES, ON, SHAREABILITIES } from './values.ts';

const GPC2 = 'FEAT_RME_GPC2';
const GPC3 = 'FEAT_RME_GPC3';
const GDI = 'FEAT_RME_GDI';
const RESERVED = ['reserved', 'no access'] as const;
const CHECKED = ['checked by the table', 'a granule protection fault'] as const;

/** Bits of the protected address space by PPS3:PPS; undefined where it is reserved. */
export const PPS_BITS: readonly (number | undefined)[] = [32, 36, 40, 42, 44, 48, 52, 56, 46, 47];

/** log2 of size that a level 0 entry covers, by L0GPTSZ. */
export const L0GPTSZ_BITS: Readonly<Record<number, number>> = { 0: 30, 4: 34, 6: 36, 9: 39 };

/** log2 of the granule, by PGS. */
export const PGS_BITS: readonly (number | undefined)[] = [12, 16, 14];

export const GPCCR_EL3 = layout(
  {
    name: 'GPCCR_EL3',
    aliases: ['GPCCR'],
    title:
      'Granule Protection Check Control Register: whether every access is checked against a table, and its shape',
    reference: 'DDI 0487 D24.2.56',
    width: 64,
  },
  {
    GPCBW: bit(29, 'bypass windows, described by GPCBW_EL3', { values: ON, feature: GPC3 }),
    NA7: bit(28, 'GPI 0b0111', { values: RESERVED, feature: GDI }),
    NA6: bit(27, 'GPI 0b0110', { values: RESERVED, feature: GDI }),
    NSP: bit(26, 'GPI 0b0101', { values: ['reserved', 'Non-secure Protected'], feature: GDI }),
    SA: bit(25, 'GPI 0b0100', { values: ['reserved', 'System Agent'], feature: GDI }),
    APPSAA: bit(24, 'addresses beyond PPS', {
      values: ['only Non-secure accesses', 'every access'],
      feature: GPC2,
    }),
    L0GPTSZ: bits(23, 20, 'size that a level 0 entry covers', {
      values: { 0: '1 GiB', 4: '16 GiB', 6: '64 GiB', 9: '512 GiB' },
    }),
    NSO: bit(19, 'GPI 0b1101', { values: ['reserved', 'Non-secure only'], feature: GPC2 }),
    TBGPCD: bit(18, 'the Trace Buffer Unit accepts trace where GPC is 0', { values: NO_YES, feature: GPC2 }),
    GPCP: bit(17, 'faults on the fetch of a table descriptor of stage 2', ['reported', 'may be left out']),
    GPC: bit(16, 'granule protection checks', { values: ON, feature: 'FEAT_RME' }),
    PGS: bits(15, 14, 'granule', { 0: '4K', 1: '64K', 2: '16K' }),
    SH: bits(13, 12, 'shareability of fetches of the table', SHAREABILITIES),
    ORGN: bits(11, 10, 'outer cacheability of fetches of the table', CACHEABILITIES),
    IRGN: bits(9, 8, 'inner cacheability of fetches of the table', CACHEABILITIES),
    SPAD: bit(7, 'accesses to Secure addresses', { values: CHECKED, feature: GPC2 }),
    NSPAD: bit(6, 'accesses to Non-secure addresses', { values: CHECKED, feature: GPC2 }),
    RLPAD: bit(5, 'accesses to Realm addresses', { values: CHECKED, feature: GPC2 }),
    PPS3: bit(3, 'PPS[3]', { feature: GPC3 }),
    PPS: bits(2, 0, 'size of the protected address space', {
      0: '32 bits',
      1: '36 bits',
      2: '40 bits',
      3: '42 bits',
      4: '44 bits',
      5: '48 bits',
      6: '52 bits',
      7: '56 bits',
    }),
  },
);

export const GPTBR_EL3 = layout(
  {
    name: 'GPTBR_EL3',
    aliases: ['GPTBR'],
    title: 'Granule Protection Table Base Register: the level 0 table, in Root memory',
    reference: 'DDI 0487 D24.2.57',
    width: 64,
  },
  { BADDR: bits(39, 0, 'address bits [51:12] of the level 0 table, aligned to its size', { address: 12 }) },
);

export const GPCBW_EL3 = layout(
  {
    name: 'GPCBW_EL3',
    aliases: ['GPCBW'],
    title: 'Granule Protection Check Bypass Window Register: addresses that are not checked against a table',
    reference: 'DDI 0487 D24.2.55',
    width: 64,
  },
  {
    BWSIZE: bits(39, 37, 'size of a window', {
      values: { 0: '1 GiB', 1: '2 GiB', 2: '4 GiB', 4: '16 GiB', 6: '64 GiB' },
      feature: GPC3,
    }),
    BWSTRIDE: bits(36, 32, 'from one window to the next', {
      values: {
        0: '1 TiB',
        2: '4 TiB',
        4: '16 TiB',
        6: '64 TiB',
        7: '128 TiB',
        8: '256 TiB',
        9: '512 TiB',
        10: '1 PiB',
        16: 'there is one window',
      },
      feature: GPC3,
    }),
    BWADDR: bits(25, 0, 'address bits [55:30] of a window', { address: 30, feature: GPC3 }),
  },
);
