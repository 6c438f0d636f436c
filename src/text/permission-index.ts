/** Which fields of the permission registers a leaf chooses, in words: PIIndex and POIndex of either stage. (DDI 0487 D8.4.1.3, D8.4.1.4, D8.4.2.2.) */
import { read } from '../arch/read.ts';
import { isStream } from '../arch/regimes.ts';
import { PERMISSION_FIELDS } from '../arch/registers/permissions.ts';
import { CD_PERMISSION_FIELDS } from '../arch/smmu/index.ts';
import type { Answer, Translator } from '../machine/machine.ts';
import { permissionIndexes } from '../walker/permission-indexes.ts';
import { type PermissionRegister, permissionText } from './denials.ts';

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
