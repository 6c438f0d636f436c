/** What hits, what is stale and until when: literal tables, one change, one invalidation. */
import { describe, expect, test } from 'vitest';
import { Tlb } from '../../src/tlb/index.ts';
import { createWalker, WalkerError } from '../../src/walker/index.ts';
import { asid, execute, machine, pa, read, TCR, write } from './machine.ts';

describe('hits', () => {
  test('a page is walked for once and answers all its addresses', () => {
    const { tlb } = machine({ walkCache: 0 });
    const first = tlb.translate(0x123n, read);
    expect(first).toMatchObject({ from: 'walk', result: { ok: true, pa: 0x8000_0123n } });
    expect(first.result.steps).toHaveLength(3);
    const second = tlb.translate(0xff8n, write);
    expect(second).toMatchObject({
      from: 'tlb',
      result: { ok: true, ia: 0xff8n, pa: 0x8000_0ff8n, leafBase: 0x8000_0000n },
    });
    expect(second.result.steps).toEqual([]);
    expect(tlb.translate(0x1000n, read).from).toBe('walk');
    expect(tlb.statistics).toMatchObject({
      hits: 1,
      misses: 2,
      walks: 2,
      memoryAccesses: 6,
      accessesSaved: 0,
    });
  });

  test('a block answers the addresses of its 2 MiB', () => {
    const { tlb } = machine();
    expect(pa(tlb, 0x20_0000n)).toBe(0x9000_0000n);
    expect(tlb.translate(0x3f_ffffn, read)).toMatchObject({
      from: 'tlb',
      result: { pa: 0x901f_ffffn, size: 0x20_0000n, level: 2 },
    });
  });

  test('an entry checks permissions, and faults as a walk does', () => {
    const { memory, tlb, registers } = machine();
    tlb.translate(0x2000n, read);
    const { from, result } = tlb.translate(0x2004n, write);
    const walked = createWalker(memory, { regime: 'el1&0', registers }).walk(0x2004n, write);
    expect(from).toBe('tlb');
    expect({ ...result, steps: [] }).toEqual({ ...walked, steps: [] });
    expect(result).toMatchObject({
      fault: { kind: 'permission', level: 3, stage: 1, descriptor: 0x8000_2fc3n },
    });
  });

  test('what faults is not cached: a valid descriptor is seen without an invalidation', () => {
    const { memory, tlb } = machine();
    expect(pa(tlb, 0x3000n)).toBe('translation');
    memory.write64(0x4000_2018n, 0x8000_3743n);
    expect(pa(tlb, 0x3000n)).toBe(0x8000_3000n);
    expect(tlb.staleEntries()).toEqual([]);
  });

  test('fetches have entries of their own, and so have accesses under PAN', () => {
    const { tlb } = machine();
    tlb.translate(0x0n, read);
    expect(tlb.translate(0x0n, { ...execute, privileged: false }).from).toBe('walk');
    expect(tlb.translate(0x0n, { ...read, pan: true })).toMatchObject({
      from: 'walk',
      result: { fault: { kind: 'permission' } },
    });
    expect(tlb.translate(0x0n, read).from).toBe('tlb');
  });

  test('a probe neither fills nor updates', () => {
    const { tlb } = machine();
    tlb.translate(0x0n, { ...read, update: false });
    expect(tlb.entries).toEqual([]);
  });

  test('a stage that is off has no entries', () => {
    const { memory } = machine();
    const tlb = new Tlb(memory, { regime: 'el1&0', registers: { sctlr: 0n } });
    expect(pa(tlb, 0x1234n)).toBe(0x1234n);
    expect(tlb.entries).toEqual([]);
  });

  test('cached entries have no effect while the stage is off, and are still there afterwards', () => {
    const { tlb, registers } = machine();
    expect(pa(tlb, 0x1000n)).toBe(0x8000_1000n);
    tlb.switchTo({ regime: 'el1&0', registers: { ...registers, sctlr: 0n } });
    expect(pa(tlb, 0x1000n)).toBe(0x1000n);
    tlb.switchTo({ regime: 'el1&0', registers });
    expect(tlb.translate(0x1000n, read).from).toBe('tlb');
  });

  test('E0PD faults whatever the TLB holds', () => {
    const { memory, registers } = machine();
    const tlb = new Tlb(memory, { regime: 'el1&0', registers: { ...registers, tcr: TCR | (1n << 55n) } });
    expect(pa(tlb, 0x0n)).toBe(0x8000_0000n);
    const { result } = tlb.translate(0x0n, { ...read, privileged: false });
    expect(result).toMatchObject({ ok: false, fault: { kind: 'translation', level: 0 } });
  });
});

