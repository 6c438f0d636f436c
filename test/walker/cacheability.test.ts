import { describe, expect, it } from 'vitest';
import { createWalker, type Regime } from '../../src/walker/index.ts';
import { memoryWith } from './table-builder.ts';

const TCR = 0x2_0080_3519n;
const ON = 0x1005n;
/** A block of 1 GiB, Write-Back and inner shareable. */
const memory = memoryWith({ '0x40000000': 0x0701n, '0x50000000': 0x07fdn, '0x50000008': 0x4000_07fdn });

function walk(
  regime: Regime,
  registers: Readonly<Record<string, bigint>>,
  access: 'read' | 'execute' = 'read',
) {
  const all = {
    ttbr0: 0x4000_0000n,
    tcr: TCR,
    mair: 0xffn,
    vttbr: 0x5000_0000n,
    vtcr: 0x8002_3559n,
    ...registers,
  };
  const result = createWalker(memory, { regime, registers: all, cpu: 'cortex-a72' }).walk(0x1000n, {
    access,
  });
  if (!result.ok) throw new Error(result.fault.kind);
  return result;
}

const NON_CACHEABLE = { attributes: { byte: 0x44 }, shareability: 'outer' };

describe('SCTLR_ELx.C and I', () => {
  it.each(['el1&0', 'el2', 'el3', 'pl2'] as const)(
    'C = 0: data is Non-cacheable in %s, and fetches are not',
    (regime) => {
      const sctlr = 0x1001n;
      const tcr = regime === 'pl2' ? 0n : TCR;
      const read = walk(regime, { sctlr, tcr });
      expect(read).toMatchObject({
        attributes: { byte: 0xff },
        effective: { ...NON_CACHEABLE, by: ['SCTLR.C'] },
      });
      expect(walk(regime, { sctlr, tcr }, 'execute').effective).toBeUndefined();
    },
  );

  it('I = 0: fetches are Non-cacheable, data is not; a bit that is not given is 1', () => {
    expect(walk('el1&0', { sctlr: 5n }, 'execute').effective).toMatchObject({ by: ['SCTLR.I'] });
    expect(walk('el1&0', { sctlr: 5n }).effective).toBeUndefined();
    expect(walk('el1&0', {}).effective).toBeUndefined();
  });

  it('without steps too', () => {
    const walker = createWalker(memory, {
      regime: 'el1&0',
      registers: { ttbr0: 0x4000_0000n, tcr: TCR, mair: 0xffn, sctlr: 1n },
    });
    expect(walker.walk(0x1000n, { access: 'read', trace: false })).toMatchObject({
      effective: NON_CACHEABLE,
    });
  });

  it('memory that is Non-cacheable or Device as it is stays so', () => {
    expect(walk('el1&0', { sctlr: 1n, mair: 0x44n }).effective).toBeUndefined();
    expect(walk('el1&0', { sctlr: 1n, mair: 0n }).effective).toBeUndefined();
  });

  it('SCTLR_EL1 does nothing with HCR_EL2.DC = 1, or {E2H, TGE} = {1, 1}', () => {
    expect(walk('el1&0-nested', { sctlr: 0n, hcr: 0x1001n }).effective).toBeUndefined();
    expect(walk('el1&0', { sctlr: 1n, hcr: (1n << 34n) | (1n << 27n) }).effective).toBeUndefined();
    expect(walk('el2&0', { sctlr: 1n, hcr: (1n << 34n) | (1n << 27n) }).effective).toMatchObject(
      NON_CACHEABLE,
    );
  });
});

describe('HCR_EL2.CD and ID', () => {
  it('make data and fetches Non-cacheable at stage 2 of EL1&0', () => {
    const hcr = 0x3_0000_0001n;
    expect(walk('el1&0-nested', { sctlr: ON, hcr }).effective).toMatchObject({
      ...NON_CACHEABLE,
      by: ['HCR.CD'],
    });
    expect(walk('el1&0-nested', { sctlr: ON, hcr }, 'execute').effective).toMatchObject({ by: ['HCR.ID'] });
    expect(walk('el1&0-s2', { hcr: hcr | 0x1000n }).effective).toMatchObject({ by: ['HCR.CD'] });
    expect(walk('el1&0-s2', { hcr: 0x1001n }).effective).toBeUndefined();
    // Stage 2 is off, or not there.
    expect(walk('el1&0-nested', { sctlr: ON, hcr: 0x3_0000_0000n }).effective).toBeUndefined();
    expect(walk('el1&0', { sctlr: ON, hcr }).effective).toBeUndefined();
  });

  it('SCTLR_EL1.C under stage 2: forced Write-Back has the last word', () => {
    expect(walk('el1&0-nested', { sctlr: 0x1001n, hcr: 1n }).effective).toMatchObject({ by: ['SCTLR.C'] });
    const forced = memoryWith({ '0x40000000': 0x0701n, '0x50000000': 0x07d9n, '0x50000008': 0x4000_07d9n });
    const registers = {
      ttbr0: 0x4000_0000n,
      tcr: TCR,
      mair: 0xffn,
      vttbr: 0x5000_0000n,
      vtcr: 0x8002_3559n,
      sctlr: 0x1001n,
      hcr: (1n << 46n) | 1n,
    };
    const result = createWalker(forced, { regime: 'el1&0-nested', registers }).walk(0x1000n, {
      access: 'read',
    });
    expect(result).toMatchObject({ ok: true, attributes: { byte: 0xff } });
    expect(result).not.toHaveProperty('effective');
  });
});
