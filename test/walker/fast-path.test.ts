/** The fast path answers what the full walk answers, whatever memory and registers hold. */
import { describe, expect, test, vi } from 'vitest';
import { FastPath } from '../../src/walker/fast/path.ts';
import {
  type Access,
  cpuModels,
  createWalker,
  regimes,
  type Walker,
  WalkerError,
} from '../../src/walker/index.ts';
import { begin, randomMemory } from '../fuzz/memory.ts';
import { randomAddress, randomRegisters } from '../fuzz/registers.ts';
import { Random } from '../support/random.ts';
import { memoryWith } from './table-builder.ts';

const ACCESSES = (['read', 'write', 'execute'] as const).flatMap((access) =>
  [true, false].flatMap((privileged) =>
    [true, false].map((pan): Access => ({ access, privileged, pan, update: false })),
  ),
);

/** The full walk's answer: with steps there is no other way. */
function pa(walker: Walker, ia: bigint, access: Access): bigint | undefined {
  const result = walker.walk(ia, access);
  return result.ok ? result.pa : undefined;
}

describe('random memory and registers', () => {
  test('let the fast path in', () => {
    const entered = vi.spyOn(FastPath.prototype, 'translate');
    const random = new Random(7);
    for (let machine = 0; machine < 20; machine++) {
      const { memory } = randomMemory(random, true);
      const registers = randomRegisters(random, 'el1&0', memory);
      createWalker(memory, { regime: 'el1&0', registers }).translate(0x1000n, { access: 'read' });
    }
    expect(entered.mock.calls.length).toBeGreaterThan(10);
    entered.mockRestore();
  });

  test.each(regimes)(
    '%s: the same PA, or no PA where the full walk faults; the same results without steps',
    (regime) => {
      const random = new Random(0x600d + regimes.indexOf(regime));
      let translated = 0;
      for (let machine = 0; machine < 60; machine++) {
        const guarded = randomMemory(random, regime.startsWith('pl1') || random.chance(0.7));
        const registers = randomRegisters(random, regime, guarded.memory);
        const cpu = random.pick(['max', 'max', ...cpuModels] as const);
        const walker = createWalker(guarded.memory, { regime, registers, cpu });
        const ias = Array.from({ length: 48 }, () => randomAddress(random));
        // Neighbours come to the same last table, which a bulk run keeps at hand.
        const near = ias.flatMap((ia) => [ia, ia ^ 0x5008n, ia ^ 0x1_c000n]);
        const access = random.pick(ACCESSES);
        const wanted = near.map((ia) => {
          begin(guarded);
          return pa(walker, ia, access);
        });
        const got = near.map((ia) => {
          begin(guarded);
          return walker.translate(ia, access);
        });
        expect(got).toEqual(wanted);
        for (const ia of near) {
          begin(guarded);
          const full = walker.walk(ia, access);
          begin(guarded);
          expect(walker.walk(ia, { ...access, trace: false })).toStrictEqual({ ...full, steps: [] });
        }
        translated += got.filter((address) => address !== undefined).length;

        const signed = near.map((ia) => BigInt.asIntN(64, ia));
        const whole = signed.flatMap((ia, i) => (ia >= -(2n ** 53n) && ia < 2n ** 53n ? [i] : []));
        // All of them three times are more than a bulk run reads at once, and come back to what it has at hand.
        const runs = [...whole, ...whole, ...whole];
        const length = random.pick([4, 100, runs.length]);
        guarded.limit = false;
        for (let first = 0; first < runs.length; first += length) {
          const batch = runs.slice(first, first + length);
          const pas = new Float64Array(batch.length);
          const count = walker.translateMany(
            Float64Array.from(batch, (i) => Number(signed[i])),
            pas,
            access,
          );
          expect([...pas]).toEqual(batch.map((i) => Number(wanted[i] ?? -1n)));
          expect(count).toBe(batch.filter((i) => wanted[i] !== undefined).length);
        }
      }
      expect(translated).toBeGreaterThan(0);
    },
  );
});

/** T0SZ 25 and T1SZ 25, 4K, from level 1; IPS 48 bits. */
const TCR = 0x5_8019_0019n;
const read = { access: 'read' } as const;

