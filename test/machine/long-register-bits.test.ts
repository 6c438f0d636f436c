/** Every bit of every register that a regime reads: flipped, it changes an answer, or it is said to do nothing. */
import { expect, test } from 'vitest';
import { answersOf, bitsOf, isTold, RESERVED_ONES, SETTINGS } from './register-bits.ts';

test.each(SETTINGS)(
  '$name',
  (setting) => {
    const before = answersOf(setting);
    const silent = bitsOf(setting)
      .filter(({ name, bit }) => !isTold(setting, name, bit, before))
      .map(({ name, bit }) => `${name}[${bit}]`);
    const names = Object.keys(setting.registers);
    expect(silent).toEqual(RESERVED_ONES.filter((one) => names.includes(one.replace(/\[.*/, ''))));
  },
  300_000,
);
