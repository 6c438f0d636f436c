/** Every family of TLBI: its scope, and what of a full TLB it takes. (DDI 0487 D8.17.5.4; IHI 0070 4.4.) */
import { describe, expect, test } from 'vitest';
import { Tlb, type TlbiOperation } from '../../src/tlb/index.ts';
import { tlbiScope } from '../../src/tlb/tlbi.ts';
import { type CpuOptions, cpuFeatures } from '../../src/walker/cpu.ts';
import { memoryWith } from '../walker/table-builder.ts';

const read = { access: 'read' } as const;
const cpu = cpuFeatures('max');
const EL1 = { regime: 'el1&0', vmid: 3, ds: false, cpu } as const;
const BETWEEN = { regime: 'el2&0', vmid: undefined, operationVmid: 5, tge: false, ds: false, cpu } as const;
const HOST = { regime: 'el2&0', vmid: undefined, ds: false, cpu } as const;

describe('scopes', () => {
  const page = { from: 0x5000n, last: 0x5000n };
  const XT = (9n << 48n) | 5n;
  test.each([
    ['ALLE1', EL1, { regime: 'el1&0', stages: 'both' }],
    // On EL1&0 by what they do, while EL2&0 is current.
    ['ALLE1', HOST, { regime: 'el1&0', stages: 'both' }],
    ['VMALLS12E1IS', { ...HOST, operationVmid: 5 }, { regime: 'el1&0', stages: 'both', vmid: 5 }],
    ['IPAS2E1', { ...HOST, operationVmid: 5 }, { regime: 'el1&0', stages: 'stage2', vmid: 5, ...page }],
    ['ALLE2', HOST, { regime: 'el2&0', stages: 'both' }],
    // HCR_EL2.{E2H, TGE} = {1, 0}: the hypervisor between two guests.
    ['VMALLE1', BETWEEN, { regime: 'el1&0', stages: 'stage1', vmid: 5 }],
    ['VAAE1', BETWEEN, { regime: 'el1&0', stages: 'stage1', vmid: 5, ...page }],
    ['VAE2', BETWEEN, { regime: 'el2&0', stages: 'stage1', asid: 9, global: true, ...page }],
    ['VMALLWS2E1OS', EL1, { regime: 'el1&0', stages: 'both', vmid: 3, cleans: true }],
    ['VMALLE1ISNXS', EL1, { regime: 'el1&0', stages: 'stage1', vmid: 3, keepsXs: true }],
    ['ALLE3NXS', EL1, { regime: 'el3', stages: 'both', keepsXs: true }],
    ['VAAE1NXS', EL1, { regime: 'el1&0', stages: 'stage1', vmid: 3, ...page, keepsXs: true }],
    ['PAALL', EL1, undefined],
    ['PAALLOS', EL1, undefined],
    ['RPAOS', EL1, undefined],
    ['RPALOS', EL1, undefined],
    ['ALLE2IS', EL1, { regime: 'el2', stages: 'both' }],
    ['ALLE3OS', EL1, { regime: 'el3', stages: 'both' }],
    ['VMALLE1', EL1, { regime: 'el1&0', stages: 'stage1', vmid: 3 }],
    ['VMALLE1IS', HOST, { regime: 'el2&0', stages: 'stage1' }],
    ['VMALLS12E1', EL1, { regime: 'el1&0', stages: 'both', vmid: 3 }],
    ['ASIDE1', EL1, { regime: 'el1&0', stages: 'stage1', vmid: 3, asid: 9 }],
    ['VAE1', EL1, { regime: 'el1&0', stages: 'stage1', vmid: 3, asid: 9, global: true, ...page }],
    [
      'VALE1OS',
      EL1,
      { regime: 'el1&0', stages: 'stage1', vmid: 3, asid: 9, global: true, ...page, lastLevel: true },
    ],
    ['VAAE1', EL1, { regime: 'el1&0', stages: 'stage1', vmid: 3, ...page }],
    ['VAALE1', EL1, { regime: 'el1&0', stages: 'stage1', vmid: 3, ...page, lastLevel: true }],
    ['VAE2', EL1, { regime: 'el2', stages: 'stage1', ...page }],
    ['VAE2', HOST, { regime: 'el2&0', stages: 'stage1', asid: 9, global: true, ...page }],
    ['VALE3', EL1, { regime: 'el3', stages: 'stage1', ...page, lastLevel: true }],
    ['IPAS2E1', EL1, { regime: 'el1&0', stages: 'stage2', vmid: 3, ...page }],
    ['IPAS2LE1IS', EL1, { regime: 'el1&0', stages: 'stage2', vmid: 3, ...page, lastLevel: true }],
  ] as const)('%s', (operation, context, expected) => {
    expect(tlbiScope(operation, XT, context)).toEqual(expected);
  });

  test('a range operation has the range of its operand', () => {
    const xt = (9n << 48n) | (1n << 46n) | (3n << 37n) | 5n;
    expect(tlbiScope('RVALE1IS', xt, EL1)).toEqual({
      regime: 'el1&0',
      stages: 'stage1',
      vmid: 3,
      asid: 9,
      global: true,
      from: 0x5000n,
      last: 0x6fffn,
      lastLevel: true,
      granuleLog2: 12,
      level: 3,
    });
  });

  test('a reserved TG and an UNPREDICTABLE range owe nothing', () => {
    expect(tlbiScope('RVAE1', 5n, EL1)).toBeUndefined();
    expect(tlbiScope('RIPAS2E1', (1n << 46n) | (2n << 37n) | 5n, EL1)).toBeUndefined();
  });

  test.each([
    'PAALLNXS',
    'RPA',
    'PAALLIS',
    'VMALLWS2E2',
    'VAAE2',
    'IPAS2E2',
    'ASIDE2',
    'VMALLE3',
    'RALLE1',
    'ALLLE1',
    'VAE0',
    'vae1',
    '',
  ])("'%s' is no operation", (name) => {
    expect(() => tlbiScope(name as TlbiOperation, 0n, EL1)).toThrow(RangeError);
  });
});

