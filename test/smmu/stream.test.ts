/** SMMUv3 streams from literal STE and CD words: bypass, stage 1, stage 2, nested, what is ILLEGAL, and the events. */
import { describe, expect, test } from 'vitest';
import { type CdWords, createSmmu, createStream, type SteWords } from '../../src/smmu/index.ts';
import { memoryWith } from '../walker/table-builder.ts';

const read = { access: 'read' } as const;
const write = { access: 'write' } as const;

/** V = 1 and Config: 4 bypass, 5 stage 1, 6 stage 2, 7 both. */
const config = (value: number) => BigInt(1 | (value << 1));
/** Stage 2 of 40 bits from level 1: S2T0SZ 24, SL0 1, 4K, S2PS 44 bits, AA64, S2R. S2TTB 0x4010_0000. */
const STAGE2 = 0x040c_0058_0000_0000n;
const S2TTB = 0x4010_0000n;
/** T0SZ 25, 4K, EPD1, V, IPS 44 bits, AA64, R, A. TTB0 0x4000_0000. */
const CD0 = 0x6204_c000_0019n;
const CD: CdWords = [CD0, 0x4000_0000n, 0n, 0xffn];

const tables = {
  '0x40000000': 0x8000_0701n, // stage 1 L1[0]: 1 GiB
  '0x40000008': 0x8000_0781n, // L1[1]: read-only
  '0x40000010': 0x8000_0301n, // L1[2]: AF = 0
  '0x40000018': 0x9_0000_0003n, // L1[3]: a table outside RAM
  '0x40100000': 0x4000_07fdn, // stage 2 L1[0]: IPA 0 is PA 0x4000_0000
  '0x40100008': 0x4000_07fdn, // L1[1]: IPA 0x4000_0000 is itself
  '0x40100010': 0xc000_07fdn, // L1[2]: IPA 0x8000_0000 is PA 0xc000_0000
};

function stream(ste: SteWords, cd?: CdWords, identification = {}) {
  return createStream(memoryWith(tables), { ste, streamId: 8, identification, ...(cd && { cd }) });
}

test('bypass: the address goes through, up to the output size', () => {
  const bypass = stream([config(4), 0n, 0n, 0n]);
  expect(bypass.translate(0xfff_ffff_ffffn, read)).toMatchObject({ ok: true, pa: 0xfff_ffff_ffffn });
  expect(bypass.translate(1n << 44n, write)).toMatchObject({
    ok: false,
    fault: { kind: 'address_size', stage: 1, class: 'in' },
    event: [0x8_0000_0011n, 0x202_0000_0000n, 1n << 44n, 0n],
  });
});

test('bypass of both stages is bounded by the OAS, though IPAs may be larger (3.4)', () => {
  // AArch32 tables have IPAs of 40 bits; SMMU_IDR5.OAS is 32 bits.
  const small = stream([config(4), 0n, 0n, 0n], undefined, { idr0: 0x0d44_101fn, idr5: 0x70n });
  expect(small.translate(0xffff_ffffn, read)).toMatchObject({ ok: true, pa: 0xffff_ffffn });
  expect(small.translate(1n << 32n, read)).toMatchObject({ fault: { kind: 'address_size', stage: 1 } });
});

test('Config 0b0xx aborts without an event; V = 0 is C_BAD_STE', () => {
  expect(stream([config(0), 0n, 0n, 0n]).translate(0n, read)).toMatchObject({
    fault: { kind: 'abort' },
    event: undefined,
  });
  expect(stream([0n, 0n, 0n, 0n]).translate(0n, read)).toMatchObject({
    fault: { kind: 'c_bad_ste' },
    event: [0x8_0000_0004n, 0n, 0n, 0n],
  });
});

