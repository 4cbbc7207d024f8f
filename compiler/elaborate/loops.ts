/**
 * Loops. Over a range, a tensor or an `S[N]` they are `scan`, with the variables that the body assigns as the carry;
 * a range between run-time numbers and `while` are `while`; over a fixed array or a tuple they unroll.
 */
import { notIterable, operatorOperand } from '../diagnostics/problems/types.ts';
import type { Span } from '../diagnostics/span.ts';
import {
  constantValue,
  type Int,
  isNonNegative,
  max,
  subtract,
  zero,
} from '../symbolic/integer.ts';
import type { Expression, Statement } from '../syntax/ast.ts';
import type { TensorType, Value } from '../tensor-ir/program.ts';
import { assignedVariables } from './assigned.ts';
import { elaborateBlock } from './blocks.ts';
import { buildLoop, type LoopBody } from './carry.ts';
import { conditional, elaborateCondition } from './conditionals.ts';
import { describe } from './describe.ts';
import type { Elaborator } from './elaborator.ts';
import { elaborateExpression } from './expressions.ts';
import { toTensor } from './numbers.ts';
import { apply, applyAll, constant, dimValue } from './operations.ts';
import { bindPattern } from './patterns.ts';
import { capturedBy, finishRegion } from './regions.ts';
import { Scope } from './scope.ts';
import { errorTerm, forEachLeaf, rebuild, tensorTerm, unit } from './terms.ts';
import type { Term } from './value.ts';

type For = Statement & { readonly kind: 'for' };

const scalarI32: TensorType = { dtype: 'i32', shape: [] };

export function elaborateFor(e: Elaborator, loop: For, scope: Scope): void {
  if (loop.iterable.kind === 'range') {
    forRange(e, loop, loop.iterable, scope);
    return;
  }
  const over = elaborateExpression(e, loop.iterable, scope, undefined);
  switch (over.kind) {
    case 'error':
      runBody(e, loop, errorTerm, scope);
      return;
    case 'tuple':
    case 'array':
      unroll(e, loop, over.items, scope);
      return;
    case 'tensor':
    case 'struct': {
      const axis = leadingAxis(over);
      if (axis === undefined) break;
      scanOver(e, loop, over, axis, scope);
      return;
    }
    default:
      break;
  }
  e.error(notIterable(describe(over), loop.iterable.span));
  runBody(e, loop, errorTerm, scope);
}

/** The body once for each item; with `while`, under a flag that stays false once it is. */
function unroll(e: Elaborator, loop: For, items: readonly Term[], scope: Scope): void {
  const variables = assignedVariables([loop.body], scope);
  let flag: Term = trueTerm;
  for (const item of items) {
    if (!e.spend(1, loop.span)) return;
    if (loop.condition === undefined) runBody(e, loop, item, scope);
    else {
      const inner = new Scope(scope);
      bindPattern(e, loop.pattern, item, inner);
      e.builder.span = loop.span;
      flag = runWhile(e, loop, inner, scope, variables, flag);
      if (flag.kind === 'error') return;
    }
  }
}

/** The body with the pattern bound; with the error term, only for its own problems. */
function runBody(e: Elaborator, loop: For, element: Term, scope: Scope): Term {
  const inner = new Scope(scope);
  bindPattern(e, loop.pattern, element, inner);
  return elaborateBlock(e, loop.body, inner, undefined, true);
}

/** The axis that a loop runs over; undefined for a scalar, a plain struct, or a tree without tensors. */
function leadingAxis(term: Term): Int | undefined {
  if (term.kind === 'struct') return term.type.leading[0];
  if (term.kind !== 'tensor') return undefined;
  const { shape } = term.value.type;
  return term.form !== 'plain' && shape.length === 1 ? undefined : shape[0];
}

