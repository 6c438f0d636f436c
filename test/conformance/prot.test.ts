/** What a prot asks for is what the hardware then does: permissions, memory type and shareability by the walker, access by access. */
import { describe, expect, test } from 'vitest';
import type { TableFormat } from '../../formats/index.ts';
import type { Prot } from '../../src/pagetable/format.ts';
import { configs } from '../support/configs.ts';
import { machine, walk, walkerOf } from '../support/machine.ts';

/** Every combination of the six flags that allows an access. */
const prots: Prot[] = Array.from({ length: 64 }, (_, bits) => ({
  read: !!(bits & 1),
  write: !!(bits & 2),
  cache: !!(bits & 4),
  noexec: !!(bits & 8),
  mmio: !!(bits & 16),
  priv: !!(bits & 32),
})).filter(({ read, write }) => read || write);

interface Rights {
  read: boolean;
  write: boolean;
  execute: boolean;
}

/**
 * Who may do what (DDI 0487 D8.4). Stage 1: read is implied, write is asked for or implied by no read; `priv` shuts EL0 out of data.
 * AArch64 never lets EL1 execute what EL0 can write; AArch32 executes only what it can read.
 * RISC-V shares a page's data with the supervisor, but lets only one of user and supervisor execute it.
 * Stage 2: read and write apart. Linux's `noexec` sets both XN bits there, which FEAT_XNX reads as "not at EL0".
 * With indirect permissions the level that a mapping is for executes it, as Linux's PIR has it; at stage 2 what can be read.
 */
function rights(
  prot: Prot,
  { name, stage, quirks, features = [] }: Pick<TableFormat, 'name' | 'stage' | 'quirks' | 'features'>,
  aarch32: boolean,
  xnx: boolean,
): { privileged: Rights; unprivileged: Rights } {
  const execute = !prot.noexec;
  if (quirks.includes('no_perms')) {
    const all = { read: true, write: true, execute: true };
    return { privileged: all, unprivileged: all };
  }
  if (name === 'arm_mali_lpae') {
    const all = { read: !!prot.read, write: !!prot.write, execute: !!prot.read && execute };
    return { privileged: all, unprivileged: all };
  }
  if (stage === 2) {
    const [read, write] = [!!prot.read, !!prot.write];
    if (features.includes('s2pie')) {
      const all = { read, write, execute: execute && read };
      return { privileged: all, unprivileged: all };
    }
    const executable = read || !aarch32;
    return {
      privileged: { read, write, execute: executable && (execute || (xnx && !features.includes('xnx'))) },
      unprivileged: { read, write, execute: executable && execute },
    };
  }
  const write = !prot.read || !!prot.write;
  const el0 = !prot.priv;
  if (name === 'riscv_64') {
    return {
      privileged: { read: true, write, execute: execute && !el0 },
      unprivileged: { read: el0, write: write && el0, execute: execute && el0 },
    };
  }
  if (features.includes('s1pie')) {
    const pages = { read: true, write: !!prot.write };
    return {
      privileged: { ...pages, execute: execute && !el0 },
      unprivileged: el0 ? { ...pages, execute } : { read: false, write: false, execute: false },
    };
  }
  return {
    privileged: { read: true, write, execute: execute && (aarch32 || !(write && el0)) },
    unprivileged: { read: el0, write: write && el0, execute: execute && (aarch32 ? el0 : true) },
  };
}

/** MAIR byte 0x44 is Normal Non-cacheable, 0xff Write-Back, 0x04 Device-nGnRE; only cacheable memory is other than outer shareable. */
function memory(prot: Prot, format: string) {
  if (format === 'arm_mali_lpae') {
    // Attribute bytes of the GPU's own: 0x8d allocates on writes, 0x88 is what the GPU implements.
    return { type: 'normal', byte: prot.cache && !prot.mmio ? 0x8d : 0x88, shareability: 'outer' };
  }
  if (prot.mmio) return { type: 'device', byte: 0x04, shareability: 'outer' };
  return prot.cache
    ? { type: 'normal', byte: 0xff, shareability: 'inner' }
    : { type: 'normal', byte: 0x44, shareability: 'outer' };
}

const machines = configs.flatMap((config) => [
  { ...config, xnx: true },
  ...(config.format.stage === 2 ? [{ ...config, name: `${config.name}, no FEAT_XNX`, xnx: false }] : []),
]);

describe.each(machines)('$name', ({ format, options, xnx }) => {
  const { levels, pgsizeBitmap } = format.configure(options);
  const sizes = levels
    .flatMap(({ shift, runLog2 }) => (runLog2 ? [shift + runLog2, shift] : [shift]))
    .filter((log2) => (pgsizeBitmap >> BigInt(log2)) & 1n);
  const make = () => {
    const m = machine(format, options);
    const { firstIova, ias } = m.domain.format;
    return { ...m, walker: walkerOf(m.domain, { xnx }), iova: firstIova + (1n << BigInt(ias - 1)) };
  };

  test.each(sizes)('leaves of 2^%i bytes allow and are what was asked, for all 48 prots', (log2) => {
    const { domain, walker, iova } = make();
    const aarch32 = walker.regime.startsWith('pl1');
    const size = 1n << BigInt(log2);
    const at = iova - (iova % size);
    for (const prot of prots) {
      domain.map(at, 0n, size, prot);
      const leaf = walk(walker, at + size - 1n)!;
      const { type, byte } = leaf.attributes;
      expect([prot, leaf.permissions]).toEqual([prot, rights(prot, domain.format, aarch32, xnx)]);
      expect([prot, { type, byte, shareability: leaf.shareability }]).toEqual([
        prot,
        memory(prot, format.name),
      ]);
      expect(leaf.global).toBe(format.stage === 2 || format.name === 'arm_mali_lpae');
      for (const privileged of [true, false]) {
        for (const access of ['read', 'write', 'execute'] as const) {
          const allowed = leaf.permissions[privileged ? 'privileged' : 'unprivileged'][access];
          const walked = walker.walk(at + 42n, { access, privileged });
          expect([prot, access, walked.ok]).toEqual([prot, access, allowed]);
          if (!walked.ok) expect(walked.fault.kind).toBe('permission');
        }
      }
      expect(domain.unmap(at, size)).toBe(size);
    }
  });

  test('a mapping without access is refused', () => {
    const { domain, walker, iova } = make();
    for (const prot of [{}, { cache: true }, { noexec: true, mmio: true, priv: true }]) {
      expect(() => domain.map(iova, 0n, 1n << BigInt(sizes.at(-1)!), prot)).toThrow(/^EINVAL/);
    }
    expect(walk(walker, iova)).toBeNull();
  });
});