describe('stage 1', () => {
  const s1 = stream([config(5), 0n, 0n, 0n], CD);

  test('translates', () => {
    expect(s1.translate(0x1234n, write)).toMatchObject({
      ok: true,
      pa: 0x8000_1234n,
      level: 1,
      size: 0x4000_0000n,
    });
  });

  test('faults leave an event with RnW, PnU, CLASS and the input address', () => {
    expect(s1.translate(0x4000_0000n, write)).toMatchObject({
      fault: { kind: 'permission', level: 1, stage: 1, class: 'in' },
      event: [0x8_0000_0013n, 0x202_0000_0000n, 0x4000_0000n, 0n],
    });
    expect(s1.translate(0x8000_0000n, { access: 'read', privileged: false })).toMatchObject({
      fault: { kind: 'access_flag', level: 1 },
      event: [0x8_0000_0012n, 0x208_0000_0000n, 0x8000_0000n, 0n],
    });
  });

  test('an aborted fetch of a stage-1 descriptor is F_WALK_EABT of class TT, with its address', () => {
    expect(s1.translate(0xc000_0008n, read)).toMatchObject({
      fault: { kind: 'external_walk', class: 'tt', fetchAddress: 0x9_0000_0000n },
    });
  });

  test('CD.AFFD: AF = 0 is no fault', () => {
    const affd = stream([config(5), 0n, 0n, 0n], [CD0 | (1n << 35n), CD[1], CD[2], CD[3]]);
    expect(affd.translate(0x8000_0000n, read)).toMatchObject({ ok: true, pa: 0x8000_0000n });
  });

  test('CD.R = 0: the fault is not recorded', () => {
    const silent = stream([config(5), 0n, 0n, 0n], [CD0 & ~(1n << 45n), CD[1], CD[2], CD[3]]);
    expect(silent.translate(0x4000_0000n, write)).toMatchObject({
      fault: { kind: 'permission' },
      event: undefined,
    });
  });

  test('F_WALK_EABT is recorded whatever CD.R says', () => {
    const silent = stream([config(5), 0n, 0n, 0n], [CD0 & ~(1n << 45n), CD[1], CD[2], CD[3]]);
    // CLASS TT, S2 = 0; the address of the descriptor.
    expect(silent.translate(0xc000_0008n, read)).toMatchObject({
      fault: { kind: 'external_walk' },
      event: [0x8_0000_000bn, 0x10a_0000_0000n, 0xc000_0008n, 0x9_0000_0000n],
    });
  });

  test('CD.PAN keeps privileged transactions from unprivileged pages', () => {
    const memory = memoryWith({ '0x40000000': 0x8000_0741n });
    const make = (w0: bigint) =>
      createStream(memory, { ste: [config(5), 0n, 0n, 0n], cd: [w0, CD[1], CD[2], CD[3]] });
    expect(make(CD0).translate(0n, read).ok).toBe(true);
    expect(make(CD0 | (1n << 40n)).translate(0n, read)).toMatchObject({ fault: { kind: 'permission' } });
    expect(make(CD0 | (1n << 40n)).translate(0n, { access: 'read', privileged: false }).ok).toBe(true);
  });

  test.each<[string, CdWords]>([
    ['V = 0', [CD0 & ~(1n << 31n), CD[1], 0n, 0n]],
    ['AA64 = 0 where there is no AArch32', [CD0 & ~(1n << 41n), CD[1], 0n, 0n]],
    ['A = 0 where termination always aborts', [CD0 & ~(1n << 46n), CD[1], 0n, 0n]],
    ['S = 1 where nothing stalls', [CD0 | (1n << 44n), CD[1], 0n, 0n]],
    ['HA = 1 without HTTU', [CD0 | (1n << 43n), CD[1], 0n, 0n]],
    ['big-endian tables', [CD0 | (1n << 15n), CD[1], 0n, 0n]],
    ['T0SZ 15', [(CD0 & ~0x3fn) | 15n, CD[1], 0n, 0n]],
    ['T0SZ 40', [(CD0 & ~0x3fn) | 40n, CD[1], 0n, 0n]],
    ['TG0 reserved', [CD0 | 0xc0n, CD[1], 0n, 0n]],
    ['TTB0 beyond the output size', [CD0, 1n << 44n, 0n, 0n]],
    ['TTB0 above 48 bits', [CD0, 1n << 50n, 0n, 0n]],
  ])('%s: C_BAD_CD', (_, cd) => {
    expect(stream([config(5), 0n, 0n, 0n], cd).translate(0n, read)).toMatchObject({
      fault: { kind: 'c_bad_cd' },
      event: [0x8_0000_000an, 0n, 0n, 0n],
    });
  });

  test.each([
    ['EL1', 0n, 0n, 'c_bad_cd'],
    ['EL2', 2n, 0n, undefined],
    ['EL2-E2H', 2n, 1n, 'c_bad_cd'],
  ])('ASID[15:8] without ASID16 in the StreamWorld %s: %3$s (5.4)', (_, strw, cr2, kind) => {
    const memory = memoryWith({
      ...tables,
      '0x40500000': config(5) | 0x4050_0040n,
      '0x40500008': strw << 30n,
      '0x40500040': CD0 | (0x100n << 48n),
      '0x40500048': 0x4000_0000n,
    });
    // SMMU_IDR0: Hyp, no ASID16.
    const registers = { strtabBase: 0x4050_0000n, strtabBaseCfg: 0n, cr2, idr0: 0x0d44_021bn };
    const result = createSmmu(memory, registers).translate(0, 0x1234n, read);
    expect(result.ok ? undefined : result.fault.kind).toBe(kind);
  });

  test('what EPD0 disables is not checked', () => {
    const cd: CdWords = [(CD0 & ~0x3fn) | 40n | (1n << 14n), 1n << 50n, 0n, 0n];
    expect(stream([config(5), 0n, 0n, 0n], cd).translate(0n, read)).toMatchObject({
      fault: { kind: 'translation', level: 0 },
    });
  });

  test('an AArch32 CD, where the SMMU has AArch32', () => {
    const cd: CdWords = [CD0 & ~(1n << 41n) & ~0x3fn & ~(1n << 30n), CD[1], 0n, CD[3]];
    const idr0 = 0x0d44_101fn; // TTF = 0b11
    expect(stream([config(5), 0n, 0n, 0n], cd, { idr0 }).translate(0x123n, read)).toMatchObject({
      pa: 0x8000_0123n,
    });
    expect(stream([config(5), 0n, 0n, 0n], cd, { idr0 }).translate(1n << 32n, read)).toMatchObject({
      fault: { kind: 'translation', level: 1 },
    });
  });
});

