/**
 * Indirect permissions, overlays, MAIR2 and access flags of tables, made by the driver side: literal words, registers, and the walker as
 * the judge of every right. (DDI 0487 D8.4.1.3, D8.4.1.4, D8.4.2.2, D8.5.1, D8.5.2, D8.6.1.)
 */
import { describe, expect, test } from 'vitest';
import { arm32LpaeS1, arm64LpaeS1, arm64LpaeS2, formats } from '../../formats/index.ts';
import { type DomainOptions, IommuError } from '../../src/index.ts';
import type { Prot } from '../../src/pagetable/format.ts';
import { createWalker } from '../../src/walker/index.ts';
import { SIZES_4K } from '../support/configs.ts';
import { machine } from '../support/machine.ts';

const base = { pgsizeBitmap: SIZES_4K, ias: 39, oas: 48 };
const s1pie = { ...base, features: ['s1pie'] } as const satisfies DomainOptions;
const s2pie = { ...base, features: ['s2pie'] } as const satisfies DomainOptions;
const ro = { read: true, cache: true };
const rw = { read: true, write: true, cache: true };

/** The word of a page at 0x9000, as the domain's table holds it. */
function wordOf(format: typeof arm64LpaeS1, options: DomainOptions, prot: Prot): bigint {
  const { domain } = machine(format, options);
  domain.map(0x5000n, 0x9000n, 0x1000n, prot);
  return domain.tables().at(-1)!.entries[0]!.descriptor;
}

/** PIIndex: bits 54, 53, 51 and 6. Bit 7: not dirty. Bit 11: nG; [9:8] inner shareable; AttrIndx 1. */
const LEAF = 0x9f07n;
const CLEAN = 1n << 7n;
const pi = (index: bigint) => ((index >> 2n) << 53n) | (((index >> 1n) & 1n) << 51n) | ((index & 1n) << 6n);

describe("stage 1 by Linux's PIR_EL1 and PIRE0_EL1", () => {
  test.each<[string, Prot, bigint]>([
    ['execute-only', { cache: true, priv: true, execute: 'unprivileged' }, 4n],
    ['read, executed by EL0', ro, 5n],
    ['read and write, executed by EL0', rw, 7n],
    ['read, privileged, executed by EL1', { ...ro, priv: true }, 8n],
    ['read and write, privileged', { ...rw, priv: true }, 10n],
    ['read, privileged, not executed', { ...ro, priv: true, noexec: true }, 12n],
    ['read, not executed', { ...ro, noexec: true }, 13n],
    ['read and write, privileged, not executed', { ...rw, priv: true, execute: 'none' }, 14n],
    ['read and write, not executed', { ...rw, noexec: true }, 15n],
    ['write alone is read and write', { write: true, cache: true, noexec: true }, 15n],
  ])('%s', (_, prot, index) => {
    expect(wordOf(arm64LpaeS1, s1pie, prot)).toBe(LEAF | pi(index) | (prot.write ? 0n : CLEAN));
  });

  test('the registers: TCR2.PIE, HPD0 and HPD1 of TCR, PIR and PIRE0', () => {
    const { regime, registers, cpu } = machine(arm64LpaeS1, s1pie).domain.registers.hardware;
    const direct = machine(arm64LpaeS1, base).domain.registers.hardware.registers;
    expect([regime, cpu]).toEqual(['el1&0', { paBits: 48, s1pie: true }]);
    expect(registers).toEqual({
      ...direct,
      tcr: direct.tcr! | (3n << 41n),
      tcr2: 2n,
      pir: 0xcc88_0e0a_c080_0000n,
      pire0: 0x5010_9080_7032_0000n,
    });
  });

  test('an execute-only page is executed, and never read', () => {
    const { domain, walker } = machine(arm64LpaeS1, s1pie);
    domain.map(0x5000n, 0x9000n, 0x1000n, { execute: 'unprivileged' });
    expect(domain.iovaToPhys(0x5004n)).toBe(0x9004n);
    const walk = (access: 'read' | 'execute', privileged: boolean) =>
      walker.walk(0x5004n, { access, privileged }).ok;
    expect([walk('execute', false), walk('read', false), walk('read', true), walk('execute', true)]).toEqual([
      true,
      false,
      false,
      false,
    ]);
    // With direct permissions nobody could say it.
    expect(() => machine(arm64LpaeS1, base).domain.map(0n, 0n, 0x1000n, { execute: 'unprivileged' })).toThrow(
      /^EINVAL/,
    );
  });
});

