/** The table of QEMU's deviations: rules that can be named, and say what they rest on. */
import { expect, test } from 'vitest';
import { deviations } from './qemu/deviations.ts';

test('every deviation has a name of its own', () => {
  const names = deviations.map(({ name }) => name);
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
});

test.each(deviations.map((rule) => [rule.name, rule] as const))(
  '%s says what the architecture says, what QEMU does, and for which releases',
  (_, { section, text, since = 0, before = 9999 }) => {
    expect(section).toMatch(/[A-Z]?\d+\.\d+|AArch(64|32)\.\w+|FEAT_\w+|S2Combine\w+/);
    expect(text).not.toBe('');
    expect(since).toBeLessThan(before);
  },
);
