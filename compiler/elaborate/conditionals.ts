/**
 * `if`: decided now when the condition is known, otherwise the operation `cond`, whose two regions read what they
 * capture and give the value of the block and the variables that either side assigned.
 */

import { functionLeavesRegion } from '../diagnostics/problems/limits.ts';
import { branchesDiffer, conditionNotBool, ifWithoutElse } from '../diagnostics/problems/types.ts';
import type { Span } from '../diagnostics/span.ts';
import { add, type Int, one } from '../symbolic/integer.ts';
import type { Block, Expression } from '../syntax/ast.ts';
import type { Guard, Value } from '../tensor-ir/program.ts';
import { assignedVariables } from './assigned.ts';
import { elaborateBlock } from './blocks.ts';
import { weakToComplex } from './complex.ts';
import { Conditions } from './conditions.ts';
import { describe } from './describe.ts';
import type { Elaborator } from './elaborator.ts';
import { elaborateExpression } from './expressions.ts';
import { defaultDType, isWeak, weakToTensor } from './numbers.ts';
import { applyAll, sameShape } from './operations.ts';
import { capturedBy, finishRegion, Region } from './regions.ts';
import type { Scope } from './scope.ts';
import { containsError, errorTerm, formOf, isUnit, unit } from './terms.ts';
import type { ElementForm, Term, Type } from './value.ts';

export function elaborateIf(
  e: Elaborator,
  expression: Expression & { readonly kind: 'if' },
  scope: Scope,
  expected: Type | undefined,
  isStatement: boolean,
): Term {
  const condition = elaborateCondition(e, expression.condition, scope);
  const { then, otherwise, span } = expression;
  const isValue = then.result !== undefined && then.result.kind !== 'error';
  if (otherwise === undefined && !isStatement && isValue && condition !== true) {
    elaborateBlock(e, then, scope, undefined);
    return e.error(ifWithoutElse(span));
  }
  const type = isStatement ? undefined : expected;
  if (condition === true) return elaborateBlock(e, then, scope, type, isStatement);
  if (condition === false) {
    return otherwise === undefined ? unit : elaborateBlock(e, otherwise, scope, type, isStatement);
  }
  if (condition === undefined) {
    // both sides are still read for their own problems
    const restore = saveVariables(scope, assignedVariables([then, otherwise], scope));
    elaborateBlock(e, then, scope, type, isStatement);
    if (otherwise !== undefined) elaborateBlock(e, otherwise, scope, type, isStatement);
    restore();
    return errorTerm;
  }
  const facts = factsOf(e, expression.condition, scope);
  const value = (block: Block | undefined, known: readonly Fact[]): Term => {
    if (block === undefined) return unit;
    const result = assuming(e, known, () => elaborateBlock(e, block, scope, type, isStatement));
    return isStatement || otherwise === undefined ? unitIf(result) : result;
  };
  return conditional(e, condition, {
    scope,
    variables: assignedVariables([then, otherwise], scope),
    then: () => value(then, facts.then),
    otherwise: () => value(otherwise, facts.otherwise),
    span,
    spans: [then.result?.span ?? then.span, otherwise?.result?.span ?? otherwise?.span ?? span],
  });
}

type Fact = Pick<Guard, 'relation' | 'left' | 'right'>;

/** What a comparison of dims says on either side: `if N > 3 { x[:4] }` needs no guard. */
function factsOf(
  e: Elaborator,
  condition: Expression,
  scope: Scope,
): { readonly then: readonly Fact[]; readonly otherwise: readonly Fact[] } {
  const none = { then: [], otherwise: [] };
  if (condition.kind !== 'binary') return none;
  if (!isPlain(condition.left) || !isPlain(condition.right)) return none;
  const left = elaborateExpression(e, condition.left, scope, undefined);
  const right = elaborateExpression(e, condition.right, scope, undefined);
  if (left.kind !== 'int' || right.kind !== 'int') return none;
  const [a, b] = [left.value, right.value];
  const atLeast = (x: Int, y: Int): Fact => ({ relation: 'at-least', left: x, right: y });
  const below = (x: Int, y: Int): Fact => atLeast(y, add(x, one));
  const equal = [atLeast(a, b), atLeast(b, a), { relation: 'equal', left: a, right: b } as const];
  switch (condition.operator) {
    case '>=':
      return { then: [atLeast(a, b)], otherwise: [below(a, b)] };
    case '<=':
      return { then: [atLeast(b, a)], otherwise: [below(b, a)] };
    case '>':
      return { then: [below(b, a)], otherwise: [atLeast(b, a)] };
    case '<':
      return { then: [below(a, b)], otherwise: [atLeast(a, b)] };
    case '==':
      return { then: equal, otherwise: [] };
    case '!=':
      return { then: [], otherwise: equal };
    default:
      return none;
  }
}

