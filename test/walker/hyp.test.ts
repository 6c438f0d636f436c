/** AArch32 Hyp mode: HTTBR, HTCR, HMAIR and HSCTLR, one range and one privilege level. (DDI 0487 G5.5, G8.2.76; J1.2 S1TTWParamsEL2.) */
import { describe, expect, test } from 'vitest';
import { type CpuOptions, createWalker } from '../../src/walker/index.ts';
import { memoryWith } from './table-builder.ts';

const read = { access: 'read' } as const;
const write = { access: 'write' } as const;
const execute = { access: 'execute' } as const;
/** Bits 31 and 23 are RES1. */
const HTCR = 0x8080_0000n;

const tables = {
  '0x40000000': 0x4000_1003n, // L1[0] -> L2
  '0x40000008': 0x6800_0000_4000_4003n, // L1[1] -> L2, APTable[1], PXNTable, XNTable 0
  '0x40000010': 0xf8_8000_0705n, // L1[2]: 1 GiB at a 40-bit address, AttrIndx 1
  '0x40000018': 0x100_c000_0701n, // L1[3]: bit 40 set
  '0x40001000': 0x8000_0701n, // L2[0]: AP 00
  '0x40001008': 0x8020_0781n, // L2[1]: AP 10
  '0x40001010': 0x0040_0000_8040_0701n, // L2[2]: XN
  '0x40001018': 0x0020_0000_8060_0701n, // L2[3]: PXN, which Hyp mode does not have
  '0x40001020': 0x8080_0301n, // L2[4]: AF = 0
  '0x40004000': 0x9000_0701n,
};

function walk(
  ia: bigint,
  access: Parameters<ReturnType<typeof createWalker>['walk']>[1],
  registers = {},
  cpu: CpuOptions = 'cortex-a57',
) {
  const all = { ttbr0: 0x4000_0000n, tcr: HTCR, mair: 0x04ffn, ...registers };
  return createWalker(memoryWith(tables), { regime: 'pl2', registers: all, cpu }).walk(ia, access);
}

test('one privilege level: AP[2], XN; AP[1], PXN and an unprivileged access play no part', () => {
  expect(walk(0x123n, write)).toMatchObject({
    pa: 0x8000_0123n,
    level: 2,
    global: true,
    permissions: {
      privileged: { read: true, write: true, execute: true },
      unprivileged: { read: false, write: false, execute: false },
    },
  });
  expect(walk(0x123n, { ...write, privileged: false })).toMatchObject({ ok: true });
  expect(walk(0x20_0000n, write)).toMatchObject({ fault: { kind: 'permission', level: 2, stage: 1 } });
  expect(walk(0x20_0000n, execute)).toMatchObject({ ok: true });
  expect(walk(0x40_0000n, execute)).toMatchObject({ fault: { kind: 'permission' } });
  expect(walk(0x60_0000n, execute)).toMatchObject({ ok: true });
  expect(walk(0x80_0000n, read)).toMatchObject({ fault: { kind: 'access_flag', level: 2 } });
});

test('HMAIR0 gives the attributes', () => {
  expect(walk(0n, read)).toMatchObject({ attributes: { byte: 0xff } });
  expect(walk(0x8000_0000n, read)).toMatchObject({
    attributes: { type: 'device', device: 'nGnRE' },
    pa: 0xf8_8000_0000n,
  });
});

test('bits [47:40] of a descriptor and of HTTBR are an address size fault', () => {
  expect(walk(0xc000_0000n, read)).toMatchObject({ fault: { kind: 'address_size', level: 1 } });
  expect(walk(0n, read, { ttbr0: 0x100_4000_0000n })).toMatchObject({
    fault: { kind: 'address_size', level: 0 },
  });
});

describe('HTCR', () => {
  test('T0SZ = 2 starts at level 2 and ends at 1 GiB', () => {
    const small = { ttbr0: 0x4000_1000n, tcr: HTCR | 2n };
    expect(walk(0x1234n, read, small)).toMatchObject({ pa: 0x8000_1234n, steps: { length: 1 } });
    expect(walk(0x4000_0000n, read, small)).toMatchObject({ fault: { kind: 'translation', level: 1 } });
    expect(walk(1n << 32n, read)).toMatchObject({ fault: { kind: 'translation', level: 1 } });
  });

  test('bit 7 is no EPD0, bits [18:16] no T1SZ', () => {
    expect(walk(0x8000_0000n, read, { tcr: HTCR | 0x7_0080n })).toMatchObject({ ok: true });
  });

  test('HPD, where the PE has it, disables APTable', () => {
    expect(walk(0x4000_0000n, write)).toMatchObject({ fault: { kind: 'permission', level: 2 } });
    const hpd = { tcr: HTCR | (1n << 24n) };
    expect(walk(0x4000_0000n, write, hpd)).toMatchObject({ fault: { kind: 'permission' } });
    expect(walk(0x4000_0000n, write, hpd, 'max')).toMatchObject({ ok: true });
  });
});

test('HSCTLR: WXN; M = 0 is a flat map', () => {
  expect(walk(0n, execute, { sctlr: 1n | (1n << 19n) })).toMatchObject({ fault: { kind: 'permission' } });
  expect(walk(0x20_0000n, execute, { sctlr: 1n | (1n << 19n) })).toMatchObject({ ok: true });
  expect(walk(0xffff_fffcn, write, { sctlr: 0n })).toMatchObject({
    ok: true,
    pa: 0xffff_fffcn,
    level: undefined,
  });
});
