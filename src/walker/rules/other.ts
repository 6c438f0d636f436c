/** Rules for MMUs that are not VMSA's: AS_TRANSTAB of a Mali GPU, satp of a RISC-V hart. (panfrost_regs.h; RISC-V Privileged Architecture, "satp".) */
import type { RegisterRule } from './rule.ts';

/** AS_TRANSTAB.MODE of a table. */
const MODE_TABLE = 3;

export const TRANSTAB_MODE: RegisterRule<{ readonly mode: number }, undefined> = {
  effect: 'fault',
  fault: { kind: 'translation', level: 0 },
  holds: ({ mode }) => mode !== MODE_TABLE,
  tell: ({ mode }) => ({
    field: 'AS_TRANSTAB.MODE',
    value: BigInt(mode),
    rule: `not the address mode of a table (${MODE_TABLE}): every access is a translation fault`,
    section: 'panfrost_regs.h AS_TRANSTAB',
  }),
};

/** satp.MODE without translation. */
export const MODE_BARE = 0;
/** The level at which each mode starts, in Arm's numbers: Sv39, Sv48, Sv57. */
export const START_LEVELS: Readonly<Record<number, number>> = { 8: 1, 9: 0, 10: -1 };

export const SATP_SECTION = 'RISC-V Privileged Architecture, satp';

export const SATP_MODE: RegisterRule<{ readonly mode: number }, undefined> = {
  effect: 'fault',
  fault: { kind: 'translation', level: 0 },
  holds: ({ mode }) => mode !== MODE_BARE && START_LEVELS[mode] === undefined,
  tell: ({ mode }) => ({
    field: 'satp.MODE',
    value: BigInt(mode),
    rule: 'the walker does not know this mode: every access faults; 8 is Sv39, 9 Sv48, 10 Sv57',
    section: SATP_SECTION,
  }),
};
