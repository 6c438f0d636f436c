/** `lpae explore` on the command line: what it refuses before anything is served. */
import { expect, test } from 'vitest';
import { lpae } from './run.ts';

test('the page alone is written: a request goes into a link', async () => {
  const { code, err } = await lpae(['explore', 'request.json', '--write', 'explorer.html']);
  expect(code).toBe(2);
  expect(err).toContain('--write writes the page alone');
});

test('a file that is there is not overwritten', async () => {
  const { code, err } = await lpae(['explore', '--write', 'package.json']);
  expect(code).toBe(2);
  expect(err).toContain('package.json already exists');
});
