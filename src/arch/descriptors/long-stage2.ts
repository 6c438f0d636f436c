/**
 * Blocks and pages of stage 2: VMSAv8-64 (DDI 0487 D8.3.1.2, Table D8-53) and AArch32 long descriptors (G5.5.3.3). `FEAT_S2PIE`,
 * `FEAT_S2POE`, `FEAT_THE` and `FEAT_S2FWB` stand for indirect and overlay permissions, AssuredOnly and HCR.FWB being in use.
 */
import { contiguousEntries } from './contiguous.ts';
import { bit, bits, type Condition, form, hole } from './declare.ts';
import {
  ADDRESS_HOLES,
  AF_VALUES,
  addressFields,
  all,
  isAArch64,
  isBlock,
  LEAF_REFERENCE,
  LEAF_TYPE,
  NEVER,
  noDs,
  SH_VALUES,
  without,
} from './long-parts.ts';

const S2AP_VALUES = { 0: 'no access', 1: 'read-only', 2: 'write-only', 3: 'read/write' } as const;
const XN_VALUES = {
  0: 'executable',
  1: 'not executable at EL1',
  2: 'execute-never',
  3: 'not executable at EL0',
} as const;
const MEM_ATTR = {
  0: 'Device-nGnRnE',
  1: 'Device-nGnRE',
  2: 'Device-nGRE',
  3: 'Device-GRE',
  5: 'Normal, outer and inner Non-cacheable',
  6: 'Normal, outer Non-cacheable, inner Write-Through',
  7: 'Normal, outer Non-cacheable, inner Write-Back',
  9: 'Normal, outer Write-Through, inner Non-cacheable',
  10: 'Normal, outer and inner Write-Through',
  11: 'Normal, outer Write-Through, inner Write-Back',
  13: 'Normal, outer Write-Back, inner Non-cacheable',
  14: 'Normal, outer Write-Back, inner Write-Through',
  15: 'Normal, outer and inner Write-Back',
} as const;
const FORCED_MEM_ATTR = {
  0: 'Device-nGnRnE',
  1: 'Device-nGnRE',
  2: 'Device-nGRE',
  3: 'Device-GRE',
  5: 'Normal, outer and inner Non-cacheable',
  6: 'Normal, outer and inner Write-Back',
  7: 'as stage 1 says',
} as const;

const direct = without('FEAT_S2PIE');
/** NS stands in Realm state alone. Where nobody says the state, the bit is software's. */
const isRealm: Condition = ({ security }) => security === 'realm';
const hasRuns: Condition = ({ granuleLog2, level }) => contiguousEntries(granuleLog2, level) > 1;

export const STAGE2_LEAF = form(
  LEAF_REFERENCE,
  {
    POIndex: bits(62, 59, 'overlay permissions: which register field', { feature: 'FEAT_S2POE' }),
    PBHA: bits(62, 59, 'page-based hardware attributes', {
      feature: 'FEAT_HPDS2',
      when: without('FEAT_S2POE'),
    }),
    AssuredOnly: bit(58, 'only assured translations may use it', { feature: 'FEAT_THE' }),
    NS: bit(55, 'the output address is in Non-secure memory', { when: isRealm }),
    'PIIndex[3:2]': bits(54, 53, 'indirect permissions', { feature: 'FEAT_S2PIE' }),
    'XN[1:0]': bits(54, 53, 'execute-never (bit 53 has effect with FEAT_XNX)', {
      values: XN_VALUES,
      feature: 'FEAT_XNX',
      when: direct,
    }),
    XN: bit(54, 'execute-never', { values: NEVER, when: all(direct, without('FEAT_XNX')) }),
    Contiguous: bit(52, 'one of a run of entries that a TLB may hold as one', { when: hasRuns }),
    'PIIndex[1]': bit(51, 'indirect permissions', { feature: 'FEAT_S2PIE' }),
    DBM: bit(51, 'dirty bit modifier: hardware may make the entry writable', {
      when: all(direct, isAArch64),
    }),
    ...addressFields('OA', 'output address'),
    nT: bit(16, 'block entry that must not be cached in a TLB (FEAT_BBM level 1)', {
      feature: 'FEAT_BBM',
      when: all(isBlock, isAArch64),
    }),
    FnXS: bit(11, 'clears the XS attribute (FEAT_XS)', { feature: 'FEAT_XS', when: isAArch64 }),
    AF: bit(10, 'access flag', { values: AF_VALUES }),
    'SH[1:0]': bits(9, 8, 'shareability', { values: SH_VALUES, when: noDs }),
    Dirty: bit(7, 'dirty', { feature: 'FEAT_S2PIE' }),
    S2AP: bits(7, 6, 'data access permissions', { values: S2AP_VALUES, when: direct }),
    'PIIndex[0]': bit(6, 'indirect permissions', { feature: 'FEAT_S2PIE' }),
    MemAttr: bits(5, 2, 'memory type and cacheability', { values: MEM_ATTR, when: without('FEAT_S2FWB') }),
    'MemAttr[2:0]': bits(4, 2, 'memory type and cacheability, instead of those of stage 1', {
      values: FORCED_MEM_ATTR,
      feature: 'FEAT_S2FWB',
    }),
    ...LEAF_TYPE,
  },
  [
    hole(63, 63, 'res0', 'not used without realms'),
    hole(62, 59, 'ignored', 'no page-based hardware attributes'),
    hole(58, 55, 'ignored', 'free for software'),
    hole(53, 53, 'res0', 'no XN[0]'),
    hole(52, 52, 'res0', 'no runs of blocks of this size'),
    ...ADDRESS_HOLES,
    hole(11, 11, 'res0', 'no XS attribute'),
    hole(5, 5, 'res0', 'no MemAttr[3] where stage 2 decides'),
  ],
);
