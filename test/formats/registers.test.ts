/** Register values as literal words, put together by hand from the field tables of DDI 0487 D24.2 and G8.2. */
import { describe, expect, test } from 'vitest';
import {
  arm32LpaeS1,
  arm32LpaeS2,
  arm64LpaeS1,
  arm64LpaeS2,
  type FormatModule,
  type FormatRequest,
} from '../../formats/index.ts';
import { createWalker, type Regime } from '../../src/walker/index.ts';
import { machine, paOf } from '../support/machine.ts';

const [K4, K16, K64] = [0x4020_1000n, 0x0200_4000n, 0x2001_0000n];
const MAIR = 0xffff_ffff_f404_ff44n;
const ROOT = 0x8000_0000n;

const hardware = (format: FormatModule, request: FormatRequest, root = ROOT) =>
  format.configure(request).registers(root).hardware;
const cfg = (format: FormatModule, request: FormatRequest, root = ROOT) =>
  format.configure(request).registers(root).cfg;

/**
 * TCR_EL1 (D24.2.194): T0SZ [5:0], EPD0 [7], IRGN0 [9:8], ORGN0 [11:10], SH0 [13:12], TG0 [15:14] (0 4K, 1 64K, 2 16K),
 * T1SZ [21:16], EPD1 [23], IRGN1 [25:24], ORGN1 [27:26], SH1 [29:28], TG1 [31:30] (1 16K, 2 4K, 3 64K), IPS [34:32],
 * HA [39], HD [40].
 */
describe('TCR_EL1', () => {
  test.each<[string, FormatRequest, bigint]>([
    ['4K, 48 to 48 bits', { pgsizeBitmap: K4, ias: 48, oas: 48 }, 0x5_0080_3510n],
    ['4K, 39 to 40 bits', { pgsizeBitmap: K4, ias: 39, oas: 40 }, 0x2_0080_3519n],
    ['16K, 36 to 36 bits', { pgsizeBitmap: K16, ias: 36, oas: 36 }, 0x1_0080_b51cn],
    ['64K, 48 to 44 bits', { pgsizeBitmap: K64, ias: 48, oas: 44 }, 0x4_0080_7510n],
    ['64K, 52 to 52 bits', { pgsizeBitmap: K64, ias: 52, oas: 52 }, 0x6_0080_750cn],
    ['not coherent', { pgsizeBitmap: K4, ias: 48, oas: 32, coherentWalk: false }, 0x80_2010n],
    [
      'not coherent, outer cacheable',
      { pgsizeBitmap: K4, ias: 48, oas: 42, coherentWalk: false, quirks: ['arm_outer_wbwa'] },
      0x3_0080_2410n,
    ],
    ['hardware dirty state', { pgsizeBitmap: K4, ias: 48, oas: 48, quirks: ['arm_hd'] }, 0x185_0080_3510n],
    ['upper half, 4K', { pgsizeBitmap: K4, ias: 48, oas: 48, quirks: ['arm_ttbr1'] }, 0x5_b510_0080n],
    ['upper half, 16K', { pgsizeBitmap: K16, ias: 47, oas: 44, quirks: ['arm_ttbr1'] }, 0x4_7511_0080n],
    ['upper half, 64K', { pgsizeBitmap: K64, ias: 42, oas: 48, quirks: ['arm_ttbr1'] }, 0x5_f516_0080n],
  ])('%s', (_, request, tcr) => {
    const { regime, registers } = hardware(arm64LpaeS1, request);
    const upper = request.quirks?.includes('arm_ttbr1');
    expect(regime).toBe('el1&0');
    expect(registers).toEqual({
      ttbr0: upper ? 0n : ROOT,
      ttbr1: upper ? ROOT : 0n,
      tcr,
      mair: MAIR,
    });
  });
});

/** VTCR_EL2 (D24.2.222): T0SZ [5:0], SL0 [7:6], IRGN0 [9:8], ORGN0 [11:10], SH0 [13:12], TG0 [15:14], PS [18:16], RES1 [31]. */
describe('VTCR_EL2', () => {
  test.each<[string, FormatRequest, bigint]>([
    ['4K, 40 bits, from level 1', { pgsizeBitmap: K4, ias: 40, oas: 40 }, 0x8002_3558n],
    ['4K, 48 bits, from level 0', { pgsizeBitmap: K4, ias: 48, oas: 48 }, 0x8005_3590n],
    ['4K, 30 bits, from level 2', { pgsizeBitmap: K4, ias: 30, oas: 36 }, 0x8001_3522n],
    ['4K, 21 bits, from level 3', { pgsizeBitmap: K4, ias: 21, oas: 32 }, 0x8000_35ebn],
    ['16K, 40 bits, from level 1', { pgsizeBitmap: K16, ias: 40, oas: 40 }, 0x8002_b598n],
    ['16K, 36 bits, from level 2', { pgsizeBitmap: K16, ias: 36, oas: 44 }, 0x8004_b55cn],
    ['16K, 25 bits, from level 3', { pgsizeBitmap: K16, ias: 25, oas: 42 }, 0x8003_b527n],
    ['64K, 48 bits, from level 1', { pgsizeBitmap: K64, ias: 48, oas: 48 }, 0x8005_7590n],
    ['64K, 42 bits, from level 2', { pgsizeBitmap: K64, ias: 42, oas: 52 }, 0x8006_7556n],
    ['64K, 29 bits, from level 3', { pgsizeBitmap: K64, ias: 29, oas: 32 }, 0x8000_7523n],
    ['not coherent', { pgsizeBitmap: K4, ias: 40, oas: 40, coherentWalk: false }, 0x8002_2058n],
  ])('%s', (_, request, vtcr) => {
    const { regime, registers } = hardware(arm64LpaeS2, request);
    expect(regime).toBe('el1&0-s2');
    expect(registers).toEqual({ vttbr: ROOT, vtcr });
  });
});

