/** Rules of SteIllegal and CdIllegal from literal words, as streams obey them and descriptions tell them. */
import { describe, expect, test } from 'vitest';
import { describeSte, describeStream } from '../../src/describe/index.ts';
import { type CdWords, createStream, type SteWords } from '../../src/smmu/index.ts';
import { memoryWith } from '../walker/table-builder.ts';

const read = { access: 'read' } as const;
const memory = memoryWith({ '0x40000000': 0x8000_0701n });
/** V = 1 and Config: 4 bypass, 5 stage 1, 6 stage 2, 7 both. */
const config = (value: number) => BigInt(1 | (value << 1));
/** S2T0SZ 24, SL0 1, 4K, S2PS 44 bits, AA64, S2R. */
const STAGE2 = 0x040c_0058_0000_0000n;
const S2TTB = 0x4010_0000n;
/** T0SZ 25, 4K, EPD1, V, IPS 44 bits, AA64, R, A. */
const CD: CdWords = [0x6204_c000_0019n, 0x4000_0000n, 0n, 0xffn];
/** AArch32 and AArch64 tables, EL2, ATS; 16-bit VMIDs and ASIDs. */
const IDR0 = 0x0d44_161fn;

function fields(ste: SteWords, cd: CdWords = CD, identification = {}): string[] {
  const given = { ste, cd, identification };
  const { end, problems } = describeSte(memory, given);
  const result = createStream(memory, given).translate(0n, read);
  const bad = !result.ok && /^c_bad/.test(result.fault.kind);
  expect(problems.length > 0).toBe(bad);
  if (!end.ok && bad) expect(result).toMatchObject({ fault: { kind: end.fault.kind } });
  return problems.map(({ field }) => field);
}

describe('STE.S2VMID of 8 bits', () => {
  const vmid8 = { idr0: IDR0 & ~(1n << 18n) };
  const s2vmid = 0x100n;

  test.each([5, 6, 7])(
    'counts with Config %i: a stream of EL1 is tagged with it, whichever stage it has',
    (value) => {
      expect(fields([config(value), 0n, STAGE2 | s2vmid, S2TTB], CD, vmid8)).toEqual(['STE.S2VMID']);
      expect(fields([config(value), 0n, STAGE2 | 0xffn, S2TTB], CD, vmid8)).toEqual([]);
    },
  );

  test('is ignored in bypass, at EL2, and where there is no stage 2', () => {
    expect(fields([config(4), 0n, s2vmid, 0n], CD, vmid8)).toEqual([]);
    expect(fields([config(5), 2n << 30n, s2vmid, 0n], CD, vmid8)).toEqual([]);
    expect(fields([config(5), 0n, s2vmid, 0n], CD, { idr0: vmid8.idr0 & ~1n })).toEqual([]);
  });
});

describe('STE.EATS, where the SMMU has ATS', () => {
  const stalls = { idr0: IDR0 & ~(3n << 24n) };
  const s2s = 1n << 57n;
  const eats = (value: bigint) => value << 28n;

  test('split-stage needs both stages, and no stalls of stage 2', () => {
    expect(fields([config(7), eats(2n), STAGE2, S2TTB], CD, stalls)).toEqual([]);
    expect(fields([config(6), eats(2n), STAGE2, S2TTB], CD, stalls)).toEqual(['STE.EATS']);
    expect(fields([config(7), eats(2n), STAGE2 | s2s, S2TTB], CD, stalls)).toEqual(['STE.EATS']);
    expect(fields([config(7), eats(2n), STAGE2, S2TTB], CD, { idr0: stalls.idr0 | (1n << 11n) })).toEqual([
      'STE.EATS',
    ]);
  });

  test('full ATS needs no stalls of stage 2; in bypass, and without ATS, nothing counts', () => {
    expect(fields([config(6), eats(1n), STAGE2 | s2s, S2TTB], CD, stalls)).toEqual(['STE.EATS']);
    expect(fields([config(5), eats(1n), STAGE2 | s2s, S2TTB], CD, stalls)).toEqual([]);
    expect(fields([config(4), eats(2n), 0n, 0n], CD, stalls)).toEqual([]);
    expect(fields([config(6), eats(2n), STAGE2, S2TTB], CD, { idr0: stalls.idr0 & ~(1n << 10n) })).toEqual(
      [],
    );
  });
});

