/** What callers can get wrong throws and teaches; what tables and registers hold never does. */
import { describe, expect, test } from 'vitest';
import { cpuFeatures, featureNames, withFeatures } from '../../src/walker/cpu.ts';
import {
  cpuModels,
  createWalker,
  type Regime,
  regimes,
  WalkerError,
  type WalkerRegisters,
} from '../../src/walker/index.ts';
import { memoryWith } from './table-builder.ts';

const memory = memoryWith({});
const walker = createWalker(memory, { regime: 'el1&0', registers: {} });

describe('a wrong argument is a WalkerError that says what is right', () => {
  test.each<[string, () => unknown, RegExp]>([
    [
      'an unknown regime',
      () => createWalker(memory, { regime: 'el0' as Regime, registers: {} }),
      /'el0'; known are el1&0,/,
    ],
    [
      'an unknown CPU',
      () => createWalker(memory, { regime: 'el2', registers: {}, cpu: 'z80' as 'max' }),
      /'z80'; known are/,
    ],
    ['not a PA size', () => cpuFeatures({ paBits: 60 }), /paBits 60.*32 to 52/],
    [
      'a register as number',
      () => createWalker(memory, { regime: 'el2', registers: { tcr: 1 as unknown as bigint } }),
      /register tcr/,
    ],
    [
      'a register of 65 bits',
      () => createWalker(memory, { regime: 'el2', registers: { ttbr0: 1n << 64n } }),
      /register ttbr0/,
    ],
    [
      'a register that is none, with the likely name',
      () => createWalker(memory, { regime: 'el1&0', registers: { ttbr: 0n } as WalkerRegisters }),
      /unknown register 'ttbr'; did you mean ttbr0\?/,
    ],
    [
      "a register by the manual's name",
      () => createWalker(memory, { regime: 'el1&0', registers: { TTBR0_EL1: 0n } as WalkerRegisters }),
      /unknown register 'TTBR0_EL1'; did you mean ttbr0\?/,
    ],
    [
      'no options',
      () => (createWalker as (...args: unknown[]) => unknown)(memory),
      /a walker needs a regime and register values/,
    ],
    [
      'no registers',
      () => (createWalker as (...args: unknown[]) => unknown)(memory, { regime: 'el2' }),
      /registers must be an object of values/,
    ],
    [
      'no memory',
      () => (createWalker as (...args: unknown[]) => unknown)(undefined, { regime: 'el2', registers: {} }),
      /the memory must be a PhysicalMemory/,
    ],
    [
      'null for an access',
      () => (walker.walk as (...args: unknown[]) => unknown).call(walker, 0n, null),
      /unknown access 'undefined'/,
    ],
    [
      'a number for an address',
      () => (walker.walk as (...args: unknown[]) => unknown).call(walker, 0x1000),
      /must be a bigint/,
    ],
    ['a negative address', () => walker.walk(-1n, { access: 'read' }), /at most 64 bits, not -1/],
    ['an address of 65 bits', () => walker.walk(1n << 64n, { access: 'read' }), /at most 64 bits/],
    [
      'an unknown access',
      () => walker.walk(0n, { access: 'peek' as 'read' }),
      /'peek'; it is read, write or execute/,
    ],
  ])('%s', (_, act, message) => {
    expect(act).toThrow(WalkerError);
    expect(act).toThrow(message);
  });
});

test.each(regimes)('%s: no registers at all still give an answer', (regime) => {
  const empty = createWalker(memory, { regime, registers: {} });
  for (const ia of [0n, 0x1234n, 0xffff_ffffn, (1n << 64n) - 1n]) {
    expect(empty.walk(ia, { access: 'read' })).toHaveProperty('ok');
  }
});

test('models: features follow the model, and options change them', () => {
  expect(cpuModels).toContain('neoverse-n1');
  expect(cpuFeatures()).toMatchObject({ paBits: 52, lpa: true, lpa2: true });
  expect(cpuFeatures('cortex-a57')).toMatchObject({ paBits: 44, lpa: false, hafdbs: false, armv7: false });
  expect(cpuFeatures({ model: 'cortex-a76', paBits: 48 })).toMatchObject({
    paBits: 48,
    hafdbs: true,
    xnx: true,
  });
  // FEAT_LPA means 52 PA bits.
  expect(cpuFeatures({ paBits: 48 })).toMatchObject({ lpa: false });
});

test('features by their names in the manual are added to a model, and take nothing from it', () => {
  expect(cpuFeatures(withFeatures('max', ['FEAT_XS']))).toEqual({ ...cpuFeatures('max'), xs: true });
  const added = [
    'FEAT_LPA2',
    'FEAT_LVA',
    'FEAT_TTST',
    'FEAT_S2FWB',
    'FEAT_E0PD',
    'FEAT_PAN3',
    'FEAT_PAuth',
    'FEAT_MTE2',
    'FEAT_NV',
    'FEAT_S1PIE',
    'FEAT_S2PIE',
    'FEAT_AIE',
    'FEAT_ASID2',
  ];
  const base = withFeatures({ model: 'cortex-a57', paBits: 52 }, [
    'FEAT_LPA',
    'FEAT_XNX',
    'FEAT_HAFDBS',
    'FEAT_HPDS',
  ]);
  const all = withFeatures(base, ['FEAT_PAN', 'FEAT_BTI', 'FEAT_BBML2', ...added]);
  expect(cpuFeatures(all)).toEqual(cpuFeatures('max'));
  expect(cpuFeatures(withFeatures('max', ['FEAT_BBML1']))).toEqual(cpuFeatures('max'));
  expect(cpuFeatures(withFeatures('cortex-a57', ['FEAT_BBML1'])).bbm).toBe(1);
  expect(() => withFeatures('max', ['FEAT_D128'])).toThrow(
    /unknown feature 'FEAT_D128'; known are FEAT_LPA, /,
  );
  expect(() => withFeatures('cortex-a57', ['FEAT_LPA'])).toThrow(
    /FEAT_LPA needs 52 physical address bits; paBits is 44/,
  );
  expect(featureNames).toContain('FEAT_XS');
});

test('the walker decodes registers once: changing the object later changes nothing', () => {
  const registers = { ttbr0: 0x4000_0000n, tcr: 0x5_0080_0019n };
  const kept = createWalker(memoryWith({ '0x40000000': 0x8000_0701n }), { regime: 'el1&0', registers });
  registers.ttbr0 = 0n;
  expect(kept.walk(0n, { access: 'read' })).toMatchObject({ ok: true, pa: 0x8000_0000n });
});

test('an access that is not said is a privileged read', () => {
  const registers = { ttbr0: 0x4000_0000n, tcr: 0x5_0080_0019n, mair: 0xffn };
  const one = createWalker(memoryWith({ '0x40000000': 0x8000_0701n }), { regime: 'el1&0', registers });
  expect(one.walk(0x1234n)).toEqual(one.walk(0x1234n, { access: 'read' }));
  expect(one.translate(0x1234n)).toBe(0x8000_1234n);
  const pas = new Float64Array(1);
  expect([one.translateMany(Float64Array.of(0x1234), pas), pas[0]]).toEqual([1, 0x8000_1234]);
});
