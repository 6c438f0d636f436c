/** Memory types as MAIR bytes and stage-2 MemAttr encode them. (DDI 0487 D24.2.127 "Attr<n>"; D8.6.5 stage 2.) */
import { bit, bits, layout } from '../field.ts';
import { NO_YES } from './values.ts';

const DEVICES = ['nGnRnE', 'nGnRE', 'nGRE', 'GRE'] as const;

/** A byte of MAIR. Where its outer half is 0 it is Device memory, and the inner half says which. */
export const MAIR_BYTE = layout(
  {
    name: 'Attr<n>',
    title: 'A memory type: a byte of MAIR, and PAR_EL1.ATTR',
    reference: 'DDI 0487 D24.2.127',
    width: 8,
  },
  {
    outer: bits(7, 4, 'outer cacheability, or 0: Device memory'),
    inner: bits(3, 0, 'inner cacheability'),
    device: bits(3, 2, 'type of Device memory', DEVICES),
    deviceLow: bits(1, 0, 'for Device memory: 1 is without the XS attribute (FEAT_XS)'),
  },
);

/** A half of such a byte, of Normal memory. 0b0100 is Non-cacheable. */
export const CACHE_NIBBLE = layout(
  {
    name: 'Attr<n>, half',
    title: 'Cacheability of Normal memory at one level of cache',
    reference: 'DDI 0487 D24.2.127',
    width: 4,
  },
  {
    lasting: bit(3, 'not transient', NO_YES),
    writeBack: bit(2, 'policy', ['Write-Through', 'Write-Back']),
    readAllocate: bit(1, 'allocates on reads', NO_YES),
    writeAllocate: bit(0, 'allocates on writes', NO_YES),
  },
);

/** MemAttr[3:0] of stage-2 leaves, in both of its forms. */
export const STAGE2_MEMATTR = layout(
  {
    name: 'MemAttr',
    title: 'The memory type of a stage-2 leaf',
    reference: 'DDI 0487 D8.6.5',
    width: 4,
  },
  {
    outer: bits(3, 2, 'outer cacheability, or 0: Device memory (HCR_EL2.FWB = 0)'),
    normal: bit(2, 'with HCR_EL2.FWB = 1', ['Device memory', 'Normal memory']),
    inner: bits(1, 0, 'inner cacheability, or the type of Device memory'),
  },
);

/** TEX:C:B of short descriptors with SCTLR.TRE = 0, where TEX[2] is 1. (DDI 0487 G5.7.2.) */
export const TEX_C_B = layout(
  { name: 'TEX:C:B', title: 'The memory type of a short descriptor', reference: 'DDI 0487 G5.7.2', width: 5 },
  {
    cached: bit(4, 'TEX[2]: the others are cacheabilities', NO_YES),
    outer: bits(3, 2, 'TEX[1:0]: outer cacheability'),
    inner: bits(1, 0, 'C:B: inner cacheability'),
  },
);
