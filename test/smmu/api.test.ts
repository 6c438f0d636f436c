/** What callers of the SMMU's functions can get wrong throws and teaches. */
import { describe, expect, test } from 'vitest';
import { PhysicalMemory } from '../../src/memory/index.ts';
import { createContextBank, createSmmu, createStream, validStreamIds } from '../../src/smmu/index.ts';
import { WalkerError } from '../../src/walker/index.ts';

const memory = new PhysicalMemory({ base: 0x8000_0000n, size: 0x1_0000n });
/** As JavaScript calls them. */
const untyped = (make: unknown) => make as (...args: unknown[]) => { translate(...args: unknown[]): unknown };
const ste = [0x9n, 0n, 0n, 0n];

describe('a wrong argument is a WalkerError that says what is right', () => {
  test.each<[string, () => unknown, RegExp]>([
    [
      'a register that is none',
      () => untyped(createSmmu)(memory, { strtabBase: 0n, strtab_base_cfg: 0n }),
      /an SMMU has no 'strtab_base_cfg'; did you mean strtabBaseCfg\?/,
    ],
    ['no base', () => untyped(createSmmu)(memory, { strtabBaseCfg: 0n }), /an SMMU needs strtabBase/],
    [
      'no configuration',
      () => untyped(createSmmu)(memory, { strtabBase: 0n }),
      /an SMMU needs strtabBaseCfg/,
    ],
    ['no registers', () => untyped(createSmmu)(memory), /an SMMU is made of an object with strtabBase/],
    ['no STE', () => untyped(createStream)(memory, {}), /a stream needs ste/],
    [
      'an STE by another name',
      () => untyped(createStream)(memory, { sted: ste }),
      /a stream has no 'sted'; did you mean ste\?/,
    ],
    [
      'an identification register that is none',
      () => untyped(createStream)(memory, { ste, identification: { idr9: 0n } }),
      /an SMMU has no 'idr9'; did you mean idr\d\?/,
    ],
    [
      'a register of a context bank',
      () => untyped(createContextBank)(memory, { registers: { ttbr: 0n } }),
      /a context bank has no register 'ttbr'; did you mean ttbr0\?/,
    ],
  ])('%s', (_, act, message) => {
    expect(act).toThrow(WalkerError);
    expect(act).toThrow(message);
  });
});

test('a transaction that is not said is a privileged read', () => {
  const stream = createStream(memory, { ste: [0x9n, 0n, 0n, 0n] });
  expect(stream.translate(0x1234n)).toEqual(stream.translate(0x1234n, { access: 'read' }));
  memory.write64(0x8000_0040n, 0x9n);
  const smmu = createSmmu(memory, { strtabBase: 0x8000_0000n, strtabBaseCfg: 2n });
  expect(smmu.translate(1, 0x1234n)).toMatchObject({ ok: true, pa: 0x1234n });
  expect(createContextBank(memory, { registers: {} }).translate(0x1234n)).toHaveProperty('ok');
});

describe('valid StreamIDs of a stream table', () => {
  test('a linear one', () => {
    const own = new PhysicalMemory({ base: 0x8000_0000n, size: 0x1_0000n });
    for (const id of [3n, 7n]) own.write64(0x8000_0000n + id * 64n, 1n);
    const of = (strtabBaseCfg: bigint) =>
      validStreamIds(createSmmu(own, { strtabBase: 0x8000_0000n, strtabBaseCfg }));
    expect(of(3n)).toEqual({ ids: [3, 7], complete: true });
    expect(of(2n)).toEqual({ ids: [3], complete: true });
  });

  test('one of two levels: only the arrays that there are', () => {
    const own = new PhysicalMemory({ base: 0x8000_0000n, size: 0x1_0000n });
    // L1STD 1: Span 3, four entries at 0x8000_4000; SPLIT 6, LOG2SIZE 16, FMT 1.
    own.write64(0x8000_0008n, 0x8000_4003n);
    own.write64(0x8000_4080n, 1n);
    own.write64(0x8000_4100n, 1n); // the fifth entry: beyond the span
    const smmu = createSmmu(own, { strtabBase: 0x8000_0000n, strtabBaseCfg: 0x1_0190n });
    expect(validStreamIds(smmu)).toEqual({ ids: [0x42], complete: true });
  });
});
