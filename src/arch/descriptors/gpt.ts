/** Descriptors of the granule protection table. (FEAT_RME; DDI 0487 D9.6.) */
import { bits, layout } from '../field.ts';

/** GPI values. What none of the names is, is reserved. (D9.6.5) */
export const GPI = {
  noAccess: 0b0000,
  systemAgent: 0b0100,
  nonSecureProtected: 0b0101,
  na6: 0b0110,
  na7: 0b0111,
  secure: 0b1000,
  nonSecure: 0b1001,
  root: 0b1010,
  realm: 0b1011,
  nonSecureOnly: 0b1101,
  any: 0b1111,
} as const;

/** What a GPI lets through, in words. */
export const GPI_VALUES: Readonly<Record<number, string>> = {
  [GPI.noAccess]: 'no access',
  [GPI.systemAgent]: 'System Agent (no access of a PE)',
  [GPI.nonSecureProtected]: 'Non-secure Protected (no access of a PE)',
  [GPI.na6]: 'no access (NA6)',
  [GPI.na7]: 'no access (NA7)',
  [GPI.secure]: 'Secure',
  [GPI.nonSecure]: 'Non-secure',
  [GPI.root]: 'Root',
  [GPI.realm]: 'Realm',
  [GPI.nonSecureOnly]: 'Non-secure, only from Non-secure and Root state',
  [GPI.any]: 'all accesses',
};

/** Bits [3:0] of an entry. At level 1 every other value is the first GPI of a Granules descriptor. */
export const GPT_TYPES = { block: 0b0001, table: 0b0011, contiguous: 0b0001 } as const;

const TYPE = bits(3, 0, 'what the entry is');

export const GPT_BLOCK = layout(
  {
    name: 'GPT Block',
    title: 'Granule protection table, level 0: one GPI for everything that the entry covers',
    reference: 'DDI 0487 D9.6.2',
    width: 64,
  },
  { GPI: bits(7, 4, 'who may access it', GPI_VALUES), Type: TYPE },
);

export const GPT_TABLE = layout(
  {
    name: 'GPT Table',
    title: 'Granule protection table, level 0: the table of level 1',
    reference: 'DDI 0487 D9.6.1',
    width: 64,
  },
  { NLTA: bits(51, 12, 'address of the level 1 table, aligned to its size', { address: 12 }), Type: TYPE },
);

export const GPT_CONTIGUOUS = layout(
  {
    name: 'GPT Contiguous',
    title:
      'Granule protection table, level 1: one GPI for 16 granules, which are part of a larger region with the same GPI',
    reference: 'DDI 0487 D9.6.4',
    width: 64,
  },
  {
    Contig: bits(9, 8, 'size of the region', { 0: 'reserved', 1: '2 MiB', 2: '32 MiB', 3: '512 MiB' }),
    GPI: bits(7, 4, 'who may access it', GPI_VALUES),
    Type: TYPE,
  },
);

/** log2 of the region, by Contig; undefined where it is reserved. */
export const CONTIG_BITS: readonly (number | undefined)[] = [undefined, 21, 25, 29];

/** Granules of one level 1 entry, and the width of a GPI. (D9.6.3) */
export const GRANULES_LOG2 = 4;
export const GPI_WIDTH = 4;
