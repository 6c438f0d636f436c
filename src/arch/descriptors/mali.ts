/**
 * Descriptors of a Mali GPU (Midgard, Bifrost): long ones with permissions as at stage 2 and attributes as at stage 1. Arm
 * publishes no manual: this follows Linux's io-pgtable-arm.c (ARM_MALI_LPAE).
 */
import { bit, bits, type Condition, form, hole } from './declare.ts';

const WORD = { width: 64, reference: 'Linux io-pgtable-arm.c, ARM_MALI_LPAE' } as const;
const isBlock: Condition = ({ kind }) => kind === 'block';

export const MALI_TABLE = form(
  WORD,
  {
    SYNC: bit(55, "Linux: the entry was made visible to a walker that isn't coherent", { software: true }),
    BASE: bits(47, 12, 'address of the next table', { name: 'NLTA', address: 12, sized: true }),
    Type: bits(1, 0, 'table', { fixed: 3 }),
  },
  [hole(63, 2, 'ignored', 'not used in a table descriptor')],
);

export const MALI_LEAF = form(
  WORD,
  {
    'XN[1:0]': bits(54, 53, 'execute-never (bit 54 has effect)', {
      values: { 0: 'executable', 3: 'execute-never' },
    }),
    BASE: bits(47, 12, 'output address', { name: 'OA', address: 12, sized: true }),
    'SH[1:0]': bits(9, 8, 'shareability, inner being the GPU itself', {
      values: { 0: 'non-shareable', 2: 'outer shareable', 3: 'inner shareable' },
    }),
    AP: bits(7, 6, 'data access permissions', {
      values: { 0: 'no access', 1: 'read-only', 2: 'write-only', 3: 'read/write' },
    }),
    AttrIndx: bits(4, 2, 'memory attribute: the byte of AS_MEMATTR'),
    Type: bits(1, 0, 'block or page, at every level', { fixed: 1 }),
  },
  [
    hole(63, 55, 'ignored', 'not used'),
    hole(52, 48, 'ignored', 'not used'),
    hole(46, 12, 'ignored', "inside the block's size", isBlock),
    hole(11, 10, 'ignored', 'no nG and no access flag'),
    hole(5, 5, 'ignored', 'not used'),
  ],
);

export const MALI_INVALID = form(WORD, { Valid: bit(0, 'not valid', { fixed: 0 }) }, [
  hole(63, 1, 'ignored', 'free for software'),
]);
