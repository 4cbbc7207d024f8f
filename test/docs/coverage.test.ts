/** docs/coverage.md: counts that are those of the tests, no gap without a reason, names that exist. */
import { expect, test } from 'vitest';
import { knownNames, mlxGroups, numpyGroup } from '../../tools/coverage/names.ts';
import { coveragePage } from '../../tools/coverage/page.ts';
import { coverageRows } from '../../tools/coverage/primitives.ts';

test('docs/coverage.md is up to date (-u writes it anew)', async () => {
  await expect(coveragePage()).toMatchFileSnapshot('../../docs/coverage.md');
});

test('every cell has cases, or a reason for having none', () => {
  const gaps = coverageRows().flatMap(({ primitive, dtype, cells }) =>
    Object.entries(cells).flatMap(([aspect, cell]) =>
      cell === '' || cell === 0 ? [`${primitive} ${dtype} ${aspect}`] : [],
    ),
  );
  expect(gaps).toEqual([]);
});

test('every function of MLX, and of NumPy beyond it, has our name or a reason', () => {
  const groups = [...mlxGroups(), numpyGroup()];
  expect(mlxGroups().flatMap((group) => group.functions)).toHaveLength(258);
  const silent = groups.flatMap(({ functions }) =>
    functions.filter((f) => f.ours === undefined && f.note === '').map((f) => f.theirs),
  );
  expect(silent).toEqual([]);
});

test('names are looked up by the compiler', () => {
  expect(knownNames('', ['sum', 'no_such_function', 'cumsum'])).toEqual(new Set(['sum', 'cumsum']));
  expect(knownNames('std/nn', ['relu', 'no_such_layer'])).toEqual(new Set(['relu']));
});
