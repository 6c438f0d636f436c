/**
 * What SMMUv3.4 adds besides permissions: attribute index extension, access flags of table descriptors, the Protected attribute and AssuredOnly
 * checks. (IHI 0070 3.13.6, 3.27, 5.2 AssuredOnly, TL0, 5.4 AIE, MAIR0, PnCH, HAFT.)
 */
import { describe, expect, test } from 'vitest';
import { type CdWords, createSmmu, createStream, type SteWords } from '../../src/smmu/index.ts';
import { memoryWith } from '../walker/table-builder.ts';

const read = { access: 'read' } as const;
const STAGE1: SteWords = [0xbn, 0n, 0n, 0n];
/** T0SZ 25, EPD1, V, IPS 44 bits, AA64, R, A. */
const CD0 = 0x6204_c000_0019n;

describe('CD.AIE', () => {
  // Attr0 Non-cacheable, Attr1 Write-Back, Attr7 Device-nGnRE; the others Device-nGnRnE.
  const MAIR = 0x0400_0000_0000_ff44n;
  const cd: CdWords = [CD0, 0x4000_0000n, 1n << 3n, MAIR];
  const identification = { idr3: 0x80_1404n };
  const translate = (leaf: bigint, words = cd, id = identification) =>
    createStream(memoryWith({ '0x40000000': leaf }), {
      ste: STAGE1,
      cd: words,
      identification: id,
    }).translate(0x1234n, read);
  const device = (nGnRE: string) => ({ ok: true, attributes: { type: 'device', device: nGnRE } });

  test.each([0n, 1n, 2n, 7n])('AttrIndx[3] = 1 is the last type of MAIR, whatever is below (%d)', (low) => {
    expect(translate(0x0800_0000_8000_0701n | (low << 2n))).toMatchObject(device('nGnRE'));
  });

  test('AttrIndx[3] = 0 chooses as before, and so does every leaf without CD.AIE or SMMU_IDR3.AIE', () => {
    expect(translate(0x8000_0705n)).toMatchObject({ ok: true, attributes: { type: 'normal' } });
    const [w0, w1, , w3] = cd;
    for (const result of [
      translate(0x0800_0000_8000_0709n, [w0, w1, 0n, w3]),
      translate(0x0800_0000_8000_0709n, cd, { idr3: 0x1404n }),
    ]) {
      expect(result).toMatchObject(device('nGnRnE'));
    }
  });
});

describe('access flags of table descriptors, SMMU_IDR0.HTTU = 3', () => {
  const httu3 = { idr0: 0x0d44_10dbn };
  const TABLES = { '0x40000000': 0x4000_1003n, '0x40001000': 0x8000_0701n };

  test.each([
    ['CD.HA and HAFT', 1n << 43n, 8n, httu3, 0x4000_1403n],
    ['without HAFT', 1n << 43n, 0n, httu3, 0x4000_1003n],
    ['with HTTU 2', 1n << 43n, 8n, { idr0: 0x0d44_109bn }, 0x4000_1003n],
  ])('stage 1: %s', (_, ha, haft, identification, word) => {
    const memory = memoryWith(TABLES);
    const cd: CdWords = [CD0 | ha, 0x4000_0000n | haft, 0n, 0xffn];
    const stream = createStream(memory, { ste: STAGE1, cd, identification });
    expect(stream.translate(0x1234n, { ...read, update: false })).toMatchObject({ ok: true });
    expect(memory.read64(0x4000_0000n)).toBe(0x4000_1003n);
    expect(stream.translate(0x1234n, read)).toMatchObject({ ok: true, pa: 0x8000_1234n });
    expect(memory.read64(0x4000_0000n)).toBe(word);
  });

  test.each([
    ['S2HA and S2HAFT', 9n << 56n, 0x4000_1403n],
    ['without S2HAFT', 1n << 56n, 0x4000_1003n],
  ])('stage 2: %s', (_, flags, word) => {
    const memory = memoryWith({ '0x40000000': 0x4000_1003n, '0x40001000': 0x8000_07fdn });
    const ste: SteWords = [0xdn, 0n, 0x040c_0059_0000_0000n | flags, 0x4000_0000n];
    const stream = createStream(memory, { ste, identification: httu3 });
    expect(stream.translate(0x1234n, read)).toMatchObject({ ok: true, pa: 0x8000_1234n });
    expect(memory.read64(0x4000_0000n)).toBe(word);
  });
});

