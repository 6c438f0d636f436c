/** TCR.HA and HD: hardware sets the access flag and clears AP[2] of DBM entries, in memory. (DDI 0487 D8.5.) */
import { describe, expect, test } from 'vitest';
import { stage1, stage2 } from '../../src/walker/create.ts';
import { createWalker } from '../../src/walker/index.ts';
import { memoryWith } from './table-builder.ts';

/** T0SZ 25, from level 1; EPD1; IPS 48 bits. */
const TCR = 0x5_0080_0019n;
const HA = 1n << 39n;
const HD = 1n << 40n;

describe('stage 1', () => {
  const entry = 0x0008_0000_8000_0381n; // DBM, AP 10 (read-only), AF = 0
  const memory = () => memoryWith({ '0x40000000': entry });

  test('HA = 0: an access flag fault, memory untouched', () => {
    const ram = memory();
    const walker = stage1(ram, { ttbr0: 0x4000_0000n, tcr: TCR });
    expect(walker.walk(0n, { access: 'read' })).toMatchObject({ fault: { kind: 'access_flag', level: 1 } });
    expect(ram.read64(0x4000_0000n)).toBe(entry);
  });

  test('HA = 1: a read sets AF only', () => {
    const ram = memory();
    const walker = stage1(ram, { ttbr0: 0x4000_0000n, tcr: TCR | HA });
    expect(walker.walk(0n, { access: 'read' })).toMatchObject({ ok: true });
    expect(ram.read64(0x4000_0000n)).toBe(0x0008_0000_8000_0781n);
    expect(walker.walk(0n, { access: 'write' })).toMatchObject({ fault: { kind: 'permission' } });
  });

  test('HA = HD = 1: a write clears AP[2], a read does not', () => {
    const ram = memory();
    const walker = stage1(ram, { ttbr0: 0x4000_0000n, tcr: TCR | HA | HD });
    expect(walker.walk(0n, { access: 'read' })).toMatchObject({
      ok: true,
      permissions: { privileged: { write: true } },
    });
    expect(ram.read64(0x4000_0000n)).toBe(0x0008_0000_8000_0781n);
    expect(walker.walk(0n, { access: 'write' })).toMatchObject({ ok: true });
    expect(ram.read64(0x4000_0000n)).toBe(0x0008_0000_8000_0701n);
  });

  test('HD without HA is no HD: AP[2] is read-only, and nothing is written (D8.5.3)', () => {
    const accessed = entry | 0x400n;
    const ram = memoryWith({ '0x40000000': accessed });
    const walker = stage1(ram, { ttbr0: 0x4000_0000n, tcr: TCR | HD });
    expect(walker.walk(0n, { access: 'write' })).toMatchObject({ fault: { kind: 'permission', level: 1 } });
    expect(walker.walk(0n, { access: 'read' })).toMatchObject({
      permissions: { privileged: { write: false } },
    });
    expect(ram.read64(0x4000_0000n)).toBe(accessed);
  });

  test('`update: false` answers the same and leaves memory alone', () => {
    const ram = memory();
    const walker = stage1(ram, { ttbr0: 0x4000_0000n, tcr: TCR | HA | HD });
    expect(walker.walk(0n, { access: 'write', update: false })).toMatchObject({ ok: true, pa: 0x8000_0000n });
    expect(ram.read64(0x4000_0000n)).toBe(entry);
  });

  test('HD without DBM: read-only stays read-only', () => {
    const ram = memoryWith({ '0x40000000': 0x8000_0381n });
    const walker = stage1(ram, { ttbr0: 0x4000_0000n, tcr: TCR | HA | HD });
    expect(walker.walk(0n, { access: 'write' })).toMatchObject({ fault: { kind: 'permission' } });
    expect(ram.read64(0x4000_0000n)).toBe(0x8000_0381n);
  });

  test('a PE without FEAT_HAFDBS ignores HA', () => {
    const walker = stage1(memory(), { ttbr0: 0x4000_0000n, tcr: TCR | HA }, 'cortex-a57');
    expect(walker.walk(0n, { access: 'read' })).toMatchObject({ fault: { kind: 'access_flag' } });
  });
});

describe('stage 2', () => {
  // VTCR_EL2: T0SZ 25, SL0 1 (level 1), PS 48 bits; HA, HD.
  const vtcr = 0x8005_0059n;
  const registers = { vttbr: 0x4000_0000n, vtcr: vtcr | (1n << 21n) | (1n << 22n) };

  test('a write sets AF and S2AP[1]', () => {
    const ram = memoryWith({ '0x40000000': 0x0008_0000_8000_037dn });
    expect(stage2(ram, registers).walk(0n, { access: 'write' })).toMatchObject({ ok: true });
    expect(ram.read64(0x4000_0000n)).toBe(0x0008_0000_8000_07fdn);
  });

  test('nested: the stage-1 update itself needs stage 2 to allow a write', () => {
    // Stage 2 maps the first GiB of IPAs to RAM, read-only; stage 1's root is at IPA 0x1000.
    const words = { '0x40000000': 0x4000_077dn, '0x40001000': 0x8000_0301n };
    const nested = (word: bigint) => {
      const ram = memoryWith({ ...words, '0x40000000': word, '0x40000010': 0x8000_07fdn });
      const walker = createWalker(ram, {
        regime: 'el1&0-nested',
        registers: { ttbr0: 0x1000n, tcr: TCR | HA, vttbr: 0x4000_0000n, vtcr },
      });
      return [walker.walk(0n, { access: 'read' }), ram.read64(0x4000_1000n)] as const;
    };
    expect(nested(0x4000_077dn)).toMatchObject([
      {
        fault: { kind: 'permission', stage: 2, level: 1, ptw: true, s1Level: 1, update: true, ipa: 0x1000n },
      },
      0x8000_0301n,
    ]);
    expect(nested(0x4000_07fdn)).toMatchObject([{ ok: true, pa: 0x8000_0000n }, 0x8000_0701n]);
  });
});
