import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Diagnostics } from '../../diagnostics/diagnostic.ts';
import type { Module } from '../../syntax/ast.ts';
import { parse } from '../../syntax/parse.ts';
import { intrinsics } from './index.ts';

const library = new URL('../../../stdlib/', import.meta.url);

function parseLibrary(name: string): { readonly module: Module; readonly problems: Diagnostics } {
  const problems = new Diagnostics();
  const text = readFileSync(new URL(name, library), 'utf8');
  return { module: parse({ name, text }, problems), problems };
}

describe('the prelude', () => {
  test('documents every intrinsic in a sentence', () => {
    for (const [name, intrinsic] of intrinsics) {
      expect(intrinsic.doc, name).toMatch(/\S.*[.:`)]$/);
    }
  });

  test('says no name twice', () => {
    const { module } = parseLibrary('prelude.mlx');
    const written = module.declarations.map((d) => d.name.text);
    expect(written.filter((name) => intrinsics.has(name))).toEqual([]);
  });
});

describe.each(readdirSync(library).filter((f) => f.endsWith('.mlx')))('std %s', (file) => {
  const { module, problems } = parseLibrary(file);

  test('parses', () => {
    expect(problems.list).toEqual([]);
  });

  test('documents every public name', () => {
    const bare = module.declarations.filter((d) => d.isExported && d.doc === '');
    expect(bare.map((d) => d.name.text)).toEqual([]);
  });
});
