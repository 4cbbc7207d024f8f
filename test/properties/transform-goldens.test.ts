/** golden/transforms/NAME.ir is traced IR, NAME.plain.ir what expansion and the passes make of it. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { shareCommonSubexpressions } from '../../compiler/passes/common-subexpressions.ts';
import { eliminateDeadCode } from '../../compiler/passes/dead-code.ts';
import { simplifyFunction } from '../../compiler/passes/simplify.ts';
import { parseFunction } from '../../compiler/tensor-ir/parse.ts';
import { printFunction } from '../../compiler/tensor-ir/print.ts';
import type { Func } from '../../compiler/tensor-ir/program.ts';
import { verifyFunction } from '../../compiler/tensor-ir/verify.ts';
import { expandFunction, inlineCalls } from '../../compiler/transforms/expand.ts';

const folder = new URL('../golden/transforms/', import.meta.url);

function lower(traced: Func): Func {
  let func = inlineCalls(expandFunction(traced));
  for (const pass of [
    eliminateDeadCode,
    simplifyFunction,
    shareCommonSubexpressions,
    eliminateDeadCode,
  ]) {
    func = pass(func);
    verifyFunction(func, 'plain');
  }
  return func;
}

const cases = readdirSync(folder).filter((name) => /^[^.]+\.ir$/.test(name));

test.each(cases)('%s', async (name) => {
  const text = readFileSync(new URL(name, folder), 'utf8');
  const traced = parseFunction(text);
  expect(printFunction(traced)).toBe(text);
  const plain = new URL(name.replace('.ir', '.plain.ir'), folder);
  await expect(printFunction(lower(traced))).toMatchFileSnapshot(plain.pathname);
});
