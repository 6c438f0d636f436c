/** A 32-bit guest of an AArch64 hypervisor: stage 1 of VMSAv8-32 under stage 2 of VMSAv8-64. (DDI 0487 D8.1.2, J1.1 AArch64.S2Translate with s1aarch64 FALSE.) */
import { expect, test } from 'vitest';
import { describeRegime } from '../../src/describe/index.ts';
import { resolveRegisters } from '../../src/machine/registers/index.ts';
import { createWalker, type WalkerOptions } from '../../src/walker/index.ts';
import { memoryWith } from './table-builder.ts';

const read = { access: 'read' } as const;
const execute = { access: 'execute' } as const;

/**
 * Short descriptors at IPA 0x4000_0000: a section to 0x8000_0000 and a supersection to 0x12_0000_0000. Long ones at 0x4001_0000: a block of
 * 1 GiB to 0x8000_0000. Stage 2, 64K, 40 bits from level 2, at 0x4002_0000: 512 MiB each, at 0x4000_0000 as it is, 0x8000_0000 to
 * 0x9_0000_0000, 0x12_0000_0000 to 0xa_0000_0000 with XN[1:0] = 0b01.
 */
const memory = memoryWith({
  '0x40000000': 0x0024_0c02_8000_0c02n,
  '0x40010000': 0x8000_0701n,
  '0x40020010': 0x4000_07fdn,
  '0x40020020': 0x9_0000_07fdn,
  '0x40020480': (1n << 53n) | 0xa_0000_07fdn,
});
const STAGE2 = { hcr: 1n, vtcr: 0x5_4058n, vttbr: 0x4002_0000n };
const SHORT = { ttbr0: 0x4000_0000n, tcr: 0n, dacr: 1n, sctlr: 1n, mair: 0n, ...STAGE2 };
const LONG = { ttbr0: 0x4001_0000n, tcr: 1n << 31n, mair: 0xffn, sctlr: 1n, ...STAGE2 };

const walker = (registers: WalkerOptions['registers'], options: Partial<WalkerOptions> = {}) =>
  createWalker(memory, { regime: 'pl1&0-nested64', registers, ...options });

test('short descriptors, TTBCR.EAE = 0', () => {
  expect(walker(SHORT).walk(0x1234n, read)).toMatchObject({
    pa: 0x9_0000_1234n,
    level: 1,
    stage1: { oa: 0x8000_1234n },
  });
});

test('long descriptors, TTBCR.EAE = 1', () => {
  expect(walker(LONG).walk(0x1234n, read)).toMatchObject({
    pa: 0x9_0000_1234n,
    level: 1,
    stage2: { level: 2 },
  });
});

test('a supersection leads to an IPA of 40 bits, and XN[0] keeps EL1 alone from executing', () => {
  const registers = { ...SHORT, ttbr0: 0x4000_0000n };
  const far = memoryWith({
    '0x40000000': 0x0204_0c02_0204_0c02n,
    '0x40020010': 0x4000_07fdn,
    '0x40020480': (1n << 53n) | 0xa_0000_07fdn,
  });
  // PA[35:32] in [23:20] is 0, PA[39:36] in [8:5] too: bits [31:24] are 0x02.
  const low = createWalker(far, { regime: 'pl1&0-nested64', registers });
  expect(low.walk(0n, read)).toMatchObject({ fault: { kind: 'translation', stage: 2, ipa: 0x200_0000n } });
  far.write64(0x4000_0000n, 0x0024_0c02_0024_0c22n);
  // [8:5] = 1 is PA[39:36], [23:20] = 2 is PA[35:32].
  expect(low.walk(0x7890n, read)).toMatchObject({ pa: 0xa_0000_7890n, stage1: { oa: 0x12_0000_7890n } });
  expect(low.walk(0n, execute)).toMatchObject({ fault: { kind: 'permission', stage: 2, level: 2 } });
  expect(low.walk(0n, { ...execute, privileged: false })).toMatchObject({ ok: true });
});

