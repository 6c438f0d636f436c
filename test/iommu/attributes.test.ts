/** Attributes beyond Linux's flags: device types, execution by privilege, shareability, own MAIRs, forced Write-Back; what can't be said is refused. */
import { describe, expect, test } from 'vitest';
import {
  arm32LpaeS1,
  arm64LpaeS1,
  arm64LpaeS2,
  armMaliLpae,
  armV7s,
  type FormatModule,
} from '../../formats/index.ts';
import type { DomainOptions } from '../../src/index.ts';
import type { Prot } from '../../src/pagetable/format.ts';
import { SIZES_4K, SIZES_SHORT } from '../support/configs.ts';
import { machine } from '../support/machine.ts';

const ro = { read: true };
const rw = { read: true, write: true };
const base = { pgsizeBitmap: SIZES_4K, ias: 39, oas: 48 };
/** Attribute 0 nGnRnE, 1 nGnRE, 2 nGRE, 3 GRE, 4 Non-cacheable, 5 Write-Through, 6 Write-Back, 7 Tagged. */
const MAIR = 0xf0ff_bb44_0c08_0400n;

function mapped(format: FormatModule, options: DomainOptions, prot: Prot) {
  const m = machine(format, options);
  m.domain.map(0x5000n, 0x9000n, 0x1000n, prot);
  const walk = m.walker.walk(0x5000n, { access: 'read' });
  if (!walk.ok) throw new Error(walk.fault.kind);
  return { ...walk, descriptor: walk.steps.at(-1)!.descriptor! };
}

test.each<[Prot, number]>([
  [{ ...rw, device: 'nGnRnE' }, 0x00],
  [{ ...rw, device: 'nGnRE' }, 0x04],
  [{ ...rw, device: 'nGRE' }, 0x08],
  [{ ...rw, device: 'GRE' }, 0x0c],
  [{ ...rw, mmio: true }, 0x04],
  [{ ...rw, cache: true }, 0xff],
  [rw, 0x44],
  [{ ...rw, mairIndex: 5 }, 0xbb],
  [{ ...rw, mairIndex: 7 }, 0xf0],
])('stage 1 with a MAIR of its own: %o is attribute byte %i', (prot, byte) => {
  const walk = mapped(arm64LpaeS1, { ...base, mair: MAIR }, prot);
  expect(walk.attributes.byte).toBe(byte);
});

test.each<[Prot, bigint]>([
  [{ ...rw, device: 'nGnRnE' }, 0x6c3n],
  [{ ...rw, device: 'nGnRE' }, 0x6c7n],
  [{ ...rw, device: 'nGRE' }, 0x6cbn],
  [{ ...rw, device: 'GRE' }, 0x6cfn],
  [{ ...rw, shareability: 'non' }, 0x4d7n],
  [{ ...rw, cache: true, shareability: 'outer' }, 0x6ffn],
  [{ ...rw, execute: 'none' }, 0x6d7n | (2n << 53n)],
])('stage 2: the bits of %o', (prot, bits) => {
  expect(mapped(arm64LpaeS2, base, prot).descriptor).toBe(0x9000n | bits);
});

test.each<[Prot, string, bigint]>([
  [{ ...rw, cache: true }, 'write-back', 0x7dbn],
  [rw, 'non-cacheable', 0x6d7n],
])('stage 2 with forced Write-Back: %o is %s whatever stage 1 says', (prot, policy, bits) => {
  const walk = mapped(arm64LpaeS2, { ...base, features: ['fwb'] }, prot);
  expect(walk.descriptor).toBe(0x9000n | bits);
  expect(walk.attributes.type === 'normal' && walk.attributes.inner.policy).toBe(policy);
});

/** EL1 and EL0. */
const executes = (format: FormatModule, options: DomainOptions, prot: Prot) => {
  const { privileged, unprivileged } = mapped(format, options, prot).permissions;
  return [privileged.execute, unprivileged.execute];
};

test.each<[NonNullable<Prot['execute']> | 'noexec', boolean, boolean]>([
  ['all', true, true],
  ['privileged', true, false],
  ['unprivileged', false, true],
  ['none', false, false],
  ['noexec', false, false],
])('execution at stage 2 with FEAT_XNX, %s: EL1 %s, EL0 %s', (execute, el1, el0) => {
  const prot = execute === 'noexec' ? { ...rw, noexec: true } : { ...rw, execute };
  expect(executes(arm64LpaeS2, { ...base, features: ['xnx'] }, prot)).toEqual([el1, el0]);
});

test.each<[Prot, boolean, boolean]>([
  [{ ...ro, execute: 'all' }, true, true],
  [{ ...ro, execute: 'privileged' }, true, false],
  [{ ...rw, priv: true, execute: 'privileged' }, true, false],
  [{ ...rw, execute: 'unprivileged' }, false, true],
  [{ ...ro, execute: 'none', noexec: true }, false, false],
])('execution at stage 1: %o', (prot, el1, el0) => {
  expect(executes(arm64LpaeS1, base, prot)).toEqual([el1, el0]);
});

/** G5.6.3.2: that EL1 never executes what EL0 may write is AArch64's rule. AArch32 has SCTLR.UWXN for that. */
test.each<[Prot, bigint, boolean, boolean]>([
  [{ ...rw, execute: 'all' }, 0xe43n, true, true],
  [{ ...ro, execute: 'all' }, 0xec3n, true, true],
  [{ ...rw, execute: 'unprivileged' }, 0xe43n | (1n << 53n), false, true],
  [{ ...rw, execute: 'none' }, 0xe43n | (3n << 53n), false, false],
])('execution at stage 1 of AArch32: %o', (prot, bits, pl1, pl0) => {
  const options = { pgsizeBitmap: SIZES_4K, ias: 32, oas: 40 };
  expect(mapped(arm32LpaeS1, options, prot).descriptor).toBe(0x9000n | bits);
  expect(executes(arm32LpaeS1, options, prot)).toEqual([pl1, pl0]);
});