describe('stage 2 and nested', () => {
  const s2 = stream([config(6), 0n, STAGE2, S2TTB]);

  test('stage 2 alone takes the input for an IPA', () => {
    expect(s2.translate(0x8000_0123n, write)).toMatchObject({
      ok: true,
      pa: 0xc000_0123n,
      stage: 2,
      attributes: { byte: 0xff },
    });
    expect(s2.translate(0xc000_0123n, write)).toMatchObject({
      fault: { kind: 'translation', stage: 2, level: 1, class: 'in', ipa: 0xc000_0123n },
      event: [0x8_0000_0010n, 0x282_0000_0000n, 0xc000_0123n, 0xc000_0000n],
    });
    expect(s2.translate(1n << 44n, write)).toMatchObject({
      fault: { kind: 'address_size', stage: 1, class: 'in' },
    });
  });

  test('S2R = 0: a fault of stage 2 is not recorded', () => {
    const silent = stream([config(6), 0n, STAGE2 & ~(1n << 58n), S2TTB]);
    expect(silent.translate(0xc000_0123n, write)).toMatchObject({
      fault: { kind: 'translation', stage: 2 },
      event: undefined,
    });
  });

  test('S1ContextPtr of a nested STE is an IPA: beyond the OAS it is left to stage 2 (3.4.3)', () => {
    const beyond = 1n << 44n;
    expect(stream([config(5) | beyond, 0n, 0n, 0n]).translate(0n, read)).toMatchObject({
      fault: { kind: 'c_bad_ste' },
    });
    expect(stream([config(7) | beyond, 0n, STAGE2, S2TTB]).translate(0n, read)).toMatchObject({
      fault: { kind: 'translation', stage: 2, class: 'cd', ipa: beyond },
    });
  });

  test.each([
    ['S2HA', 0x40n, 1n << 56n, true],
    ['S2HA and S2HD', 0x40n, 3n << 55n, false],
    ['S2HA and S2HD', 0x80n, 3n << 55n, true],
  ])('%s with HTTU %s: legal is %4$s (5.2)', (_, httu, bits, legal) => {
    const updating = stream([config(6), 0n, STAGE2 | bits, S2TTB], undefined, { idr0: 0x0d44_101bn | httu });
    expect(updating.translate(0x8000_0123n, read)).toMatchObject(
      legal ? { ok: true, pa: 0xc000_0123n } : { fault: { kind: 'c_bad_ste' } },
    );
  });

  test('the CD is fetched through stage 2', () => {
    const memory = memoryWith({
      ...tables,
      '0x40200000': CD0,
      '0x40200008': 0x4000_0000n,
      '0x40200018': 0xffn,
    });
    const nested = (pointer: bigint) =>
      createStream(memory, { ste: [config(7) | pointer, 0n, STAGE2, S2TTB] });
    expect(nested(0x20_0000n).translate(0x1234n, write)).toMatchObject({
      ok: true,
      pa: 0xc000_1234n,
      stage1: { oa: 0x8000_1234n },
      stage2: { level: 1 },
    });
    expect(nested(0xc000_0000n).translate(0n, read)).toMatchObject({
      fault: { kind: 'translation', stage: 2, class: 'cd', ipa: 0xc000_0000n },
    });
    expect(nested(0x8000_0000n).translate(0n, read)).toMatchObject({
      fault: { kind: 'f_cd_fetch', fetchAddress: 0xc000_0000n },
      event: [0x9n, 0n, 0n, 0xc000_0000n],
    });
  });

  test('a CD that changes in memory is seen', () => {
    const memory = memoryWith({ ...tables, '0x40200000': CD0, '0x40200008': 0x4000_0000n });
    const s1 = createStream(memory, { ste: [config(5) | 0x4020_0000n, 0n, 0n, 0n] });
    expect(s1.translate(0n, read).ok).toBe(true);
    memory.write64(0x4020_0000n, 0n);
    expect(s1.translate(0n, read)).toMatchObject({ fault: { kind: 'c_bad_cd' } });
  });

  test.each<[string, bigint, bigint]>([
    ['S2TG reserved', STAGE2 | (3n << 46n), S2TTB],
    ['S2T0SZ below 64 - IAS', (STAGE2 & ~(0x3fn << 32n)) | (19n << 32n), S2TTB],
    ['S2SL0 that does not fit', STAGE2 & ~(3n << 38n), S2TTB],
    ['S2ENDI', STAGE2 | (1n << 52n), S2TTB],
    ['S2HA without HTTU', STAGE2 | (1n << 56n), S2TTB],
    ['S2S where nothing stalls', STAGE2 | (1n << 57n), S2TTB],
    ['S2AA64 = 0 without AArch32', STAGE2 & ~(1n << 51n), S2TTB],
    ['S2TTB beyond the output size', STAGE2, 1n << 44n],
    ['S2TTB[51:48]', STAGE2, 1n << 48n],
  ])('%s: C_BAD_STE', (_, ste2, ste3) => {
    expect(stream([config(6), 0n, ste2, ste3]).translate(0n, read)).toMatchObject({
      fault: { kind: 'c_bad_ste' },
    });
  });

  test('fields of a stage that is off are ignored', () => {
    expect(stream([config(5), 0n, ~0n & ((1n << 64n) - 1n), 1n << 48n], CD).translate(0n, read).ok).toBe(
      true,
    );
  });
});

