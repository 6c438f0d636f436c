/**
 * Changes of the permission registers in a trace: which a TLB may hold, and for which leaves. (DDI 0487 D8.16 I_LBGNR, D8.17 R_VNRFW; D8.4
 * R_FBQWG, I_SKPNZ, R_ZCKWH, R_LJKKX; D24.2.145 to D24.2.153, D24.2.166, D24.2.167.)
 */
import { hex } from '../memory/hex.ts';
import { permissionIndexes } from '../walker/permission-indexes.ts';
import { permissionOf, S2_RIGHTS, s1Indirection } from '../walker/permission-indirection.ts';
import { stage1Writes, stage2Writes, type TableSpace } from './context.ts';
import { TraceError } from './errors.ts';

/** The permission registers, whether a TLB may hold what they say, and where that stands. Each has sixteen fields of four bits. */
const REGISTERS = {
  pir: { stage: 1, cached: true, section: 'DDI 0487 D24.2.145, R_FBQWG' },
  pire0: { stage: 1, cached: true, section: 'DDI 0487 D24.2.148, R_FBQWG' },
  por: { stage: 1, cached: false, section: 'DDI 0487 D24.2.151, I_SKPNZ' },
  por0: { stage: 1, cached: false, section: 'DDI 0487 D24.2.150, I_SKPNZ' },
  s2pir: { stage: 2, cached: true, section: 'DDI 0487 D24.2.166, R_ZCKWH' },
  s2por: { stage: 2, cached: false, section: 'DDI 0487 D24.2.167, R_LJKKX' },
} as const;

/** A register that a trace may write: PIR_ELx, PIRE0_ELx, POR_ELx, POR_EL0, S2PIR_EL2, S2POR_EL1. */
export type PermissionRegisterName = keyof typeof REGISTERS;
export const PERMISSION_REGISTER_NAMES = Object.keys(REGISTERS) as PermissionRegisterName[];

/** A write of a permission register, 64 bits. */
export interface RegisterStep {
  readonly register: PermissionRegisterName;
  readonly value: bigint;
}

/** What a write of a register changes. */
export interface RegisterChange {
  readonly before: bigint;
  /** PIIndexes (of an overlay register: POIndexes) whose field changes. */
  readonly indexes: readonly number[];
  /** Whether a TLB may hold the old fields: then the leaves that choose them have to be invalidated. (R_VNRFW) */
  readonly cached: boolean;
  readonly rule: string;
  readonly section: string;
}

/** The values of the permission registers while a trace goes on. */
export class PermissionState {
  readonly #values: Record<PermissionRegisterName, bigint>;
  readonly #stage: 1 | 2;

  constructor({ stage, permissions = {} }: Pick<TableSpace, 'stage' | 'permissions'>) {
    this.#stage = stage;
    this.#values = { pir: 0n, pire0: 0n, por: 0n, por0: 0n, s2pir: 0n, s2por: 0n, ...permissions };
  }

  /** @throws TraceError for a register of the other stage, or more than 64 bits. */
  write({ register, value }: RegisterStep): RegisterChange {
    const { stage, cached, section } = REGISTERS[register];
    if (stage !== this.#stage) {
      throw new TraceError(
        `${register} is a register of stage ${stage}, and the tables are those of stage ${this.#stage}`,
      );
    }
    if (value < 0n || value >> 64n) throw new TraceError(`${hex(value)} has more than 64 bits`, { value });
    const before = this.#values[register];
    this.#values[register] = value;
    const indexes = Array.from({ length: 16 }, (_, index) => index).filter(
      (index) => permissionOf(before, index) !== permissionOf(value, index),
    );
    const rule = cached
      ? 'a TLB may hold the old permissions of leaves that choose a changed field'
      : 'no TLB holds overlays; a context synchronization event is enough';
    return { before, indexes, cached, rule, section };
  }

  /** By PIIndex, whether anybody may write now. */
  writes(): boolean[] {
    const { pir, pire0, s2pir } = this.#values;
    if (this.#stage === 1) return stage1Writes(s1Indirection(pir, pire0).controls);
    return stage2Writes(Array.from({ length: 16 }, (_, index) => S2_RIGHTS[permissionOf(s2pir, index)]!));
  }
}

/** Whether the base permissions of a leaf come from one of the fields. */
export function choosesOne({ stage }: TableSpace, indexes: readonly number[]): (word: bigint) => boolean {
  return (word) => indexes.includes(permissionIndexes(stage, word).pi);
}
