/** Streams described: a real machine's tables, every way in which one ends, and random words held against translations. */
import { describe, expect, test } from 'vitest';
import { describeSte, describeStream } from '../../src/describe/index.ts';
import { PhysicalMemory } from '../../src/memory/index.ts';
import type { CdWords, SteWords } from '../../src/smmu/index.ts';
import { WalkerError } from '../../src/walker/index.ts';
import { memoryWith } from '../walker/table-builder.ts';

/** V = 1 and Config: 4 bypass, 5 stage 1, 6 stage 2, 7 both. */
const config = (value: number) => BigInt(1 | (value << 1));
/** Stage 2 of 40 bits from level 1: S2T0SZ 24, SL0 1, 4K, S2PS 44 bits, AA64, S2R, VMID 0x21. */
const STAGE2 = 0x040c_0058_0000_0021n;
const S2TTB = 0x4010_0000n;
/** T0SZ 25, 4K, EPD1, V, IPS 44 bits, AA64, R, A, ASID 5. */
const CD0 = 0x5_6204_c000_0019n;
const CD: CdWords = [CD0, 0x4000_0000n, 0n, 0xffn];
/** SSIDSIZE 8 and two-level tables of CDs. */
const SUBSTREAMS = { idr0: 0x0d4c_101bn, idr1: 0x273_0210n };

