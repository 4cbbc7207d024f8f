/**
 * tsx tools/reference/main.ts
 *
 * Writes docs/stdlib.md: every public function of the standard library with what its example gives.
 */
import { writeFileSync } from 'node:fs';
import { referencePage } from './page.ts';

writeFileSync(new URL('../../docs/stdlib.md', import.meta.url), referencePage());
