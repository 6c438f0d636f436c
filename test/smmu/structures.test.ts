/** Where an SMMUv3's structures are, and how far their addresses reach. (IHI 0070 3.4, 3.4.3, 5.2, 5.3, 6.3.25.) */
import { describe, expect, test } from 'vitest';
import { describeSte, describeStream } from '../../src/describe/index.ts';
import { type CdWords, createSmmu, createStream, type SteWords } from '../../src/smmu/index.ts';
import { memoryWith } from '../walker/table-builder.ts';

const read = { access: 'read' } as const;
/** V, Config 0b100: bypass. */
const BYPASS = 0x9n;
/** T0SZ 25, 4K, EPD1, V, IPS 44 bits, AA64, R, A; TTB0 0x4000_0000, where L1[0] is 1 GiB at 0x8000_0000. */
const CD: CdWords = [0x6204_c000_0019n, 0x4000_0000n, 0n, 0xffn];
const LEAF = { '0x40000000': 0x8000_0701n };
/** S2T0SZ 24, S2SL0 1, 4K, S2PS 44 bits, S2AA64, S2R; S2TTB[0] is 1 GiB at 0x4000_0000. */
const STAGE2 = 0x040c_0058_0000_0000n;

describe('SMMU_STRTAB_BASE_CFG (6.3.25)', () => {
  // StreamID 0x1000 (bypass) by a linear table of 2^16; what SIDSIZE 4 leaves is StreamIDs 0 to 15.
  const memory = memoryWith({ '0x40040000': BYPASS, '0x40000040': BYPASS });
  const registers = { strtabBase: 0x4000_0000n, strtabBaseCfg: 16n };

  test('the effective LOG2SIZE is at most SMMU_IDR1.SIDSIZE, where that is given', () => {
    expect(createSmmu(memory, registers).translate(0x1000, 0x77n, read)).toMatchObject({ ok: true });
    const small = createSmmu(memory, { ...registers, idr1: 4n, cr2: 2n });
    expect(small.translate(1, 0x77n, read)).toMatchObject({ ok: true, pa: 0x77n });
    expect(small.translate(0x1000, 0x77n, read)).toMatchObject({
      fault: { kind: 'c_bad_streamid' },
      event: [0x1000_0000_0002n, 0n, 0n, 0n],
    });
    const { table, end } = describeStream(memory, { ...registers, idr1: 4n }, 0x1000);
    expect(table).toMatchObject({ log2Size: 4, capped: true });
    expect(end).toMatchObject({ rule: expect.stringContaining('SMMU_IDR1.SIDSIZE') as string });
  });

  test('it counts where the table is aligned: to its effective size', () => {
    // 2^4 STEs are 1 KiB: bits [9:0] of the base are taken as 0, bits [21:10] are not.
    const at = { ...registers, strtabBase: 0x4004_0200n, idr1: 4n };
    expect(createSmmu(memory, at).translate(0, 0x77n, read)).toMatchObject({ ok: true, pa: 0x77n });
  });

  test('FMT and SPLIT are RES0 with SMMU_IDR0.ST_LEVEL = 0', () => {
    const twoLevels = { ...registers, strtabBaseCfg: 0x1_0190n };
    // By the first level the STE's word is a descriptor: Span 9, no array.
    expect(createSmmu(memory, twoLevels).translate(8, 0x77n, read).ok).toBe(false);
    const linear = createSmmu(memory, { ...twoLevels, idr0: 0x0544_101bn });
    expect(linear.translate(1, 0x77n, read)).toMatchObject({ ok: true, pa: 0x77n });
    const both = createSmmu(memory, { ...twoLevels, idr0: 0x0d44_101bn });
    expect(both.translate(1, 0x77n, read).ok).toBe(false);
  });
});

