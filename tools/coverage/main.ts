/**
 * tsx tools/coverage/main.ts
 *
 * Writes docs/coverage.md: cases of the tests by primitive, dtype and rule, and the functions of MLX and NumPy by our names.
 */
import { writeFileSync } from 'node:fs';
import { coveragePage } from './page.ts';

writeFileSync(new URL('../../docs/coverage.md', import.meta.url), coveragePage());