/** Stage 1: 4K, 39 bits. Stage 2: 4K, 39 bits from level 1, the identity of 0x4000_0000 in a 1 GiB block. */
const TCR = 0x5_0080_0019n;
const VTCR = 0x5_0059n;
const memory = () =>
  memoryWith({
    '0x40000000': 0x4000_1003n,
    '0x40001000': 0x4000_2003n,
    '0x40001008': 0x4020_0f41n, // L2[1]: a 2 MiB block, nG
    '0x40002000': 0x4030_0f43n, // L3[0]: nG
    '0x40002008': 0x4030_1743n, // L3[1]: global
    '0x40002010': 0x4030_2f43n, // L3[2]: nG
    '0x40100000': 0x0n,
    '0x40100008': 0x4000_07fdn, // stage 2 L1[1]: the identity
  });

/** One entry each of: two ASIDs, global, a block, nested, stage 2 alone, another VMID, EL2. */
function full() {
  const ttbr0 = 0x4000_0000n;
  const vttbr = (vmid: bigint) => 0x4010_0000n | (vmid << 48n);
  const stage1 = { ttbr0, tcr: TCR };
  const tlb = new Tlb(memory(), { regime: 'el1&0', registers: stage1, asid: 1 });
  const fill = (...ias: bigint[]) => {
    for (const ia of ias) expect(tlb.translate(ia, read).result.ok).toBe(true);
  };
  fill(0x0n, 0x1000n, 0x20_0000n);
  tlb.switchTo({ regime: 'el1&0', registers: stage1, asid: 2 });
  fill(0x2000n);
  tlb.switchTo({ regime: 'el1&0-s2', registers: { vttbr: vttbr(0n), vtcr: VTCR } });
  fill(0x4000_5000n);
  tlb.switchTo({ regime: 'el1&0-nested', registers: { ...stage1, vttbr: vttbr(4n), vtcr: VTCR }, asid: 1 });
  fill(0x0n);
  tlb.switchTo({ regime: 'el2', registers: { ttbr0, tcr: 0x5_0019n } });
  fill(0x0n);
  tlb.switchTo({ regime: 'el1&0', registers: stage1, asid: 1 });
  return tlb;
}

const names = (tlb: Tlb) =>
  tlb.entries
    .map(({ tag, base }) => {
      const owner = tag.regime === 'el2' ? 'el2' : tag.holds === 'stage2' ? 's2' : `asid${tag.asid ?? '*'}`;
      return `${owner}${tag.vmid ? `/vmid${tag.vmid}` : ''}@${base.toString(16)}`;
    })
    .join(' ');

const ALL = 'asid1@0 asid*@1000 asid1@200000 asid2@2000 s2@40000000 asid1/vmid4@0 el2@0';
const asid = (value: bigint) => value << 48n;