describe('translation hardening', () => {
  const PROTECTED = 1n << 52n;
  const ASSURED_ONLY = 1n << 58n;
  const PNCH = 1n << 58n;

  test('with CD.PnCH bit 52 is no contiguous hint', () => {
    const memory = memoryWith({ '0x40000000': PROTECTED | 0x8000_0701n });
    const contiguous = (w1: bigint, idr3: bigint) => {
      const cd: CdWords = [CD0, w1, 0n, 0xffn];
      return createStream(memory, { ste: STAGE1, cd, identification: { idr3 } }).translate(0x1234n, read);
    };
    expect(contiguous(0x4000_0000n | PNCH, 0x20_1404n)).toMatchObject({ ok: true, contiguous: false });
    expect(contiguous(0x4000_0000n, 0x20_1404n)).toMatchObject({ ok: true, contiguous: true });
    expect(contiguous(0x4000_0000n | PNCH, 0x1404n)).toMatchObject({ ok: true, contiguous: true });
  });

  /** Blocks of 2M at stage 2: tables of stage 1, the CD, the data. S2PII: PIIndex 0 RW+puX, PIIndex 1 MRO-TL0. */
  interface Nested {
    readonly tables?: bigint;
    readonly cd?: bigint;
    readonly descriptor?: bigint;
    readonly config?: bigint;
    readonly idr3?: bigint;
  }
  function nested(change: Nested) {
    const { tables = 0x7fdn, cd = ASSURED_ONLY | 0x7bdn, descriptor = PROTECTED, config = 7n } = change;
    const memory = memoryWith({
      '0x40000000': descriptor | 0x4000_1003n,
      '0x40001000': descriptor | 0x4040_0701n,
      '0x40100008': 0x4010_1003n,
      '0x40101000': 0x4000_0000n | tables,
      '0x40101008': 0x4020_0000n | cd,
      '0x40101010': 0x4040_0000n | ASSURED_ONLY | 0x7bdn,
      '0x40200000': CD0,
      '0x40200008': 0x4000_0000n | PNCH,
      '0x40200018': 0xffn,
      // The STE: S2PIE, AssuredOnly, TL0.
      '0x40102000': 0x4020_0001n | (config << 1n),
      '0x40102010': 0x140c_0059_0000_0000n,
      '0x40102018': 0x4010_0000n,
      '0x40102028': 3n << 9n,
    });
    const { idr3 = 0x28_1404n } = change;
    const registers = { strtabBase: 0x4010_2000n, strtabBaseCfg: 0n, s2pii: 0x6fn, idr3 };
    return createSmmu(memory, registers).translate(0, config === 6n ? 0x4040_0123n : 0x123n, read);
  }
  const denied = { ok: false, fault: { kind: 'permission', stage: 2, class: 'in', assuredOnly: true } };

  test('tables that are protected, below a CD in AssuredOnly memory, lead to AssuredOnly memory', () => {
    expect(nested({})).toMatchObject({ ok: true, pa: 0x4040_0123n });
  });

  test.each<[string, Nested]>([
    ['a CD in memory that is not AssuredOnly', { cd: 0x7bdn }],
    ['tables without Protected', { descriptor: 0n }],
    ['a stream without stage 1', { config: 6n }],
  ])('%s does not', (_, change) => {
    expect(nested(change)).toMatchObject(denied);
  });

  test('the first table of a walk has to be where TopLevel0 is', () => {
    expect(nested({ tables: 0x7bdn })).toMatchObject({
      ok: false,
      fault: { kind: 'permission', stage: 2, class: 'tt', topLevel: true },
    });
  });

  test('without SMMU_IDR3.THE none of it is checked', () => {
    expect(nested({ cd: 0x7bdn, descriptor: 0n, tables: 0x7bdn, idr3: 0x8_1404n })).toMatchObject({
      ok: true,
    });
  });
});