test.each<[NonNullable<DomainOptions['regime']>, bigint, Record<string, bigint>]>([
  ['el2', (1n << 24n) | (1n << 23n) | (1n << 31n), { tcr2: 2n, pir: 0xcc88_0e0a_c080_0000n }],
  ['el3', (1n << 35n) | (1n << 24n) | (1n << 23n) | (1n << 31n), { pir: 0xcc88_0e0a_c080_0000n }],
])('%s has one privilege level: PIR alone, and every bit of PIIndex', (regime, control, more) => {
  const options = { ...s1pie, regime };
  const { registers } = machine(arm64LpaeS1, options).domain.registers.hardware;
  const { ttbr0, tcr, mair, ...rest } = registers;
  // TCR: 48 bits of output, inner shareable Write-Back walks, T0SZ 25.
  expect(tcr! & ~control).toBe(0x5_3519n);
  expect(rest).toEqual(more);
  // nG is RES0. The lowest index whose field grants the rights: 5 and 13 read, 7 and 14 read and write.
  expect(wordOf(arm64LpaeS1, options, { ...ro, noexec: true })).toBe(0x9707n | pi(5n) | CLEAN);
  expect(wordOf(arm64LpaeS1, options, { ...rw, noexec: true })).toBe(0x9707n | pi(7n));
  expect(wordOf(arm64LpaeS1, options, rw)).toBe(0x9707n | pi(10n));
  expect(() => wordOf(arm64LpaeS1, { ...options, pire0: 0n, pir: 0n }, rw)).toThrow(/has no EL0.* pire0/);
});

test.each<[Prot, bigint]>([
  [{ read: true, write: true, cache: true }, 15n],
  [{ read: true, cache: true }, 11n],
  [{ read: true, write: true, cache: true, noexec: true }, 12n],
  [{ read: true, cache: true, noexec: true }, 8n],
  [{ write: true, cache: true }, 4n],
  [{ read: true, cache: true, execute: 'unprivileged' }, 9n],
  [{ read: true, write: true, cache: true, execute: 'privileged' }, 14n],
])('stage 2, where PIIndex is the permission: %o', (prot, index) => {
  const dirty = prot.write ? 1n << 7n : 0n;
  expect(wordOf(arm64LpaeS2, s2pie, prot)).toBe(0x973fn | pi(index) | dirty);
  const { registers } = machine(arm64LpaeS2, s2pie).domain.registers.hardware;
  expect([registers.s2pir, registers.vtcr! >> 36n]).toEqual([0xfedc_ba98_7604_3200n, 1n]);
});

