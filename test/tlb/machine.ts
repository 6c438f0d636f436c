/** The machine that the TLB's tests look at: literal tables of two ASIDs, and a TLB in front of them. */
import { Tlb } from '../../src/tlb/index.ts';
import { memoryWith } from '../walker/table-builder.ts';

/** 4K, 48-bit PA, 39-bit input from level 1, EPD1. */
export const TCR = 0x5_0080_0019n;
export const MAIR = 0x44_04ffn;
export const read = { access: 'read' } as const;
export const write = { access: 'write' } as const;
export const execute = { access: 'execute' } as const;
export const asid = (value: bigint) => value << 48n;

const tables = {
  '0x40000000': 0x4000_1003n, // L1[0] -> L2
  '0x40001000': 0x4000_2003n, // L2[0] -> L3
  '0x40001008': 0x9000_0741n, // L2[1]: a 2 MiB block, global
  '0x40002000': 0x8000_0f43n, // L3[0]: nG, AP 01
  '0x40002008': 0x8000_1743n, // L3[1]: global, AP 01
  '0x40002010': 0x8000_2fc3n, // L3[2]: nG, read-only
  // The same for another ASID.
  '0x40010000': 0x4001_1003n,
  '0x40011000': 0x4001_2003n,
  '0x40012000': 0xa000_0f43n,
  '0x40012008': 0xa000_1743n,
};

export function machine(options = {}) {
  const memory = memoryWith(tables);
  const registers = { ttbr0: 0x4000_0000n | asid(1n), tcr: TCR, mair: MAIR };
  const other = { ttbr0: 0x4001_0000n | asid(2n), tcr: TCR, mair: MAIR };
  const tlb = new Tlb(memory, { regime: 'el1&0', registers }, options);
  return { memory, tlb, registers, other };
}
export const pa = (tlb: Tlb, ia: bigint) => {
  const { result } = tlb.translate(ia, read);
  return result.ok ? result.pa : result.fault.kind;
};
