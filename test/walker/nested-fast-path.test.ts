/** The fast path through two stages answers what the full walk answers, and sees every write at once. */
import { describe, expect, test, vi } from 'vitest';
import { NestedPath } from '../../src/walker/fast/nested.ts';
import { type Access, createWalker } from '../../src/walker/index.ts';
import { Random } from '../support/random.ts';
import { memoryWith } from './table-builder.ts';

const read = { access: 'read' } as const;
const write = { access: 'write' } as const;

/**
 * Stage 1: T0SZ 25, 4K, from level 1; its tables are at IPA 0x1000 to 0x3fff. Stage 2: T0SZ 25, SL0 1, from level 1 at PA
 * 0x4000_0000; it puts the tables at 0x5000_7000, 0x5000_5000 and 0x5000_9000.
 */
const registers = {
  ttbr0: 0x1000n,
  tcr: 0x5_0080_0019n,
  mair: 0xffn,
  vttbr: 0x4000_0000n,
  vtcr: 0x8005_0059n,
  hcr: 1n,
};
const words = {
  '0x40000000': 0x4000_1003n, // stage 2, L1[0]
  '0x40001000': 0x4000_2003n, // L2[0]
  '0x40001008': 0x6000_07fdn, // L2[1]: a block at IPA 0x20_0000
  '0x40002008': 0x5000_77ffn, // L3[1]: stage 1's first table
  '0x40002010': 0x5000_57ffn, // L3[2]
  '0x40002018': 0x5000_97ffn, // L3[3]
  '0x40002028': 0x7000_57ffn, // L3[5]: data
  '0x40002030': 0x7000_377fn, // L3[6]: data, read only
  '0x50007000': 0x2003n, // stage 1, L1[0]
  '0x50005000': 0x3003n, // L2[0]
  '0x50005008': 0x20_0701n, // L2[1]: a block, to IPA 0x20_0000
  '0x50009000': 0x5703n, // L3[0]
  '0x50009008': 0x6703n, // L3[1]
  '0x50009010': 0x8703n, // L3[2]: to an IPA that stage 2 does not map
};