describe('tables of CDs', () => {
  const words = {
    ...LEAF,
    '0x402000c0': CD[0], // CD 3 of the table at 0x4020_0000
    '0x402000c8': CD[1],
    '0x402000d8': CD[3],
    '0x40400000': 0x4020_0001n, // L1CD[0]
    '0x40400008': (1n << 44n) | 1n, // L1CD[1]: beyond the OAS of 44 bits
    '0x40100000': 0x4000_07fdn, // stage 2: IPA 0 is PA 0x4000_0000
  };
  /** CD2L; SSIDSIZE 10. */
  const identification = { idr0: 0x0d4c_101bn, idr1: 0x0290n };
  const stream = (ste: SteWords) => createStream(memoryWith(words), { ste, streamId: 8, identification });

  test('a linear table is aligned to its size, a level 1 table to its own and 64 bytes', () => {
    // S1CDMax 4: 16 CDs of 64 bytes; bits [9:6] of S1ContextPtr are taken as 0.
    const linear = stream([0xbn | 0x4020_03c0n | (4n << 59n), 0n, 0n, 0n]);
    expect(linear.translate(0n, { ...read, substreamId: 3 })).toMatchObject({ ok: true, pa: 0x8000_0000n });
    // S1CDMax 10, S1Fmt 1: 16 level 1 descriptors are 128 bytes.
    const twoLevels = stream([0x1bn | 0x4040_0040n | (10n << 59n), 0n, 0n, 0n]);
    expect(twoLevels.translate(0n, { ...read, substreamId: 3 })).toMatchObject({ ok: true });
  });

  test('L1CD.L2Ptr beyond the OAS is C_BAD_SUBSTREAMID (3.4.3, note 3)', () => {
    const ste: SteWords = [0x1bn | 0x4040_0000n | (8n << 59n), 0n, 0n, 0n];
    expect(stream(ste).translate(0n, { ...read, substreamId: 67 })).toMatchObject({
      fault: { kind: 'c_bad_substreamid' },
      event: [0x8_0004_3008n, 0n, 0n, 0n],
    });
    const { end } = describeSte(memoryWith(words), { ste, identification }, 67);
    expect(end).toMatchObject({
      rule: 'L1CD.L2Ptr 0x100000000000 is beyond the 44 bits of output addresses',
    });
  });

  test('as an IPA it is left to stage 2, and C_BAD_SUBSTREAMID is said to be permitted (note 4)', () => {
    const ste: SteWords = [0x1fn | 0x40_0000n | (8n << 59n), 0n, STAGE2, 0x4010_0000n];
    expect(stream(ste).translate(0n, { ...read, substreamId: 67 })).toMatchObject({
      fault: { kind: 'translation', stage: 2, class: 'cd', ipa: (1n << 44n) | 0xc0n },
    });
    const { end } = describeSte(memoryWith(words), { ste, identification }, 67);
    expect(end).toMatchObject({ rule: expect.stringContaining('C_BAD_SUBSTREAMID is permitted') as string });
  });

  test('fetching a CD updates no table of stage 2 unless asked to', () => {
    // AF = 0, which S2HA sets.
    const memory = memoryWith({ ...words, '0x40100000': 0x4000_03fdn });
    const nested = createStream(memory, {
      ste: [0xfn | 0x20_00c0n, 0n, STAGE2 | (1n << 56n), 0x4010_0000n],
      identification: { idr0: 0x0d44_105bn },
    });
    nested.trees();
    nested.translate(0n, { ...read, update: false });
    expect(memory.read64(0x4010_0000n)).toBe(0x4000_03fdn);
    nested.translate(0n, read);
    expect(memory.read64(0x4010_0000n)).toBe(0x4000_07fdn);
  });
});

