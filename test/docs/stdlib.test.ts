/** The reference of the standard library: complete, up to date, and every example gives what the page shows. */
import { expect, test } from 'vitest';
import { preludeModules } from '../../compiler/driver/front-end.ts';
import type { IntrinsicParameter } from '../../compiler/elaborate/intrinsic.ts';
import { intrinsics } from '../../compiler/elaborate/intrinsics/index.ts';
import { print } from '../../compiler/symbolic/integer.ts';
import { collectSections, intrinsicReference } from '../../tools/reference/collect.ts';
import { importedModules, referencePage } from '../../tools/reference/page.ts';
import { libraryFiles } from '../support/prelude.ts';

test('docs/stdlib.md is up to date, and its examples run (-u writes it anew)', async () => {
  await expect(referencePage()).toMatchFileSnapshot('../../docs/stdlib.md');
}, 120_000);

test('every file of the library is in it', () => {
  const files = [...preludeModules.map((m) => `prelude/${m}`), ...importedModules];
  expect(files.map((f) => `${f}.mlx`).sort()).toEqual(libraryFiles);
});

test('everything public has a text, and every function an example', () => {
  const entries = collectSections(importedModules).flatMap(({ entries }) => entries);
  expect(entries.filter((e) => !/\S.*[.:`)]$/.test(e.text)).map((e) => e.name)).toEqual([]);
  const functions = entries.filter((e) => e.signature.startsWith('fn '));
  expect(functions.filter((e) => e.examples.length === 0).map((e) => e.name)).toEqual([]);
});

/** `axis: axes = none` as far as the record of an intrinsic knows it: `axis = none`. */
function showParameter({ name, default: fallback, isRest }: IntrinsicParameter): string {
  if (isRest === true) return `...${name}`;
  if (fallback === undefined) return name;
  switch (fallback.kind) {
    case 'int':
      return `${name} = ${print(fallback.value)}`;
    case 'boolean':
      return `${name} = ${fallback.value}`;
    case 'string':
      return `${name} = ${JSON.stringify(fallback.value)}`;
    default:
      return `${name} = ${fallback.kind}`;
  }
}

test('every intrinsic is in it, with the parameters that it has', () => {
  const signatures = Object.entries(intrinsicReference).map(([name, { signature }]) => {
    const parameters = signature.slice(signature.indexOf('(') + 1, endOfParameters(signature));
    const shown = splitAtCommas(parameters).map((p) => p.replace(/: .*?( = .*)?$/s, '$1'));
    return `${name}(${shown.join(', ')})`;
  });
  const wanted = [...intrinsics].map(
    ([name, { parameters }]) => `${name}(${parameters.map(showParameter).join(', ')})`,
  );
  expect(signatures.sort()).toEqual(wanted.sort());
});

function endOfParameters(signature: string): number {
  let depth = 0;
  for (let i = signature.indexOf('('); i < signature.length; i++) {
    if (signature[i] === '(') depth++;
    if (signature[i] === ')' && --depth === 0) return i;
  }
  return signature.length;
}

/** At the commas outside of brackets. */
function splitAtCommas(text: string): readonly string[] {
  const parts = [''];
  let depth = 0;
  for (const character of text) {
    if ('([<'.includes(character)) depth++;
    if (')]'.includes(character)) depth--;
    if (character === '>' && !parts.at(-1)!.endsWith('-')) depth--;
    if (character === ',' && depth === 0) parts.push('');
    else parts[parts.length - 1] += character;
  }
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}
