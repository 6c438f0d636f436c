/** What makes an STE or CD ILLEGAL, held against the manual's pseudocode; and that the rules told are those that hold. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { describeSte, describeStream } from '../../src/describe/index.ts';
import { PhysicalMemory } from '../../src/memory/index.ts';
import { type CdWords, createStream, type SteWords } from '../../src/smmu/index.ts';
import { memoryWith } from '../walker/table-builder.ts';
import { cdIllegal, type Idrs, steIllegal } from './illegal-reference.ts';

const read = { access: 'read' } as const;
const memory = new PhysicalMemory({ base: 0x4000_0000n, size: 0x1_0000n });

/** S2T0SZ 24, SL0 1, 4K, S2PS 44 bits, AA64, S2R. */
const STAGE2 = 0x040c_0058_0000_0000n;
/** T0SZ 25, 4K, EPD1, V, IPS 44 bits, AA64, R, A. */
const CD: CdWords = [0x6204_c000_0019n, 0x4000_0000n, 0n, 0xffn];
const config = (value: number) => BigInt(1 | (value << 1));

/** Fields that decide, of both structures: [high, low] through all 512 bits. */
const STE_FIELDS = [
  [0, 0],
  [3, 1],
  [5, 4],
  [55, 32],
  [63, 59],
  [65, 64],
  [89, 89],
  [91, 91],
  [93, 92],
  [95, 94],
  [136, 136],
  [165, 160],
  [167, 166],
  [175, 174],
  [178, 176],
  [179, 179],
  [180, 180],
  [183, 183],
  [184, 184],
  [185, 185],
  [187, 187],
  [194, 194],
  [195, 195],
  [247, 228],
  [72, 72],
  [75, 75],
  [188, 188],
  [189, 189],
  [451, 448],
  [511, 508],
] as const;
const CD_FIELDS = [
  [5, 0],
  [7, 6],
  [14, 14],
  [15, 15],
  [21, 16],
  [23, 22],
  [30, 30],
  [31, 31],
  [34, 32],
  [41, 41],
  [42, 42],
  [43, 43],
  [44, 44],
  [46, 46],
  [63, 48],
  [67, 67],
  [119, 100],
  [183, 164],
  [186, 186],
  [187, 187],
  [386, 384],
  [431, 429],
  [450, 448],
  [495, 493],
] as const;
type Bits = readonly [high: number, low: number];
type Change = readonly [field: Bits, value: bigint];

const changes = (fields: readonly Bits[], atMost: number): fc.Arbitrary<Change[]> =>
  fc.array(
    fc.constantFrom(...fields).chain((field) => {
      const all = (1n << BigInt(field[0] - field[1] + 1)) - 1n;
      // Large fields hold addresses: a single bit says how far they reach.
      const value =
        field[0] - field[1] < 8
          ? fc.bigInt(0n, all)
          : fc.nat(field[0] - field[1]).map((bit) => 1n << BigInt(bit));
      return fc.tuple(fc.constant(field), value);
    }),
    { maxLength: atMost },
  );

function changed<T extends readonly bigint[]>(words: T, made: readonly Change[]): T {
  const copy = Array.from({ length: 8 }, (_, i) => words[i] ?? 0n);
  for (const [[high, low], value] of made) {
    const [i, shift] = [Math.floor(low / 64), BigInt(low % 64)];
    const mask = ((1n << BigInt(high - low + 1)) - 1n) << shift;
    copy[i] = (copy[i]! & ~mask) | (value << shift);
  }
  return copy as readonly bigint[] as T;
}

