import { readdirSync, readFileSync } from 'node:fs';
import { defineConfig } from 'vitest/config';
import { common, LONG } from './vitest.config.ts';

/** Test files whose number of rounds depends on the run (`test/support/rounds.ts`). */
const searches = readdirSync('test', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.ts'))
  .map((file) => `test/${file}`)
  .filter((file) => readFileSync(file, 'utf8').includes('support/rounds.ts'));

export default defineConfig({
  test: { ...common, testTimeout: 300_000, include: [LONG, ...searches], env: { LPAE_LONG: '1' } },
});