describe('hardware updates', () => {
  test('HA and HD are told each by itself', () => {
    const both: CdWords = [CD[0] | (3n << 42n), CD[1], 0n, 0n];
    expect(fields([config(5), 0n, 0n, 0n], both)).toEqual(['CD.HA', 'CD.HD']);
    expect(fields([config(6), 0n, STAGE2 | (3n << 55n), S2TTB])).toEqual(['STE.S2HA', 'STE.S2HD']);
    // HTTU 1: the access flag alone.
    expect(fields([config(5), 0n, 0n, 0n], both, { idr0: IDR0 | (1n << 6n) })).toEqual(['CD.HD']);
  });

  test('of table descriptors, HTTU 3, only with those of leaves', () => {
    const httu3 = { idr0: IDR0 | (3n << 6n) };
    expect(fields([config(6), 0n, STAGE2 | (1n << 59n), S2TTB], CD, httu3)).toEqual(['STE.S2HAFT']);
    expect(fields([config(6), 0n, STAGE2 | (9n << 56n), S2TTB], CD, httu3)).toEqual([]);
    expect(fields([config(6), 0n, STAGE2 | (1n << 59n), S2TTB], CD, { idr0: IDR0 | (2n << 6n) })).toEqual([]);
    expect(fields([config(5), 0n, 0n, 0n], [CD[0], CD[1] | 8n, 0n, 0n], httu3)).toEqual(['CD.HAFT']);
  });
});

test('a reserved S2SL0 is told as such, and one that does not fit by the S2T0SZ that would', () => {
  expect(fields([config(6), 0n, STAGE2 | (3n << 38n), S2TTB])).toEqual(['STE.S2SL0']);
  const level2: SteWords = [config(6), 0n, STAGE2 & ~(3n << 38n), S2TTB];
  expect(describeSte(memory, { ste: level2 }).problems).toMatchObject([
    { field: 'STE.S2T0SZ', value: 24n, rule: expect.stringMatching(/legal here: 30 to 39/) },
  ]);
});

test('S2TTB beyond 48 bits needs 64K or S2DS, whatever S2PS says', () => {
  const wide = { idr5: 0xf6n, idr3: 0x1404n };
  // S2PS 52 bits: 4K from level 1; 64K from level 2, S2T0SZ 24.
  const ps52 = (word: bigint): SteWords => [config(6), 0n, word, 1n << 48n];
  expect(fields(ps52(0x040e_0058_0000_0000n), CD, wide)).toEqual(['STE.S2TTB']);
  expect(fields(ps52(0x040e_4058_0000_0000n), CD, wide)).toEqual([]);
  expect(
    describeSte(memory, { ste: ps52(0x040e_0058_0000_0000n), identification: wide }).problems,
  ).toMatchObject([{ value: 1n << 48n, rule: 'beyond its 48 output bits' }]);
});

test('nothing else is reported about an entry that is not valid', () => {
  expect(fields([0xffff_ffff_ffff_fffen, -1n & 0xffff_ffff_ffff_ffffn, STAGE2, 0n])).toEqual(['STE.V']);
  expect(fields([config(5), 0n, 0n, 0n], [CD[0] & ~(1n << 31n) & ~(1n << 46n), 1n << 50n, 0n, 0n])).toEqual([
    'CD.V',
  ]);
});

test('CD.ENDI is told once, and not where no range is walked', () => {
  const big = (1n << 15n) | CD[0];
  expect(fields([config(5), 0n, 0n, 0n], [big & ~(1n << 30n), CD[1], 0n, 0n])).toContain('CD.ENDI');
  expect(
    fields([config(5), 0n, 0n, 0n], [big & ~(1n << 30n), CD[1], 0n, 0n]).filter(
      (field) => field === 'CD.ENDI',
    ),
  ).toHaveLength(1);
  expect(fields([config(5), 0n, 0n, 0n], [big | (1n << 14n), CD[1], 0n, 0n])).toEqual([]);
});

