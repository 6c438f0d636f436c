/** A TLB and permission indirection and overlays: overlays are not cached, dirty state is that of nDirty. (DDI 0487 D8.4.1.4, D8.5.2.) */
import { expect, test } from 'vitest';
import { Tlb } from '../../src/tlb/index.ts';
import { withFeatures } from '../../src/walker/cpu.ts';
import { memoryWith } from '../walker/table-builder.ts';

const memoryOf = (leaf: bigint) =>
  memoryWith({ '0x40000000': 0x4000_1003n, '0x40001000': 0x4000_2003n, '0x40002008': leaf });
const TCR = 0x2_0080_3519n;
const cpu = withFeatures('max', ['FEAT_S1POE']);
const at = (registers: Record<string, bigint>) =>
  ({
    regime: 'el1&0',
    registers: { ttbr0: 0x4000_0000n, tcr: TCR, mair: 0xffn, ...registers },
    cpu,
  }) as const;

test('an entry made under another overlay is not found', () => {
  const tlb = new Tlb(memoryOf(0x4010_0703n), at({ tcr2: 8n, por: 7n }));
  expect(tlb.translate(0x1000n, { access: 'write' })).toMatchObject({ from: 'walk', result: { ok: true } });
  expect(tlb.translate(0x1000n, { access: 'write' })).toMatchObject({ from: 'tlb', result: { ok: true } });
  tlb.switchTo(at({ tcr2: 8n, por: 1n }));
  expect(tlb.translate(0x1000n, { access: 'write' })).toMatchObject({
    from: 'walk',
    result: { ok: false, fault: { overlay: true } },
  });
  // A base permission may be cached: PIR is not looked at again.
  tlb.switchTo(at({ tcr2: 8n, por: 7n }));
  expect(tlb.translate(0x1000n, { access: 'write' })).toMatchObject({ from: 'tlb', result: { ok: true } });
});

test('with indirect permissions the first write to a clean page walks, whatever bit 51 says', () => {
  const memory = memoryOf(0x4010_0783n);
  const tlb = new Tlb(memory, at({ tcr2: 2n, pir: 5n, tcr: TCR | (3n << 39n) }));
  expect(tlb.translate(0x1000n, { access: 'read' })).toMatchObject({ from: 'walk', result: { ok: true } });
  expect(memory.read64(0x4000_2008n)).toBe(0x4010_0783n);
  expect(tlb.translate(0x1000n, { access: 'write' })).toMatchObject({ from: 'walk', result: { ok: true } });
  expect(memory.read64(0x4000_2008n)).toBe(0x4010_0703n);
  expect(tlb.translate(0x1000n, { access: 'write' })).toMatchObject({ from: 'tlb', result: { ok: true } });
});

test('a Guarded Control Stack access walks', () => {
  const tlb = new Tlb(memoryOf(0x4010_0703n), at({ tcr2: 2n, pir: 9n }));
  expect(tlb.translate(0x1000n, { access: 'read' })).toMatchObject({ from: 'walk' });
  expect(tlb.translate(0x1000n, { access: 'write' })).toMatchObject({ result: { ok: false } });
  expect(tlb.translate(0x1000n, { access: 'write', gcs: true })).toMatchObject({
    from: 'walk',
    result: { ok: true },
  });
});

const READ = { access: 'read' } as const;

test.each([
  [0x1_0000n, 'walk'],
  // TCR2_EL1.A2 = 0: one ASID, that of TTBR0 since TCR_EL1.A1 = 0.
  [0x0n, 'tlb'],
])('TCR2_EL1 %s: with A2 = 1 each range has the ASID of its own TTBR', (tcr2, upper) => {
  const HIGH = 0xffff_ff80_0000_1000n;
  // T0SZ and T1SZ 25, TG1 4K, 40 bits, AS = 1.
  const tcr = 0x12_b519_3519n;
  const of = (ttbr1Asid: bigint) =>
    at({ tcr, tcr2, ttbr0: (5n << 48n) | 0x4000_0000n, ttbr1: (ttbr1Asid << 48n) | 0x4000_0000n });
  // nG = 1.
  const tlb = new Tlb(memoryOf(0x4010_0f03n), of(9n));
  for (const ia of [0x1000n, HIGH]) {
    expect(tlb.translate(ia, READ)).toMatchObject({ from: 'walk', result: { ok: true } });
    expect(tlb.translate(ia, READ)).toMatchObject({ from: 'tlb' });
  }
  tlb.switchTo(of(10n));
  expect(tlb.translate(0x1000n, READ)).toMatchObject({ from: 'tlb' });
  expect(tlb.translate(HIGH, READ)).toMatchObject({ from: upper });
});
