/** Instruction fetches from Device memory: of Normal Non-cacheable memory or a permission fault, and neither is told alone. */
import { describe, expect, test } from 'vitest';
import { walkJson } from '../../src/cli/text/walk-json.ts';
import { walkLines } from '../../src/cli/text/walk-text.ts';
import { mismatch } from '../../src/golden/image-compare.ts';
import { createStream } from '../../src/smmu/index.ts';
import { makeStyle } from '../../src/text/style.ts';
import { createWalker } from '../../src/walker/index.ts';
import { memoryWith } from './table-builder.ts';

const execute = { access: 'execute' } as const;
const FETCHED = { attributes: { type: 'normal', byte: 0x44 }, shareability: 'outer' };

// 4K, T0SZ 25. MAIR: byte 0 is Normal, byte 1 Device-nGnRE. L1: Device, Device with UXN and PXN, Normal.
const memory = memoryWith({
  '0x40000000': 0x0000_0705n,
  '0x40000008': 0x60_0000_4000_0705n,
  '0x40000010': 0x8000_0701n,
  // Stage 2, T0SZ 25 from level 1: Device at 0, Normal at 1 GiB, execute-never Normal at 2 GiB.
  '0x40100000': 0x4000_07c1n,
  '0x40100008': 0x8000_07fdn,
  '0x40100010': 0x40_0000_c000_07fdn,
});
const registers = { ttbr0: 0x4000_0000n, tcr: 0x5_0080_0019n, mair: 0x04ffn };

describe('stage 1', () => {
  const walker = createWalker(memory, { regime: 'el1&0', registers });

  test.each([true, false])('Device memory that may be executed (trace: %s)', (trace) => {
    expect(walker.walk(0x123n, { ...execute, trace })).toMatchObject({
      pa: 0x123n,
      attributes: { byte: 0x04 },
      fetchedAs: FETCHED,
      permitted: [{ kind: 'permission', stage: 1, level: 1 }],
    });
  });

  test('execute-never there is but one answer, and of data and Normal memory too', () => {
    expect(walker.walk(0x4000_0000n, execute)).toMatchObject({ fault: { kind: 'permission' } });
    for (const result of [
      walker.walk(0x4000_0000n, execute),
      walker.walk(0x8000_0000n, execute),
      walker.walk(0n, { access: 'read' }),
    ]) {
      expect(result).not.toHaveProperty('permitted');
      expect(result).not.toHaveProperty('fetchedAs');
    }
  });

  test('either answer of another machine is right, and no third one', () => {
    const got = walker.walk(0x123n, execute);
    const fault = { kind: 'permission', stage: 1, level: 1, ptw: false };
    expect(mismatch({ pa: 0x123n, attr: 0x44, sh: 2 }, got)).toBeUndefined();
    expect(mismatch({ fault }, got)).toBeUndefined();
    expect(mismatch({ pa: 0x123n, attr: 0x04 }, got)?.member).toBe('.attr');
    expect(mismatch({ fault: { ...fault, level: 2 } }, got)?.member).toBe('.fault');
    expect(mismatch({ fault: { ...fault, kind: 'translation' } }, got)?.member).toBe('.fault');
  });

  test('both are told', () => {
    const result = walker.walk(0x123n, execute);
    expect(walkLines(result, execute, walker, makeStyle(false))).toContainEqual(
      '  fetch as Normal, inner and outer Non-cacheable (0x44), or a permission fault, stage 1, level 1: both are permitted of Device memory (DDI 0487 B2.10.2)',
    );
    expect(walkJson(result, execute, walker)).toMatchObject({
      attr: '0x04',
      fetched_as: { attr: '0x44' },
      permitted: [{ fault: { kind: 'permission', stage: 1, level: 1 } }],
    });
  });
});

describe('under stage 2', () => {
  const nested = (mair: bigint, ttbr0: Record<string, bigint>) =>
    createWalker(
      memoryWith({
        '0x40100000': 0x4000_07c1n,
        '0x40100008': 0x8000_07fdn,
        '0x40100010': 0x40_0000_c000_07fdn,
        // The root of stage 1 is at IPA 0.
        ...ttbr0,
      }),
      {
        regime: 'el1&0-nested',
        registers: { ...registers, ttbr0: 0n, mair, vttbr: 0x4010_0000n, vtcr: 0x8005_0059n },
      },
    );
  // L1[0] -> IPA 0 (Device of stage 2), [1] -> 1 GiB (Normal), [2] -> 2 GiB (execute-never), [3] -> 3 GiB (nothing).
  const TO = {
    '0x40000000': 0x0701n,
    '0x40000008': 0x4000_0701n,
    '0x40000010': 0x8000_0701n,
    '0x40000018': 0xc000_0701n,
  };
  const S1 = { kind: 'permission', stage: 1, level: 1 };

  test('Device of stage 2 alone: its fault, at its level, with the IPA', () => {
    expect(nested(0xffn, TO).walk(0x123n, execute)).toMatchObject({
      attributes: { type: 'device' },
      fetchedAs: FETCHED,
      permitted: [{ kind: 'permission', stage: 2, level: 1, ipa: 0x123n }],
    });
  });

  test('Device of stage 1 alone, and of both', () => {
    expect(nested(0x04n, TO).walk(0x4000_0123n, execute)).toMatchObject({
      fetchedAs: FETCHED,
      permitted: [S1],
    });
    expect(nested(0x04n, TO).walk(0x123n, execute)).toMatchObject({
      fetchedAs: FETCHED,
      permitted: [S1, { kind: 'permission', stage: 2, level: 1, ipa: 0x123n }],
    });
  });

  test('a fault of stage 2 after Device memory of stage 1 may be a fault of stage 1', () => {
    const walker = nested(0x04n, TO);
    const result = walker.walk(0xc000_0123n, execute);
    expect(result).toMatchObject({
      fault: { kind: 'translation', stage: 2, level: 1 },
      permitted: [S1],
    });
    expect(walkLines(result, execute, walker, makeStyle(false)).at(-1)).toBe(
      '  or    permission fault, stage 1, level 1: permitted as well, of a fetch from Device memory (DDI 0487 B2.10.2)',
    );
    expect(nested(0xffn, TO).walk(0xc000_0123n, execute)).not.toHaveProperty('permitted');
  });
});

test('an SMMU raises no such fault, and the output stays Device (IHI 0070 13.1)', () => {
  const stream = createStream(memory, {
    // Config 0b101; CD: V, AA64, R, A, T0SZ 25, EPD1, IPS 48 bits.
    ste: [0xbn, 0n, 0n, 0n],
    cd: [0x0000_6205_c000_0019n | (1n << 30n), 0x4000_0000n, 0n, 0x04ffn],
  });
  const result = stream.translate(0x123n, execute);
  expect(result).toMatchObject({ ok: true, attributes: { byte: 0x04 } });
  expect(result).not.toHaveProperty('permitted');
});
