import { configDefaults, defineConfig } from 'vitest/config';

/** Suites that need a program beside Node: QEMU, gdbserver, compilers or a browser. `vitest.live.config.ts` runs them. */
export const LIVE = 'test/**/live-*.test.ts';
/** Long searches. `vitest.long.config.ts` runs them. */
export const LONG = 'test/**/long-*.test.ts';

/** What all runs share. */
export const common = {
  globalSetup: 'test/support/temp-folder.ts',
  // Vitest leaves one processor to itself, which of two is half.
  maxWorkers: '100%',
  // A worker keeps the modules that it has loaded for its next file: a third of the processor time was loading. So a test puts back what it changes of a module or of the environment.
  isolate: false,
  testTimeout: 60_000,
};

export default defineConfig({
  test: { ...common, include: ['test/**/*.test.ts'], exclude: [...configDefaults.exclude, LIVE, LONG] },
});