describe('ASIDs and VMIDs', () => {
  test('a non-global entry is for its ASID, a global one for all', () => {
    const { tlb, registers, other } = machine();
    expect([pa(tlb, 0x0n), pa(tlb, 0x1000n)]).toEqual([0x8000_0000n, 0x8000_1000n]);
    tlb.switchTo({ regime: 'el1&0', registers: other });
    expect(tlb.context.asid).toBe(2);
    // The global page of the first address space is still what answers: that is what global means.
    expect([pa(tlb, 0x0n), pa(tlb, 0x1000n)]).toEqual([0xa000_0000n, 0x8000_1000n]);
    tlb.switchTo({ regime: 'el1&0', registers });
    expect(tlb.translate(0x0n, read)).toMatchObject({ from: 'tlb', result: { pa: 0x8000_0000n } });
  });

  test.each([
    ['TTBR0.ASID, 8 bits', { ttbr0: asid(0x1234n) }, 0x34],
    ['16 bits with TCR.AS', { ttbr0: asid(0x1234n), tcr: TCR | (1n << 36n) }, 0x1234],
    ['TTBR1.ASID with TCR.A1', { ttbr0: asid(1n), ttbr1: asid(7n), tcr: TCR | (1n << 22n) }, 7],
  ])('the ASID is %s', (_, registers, expected) => {
    const { memory } = machine();
    const tlb = new Tlb(memory, { regime: 'el1&0', registers: { tcr: TCR, ...registers } });
    expect(tlb.context).toMatchObject({ regime: 'el1&0', asid: expected, vmid: 0 });
  });

  test.each([
    ['el1&0-s2', { vttbr: asid(0x1234n) }, { asid: undefined, vmid: 0x34, holds: 'stage2' }],
    ['el1&0-nested', { vttbr: asid(0x1234n), vtcr: 1n << 19n }, { asid: 0, vmid: 0x1234, holds: 'both' }],
    ['pl1&0', { ttbr0: asid(5n), tcr: 1n << 31n }, { regime: 'el1&0', asid: 5, vmid: 0, holds: 'stage1' }],
    ['pl1&0-short', { ttbr0: 0x4000_0000n }, { regime: 'el1&0', asid: 0, holds: 'stage1' }],
    ['el2', {}, { regime: 'el2', asid: undefined, vmid: undefined }],
    ['pl2', {}, { regime: 'el2', asid: undefined, vmid: undefined, aarch32: true }],
    ['el2&0', { ttbr0: asid(3n) }, { regime: 'el2&0', asid: 3, vmid: undefined }],
    ['el3', { sctlr: 0n }, { regime: 'el3', asid: undefined, holds: undefined }],
  ] as const)('%s from its registers', (regime, registers, expected) => {
    const { memory } = machine();
    expect(new Tlb(memory, { regime, registers }).context).toMatchObject(expected);
  });
});

describe('stale entries', () => {
  test('answer until they are invalidated, and are listed with what changed', () => {
    const { memory, tlb } = machine();
    tlb.translate(0x0n, read);
    tlb.translate(0x1000n, read);
    memory.write64(0x4000_2000n, 0xb000_0fc3n);
    expect(pa(tlb, 0x10n)).toBe(0x8000_0010n);
    const [stale, ...rest] = tlb.staleEntries();
    expect(rest).toEqual([]);
    expect(stale).toMatchObject({
      ia: 0x0n,
      cached: { pa: 0x8000_0000n },
      walked: { pa: 0xb000_0000n },
      fields: ['pa', 'permissions'],
    });
    expect(tlb.tlbi('VAE1', asid(2n))).toBe(0); // another ASID
    expect(tlb.tlbi('VAE1', asid(1n) | 1n)).toBeGreaterThan(0); // another page: its global entry and the tables
    expect(pa(tlb, 0x10n)).toBe(0x8000_0010n);
    expect(tlb.tlbi('VAE1', asid(1n))).toBe(1);
    expect(pa(tlb, 0x10n)).toBe(0xb000_0010n);
    expect(tlb.staleEntries()).toEqual([]);
  });

  test('an unmapped page is a fault to the walk and a translation to the TLB', () => {
    const { memory, tlb } = machine();
    tlb.translate(0x0n, read);
    memory.write64(0x4000_2000n, 0n);
    expect(tlb.staleEntries()).toMatchObject([
      { fields: ['fault'], walked: { fault: { kind: 'translation', level: 3 } } },
    ]);
    tlb.tlbi('VMALLE1');
    expect(pa(tlb, 0x0n)).toBe('translation');
  });

  test('looking for them changes nothing', () => {
    const { tlb } = machine();
    tlb.translate(0x0n, read);
    const before = tlb.statistics;
    tlb.staleEntries();
    expect(tlb.statistics).toEqual(before);
  });
});

test.each([{ sets: 3 }, { sets: 0 }, { ways: 0 }, { ways: 1.5 }, { walkCache: -1 }])(
  'a TLB of %j cannot be built',
  (options) => {
    expect(() => machine(options)).toThrow(WalkerError);
  },
);

test('an address or access that no machine has is refused, on a hit too', () => {
  const { tlb } = machine();
  tlb.translate(0x0n, read);
  expect(() => tlb.translate(1n << 64n, read)).toThrow(WalkerError);
  expect(() => tlb.translate(0x0n, { access: 'fly' as 'read' })).toThrow(WalkerError);
});
