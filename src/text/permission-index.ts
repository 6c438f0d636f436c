/** Which fields of the permission registers a leaf chooses, in words: PIIndex and POIndex of either stage. (DDI 0487 D8.4.1.3, D8.4.1.4, D8.4.2.2.) */
import { STAGE1_LEAF, STAGE2_LEAF } from '../arch/descriptors/index.ts';
import { read } from '../arch/read.ts';
import { isStream } from '../arch/regimes.ts';
import { PERMISSION_FIELDS } from '../arch/registers/permissions.ts';
import { CD_PERMISSION_FIELDS } from '../arch/smmu/index.ts';
import type { Answer, Translator } from '../machine/machine.ts';
import { type PermissionRegister, permissionText } from './denials.ts';

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

/** Each register in use, with the field that the leaves of a translation choose: `PIIndex 0xd at level 3: PIR_EL1[55:52] = 0x8, read`. */
export function permissionIndexText({ steps }: Pick<Answer, 'steps'>, translator: Translator): string[] {
  const trees = translator.trees();
  const leaves = steps.filter(
    ({ kind, s1Level, descriptor }) =>
      (kind === 'page' || kind === 'block') && s1Level === undefined && descriptor !== undefined,
  );
  return leaves.flatMap((leaf) => {
    const registers = trees.find(({ root }) => root.stage === leaf.stage)?.permissionRegisters ?? {};
    const { pi, po } = permissionIndexes(leaf.stage, leaf.descriptor ?? 0n);
    const fields = isStream(translator.regime) && leaf.stage === 1 ? CD_PERMISSION_FIELDS : PERMISSION_FIELDS;
    const told = (by: PermissionRegister, register: bigint | undefined, index: number) =>
      register === undefined
        ? []
        : [
            permissionText(
              by,
              { index, value: read(register, fields[index]!), level: leaf.level },
              translator.regime,
            ),
          ];
    return [
      ...told('PIR', registers.pir, pi),
      ...told('PIRE0', registers.pire0, pi),
      ...told('POR', registers.por, po),
      ...told('POR_EL0', registers.por0, po),
      ...told('S2PIR', registers.s2pir, pi),
      ...told('S2POR', registers.s2por, po),
    ];
  });
}
