/**
 * Permission fields of an SMMU, of which an index in a descriptor chooses one: CD.PIIP and PIIU of three bits, STE.S2POI and SMMU_S2PII of
 * four. (IHI 0070 G.b, 3.26, 5.2, 5.4, 6.3.17.)
 */
import { bits, layout } from '../field.ts';
import { numberedFields } from '../registers/parts.ts';
import { STAGE2_PERMISSIONS, type Stage1Permission, stage2Text } from '../registers/permissions.ts';

const INDEXES = 16;

/** What a value of PIIP or PIIU stands for. A reserved one makes the CD ILLEGAL. */
export const CD_PERMISSIONS: readonly Stage1Permission[] = [
  { rights: '' },
  { rights: 'r' },
  { rights: 'x' },
  { rights: 'rx' },
  { rights: '', reserved: true },
  { rights: 'rw' },
  { rights: '', reserved: true },
  { rights: 'rwx' },
];

const CD_VALUES = [
  'no access',
  'read',
  'execute',
  'read, execute',
  'reserved: C_BAD_CD',
  'read, write',
  'reserved: C_BAD_CD',
  'read, write, execute',
];

/** The first bits of PIIU and PIIP: each is a 64-bit word of the CD. */
const PIIU_LOW = 384;
const PIIP_LOW = 448;
const S2POI_LOW = 448;

const cdField = (low: number, whose: string) => (n: number) =>
  bits(low + 3 * n + 2, low + 3 * n, `what ${whose} accesses may do where PIIndex = ${n}`, {
    values: CD_VALUES,
    feature: 'SMMU_IDR3.S1PI',
  });

/** PIIP15 to PIIU0, fields of a CD. */
export const CD_PERMISSION_DECLARATIONS = {
  ...numberedFields('PIIP', INDEXES, cdField(PIIP_LOW, 'privileged')),
  ...numberedFields('PIIU', INDEXES, cdField(PIIU_LOW, 'unprivileged')),
};

/** S2POI15 to S2POI0, fields of an STE, equivalent to those of S2POR_EL1. */
export const S2POI_DECLARATIONS = numberedFields('S2POI', INDEXES, (n) =>
  bits(S2POI_LOW + 4 * n + 3, S2POI_LOW + 4 * n, `overlay permissions of stage 2 where POIndex = ${n}`, {
    values: STAGE2_PERMISSIONS.map((one) => (one.reserved ? 'reserved: C_BAD_STE' : stage2Text(one))),
    feature: 'SMMU_IDR3.S2PO',
  }),
);

export const SMMU_S2PII = layout(
  {
    name: 'SMMU_S2PII',
    aliases: ['S2PII'],
    title:
      'SMMUv3 stage 2 permission indirection: sixteen rights, one of which PIIndex in a stage-2 descriptor chooses',
    reference: 'IHI 0070 6.3.17',
    width: 64,
  },
  numberedFields('S2PII', INDEXES, (n) =>
    bits(4 * n + 3, 4 * n, `base permissions of stage 2 where PIIndex = ${n}`, {
      values: STAGE2_PERMISSIONS.map(stage2Text),
      feature: 'SMMU_IDR3.S2PI',
    }),
  ),
);
