/** Traces: addresses in their order, literally. */
import { describe, expect, test } from 'vitest';
import {
  addressNumber,
  deviceTrace,
  footprintOf,
  joined,
  type TraceOptions,
  traceNamed,
} from '../../../src/study/tlb/trace.ts';

const two = [
  { first: 0x10_0000n, size: 0x2000n },
  { first: 0xffff_8000_0000_0000n, size: 0x1000n },
];
const UPPER = -(2 ** 47);
const addresses = (name: string, options: TraceOptions) => [...traceNamed(name, two, options).addresses];

describe('a generated trace', () => {
  test('goes on from stretch to stretch, and begins again', () => {
    expect(addresses('strided', { accesses: 5 })).toEqual([
      0x10_0000,
      0x10_1000,
      UPPER,
      0x10_0000,
      0x10_1000,
    ]);
    expect(addresses('sequential', { accesses: 3 })).toEqual([0x10_0000, 0x10_0040, 0x10_0080]);
    expect(addresses('sequential', { accesses: 4, stride: 0x2800 })).toEqual([
      0x10_0000,
      UPPER + 0x800,
      UPPER,
      0x10_1800,
    ]);
  });

  test('is the same for the same seed, and stays in the footprint', () => {
    const random = (seed: number) => addresses('random', { accesses: 3000, seed });
    expect(random(1)).toEqual(random(1));
    expect(random(1)).not.toEqual(random(2));
    const lines = new Set(random(1));
    expect(lines.size).toBe(0x3000 / 64);
    const inside = (ia: number) =>
      (ia >= 0x10_0000 && ia < 0x10_2000) || (ia >= UPPER && ia < UPPER + 0x1000);
    expect([...lines].filter((ia) => !inside(ia) || ia % 64 !== 0)).toEqual([]);
  });

  test('of a network card is descriptor, buffer, descriptor', () => {
    const ring = [{ first: 0n, size: 0x2000n }];
    const { addresses: found } = traceNamed('dma-ring', ring, { accesses: 22 });
    const packet = (slot: number, buffer: number) => [
      slot,
      ...Array.from({ length: 8 }, (_, i) => buffer + i * 256),
      slot,
    ];
    // Two buffers in turn, a slot of 16 bytes for each packet.
    expect([...found]).toEqual([...packet(0, 4096), ...packet(16, 6144), 32, 4096]);
  });

  test.each<[string, string, TraceOptions, RegExp]>([
    ['a name', 'zigzag', {}, /no trace 'zigzag'; there are sequential, random, strided, dma-ring/],
    ['no access', 'random', { accesses: 0 }, /accesses must be a whole number from 1 to 67108864, not 0/],
    ['a stride of nothing', 'strided', { stride: 0 }, /stride must be .*, not 0/],
    ['a seed', 'random', { seed: 1.5 }, /seed must be/],
  ])('can not have %s', (_, name, options, message) => {
    expect(() => traceNamed(name, two, options)).toThrow(message);
  });

  test('needs a footprint', () => {
    expect(() => traceNamed('random', [])).toThrow(/the footprint is empty/);
    expect(() => traceNamed('dma-ring', [{ first: 0n, size: 0x1000n }])).toThrow(/take 6144 bytes.*has 4096/);
  });
});

describe("a device's trace", () => {
  const requests = [
    { first: 0x8000n, size: 0x280n },
    { first: 0x8000n, size: 0x100n },
    { first: 0xffff_f000n, size: 1n },
  ];

  test('goes over each request in bursts, and unmaps it before the next', () => {
    const { addresses: found, unmaps } = deviceTrace('x', requests);
    expect([...found]).toEqual([0x8000, 0x8100, 0x8200, 0x8000, 0xffff_f000]);
    expect([...(unmaps ?? [])]).toEqual([3, 4]);
  });

  test('with bursts of its own, to a limit, and lazily', () => {
    const { addresses: found, unmaps } = deviceTrace('x', requests, { burst: 64, accesses: 12 });
    expect([...found.slice(8)]).toEqual([0x8200, 0x8240, 0x8000, 0x8040]);
    expect([...(unmaps ?? [])]).toEqual([10]);
    expect(deviceTrace('x', requests, { unmaps: false })).not.toHaveProperty('unmaps');
  });

  test('leaves out what is no buffer', () => {
    const ram = { first: 0n, size: 0x100_0001n };
    expect(deviceTrace('x', [...requests, ram])).toEqual(deviceTrace('x', requests));
    expect(deviceTrace('x', requests, { largest: 0x100 }).addresses).toHaveLength(2);
  });

  test('moves something', () => {
    expect(() => deviceTrace('x', [])).toThrow(/x has no request of 1 to 16777216 bytes/);
  });
});

test('an address is a signed number, where a double can be it', () => {
  expect(addressNumber(0xffff_ffff_ffff_f000n)).toBe(-4096);
  expect(addressNumber(0x000f_ffff_ffff_ffffn)).toBe(2 ** 52 - 1);
  expect(() => addressNumber(0x5a00_0000_0000_1000n)).toThrow(/0x5a00000000001000 .* tagged address/);
});

test('stretches are joined, and widened', () => {
  const stretches = [
    { first: 0x5000n, size: 0x1000n },
    { first: 0x1000n, size: 0x1800n },
    { first: 0x2000n, size: 0x1000n },
    { first: 0x9000n, size: 0n },
  ];
  expect(joined(stretches)).toEqual([
    { first: 0x1000n, size: 0x2000n },
    { first: 0x5000n, size: 0x1000n },
  ]);
  expect(joined(stretches, 0x4000n)).toEqual([{ first: 0n, size: 0x8000n }]);
});

test('the footprint of a trace is the units that it touches', () => {
  const trace = { name: 'x', addresses: Float64Array.of(0x1234, 0x1fff, 0x2000, 0x9000, -1) };
  expect(footprintOf(trace, 0x1000)).toEqual([
    { first: 0x1000n, size: 0x2000n },
    { first: 0x9000n, size: 0x1000n },
    { first: 0xffff_ffff_ffff_f000n, size: 0x1000n },
  ]);
});