test('FEAT_XNX counts at its stage 2, and execution needs no read permission there', () => {
  const own = memoryWith({
    '0x40010000': 0x8000_0701n,
    '0x40020010': 0x4000_07fdn,
    '0x40020020': (1n << 53n) | 0x9_0000_07bdn,
  });
  const asked = createWalker(own, { regime: 'pl1&0-nested64', registers: LONG });
  expect(asked.walk(0n, execute)).toMatchObject({ fault: { kind: 'permission', stage: 2 } });
  own.write64(0x4002_0020n, (3n << 53n) | 0x9_0000_073dn);
  expect(asked.walk(0n, execute)).toMatchObject({ ok: true });
  expect(asked.walk(0n, read)).toMatchObject({ fault: { kind: 'permission', stage: 2 } });
});

test('an IPA has 40 bits at least, though a PA has fewer', () => {
  const small = { regime: 'pl1&0-nested64', registers: LONG, cpu: { paBits: 36 } } as const;
  expect(createWalker(memory, small).walk(0n, read)).toMatchObject({ pa: 0x9_0000_0000n });
  const guest64 = { ...small, regime: 'el1&0-s2' } as const;
  expect(createWalker(memory, guest64).walk(0x8000_0000n, read)).toMatchObject({
    fault: { kind: 'translation', level: 0 },
  });
});

test('Secure state has its two stage 2s', () => {
  const registers = { ...LONG, vsttbr: 0x4002_0000n, vstcr: 0x4058n };
  expect(walker(registers, { security: 'secure' }).walk(0n, read)).toMatchObject({
    pa: 0x9_0000_0000n,
    paSpace: 'secure',
  });
});

test('HCR_EL2.CD makes data accesses Non-cacheable, as of a 64-bit guest', () => {
  expect(walker({ ...LONG, sctlr: 5n, hcr: 1n | (1n << 32n) }).walk(0n, read)).toMatchObject({
    effective: { by: ['HCR.CD'] },
  });
});

test('HCR_EL2.{E2H, TGE} = {1, 1}: neither stage is on', () => {
  const host = { ...LONG, hcr: 1n | (1n << 34n) | (1n << 27n) };
  expect(walker(host).walk(0x1234n, read)).toMatchObject({ pa: 0x1234n, level: undefined });
  expect(describeRegime('pl1&0-nested64', host).stages.map(({ off }) => off?.field)).toEqual([
    'HCR_EL2.TGE',
    'HCR_EL2.TGE',
  ]);
  // TGE alone switches stage 1 off, and leaves stage 2.
  const flat = walker({ ...LONG, hcr: 1n | (1n << 27n) }).walk(0x8000_1234n, read);
  expect(flat).toMatchObject({ pa: 0x9_0000_1234n });
});

test('it follows from names of both states', () => {
  const given = {
    TTBR0: 0x4001_0000n,
    TTBCR: 1n << 31n,
    VTTBR_EL2: 0x4002_0000n,
    VTCR_EL2: 0x5_4058n,
    HCR_EL2: 1n,
  };
  expect(resolveRegisters({ given }).regime).toBe('pl1&0-nested64');
  expect(resolveRegisters({ given, regime: 'pl1&0' }).regime).toBe('pl1&0-nested64');
  const aarch32 = { TTBR0: 0n, TTBCR: 1n << 31n, VTTBR: 0n, VTCR: 0n, HCR: 1n };
  expect(resolveRegisters({ given: aarch32 }).regime).toBe('pl1&0-nested');
});

test('the described register is VTCR_EL2', () => {
  const { stages } = describeRegime('pl1&0-nested64', LONG);
  expect(stages.map(({ format, control }) => `${format} ${control?.register}`)).toEqual([
    'AArch32 long TTBCR',
    'AArch64 VTCR_EL2',
  ]);
});
