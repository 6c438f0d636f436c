/** Every bit of every register that a regime reads: flipped, it changes an answer, or it is said to do nothing. */
import { expect, test } from 'vitest';
import { answersOf, bitsOf, isReservedOne, isTold, SETTINGS } from './register-bits.ts';

test.each(SETTINGS)(
  '$name',
  (setting) => {
    const before = answersOf(setting);
    const silent = bitsOf(setting)
      .filter(({ name, bit }) => !isReservedOne(setting, name, bit) && !isTold(setting, name, bit, before))
      .map(({ name, bit }) => `${name}[${bit}]`);
    expect(silent).toEqual([]);
  },
  300_000,
);
