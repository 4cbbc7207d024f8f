import { fileURLToPath } from 'node:url';
import { defineConfig, type ViteUserConfig } from 'vitest/config';

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

/**
 * The simulated Metal device has a run of its own, `npm run test:metal`: two threads of one process that have loaded it may crash
 * when the process ends, after all tests (docs/open-ends.md).
 */
const simulated: readonly string[] =
  process.env['MLXC_TEST_METAL'] === undefined ? ['test/metal-sim/**', 'tools/metal-sim/**'] : [];

const config: ViteUserConfig = defineConfig({
  resolve: {
    // samples import the package by its name; tests run the sources, not what was built before
    alias: [
      { find: /^mlxc$/, replacement: here('index.ts') },
      { find: /^mlxc\/runtime$/, replacement: here('runtime/index.ts') },
    ],
  },
  test: {
    include: [
      'compiler/**/*.test.ts',
      'runtime/**/*.test.ts',
      'test/**/*.test.ts',
      'tools/**/*.test.ts',
    ],
    exclude: ['node_modules/**', 'dist/**', ...simulated],
    pool: 'threads',
    isolate: false,
    testTimeout: 60_000,
  },
});

export default config;
