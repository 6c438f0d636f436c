/**
 * The rules about permissions by index: what PIIndex and POIndex of a leaf choose in PIR, PIRE0, POR and their like.
 * (DDI 0487 D8.4.1.3, D8.4.1.4, D8.4.2.2.)
 */
import { STAGE1_OVERLAY, STAGE2_PERMISSIONS } from '../arch/registers/permissions.ts';
import { type PermissionRegister, permissionText } from '../text/denials.ts';
import type { TableEntry, TableTree } from '../walker/index.ts';
import { type LeafIndexes, permissionIndexes } from '../walker/permission-indexes.ts';
import {
  decodedControls,
  isUnsafe,
  permissionOf,
  REGISTERS,
  s1PermissionsOf,
} from '../walker/permission-indirection.ts';
import { word64 } from '../walker/word.ts';
import type { Reader } from './layout.ts';
import type { RuleName } from './rules.ts';

/** A problem with the permissions of one leaf. */
export interface PermissionProblem {
  readonly rule: Extract<RuleName, 'no-access' | 'reserved-permission' | 'overlay-ineffective'>;
  readonly message: string;
}

/** A field of a register that a leaf chooses, and what its value stands for. */
interface Chosen {
  readonly by: PermissionRegister;
  readonly index: number;
  readonly value: number;
  readonly permission: { readonly rights: string; readonly overlay?: true; readonly reserved?: true };
}

const NONE: readonly PermissionProblem[] = [];

/** What is wrong with the permissions of a leaf. Nothing where they are direct and no overlay is named. */
export function permissionProblems(
  entry: TableEntry,
  tree: TableTree,
  by: Reader,
): readonly PermissionProblem[] {
  const { pir, por, por0, s2pir } = tree.permissionRegisters;
  const overlaid = por !== undefined || por0 !== undefined || by.overlaysOff === true;
  if (pir === undefined && s2pir === undefined && !overlaid) return NONE;
  const { stage } = tree.root;
  const indexes = permissionIndexes(stage, word64(entry.lo, entry.hi));
  const told = (one: Chosen) => permissionText(one.by, { ...one, level: entry.level }, by.regime);
  return stage === 1 ? stage1Problems(tree, indexes, by, told) : stage2Problems(tree, indexes, told);
}

type Registers = TableTree['permissionRegisters'];

/** Overlays of stage 1, and both registers of stage 2. */
function chosen(
  by: PermissionRegister,
  register: bigint | undefined,
  index: number,
  permissions: readonly Chosen['permission'][],
): Chosen[] {
  if (register === undefined) return [];
  const value = permissionOf(register, index);
  return [{ by, index, value, permission: permissions[value]! }];
}

/** The base permissions of stage 1. */
function basesOf({ pir, pire0, encoding = REGISTERS }: Registers, index: number): Chosen[] {
  if (pir === undefined) return [];
  const { privileged, unprivileged } = s1PermissionsOf({ pir, pire0, encoding }, index);
  const of = (by: 'PIR' | 'PIRE0', value: number) => [
    { by, index, value, permission: encoding.permissions[value]! },
  ];
  return [...of('PIR', privileged), ...(pire0 === undefined ? [] : of('PIRE0', unprivileged))];
}

function stage1Problems(
  { permissionRegisters: registers }: TableTree,
  { pi, po }: LeafIndexes,
  { overlaysOff = false }: Reader,
  told: (one: Chosen) => string,
): PermissionProblem[] {
  const { pir, pire0, encoding = REGISTERS, por, por0 } = registers;
  const bases = basesOf(registers, pi);
  const overlays = [
    ...chosen('POR', por, po, STAGE1_OVERLAY),
    ...chosen('POR_EL0', por0, po, STAGE1_OVERLAY),
  ];
  const found = [...bases, ...overlays].filter(({ permission }) => permission.reserved).map(told);
  if (pir !== undefined && isUnsafe(decodedControls({ pir, pire0, encoding }, pi))) {
    found.push(
      `${bases.map(told).join('; ')}: EL1 executes what EL0 may write, so that neither has any access`,
    );
  }
  const problems = found.map((message): PermissionProblem => ({ rule: 'reserved-permission', message }));
  if (found.length === 0 && bases.length > 0 && bases.every(({ permission }) => permission.rights === '')) {
    problems.push(nobody(bases, told));
  }
  const without = po === 0 ? undefined : ineffective(registers, bases, { pi, po }, overlaysOff);
  if (without !== undefined) problems.push({ rule: 'overlay-ineffective', message: without });
  return problems;
}

function nobody(fields: readonly Chosen[], told: (one: Chosen) => string): PermissionProblem {
  return { rule: 'no-access', message: `${fields.map(told).join('; ')}: nobody has access` };
}

/** Why a POIndex limits nothing, or undefined if it limits something. */
function ineffective(
  { por, por0 }: Registers,
  bases: readonly Chosen[],
  { pi, po }: LeafIndexes,
  overlaysOff: boolean,
): string | undefined {
  if (por === undefined && por0 === undefined) {
    return overlaysOff ? `POIndex ${po}, but overlays are off: POE and E0POE are 0` : undefined;
  }
  // Direct permissions are always under the overlay.
  if (bases.length === 0) return undefined;
  const applies = ({ by, permission }: Chosen) =>
    permission.overlay === true && (by === 'PIR' ? por : por0) !== undefined;
  if (bases.some(applies)) return undefined;
  return `POIndex ${po}, but no overlay applies to the permissions of PIIndex ${pi}`;
}

function stage2Problems(
  { permissionRegisters: { s2pir, s2por } }: TableTree,
  { pi, po }: LeafIndexes,
  told: (one: Chosen) => string,
): PermissionProblem[] {
  const bases = chosen('S2PIR', s2pir, pi, STAGE2_PERMISSIONS);
  const fields = [...bases, ...chosen('S2POR', s2por, po, STAGE2_PERMISSIONS)];
  const wrong = fields.filter(({ permission }) => permission.reserved);
  if (wrong.length > 0) return wrong.map((one) => ({ rule: 'reserved-permission', message: told(one) }));
  return bases.some(({ permission }) => permission.rights === '') ? [nobody(bases, told)] : [];
}
