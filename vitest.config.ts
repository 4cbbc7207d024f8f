import { fileURLToPath } from 'node:url';
import { defineConfig, type ViteUserConfig } from 'vitest/config';

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

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
    exclude: ['node_modules/**', 'dist/**'],
    pool: 'threads',
    isolate: false,
    testTimeout: 60_000,
  },
});

export default config;
