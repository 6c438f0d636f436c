/** Dirty state and access flags: what the walker's hardware update marks, the driver side reads and resets. */
import { describe, expect, test } from 'vitest';
import {
  arm32LpaeS1,
  arm64LpaeS1,
  arm64LpaeS2,
  armMaliLpae,
  type FormatModule,
} from '../../formats/index.ts';
import type { DomainOptions } from '../../src/index.ts';
import { RUNS_4K, SIZES_4K } from '../support/configs.ts';
import { machine } from '../support/machine.ts';

const rw = { read: true, write: true };
const base = { pgsizeBitmap: SIZES_4K, ias: 39, oas: 48 };
const TABLES: [string, FormatModule, DomainOptions][] = [
  ['stage 1, arm_hd', arm64LpaeS1, { ...base, quirks: ['arm_hd'] }],
  ['stage 1', arm64LpaeS1, { ...base, features: ['dirty_state'] }],
  ['stage 2', arm64LpaeS2, { ...base, features: ['dirty_state'] }],
  ['stage 1, upper half', arm64LpaeS1, { ...base, quirks: ['arm_ttbr1'], features: ['dirty_state'] }],
  ['stage 1, indirect', arm64LpaeS1, { ...base, features: ['dirty_state', 's1pie', 'haft'] }],
  ['stage 2, indirect', arm64LpaeS2, { ...base, features: ['dirty_state', 's2pie', 'haft'] }],
  ['stage 2, LPA2', arm64LpaeS2, { ...base, features: ['dirty_state', 'lpa2'] }],
];

describe.each(TABLES)('dirty state, %s', (_, format, options) => {
  const make = () => {
    const m = machine(format, options);
    const { firstIova } = m.domain.format;
    m.domain.map(firstIova, 0x10_0000n, 0x4000n, rw);
    m.domain.map(firstIova + 0x4000n, 0x20_0000n, 0x1000n, { read: true });
    const dirty = (options = {}) =>
      m.domain
        .readAndClearDirty(firstIova, 0x5000n, options)
        .map(({ iova, size }) => [Number(iova - firstIova), Number(size)]);
    const access = (at: bigint, kind: 'read' | 'write') => m.walker.walk(firstIova + at, { access: kind });
    return { m, firstIova, dirty, access };
  };

  test('what may be written begins dirty, and is clean once it was read and cleared', () => {
    const { dirty } = make();
    expect(dirty({ clear: false })).toEqual([[0, 0x4000]]);
    expect(dirty()).toEqual([[0, 0x4000]]);
    expect(dirty()).toEqual([]);
  });

  test('a write makes its page dirty again, a read does not, and what is read-only never is', () => {
    const { dirty, access } = make();
    dirty();
    expect(access(0x1234n, 'read').ok).toBe(true);
    expect(dirty()).toEqual([]);
    for (const at of [0x1ffcn, 0x2000n]) expect(access(at, 'write').ok).toBe(true);
    expect(access(0x4000n, 'write')).toMatchObject({ ok: false, fault: { kind: 'permission' } });
    expect(dirty({ clear: false })).toEqual([[0x1000, 0x2000]]);
    expect(dirty()).toEqual([[0x1000, 0x2000]]);
    expect(dirty()).toEqual([]);
  });

  test('a write without hardware update leaves it clean', () => {
    const { m, firstIova, dirty } = make();
    dirty();
    expect(m.walker.walk(firstIova, { access: 'write', update: false }).ok).toBe(true);
    expect(dirty()).toEqual([]);
  });

  test('a hole is refused, as are an empty range and one outside', () => {
    const { m, firstIova } = make();
    expect(() => m.domain.readAndClearDirty(firstIova, 0x6000n)).toThrow(
      /^EINVAL: nothing is mapped at IOVA 0x/,
    );
    expect(() => m.domain.readAndClearDirty(firstIova, 0n)).toThrow(/^EINVAL/);
    expect(() => m.domain.readAndClearDirty(firstIova, (1n << 39n) + 1n)).toThrow(/^EINVAL/);
  });

  test('a block is dirty as a whole, cut to the range; its parts keep what they were when it is split', () => {
    const { m, firstIova } = make();
    m.domain.map(firstIova + 0x20_0000n, 0x20_0000n, 0x20_0000n, rw);
    const dirty = (at: bigint, size: bigint) => m.domain.readAndClearDirty(firstIova + at, size);
    expect(dirty(0x20_0000n, 0x20_0000n).length).toBe(1);
    m.walker.walk(firstIova + 0x21_0000n, { access: 'write' });
    expect(dirty(0x30_0000n, 0x1000n)).toEqual([{ iova: firstIova + 0x30_0000n, size: 0x1000n }]);
    expect(dirty(0x20_0000n, 0x20_0000n)).toEqual([]);
    m.domain.unmap(firstIova + 0x20_0000n, 0x1000n);
    expect(dirty(0x20_1000n, 0x1f_f000n)).toEqual([]);
    m.walker.walk(firstIova + 0x20_5000n, { access: 'write' });
    expect(dirty(0x20_1000n, 0x1f_f000n)).toEqual([{ iova: firstIova + 0x20_5000n, size: 0x1000n }]);
  });
});