describe('Linux on a machine with an SMMUv3', () => {
  const memory = new PhysicalMemory({ base: 0x4000_0000n, size: 0xa000_0000n });
  const words: readonly (readonly [bigint, bigint])[] = [
    [0x4846_0000n, 0xd92c_0009n],
    [0xd92c_0000n, 1n],
    [0xd92c_0200n, 0x4419_700bn],
    [0xd92c_0208n, 0xd6n],
    [0x4419_7000n, 0x1_e204_c000_3510n],
    [0x4419_7008n, 0x4419_6000n],
    [0x4419_7018n, 0xffff_ffff_f404_ff44n],
  ];
  for (const [pa, word] of words) memory.write64(pa, word);
  const registers = {
    idr0: 0xd40_101an,
    idr1: 0x273_0010n,
    idr3: 0x1404n,
    idr5: 0x74n,
    cr0: 0xdn,
    cr2: 6n,
    gbpa: 0n,
    strtabBase: 0x4000_0000_4846_0000n,
    strtabBaseCfg: 0x1_0210n,
  };

  test.each([
    ['SPLIT 7', { strtabBaseCfg: 0x1_01d0n }, ['SMMU_STRTAB_BASE_CFG.SPLIT', 7n]],
    ['FMT 2', { strtabBaseCfg: 0x2_0210n }, ['SMMU_STRTAB_BASE_CFG.FMT', 2n]],
    ['two levels, of an SMMU without them', { idr0: 0x540_101an }, ['SMMU_STRTAB_BASE_CFG.FMT', 1n]],
    ['a base inside the table', { strtabBase: 0x4846_0040n }, ['SMMU_STRTAB_BASE.ADDR', 0x4846_0040n]],
  ])('%s is said, and how it is read', (_, odd, [field, value]) => {
    const { problems } = describeStream(memory, { ...registers, ...odd }, 8);
    expect(problems.map(({ effect }) => effect)).toContain('ignored');
    expect(problems).toContainEqual(expect.objectContaining({ field, value, effect: 'ignored' }));
  });

  test('StreamID 8: two levels, SPLIT 8, one CD, TTB0 from level 0', () => {
    expect(describeStream(memory, registers, 8)).toMatchObject({
      enabled: true,
      table: {
        base: 0x4846_0000n,
        log2Size: 16,
        split: 8,
        level1: { index: 0, address: 0x4846_0000n, descriptor: 0xd92c_0009n, span: 9, pointer: 0xd92c_0000n },
      },
      ste: {
        address: 0xd92c_0200n,
        config: 'stage 1',
        world: 'el1',
        contexts: { pointer: 0x4419_7000n, format: 'single', s1CdMax: 0 },
      },
      cd: {
        index: 0,
        place: { address: 0x4419_7000n, pa: 0x4419_7000n },
        fields: { asid: 1, aarch64: true, record: true, abort: true, pan: false },
      },
      stages: [
        {
          stage: 1,
          tag: { name: 'ASID', value: 1, bits: 16 },
          ranges: [
            {
              register: 'CD.TTB0',
              tables: {
                startLevel: 0,
                entries: 512,
                inputBits: 48,
                tableBase: 0x4419_6000n,
                output: { bits: 44, field: 'CD.IPS' },
              },
              problems: [],
            },
            { off: { field: 'CD.EPD1' }, problems: [] },
          ],
          problems: [],
        },
      ],
      end: { ok: true, translation: 'stage 1' },
      problems: [],
    });
  });

  test.each([
    [0, 'abort', /Config 0b0xx/],
    [1, 'c_bad_ste', /not valid/],
    [256, 'c_bad_streamid', /Span 0/],
    [65536, 'c_bad_streamid', /2\^16 StreamIDs/],
  ])('StreamID %i ends with %s', (streamId, kind, rule) => {
    const { end, stages } = describeStream(memory, registers, streamId);
    expect(end).toMatchObject({ ok: false, fault: { kind }, rule: expect.stringMatching(rule) });
    expect(stages).toEqual([]);
  });

  test('switched off, it passes or aborts', () => {
    expect(describeStream(memory, { ...registers, cr0: 0n }, 8)).toMatchObject({
      enabled: false,
      end: { ok: true, translation: 'bypass' },
    });
    expect(describeStream(memory, { ...registers, cr0: 0n, gbpa: 1n << 20n }, 8).end).toMatchObject({
      fault: { kind: 'abort' },
    });
  });

  test('a linear table aligns its base to its size; one outside RAM', () => {
    const linear = { strtabBase: 0x4419_7040n, strtabBaseCfg: 4n };
    expect(describeStream(memory, linear, 1)).toMatchObject({
      table: { base: 0x4419_7000n, log2Size: 4 },
      ste: { address: 0x4419_7040n },
    });
    expect(describeStream(memory, { ...linear, strtabBase: 0n }, 1).end).toMatchObject({
      fault: { kind: 'f_ste_fetch', fetchAddress: 0x40n },
    });
  });

  test('spans that are too large, and StreamIDs beyond one', () => {
    const two = (word: bigint) =>
      describeStream(
        memoryWith({ '0x40000000': word }),
        { strtabBase: 0x4000_0000n, strtabBaseCfg: 0x1_0188n },
        5,
      );
    expect(two(0x4000_1003n).end).toMatchObject({
      rule: expect.stringMatching(/4 entries, and this is beyond/),
    });
    expect(two(0x4000_1008n).end).toMatchObject({
      rule: expect.stringMatching(/Span 8 counts as 0.* at most 7/),
    });
  });

  test('a StreamID that no device can send is an error of the caller', () => {
    expect(() => describeStream(memory, registers, -1)).toThrow(WalkerError);
  });
});

