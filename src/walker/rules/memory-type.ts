/** The rule for MAIR: encodings that are reserved. (DDI 0487 D24.2.127.) */
import { readLow } from '../../arch/read.ts';
import { MAIR_BYTE } from '../../arch/registers/memory-type.ts';
import { hex } from '../../memory/hex.ts';
import type { AttributeFeatures } from '../attributes.ts';
import type { RegisterRule } from './rule.ts';

/** One byte of MAIR. */
export interface MairSubject {
  readonly index: number;
  readonly byte: number;
  readonly features: AttributeFeatures;
}

/** The name of the register, and the section that describes it. */
export interface MairNames {
  readonly register: string;
  readonly section: string;
}

const { outer, inner, deviceLow } = MAIR_BYTE.fields;
/** Bytes whose inner half is 0 and that still have a meaning. */
const TAGGED = 0xf0;
const WITHOUT_XS: readonly number[] = [0x40, 0xa0];

const isDevice = (byte: number) => readLow(byte, outer) === 0;

function isReserved({ byte, features: { mte, xs } }: MairSubject): boolean {
  if (isDevice(byte)) return readLow(byte, deviceLow) > (xs ? 1 : 0);
  if (readLow(byte, inner) !== 0) return false;
  return byte === TAGGED ? !mte : !(xs && WITHOUT_XS.includes(byte));
}

export const MAIR_RESERVED: RegisterRule<MairSubject, MairNames> = {
  effect: 'unpredictable',
  holds: isReserved,
  tell: ({ index, byte }, { register, section }) => ({
    field: `${register}.Attr${index}`,
    value: BigInt(byte),
    rule: `${hex(byte)} is UNPREDICTABLE: taken as ${isDevice(byte) ? 'Device memory, bits [1:0] being ignored' : 'Normal Inner and Outer Non-cacheable'}`,
    section,
  }),
};
