/**
 * tsx tools/diagnostics/main.ts
 *
 * Writes docs/diagnostics.md: the codes that the source raises, their messages, and examples from test/golden.
 */
import { writeFileSync } from 'node:fs';
import { collectSites } from './collect.ts';
import { diagnosticsPage } from './page.ts';

const page = new URL('../../docs/diagnostics.md', import.meta.url);
writeFileSync(page, diagnosticsPage(collectSites()));
