/** Control flow as functions. `for`, `while` and `if` of the language lower to the same operations. */
import { constantValue, type Int, int, subtract } from '../../symbolic/integer.ts';
import { isFloat, isInteger } from '../../tensor-ir/dtype.ts';
import type { TensorType, Value } from '../../tensor-ir/program.ts';
import type { Intrinsic } from '../intrinsic.ts';
import { formOf } from '../terms.ts';
import type { FunctionTerm, Term } from '../value.ts';
import {
  leavesOf,
  nameOf,
  type Region,
  requireSameTypes,
  shareCaptured,
  traceRegion,
  tupleItems,
} from './closures.ts';
import {
  type Arguments,
  type Emitter,
  intrinsic,
  native,
  optional,
  required,
  rest,
  showTensor,
} from './support.ts';
import { leafTerms } from './trees.ts';

const no: Term = { kind: 'boolean', value: false };
const unit: Term = { kind: 'tuple', items: [] };
const scalarIndex: TensorType = { dtype: 'i32', shape: [] };

/** An i32 scalar to trace with, which no operation will read. */
function indexTemplate(e: Emitter): Term {
  return e.tensor(e.fill(0, 'i32'));
}

/** The first axis of the leaves. */
function leadingSize(e: Emitter, xs: Term, leaves: readonly Value[], given: Int | undefined): Int {
  const pair = leafTerms(xs).find(
    (leaf, i) => formOf(leaf) !== 'plain' && leaves[i]!.type.shape.length === 1,
  );
  if (pair !== undefined) {
    const type = e.context.showType(e.context.typeOf(pair));
    e.fail('MLX3130', `cannot loop over a scalar ${type}: it has no leading axis`);
  }
  const scalar = leaves.find((leaf) => leaf.type.shape.length === 0);
  if (scalar !== undefined) {
    e.fail('MLX3130', `cannot loop over a scalar ${scalar.type.dtype}: it has no leading axis`);
  }
  const size = given ?? leaves[0]?.type.shape[0];
  return size ?? e.fail('MLX3131', '`scan` without `xs` needs a `length`');
}

/** The carry as tensors (a literal that starts it becomes one) in the tree it was given as. */
function asTensors(
  e: Emitter,
  tree: Term,
): { readonly term: Term; readonly leaves: readonly Value[] } {
  const leaves = leavesOf(e, [tree]);
  return { term: e.context.rebuild(tree, leaves), leaves };
}

/** What a step of `scan` gives: the carry and the element of ys. */
function scanItems(e: Emitter, result: Term, f: FunctionTerm): readonly Term[] {
  const hint = 'give `(carry, ())` where there is nothing to collect';
  return tupleItems(e, result, 2, `\`${nameOf(f)}\` must give (carry, y)`, e.span, hint);
}

function carryHint(found: readonly Value[], carry: readonly Value[]): { readonly hint?: string } {
  const at = found.findIndex((value, i) => value.type.dtype !== carry[i]?.type.dtype);
  if (found.length !== carry.length) return {};
  if (at < 0) return { hint: 'a carry keeps its shape from step to step' };
  const [next, start] = [found[at]!.type, carry[at]!.type];
  if (next.shape.length === 0 && start.shape.length > 0) {
    return { hint: 'the index comes first, the carry second: `|i, carry| …`' };
  }
  return isFloat(next.dtype) && isInteger(start.dtype)
    ? { hint: 'a carry of floats starts from one: `0.0` is f32, `0` is i32' }
    : { hint: `convert what the step gives: \`${start.dtype}(...)\`` };
}

function requireCarry(
  e: Emitter,
  found: Term,
  carry: { readonly term: Term; readonly leaves: readonly Value[] },
  name: string,
): void {
  const what = `\`${name}\` must give a carry of the type that it takes`;
  const values = leavesOf(e, [found]);
  requireSameTypes(e, values, carry.leaves, what, {
    ...carryHint(values, carry.leaves),
    trees: [found, carry.term],
  });
}