/** Identification that some SMMU could have: at least one format and one granule. */
const idrs: fc.Arbitrary<Idrs> = fc.record({
  idr0: fc
    .record({
      stages: fc.constantFrom(1n, 2n, 3n, 3n, 3n),
      ttf: fc.constantFrom(1n, 2n, 2n, 3n),
      httu: fc.bigInt(0n, 3n),
      flags: fc.bigInt(0n, 15n),
      vmid16: fc.bigInt(0n, 3n),
      endian: fc.constantFrom(0n, 0n, 2n, 3n),
      stall: fc.bigInt(0n, 2n),
      term: fc.bigInt(0n, 1n),
    })
    .map(
      ({ stages, ttf, httu, flags, vmid16, endian, stall, term }) =>
        stages |
        (ttf << 2n) |
        (httu << 6n) |
        (flags << 9n) |
        (vmid16 << 18n) |
        (endian << 21n) |
        (stall << 24n) |
        (term << 26n),
    ),
  idr1: fc.constantFrom(0x10n, 0x210n),
  idr3: fc.bigInt(0n, 0x7f_ffffn),
  idr5: fc
    .tuple(fc.bigInt(0n, 6n), fc.bigInt(1n, 7n), fc.bigInt(0n, 1n), fc.bigInt(0n, 1n))
    .map(([oas, granules, ds, vax]) => oas | (granules << 4n) | (ds << 7n) | (vax << 10n)),
});

const bases: fc.Arbitrary<SteWords> = fc.constantFrom<SteWords[]>(
  ...[4, 5, 6, 7, 7].map((value): SteWords => [config(value), 0n, STAGE2, 0x4000_0000n]),
  // VMSAv8-32 LPAE: S2T0SZ 0, SL0 1.
  ...[6, 7].map((value): SteWords => [config(value), 0n, 0x40n << 32n, 0x4000_0000n]),
);

test('C_BAD_STE is what SteIllegal says', () => {
  let [illegal, legal] = [0, 0];
  fc.assert(
    fc.property(idrs, bases, changes(STE_FIELDS, 5), (identification, base, made) => {
      const ste = changed(base, made);
      const result = createStream(memory, { ste, cd: CD, identification, s2pii: 0n }).translate(0n, read);
      const bad = !result.ok && result.fault.kind === 'c_bad_ste';
      expect(bad).toBe(steIllegal(ste, identification));
      if (bad) illegal++;
      else legal++;
    }),
    { numRuns: 1500 },
  );
  expect(Math.min(illegal, legal)).toBeGreaterThan(150);
});

test('C_BAD_CD is what CdIllegal says', () => {
  let [illegal, legal] = [0, 0];
  const worlds = fc.constantFrom<SteWords[]>(
    [config(5), 0n, 0n, 0n],
    [config(5), 2n << 30n, 0n, 0n],
    [config(7), 0n, STAGE2, 0x4000_0000n],
    [config(7), 0n, 0x40n << 32n, 0x4000_0000n],
    [config(5), 1n << 27n, 0n, 0n],
    // S1PIE, of EL1 and of EL2.
    [config(5), 1n << 24n, 0n, 0n],
    [config(5), (1n << 24n) | (2n << 30n), 0n, 0n],
    [config(7), 1n << 24n, STAGE2, 0x4000_0000n],
  );
  fc.assert(
    fc.property(
      idrs,
      worlds,
      fc.boolean(),
      fc.boolean(),
      changes(CD_FIELDS, 4),
      (identification, ste, aarch64, e2h, made) => {
        fc.pre(!steIllegal(ste, identification));
        const indirect = [[187, 187], (ste[1] >> 24n) & 1n] as const;
        const cd = changed(CD, [[[41, 41], BigInt(aarch64)] as const, indirect, ...made]);
        // The CD is in memory: behind a stage 2 it is fetched through a page of RAM that maps to itself.
        const words = { '0x40001000': ste[0] | 0x4000_2000n, '0x40001008': ste[1], '0x40001010': ste[2] };
        const tables = { '0x40001018': 0x4000_0000n, '0x40000000': 0x7fdn, '0x40000008': 0x4000_07fdn };
        const bytes = { '0x40002000': cd[0], '0x40002008': cd[1], '0x40002010': cd[2], '0x40002018': cd[3] };
        const indirection = { '0x40002030': cd[6]!, '0x40002038': cd[7]! };
        const ram = memoryWith({ ...words, ...tables, ...bytes, ...indirection });
        const registers = {
          ...identification,
          strtabBase: 0x4000_1000n,
          strtabBaseCfg: 0n,
          cr2: BigInt(e2h),
        };
        const { end, problems } = describeStream(ram, registers, 0);
        const bad = !end.ok && end.fault.kind === 'c_bad_cd';
        expect(bad).toBe(cdIllegal(cd, ste, e2h, identification));
        expect(problems.some(({ effect }) => effect === 'fault')).toBe(bad);
        if (bad) illegal++;
        else legal++;
      },
    ),
    { numRuns: 700 },
  );
  expect(Math.min(illegal, legal)).toBeGreaterThan(60);
});