describe('what goes', () => {
  test('the TLB is full before', () => expect(names(full())).toBe(ALL));

  test.each<[TlbiOperation, bigint, string]>([
    ['ALLE1', 0n, 'el2@0'],
    ['ALLE2', 0n, ALL.replace(' el2@0', '')],
    ['ALLE3', 0n, ALL],
    ['VMALLE1', 0n, 's2@40000000 asid1/vmid4@0 el2@0'],
    ['VMALLS12E1', 0n, 'asid1/vmid4@0 el2@0'],
    ['ASIDE1', asid(1n), 'asid*@1000 asid2@2000 s2@40000000 asid1/vmid4@0 el2@0'],
    ['VAE1', asid(1n), ALL.replace('asid1@0 ', '')],
    ['VAE1', asid(2n), ALL],
    ['VAE1', asid(2n) | 1n, ALL.replace('asid*@1000 ', '')],
    ['VAE1', asid(1n) | 0x3ffn, ALL.replace('asid1@200000 ', '')],
    ['VAAE1', 2n, ALL.replace('asid2@2000 ', '')],
    ['VAALE1', 2n, ALL.replace('asid2@2000 ', '')],
    ['VAE2', 0n, ALL.replace(' el2@0', '')],
    ['IPAS2E1', 0x4_5555n, ALL.replace('s2@40000000 ', '')],
    ['IPAS2E1', 0x0n, ALL],
    // TTL: the entry's own level, or nothing is owed.
    ['VAE1', asid(1n) | (7n << 44n), ALL.replace('asid1@0 ', '')],
    ['VAE1', asid(1n) | (6n << 44n), ALL],
    ['VAE1', asid(1n) | (15n << 44n), ALL],
    ['VAE1', asid(1n) | 0x200n | (6n << 44n), ALL.replace('asid1@200000 ', '')],
    // Ranges of 4K granules: two pages; another granule than the tables' owes nothing.
    ['RVAE1', asid(1n) | (1n << 46n), ALL.replace('asid1@0 asid*@1000 ', '')],
    [
      'RVAAE1',
      (1n << 46n) | (1n << 44n) | (31n << 39n),
      ALL.replace('asid1@0 asid*@1000 asid1@200000 asid2@2000 ', ''),
    ],
    ['RVAE1', asid(1n) | (3n << 46n), ALL],
    ['RIPAS2E1', (1n << 46n) | 0x4_0000n, ALL.replace('s2@40000000 ', '')],
  ])('TLBI %s, 0x%x', (operation, xt, left) => {
    const tlb = full();
    tlb.tlbi(operation, xt);
    expect(names(tlb)).toBe(left);
  });

  test('a scope says directly what a command of an SMMU does: CMD_TLBI_NH_ALL of VMID 4', () => {
    const tlb = full();
    tlb.invalidate({ regime: 'el1&0', stages: 'stage1', vmid: 4 });
    expect(names(tlb)).toBe(ALL.replace('asid1/vmid4@0 ', ''));
  });

  test('L operations leave the walk cache alone, the others take its tables of the address', () => {
    const tlb = full();
    const before = tlb.walkCacheSize;
    tlb.tlbi('VALE1', asid(1n));
    expect(tlb.walkCacheSize).toBe(before);
    tlb.tlbi('VAE1', asid(1n));
    expect(tlb.walkCacheSize).toBe(before - 2); // L1[0] and L2[0] of ASID 1
    tlb.tlbi('VAAE1', 0n);
    expect(tlb.walkCacheSize).toBe(before - 4); // and of ASID 2
  });
});

test('a stage-1 block under smaller stage-2 pages goes with all its pieces', () => {
  // Stage 1 L2[1] is 2 MiB; stage 2 maps its IPA range by pages.
  const ram = memory();
  ram.write64(0x4010_0008n, 0x4011_0003n);
  ram.write64(0x4011_0000n, 0x4000_07fdn); // IPA 0x4000_0000: 2 MiB identity, for the tables
  ram.write64(0x4011_0008n, 0x4012_0003n); // IPA 0x4020_0000: pages
  for (let i = 0n; i < 8n; i++) ram.write64(0x4012_0000n + i * 8n, 0x4050_07ffn + i * 0x1000n);
  const registers = { ttbr0: 0x4000_0000n, tcr: TCR, vttbr: 0x4010_0000n, vtcr: VTCR };
  const tlb = new Tlb(ram, { regime: 'el1&0-nested', registers, asid: 1 });
  for (let i = 0n; i < 8n; i++) tlb.translate(0x20_0000n + i * 0x1000n, read);
  expect(tlb.entries.map(({ size }) => size)).toEqual(Array(8).fill(0x1000n));
  // Combined entries are not what IPAS2E1 is for.
  expect(tlb.tlbi('IPAS2E1', 0x4_0200n)).toBe(0);
  tlb.tlbi('VALE1', asid(1n) | 0x3ffn);
  expect(tlb.entries).toEqual([]);
});