function scanCall(a: Arguments): Term {
  const f = a.func('f');
  const carry = asTensors(a, a.term('init'));
  const xs = a.isNone('xs') ? unit : a.term('xs');
  const given = leavesOf(a, [xs]);
  const length = leadingSize(a, xs, given, a.isNone('length') ? undefined : a.int('length'));
  const sequences = given.map((v) => a.withSize(v, 0, length, 'the sequences of `scan`'));
  const body = native(nameOf(f), (e, [, state, x], expected) => {
    const element = a.isNone('xs') ? ({ kind: 'none' } as const) : x!;
    const result = e.context.call(f, [state!, element], expected, e.span);
    const items = scanItems(e, result, f);
    return { kind: 'tuple', items: [asTensors(e, items[0]!).term, asTensors(e, items[1]!).term] };
  });
  const types = [
    scalarIndex,
    ...carry.leaves.map((v) => v.type),
    ...sequences.map((v) => ({ dtype: v.type.dtype, shape: v.type.shape.slice(1) })),
  ];
  const region = a.context.repeated(length, () =>
    traceRegion(a, body, [indexTemplate(a), carry.term, xs], types),
  );
  const [nextCarry, ys] = scanItems(a, region.result, f);
  const count = carry.leaves.length;
  requireCarry(a, nextCarry!, carry, nameOf(f));
  const results = a.applyAll(
    'scan',
    [...carry.leaves, ...sequences, ...region.captured],
    { carries: count, sequences: sequences.length, length, reverse: a.boolean('reverse') },
    [region.func],
  );
  const final = a.context.rebuild(carry.term, results.slice(0, count));
  return { kind: 'tuple', items: [final, a.context.rebuild(ys!, results.slice(count))] };
}

/** A counted loop: bounded ones are scans and have reverse mode. */
function foriCall(a: Arguments): Term {
  const f = a.func('body');
  const carry = asTensors(a, a.term('init'));
  const [lo, hi] = [a.term('lo'), a.term('hi')];
  if (lo.kind !== 'int' || hi.kind !== 'int') return openFori(a, f, carry);
  const body = native(nameOf(f), (e, [i, state], expected) => {
    const [index] = leavesOf(e, [i!]);
    const first = constantValue(lo.value) === 0;
    const shifted = first ? index! : e.apply('add', [index!, e.dim(lo.value, 'i32')]);
    const result = e.context.call(f, [e.tensor(shifted), state!], expected, e.span);
    return asTensors(e, result).term;
  });
  const known = constantValue(subtract(hi.value, lo.value));
  const length = known !== undefined && known < 0 ? int(0) : subtract(hi.value, lo.value);
  const region = a.context.repeated(length, () =>
    traceRegion(a, body, [indexTemplate(a), carry.term]),
  );
  requireCarry(a, region.result, carry, nameOf(f));
  const results = a.applyAll(
    'scan',
    [...carry.leaves, ...region.captured],
    { carries: carry.leaves.length, sequences: 0, length, reverse: false },
    [region.func],
  );
  return a.context.rebuild(carry.term, results);
}

/** Bounds that are tensors: a while loop with the index in the carry. */
function openFori(
  a: Arguments,
  f: FunctionTerm,
  carry: { readonly term: Term; readonly leaves: readonly Value[] },
): Term {
  const [lo, hi] = [a.value('lo', 'i32'), a.value('hi', 'i32')];
  const condition = native('condition', (e, [state]) => {
    const [i] = leavesOf(e, [state!]);
    return e.tensor(e.apply('lt', [i!, hi]));
  });
  const body = native(nameOf(f), (e, [state]) => {
    const [index, inner] = tupleItems(e, state!, 2, 'the carry');
    const next = e.context.call(f, [index!, inner!], undefined, e.span);
    const [i] = leavesOf(e, [index!]);
    return { kind: 'tuple', items: [e.tensor(e.apply('add', [i!, e.fill(1, 'i32')])), next] };
  });
  const start: Term = { kind: 'tuple', items: [a.tensor(lo), carry.term] };
  const final = whileCall(a, condition, body, start, nameOf(f));
  return tupleItems(a, final, 2, 'the carry')[1]!;
}

function whileCall(
  e: Emitter,
  condition: FunctionTerm,
  f: FunctionTerm,
  init: Term,
  name: string,
): Term {
  const carry = asTensors(e, init);
  const body = native(name, (inner, [state], expected) => {
    const next = inner.context.call(f, [state!], expected, inner.span);
    return asTensors(inner, next).term;
  });
  const test = traceRegion(e, asTensorFunction(condition), [carry.term]);
  const step = traceRegion(e, body, [carry.term]);
  const [answer] = test.func.results;
  if (
    test.func.results.length !== 1 ||
    answer!.type.dtype !== 'bool' ||
    answer!.type.shape.length > 0
  ) {
    const found = e.context.showType(e.context.typeOf(test.result));
    const hint = '`any(c)` and `all(c)` make one bool of many';
    e.fail('MLX3132', `the condition of a loop must give a bool, found ${found}`, { hint });
  }
  requireCarry(e, step.result, carry, name);
  const { funcs, captured } = shareCaptured([test, step]);
  const operands = [...carry.leaves, ...captured];
  const results = e.applyAll('while', operands, { carries: carry.leaves.length }, funcs);
  return e.context.rebuild(carry.term, results);
}

/** f with its compile-time results made tensors. */
function asTensorFunction(f: FunctionTerm): FunctionTerm {
  return native(
    nameOf(f),
    (e, args, expected) => asTensors(e, e.context.call(f, args, expected, e.span)).term,
  );
}

