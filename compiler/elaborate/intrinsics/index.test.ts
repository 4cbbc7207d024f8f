import { describe, expect, test } from 'vitest';
import { libraryFiles, readLibrary } from '../../../test/support/prelude.ts';
import { Diagnostics } from '../../diagnostics/diagnostic.ts';
import { preludeModules } from '../../driver/front-end.ts';
import type { Module } from '../../syntax/ast.ts';
import { lazyModule } from '../../syntax/lazy-module.ts';
import { parse } from '../../syntax/parse.ts';
import { intrinsics } from './index.ts';

function parseLibrary(name: string): { readonly module: Module; readonly problems: Diagnostics } {
  const problems = new Diagnostics();
  return { module: parse({ name, text: readLibrary(name) }, problems), problems };
}

describe('the prelude', () => {
  test('documents every intrinsic in a sentence', () => {
    for (const [name, intrinsic] of intrinsics) {
      expect(intrinsic.doc, name).toMatch(/\S.*[.:`)]$/);
    }
  });

  test('says no name twice', () => {
    const files = libraryFiles.filter((file) => file.startsWith('prelude/'));
    const names = files.flatMap((file) =>
      parseLibrary(file)
        .module.declarations.filter((d) => d.isExported)
        .map((d) => d.name.text),
    );
    expect(names.filter((name, i) => intrinsics.has(name) || names.indexOf(name) !== i)).toEqual(
      [],
    );
    expect(files.map((file) => file.slice('prelude/'.length, -'.mlx'.length))).toEqual(
      [...preludeModules].sort(),
    );
  });
});

describe.each(libraryFiles)('std %s', (file) => {
  const { module, problems } = parseLibrary(file);

  test('parses, as a whole and each declaration by itself', () => {
    const lazy = lazyModule({ name: file, text: readLibrary(file) }, problems);
    const apart = [...lazy.names.keys()].map((name) => lazy.declaration(name));
    expect(problems.list).toEqual([]);
    expect(apart).toEqual(module.declarations);
  });

  test('documents every public name', () => {
    const bare = module.declarations.filter((d) => d.isExported && d.doc === '');
    expect(bare.map((d) => d.name.text)).toEqual([]);
  });
});