describe('by hand', () => {
  const nested = () => {
    const memory = memoryWith(words);
    return { memory, walker: createWalker(memory, { regime: 'el1&0-nested', registers }) };
  };

  test('pages, a block, what either stage does not map or allow', () => {
    const { walker } = nested();
    const entered = vi.spyOn(NestedPath.prototype, 'translate');
    expect(walker.translate(0x123n, read)).toBe(0x7000_5123n);
    expect(walker.translate(0x123, read)).toBe(0x7000_5123);
    expect(walker.translate(0x1ff8n, read)).toBe(0x7000_3ff8n);
    expect(walker.translate(0x1ff8n, write)).toBeUndefined();
    expect(walker.translate(0x2000n, read)).toBeUndefined();
    expect(walker.translate(0x3000n, read)).toBeUndefined();
    expect(walker.translate(0x20_1234n, write)).toBe(0x6000_1234n);
    expect(walker.translate(1n << 39n, read)).toBeUndefined();
    expect(entered.mock.results.map(({ value }) => value)).toEqual([
      0x7000_5123, 0x7000_5123, 0x7000_3ff8, -1, -1, -1, 0x6000_1234, -1,
    ]);
    entered.mockRestore();
    const pas = new Float64Array(4);
    const ias = Float64Array.of(0x1000, 0x2000, 0x20_0000, 0);
    expect(walker.translateMany(ias, pas, read)).toBe(3);
    expect([...pas]).toEqual([0x7000_3000, -1, 0x6000_0000, 0x7000_5000]);
  });

  test('tables of either stage that were written count from the next walk on', () => {
    const { memory, walker } = nested();
    expect(walker.translate(0x123n, read)).toBe(0x7000_5123n);
    // Stage 2 moves stage 1's last table to where its own first one is.
    memory.write64(0x4000_2018n, 0x5000_b7ffn);
    expect(walker.translate(0x123n, read)).toBeUndefined();
    memory.write64(0x5000_b000n, 0x6703n);
    expect(walker.translate(0x123n, read)).toBe(0x7000_3123n);
    memory.write64(0x4000_2030n, 0n);
    expect(walker.translate(0x123n, read)).toBeUndefined();
    memory.write64(0x5000_7000n, 0n);
    expect(walker.translate(0x20_0000n, read)).toBeUndefined();
  });

  test('a first table that stage 2 does not let walks read', () => {
    const { memory, walker } = nested();
    memory.write64(0x4000_2008n, 0x5000_77bfn);
    expect(walker.translate(0x123n, read)).toBeUndefined();
    const { fault } = walker.walk(0x123n, read) as { fault?: object };
    expect(fault).toMatchObject({ kind: 'permission', stage: 2, ptw: true, level: 3 });
  });

  test('a first table in Device memory, which HCR_EL2.PTW forbids', () => {
    const memory = memoryWith({ ...words, '0x40002008': 0x5000_77c3n });
    const translated = (hcr: bigint) =>
      createWalker(memory, { regime: 'el1&0-nested', registers: { ...registers, hcr } }).translate(0n, read);
    expect([translated(1n), translated(5n)]).toEqual([0x7000_5000n, undefined]);
  });

  test('access flags that hardware sets, of either stage, are set', () => {
    const memory = memoryWith({
      ...words,
      '0x40002018': 0x5000_93ffn,
      '0x50009000': 0x5303n,
      '0x40002028': 0x7000_53ffn,
    });
    const hahd = { ...registers, tcr: registers.tcr | (1n << 39n), vtcr: registers.vtcr | (1n << 21n) };
    const walker = createWalker(memory, { regime: 'el1&0-nested', registers: hahd });
    expect(walker.translate(0x123n, read)).toBe(0x7000_5123n);
    const flagged = [0x4000_2018n, 0x5000_9000n, 0x4000_2028n].map((pa) => memory.read64(pa));
    expect(flagged).toEqual([0x5000_97ffn, 0x5703n, 0x7000_57ffn]);
  });
});

test('tables with random bits flipped: the same PA and the same results as a walk with steps', () => {
  const random = new Random(0x2573);
  const found = vi.spyOn(NestedPath.prototype, 'translate');
  const addresses = [
    0x123n,
    0x1ff8n,
    0x2000n,
    0x3000n,
    0x20_1234n,
    0x3f_fff8n,
    0x40_0000n,
    1n << 39n,
    (1n << 64n) - 8n,
  ];
  const places = Object.keys(words).map((pa) => BigInt(pa));
  for (let machine = 0; machine < 400; machine++) {
    const memory = memoryWith(words);
    for (let flips = random.between(0, 3); flips > 0; flips--) {
      const pa = random.pick(places);
      memory.write64(pa, (memory.read64(pa) as bigint) ^ (1n << BigInt(random.between(0, 63))));
    }
    const bits = random.chance(0.5) ? 0n : 1n << BigInt(random.between(0, 40));
    const tcr = random.chance(0.3) ? registers.tcr ^ bits : registers.tcr;
    const vtcr = random.chance(0.3) ? registers.vtcr ^ BigInt.asUintN(32, bits) : registers.vtcr;
    const hcr = random.chance(0.3) ? registers.hcr | (bits & ~(1n << 34n)) : registers.hcr;
    const walker = createWalker(memory, {
      regime: 'el1&0-nested',
      registers: { ...registers, tcr, vtcr, hcr },
    });
    for (const ia of addresses) {
      const access: Access = {
        access: random.pick(['read', 'write', 'execute'] as const),
        privileged: random.chance(0.5),
        update: false,
      };
      const full = walker.walk(ia, access);
      expect(walker.translate(ia, access)).toBe(full.ok ? full.pa : undefined);
      expect(walker.walk(ia, { ...access, trace: false })).toStrictEqual({ ...full, steps: [] });
    }
  }
  expect(found.mock.results.filter(({ value }) => (value as number) >= 0).length).toBeGreaterThan(1000);
  found.mockRestore();
});
