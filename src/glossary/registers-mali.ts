/** What the MMU of a Mali GPU reports. Arm publishes no manual: the fields are those that Linux's drivers read (panfrost_regs.h, panthor_regs.h). */
import { type RegisterLayout, rowsOf } from './register.ts';

const REFERENCE = 'Linux panfrost_regs.h';

const row = rowsOf(REFERENCE);
export const AS_FAULTSTATUS: RegisterLayout = {
  name: 'AS_FAULTSTATUS',
  title: 'Fault status of an address space of a Mali GPU',
  reference: REFERENCE,
  width: 32,
  fields: [
    row(31, 16, 'SOURCE_ID', 'the unit of the GPU that made the access'),
    row(10, 10, 'DECODER', 'who found the fault', ['slave', 'decoder']),
    row(9, 8, 'ACCESS_TYPE', 'the access', ['atomic', 'execute', 'read', 'write']),
    row(7, 0, 'EXCEPTION_TYPE', 'the kind of fault, and its level'),
  ],
};
