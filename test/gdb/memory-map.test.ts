import { describe, expect, test } from 'vitest';
import { memoryOfMtree } from '../../src/gdb/memory-map.ts';

const MTREE = `FlatView #0
 AS "I/O", root: io
 Root memory region: io
  0000000000000000-000000000000ffff (prio 0, ram): not this one

FlatView #1
 AS "memory", root: system
 AS "cpu-memory-0", root: system
 Root memory region: system
  0000000000000000-0000000003ffffff (prio 0, romd): virt.flash0
  0000000004000000-0000000007ffffff (prio 0, romd): virt.flash1
  0000000009020008-0000000009020009 (prio 0, i/o): fwcfg.ctl
  0000000010000000-000000003efeffff (prio 0, i/o): gpex_mmio_window @0000000010000000
  0000000040000000-000000005fffffff (prio 0, ram): mach-virt.ram
  0000000060001000-0000000060001fff (prio -1, nv-ram): board.nv
  0000004010000000-000000401fffffff (prio 0, i/o): pcie-mmcfg-mmio
`;

describe("QEMU's list of memory", () => {
  test('gives RAM and ROM of the system, neighbours joined, and no device', () => {
    expect(memoryOfMtree(MTREE.replaceAll('\n', '\r\n'))).toEqual([
      { start: 0n, end: 0x800_0000n },
      { start: 0x4000_0000n, end: 0x6000_0000n },
      { start: 0x6000_1000n, end: 0x6000_2000n },
    ]);
  });

  test('is undefined where QEMU lists no memory', () => {
    expect(memoryOfMtree('')).toBeUndefined();
    expect(memoryOfMtree('unknown command: mtree')).toBeUndefined();
    expect(memoryOfMtree(MTREE.replaceAll('"memory"', '"other"'))).toBeUndefined();
  });
});
