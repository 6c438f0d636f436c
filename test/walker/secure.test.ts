/** Secure state: NS in the leaf and NSTable on the way decide the output's address space; from Non-secure state neither counts. (DDI 0487 D8.4.6.) */
import { expect, test } from 'vitest';
import { PhysicalMemory } from '../../src/memory/index.ts';
import { createWalker, parEl1 } from '../../src/walker/index.ts';

const NSTABLE = 1n << 63n;
const NS = 1n << 5n;

/** One 4K page at VA 0 under three tables of a 39-bit space (start level 1). */
function walkOf(secure: boolean | undefined, tableBits: bigint, leafBits: bigint, tcrBits = 0n) {
  const memory = new PhysicalMemory({ base: 0x8000_0000n, size: 0x10_0000n });
  memory.write64(0x8000_0000n, 0x8000_1003n | tableBits);
  memory.write64(0x8000_1000n, 0x8000_2003n);
  memory.write64(0x8000_2000n, 0x8000_5743n | leafBits);
  const registers = { ttbr0: 0x8000_0000n, tcr: 0x5_0080_3519n | tcrBits, mair: 0xffn };
  const options = { regime: 'el1&0' as const, registers };
  const walk = createWalker(memory, secure === undefined ? options : { ...options, secure }).walk(0n, {
    access: 'read',
  });
  if (!walk.ok) throw new Error(walk.fault.kind);
  return walk;
}

test.each([
  [undefined, 0n, 0n, true],
  [false, 0n, 0n, true],
  [true, 0n, 0n, false],
  [true, 0n, NS, true],
  [true, NSTABLE, 0n, true],
  [true, NSTABLE, NS, true],
])('secure %s, table bits %i, leaf bits %i: Non-secure output %s', (secure, table, leaf, ns) => {
  const walk = walkOf(secure, table, leaf);
  expect(walk.ns).toBe(ns);
  expect((parEl1(walk) >> 9n) & 1n).toBe(ns ? 1n : 0n);
});

test('TCR.HPD0 leaves NSTable as it is (D8.4.6.1)', () => {
  expect(walkOf(true, NSTABLE, 0n, 1n << 41n).ns).toBe(true);
  expect(walkOf(true, 0n, 0n, 1n << 41n).ns).toBe(false);
});

test('short descriptors: a section has NS in bit 19, a page in bit 3 of its table descriptor', () => {
  const memory = new PhysicalMemory({ base: 0x8000_0000n, size: 0x10_0000n });
  memory.write32(0x8000_0000n, 0x8800_0c02);
  memory.write32(0x8000_0004n, 0x8808_0c02);
  memory.write32(0x8000_0008n, 0x8000_4001);
  memory.write32(0x8000_000cn, 0x8000_4009);
  memory.write32(0x8000_4000n, 0x8000_9032);
  const registers = { ttbr0: 0x8000_0000n, ttbr1: 0n, tcr: 0n, mair: 0n, dacr: 1n, sctlr: 1n };
  const walker = createWalker(memory, { regime: 'pl1&0-short', registers, cpu: 'cortex-a15', secure: true });
  const ns = [0n, 0x10_0000n, 0x20_0000n, 0x30_0000n].map((va) => {
    const walk = walker.walk(va, { access: 'read' });
    return walk.ok ? walk.ns : walk.fault.kind;
  });
  expect(ns).toEqual([false, true, false, true]);
});
