/** Damaged images on the command line: exit code 3 with a message, or an answer, soon; and no mistake of the program's own. */
import { expect, test } from 'vitest';
import { FILES, runDamaged, written } from '../fuzz/images.ts';
import { lpae } from './run.ts';

test('whole, every one of them can be read', async () => {
  for (const [name, whole, options] of FILES) {
    const { code, err } = await lpae(['dump', written(name, whole), ...options]);
    expect([name, code, err.includes('internal')]).toEqual([name, 0, false]);
  }
});

test('1,200 damaged ones', async () => {
  const codes = new Map<number, number>();
  for (let round = 0; round < 1200; round++) {
    const code = await runDamaged(20261125, round);
    codes.set(code, (codes.get(code) ?? 0) + 1);
  }
  // Each kind of end is met: the damage is neither always fatal nor never.
  for (const code of [0, 3]) expect(codes.get(code)).toBeGreaterThan(50);
}, 120_000);
