/** Bits of registers that no walk reads, though some field or none names them: traps, alignment, allocation tags, reserved bits. (DDI 0487 D24.2, G8.2.) */
import { fieldsOf, type WordLayout } from '../field.ts';
import { maskOf } from '../read.ts';

/** Fields that are declared, since an explanation names them, and that no walk reads. By the stem of their register's name. */
const UNREAD: Readonly<Record<string, RegExp>> = {
  SCTLR: /^(A|ATA0?|E0E|SPAN)$/,
  HSCTLR: /^A$/,
  HCR: /^(RW|TRVM|TVM|TTLB(IS|OS)?|BSU|FB|AT|NV2|ATA|GPF)$/,
};

/** What of a register's value is set and no walk reads. */
export function unreadBits(layout: WordLayout, value: bigint): bigint {
  const unread = UNREAD[layout.name.replace(/_EL\d$/, '')];
  const read = fieldsOf(layout)
    .filter(({ name }) => unread?.test(name) !== true)
    .reduce((mask, field) => mask | maskOf(field), 0n);
  return value & ~read;
}
