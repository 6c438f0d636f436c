/** Every bit of the STE and the CD of legal streams: flipped, it changes an answer, or it is said to have no part, and has none. */
import { expect, test } from 'vitest';
import { answersOf, bitsOf, flipped, SETTINGS } from './stream-bits.ts';

test.each(SETTINGS)(
  '$name',
  (setting) => {
    const before = answersOf(setting);
    const found = bitsOf(setting).flatMap((bit) => {
      const verdict = flipped(setting, bit, before);
      return verdict === 'told' ? [] : [`${bit.join(' ')} ${verdict}`];
    });
    expect(found).toEqual([]);
  },
  300_000,
);
