/** The Security state of TLB entries and of TLBI operations, and granule protection of what an entry answers. Literal tables. (DDI 0487 D8.17 RNWYRD, D8.17.5.4, D8.17.6, D9.5.) */
import { expect, test } from 'vitest';
import { Tlb, type TlbContextOptions } from '../../src/tlb/index.ts';
import { memoryWith } from '../walker/table-builder.ts';

const read = { access: 'read' } as const;
/** 4K, 39 input bits from level 1, TTBR1 off. */
const TCR = 0x5_0080_0019n;
/** 1G of IA 0 to 1G of PA 0x8000_0000, and to another one; NS clear, nG. */
const tables = { '0x40000000': 0x8000_0f41n, '0x40001000': 0xc000_0f41n, '0x40002000': 0x8000_0f61n };

const el1 = (security: 'non-secure' | 'secure' | 'realm', ttbr0 = 0x4000_0000n): TlbContextOptions => ({
  regime: 'el1&0',
  registers: { ttbr0, tcr: TCR },
  security,
});
const EL3 = { regime: 'el3', registers: { ttbr0: 0x4000_0000n, tcr: 0x5_0019n } } as const;
const pa = (tlb: Tlb, ia = 0n) => {
  const { from, result } = tlb.translate(ia, read);
  return [from, result.ok && result.pa, result.ok && result.paSpace];
};

test('the walk behind a miss is one of the given Security state', () => {
  expect(pa(new Tlb(memoryWith(tables), el1('secure')))).toEqual(['walk', 0x8000_0000n, 'secure']);
  expect(pa(new Tlb(memoryWith(tables), el1('secure', 0x4000_2000n)))).toEqual([
    'walk',
    0x8000_0000n,
    'non-secure',
  ]);
});

test('an entry of one Security state is not found in another', () => {
  const tlb = new Tlb(memoryWith(tables), el1('secure'));
  expect(pa(tlb)).toEqual(['walk', 0x8000_0000n, 'secure']);
  tlb.switchTo(el1('non-secure', 0x4000_1000n));
  expect(pa(tlb)).toEqual(['walk', 0xc000_0000n, 'non-secure']);
  tlb.switchTo(el1('realm', 0x4000_1000n));
  expect(pa(tlb)).toEqual(['walk', 0xc000_0000n, 'realm']);
  tlb.switchTo(el1('secure', 0x4000_1000n));
  expect(pa(tlb)).toEqual(['tlb', 0x8000_0000n, 'secure']);
  expect(tlb.entries.map(({ tag }) => tag.security)).toEqual(['secure', 'non-secure', 'realm']);
  expect(tlb.conflicts()).toEqual([]);
});

test('an operation takes entries of the current Security state', () => {
  const tlb = new Tlb(memoryWith(tables), el1('secure'));
  pa(tlb);
  tlb.switchTo(el1('non-secure'));
  pa(tlb);
  expect(tlb.tlbi('VAAE1', 0n)).toBe(1);
  expect(tlb.tlbi('ALLE1')).toBe(0);
  expect(tlb.entries.map(({ tag }) => tag.security)).toEqual(['secure']);
  tlb.switchTo(el1('secure'));
  expect(tlb.tlbi('ALLE1')).toBe(1);
});

test.each([
  ['Non-secure', 0x1n, 'secure realm secure'],
  ['Secure', 0x0n, 'non-secure realm secure'],
  ['Realm', 0x4000_0000_0000_0001n, 'secure non-secure root'],
  ['reserved', 0x4000_0000_0000_0000n, 'secure non-secure realm root'],
] as const)('at EL3 SCR_EL3 says which: %s', (_name, scr, left) => {
  const tlb = new Tlb(memoryWith(tables), el1('secure'));
  pa(tlb);
  for (const state of ['non-secure', 'realm'] as const) {
    tlb.switchTo(el1(state));
    pa(tlb);
  }
  const el3 = { ...EL3, scr, cpu: { model: 'max', features: { rme: scr >= 1n << 62n } } } as const;
  tlb.switchTo(el3);
  pa(tlb);
  tlb.tlbi('ALLE1');
  expect(tlb.entries.map(({ tag }) => tag.security).join(' ')).toBe(left);
  // An operation on EL3 takes its entries, whatever SCR_EL3 says.
  expect(tlb.tlbi('ALLE3')).toBe(1);
});

test('stage 2 of Secure IPAs goes by NS of the operand, and not at all without a Secure EL2', () => {
  const registers = { vsttbr: 0x4000_0000n, vstcr: 0x59n, vtcr: 0x5_0059n };
  const s2 = { regime: 'el1&0-s2', registers, security: 'secure' } as const;
  const tlb = new Tlb(memoryWith({ '0x40000000': 0x8000_07fdn }), s2);
  expect(pa(tlb)).toEqual(['walk', 0x8000_0000n, 'secure']);
  expect(tlb.tlbi('IPAS2E1', 1n << 63n)).toBe(0);
  expect(tlb.tlbi('RIPAS2E1', (1n << 63n) | (1n << 46n))).toBe(0);
  tlb.switchTo({ ...el1('secure'), scr: 0n });
  expect(tlb.tlbi('IPAS2E1', 0n)).toBe(0);
  tlb.switchTo(s2);
  expect(tlb.tlbi('IPAS2E1', 0n)).toBe(1);
});

test('TGE in HCR_EL2 decides which regime E1 operations apply to', () => {
  const tlb = new Tlb(memoryWith(tables), el1('non-secure'));
  pa(tlb);
  const host = (hcr: bigint) => ({ regime: 'el2&0', registers: { tcr: TCR, hcr } }) as const;
  tlb.switchTo(host(0x4_0800_0000n));
  expect(tlb.tlbi('VMALLE1')).toBe(0);
  tlb.switchTo(host(0x4_0000_0000n));
  expect(tlb.tlbi('VMALLE1')).toBe(1);
});

test('granule protection of the access is checked on a hit, too: no entry holds it', () => {
  // 4K granules, 40 bits, 1 GiB an entry of level 0: all spaces, then Secure alone.
  const GPC = { gpccr: 0x1_3502n, gptbr: 0x4_0100n };
  const memory = memoryWith({ ...tables, ...Object.fromEntries(rows(0xf1n)) });
  const tlb = new Tlb(memory, { ...el1('non-secure'), registers: { ttbr0: 0x4000_0000n, tcr: TCR, ...GPC } });
  expect(pa(tlb)).toEqual(['walk', 0x8000_0000n, 'non-secure']);
  expect(pa(tlb)).toEqual(['tlb', 0x8000_0000n, 'non-secure']);
  memory.write64(0x4010_0010n, 0x81n);
  const { from, result } = tlb.translate(0n, read);
  expect(from).toBe('tlb');
  expect(result).toMatchObject({ ok: false, fault: { kind: 'granule_protection', pa: 0x8000_0000n } });
  expect(tlb.translate(0n, { ...read, gpc: 'none' }).result.ok).toBe(true);
});

/** The first four entries of a granule protection table of level 0, 1 GiB each. */
function rows(word: bigint): [string, bigint][] {
  return Array.from({ length: 4 }, (_, i) => [`0x${(0x4010_0000 + i * 8).toString(16)}`, word]);
}
