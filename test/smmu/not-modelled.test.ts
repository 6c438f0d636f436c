/** What an STE or CD can't be answered for, and controls of features that the SMMU does not have. (IHI 0070 3.26, 3.27, 6.3.6.) */
import { describe, expect, test } from 'vitest';
import { describeSte } from '../../src/describe/index.ts';
import { type CdWords, createSmmu, createStream, type SteWords } from '../../src/smmu/index.ts';
import { WalkerError } from '../../src/walker/index.ts';
import { memoryWith } from '../walker/table-builder.ts';

const read = { access: 'read' } as const;
const memory = memoryWith({ '0x40000000': 0x8000_0701n, '0x40100000': 0x4000_07fdn });
const STAGE1: SteWords = [0xbn, 0n, 0n, 0n];
const STAGE2: SteWords = [0xdn, 0n, 0x040c_0058_0000_0000n, 0x4010_0000n];
const CD: CdWords = [0x6204_c000_0019n, 0x4000_0000n, 0n, 0xffn];

/** The words with a bit of the 512 set. */
function withBits<T extends readonly bigint[]>(words: T, ...bits: number[]): T {
  const copy = [...words];
  for (const bit of bits) {
    const at = Math.floor(bit / 64);
    while (copy.length <= at) copy.push(0n);
    copy[at] = copy[at]! | (1n << BigInt(bit % 64));
  }
  return copy as readonly bigint[] as T;
}

/** SMMU_IDR3: the defaults, and S1PI [18], S2PI [19], S2PO [20], THE [21], AIE [23]. */
const idr3 = (bit: number) => 0x1404n | (1n << BigInt(bit));

describe('asked for, and no answer: refused', () => {
  test.each<[string, RegExp, SteWords, CdWords | undefined, object]>([
    [
      'CD.AA64',
      /^CD\.AA64 = 0 asks for .*not modelled/,
      STAGE1,
      [CD[0] & ~(1n << 41n), CD[1], CD[2], CD[3]],
      { idr5: 0x174n },
    ],
    [
      'STE.S2AA64',
      /^STE\.S2AA64 = 0 asks for .*not modelled/,
      [STAGE2[0], 0n, STAGE2[2] & ~(1n << 51n), STAGE2[3]],
      undefined,
      { idr5: 0x174n, idr0: 0x0d44_101fn },
    ],
    [
      'STE.S2PIE without SMMU_S2PII',
      /^STE\.S2PIE = 1: .* SMMU_S2PII, which is not given/,
      withBits(STAGE2, 188),
      undefined,
      { idr3: idr3(19) },
    ],
  ])('%s', (_, message, ste, cd, identification) => {
    const description = { ste, identification, ...(cd && { cd }) };
    const stream = createStream(memory, description);
    for (const asked of [
      () => stream.translate(0x1234n, read),
      () => stream.trees(),
      () => describeSte(memory, description),
    ]) {
      expect(asked).toThrow(WalkerError);
      expect(asked).toThrow(message);
    }
  });

  test('of an SMMU with a stream table too; SMMU_S2PII makes it an answer', () => {
    const words = { '0x40002000': STAGE2[0], '0x40002010': STAGE2[2] | (1n << 60n), '0x40002018': STAGE2[3] };
    const ram = memoryWith({ ...words, '0x40100000': 0x4000_07fdn });
    const registers = { strtabBase: 0x4000_2000n, strtabBaseCfg: 0n, idr3: idr3(19) };
    const translate = (more: object) =>
      createSmmu(ram, { ...registers, ...more }).translate(0, 0x1234n, read);
    expect(() => translate({})).toThrow(/^STE\.S2PIE = 1/);
    expect(translate({ s2pii: 0x8888_8888_8888_8888n })).toMatchObject({ ok: true, pa: 0x4000_1234n });
    expect(translate({ idr3: 0x1404n })).toMatchObject({ ok: true });
  });
});

describe('not asked for, though there: direct permissions', () => {
  test.each<[string, SteWords, CdWords]>([
    ['S1PI without STE.S1PIE', STAGE1, withBits(CD, 187)],
    ['S1PI without CD.PIE', withBits(STAGE1, 88), CD],
  ])('%s', (_, ste, cd) => {
    const stream = createStream(memory, { ste, cd, identification: { idr3: idr3(18) } });
    expect(stream.translate(0x1234n, read)).toMatchObject({ ok: true, pa: 0x8000_1234n });
  });

  test('CD.PIE without STE.S1PIE is told', () => {
    const identification = { idr3: idr3(18) };
    const { problems } = describeSte(memory, { ste: STAGE1, cd: withBits(CD, 187), identification });
    expect(problems).toMatchObject(
      [{ field: 'CD.PIE', effect: 'ignored', rule: /STE\.S1PIE = 0/ }].map(({ rule, ...rest }) => ({
        ...rest,
        rule: expect.stringMatching(rule) as string,
      })),
    );
  });
});

describe('asked for, and not there: RES0, which is told', () => {
  test.each<[string, SteWords, CdWords | undefined]>([
    ['STE.S1PIE', withBits(STAGE1, 88), CD],
    ['CD.AIE', STAGE1, withBits(CD, 131)],
    ['CD.PnCH', STAGE1, withBits(CD, 122)],
    ['CD.PIE', STAGE1, withBits(CD, 187)],
    ['STE.S2PIE', withBits(STAGE2, 188), undefined],
    ['STE.S2POE', withBits(STAGE2, 189), undefined],
    ['STE.AssuredOnly', withBits(STAGE2, 329), undefined],
    ['STE.TL0', withBits(STAGE2, 330), undefined],
    ['STE.TL1', withBits(STAGE2, 331), undefined],
  ])('%s', (name, ste, cd) => {
    const description = { ste, ...(cd && { cd }) };
    expect(createStream(memory, description).translate(0x1234n, read)).toMatchObject({ ok: true });
    const { problems, end } = describeSte(memory, description);
    expect(end.ok).toBe(true);
    expect(problems).toMatchObject([{ field: name, value: 1n, effect: 'ignored' }]);
  });
});