/** As in Linux, where IOMMU_MMIO goes before IOMMU_CACHE. */
test.each<[string, FormatModule, DomainOptions, Prot, number]>([
  ['stage 1', arm64LpaeS1, { ...base, mair: MAIR }, { device: 'GRE' }, 0x0c],
  ['stage 1, mmio', arm64LpaeS1, base, { mmio: true }, 0x04],
  ['stage 2', arm64LpaeS2, base, { device: 'nGRE' }, 0x08],
  ['stage 2 with forced Write-Back', arm64LpaeS2, { ...base, features: ['fwb'] }, { device: 'nGRE' }, 0x08],
  ['AArch32 stage 1', arm32LpaeS1, { ...base, ias: 32, oas: 40 }, { mmio: true }, 0x04],
  ['short descriptors', armV7s, { pgsizeBitmap: SIZES_SHORT, ias: 32, oas: 32 }, { mmio: true }, 0x04],
])('device memory stays device memory, though cache is asked: %s', (_, format, options, prot, byte) => {
  expect(mapped(format, options, { ...rw, ...prot, cache: true }).attributes).toMatchObject({
    type: 'device',
    byte,
  });
});

describe('what a format can not say is refused, and maps nothing', () => {
  const short = { pgsizeBitmap: SIZES_SHORT, ias: 32, oas: 32 };
  test.each<[string, FormatModule, DomainOptions, Prot, RegExp]>([
    [
      'a device type that Linux’s MAIR lacks',
      arm64LpaeS1,
      base,
      { ...rw, device: 'GRE' },
      /has no attribute 0xc .*give a mair/,
    ],
    [
      'Write-Back without such an attribute',
      arm64LpaeS1,
      { ...base, mair: 0x44n },
      { ...rw, cache: true },
      /has no attribute 0xff/,
    ],
    [
      'two memory types',
      arm64LpaeS1,
      base,
      { ...rw, mairIndex: 3, cache: true },
      /be combined with device, mmio or cache/,
    ],
    [
      'an index at stage 2',
      arm64LpaeS2,
      base,
      { ...rw, mairIndex: 3 },
      /can't express mairIndex; besides Linux's flags it has device, execute, shareability/,
    ],
    [
      'EL1 execution of what EL0 writes',
      arm64LpaeS1,
      base,
      { ...rw, execute: 'privileged' },
      /EL1 never executes/,
    ],
    [
      'execution by level without FEAT_XNX',
      arm64LpaeS2,
      base,
      { ...rw, execute: 'privileged' },
      /with FEAT_XNX.*features: \['xnx'\]/,
    ],
    [
      'execution at PL1 alone',
      arm32LpaeS1,
      { ...base, ias: 32, oas: 40 },
      { ...ro, execute: 'privileged' },
      /XN forbids execution at both levels/,
    ],
    ['a contradiction', arm64LpaeS1, base, { ...ro, noexec: true, execute: 'all' }, /contradict each other/],
    [
      'shareability by mapping with LPA2',
      arm64LpaeS1,
      { ...base, features: ['lpa2'] },
      { ...rw, shareability: 'outer' },
      /all mappings are inner shareable/,
    ],
    [
      'a device type of short descriptors',
      armV7s,
      short,
      { ...rw, device: 'nGnRE' },
      /arm_v7s can't express device; it has only Linux's flags/,
    ],
    [
      'shareability on a Mali',
      armMaliLpae,
      { ...base, oas: 40 },
      { ...rw, shareability: 'inner' },
      /arm_mali_lpae can't express shareability/,
    ],
    [
      'an unknown value',
      arm64LpaeS1,
      base,
      { ...rw, execute: 'maybe' as 'all' },
      /prot.execute must be one of all, privileged/,
    ],
    ['not an index', arm64LpaeS1, base, { ...rw, mairIndex: 16 }, /prot.mairIndex must be one of 0, 1/],
    [
      'an index of MAIR2',
      arm64LpaeS1,
      base,
      { ...rw, mairIndex: 8 },
      /mairIndex 8 .* needs features: \['aie'\]/,
    ],
  ])('%s', (_, format, options, prot, reason) => {
    const m = machine(format, options);
    expect(() => m.domain.map(0x5000n, 0x9000n, 0x1000n, prot)).toThrow(reason);
    expect(m.allocator.frameCount).toBe(1);
    expect(m.domain.iovaToPhys(0x5000n)).toBeNull();
  });

  test.each<[FormatModule, Partial<DomainOptions>, RegExp]>([
    [armV7s, { features: ['contiguous'] }, /arm_v7s has no feature contiguous; it knows none/],
    [
      arm64LpaeS1,
      { features: ['xnx'] },
      /has no feature xnx; it knows contiguous, lpa2, access_flag, dirty_state/,
    ],
    [arm64LpaeS2, { mair: 0x44n }, /takes no mair/],
    [arm64LpaeS1, { mair: 1n << 64n }, /mair must be a bigint of at most 64 bits/],
    [arm64LpaeS1, { pgsizeBitmap: 0x1_0000n, features: ['lpa2'] }, /lpa2 is for granules of 4K and 16K/],
  ])('%o with %o', (format, options, reason) => {
    expect(() => format.configure({ pgsizeBitmap: SIZES_4K, ias: 32, oas: 32, ...options })).toThrow(reason);
  });
});
