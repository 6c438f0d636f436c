/** Stage 2 outside Non-secure state: two IPA spaces in Secure state, NS in bit 55 of Realm state's leaves. (DDI 0487 D8.2.6, D24.2.222 to D24.2.224.) */
import { expect, test } from 'vitest';
import { createWalker, hpfarEl2, type WalkerOptions } from '../../src/walker/index.ts';
import { memoryWith } from './table-builder.ts';

const read = { access: 'read' } as const;
const execute = { access: 'execute' } as const;

const NS_TABLE = 1n << 63n;

/**
 * Stage 1, 4K, 39 bits: 1 GiB at VA 0 to Secure IPA 0x8000_0000, 1 GiB to the Non-secure one, then a table, and the same one behind
 * NSTable. Stage 2 of Secure IPAs at 0x4001_0000, of Non-secure ones at 0x4002_0000: blocks of 1 GiB, each with its first GiB for
 * the tables of stage 1 at another place.
 */
const memory = memoryWith({
  '0x40000000': 0x8000_0701n,
  '0x40000008': 0x8000_0721n,
  '0x40000010': 0x4000_1003n,
  '0x40000018': NS_TABLE | 0x4000_1003n,
  '0x40001000': 0x8020_0701n,
  // The same IPA 0x4000_1000 in the Non-secure space is at 0x6000_1000.
  '0x60001000': 0x8040_0701n,
  // Secure IPAs: 0x4000_0000 as it is, 0x8000_0000 to 0x1_0000_0000.
  '0x40010008': 0x4000_07fdn,
  '0x40010010': 0x1_0000_07fdn,
  // Non-secure IPAs: 0x4000_0000 by a table, its 0x4000_0000 to 0x6000_0000; 0x8000_0000 to 0x2_0000_0000.
  '0x40020008': 0x4002_1003n,
  '0x40021000': 0x6000_07fdn,
  '0x40020010': 0x2_0000_07fdn,
});

/** T0SZ 25, 4K, start level 1, 40 bits of output. */
const S2 = 0x2_0059n;
const REGISTERS = {
  ttbr0: 0x4000_0000n,
  tcr: 0x2_0080_0019n,
  mair: 0xffn,
  hcr: 1n,
  vtcr: S2,
  vttbr: 0x4002_0000n,
  vstcr: 0x59n,
  vsttbr: 0x4001_0000n,
};
const SW = 1n << 29n;
const SA = 1n << 30n;

type Own = Partial<typeof REGISTERS>;
const secure = (own: Own = {}, options: Partial<WalkerOptions> = {}) =>
  createWalker(memory, {
    regime: 'el1&0-nested',
    security: 'secure',
    registers: { ...REGISTERS, ...own },
    ...options,
  });
const GIB = 0x4000_0000n;

/** IPA space, PA and PA space. */
const where = (walker: ReturnType<typeof secure>, va: bigint) => {
  const result = walker.walk(va, read);
  if (!result.ok) return `${result.fault.kind} of ${result.fault.ipaSpace}`;
  return `${result.ipaSpace} 0x${result.pa.toString(16)} ${result.paSpace}`;
};

test('NS and NSTable choose the IPA space, and each has its tables', () => {
  const vas = [0x1234n, GIB + 0x1234n, 2n * GIB + 0x1234n, 3n * GIB + 0x1234n];
  expect(vas.map((va) => where(secure(), va))).toEqual([
    'secure 0x100001234 secure',
    'non-secure 0x200001234 secure',
    'secure 0x100201234 secure',
    // Below NSTable the table itself is read at a Non-secure IPA.
    'non-secure 0x200401234 secure',
  ]);
});

test.each<[string, Own, string, string]>([
  ['nothing', {}, 'secure', 'secure'],
  ['VSTCR_EL2.SA', { vstcr: 0x59n | SA }, 'non-secure', 'non-secure'],
  ['VSTCR_EL2.SW implies SA', { vstcr: 0x59n | SW }, 'non-secure', 'non-secure'],
  ['VTCR_EL2.NSA', { vtcr: S2 | SA }, 'secure', 'non-secure'],
  ['VTCR_EL2.NSW', { vtcr: S2 | SW }, 'secure', 'non-secure'],
])('outputs of Secure and Non-secure IPAs: %s', (_, own, ofSecure, ofNonSecure) => {
  expect(where(secure(own), 0n)).toBe(`secure 0x100000000 ${ofSecure}`);
  expect(where(secure(own), GIB)).toBe(`non-secure 0x200000000 ${ofNonSecure}`);
});

test('granule, size and start level of Secure IPAs are those of VSTCR_EL2, what it lacks is VTCR_EL2', () => {
  // 38 bits, whose top one is not reached; the output size of 32 bits is VTCR_EL2.PS.
  expect(where(secure({ vstcr: 0x5an }), 0x1234n)).toBe('secure 0x100001234 secure');
  expect(where(secure({ vstcr: 0x59n | (3n << 6n) }), 0n)).toBe('translation of secure');
  expect(where(secure({ vtcr: 0x59n }), 0n)).toBe('address_size of secure');
  expect(where(secure({ vtcr: S2 | (3n << 6n) }), GIB)).toBe('translation of non-secure');
});

