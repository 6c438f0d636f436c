import { configDefaults, defineConfig } from 'vitest/config';

/** Suites that need a program beside Node: QEMU or a browser. `vitest.live.config.ts` runs them. */
export const LIVE = 'test/**/live-*.test.ts';

/** What both runs share. */
export const common = {
  globalSetup: 'test/support/temp-folder.ts',
  // Vitest leaves one processor to itself, which of two is half.
  maxWorkers: '100%',
  testTimeout: 60_000,
};

export default defineConfig({
  test: { ...common, include: ['test/**/*.test.ts'], exclude: [...configDefaults.exclude, LIVE] },
});
