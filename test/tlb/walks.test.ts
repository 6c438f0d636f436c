/** What a miss costs and does: the walk cache, and hardware updates of what is then cached. Literal tables. */
import { describe, expect, test } from 'vitest';
import { Tlb } from '../../src/tlb/index.ts';
import { asid, machine, pa, read, TCR, write } from './machine.ts';

describe('hardware updates', () => {
  /** HA and HD. L3[4]: AF = 0; L3[5]: writable-clean (DBM, AP[2]). */
  const HAHD = TCR | (3n << 39n);
  function updating() {
    const { memory, registers } = machine();
    memory.write64(0x4000_2020n, 0x8000_4b43n);
    memory.write64(0x4000_2028n, 0x0008_0000_8000_5fc3n);
    return { memory, tlb: new Tlb(memory, { regime: 'el1&0', registers: { ...registers, tcr: HAHD } }) };
  }

  test('an entry is made after the access flag was set', () => {
    const { memory, tlb } = updating();
    tlb.translate(0x4000n, read);
    expect(memory.read64(0x4000_2020n)).toBe(0x8000_4f43n);
    expect(tlb.translate(0x4000n, write).from).toBe('tlb');
  });

  test('a fault of such an entry reports the descriptor as hardware left it', () => {
    const { memory, tlb } = updating();
    memory.write64(0x4000_2030n, 0x8000_6bc3n); // L3[6]: read-only, AF = 0
    tlb.translate(0x6000n, read);
    expect(tlb.translate(0x6000n, write)).toMatchObject({
      from: 'tlb',
      result: { fault: { kind: 'permission', descriptor: 0x8000_6fc3n, descriptorAddress: 0x4000_2030n } },
    });
    expect(memory.read64(0x4000_2030n)).toBe(0x8000_6fc3n);
  });

  test('the first write to a writable-clean page walks, and makes it dirty', () => {
    const { memory, tlb } = updating();
    tlb.translate(0x5000n, read);
    expect(tlb.translate(0x5000n, read).from).toBe('tlb');
    expect(memory.read64(0x4000_2028n)).toBe(0x0008_0000_8000_5fc3n);
    expect(tlb.translate(0x5000n, write)).toMatchObject({ from: 'walk', result: { ok: true } });
    expect(memory.read64(0x4000_2028n)).toBe(0x0008_0000_8000_5f43n);
    expect(tlb.translate(0x5000n, write).from).toBe('tlb');
    expect(tlb.entries).toHaveLength(1);
    expect(tlb.staleEntries()).toEqual([]);
  });
});

describe('the walk cache', () => {
  test('saves the fetches of the tables above', () => {
    const { tlb } = machine();
    for (const ia of [0x0n, 0x1000n, 0x2000n]) tlb.translate(ia, read);
    // Three fetches, then one each.
    expect(tlb.statistics).toMatchObject({
      walks: 3,
      memoryAccesses: 5,
      accessesSaved: 4,
      walkCacheHits: 2,
      walkCacheMisses: 1,
    });
    expect(tlb.walkCacheSize).toBe(2);
  });

  test('a block beside the table starts one level up', () => {
    const { tlb } = machine();
    tlb.translate(0x0n, read);
    tlb.translate(0x20_0000n, read);
    expect(tlb.statistics).toMatchObject({ memoryAccesses: 4, accessesSaved: 1 });
  });

  test('leads to the old table after last-level invalidation alone', () => {
    const { memory, tlb } = machine();
    tlb.translate(0x0n, read);
    memory.write64(0x4000_1000n, 0x4001_2003n); // L2[0] -> the other L3
    tlb.tlbi('VALE1', asid(1n));
    expect(tlb.translate(0x0n, read)).toMatchObject({ from: 'walk', result: { pa: 0x8000_0000n } });
    expect(tlb.staleEntries()).toHaveLength(1);
    tlb.tlbi('VAE1', asid(1n));
    expect(pa(tlb, 0x0n)).toBe(0xa000_0000n);
  });

  test('is of its ASID: another one reads the tables anew', () => {
    const { memory, tlb, registers } = machine();
    tlb.translate(0x0n, read);
    memory.write64(0x4000_1000n, 0x4001_2003n);
    tlb.switchTo({ regime: 'el1&0', registers, asid: 2 });
    expect(pa(tlb, 0x0n)).toBe(0xa000_0000n);
  });

  test('is not used from another first table, even where that leads to the same tables', () => {
    const { memory, tlb, registers } = machine();
    memory.write64(0x4001_3000n, 0x4000_1003n);
    tlb.translate(0x0n, read);
    memory.write64(0x4000_1000n, 0x4001_2003n);
    tlb.switchTo({ regime: 'el1&0', registers: { ...registers, ttbr0: 0x4001_3000n | asid(1n) } });
    tlb.tlbi('VALE1', asid(1n));
    expect(pa(tlb, 0x0n)).toBe(0xa000_0000n);
    expect(tlb.statistics.accessesSaved).toBe(0);
  });
});