describe('what indirect permissions can not say is refused, and maps nothing', () => {
  test.each<[string, DomainOptions, Prot, RegExp]>([
    [
      'EL1 and EL0 execute',
      s1pie,
      { read: true, execute: 'all' },
      /no PIIndex grants EL1 rx, EL0 rx: PIR 0xcc880e0ac0800000 and PIRE0 0x5010908070320000 can grant EL1 nothing, EL0 x; EL1 r, EL0 rx; .*D8\.4\.1\.3/,
    ],
    [
      'EL1 executes what EL0 writes',
      s1pie,
      { read: true, write: true, execute: 'all' },
      /EL1 never executes memory that EL0 may write: EL1 rwx, EL0 rwx would grant nothing; .*R_VFPJF/,
    ],
    ['noexec and execute', s1pie, { read: true, noexec: true, execute: 'all' }, /contradict each other/],
    ['an overlay without s1poe', s1pie, { read: true, poIndex: 1 }, /can't express poIndex/],
  ])('%s', (_, options, prot, reason) => {
    const { domain, allocator } = machine(arm64LpaeS1, options);
    const before = allocator.frameCount;
    expect(() => domain.map(0x5000n, 0x9000n, 0x1000n, prot)).toThrow(reason);
    expect([allocator.frameCount, domain.iovaToPhys(0x5000n)]).toEqual([before, null]);
  });

  test('the error carries the registers', () => {
    const { domain } = machine(arm64LpaeS2, { ...s2pie, s2pir: 0x8n });
    try {
      domain.map(0n, 0n, 0x1000n, { read: true, write: true });
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(IommuError);
      expect(error).toMatchObject({ code: 'EINVAL', operands: { registers: { s2pir: 8n } } });
      expect((error as Error).message).toMatch(/no PIIndex of stage 2 grants rwpu .* can grant r; /);
    }
  });

  test.each<[Partial<DomainOptions>, RegExp]>([
    [{ features: [], pir: 1n }, /pir is for tables with features: \['s1pie'\]/],
    [{ features: ['s1pie'], pir: 1n }, /pir and pire0 say together/],
    [{ features: ['s1pie'], pir: 1n << 64n }, /pir must be a bigint of at most 64 bits/],
    [{ features: ['aie'] }, /aie adds the memory types of MAIR2/],
    [{ features: ['haft'] }, /haft .* needs access_flag or dirty_state/],
    [{ features: ['s2pie'] }, /has no feature s2pie/],
    [{ features: ['s1poe'], regime: 'el2', por0: 7n }, /el2 has no EL0, and takes no por0/],
  ])('a configuration: %o', (options, reason) => {
    expect(() => machine(arm64LpaeS1, { ...base, ...options })).toThrow(reason);
  });

  test('other formats have none of it', () => {
    for (const format of formats.filter((one) => !one.name.startsWith('arm_64'))) {
      const small = { pgsizeBitmap: 0x11_1000n, ias: 32, oas: 32 };
      for (const option of ['pir', 'pire0', 'por', 'por0', 's2pir', 'mair2'] as const) {
        expect(() => format.configure({ ...small, [option]: 0n })).toThrow(`takes no ${option}`);
      }
    }
    expect(() => machine(arm32LpaeS1, { ...base, features: ['s1pie'] })).toThrow(/has no feature s1pie/);
  });
});

describe('overlays', () => {
  const options: DomainOptions = { ...base, features: ['s1pie', 's1poe'] };

  test('POIndex is bits [62:60], and POR_EL0 limits what EL0 may do', () => {
    const word = wordOf(arm64LpaeS1, options, { ...rw, noexec: true, poIndex: 5 });
    expect(word).toBe(LEAF | pi(15n) | (5n << 60n));
    const { domain, memory } = machine(arm64LpaeS1, { ...options, por0: 0x10_0007n });
    domain.map(0x5000n, 0x9000n, 0x1000n, { ...rw, poIndex: 5 });
    domain.map(0x6000n, 0xa000n, 0x1000n, rw);
    const { hardware } = domain.registers;
    expect([hardware.registers.tcr2, hardware.registers.por0]).toEqual([0b110n, 0x10_0007n]);
    const walker = createWalker(memory, hardware);
    const walk = (va: bigint, access: 'read' | 'write', privileged = false) =>
      walker.walk(va, { access, privileged }).ok;
    expect([walk(0x5000n, 'read'), walk(0x5000n, 'write'), walk(0x6000n, 'write')]).toEqual([
      true,
      false,
      true,
    ]);
    expect(walk(0x5000n, 'write', true)).toBe(true);
  });

  test('a permission that no overlay applies to is not chosen for a POIndex', () => {
    // Kernel pages of Linux's PIR have no overlay; with POR_EL1 on, they can't be limited.
    const privileged = { ...options, por: 0x77n };
    expect(() => wordOf(arm64LpaeS1, privileged, { ...rw, priv: true, poIndex: 1 })).toThrow(
      /no PIIndex grants EL1 rwx, EL0 nothing under an overlay/,
    );
    const own = { ...privileged, pir: 0x5cn, pire0: 0n };
    expect(wordOf(arm64LpaeS1, own, { ...rw, priv: true, noexec: true, poIndex: 1 }) & pi(15n)).toBe(pi(1n));
    expect(wordOf(arm64LpaeS1, own, { ...rw, priv: true, noexec: true }) & pi(15n)).toBe(0n);
  });

  test('direct permissions have overlays too, by default of EL0 alone', () => {
    const { domain } = machine(arm64LpaeS1, { ...base, features: ['s1poe'] });
    const { registers } = domain.registers.hardware;
    expect([registers.tcr2, registers.por0, registers.por]).toEqual([0b100n, 0x7n, undefined]);
    expect(wordOf(arm64LpaeS1, { ...base, features: ['s1poe'] }, { ...rw, poIndex: 3 })).toBe(
      LEAF | (3n << 60n) | (1n << 6n),
    );
  });
});

test('MAIR2: AttrIndx[3] is bit 59, and the types of MAIR go first', () => {
  const options: DomainOptions = { ...base, features: ['aie'], mair2: 0x0c00n };
  const { registers } = machine(arm64LpaeS1, options).domain.registers.hardware;
  expect([registers.tcr2, registers.mair2]).toEqual([1n << 4n, 0xc00n]);
  const device = wordOf(arm64LpaeS1, options, { read: true, write: true, device: 'GRE' });
  expect(device & ((1n << 59n) | 0x1cn)).toBe((1n << 59n) | (1n << 2n));
  expect(wordOf(arm64LpaeS1, options, { ...rw, cache: true }) & ((1n << 59n) | 0x1cn)).toBe(1n << 2n);
  const { domain, walker } = machine(arm64LpaeS1, options);
  domain.map(0n, 0n, 0x1000n, { read: true, mairIndex: 9 });
  expect(walker.walk(0n)).toMatchObject({ ok: true, attributes: { byte: 0x0c } });
  expect(() => domain.map(0x1000n, 0n, 0x1000n, { read: true, device: 'nGRE' })).toThrow(
    /MAIR 0x.* and MAIR2 0xc00 have no attribute 0x8/,
  );
});

test.each([
  ['stage 1', arm64LpaeS1, 'tcr2', 1n << 11n],
  ['stage 2', arm64LpaeS2, 'vtcr', 1n << 44n],
] as const)('HAFT, %s: table descriptors are made with their access flag', (_, format, register, bit) => {
  const { domain, walker, memory } = machine(format, { ...base, features: ['haft', 'access_flag'] });
  domain.map(0x5000n, 0x9000n, 0x1000n, rw);
  expect(domain.registers.hardware.registers[register]! & bit).toBe(bit);
  const [root] = domain.tables();
  const table = root!.entries[0]!.descriptor;
  expect(table & 0xfffn).toBe(0x403n);
  expect(walker.walk(0x5000n).ok).toBe(true);
  expect(memory.read64(root!.pa)).toBe(table);
  // Without it hardware sets the flag.
  memory.write64(root!.pa, table & ~0x400n);
  expect(walker.walk(0x5000n).ok).toBe(true);
  expect(memory.read64(root!.pa)).toBe(table);
});

test('parts of a split block keep PIIndex, POIndex, AttrIndx[3] and the dirty state', () => {
  const features = ['s1pie', 's1poe', 'aie', 'dirty_state'] as const;
  const { domain } = machine(arm64LpaeS1, { ...base, features, mair2: 0xffn });
  domain.map(0x20_0000n, 0x20_0000n, 0x20_0000n, { read: true, noexec: true, poIndex: 6, mairIndex: 8 });
  const block = domain.tables().at(-1)!.entries[0]!.descriptor;
  domain.unmap(0x20_0000n, 0x1000n);
  const page = domain.tables().at(-1)!.entries[0]!.descriptor;
  expect(page).toBe((block & ~0x2n) | 0x1003n);
  expect(page >> 48n).toBe((6n << 12n) | (1n << 11n) | (3n << 5n));
});
