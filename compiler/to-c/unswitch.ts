/**
 * Takes tests that a vector loop does not change out of the loop: what is inside is then free of branches.
 *
 *   for v: y[v] = guard(0 <= i - 1 < N, x[.. + v], 0)     if (0 <= i - 1 < N) for v: y[v] = x[.. + v]; else for v: y[v] = 0
 *
 * C compilers do so for loops of one test; with several they give up, and load element by element. Names are repeated in the two
 * loops, which C allows and kernel IR does not: this is the last step before printing.
 */
import type {
  Kernel,
  KernelScalar,
  Loop,
  RangeCondition,
  Statement,
} from '../kernel-ir/program.ts';
import { forEachScalar, ownScalars } from '../kernel-ir/statements.ts';
import { forEachVariable } from '../symbolic/integer.ts';

/** Tests taken out of one loop, one inside the other. */
const mostTests = 3;

/** The kernel with the tests of its vector loops outside them. */
export function unswitchLoops(kernel: Kernel): Kernel {
  return { ...kernel, body: inStatements(kernel.body) };
}

function inStatements(statements: readonly Statement[]): readonly Statement[] {
  return statements.map((statement) => {
    if (statement.kind === 'if') {
      const { then, otherwise } = statement;
      return { ...statement, then: inStatements(then), otherwise: inStatements(otherwise) };
    }
    if (statement.kind !== 'loop') return statement;
    if (statement.placement === 'vector' && statement.body.every(isPlain)) {
      return unswitch(statement, mostTests);
    }
    return { ...statement, body: inStatements(statement.body) };
  });
}

/** Statements whose scalars `inBranch` rewrites. */
function isPlain({ kind }: Statement): boolean {
  return kind === 'let' || kind === 'let-integer' || kind === 'assign' || kind === 'store';
}

function unswitch(loop: Loop, tests: number): Statement {
  const condition = tests === 0 ? undefined : findTest(loop);
  if (condition === undefined) return loop;
  const branch = (holds: boolean): readonly Statement[] => [
    unswitch({ ...loop, body: inBranch(loop.body, keyOf(condition), holds) }, tests - 1),
  ];
  return { kind: 'if', condition, then: branch(true), otherwise: branch(false) };
}

type InRange = Extract<KernelScalar, { kind: 'in-range' }>;

/** The outermost test of a guard that depends on nothing that the loop changes. */
function findTest(loop: Loop): InRange | undefined {
  const changing = new Set([loop.variable]);
  for (const statement of loop.body) {
    if (statement.kind === 'let' || statement.kind === 'let-integer') changing.add(statement.name);
  }
  let found: InRange | undefined;
  for (const statement of loop.body) {
    // operands come first: what is found last is outermost
    forEachScalar(ownScalars(statement), (scalar) => {
      if (scalar.kind !== 'select' || !scalar.isGuard) return;
      const { condition } = scalar;
      if (condition.kind === 'in-range' && condition.conditions.every(isInvariant)) {
        found = condition;
      }
    });
    if (found !== undefined) return found;
  }
  return undefined;

  function isInvariant({ value, extent }: RangeCondition): boolean {
    let changes = false;
    for (const integer of [value, extent]) {
      forEachVariable(integer, (v) => {
        changes ||= changing.has(v.name);
      });
    }
    return !changes;
  }
}

function keyOf({ conditions }: InRange): string {
  return conditions.map(({ value, extent }) => `${value.key}<${extent.key}`).join('&');
}

/** The statements where the test is known. */
function inBranch(
  statements: readonly Statement[],
  test: string,
  holds: boolean,
): readonly Statement[] {
  const rewritten = new Map<KernelScalar, KernelScalar>();
  const rewrite = (scalar: KernelScalar): KernelScalar => {
    let result = rewritten.get(scalar);
    if (result === undefined) {
      result = rewriteNode(scalar);
      rewritten.set(scalar, result);
    }
    return result;
  };
  const rewriteNode = (scalar: KernelScalar): KernelScalar => {
    switch (scalar.kind) {
      case 'select': {
        const { condition, then, otherwise } = scalar;
        if (condition.kind === 'in-range' && keyOf(condition) === test) {
          return rewrite(holds ? then : otherwise);
        }
        return {
          ...scalar,
          condition: rewrite(condition),
          then: rewrite(then),
          otherwise: rewrite(otherwise),
        };
      }
      case 'call':
        return { ...scalar, args: scalar.args.map(rewrite) };
      case 'convert':
      case 'bitcast':
        return { ...scalar, value: rewrite(scalar.value) };
      default:
        return scalar;
    }
  };
  return statements.map((statement) =>
    statement.kind === 'let' || statement.kind === 'assign' || statement.kind === 'store'
      ? { ...statement, value: rewrite(statement.value) }
      : statement,
  );
}