describe('AArch32 tables at EL2: one range, as Hyp mode has', () => {
  const el2: SteWords = [config(5), 2n << 30n, 0n, 0n];
  /** T0SZ 0, EPD1, V, IPS 44 bits, R, A: VMSAv8-32 LPAE. */
  const W0 = 0x6004_c000_0000n;
  const identification = { idr0: IDR0 };

  test('TTB1 is not looked at, and EPD0 is ignored', () => {
    const cd: CdWords = [(W0 | (1n << 14n)) & ~(1n << 30n), 0x4000_0000n, 1n << 50n, 0xffn];
    expect(fields(el2, cd, identification)).toEqual([]);
    expect(fields([config(5), 0n, 0n, 0n], cd, identification)).toEqual(['CD.TTB1']);
    const stream = createStream(memory, { ste: el2, cd, identification });
    expect(stream.translate(0x123n, read)).toMatchObject({ ok: true, pa: 0x8000_0123n });
    const { stages } = describeSte(memory, { ste: el2, cd, identification });
    expect(stages[0]!.ranges).toHaveLength(1);
    expect(stages[0]!.ranges[0]!.off).toBeUndefined();
  });

  test('T1SZ takes nothing from TTB0', () => {
    const cd: CdWords = [W0 | (1n << 16n), 0x4000_0000n, 0n, 0xffn];
    const stream = (ste: SteWords) => createStream(memory, { ste, cd, identification });
    // L1[3], which is empty: level 1; in the upper range of EL1, that EPD1 switches off.
    expect(
      stream(el2)
        .translate(0xc000_0000n, read)
        .steps.map(({ level }) => level),
    ).toEqual([1]);
    expect(stream([config(5), 0n, 0n, 0n]).translate(0xc000_0000n, read).steps).toEqual([]);
  });
});

test('AArch32 stage 2: bits [5:4] of S2T0SZ are ignored, and S2S is not the sign of it', () => {
  // S2T0SZ 0b1111, -1 by its four bits: 33 bits from level 1. S2AA64 0.
  const ste: SteWords = [config(6), 0n, 0x0400_004f_0000_0000n, S2TTB];
  const { stages, end } = describeSte(memory, { ste, identification: { idr0: IDR0 } });
  expect(end).toEqual({ ok: true, translation: 'stage 2' });
  expect(stages[0]!.ranges[0]).toMatchObject({
    size: { value: -1 },
    tables: { inputBits: 33 },
    problems: [],
  });
});

test('an SMMU with AArch32 tables alone has IPAs of 40 bits, whatever its outputs', () => {
  // TTF 1, stage 2 with S2T0SZ 0b1000 (-8): 40 bits from level 1. The bypassed stage 1 checks the size.
  const identification = { idr0: 0x0d44_1017n, idr5: 0x75n };
  const ste: SteWords = [config(6), 0n, 0x0400_0058_0000_0000n, S2TTB];
  const stream = createStream(memory, { ste, identification });
  expect(stream.translate(1n << 40n, read)).toMatchObject({ fault: { kind: 'address_size', stage: 1 } });
  expect(stream.translate((1n << 40n) - 1n, read)).toMatchObject({ fault: { stage: 2 } });
});

test('with AArch32 tables, an IPA has 40 bits where outputs have 36', () => {
  const ste: SteWords = [config(6), 0n, STAGE2, 0x4010_0000n];
  // OAS 36 bits; S2T0SZ 24.
  expect(fields(ste, CD, { idr0: 0x0d44_101fn, idr5: 0x71n })).toEqual([]);
  expect(fields(ste, CD, { idr0: 0x0d44_101bn, idr5: 0x71n })).toEqual(['STE.S2T0SZ']);
});

test('STRTAB_BASE.ADDR has bits [55:6]: an address beyond RAM is not read', () => {
  const registers = { strtabBase: (1n << 52n) | 0x4000_0000n, strtabBaseCfg: 0n };
  expect(describeStream(memory, registers, 0)).toMatchObject({
    table: { base: (1n << 52n) | 0x4000_0000n },
    end: { fault: { kind: 'f_ste_fetch', fetchAddress: (1n << 52n) | 0x4000_0000n } },
  });
});
