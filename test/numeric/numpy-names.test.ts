/**
 * Functions that are named as in NumPy take their arguments in its order (or in that of jax.numpy): the parameters of both are in
 * test/golden/stdlib/signatures.json.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { preludeModules } from '../../compiler/driver/front-end.ts';
import { intrinsics } from '../../compiler/elaborate/intrinsics/index.ts';
import { preludeOf } from '../support/prelude.ts';

type Signatures = Readonly<Record<string, { numpy?: readonly string[]; jax?: readonly string[] }>>;

const golden = new URL('../golden/stdlib/signatures.json', import.meta.url);
const signatures = JSON.parse(readFileSync(golden, 'utf8')) as Signatures;

/** The parameters of every function of the prelude. */
function ownFunctions(): ReadonlyMap<string, readonly string[]> {
  const own = new Map<string, readonly string[]>();
  for (const [name, { parameters }] of intrinsics) {
    own.set(
      name,
      parameters.map((p) => (p.isRest === true ? `...${p.name}` : p.name)),
    );
  }
  for (const module of preludeOf()) {
    for (const [name, { isExported }] of module.names) {
      const declaration = isExported ? module.declaration(name) : undefined;
      if (declaration?.kind !== 'fn') continue;
      own.set(
        name,
        declaration.parameters.map((p) => p.name.text),
      );
    }
  }
  return own;
}

/** What NumPy has for other needs than ours: memory, casting, results that depend on options, methods of computing. */
const left = new Set(
  [
    'out where dtype initial order subok copy overwrite_input returned retstep',
    'return_index return_inverse return_counts assume_unique return_indices minlength',
    'axisa axisb axisc count',
  ].flatMap((line) => line.split(' ')),
);

/**
 * The first parameter that does not stand where NumPy has it. Operands may have other names, at the same place; what NumPy
 * takes by keyword only may stand anywhere behind.
 */
function firstDifference(own: readonly string[], theirs: readonly string[]): string | undefined {
  const star = theirs.indexOf('*');
  const positional = (star < 0 ? theirs : theirs.slice(0, star)).filter(
    (name) => own.includes(name) || !left.has(name),
  );
  return own
    .slice(0, positional.length)
    .find(
      (name, i) =>
        name !== positional[i] && (positional.includes(name) || own.includes(positional[i]!)),
    );
}

/** What has the name of a NumPy function and does something else. */
const others = new Set(['cond']);

const shared = [...ownFunctions()].filter(
  ([name]) => signatures[name] !== undefined && !others.has(name),
);

test('there is much to compare', () => {
  expect(preludeModules.length).toBeGreaterThan(3);
  expect(shared.length).toBeGreaterThan(250);
});

test.each(shared)('%s', (name, own) => {
  const { numpy, jax } = signatures[name]!;
  const differences = [numpy, jax].flatMap((theirs) =>
    theirs === undefined ? [] : [firstDifference(own, theirs)],
  );
  const isSame = differences.includes(undefined);
  expect(isSame ? own : { numpy, jax }).toEqual(own);
});
