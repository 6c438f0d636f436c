import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/support/temp-folder.ts',
    // Vitest leaves one processor to itself, which of two is half.
    maxWorkers: '100%',
    testTimeout: 60_000,
  },
});
