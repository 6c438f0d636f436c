/** Bits of STEs and CDs: some of each stream, chosen at random. `long-stream-bits.test.ts` takes them all. */
import { expect, test } from 'vitest';
import { Random } from '../support/random.ts';
import { answersOf, bitsOf, flipped, SETTINGS } from './stream-bits.ts';

test('a bit that is flipped changes an answer, or is said to have no part, and has none', () => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  const random = new Random(seed);
  for (const setting of SETTINGS) {
    const before = answersOf(setting);
    expect([setting.name, before.ok]).toEqual([setting.name, true]);
    const bits = bitsOf(setting);
    for (let n = 0; n < 4; n++) {
      const bit = bits[random.between(0, bits.length - 1)]!;
      expect([seed, setting.name, ...bit, flipped(setting, bit, before)]).toEqual([
        seed,
        setting.name,
        ...bit,
        'told',
      ]);
    }
  }
});

test('what is said of fields that have no part', () => {
  const [stage1] = SETTINGS;
  const [w0, ...rest] = stage1!.ste;
  const said = (word1: bigint) =>
    answersOf({ ...stage1!, ste: [w0!, word1, ...rest.slice(1)] }).idle.map(
      ({ field, value, why, section }) => `${field} = ${value}: ${why} (${section})`,
    );
  expect(said(0n)).toEqual([]);
  expect(said(0x8_0000n)).toEqual(['STE.MEV = 1: leave to merge events (IHI 0070 5.2)']);
  expect(said(2n << 30n)).toEqual(['STE.STRW = 2: RES0: SMMU_IDR0.Hyp = 0 (IHI 0070 5.2)']);
  expect(said(4n)).toEqual(["STE.S1CIR = 1: attributes of the SMMU's own reads of CDs (IHI 0070 5.2)"]);
});
