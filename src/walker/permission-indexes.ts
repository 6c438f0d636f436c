/** Which fields of the permission registers a leaf chooses: PIIndex and POIndex. (DDI 0487 D8.4.1.3, D8.4.1.4, D8.4.2.2.) */
import { STAGE1_LEAF, STAGE2_LEAF } from '../arch/descriptors/index.ts';
import { read } from '../arch/read.ts';

const { fields: S1 } = STAGE1_LEAF;
const { fields: S2 } = STAGE2_LEAF;

/** PIIndex and POIndex of a leaf. */
export interface LeafIndexes {
  readonly pi: number;
  readonly po: number;
}

export function permissionIndexes(stage: 1 | 2, descriptor: bigint): LeafIndexes {
  const of = (fields: readonly (typeof S1.POIndex)[]) =>
    fields.reduce((index, field) => index * 2 ** (field.high - field.low + 1) + read(descriptor, field), 0);
  return stage === 1
    ? {
        pi: of([S1['PIIndex[3]'], S1['PIIndex[2]'], S1['PIIndex[1]'], S1['PIIndex[0]']]),
        po: of([S1.POIndex]),
      }
    : { pi: of([S2['PIIndex[3:2]'], S2['PIIndex[1]'], S2['PIIndex[0]']]), po: of([S2.POIndex]) };
}