test('an IPA that faults is told with its space, in HPFAR_EL2.NS too', () => {
  const walker = secure({ vttbr: 0x4003_0000n });
  const result = walker.walk(GIB + 0x5678n, read);
  if (result.ok) throw new Error('it should fault');
  expect(result.fault).toMatchObject({
    kind: 'translation',
    stage: 2,
    ipa: 0x8000_5678n,
    ipaSpace: 'non-secure',
  });
  expect(hpfarEl2(result.fault)).toBe((1n << 63n) | 0x80_0050n);
  const own = secure({ vsttbr: 0x4003_0000n }).walk(0n, read);
  expect(own).toMatchObject({ fault: { ptw: true, s1Level: 1, ipa: 0x4000_0000n, ipaSpace: 'secure' } });
  if (!own.ok) expect(hpfarEl2(own.fault)).toBe(0x40_0000n);
});

test('SCR_EL3.EEL2 = 0: there is no stage 2', () => {
  expect(where(secure({}, { scr: 0n }), 0x1234n)).toBe('undefined 0x80001234 secure');
  expect(where(secure({}, { scr: 1n << 18n }), 0x1234n)).toBe('secure 0x100001234 secure');
});

test('SCR_EL3.SIF looks at the IPA space, not at where stage 2 leads', () => {
  const walker = secure({ vstcr: 0x59n | SA }, { scr: (1n << 9n) | (1n << 18n) });
  expect(walker.walk(0n, execute)).toMatchObject({ ok: true, paSpace: 'non-secure' });
  expect(walker.walk(GIB, execute)).toMatchObject({ fault: { kind: 'permission', stage: 1 } });
});

test('a stage 2 alone is of Secure IPAs, and there is a tree for each space', () => {
  const walker = secure({}, { regime: 'el1&0-s2' });
  expect(walker.walk(0x8000_1234n, read)).toMatchObject({ pa: 0x1_0000_1234n, paSpace: 'secure' });
  expect(walker.translate(0x8000_1234n, read)).toBe(0x1_0000_1234n);
  expect(
    secure()
      .trees()
      .map(({ root }) => [root.register, root.base, root.ipas]),
  ).toEqual([
    ['ttbr0', 0x4000_0000, undefined],
    ['vsttbr', 0x4001_0000, 'secure'],
    ['vttbr', 0x4002_0000, 'non-secure'],
  ]);
});

const NS = 1n << 55n;

/** Realm EL1&0: stage 1 as above; of stage 2 what holds the tables, and what is mapped, with NS or without. */
const realm = (tables: bigint, mapped: bigint, options: Partial<WalkerOptions> = {}) =>
  createWalker(
    memoryWith({
      '0x40000000': 0x8000_0701n,
      '0x40010008': 0x4000_07fdn | tables,
      '0x40010010': 0x1_0000_07fdn | mapped,
    }),
    {
      regime: 'el1&0-nested',
      scr: (1n << 62n) | 1n,
      registers: { ...REGISTERS, vttbr: 0x4001_0000n },
      ...options,
    },
  );

test('Realm state: NS of a stage-2 leaf leads to Non-secure memory', () => {
  expect(where(realm(0n, 0n), 0x1234n)).toBe('realm 0x100001234 realm');
  expect(where(realm(0n, NS), 0x1234n)).toBe('realm 0x100001234 non-secure');
});

test('Realm state executes nothing there, and says so', () => {
  expect(realm(0n, 0n).walk(0n, execute)).toMatchObject({ ok: true });
  expect(realm(0n, NS).walk(0n, execute)).toMatchObject({
    fault: { kind: 'permission', stage: 2, level: 1, denied: [{ by: 'PA-space', stage: 2 }] },
  });
  expect(realm(0n, NS).walk(0n, read)).toMatchObject({
    permissions: { privileged: { read: true, write: true, execute: false } },
  });
});

test('Realm state has no tables of stage 1 there', () => {
  expect(realm(NS, 0n).walk(0n, read)).toMatchObject({
    fault: { kind: 'permission', stage: 2, ptw: true, s1Level: 1, denied: [{ by: 'PA-space', stage: 2 }] },
  });
});

test('bit 55 is software in every other state', () => {
  const registers = { ...REGISTERS, vttbr: 0x4001_0000n };
  expect(realm(NS, NS, { scr: 1n, registers }).walk(0n, execute)).toMatchObject({ paSpace: 'non-secure' });
});

test('a stage 2 of Realm state alone takes NS into account without steps too', () => {
  const alone = realm(0n, NS, { regime: 'el1&0-s2' });
  expect(alone.walk(0x8000_0000n, execute).ok).toBe(false);
  expect(alone.walk(0x8000_0000n, { ...execute, trace: false }).ok).toBe(false);
  expect(alone.translate(0x8000_0000n, execute)).toBeUndefined();
  expect(alone.translate(0x8000_0000n, read)).toBe(0x1_0000_0000n);
});