test.each<[string, Partial<DomainOptions>, bigint]>([
  ['the lower half', {}, 0n],
  ['the upper half', { quirks: ['arm_ttbr1'] }, 0xffff_ffff_0000_0000n],
])('the whole input space can be asked at once, and not a byte more: %s', (_, more, first) => {
  const m = machine(arm64LpaeS1, { ...base, ias: 32, features: ['dirty_state'], ...more });
  m.domain.map(first, 0n, 1n << 32n, rw);
  expect(m.domain.readAndClearDirty(first, 1n << 32n)).toEqual([{ iova: first, size: 1n << 32n }]);
  expect(m.domain.readAndClearDirty(first, 1n << 32n)).toEqual([]);
  expect(() => m.domain.readAndClearDirty(first, (1n << 32n) + 1n)).toThrow(/within the 32 bits/);
  expect(() => m.domain.readAndClearDirty(first + 0x1000n, 1n << 32n)).toThrow(/within the 32 bits/);
});

test('a contiguous run is dirty when any of its entries is, and clean when all are', () => {
  const m = machine(arm64LpaeS1, {
    ...base,
    pgsizeBitmap: RUNS_4K,
    features: ['contiguous', 'dirty_state'],
  });
  m.domain.map(0x1_0000n, 0x9_0000n, 0x1_0000n, rw);
  const dirty = () => m.domain.readAndClearDirty(0x1_0000n, 0x1_0000n);
  dirty();
  expect(dirty()).toEqual([]);
  m.walker.walk(0x1_7000n, { access: 'write' });
  expect(dirty()).toEqual([{ iova: 0x1_0000n, size: 0x1_0000n }]);
  expect(dirty()).toEqual([]);
});

test.each<[FormatModule]>([[arm64LpaeS1], [arm64LpaeS2]])('access flags, %o: idle until used', (format) => {
  const m = machine(format, { ...base, features: ['access_flag'] });
  m.domain.map(0n, 0x9000n, 0x4000n, rw);
  const used = () => m.domain.readAndClearAccessed(0n, 0x4000n).map(({ iova }) => iova);
  expect(used()).toEqual([0n]);
  expect(used()).toEqual([]);
  m.walker.walk(0x2000n, { access: 'read' });
  expect(used()).toEqual([0x2000n]);
  expect(() => m.domain.readAndClearDirty(0n, 0x1000n)).toThrow(/made without dirty state/);
});

test.each<[FormatModule, DomainOptions]>([
  [arm64LpaeS1, base],
  [arm32LpaeS1, { ...base, ias: 32, oas: 40 }],
  [armMaliLpae, { ...base, oas: 40 }],
])('%o without dirty state refuses', (format, options) => {
  const m = machine(format, options);
  m.domain.map(0n, 0n, 0x1000n, rw);
  expect(() => m.domain.readAndClearDirty(0n, 0x1000n)).toThrow(/made without dirty state/);
  expect(() => m.domain.readAndClearAccessed(0n, 0x1000n)).toThrow(/made without hardware access flags/);
});
