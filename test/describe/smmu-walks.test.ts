/** Descriptions of streams held against their translations: every bit of an STE and a CD flipped, and random words. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { describeSte } from '../../src/describe/index.ts';
import { type CdWords, createStream, type SteWords } from '../../src/smmu/index.ts';
import { rounds } from '../support/rounds.ts';
import { memoryWith } from '../walker/table-builder.ts';

/** Config 4 to 7 with V = 1, and a stage 2 of 40 bits; a CD at 0x4000_2000 that is given. */
const ste = (config: number): SteWords => [
  BigInt(1 | (config << 1)) | 0x4000_2000n,
  0n,
  0x040c_0058_0000_0021n,
  0x4010_0000n,
];
const CD: CdWords = [0x5_6204_c000_0019n, 0x4000_0000n, 0n, 0xffn];

/** No stalls and little-endian; everything; big-endian, with terminations that abort; access flag updates alone. */
const MACHINES = [
  { idr0: 0x0d44_101bn, idr1: 0x273_0010n, idr3: 0x1404n, idr5: 0x74n },
  { idr0: 0x000c_12dfn, idr1: 0x273_0210n, idr3: 0x2_3714n, idr5: 0x4f6n },
  { idr0: 0x0460_002bn, idr1: 0x273_0010n, idr3: 0n, idr5: 0x10n },
  { idr0: 0x0d44_105bn, idr1: 0x273_0010n, idr3: 0x1404n, idr5: 0x74n },
] as const;

function flip<T extends readonly bigint[]>(words: T, bits: readonly number[]): T {
  const flipped = words.map((word, i) =>
    bits.filter((bit) => bit >> 6 === i).reduce((all, bit) => all ^ (1n << BigInt(bit & 63)), word),
  );
  return flipped as readonly bigint[] as T;
}

const memory = memoryWith({ '0x40100000': 0x4000_07fdn, '0x40100008': 0x4000_07fdn });

/** Where it ends: as translations do, with reasons exactly where the configuration is ILLEGAL. */
function check(
  config: number,
  steBits: readonly number[],
  cdBits: readonly number[],
  machine: number,
): string {
  const description = {
    ste: flip(ste(config), steBits),
    cd: flip(CD, cdBits),
    identification: MACHINES[machine]!,
  };
  const { end, problems, stages } = describeSte(memory, description);
  const result = createStream(memory, description).translate(0x1234n, { access: 'read' });
  const illegal = !end.ok && (end.fault.kind === 'c_bad_ste' || end.fault.kind === 'c_bad_cd');
  expect(problems.some(({ effect }) => effect === 'fault')).toBe(illegal);
  if (!end.ok) {
    expect(result).toMatchObject({ ok: false, fault: { kind: end.fault.kind } });
    return end.fault.kind;
  }
  expect(result.ok || 'class' in result.fault).toBe(true);
  // The first table that a walk reads is the one described.
  for (const { stage, ranges } of stages) {
    const { tables, off } = ranges[0]!;
    const step = result.steps.find((one) => one.stage === stage);
    if (step && tables && !off)
      expect(step).toMatchObject({ level: tables.startLevel, tableBase: tables.tableBase });
  }
  return end.translation;
}

test.each([0, 1, 2, 3])('every bit by itself, machine %i', (machine) => {
  const seen = new Set<string>();
  for (const config of [5, 7]) {
    for (let bit = 0; bit < 256; bit++) {
      seen.add(check(config, [bit], [], machine));
      if (config === 5) seen.add(check(config, [], [bit], machine));
    }
  }
  expect([...seen]).toEqual(
    expect.arrayContaining(machine === 2 ? ['c_bad_ste'] : ['stage 1', 'nested', 'c_bad_ste', 'c_bad_cd']),
  );
});

test('STE.S1STALLD with CD.S: each of them is legal without the other', () => {
  expect(check(5, [64 + 27], [], 1)).toBe('stage 1');
  expect(check(5, [], [44], 1)).toBe('stage 1');
  expect(check(5, [64 + 27], [44], 1)).toBe('c_bad_cd');
});

test('several bits at random', () => {
  const bits = fc.array(fc.nat(255), { maxLength: 3 });
  fc.assert(
    fc.property(fc.constantFrom(4, 5, 6, 7), bits, bits, fc.nat(3), (config, steBits, cdBits, machine) => {
      check(config, steBits, cdBits, machine);
    }),
    { numRuns: rounds(100, 500) },
  );
});