function condCall(a: Arguments): Term {
  const [yes, no] = [a.func('true_fun'), a.func('false_fun')];
  const operands = a.restOf('operands');
  const condition = a.term('pred');
  if (condition.kind === 'boolean') {
    return a.context.call(condition.value ? yes : no, operands, a.call.expected, a.span);
  }
  const pred = a.value('pred');
  if (pred.type.dtype !== 'bool' || pred.type.shape.length > 0) {
    a.fail(
      'MLX3133',
      `the condition of \`cond\` is a bool scalar, found ${showTensor(pred.type)}`,
      {
        span: a.spanOf('pred'),
        hint: '`where` selects by element',
      },
    );
  }
  const sides: readonly Region[] = [yes, no].map((f) =>
    traceRegion(a, asTensorFunction(f), operands),
  );
  const [left, right] = sides;
  requireSameTypes(
    a,
    right!.func.results,
    left!.func.results,
    'both sides of `cond` must give one type',
    { trees: [right!.result, left!.result] },
  );
  const { funcs, captured } = shareCaptured(sides);
  const results = a.applyAll('cond', [pred, ...left!.operands, ...captured], {}, funcs);
  return a.context.rebuild(left!.result, results);
}

/** The index, known when compiling or not, is clamped to the branches there are. */
function switchCall(a: Arguments): Term {
  const given = a.term('branches');
  const items = given.kind === 'tuple' || given.kind === 'array' ? given.items : [];
  if (items.length === 0) {
    a.fail('MLX3134', '`switch` needs a tuple of functions', { span: a.spanOf('branches') });
  }
  const branches = items.map((item) => a.need(a.context.asFunction(item, a.spanOf('branches'))));
  const operands = a.restOf('operands');
  const index = a.term('index');
  const known = index.kind === 'int' ? constantValue(index.value) : undefined;
  if (known !== undefined) {
    const branch = branches[Math.min(Math.max(known, 0), branches.length - 1)]!;
    return a.context.call(branch, operands, a.call.expected, a.span);
  }
  const value = a.value('index');
  const { dtype, shape } = value.type;
  if (!isInteger(dtype) || shape.length > 0) {
    a.fail(
      'MLX3134',
      `the index of \`switch\` is an integer scalar, found ${showTensor(value.type)}`,
      {
        span: a.spanOf('index'),
      },
    );
  }
  const regions = branches.map((f) => traceRegion(a, asTensorFunction(f), operands));
  for (const region of regions.slice(1)) {
    requireSameTypes(
      a,
      region.func.results,
      regions[0]!.func.results,
      'all branches of `switch` must give one type',
      { trees: [region.result, regions[0]!.result] },
    );
  }
  const { funcs, captured } = shareCaptured(regions);
  const branch = narrowIndex(a, value, branches.length);
  const results = a.applyAll('switch', [branch, ...regions[0]!.operands, ...captured], {}, funcs);
  return a.context.rebuild(regions[0]!.result, results);
}

/** An index of any integer dtype as i32: clamped before it is narrowed, for wrapping would choose another branch. */
function narrowIndex(e: Emitter, index: Value, count: number): Value {
  const { dtype } = index.type;
  if (dtype === 'i32') return index;
  const isWide = dtype === 'u32' || dtype === 'i64' || dtype === 'u64';
  const last = isWide ? e.apply('min', [index, e.fill(count - 1, dtype)]) : index;
  const low = dtype === 'i64' ? e.apply('max', [last, e.fill(0, dtype)]) : last;
  return e.convert(low, 'i32');
}

export const control: readonly Intrinsic[] = [
  intrinsic(
    'scan',
    [required('f'), required('init'), optional('xs'), optional('length'), optional('reverse', no)],
    '`f(carry, x)` gives (carry, y), over the leading axis of xs: the last carry and all y stacked.',
    scanCall,
  ),
  intrinsic(
    'fori',
    [required('lo'), required('hi'), required('body'), required('init')],
    '`body(i, carry)` for i from lo to hi - 1: the last carry.',
    foriCall,
  ),
  intrinsic(
    'while_loop',
    [required('cond'), required('body'), required('init')],
    '`body(carry)` as long as `cond(carry)` holds: the last carry. Forward mode only.',
    (a) => {
      const body = a.func('body');
      return whileCall(a, a.func('cond'), body, a.term('init'), nameOf(body));
    },
  ),
  intrinsic(
    'cond',
    [required('pred'), required('true_fun'), required('false_fun'), rest('operands')],
    '`true_fun(operands...)` or `false_fun(operands...)`: only one of them runs.',
    condCall,
  ),
  intrinsic(
    'switch',
    [required('index'), required('branches'), rest('operands')],
    '`branches[index](operands...)`, the index clamped: only that branch runs.',
    switchCall,
  ),
];