function forRange(
  e: Elaborator,
  loop: For,
  range: Expression & { readonly kind: 'range' },
  scope: Scope,
): void {
  const from = elaborateExpression(e, range.from, scope, undefined);
  const to = elaborateExpression(e, range.to, scope, undefined);
  if (from.kind === 'error' || to.kind === 'error') {
    runBody(e, loop, errorTerm, scope);
    return;
  }
  if (from.kind === 'int' && to.kind === 'int') {
    const difference = subtract(to.value, from.value);
    const count = constantValue(difference);
    const isCountable =
      count !== undefined ? count >= 0 : from.value === zero || isNonNegative(difference);
    const length = isCountable ? difference : max(difference, zero);
    scanLoop(e, loop, scope, length, [], (index) => {
      if (from.value === zero) return tensorTerm(index);
      const value = apply(e.builder, 'add', [index, dimValue(e.builder, from.value, 'i32')]);
      const start = constantValue(from.value);
      if (start === undefined || start >= 0) e.nonNegative.add(value);
      return tensorTerm(value);
    });
    return;
  }
  const low = rangeEnd(e, from, range.from.span);
  const high = low && rangeEnd(e, to, range.to.span);
  if (low === undefined || high === undefined) runBody(e, loop, errorTerm, scope);
  else countedWhile(e, loop, scope, low, high);
}

function rangeEnd(e: Elaborator, term: Term, span: Span): Value | undefined {
  const value = term.kind === 'int' || term.kind === 'tensor' ? toTensor(e, term, span) : undefined;
  if (value !== undefined && value.type.dtype === 'i32' && value.type.shape.length === 0) {
    if (term.kind !== 'tensor' || term.form === 'plain') return value;
  }
  e.error(operatorOperand('..', 'whole numbers or i32 scalars', describe(term), span));
  return undefined;
}

/** A loop over the leading axis of all leaves of a tree. */
function scanOver(e: Elaborator, loop: For, over: Term, length: Int, scope: Scope): void {
  const sequences: Value[] = [];
  forEachLeaf(over, (leaf) => {
    if (leaf.kind === 'tensor') sequences.push(leaf.value);
  });
  scanLoop(e, loop, scope, length, sequences, (_index, slices) => rebuild(over, slices));
}

function scanLoop(
  e: Elaborator,
  loop: For,
  scope: Scope,
  length: Int,
  sequences: readonly Value[],
  element: (index: Value, slices: readonly Value[]) => Term,
): void {
  const variables = assignedVariables([loop.body], scope);
  const hasStop = loop.condition !== undefined;
  const body: LoopBody = {
    // the stop flag of `for ... while` travels as a first, hidden carry
    hidden: hasStop ? [{ kind: 'boolean', value: true }] : [],
    run: (region, hidden) => {
      const index = region.parameters[0]!;
      e.nonNegative.add(index);
      const slices = region.parameters.slice(region.parameters.length - sequences.length);
      const inner = new Scope(scope);
      bindPattern(e, loop.pattern, element(index, slices), inner);
      return e.repeated(length, () => {
        if (hasStop) return [runWhile(e, loop, inner, scope, variables, hidden[0]!)];
        elaborateBlock(e, loop.body, inner, undefined, true);
        return [];
      });
    },
  };
  e.builder.span = loop.span;
  buildLoop(e, scope, variables, body, loop.span, {
    before: [{ type: scalarI32, name: 'index' }],
    after: sequences.map((v) => ({
      type: { dtype: v.type.dtype, shape: v.type.shape.slice(1) },
      name: v.name,
    })),
    finish: (region, initial, results) => {
      const captured = capturedBy([region]);
      const func = finishRegion(region, 'body', results, captured);
      const attrs = {
        carries: initial.length,
        sequences: sequences.length,
        length,
        reverse: false,
      };
      e.builder.span = loop.span;
      return applyAll(e.builder, 'scan', [...initial, ...sequences, ...captured], attrs, [func]);
    },
  });
}

