/** Registers of a RISC-V hart beside satp that its address translation reads or writes. (RISC-V Privileged Architecture 1.13, "sstatus", "scause".) */
import { bit, bits, layout } from '../field.ts';
import { NO_YES } from './values.ts';

const SCAUSE_SECTION = 'RISC-V Privileged Architecture, scause';

/** mstatus has both fields in the same places. */
export const SSTATUS = layout(
  {
    name: 'sstatus',
    aliases: ['mstatus'],
    title: 'Supervisor Status: what supervisor mode may do with pages',
    reference: 'RISC-V Privileged Architecture, sstatus',
    width: 64,
  },
  {
    MXR: bit(19, 'executable pages are readable too', NO_YES),
    SUM: bit(18, 'the supervisor reads and writes pages of user mode', NO_YES),
  },
);

/** scause of the exceptions that translation raises, by the access. */
export const PAGE_FAULTS = { execute: 12, read: 13, write: 15 } as const;
export const ACCESS_FAULTS = { execute: 1, read: 5, write: 7 } as const;

export const SCAUSE = layout(
  {
    name: 'scause',
    title: 'Supervisor Cause: why the hart trapped',
    reference: SCAUSE_SECTION,
    width: 64,
  },
  {
    Interrupt: bit(63, 'the trap was an interrupt', NO_YES),
    Code: bits(62, 0, 'exception code', {
      values: {
        [ACCESS_FAULTS.execute]: 'instruction access fault',
        [ACCESS_FAULTS.read]: 'load access fault',
        [ACCESS_FAULTS.write]: 'store access fault',
        [PAGE_FAULTS.execute]: 'instruction page fault',
        [PAGE_FAULTS.read]: 'load page fault',
        [PAGE_FAULTS.write]: 'store page fault',
      },
    }),
  },
);