describe('substreams', () => {
  /** SSIDSIZE 8, CD2L. */
  const identification = { idr1: 0x273_0210n, idr0: 0x0d4c_101bn };
  const cdAt = (address: number, ttb: bigint) => ({
    [`0x${address.toString(16)}`]: CD0,
    [`0x${(address + 8).toString(16)}`]: ttb,
  });
  const memory = memoryWith({
    ...tables,
    '0x40300000': 0xa000_0701n, // another stage-1 root
    ...cdAt(0x4020_0000, 0x4000_0000n), // CD 0
    ...cdAt(0x4020_00c0, 0x4030_0000n), // CD 3
    '0x40400008': 0x4020_0001n, // L1CD[1] -> the same table
  });
  const make = (ste0: bigint, s1Dss: bigint) =>
    createStream(memory, { ste: [ste0, s1Dss, 0n, 0n], identification });
  /** S1CDMax 4, linear table. */
  const linear = config(5) | 0x4020_0000n | (4n << 59n);

  test('a SubstreamID selects its CD', () => {
    const s = make(linear, 0n);
    expect(s.translate(0n, { access: 'read', substreamId: 3 })).toMatchObject({
      pa: 0xa000_0000n & ~0x3fff_ffffn,
    });
    expect(s.translate(0n, { access: 'read', substreamId: 16 })).toMatchObject({
      fault: { kind: 'c_bad_substreamid' },
      // No SSV: the SubstreamID is always of meaning. (7.3.9)
      event: [0x1_0008n, 0n, 0n, 0n],
    });
  });

  test('without one, S1DSS decides', () => {
    expect(make(linear, 0n).translate(0n, read)).toMatchObject({ fault: { kind: 'f_stream_disabled' } });
    expect(make(linear, 1n).translate(0x77n, read)).toMatchObject({ ok: true, pa: 0x77n });
    expect(make(linear, 2n).translate(0x77n, read)).toMatchObject({ ok: true, pa: 0x8000_0077n });
    expect(make(linear, 2n).translate(0n, { access: 'read', substreamId: 0 })).toMatchObject({
      fault: { kind: 'f_stream_disabled' },
    });
  });

  test('two levels of 4 KiB', () => {
    const s = make(config(5) | (1n << 4n) | 0x4040_0000n | (8n << 59n), 0n);
    expect(s.translate(0n, { access: 'read', substreamId: 67 })).toMatchObject({
      ok: true,
      pa: 0x8000_0000n,
    });
    expect(s.translate(0n, { access: 'read', substreamId: 3 })).toMatchObject({
      fault: { kind: 'c_bad_substreamid' },
    });
  });

  test('L1CD.L2Ptr is bits [55:12]; what stands in [11:1] is no part of it (5.3)', () => {
    memory.write64(0x4040_0010n, 0x4020_0fffn);
    const s = make(config(5) | (1n << 4n) | 0x4040_0000n | (8n << 59n), 0n);
    expect(s.translate(0n, { access: 'read', substreamId: 131 })).toMatchObject({
      ok: true,
      pa: 0x8000_0000n,
    });
  });
});
