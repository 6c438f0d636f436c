/** SMMUv3 with its stream table in memory: linear, two levels, switched off; and random everything. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PhysicalMemory } from '../../src/memory/index.ts';
import { createSmmu, createStream } from '../../src/smmu/index.ts';
import { WalkerError } from '../../src/walker/index.ts';
import { memoryWith } from '../walker/table-builder.ts';

const read = { access: 'read' } as const;
const BYPASS = 0b1001n;

describe('a linear stream table', () => {
  const memory = memoryWith({ '0x40000000': BYPASS, '0x40000040': 1n });
  const smmu = createSmmu(memory, { strtabBase: 0x4000_0000n, strtabBaseCfg: 4n });

  test('an STE by StreamID', () => {
    expect(smmu.translate(0, 0x123n, read)).toMatchObject({ ok: true, pa: 0x123n });
    expect(smmu.translate(1, 0x123n, read)).toMatchObject({ fault: { kind: 'abort' }, event: undefined });
    expect(smmu.translate(2, 0x123n, read)).toMatchObject({
      fault: { kind: 'c_bad_ste' },
      event: [0x2_0000_0004n, 0n, 0n, 0n],
    });
    expect(smmu.translate(16, 0x123n, read)).toMatchObject({
      fault: { kind: 'c_bad_streamid' },
      event: undefined,
    });
    const recording = createSmmu(memory, { strtabBase: 0x4000_0000n, strtabBaseCfg: 4n, cr2: 2n });
    expect(recording.translate(16, 0x123n, read)).toMatchObject({ event: [0x10_0000_0002n, 0n, 0n, 0n] });
  });

  test('an STE that changes is seen', () => {
    memory.write64(0x4000_0080n, BYPASS);
    expect(smmu.translate(2, 0x123n, read).ok).toBe(true);
    memory.write64(0x4000_0080n, 1n);
    expect(smmu.translate(2, 0x123n, read).ok).toBe(false);
  });

  test('a table outside RAM', () => {
    const far = createSmmu(memory, { strtabBase: 0x1000n, strtabBaseCfg: 4n });
    expect(far.translate(3, 0n, read)).toMatchObject({
      fault: { kind: 'f_ste_fetch', fetchAddress: 0x10c0n },
      event: [0x3_0000_0003n, 0n, 0n, 0x10c0n],
    });
  });

  test('a StreamID that no device can send is an error of the caller', () => {
    expect(() => smmu.translate(-1, 0n, read)).toThrow(WalkerError);
    expect(() => smmu.translate(2 ** 32, 0n, read)).toThrow(/up to 32 bits/);
  });
});

describe('a two-level stream table', () => {
  // SPLIT 6, 2^8 StreamIDs. L1STD[0]: Span 3 (4 STEs); L1STD[1]: Span 0; L1STD[2]: Span 8, too large for the split.
  const memory = memoryWith({
    '0x40000000': 0x4000_1003n,
    '0x40000010': 0x4000_1008n,
    '0x400010c0': BYPASS,
  });
  const smmu = createSmmu(memory, { strtabBase: 0x4000_0000n, strtabBaseCfg: 0x1_0188n });

  test.each([
    [3, undefined],
    [0, 'c_bad_ste'],
    [4, 'c_bad_streamid'],
    [64, 'c_bad_streamid'],
    [128, 'c_bad_streamid'],
    [256, 'c_bad_streamid'],
  ])('StreamID %i: %s', (streamId, kind) => {
    const result = smmu.translate(streamId, 0n, read);
    expect(result.ok ? undefined : result.fault.kind).toBe(kind);
  });
});

test('switched off, everything passes or aborts, and nothing is recorded', () => {
  const off = (gbpa: bigint) =>
    createSmmu(memoryWith({}), { strtabBase: 0n, strtabBaseCfg: 0n, cr0: 0n, gbpa });
  expect(off(0n).translate(99, 0x123n, read)).toMatchObject({ ok: true, pa: 0x123n });
  expect(off(0n).translate(99, 1n << 44n, read)).toMatchObject({
    fault: { kind: 'abort' },
    event: undefined,
  });
  expect(off(1n << 20n).translate(99, 0x123n, read)).toMatchObject({
    fault: { kind: 'abort' },
    event: undefined,
  });
});

const word = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
const words = fc.tuple(word, word, word, word);

test('a wrong argument is a WalkerError that names it', () => {
  const memory = memoryWith({});
  expect(() => createSmmu(memory, { strtabBase: 1 as unknown as bigint, strtabBaseCfg: 0n })).toThrow(
    /^strtabBase must be/,
  );
  const short = [0n, 0n] as unknown as readonly [bigint, bigint, bigint, bigint];
  expect(() => createStream(memory, { ste: short })).toThrow(/^ste must be four/);
  expect(() => createStream(memory, { ste: [0n, 0n, -1n, 0n] })).toThrow(/^ste\[2\] must be/);
  expect(() => createStream(memory, { ste: [0n, 0n, 0n, 0n], oas: 64 })).toThrow(WalkerError);
});

test('random STEs, CDs and memory: always an answer', () => {
  fc.assert(
    fc.property(
      words,
      words,
      fc.integer({ min: 4, max: 7 }),
      fc.array(word, { minLength: 32, maxLength: 32 }),
      word,
      (ste, cd, config, fill, ia) => {
        const buffer = new ArrayBuffer(0x1_0000);
        const view = new BigUint64Array(buffer);
        for (let i = 0; i < view.length; i++) view[i] = fill[(i * 5) % fill.length] ?? 0n;
        const memory = new PhysicalMemory({ base: 0n, buffer });
        // Small pointers and legal formats, so that more than the validity checks is reached.
        const small = 0xf_ff00_0000_0000n;
        const legal = {
          ste: [
            (ste[0] & ~0xf_ffff_ffff_ffffn & ~(0x1fn << 59n)) |
              BigInt(1 | (config << 1)) |
              (ste[0] & 0xffc0n),
            0n,
            0x040c_0058_0000_0000n | (ste[2] & 0xffffn),
            ste[3] & 0xfff0n,
          ],
          cd: [
            0x6204_8000_0019n | (cd[0] & 0x3_0000_0000n),
            cd[1] & ~small & 0xfff0n,
            cd[2] & 0xfff0n,
            cd[3],
          ],
        } as const;
        for (const description of [legal, { ste, cd }, { ste: legal.ste }]) {
          const stream = createStream(memory, description);
          for (const access of ['read', 'write', 'execute'] as const) {
            for (const address of [ia, ia & 0xff_ffff_ffffn, ia & 0xffffn]) {
              const result = stream.translate(address, { access, privileged: (ia & 1n) === 0n });
              if (result.ok) expect(result.pa < 1n << 52n).toBe(true);
              else expect(result.fault.kind).toBeTypeOf('string');
            }
          }
        }
      },
    ),
    { numRuns: 300 },
  );
});