/** Where a field of a structure stands, by the manual. */
const PLACES: Readonly<Record<string, Bits>> = {
  'STE.V': [0, 0],
  'STE.Config': [3, 1],
  'STE.S1Fmt': [5, 4],
  'STE.S1ContextPtr': [55, 6],
  'STE.S1CDMax': [63, 59],
  'STE.S2FWB': [89, 89],
  'STE.S1STALLD': [91, 91],
  'STE.EATS': [93, 92],
  'STE.STRW': [95, 94],
  'STE.S2VMID': [143, 128],
  'STE.S2T0SZ': [165, 160],
  'STE.S2SL0': [167, 166],
  'STE.S2SL0_2': [194, 194],
  'STE.S2TG': [175, 174],
  'STE.S2AA64': [179, 179],
  'STE.S2ENDI': [180, 180],
  'STE.S2HD': [183, 183],
  'STE.S2HA': [184, 184],
  'STE.S2S': [185, 185],
  'STE.S2HAFT': [187, 187],
  'STE.S2TTB': [247, 196],
  'CD.T0SZ': [5, 0],
  'CD.TG0': [7, 6],
  'CD.ENDI': [15, 15],
  'CD.T1SZ': [21, 16],
  'CD.TG1': [23, 22],
  'CD.V': [31, 31],
  'CD.AA64': [41, 41],
  'CD.HD': [42, 42],
  'CD.HA': [43, 43],
  'CD.S': [44, 44],
  'CD.A': [46, 46],
  'CD.ASID': [63, 48],
  'CD.HAFT': [67, 67],
  'CD.TTB0': [119, 68],
  'CD.TTB1': [183, 132],
  'STE.S2HWU59': [72, 72],
  'STE.S2HWU62': [75, 75],
  'STE.S2PIE': [188, 188],
  'STE.S2POE': [189, 189],
  'STE.S2POI0': [451, 448],
  'STE.S2POI15': [511, 508],
  'CD.PIE': [187, 187],
  'CD.PIIU0': [386, 384],
  'CD.PIIU15': [431, 429],
  'CD.PIIP0': [450, 448],
  'CD.PIIP15': [495, 493],
};

/** Values to try: all of a small field, 0 of a large one. */
const valuesOf = ([high, low]: Bits) =>
  high - low < 8 ? Array.from({ length: 2 ** (high - low + 1) }, (_, value) => BigInt(value)) : [0n];

test('each rule that is told holds of the value that stands there, and another value of the field keeps it', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(idrs, bases, changes(STE_FIELDS, 4), changes(CD_FIELDS, 4), (identification, base, a, b) => {
      const description = { ste: changed(base, a), cd: changed(CD, b), identification, s2pii: 0n };
      for (const { field, value } of describeSte(memory, description).problems) {
        seen.add(field);
        const place = PLACES[field]!;
        const structure = field.startsWith('STE') ? 'ste' : 'cd';
        const [high, low] = place;
        const word = description[structure][Math.floor(low / 64)]!;
        const stands = BigInt.asUintN(high - low + 1, word >> BigInt(low % 64));
        // An address is told as such: from the bit on that its lowest bit stands for.
        const isAddress = /TTB|Ptr/.test(field);
        expect(value).toBe(isAddress ? stands << BigInt(low % 64) : stands);
        const kept = valuesOf(place).some((tried) => {
          const other = changed<readonly bigint[]>(description[structure], [[place, tried]]);
          const { problems } = describeSte(memory, { ...description, [structure]: other });
          return problems.every((problem) => problem.field !== field);
        });
        expect({ field, kept }).toEqual({ field, kept: true });
      }
    }),
    { numRuns: 60 },
  );
  expect(seen.size).toBeGreaterThan(8);
});
