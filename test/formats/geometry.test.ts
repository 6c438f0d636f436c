/** Levels and roots for every input size, against a count of pages that is folded into tables until one is left. */
import { describe, expect, test } from 'vitest';
import { type FormatModule, formatNamed } from '../../formats/index.ts';
import { machine, paOf } from '../support/machine.ts';

const GRANULES = [
  ['4K', 12, 0x4020_1000n, 48],
  ['16K', 14, 0x0200_4000n, 48],
  ['64K', 16, 0x2001_0000n, 52],
] as const satisfies [string, number, bigint, number][];

/** By counting: so many pages need so many tables, which need so many tables above them … */
function rootByCounting(ias: number, granuleLog2: number, stage: 1 | 2) {
  const perTable = 2n ** BigInt(granuleLog2) / 8n;
  let entries = 2n ** BigInt(ias) / 2n ** BigInt(granuleLog2);
  let level = 3;
  while (entries > perTable) {
    entries /= perTable;
    level--;
  }
  if (stage === 2 && level === 0 && entries <= 16n) {
    entries *= perTable;
    level = 1;
  }
  return { level, entries: Number(entries), bytes: Number(entries * 8n) };
}

const rows = (['arm_64_lpae_s1', 'arm_64_lpae_s2'] as const).flatMap((name) =>
  GRANULES.flatMap(([granule, log2, sizes, most]) =>
    Array.from({ length: 52 - 13 + 1 }, (_, i) => i + 13)
      .filter((ias) => ias > log2)
      .map((ias) => ({ title: `${name} ${granule} ${ias} bits`, name, log2, sizes, ias, most })),
  ),
);

const formatOf = (name: string): FormatModule => formatNamed(name)!;

describe.each(rows)('$title', ({ name, log2, sizes, ias, most }) => {
  const format = formatOf(name);
  const made = format.configure({ pgsizeBitmap: sizes, ias, oas: 48 });
  const bits = Math.min(ias, most);
  const want = rootByCounting(bits, log2, format.stage);

  test('starts where a count of pages says, with a root of that size', () => {
    expect(made.ias).toBe(bits);
    expect(made.levels[0]).toMatchObject({ level: want.level, entries: want.entries });
    expect(made.rootBytes).toBe(want.bytes);
  });

  test('has levels that tile the input address', () => {
    expect(made.levels.map(({ level }) => level)).toEqual(
      Array.from({ length: 4 - want.level }, (_, i) => want.level + i),
    );
    expect(made.levels.at(-1)!.shift).toBe(log2);
    const resolved = made.levels.reduce((sum, { entries }) => sum + Math.log2(entries), Number(log2));
    expect(resolved).toBe(bits);
    for (const [i, { shift, entries }] of made.levels.entries()) {
      if (i > 0)
        expect([shift + Math.log2(entries), entries]).toEqual([made.levels[i - 1]!.shift, 2 ** (log2 - 3)]);
    }
  });

  // The walker takes input sizes from 16 bits on (17 with 64K): TxSZ is at most 48 (47), DDI 0487 table D8-11.
  if (bits < (log2 === 16 ? 17 : 16)) return;
  test('is walked from the first page to the last', () => {
    const m = machine(format, { pgsizeBitmap: sizes, ias, oas: 48 });
    const page = 1n << BigInt(log2);
    const last = (1n << BigInt(bits)) - page;
    m.domain.map(last, 0x1234_0000n, page, { read: true, write: true });
    const step = m.walker.walk(last, { access: 'read' }).steps[0]!;
    expect([step.level, step.index]).toEqual([want.level, want.entries - 1]);
    expect(paOf(m.walker, last + page - 1n)).toBe(0x1234_0000n + page - 1n);
    expect(paOf(m.walker, last - 1n)).toBeNull();
    expect(paOf(m.walker, 0n)).toBeNull();
    m.domain.map(0n, 0x5678_0000n, page, { read: true });
    expect(paOf(m.walker, 0n)).toBe(0x5678_0000n);
  });
});

test.each([
  // Linux's roots: concatenated tables at level 1 of stage 2 with up to 16 entries of a level 0 folded in.
  ['arm_64_lpae_s2', 0x4020_1000n, 39, 1, 512, 4096],
  ['arm_64_lpae_s2', 0x4020_1000n, 40, 1, 1024, 8192],
  ['arm_64_lpae_s2', 0x4020_1000n, 43, 1, 8192, 65536],
  ['arm_64_lpae_s2', 0x4020_1000n, 44, 0, 32, 256],
  ['arm_64_lpae_s2', 0x4020_1000n, 48, 0, 512, 4096],
  ['arm_64_lpae_s2', 0x0200_4000n, 48, 1, 4096, 32768],
  ['arm_64_lpae_s2', 0x2001_0000n, 48, 1, 64, 512],
  ['arm_64_lpae_s2', 0x2001_0000n, 52, 1, 1024, 8192],
  ['arm_64_lpae_s1', 0x4020_1000n, 40, 0, 2, 16],
  ['arm_64_lpae_s1', 0x0200_4000n, 48, 0, 2, 16],
  ['arm_64_lpae_s1', 0x2001_0000n, 43, 1, 2, 16],
  ['arm_32_lpae_s1', 0x4020_1000n, 32, 1, 4, 32],
  ['arm_32_lpae_s1', 0x4020_1000n, 30, 2, 512, 4096],
  ['arm_32_lpae_s2', 0x4020_1000n, 40, 1, 1024, 8192],
  ['arm_32_lpae_s2', 0x4020_1000n, 36, 1, 64, 512],
] as const)(
  '%s with sizes %# and %i bits: level %i, %i entries, %i bytes',
  (name, sizes, ias, level, entries, bytes) => {
    const made = formatOf(name).configure({ pgsizeBitmap: sizes, ias, oas: 40 });
    expect(made.levels[0]).toMatchObject({ level, entries });
    expect(made.rootBytes).toBe(bytes);
  },
);

test('the root frame is aligned to its size, 64 bytes at least', () => {
  for (const [ias, bytes] of [
    [43, 65536],
    [40, 8192],
    [48, 4096],
    [44, 256],
  ] as const) {
    const m = machine(formatOf('arm_64_lpae_s2'), { pgsizeBitmap: 0x4020_1000n, ias, oas: 44 });
    expect(m.allocator.allocated()).toEqual([{ pa: m.domain.root, bytes }]);
    expect(m.domain.root % BigInt(bytes)).toBe(0n);
  }
  const small = machine(formatOf('arm_64_lpae_s1'), { pgsizeBitmap: 0x4020_1000n, ias: 40, oas: 44 });
  expect(small.allocator.allocated()).toEqual([{ pa: small.domain.root, bytes: 64 }]);
});