/** TTBCR with EAE = 1 (G8.2.165): T0SZ [2:0], IRGN0 [9:8], ORGN0 [11:10], SH0 [13:12], EPD1 [23], EAE [31]. */
test.each<[number, boolean, bigint]>([
  [32, true, 0x8080_3500n],
  [30, true, 0x8080_3502n],
  [25, true, 0x8080_3507n],
  [32, false, 0x8080_2000n],
])('TTBCR for %i bits, coherent %s', (ias, coherentWalk, tcr) => {
  const { regime, registers } = hardware(arm32LpaeS1, { pgsizeBitmap: K4, ias, oas: 40, coherentWalk });
  expect(regime).toBe('pl1&0');
  expect(registers).toEqual({ ttbr0: ROOT, ttbr1: 0n, tcr, mair: MAIR });
});

/** VTCR (G8.2.172): T0SZ [3:0] signed, S [4] its sign, SL0 [7:6] (0 level 2, 1 level 1), cacheability as above, RES1 [31]. */
test.each<[number, bigint]>([
  [40, 0x8000_3558n],
  [33, 0x8000_355fn],
  [32, 0x8000_3540n],
  [30, 0x8000_3502n],
  [25, 0x8000_3507n],
])('VTCR for %i bits', (ias, vtcr) => {
  const { regime, registers } = hardware(arm32LpaeS2, { pgsizeBitmap: K4, ias, oas: 40 });
  expect(regime).toBe('pl1&0-s2');
  expect(registers).toEqual({ vttbr: ROOT, vtcr });
});

describe('what Linux reports', () => {
  test('stage 1: TTBR, TCR by fields, MAIR', () => {
    expect(cfg(arm64LpaeS1, { pgsizeBitmap: K16, ias: 47, oas: 44 })).toEqual({
      ttbr: ROOT,
      tcr: { ips: 4, tg: 2, sh: 3, orgn: 1, irgn: 1, tsz: 17 },
      mair: MAIR,
    });
    expect(cfg(arm64LpaeS1, { pgsizeBitmap: K4, ias: 48, oas: 48, quirks: ['arm_ttbr1'] })).toMatchObject({
      tcr: { tg: 2, tsz: 16 },
    });
    expect(cfg(arm32LpaeS1, { pgsizeBitmap: K4, ias: 32, oas: 40 })).toMatchObject({
      tcr: { ips: 2, tg: 0, sh: 3, orgn: 1, irgn: 1, tsz: 32 },
    });
  });

  test('stage 2: VTTBR and VTCR by fields', () => {
    expect(cfg(arm64LpaeS2, { pgsizeBitmap: K64, ias: 52, oas: 52, coherentWalk: false })).toEqual({
      vttbr: ROOT,
      vtcr: { ps: 6, tg: 1, sh: 2, orgn: 0, irgn: 0, sl: 2, tsz: 12 },
    });
  });
});

describe('a root above 48 bits', () => {
  const high = 0x5_0000_8000_0000n;
  const request = { pgsizeBitmap: K64, ias: 52, oas: 52 };

  test('goes into bits [5:2] of TTBR0_EL1 and VTTBR_EL2, and stays raw in what Linux reports', () => {
    expect(hardware(arm64LpaeS1, request, high).registers.ttbr0).toBe(0x8000_0014n);
    expect(hardware(arm64LpaeS2, request, high).registers.vttbr).toBe(0x8000_0014n);
    expect(cfg(arm64LpaeS1, request, high).ttbr).toBe(high);
    expect(cfg(arm64LpaeS2, request, high).vttbr).toBe(high);
  });
});

test('a domain’s registers name its root, and a walker made of them alone finds its mappings', () => {
  const m = machine(arm64LpaeS1, { pgsizeBitmap: K4, ias: 48, oas: 48 });
  m.domain.map(0x1000n, 0x2000n, 0x1000n, { read: true });
  const literal = { ttbr0: m.domain.root, ttbr1: 0n, tcr: 0x5_0080_3510n, mair: MAIR };
  const walker = createWalker(m.memory, { regime: 'el1&0' satisfies Regime, registers: literal });
  expect(m.domain.registers.hardware.registers).toEqual(literal);
  expect(paOf(walker, 0x1fffn)).toBe(0x2fffn);
  expect(paOf(walker, 0xffff_0000_0000_1000n)).toBeNull();
});
