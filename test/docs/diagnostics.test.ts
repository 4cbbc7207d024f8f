/** Diagnostic codes: one meaning each, and a page that lists them all. */
import { expect, test } from 'vitest';
import { collectSites } from '../../tools/diagnostics/collect.ts';
import { meanings } from '../../tools/diagnostics/meanings.ts';
import { diagnosticsPage } from '../../tools/diagnostics/page.ts';

const sites = collectSites();
const codes = [...new Set(sites.map((site) => site.code))].sort();

test('docs/diagnostics.md is up to date (-u writes it anew)', async () => {
  await expect(diagnosticsPage(sites)).toMatchFileSnapshot('../../docs/diagnostics.md');
});

test('a code of the compiler is raised in one place', () => {
  const repeated = codes
    .filter((code) => code < 'MLX5')
    .map((code) => {
      const places = sites.filter((site) => site.code === code);
      const isFactory = places.every((site) => site.file.includes('diagnostics/problems/'));
      // intrinsics of one file may share a code; factories of problems may not
      return [code, ...new Set(places.map((p) => (isFactory ? `${p.file} ${p.owner}` : p.file)))];
    })
    .filter(([, ...places]) => places.length > 1);
  expect(repeated).toEqual([]);
});

test('every code of the compiler says what it means, in its messages or in words of its own', () => {
  const silent = codes.filter(
    (code) => code < 'MLX5' && sites.every((s) => s.code !== code || s.messages.length === 0),
  );
  expect(silent).toEqual(Object.keys(meanings).filter((code) => code < 'MLX5'));
});

test('every code from MLX5000 has a meaning or one message', () => {
  const unclear = codes.filter((code) => {
    if (code < 'MLX5' || meanings[code] !== undefined) return false;
    return sites.filter((site) => site.code === code).flatMap((s) => s.messages).length !== 1;
  });
  expect(unclear).toEqual([]);
  expect(Object.keys(meanings).filter((code) => !codes.includes(code))).toEqual([]);
});