describe('AArch32 tables with an output size below 40 bits (3.4)', () => {
  /** TTF 0b11: AArch32 too; OAS 36 bits. */
  const identification = { idr0: 0x0d44_101fn, idr5: 0x71n };
  /** EPD1, V, R, A: AA64 0, T0SZ 0. */
  const CD32: CdWords = [0x6000_c000_0000n, 0x10_4000_0000n, 0n, 0xffn];
  const tables = {
    '0x40000000': 0xf0_8000_0701n, // L1[0]: 1 GiB at 0xf0_8000_0000
    '0x40000008': 0xf0_4000_1003n, // L1[1]: a table at 0xf0_4000_1000
    '0x40000010': 0x100_8000_0701n, // L1[2]: bit 40
    '0x40001000': 0x70_8000_0701n, // its L2[0]
  };

  test('outputs and addresses of tables are truncated, the base too', () => {
    const stream = createStream(memoryWith(tables), { ste: [0xbn, 0n, 0n, 0n], cd: CD32, identification });
    expect(stream.translate(0x1234n, read)).toMatchObject({ ok: true, pa: 0x8000_1234n });
    expect(stream.translate(0x4000_0234n, read)).toMatchObject({ ok: true, pa: 0x8000_0234n });
  });

  test('bits [47:40] are still an Address Size fault', () => {
    const stream = createStream(memoryWith(tables), { ste: [0xbn, 0n, 0n, 0n], cd: CD32, identification });
    expect(stream.translate(0x8000_0000n, read)).toMatchObject({ fault: { kind: 'address_size' } });
  });

  test('stage 2: S2AA64 0, S2SL0 1, S2T0SZ 0', () => {
    const ste: SteWords = [0xdn, 0n, 0x0400_0040_0000_0000n, 0x10_4000_0000n];
    const memory = memoryWith({ '0x40000000': 0xf0_8000_07fdn });
    expect(createStream(memory, { ste, identification }).translate(0x1234n, read)).toMatchObject({
      ok: true,
      pa: 0x8000_1234n,
    });
  });

  test('an IPA is taken whole: 40 bits', () => {
    // Stage 1 gives IPA 0xf0_8000_1234; stage 2 (AArch64, 40 bits) has 1 GiB at 0xc000_0000 there.
    const memory = memoryWith({ ...tables, '0x40002000': 0x4000_07fdn, '0x40003e10': 0xc000_07fdn });
    const walked = createStream(memory, {
      // S2T0SZ 24, S2SL0 1, 4K, S2PS 36 bits, S2AA64; two concatenated tables at 0x4000_2000.
      ste: [0xfn, 0n, 0x0409_0058_0000_0000n, 0x4000_2000n],
      cd: [CD32[0], 0n, 0n, 0xffn],
      identification,
    }).translate(0x1234n, read);
    expect(walked).toMatchObject({ ok: true, pa: 0xc000_1234n, stage1: { oa: 0xf0_8000_1234n } });
  });
});

describe('an AArch32 CD of EL2 (StreamWorld NS-EL2, 5.4)', () => {
  /** TTF 0b11; Hyp. STRW 0b10. */
  const identification = { idr0: 0x0d44_121fn };
  const ste: SteWords = [0xbn, 2n << 30n, 0n, 0n];
  const tables = {
    '0x40000000': 0x8000_0701n, // L1[0]: AP 0b00
    '0x40000018': 0xc000_0781n, // L1[3]: AP 0b10, read-only
  };

  test('EPDx are ignored, one range serves all addresses, every access is privileged', () => {
    // EPD0, EPD1, T0SZ 0, T1SZ 1; UWXN counts for nothing.
    const cd: CdWords = [0x6020_c001_4000n, 0x4000_0000n, 0n, 0xffn];
    const stream = createStream(memoryWith(tables), { ste, cd, identification });
    const user = { access: 'write', privileged: false } as const;
    expect(stream.translate(0x1234n, user)).toMatchObject({ ok: true, pa: 0x8000_1234n });
    expect(stream.translate(0x1234n, { access: 'execute' })).toMatchObject({ ok: true });
    expect(stream.translate(0xc000_0000n, read)).toMatchObject({ ok: true, pa: 0xc000_0000n });
    expect(stream.translate(0xc000_0000n, user)).toMatchObject({ fault: { kind: 'permission' } });
    expect(stream.translate(1n << 32n, read)).toMatchObject({ fault: { kind: 'translation' } });
  });

  test('with E2H it is ILLEGAL', () => {
    const memory = memoryWith({
      '0x40001000': ste[0] | 0x4000_2000n,
      '0x40001008': ste[1],
      '0x40002000': 0x6000_c000_0000n,
    });
    const registers = { strtabBase: 0x4000_1000n, strtabBaseCfg: 0n, ...identification };
    expect(createSmmu(memory, { ...registers, cr2: 1n }).translate(0, 0n, read)).toMatchObject({
      fault: { kind: 'c_bad_cd' },
    });
    expect(createSmmu(memory, registers).translate(0, 0n, read)).toMatchObject({
      fault: { kind: 'external_walk' },
    });
  });
});
