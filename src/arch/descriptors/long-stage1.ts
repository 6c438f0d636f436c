/**
 * Blocks and pages of stage 1: VMSAv8-64 (DDI 0487 D8.3.1.2, Table D8-52) and AArch32 long descriptors (G5.5.3.2). `FEAT_S1PIE`,
 * `FEAT_S1POE`, `FEAT_AIE` and `FEAT_THE` stand for indirect and overlay permissions, the index extension and PnCH being in use.
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
  isNv1,
  LEAF_REFERENCE,
  LEAF_TYPE,
  NEVER,
  NV1_REFERENCE,
  noDs,
  notNv1,
  SH_VALUES,
  without,
} from './long-parts.ts';

const AP_VALUES = {
  0: 'read/write at EL1, no access at EL0',
  1: 'read/write at EL1 and EL0',
  2: 'read-only at EL1, no access at EL0',
  3: 'read-only at EL1 and EL0',
} as const;

/** Unless the regime is known to have none. */
const hasEl0: Condition = ({ twoPrivileges }) => twoPrivileges !== false;
const noEl0: Condition = ({ twoPrivileges }) => twoPrivileges === false;
/** Only where the regime is known to have two privilege levels does bit 54 have the name UXN. */
const isUxn: Condition = ({ twoPrivileges, aarch32 }) => twoPrivileges === true && aarch32 !== true;
const isXn: Condition = (context) => !isUxn(context);
const noAp1: Condition = (context) => noEl0(context) || isNv1(context);
const isRoot: Condition = ({ security }) => security === 'root';
const notRoot: Condition = ({ security }) => security !== 'root';
/** Non-secure state, and EL1&0 of Realm state, have one PA space alone. */
const choosesSpace: Condition = ({ security, el }) =>
  security !== 'non-secure' && !(security === 'realm' && el === 1);
const direct = without('FEAT_S1PIE');
const hasRuns: Condition = ({ granuleLog2, level }) => contiguousEntries(granuleLog2, level) > 1;
const hasPbha = all(without('FEAT_S1POE'), without('FEAT_AIE'));

export const STAGE1_LEAF = form(
  LEAF_REFERENCE,
  {
    POIndex: bits(62, 60, 'overlay permissions: which register field', { feature: 'FEAT_S1POE' }),
    PBHA: bits(62, 59, 'page-based hardware attributes', { feature: 'FEAT_HPDS2', when: hasPbha }),
    'AttrIndx[3]': bit(59, 'memory attribute: MAIR2 instead of MAIR', {
      feature: 'FEAT_AIE',
      when: isAArch64,
    }),
    'PIIndex[3]': bit(54, 'indirect permissions', { feature: 'FEAT_S1PIE' }),
    UXN: bit(54, 'execute-never at EL0', { values: NEVER, when: all(direct, isUxn, notNv1) }),
    XN: bit(54, 'execute-never (UXN: at EL0)', { values: NEVER, when: all(direct, isXn, notNv1) }),
    PXN_NV1: bit(54, 'privileged execute-never (a guest hypervisor)', {
      name: 'PXN',
      values: NEVER,
      when: all(direct, isNv1),
    }),
    'PIIndex[2]': bit(53, 'indirect permissions', { feature: 'FEAT_S1PIE' }),
    PXN: bit(53, 'privileged execute-never', { values: NEVER, when: all(direct, hasEl0, notNv1) }),
    Protected: bit(52, 'protected from changes (FEAT_THE)', { feature: 'FEAT_THE' }),
    Contiguous: bit(52, 'one of a run of entries that a TLB may hold as one', {
      when: all(hasRuns, without('FEAT_THE')),
    }),
    'PIIndex[1]': bit(51, 'indirect permissions', { feature: 'FEAT_S1PIE' }),
    DBM: bit(51, 'dirty bit modifier: hardware may make the entry writable', {
      when: all(direct, isAArch64),
    }),
    GP: bit(50, 'guarded page: branches must land on BTI (FEAT_BTI)', {
      feature: 'FEAT_BTI',
      when: isAArch64,
    }),
    ...addressFields('OA', 'output address'),
    nT: bit(16, 'block entry that must not be cached in a TLB (FEAT_BBM level 1)', {
      feature: 'FEAT_BBM',
      when: all(isBlock, isAArch64),
    }),
    NSE: bit(11, 'with NS the physical address space (FEAT_RME)', { when: isRoot }),
    nG: bit(11, 'not global', {
      values: { 0: 'global', 1: 'of one ASID' },
      when: all(hasEl0, notRoot),
    }),
    AF: bit(10, 'access flag', { values: AF_VALUES }),
    'SH[1:0]': bits(9, 8, 'shareability', { values: SH_VALUES, when: noDs }),
    nDirty: bit(7, 'not dirty', { feature: 'FEAT_S1PIE' }),
    'AP[2]': bit(7, 'no writes', {
      values: { 0: 'read/write', 1: 'read-only' },
      when: all(direct, noAp1),
    }),
    'AP[2:1]': bits(7, 6, 'data access permissions', {
      values: AP_VALUES,
      when: all(direct, hasEl0, notNv1),
    }),
    'PIIndex[0]': bit(6, 'indirect permissions', { feature: 'FEAT_S1PIE' }),
    NS: bit(5, 'the output address is in Non-secure memory', { when: choosesSpace }),
    AttrIndx: bits(4, 2, 'memory attribute: the byte of MAIR'),
    ...LEAF_TYPE,
  },
  [
    hole(63, 63, 'ignored', 'not used without memory encryption contexts'),
    hole(62, 59, 'ignored', 'no page-based hardware attributes'),
    hole(58, 55, 'ignored', 'free for software'),
    hole(53, 53, 'res0', 'a guest hypervisor: PXN is bit 54', isNv1, NV1_REFERENCE),
    hole(53, 53, 'res0', 'one privilege level: XN covers all accesses'),
    hole(52, 52, 'res0', 'no runs of blocks of this size'),
    ...ADDRESS_HOLES,
    hole(11, 11, 'res0', 'one privilege level: all entries are global'),
    hole(6, 6, 'ignored', 'a guest hypervisor: AP[1] is treated as 0', isNv1, NV1_REFERENCE),
    hole(6, 6, 'res1', 'one privilege level: no AP[1]'),
    hole(5, 5, 'res0', 'Non-secure state, or EL1&0 of Realm state: no choice of the PA space'),
  ],
);
