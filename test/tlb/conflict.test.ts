/** Runs as one entry, and two entries for one address: how they come about, and what each FEAT_BBM level makes of them. */
import { describe, expect, test } from 'vitest';
import { judgeConflict } from '../../src/tlb/conflict.ts';
import { Tlb, type TlbOptions } from '../../src/tlb/index.ts';
import { memoryWith } from '../walker/table-builder.ts';

const read = { access: 'read' } as const;
/** 4K, 30 bits, from level 2; AttrIndx 0 and 1. */
const registers = { ttbr0: 0x4000_0000n, tcr: 0x5_0080_0022n, mair: 0x04ffn };
const CONTIGUOUS = 1n << 52n;
const page = (i: bigint) => 0x4000_1000n + i * 8n;

/** L2[0] -> L3 of 512 pages that map 0x8000_0000. */
function machine(options: TlbOptions = {}, cpu = {}, bits = 0n) {
  const memory = memoryWith({ '0x40000000': 0x4000_1003n });
  for (let i = 0n; i < 512n; i++) memory.write64(page(i), (0x8000_0703n + i * 0x1000n) | bits);
  const tlb = new Tlb(memory, { regime: 'el1&0', registers, cpu }, options);
  return { memory, tlb };
}

describe('a contiguous run', () => {
  test('is one entry where the TLB takes the hint, and sixteen where it does not', () => {
    const merging = machine({ contiguous: true }, {}, CONTIGUOUS).tlb;
    const ignoring = machine({}, {}, CONTIGUOUS).tlb;
    for (let i = 0n; i < 16n; i++) {
      for (const tlb of [merging, ignoring]) {
        const { result } = tlb.translate(i * 0x1000n + 0x234n, read);
        expect(result).toMatchObject({
          pa: 0x8000_0234n + i * 0x1000n,
          size: 0x1000n,
          leafBase: 0x8000_0000n + i * 0x1000n,
        });
      }
    }
    expect(merging.entries.map(({ size }) => size)).toEqual([0x1_0000n]);
    expect(ignoring.entries).toHaveLength(16);
    expect(merging.staleEntries()).toEqual([]);
  });

  test.each([
    [12, 0x5_0080_0022n, 3, 16n],
    [14, 0x5_0080_801cn, 3, 128n],
    [16, 0x5_0080_401cn, 3, 32n],
  ])('granule 2^%i, level 3: %i entries', (granule, tcr, level, length) => {
    const memory = memoryWith({});
    const leaf = (i: bigint) => (0x8000_0000n + (i << BigInt(granule))) | 0x703n | CONTIGUOUS;
    // One level of tables above the pages, at most.
    memory.write64(0x4000_0000n, 0x4001_0003n);
    for (let i = 0n; i < 128n; i++) memory.write64(0x4001_0000n + i * 8n, leaf(i));
    const tlb = new Tlb(memory, { regime: 'el1&0', registers: { ...registers, tcr } }, { contiguous: true });
    tlb.translate(0n, read);
    expect(tlb.entries).toMatchObject([
      { tag: { level, granuleLog2: granule }, size: length << BigInt(granule) },
    ]);
  });

  test('that is misprogrammed shows as stale, at the member that differs', () => {
    const { memory, tlb } = machine({ contiguous: true }, {}, CONTIGUOUS);
    memory.write64(page(5n), 0x9000_0703n | CONTIGUOUS);
    tlb.translate(0n, read);
    expect(tlb.staleEntries()).toMatchObject([{ ia: 0x5000n, fields: ['pa'], cached: { pa: 0x8000_5000n } }]);
  });

  test('goes with the invalidation of any of its pages', () => {
    const { tlb } = machine({ contiguous: true }, {}, CONTIGUOUS);
    tlb.translate(0n, read);
    expect(tlb.tlbi('VALE1', 15n)).toBe(1);
  });
});

/** Pages are cached, then the table is replaced by a block, and an address that was not cached is walked for. */
function merged(cpu: object, options: TlbOptions = {}, block = 0x8000_0701n) {
  const { memory, tlb } = machine(options, cpu);
  tlb.translate(0x1000n, read);
  memory.write64(0x4000_0000n, block);
  tlb.tlbi('VAE1', 0n); // not of the page: its entry is still there
  tlb.translate(0x10_0000n, read);
  return tlb;
}