describe('an STE by itself', () => {
  const tables = {
    '0x40100000': 0x4000_07fdn, // stage 2 L1[0]: IPA 0 is PA 0x4000_0000
    '0x40100008': 0x4000_07fdn, // L1[1]: IPA 0x4000_0000 is itself
    '0x40002000': CD0,
    '0x40002008': 0x4000_0000n,
    '0x40003000': 0x4000_2001n, // L1CD[0]
    '0x40000000': 0x4000_2001n, // L1CD[0] for a nested stream, through stage 2
  };
  const memory = memoryWith(tables);
  const of = (ste: SteWords, cd?: CdWords, identification = {}, substreamId?: number) =>
    describeSte(memory, { ste, identification, ...(cd && { cd }) }, substreamId);

  test('stage 2 alone, with its VMID and two concatenated tables', () => {
    expect(of([config(6), 0n, STAGE2, S2TTB])).toMatchObject({
      ste: { config: 'stage 2' },
      stages: [
        {
          stage: 2,
          tag: { name: 'VMID', value: 0x21 },
          stage2: { sl0: 1, smallestT0sz: 20 },
          ranges: [
            {
              register: 'STE.S2TTB',
              tables: { startLevel: 1, concatenated: 2, tableBase: S2TTB, output: { bits: 44 } },
              problems: [],
            },
          ],
        },
      ],
      end: { ok: true, translation: 'stage 2' },
    });
  });

  test('nested: the CD is at an IPA', () => {
    expect(of([config(7) | 0x2000n, 0n, STAGE2, S2TTB])).toMatchObject({
      cd: { place: { address: 0x2000n, pa: 0x4000_2000n }, fields: { asid: 5 } },
      stages: [
        { stage: 1, ranges: [{ tables: { inputBits: 39, startLevel: 1 } }, { off: { field: 'CD.EPD1' } }] },
        { stage: 2 },
      ],
      end: { ok: true, translation: 'nested' },
    });
    expect(of([config(7) | 0x8000_0000n, 0n, STAGE2, S2TTB]).end).toMatchObject({
      fault: { kind: 'translation', stage: 2, class: 'cd' },
      rule: expect.stringMatching(/stage 2 does not let/),
    });
  });

  test('stage 2 with S2DS: level -1 by S2SL0 and its upper bit', () => {
    // S2T0SZ 12, SL0 0, 4K, S2PS 52 bits.
    const ste: SteWords = [config(6), 0n, 0x040e_000c_0000_0000n, S2TTB | 0xcn];
    expect(of(ste, undefined, { idr5: 0xf6n, idr3: 0x1404n }).stages).toMatchObject([
      {
        stage2: { sl0: 0, sl2: 1, smallestT0sz: 12 },
        ranges: [
          { tables: { startLevel: -1, entries: 16, wideAddress: 'lpa2', tableBase: S2TTB }, problems: [] },
        ],
      },
    ]);
  });

  test('stage 2 with S2DS and two tables at level 0', () => {
    const ste: SteWords = [config(6), 0n, 0x040e_008f_0000_0000n, S2TTB | 8n];
    expect(of(ste, undefined, { idr5: 0xf6n, idr3: 0x1404n }).stages).toMatchObject([
      {
        stage2: { sl0: 2, sl2: 0, smallestT0sz: 12 },
        ranges: [{ tables: { startLevel: 0, concatenated: 2 }, problems: [] }],
      },
    ]);
  });

  test('EL2 with E2H takes AArch64 tables alone', () => {
    const el2 = memoryWith({
      '0x40001000': config(5) | 0x4000_2000n,
      '0x40001008': 2n << 30n,
      '0x40002000': 0x6000_c002_3504n,
    });
    const registers = { idr0: 0x0d44_121fn, strtabBase: 0x4000_1000n, strtabBaseCfg: 0n };
    expect(describeStream(el2, { ...registers, cr2: 1n }, 0)).toMatchObject({
      ste: { world: 'el2-e2h' },
      end: { fault: { kind: 'c_bad_cd' } },
      problems: [{ field: 'CD.AA64', value: 0n }],
    });
    expect(describeStream(el2, registers, 0)).toMatchObject({ ste: { world: 'el2' }, end: { ok: true } });
  });

  test('a CD with AArch32 tables: sizes of three bits, EPD1', () => {
    const cd: CdWords = [0x6000_c002_3504n, 0x4000_0000n, 0n, 0n];
    expect(of([config(5), 0n, 0n, 0n], cd, { idr0: 0x0d44_101fn })).toMatchObject({
      cd: { fields: { aarch64: false } },
      stages: [
        {
          format: 'AArch32 long',
          ranges: [
            {
              size: { field: 'CD.T0SZ', value: 4 },
              tables: { startLevel: 2, entries: 128, lastIa: 0xfff_ffffn },
            },
            { size: { field: 'CD.T1SZ', value: 2 }, off: { field: 'CD.EPD1' } },
          ],
        },
      ],
      end: { ok: true },
    });
  });

  test('two-level CDs: the level 1 descriptor, and what a transaction without SubstreamID takes', () => {
    // S1CDMax 8, S1Fmt 1; S1DSS 2: CD 0 without a SubstreamID.
    const ste = (dss: bigint): SteWords => [config(5) | 0x4000_3010n | (8n << 59n), dss, 0n, 0n];
    expect(of(ste(2n), undefined, SUBSTREAMS)).toMatchObject({
      ste: { contexts: { format: 'two-level, 4K leaves', withoutSubstream: 'CD 0' } },
      cd: {
        index: 0,
        level1: { address: 0x4000_3000n, descriptor: 0x4000_2001n },
        place: { address: 0x4000_2000n },
      },
      end: { ok: true },
    });
    expect(of(ste(2n), undefined, SUBSTREAMS, 64).end).toMatchObject({
      fault: { kind: 'c_bad_substreamid' },
      section: 'IHI 0070 5.3',
    });
    expect(of(ste(2n), undefined, SUBSTREAMS, 0).end).toMatchObject({ fault: { kind: 'f_stream_disabled' } });
    expect(of(ste(0n), undefined, SUBSTREAMS).end).toMatchObject({ fault: { kind: 'f_stream_disabled' } });
    expect(of(ste(1n), undefined, SUBSTREAMS)).toMatchObject({
      stages: [],
      end: { ok: true, translation: 'bypass' },
    });
    expect(of(ste(2n), undefined, SUBSTREAMS, 256).end).toMatchObject({ rule: expect.stringMatching(/256/) });
    expect(of([config(4), 0n, 0n, 0n], undefined, {}, 1).end).toMatchObject({
      rule: expect.stringMatching(/without stage 1/),
    });
  });

  test.each<[string, CdWords, string]>([
    ['V = 0', [CD0 & ~(1n << 31n), 0n, 0n, 0n], 'CD.V'],
    ['a reserved granule', [CD0 | 0xc0n, 0x4000_0000n, 0n, 0n], 'CD.TG0'],
    ['T0SZ 5', [(CD0 & ~0x3fn) | 5n, 0x4000_0000n, 0n, 0n], 'CD.T0SZ'],
    ['TTB0 beyond the output', [CD0, 1n << 44n, 0n, 0n], 'CD.TTB0'],
    ['AArch32 tables', [CD0 & ~(1n << 41n), 0x4000_0000n, 0n, 0n], 'CD.AA64'],
    ['HA without HTTU', [CD0 | (1n << 43n), 0x4000_0000n, 0n, 0n], 'CD.HA'],
    ['a stall', [CD0 | (1n << 44n), 0x4000_0000n, 0n, 0n], 'CD.S'],
  ])('C_BAD_CD says why: %s', (_, cd, field) => {
    const { end, problems } = of([config(5), 0n, 0n, 0n], cd);
    expect(end).toMatchObject({ fault: { kind: 'c_bad_cd' } });
    expect(problems.map((problem) => problem.field)).toEqual([field]);
  });

  test.each<[string, SteWords, string]>([
    ['V = 0', [0n, 0n, 0n, 0n], 'STE.V'],
    ['S2SL0 that does not fit', [config(6), 0n, STAGE2 & ~(3n << 38n), S2TTB], 'STE.S2T0SZ'],
    ['S2TTB beyond the output', [config(6), 0n, STAGE2, 1n << 44n], 'STE.S2TTB'],
    ['AArch32 tables', [config(6), 0n, STAGE2 & ~(1n << 51n) & ~(0x3fn << 32n), S2TTB], 'STE.S2AA64'],
    ['a context pointer beyond the output', [config(5) | (1n << 44n), 0n, 0n, 0n], 'STE.S1ContextPtr'],
  ])('C_BAD_STE says why: %s', (_, ste, field) => {
    const { end, problems, stages } = of(ste, CD);
    expect(end).toMatchObject({ fault: { kind: 'c_bad_ste' } });
    expect(problems.map((problem) => problem.field)).toContain(field);
    expect(stages).toEqual([]);
  });
});