/** Names, numbers and arithmetic on them: looking at it twice makes no operations. */
function isPlain(expression: Expression): boolean {
  switch (expression.kind) {
    case 'name':
    case 'number':
      return true;
    case 'binary':
      return isPlain(expression.left) && isPlain(expression.right);
    default:
      return false;
  }
}

/** Runs `body` with further facts; guards that it leaves stay. */
function assuming(e: Elaborator, facts: readonly Fact[], body: () => Term): Term {
  if (facts.length === 0) return body();
  const outer = e.conditions;
  const inner = new Conditions(outer);
  for (const fact of facts) inner.assume(fact);
  e.conditions = inner;
  try {
    return body();
  } finally {
    e.conditions = outer;
    for (const guard of inner.guards) outer.record(guard);
    for (const read of inner.reads) outer.read(read);
  }
}

/** The value of a statement is dropped; an error in it stays. */
function unitIf(term: Term): Term {
  return term.kind === 'error' ? term : unit;
}

/** A known truth, or a bool scalar; undefined after a report. */
export function elaborateCondition(
  e: Elaborator,
  expression: Expression,
  scope: Scope,
): boolean | Value | undefined {
  const term = elaborateExpression(e, expression, scope, undefined);
  if (term.kind === 'boolean') return term.value;
  if (term.kind === 'tensor' && term.form === 'plain') {
    const { dtype, shape } = term.value.type;
    if (dtype === 'bool' && shape.length === 0) return term.value;
  }
  if (term.kind !== 'error') e.error(conditionNotBool(describe(term), expression.span));
  return undefined;
}

/** Remembers variables; the result puts them back. */
export function saveVariables(scope: Scope, names: readonly string[]): () => void {
  const saved = names.map((name) => scope.find(name)!);
  return () => {
    names.forEach((name, i) => {
      scope.reassign(name, saved[i]!);
    });
  };
}

export function readVariables(scope: Scope, names: readonly string[]): readonly Term[] {
  return names.map((name) => {
    const binding = scope.find(name);
    return binding?.kind === 'term' ? binding.term : errorTerm;
  });
}

export function writeVariables(
  scope: Scope,
  names: readonly string[],
  terms: readonly Term[],
): void {
  names.forEach((name, i) => {
    const binding = scope.find(name);
    if (binding?.kind === 'term') scope.reassign(name, { ...binding, term: terms[i]! });
  });
}

export interface Sides {
  readonly scope: Scope;
  readonly variables: readonly string[];
  readonly then: () => Term;
  readonly otherwise: () => Term;
  readonly span: Span;
  readonly spans: readonly [Span, Span];
}

/** Builds the operation and leaves the joined variables in the scope. */
export function conditional(e: Elaborator, condition: Value, sides: Sides): Term {
  const { scope, variables, span } = sides;
  const restore = saveVariables(scope, variables);
  const runSide = (
    body: () => Term,
  ): { readonly region: Region; readonly terms: readonly Term[] } => {
    const region = new Region(e);
    const terms = region.run(() => {
      const value = body();
      return [value, ...readVariables(scope, variables)];
    });
    restore();
    return { region, terms };
  };
  const then = runSide(sides.then);
  const otherwise = runSide(sides.otherwise);
  const join = new Join(e, then.region, otherwise.region, sides);
  const joined = then.terms.map((t, i) => join.terms(t, otherwise.terms[i]!));
  e.builder.span = span;
  const regions = [then.region, otherwise.region];
  for (const [i, region] of regions.entries()) {
    for (const value of join.values[i]!) region.builder.adopt(value);
  }
  const captured = capturedBy(regions);
  const results =
    join.values[0].length === 0
      ? []
      : applyAll(e.builder, 'cond', [condition, ...captured], {}, [
          finishRegion(then.region, 'then', join.values[0], captured),
          finishRegion(otherwise.region, 'otherwise', join.values[1], captured),
        ]);
  const terms = joined.map((make) => make?.(results) ?? errorTerm);
  writeVariables(scope, variables, terms.slice(1));
  return terms[0]!;
}

type Make = (results: readonly Value[]) => Term;

/** Brings two trees together leaf by leaf: what is the same on both sides stays known. */
class Join {
  readonly values: readonly [Value[], Value[]] = [[], []];
  private readonly e: Elaborator;
  private readonly left: Region;
  private readonly right: Region;
  private readonly sides: Sides;