/** One round of `for ... while`: the body runs while the flag and the condition hold, and never again after. */
function runWhile(
  e: Elaborator,
  loop: For,
  inner: Scope,
  scope: Scope,
  variables: readonly string[],
  flag: Term,
): Term {
  const active = toTensor(e, flag, loop.span);
  const holds = elaborateCondition(e, loop.condition!, inner);
  if (active === undefined || holds === undefined) return errorTerm;
  const now = typeof holds === 'boolean' ? constant(e.builder, 'bool', [], holds) : holds;
  const going = apply(e.builder, 'and', [active, now]);
  conditional(e, going, {
    scope,
    variables,
    then: () => {
      elaborateBlock(e, loop.body, inner, undefined, true);
      return unit;
    },
    otherwise: () => unit,
    span: loop.span,
    spans: [loop.body.span, loop.span],
  });
  return tensorTerm(going);
}

/** `for i in a..b` between numbers of the run: a counter beside the variables. */
function countedWhile(e: Elaborator, loop: For, scope: Scope, low: Value, high: Value): void {
  const variables = assignedVariables([loop.body], scope);
  whileLoop(e, scope, variables, loop.span, {
    hidden: [tensorTerm(low), ...(loop.condition === undefined ? [] : [trueTerm])],
    condition: (hidden) => {
      const inside = apply(e.builder, 'lt', [tensorOf(hidden[0]!), high]);
      return loop.condition === undefined
        ? inside
        : apply(e.builder, 'and', [inside, tensorOf(hidden[1]!)]);
    },
    run: (hidden) => {
      const index = tensorOf(hidden[0]!);
      const inner = new Scope(scope);
      bindPattern(e, loop.pattern, tensorTerm(index), inner);
      const next = (): Term =>
        tensorTerm(apply(e.builder, 'add', [index, constant(e.builder, 'i32', [], 1)]));
      if (loop.condition === undefined) {
        elaborateBlock(e, loop.body, inner, undefined, true);
        return [next()];
      }
      const going = runWhile(e, loop, inner, scope, variables, hidden[1]!);
      return [next(), going];
    },
  });
}

const trueTerm: Term = { kind: 'boolean', value: true };

function tensorOf(term: Term): Value {
  if (term.kind !== 'tensor') throw new TypeError('a hidden carry is a tensor');
  return term.value;
}

export function elaborateWhile(
  e: Elaborator,
  loop: Statement & { readonly kind: 'while' },
  scope: Scope,
): void {
  const variables = assignedVariables([loop.body], scope);
  whileLoop(e, scope, variables, loop.span, {
    hidden: [],
    condition: () => {
      const holds = elaborateCondition(e, loop.condition, scope);
      return typeof holds === 'boolean' ? constant(e.builder, 'bool', [], holds) : holds;
    },
    run: () => {
      elaborateBlock(e, loop.body, scope, undefined, true);
      return [];
    },
  });
}

interface WhileParts {
  readonly hidden: readonly Term[];
  readonly condition: (hidden: readonly Term[]) => Value | undefined;
  readonly run: (hidden: readonly Term[]) => readonly Term[];
}

function whileLoop(
  e: Elaborator,
  scope: Scope,
  variables: readonly string[],
  span: Span,
  parts: WhileParts,
): void {
  const body: LoopBody = {
    hidden: parts.hidden,
    test: (_region, hidden) => parts.condition(hidden),
    run: (_region, hidden) => parts.run(hidden),
  };
  e.builder.span = span;
  buildLoop(e, scope, variables, body, span, {
    before: [],
    after: [],
    finish: (region, initial, results, test) => {
      if (test === undefined) return undefined;
      test.region.builder.adopt(test.value);
      const regions = [test.region, region];
      const captured = capturedBy(regions);
      const funcs = [
        finishRegion(test.region, 'condition', [test.value], captured),
        finishRegion(region, 'body', results, captured),
      ];
      e.builder.span = span;
      return applyAll(
        e.builder,
        'while',
        [...initial, ...captured],
        { carries: initial.length },
        funcs,
      );
    },
  });
}