/** DDI 0487 D8.17.5.4: it is IMPLEMENTATION SPECIFIC whether nXS takes entries whose XS is 1. This TLB keeps them. */
describe('nXS', () => {
  // MAIR: 0 Write-Back (XS 0), 1 Device-nGnRnE (XS 1).
  const words = {
    '0x40000000': 0x4000_1003n,
    '0x40001000': 0x4000_2003n,
    '0x40002000': 0x4030_0f43n,
    '0x40002008': 0x4030_1f47n,
  };
  const left = (operation: TlbiOperation, features: CpuOptions) => {
    const registers = { ttbr0: 0x4000_0000n, tcr: TCR, mair: 0x00ffn };
    const tlb = new Tlb(memoryWith(words), { regime: 'el1&0', registers, cpu: features, asid: 1 });
    for (const ia of [0n, 0x1000n]) expect(tlb.translate(ia, read).result.ok).toBe(true);
    tlb.tlbi(operation);
    return tlb.entries.map(({ base }) => base);
  };
  test('entries with XS = 1 stay', () => {
    const withXs = { model: 'max', xs: true } as const;
    expect(left('VMALLE1NXS', withXs)).toEqual([0x1000n]);
    expect(left('VMALLE1', withXs)).toEqual([]);
  });
  test('without FEAT_XS no entry has the attribute', () => {
    expect(left('VMALLE1NXS', 'max')).toEqual([]);
  });
});

/** DDI 0487 D8.17.5.4: entries become writable-clean, and need not go. */
test('VMALLWS2E1 takes writable-dirty away: the next write walks, and stage 2 says who wrote', () => {
  // Stage 2: VTCR.HA and HD; one page with DBM, S2AP read-only until it is written.
  const VTCR_HD = 0x65_0059n;
  const memory = memoryWith({
    '0x40100008': 0x4010_1003n,
    '0x40101000': 0x4010_2003n,
    '0x40102000': 0x0008_0000_4000_077fn,
  });
  const vttbr = 0x4010_0000n;
  const tlb = new Tlb(memory, { regime: 'el1&0-s2', registers: { vttbr, vtcr: VTCR_HD } });
  const write = { access: 'write' } as const;
  const from = () => tlb.translate(0x4000_0000n, write).from;
  expect([from(), from()]).toEqual(['walk', 'tlb']);
  expect(memory.read64(0x4010_2000n)).toBe(0x0008_0000_4000_07ffn);
  // Software collects the dirty state, and makes the page clean.
  memory.write64(0x4010_2000n, 0x0008_0000_4000_077fn);
  expect(from()).toBe('tlb');
  expect(tlb.tlbi('VMALLWS2E1IS')).toBe(1);
  expect(tlb.entries).toHaveLength(1);
  expect(tlb.translate(0x4000_0000n, read).from).toBe('tlb');
  expect(from()).toBe('walk');
  expect(memory.read64(0x4010_2000n)).toBe(0x0008_0000_4000_07ffn);
});

test('operations on granule protection tables take nothing of a TLB that holds none of them', () => {
  const tlb = full();
  for (const operation of ['PAALL', 'PAALLOS', 'RPAOS', 'RPALOS'] as const)
    expect(tlb.tlbi(operation, 5n)).toBe(0);
  expect(names(tlb)).toBe(ALL);
});

test('a hypervisor with {E2H, TGE} = {1, 0} invalidates its guest', () => {
  const tlb = full();
  const host = { regime: 'el2&0', registers: { ttbr0: 0x4000_0000n, tcr: TCR } } as const;
  tlb.switchTo({ ...host, vmid: 4, tge: true });
  tlb.tlbi('VMALLE1');
  expect(names(tlb)).toBe(ALL);
  tlb.switchTo({ ...host, vmid: 4, tge: false });
  tlb.tlbi('VMALLE1');
  expect(names(tlb)).toBe(ALL.replace('asid1/vmid4@0 ', ''));
});