describe('by hand', () => {
  const words = {
    '0x40000000': 0x4000_1003n, // L1[0]
    '0x40001000': 0x4000_2003n, // L2[0]
    '0x40002008': 0x9_0000_0743n, // L3[1], EL0 too
    '0x400010e8': 0x5000_0003n, // L2[29]: a table in RAM that nobody wrote
    '0x400010f0': 0x9000_0003n, // L2[30]: a table outside RAM
    '0x40003ff8': 0x8_c000_0701n, // the upper range's L1[511]
  };
  const registers = { ttbr0: 0x4000_0000n, ttbr1: 0x4000_3000n, tcr: TCR };

  test('both ranges, holes, tables that are not there', () => {
    const walker = createWalker(memoryWith(words), { regime: 'el1&0', registers });
    const ias = Float64Array.of(0x1234, -0x1000, 0x2000, 29 * 2 ** 21, 30 * 2 ** 21, 2 ** 39, -(2 ** 39) - 1);
    const pas = new Float64Array(ias.length);
    expect(walker.translateMany(ias, pas, read)).toBe(2);
    expect([...pas]).toEqual([0x9_0000_0234, 0x8_ffff_f000, -1, -1, -1, -1, -1]);
    expect(walker.translate(0x1234n, read)).toBe(0x9_0000_0234n);
    expect(walker.translate(0xffff_ffff_ffff_f000n, read)).toBe(0x8_ffff_f000n);
    expect(walker.translate(0x2000n, read)).toBeUndefined();
  });

  test('PAN, and a tagged address', () => {
    const tbi = { ...registers, tcr: TCR | (1n << 37n) };
    const walker = createWalker(memoryWith(words), { regime: 'el1&0', registers: tbi });
    expect(walker.translate(0x1234n, { ...read, pan: true })).toBeUndefined();
    expect(walker.translate(0x1234n, { ...read, pan: true, privileged: false })).toBe(0x9_0000_0234n);
    expect(walker.translate(0xab00_0000_0000_1234n, read)).toBe(0x9_0000_0234n);
    expect(
      createWalker(memoryWith(words), { regime: 'el1&0', registers }).translate(0xabn << 56n, read),
    ).toBeUndefined();
  });

  test('memory is read anew each time', () => {
    const memory = memoryWith(words);
    const walker = createWalker(memory, { regime: 'el1&0', registers });
    const pas = new Float64Array(2);
    const both = Float64Array.of(0x1000, 0x1000);
    expect(walker.translateMany(both, pas, read)).toBe(2);
    memory.write64(0x4000_2008n, 0xa_0000_0743n);
    expect(walker.translate(0x1000n, read)).toBe(0xa_0000_0000n);
    memory.write64(0x4000_1000n, 0n);
    expect(walker.translate(0x1000n, read)).toBeUndefined();
    expect(walker.translateMany(both, pas, read)).toBe(0);
    memory.write64(0x4000_1000n, 0x5000_0003n);
    memory.write64(0x5000_0008n, 0xb_0000_0743n);
    expect(walker.translate(0x1000n, read)).toBe(0xb_0000_0000n);
  });

  test('a walk without steps says all that one with steps does', () => {
    const all = { ...words, '0x40002010': 0x0074_0009_0000_1f63n, '0x40002018': 0x9_0000_2503n };
    const memory = memoryWith(all);
    for (const secure of [false, true]) {
      const walker = createWalker(memory, { regime: 'el1&0', registers, secure });
      for (const ia of [0x1234n, 0x2234n, 0x3234n, 0xffff_ffff_ffff_f000n, 0n, 1n << 50n, 1n << 63n]) {
        for (const access of ACCESSES) {
          const full = walker.walk(ia, access);
          expect(walker.walk(ia, { ...access, trace: false })).toStrictEqual({ ...full, steps: [] });
        }
      }
    }
  });

  test('hardware updates are made, as a full walk makes them', () => {
    const memory = memoryWith({ ...words, '0x40002008': 0x0008_0009_0000_0383n });
    const hahd = { ...registers, tcr: TCR | (3n << 39n) };
    const walker = createWalker(memory, { regime: 'el1&0', registers: hahd });
    expect(walker.translate(0x1000n, { access: 'write', update: false })).toBe(0x9_0000_0000n);
    expect(memory.read64(0x4000_2008n)).toBe(0x0008_0009_0000_0383n);
    expect(walker.translateMany(Float64Array.of(0x1000), new Float64Array(1), read)).toBe(1);
    expect(memory.read64(0x4000_2008n)).toBe(0x0008_0009_0000_0783n);
    expect(walker.translate(0x1000n, { access: 'write' })).toBe(0x9_0000_0000n);
    expect(memory.read64(0x4000_2008n)).toBe(0x0008_0009_0000_0703n);
  });

  test('a bulk run makes them too, of every page', () => {
    const dirtiable = 0x0008_0009_0000_0783n;
    const memory = memoryWith({ ...words, '0x40002008': dirtiable, '0x40002010': dirtiable + 0x1000n });
    const walker = createWalker(memory, {
      regime: 'el1&0',
      registers: { ...registers, tcr: TCR | (3n << 39n) },
    });
    const pas = new Float64Array(3);
    const ias = Float64Array.of(0x1000, 0x2008, 0x1010);
    expect(walker.translateMany(ias, pas, { access: 'write' })).toBe(3);
    expect([...pas]).toEqual([0x9_0000_0000, 0x9_0000_1008, 0x9_0000_0010]);
    expect(memory.read64(0x4000_2008n)).toBe(0x0008_0009_0000_0703n);
    expect(memory.read64(0x4000_2010n)).toBe(0x0008_0009_0000_1703n);
  });

  test('a bulk run heeds what tables on the way forbid, for every page and block below', () => {
    const readOnly = 1n << 62n;
    const memory = memoryWith({
      '0x40000000': 0x4000_1003n, // L1[0]
      '0x40000008': 0x4000_3003n | readOnly, // L1[1]
      '0x40001000': 0x4000_2003n | readOnly, // L2[0]
      '0x40001008': 0x9_1000_0701n, // L2[1], a block
      '0x40002000': 0x9_0000_0703n, // L3[0]
      '0x40002008': 0x9_0000_1703n, // L3[1]
      '0x40003000': 0x9_2000_0701n, // L2[0] of the other one, a block
    });
    const walker = createWalker(memory, { regime: 'el1&0', registers });
    const ias = Float64Array.of(
      0,
      0x1008,
      0x20_0000,
      0x2f_fff8,
      2 ** 30,
      2 ** 30 + 0x1_0000,
      2 ** 30 + 0x20_0000,
    );
    const pas = new Float64Array(ias.length);
    expect(walker.translateMany(ias, pas, read)).toBe(6);
    expect([...pas].map((pa) => pa.toString(16))).toEqual([
      '900000000',
      '900001008',
      '910000000',
      '9100ffff8',
      '920000000',
      '920010000',
      '-1',
    ]);
    expect(walker.translateMany(ias, pas, { access: 'write' })).toBe(2);
    expect([...pas]).toEqual([-1, -1, 0x9_1000_0000, 0x9_100f_fff8, -1, -1, -1]);
  });

  test.each<[string, (walker: Walker) => unknown, RegExp]>([
    [
      'half an address',
      (w) => w.translateMany(Float64Array.of(0.5), new Float64Array(1), read),
      /^0\.5 is not/,
    ],
    [
      'no number',
      (w) => w.translateMany(Float64Array.of(Number.NaN), new Float64Array(1), read),
      /^NaN is not/,
    ],
    [
      '2^53',
      (w) => w.translateMany(Float64Array.of(2 ** 53), new Float64Array(1), read),
      /is not an address/,
    ],
    [
      'too few places',
      (w) => w.translateMany(new Float64Array(3), new Float64Array(2), read),
      /^3 addresses/,
    ],
    [
      'the same array',
      (w) => {
        const ias = Float64Array.of(0x1000);
        return w.translateMany(ias, ias, read);
      },
      /an array of their own/,
    ],
    ['65 bits', (w) => w.translate(1n << 64n, read), /at most 64 bits/],
    [
      'an access',
      (w) => w.translateMany(new Float64Array(0), new Float64Array(0), { access: 'x' as 'read' }),
      /'x'/,
    ],
  ])('%s: a WalkerError', (_, act, message) => {
    const walker = createWalker(memoryWith(words), { regime: 'el1&0', registers });
    expect(() => act(walker)).toThrow(WalkerError);
    expect(() => act(walker)).toThrow(message);
  });
});