describe('two entries for one address', () => {
  test('are reported, and the older one answers', () => {
    const tlb = merged({ bbm: 0 });
    expect(tlb.conflicts()).toMatchObject([
      { ia: 0x1000n, differences: ['size'], abort: true, amalgamation: true, section: 'DDI 0487 D8.17.1' },
    ]);
    const answer = tlb.translate(0x1008n, read);
    expect(answer).toMatchObject({
      from: 'tlb',
      result: { size: 0x1000n },
      conflict: { differences: ['size'] },
    });
    expect(tlb.statistics.conflicts).toBe(1);
    expect(tlb.translate(0x2000n, read).conflict).toBeUndefined();
    tlb.tlbi('VAE1', 1n);
    expect([tlb.conflicts(), tlb.translate(0x1008n, read).result]).toMatchObject([[], {}]);
  });

  test('say in what they differ', () => {
    const tlb = merged({ bbm: 2 }, {}, 0xa000_0f85n);
    expect(tlb.conflicts()).toMatchObject([
      { differences: ['size', 'oa', 'memory', 'permissions', 'global'], abort: true, amalgamation: true },
    ]);
  });

  test('a block with nT is not cached from level 1 on, so there is no conflict', () => {
    expect(merged({ bbm: 0 }, {}, 0x8001_0701n).conflicts()).toHaveLength(1);
    expect(merged({ bbm: 1 }, {}, 0x8001_0701n).conflicts()).toEqual([]);
    expect(merged({ bbm: 1 }, {}, 0x8001_0701n).translate(0x10_0000n, read).from).toBe('walk');
  });

  test('come of a Contiguous bit that is set in part of a run', () => {
    const { memory, tlb } = machine({ contiguous: true, machine: 'smmu' }, { bbm: 1 });
    tlb.translate(0x1000n, read);
    for (let i = 0n; i < 16n; i++) memory.write64(page(i), (0x8000_0703n + i * 0x1000n) | CONTIGUOUS);
    tlb.translate(0x2000n, read);
    expect(tlb.conflicts()).toMatchObject([
      { ia: 0x1000n, differences: ['contiguous'], abort: false, section: 'IHI 0070 3.21.1.2' },
    ]);
  });

  test('of other ASIDs, sides or regimes are none', () => {
    const { memory, tlb } = machine();
    for (let i = 0n; i < 2n; i++) memory.write64(page(i), 0x8000_0f03n + i * 0x1000n);
    tlb.translate(0x1000n, read);
    memory.write64(0x4000_0000n, 0x8000_0f01n);
    tlb.tlbi('VAE1', 0n);
    tlb.switchTo({ regime: 'el1&0', registers, asid: 7 });
    tlb.translate(0x10_0000n, read);
    tlb.switchTo({ regime: 'el1&0', registers });
    tlb.translate(0x10_0000n, { access: 'execute' });
    tlb.switchTo({ regime: 'el2', registers: { ...registers, tcr: 0x5_0022n } });
    tlb.translate(0x10_0000n, read);
    expect(tlb.entries).toHaveLength(4);
    expect(tlb.conflicts()).toEqual([]);
  });
});

describe('what may come of it', () => {
  test.each([
    // differences, level, machine: abort, amalgamation, section
    [['size'], 0, 'pe', true, true, 'DDI 0487 D8.17.1'],
    [['size'], 1, 'pe', true, true, 'DDI 0487 D8.17.1'],
    [['size'], 2, 'pe', true, false, 'DDI 0487 D8.17.2'],
    [['contiguous'], 0, 'pe', true, true, 'DDI 0487 D8.17.1'],
    [['contiguous'], 1, 'pe', true, false, 'DDI 0487 D8.17.2'],
    [['contiguous'], 2, 'pe', true, false, 'DDI 0487 D8.17.2'],
    [['size', 'oa'], 2, 'pe', true, true, 'DDI 0487 D8.17.1'],
    [['permissions'], 2, 'pe', true, true, 'DDI 0487 D8.17.1'],
    [['size'], 0, 'smmu', true, true, 'IHI 0070 3.21.1.1'],
    [['size'], 1, 'smmu', true, true, 'IHI 0070 3.21.1.1'],
    [['size'], 2, 'smmu', false, false, 'IHI 0070 3.21.1.3'],
    [['contiguous'], 1, 'smmu', false, false, 'IHI 0070 3.21.1.2'],
    [['size', 'contiguous'], 2, 'smmu', false, false, 'IHI 0070 3.21.1.3'],
    [['memory'], 2, 'smmu', true, true, 'IHI 0070 3.21.1.1'],
  ] as const)('%j at level %i of a %s', (differences, bbml, who, abort, amalgamation, section) => {
    expect(judgeConflict(differences, bbml, who)).toEqual({ abort, amalgamation, section });
  });
});
