/**
 * Table descriptors and invalid ones: VMSAv8-64 (DDI 0487 D8.3.1.1 and D8.3.1.3, Tables D8-50, D8-51, D8-54, D8-55) and AArch32
 * long descriptors (G5.5.2, G5.5.3.1). What table descriptors say of permissions has no effect with TCR.HPDn = 1.
 */
import { bit, bits, type Condition, form, hole } from './declare.ts';
import { ADDRESS_HOLES, addressFields, all, isNv1, NV1_REFERENCE, notNv1 } from './long-parts.ts';

const AP_TABLE_VALUES = {
  0: 'no effect',
  1: 'no EL0 access below',
  2: 'no write below',
  3: 'no write and no EL0 access below',
} as const;

const isStage1: Condition = ({ stage }) => stage === 1;
const isStage2: Condition = ({ stage }) => stage === 2;
const counts: Condition = ({ hierarchical }) => hierarchical !== false;
const isSecurable: Condition = ({ security }) => security === undefined || security === 'secure';
const hasEl0: Condition = ({ twoPrivileges }) => twoPrivileges !== false;
const noEl0: Condition = ({ twoPrivileges }) => twoPrivileges === false;
const isUxn: Condition = ({ twoPrivileges, aarch32 }) => twoPrivileges === true && aarch32 !== true;
const isXn: Condition = (context) => !isUxn(context);
const noAp0: Condition = (context) => noEl0(context) || isNv1(context);
const hierarchical = all(isStage1, counts);

export const TABLE_DESCRIPTOR = form(
  { width: 64, reference: 'DDI 0487 D8.3.1.1', aarch32: 'DDI 0487 G5.5.3.1' },
  {
    NSTable: bit(63, 'the next table, and all below it, is Non-secure memory', {
      when: all(isStage1, isSecurable),
    }),
    APTable: bits(62, 61, 'limits the access permissions below', {
      values: AP_TABLE_VALUES,
      when: all(hierarchical, hasEl0, notNv1),
    }),
    'APTable[1]': bit(62, 'no write below', { when: all(hierarchical, noAp0) }),
    UXNTable: bit(60, 'execute-never at EL0 below', { when: all(hierarchical, isUxn, notNv1) }),
    XNTable: bit(60, 'execute-never below (UXNTable with two privilege levels)', {
      when: all(hierarchical, isXn, notNv1),
    }),
    PXN_TABLE_NV1: bit(60, 'privileged execute-never below (a guest hypervisor)', {
      name: 'PXNTable',
      when: all(hierarchical, isNv1),
    }),
    PXNTable: bit(59, 'privileged execute-never below', { when: all(hierarchical, hasEl0, notNv1) }),
    SYNC: bit(55, "Linux: the entry was made visible to a walker that isn't coherent", { software: true }),
    Protected: bit(52, 'protected from changes (FEAT_THE)', { feature: 'FEAT_THE', when: isStage1 }),
    ...addressFields('NLTA', 'address of the next table'),
    AF: bit(10, 'access flag (FEAT_HAFT)', { feature: 'FEAT_HAFT' }),
    Type: bit(1, 'table', { fixed: 1 }),
    Valid: bit(0, 'valid', { fixed: 1 }),
  },
  [
    hole(63, 59, 'res0', 'no table attributes at stage 2', isStage2),
    hole(63, 63, 'res0', 'not Secure state'),
    hole(
      61,
      61,
      'ignored',
      'a guest hypervisor: APTable[0] is treated as 0',
      all(hierarchical, isNv1),
      NV1_REFERENCE,
    ),
    hole(59, 59, 'res0', 'a guest hypervisor: PXNTable is bit 60', all(hierarchical, isNv1), NV1_REFERENCE),
    hole(61, 61, 'res0', 'one privilege level: no APTable[0]', all(hierarchical, noEl0)),
    hole(59, 59, 'res0', 'one privilege level: XNTable covers all accesses', all(hierarchical, noEl0)),
    hole(62, 59, 'ignored', 'permissions of tables are off'),
    hole(58, 51, 'ignored', 'free for software'),
    ...ADDRESS_HOLES,
    hole(11, 2, 'ignored', 'not used in a table descriptor'),
  ],
);

/** Hardware looks at bit 0 alone. (At level 3 also 0b01 is invalid.) */
export const INVALID_DESCRIPTOR = form(
  { width: 64, reference: 'DDI 0487 D8.3.1.3', aarch32: 'DDI 0487 G5.5.2' },
  { Valid: bit(0, 'not valid', { fixed: 0 }) },
  [hole(63, 1, 'ignored', 'free for software')],
);
