/** What all long descriptors share: values, conditions, the address and the type bits. (DDI 0487 D8.3.1.) */
import type { FieldDeclaration } from '../field.ts';
import type { DescriptorContext } from './context.ts';
import { bit, bits, type Condition, type Hole, hole } from './declare.ts';

export const SH_VALUES = {
  0: 'non-shareable',
  1: 'reserved',
  2: 'outer shareable',
  3: 'inner shareable',
} as const;
export const AF_VALUES = { 0: 'not accessed: faults', 1: 'accessed' } as const;
export const NEVER = { 0: 'executable', 1: 'execute-never' } as const;

const hasDs: Condition = ({ ds }) => ds === true;
export const noDs: Condition = ({ ds }) => ds !== true;
export const isAArch32: Condition = ({ aarch32 }) => aarch32 === true;
export const isAArch64: Condition = ({ aarch32 }) => aarch32 !== true;
export const isBlock: Condition = ({ kind }) => kind === 'block';
const isPage: Condition = ({ kind }) => kind === 'page';
/** HCR_EL2.{NV, NV1} = {1, 1}: permissions are those of a guest hypervisor's own regime, in other bits. */
export const isNv1: Condition = ({ nv1 }) => nv1 === true;
export const notNv1: Condition = ({ nv1 }) => nv1 !== true;
export const NV1_REFERENCE = 'DDI 0487 D8.14.3';
/** With 64K, FEAT_LPA alone decides on addresses of 52 bits. */
const is64K: Condition = ({ granuleLog2 }) => granuleLog2 === 16;

/** All of several conditions. */
export function all(...conditions: readonly Condition[]): Condition {
  return (context) => conditions.every((one) => one(context));
}

/** A feature that is not there, or not in use. */
export function without(feature: string): Condition {
  return ({ features }: DescriptorContext) => !features.has(feature);
}

/**
 * The parts of an address: bits [47:12] in their place ([39:12] in AArch32), the others where FEAT_LPA and FEAT_LPA2 put them.
 * @param name - `OA` of a leaf, `NLTA` of a table descriptor.
 */
export function addressFields<Name extends 'OA' | 'NLTA'>(name: Name, meaning: string) {
  const part = (range: string) => `${name}[${range}]`;
  return {
    BASE_HIGH: bits(49, 48, meaning, { name: part('49:48'), address: 48, when: hasDs }),
    BASE: bits(47, 12, meaning, { name, address: 12, sized: true, when: isAArch64 }),
    BASE32: bits(39, 12, meaning, { name, address: 12, sized: true, when: isAArch32 }),
    BASE_LPA: bits(15, 12, `${meaning}, above 48 bits (FEAT_LPA)`, {
      name: part('51:48'),
      address: 48,
      when: is64K,
      feature: 'FEAT_LPA',
    }),
    BASE_LPA2: bits(9, 8, `${meaning}, above 50 bits (FEAT_LPA2)`, {
      name: part('51:50'),
      address: 50,
      when: hasDs,
    }),
  } as const satisfies Readonly<Record<string, FieldDeclaration>>;
}

/** Around an address. */
export const ADDRESS_HOLES: readonly Hole[] = [
  hole(51, 40, 'res0', 'above the address', isAArch32),
  hole(50, 48, 'res0', 'above the address', isAArch64),
  hole(46, 16, 'res0', "inside the block's size", isBlock),
  hole(15, 12, 'res0', 'below the address'),
];

/** Bits [1:0] of a leaf. */
export const LEAF_TYPE = {
  PAGE: bit(1, 'page', { name: 'Type', fixed: 1, when: isPage }),
  BLOCK: bit(1, 'block', { name: 'Type', fixed: 0, when: isBlock }),
  Valid: bit(0, 'valid', { fixed: 1 }),
};

export const LEAF_REFERENCE = {
  width: 64,
  reference: 'DDI 0487 D8.3.1.2',
  aarch32: 'DDI 0487 G5.5.3',
} as const;