  constructor(e: Elaborator, left: Region, right: Region, sides: Sides) {
    this.e = e;
    this.left = left;
    this.right = right;
    this.sides = sides;
  }

  /** Undefined after a report, or where one side is an error already. */
  terms(a: Term, b: Term): Make | undefined {
    if (containsError(a) || containsError(b)) return undefined;
    if (a === b || isSameConstant(a, b)) return () => a;
    if ((a.kind === 'tuple' || a.kind === 'array') && a.kind === b.kind) {
      if (a.items.length !== b.items.length) return this.differ(a, b);
      const others = b.items;
      const makers = a.items.map((item, i) => this.terms(item, others[i]!));
      const { kind } = a;
      if (!makers.every((m) => m !== undefined)) return undefined;
      return (results) => ({ kind, items: makers.map((make) => make(results)) });
    }
    if (a.kind === 'struct' && b.kind === 'struct' && a.type.declaration === b.type.declaration) {
      const makers = new Map<string, Make>();
      for (const [name, field] of a.fields) {
        const make = this.terms(field, b.fields.get(name) ?? errorTerm);
        if (make === undefined) return undefined;
        makers.set(name, make);
      }
      const { type } = a;
      return (results) => {
        const fields = new Map<string, Term>();
        for (const [name, make] of makers) fields.set(name, make(results));
        return { kind: 'struct', type, fields };
      };
    }
    if (a.kind === 'function' || b.kind === 'function') {
      this.e.error(functionLeavesRegion('a conditional decided at run time', this.sides.span));
      return undefined;
    }
    return this.leaves(a, b);
  }

  private leaves(a: Term, b: Term): Make | undefined {
    const dtype = this.commonDType(a, b);
    if (dtype === undefined) return this.differ(a, b);
    const shape =
      a.kind === 'tensor' && !isWeak(a)
        ? a.value.type.shape
        : b.kind === 'tensor'
          ? b.value.type.shape
          : [];
    const form = formOf(isWeak(a) ? b : a);
    const [x, y] = [
      this.left.run(() => this.leaf(a, dtype, form, this.sides.spans[0])),
      this.right.run(() => this.leaf(b, dtype, form, this.sides.spans[1])),
    ];
    if (x === undefined || y === undefined) return undefined;
    if (!sameShape(x.type.shape, shape) || !sameShape(y.type.shape, shape))
      return this.differ(a, b);
    const index = this.values[0].length;
    this.values[0].push(x);
    this.values[1].push(y);
    return (results) => ({ kind: 'tensor', value: results[index]!, form });
  }

  private commonDType(a: Term, b: Term): ReturnType<typeof defaultDType> {
    const left = defaultDType(a);
    const right = defaultDType(b);
    if (left === undefined || right === undefined) return undefined;
    const isMixed = formOf(a) !== formOf(b);
    if (isMixed && !isWeak(a) && !isWeak(b)) return undefined;
    if (isMixed && (formOf(a) === 'key' || formOf(b) === 'key')) return undefined;
    if (!isWeak(a) && !isWeak(b)) return left === right ? left : undefined;
    if (!isWeak(a)) return left;
    if (!isWeak(b)) return right;
    if (left === right) return left;
    return left === 'bool' || right === 'bool' ? undefined : 'f32';
  }

  private leaf(
    term: Term,
    dtype: NonNullable<ReturnType<typeof defaultDType>>,
    form: ElementForm,
    span: Span,
  ): Value | undefined {
    if (term.kind === 'tensor' && !isWeak(term)) return term.value;
    if (form === 'complex') return weakToComplex(this.e, term, [], span);
    return weakToTensor(this.e, term, dtype, [], span);
  }

  private differ(a: Term, b: Term): undefined {
    const [left, right] = this.sides.spans;
    const labels = [
      { span: left, text: isUnit(a) ? 'no value' : describe(a) },
      { span: right, text: isUnit(b) ? 'no value' : describe(b) },
    ];
    this.e.error(branchesDiffer(describe(a), describe(b), this.sides.span, labels));
    return undefined;
  }
}

function isSameConstant(a: Term, b: Term): boolean {
  if (a.kind === 'int') return b.kind === 'int' && a.value === b.value;
  if (a.kind === 'float') return b.kind === 'float' && Object.is(a.value, b.value);
  if (a.kind === 'boolean') return b.kind === 'boolean' && a.value === b.value;
  if (a.kind === 'string') return b.kind === 'string' && a.value === b.value;
  if (a.kind === 'dtype') return b.kind === 'dtype' && a.dtype === b.dtype;
  if (a.kind === 'none') return b.kind === 'none';
  return isUnit(a) && isUnit(b);
}
