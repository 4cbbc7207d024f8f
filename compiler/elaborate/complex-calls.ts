/**
 * Intrinsic functions called with complex numbers: one table says what each means on them. A function that is not in it
 * refuses them, so that none ever takes the pair underneath for an axis of data.
 */
import { badConversion, realNumbersOnly } from '../diagnostics/problems/types.ts';
import type { Span } from '../diagnostics/span.ts';
import { constantValue, int, subtract } from '../symbolic/integer.ts';
import type { BinaryOperator } from '../syntax/ast.ts';
import type { Builder } from '../tensor-ir/builder.ts';
import type { Value } from '../tensor-ir/program.ts';
import {
  complexOperation,
  complexTerm,
  holdsComplex,
  isComplex,
  multilinear,
  negateComplex,
  weakToComplex,
} from './complex.ts';
import * as math from './complex-math.ts';
import { describe } from './describe.ts';
import type { Elaborator } from './elaborator.ts';
import { movedElements, onParts } from './element-parts.ts';
import { isWeak, joinDTypes } from './numbers.ts';
import { apply, constant, slice } from './operations.ts';
import { errorTerm, forEachLeaf, formOf, mapLeaves, tensorTerm } from './terms.ts';
import type { TensorTerm, Term, Type } from './value.ts';

export interface ComplexCall {
  readonly name: string;
  readonly args: readonly Term[];
  readonly parameters: readonly string[];
  readonly spans: readonly Span[];
  readonly span: Span;
  readonly expected: Type | undefined;
  /** The function itself, on other arguments. */
  readonly apply: (args: readonly Term[], expected?: Type) => Term;
  /** Another function of the prelude. */
  readonly call: (name: string, args: readonly Term[]) => Term;
}

type Rule = (e: Elaborator, call: ComplexCall) => Term;

/** Undefined when no complex number is involved: the call goes on as usual. */
export function callWithComplex(e: Elaborator, call: ComplexCall): Term | undefined {
  const made = creators.get(call.name);
  if (made !== undefined && wantsComplex(call)) return made(e, call);
  if (!call.args.some(holdsComplex)) return undefined;
  const elements = movedElements(call.name);
  const rule = elements === undefined ? rules.get(call.name) : partwise(elements);
  if (rule !== undefined) return rule(e, call);
  const found = firstComplex(call.args);
  return e.error(
    realNumbersOnly(call.name, found === undefined ? 'c64' : describe(found), call.span),
  );
}

function firstComplex(args: readonly Term[]): Term | undefined {
  let found: Term | undefined;
  for (const arg of args) {
    forEachLeaf(arg, (leaf) => {
      if (isComplex(leaf)) found ??= leaf;
    });
  }
  return found;
}

/** The tensors among the arguments at some positions, which must all be complex. */
function operandsAt(
  e: Elaborator,
  call: ComplexCall,
  positions: readonly number[],
): TensorTerm[] | undefined {
  const leaves: Term[] = [];
  const spans: Span[] = [];
  for (const position of positions) {
    forEachLeaf(call.args[position]!, (leaf) => {
      leaves.push(leaf);
      spans.push(call.spans[position] ?? call.span);
    });
  }
  if (joinDTypes(e, leaves, spans, `\`${call.name}\``) === undefined) return undefined;
  return leaves.filter(isComplex);
}

const through: Rule = (_, call) => call.apply(call.args, call.expected);

/** The function on both parts: it moves elements, or is linear with real coefficients. */
function partwise(elements: readonly number[]): Rule {
  return (e, call) => {
    if (operandsAt(e, call, elements) === undefined) return errorTerm;
    return onParts(e, 'complex', call.args, elements, (args) => call.apply(args));
  };
}

/** The function on the real parts, for what does not depend on the elements. */
const ofShape: Rule = (e, call) =>
  call.apply(
    call.args.map((arg) =>
      mapLeaves(arg, (leaf) =>
        isComplex(leaf) ? tensorTerm(math.partOf(e.builder, leaf.value, 0)) : leaf,
      ),
    ),
    call.expected,
  );

/** Products of tensors: linear in each of them. */
function linearInAll(positions: readonly number[]): Rule {
  return (e, call) => {
    const operands = operandsAt(e, call, positions);
    if (operands === undefined) return errorTerm;
    return multilinear(e, operands, (parts) => {
      let next = 0;
      const args = call.args.map((arg) =>
        mapLeaves(arg, (leaf) => (isComplex(leaf) ? tensorTerm(parts[next++]!) : leaf)),
      );
      const result = call.apply(args);
      return result.kind === 'tensor' ? result.value : undefined;
    });
  };
}

function unary(f: (b: Builder, z: math.Complex) => math.Complex): Rule {
  return (e, { args: [x], name, span }) => {
    if (x === undefined || !isComplex(x)) return e.error(realNumbersOnly(name, 'c64', span));
    return complexTerm(e, f(e.builder, math.takeApart(e.builder, x.value)));
  };
}

function toReal(f: (b: Builder, z: math.Complex) => Value): Rule {
  return (e, { args: [x], name, span }) => {
    if (x === undefined || !isComplex(x)) return e.error(realNumbersOnly(name, 'c64', span));
    return tensorTerm(f(e.builder, math.takeApart(e.builder, x.value)));
  };
}

function operator(symbol: Exclude<BinaryOperator, '@'>): Rule {
  return (e, { args, span, spans }) =>
    complexOperation(e, symbol, [args[0]!, args[1]!], {
      span,
      left: spans[0] ?? span,
      right: spans[1] ?? span,
    });
}

/** A question about a number, put to both parts. */
function test(join: 'and' | 'or', of: (b: Builder, x: Value) => Value): Rule {
  return toReal((b, z) => apply(b, join, [of(b, z.re), of(b, z.im)]));
}

function isInfinite(b: Builder, x: Value): Value {
  const infinity = constant(b, 'f32', x.type.shape, Number.POSITIVE_INFINITY);
  return apply(b, 'eq', [apply(b, 'abs', [x]), infinity]);
}

/** The product along an axis by halves, so that its depth is the logarithm of the length. */
function productAlong(b: Builder, z: math.Complex, axis: number, count: number): math.Complex {
  const cut = (v: Value, start: number, stop: number): Value => {
    const { shape } = v.type;
    return slice(
      b,
      v,
      shape.map((_, i) => int(i === axis ? start : 0)),
      shape.map((size, i) => (i === axis ? int(stop) : size)),
      shape.map(() => 1),
    );
  };
  const part = (w: math.Complex, start: number, stop: number): math.Complex => ({
    re: cut(w.re, start, stop),
    im: cut(w.im, start, stop),
  });
  if (count === 1) return z;
  const half = count >> 1;
  const first = productAlong(
    b,
    math.multiplyComplex(b, part(z, 0, half), part(z, half, 2 * half)),
    axis,
    half,
  );
  return count % 2 === 0 ? first : math.multiplyComplex(b, first, part(z, count - 1, count));
}

/** The real creator, on what is real of the call, with 0 as imaginary part. */
const created: Rule = (e, call) => {
  const fill = call.parameters.indexOf('fill_value');
  const args = call.args.map((arg, i): Term => {
    if (call.parameters[i] === 'dtype') return { kind: 'dtype', dtype: 'f32' };
    return arg;
  });
  const { expected } = call;
  const real: Type | undefined =
    expected?.kind === 'complex'
      ? { kind: 'tensor', dtype: 'f32', shape: expected.shape }
      : expected;
  if (fill >= 0 && holdsComplex(call.args[fill]!)) {
    return onParts(e, 'complex', args, [fill], (parts) => call.apply(parts, real));
  }
  return asComplex(e, call.apply(args, real), call.span);
};

/** Real tensors of a tree as complex ones. */
function asComplex(e: Elaborator, tree: Term, span: Span): Term {
  return mapLeaves(tree, (leaf) => toComplex(e, leaf, span));
}

/** `c64(x)`: a real number of any dtype, which becomes the real part. */
export function toComplex(e: Elaborator, leaf: Term, span: Span): Term {
  if (leaf.kind === 'error' || isComplex(leaf)) return leaf;
  if (isWeak(leaf)) {
    const term: Term =
      leaf.kind === 'boolean' ? { kind: 'int', value: int(leaf.value ? 1 : 0) } : leaf;
    const shape = term.kind === 'tensor' ? term.value.type.shape : [];
    const value = weakToComplex(e, term, shape, span);
    return value === undefined ? errorTerm : tensorTerm(value, 'complex');
  }
  if (leaf.kind !== 'tensor' || formOf(leaf) !== 'plain') {
    return e.error(badConversion('c64', describe(leaf), span));
  }
  const re =
    leaf.value.type.dtype === 'f32'
      ? leaf.value
      : apply(e.builder, 'convert', [leaf.value], { dtype: 'f32' });
  return complexTerm(e, math.fromReal(e.builder, re));
}

/** `zeros_like(x)` and its like, leaf by leaf: complex where x is, or where `dtype` says so. */
const createdLike: Rule = (e, call) => {
  const place = call.parameters.indexOf('dtype');
  const dtype = call.args[place];
  const isGiven = dtype?.kind === 'dtype';
  const wanted = isGiven ? dtype.dtype : undefined;
  return mapLeaves(call.args[0]!, (leaf) => {
    const isResult = isGiven ? wanted === 'c64' : isComplex(leaf);
    const real = isComplex(leaf) ? tensorTerm(math.partOf(e.builder, leaf.value, 0)) : leaf;
    const args = call.args.map((arg, i): Term => {
      if (i === 0) return real;
      return i === place && isResult ? { kind: 'dtype', dtype: 'f32' } : arg;
    });
    if (!isResult) return call.apply(args);
    if (args.slice(1).some(holdsComplex)) {
      return onParts(e, 'complex', args, [1], (parts) => call.apply(parts));
    }
    return asComplex(e, call.apply(args), call.span);
  });
};

/** Where a complex number is not 0; any other leaf as it is. */
export function truthOf(e: Elaborator, leaf: Term): Term {
  if (!isComplex(leaf)) return leaf;
  const { re, im } = math.takeApart(e.builder, leaf.value);
  const parts = [re, im].map((x) => apply(e.builder, 'convert', [x], { dtype: 'bool' }));
  return tensorTerm(apply(e.builder, 'or', parts));
}

/** The function on the truths of its arguments. */
const ofTruths: Rule = (e, call) =>
  call.apply(call.args.map((arg) => mapLeaves(arg, (leaf) => truthOf(e, leaf))));

const converted: Rule = (e, call) => {
  const dtype = call.args[1];
  if (dtype?.kind !== 'dtype') return call.apply(call.args);
  if (dtype.dtype === 'c64') return asComplex(e, call.args[0]!, call.span);
  if (dtype.dtype === 'bool') {
    return call.apply([mapLeaves(call.args[0]!, (leaf) => truthOf(e, leaf)), dtype]);
  }
  return e.error(toRealProblem(dtype.dtype, call.args[0]!, call.span));
};

/** Reports a conversion that would drop the imaginary part. */
export function toRealProblem(
  dtype: string,
  found: Term,
  span: Span,
): ReturnType<typeof badConversion> & { readonly hint: string } {
  const hint = '`real(x)` drops the imaginary part, `abs(x)` is the magnitude';
  return { ...badConversion(dtype, describe(found), span), hint };
}

/** Whether the dtype that is given or expected of a new tensor is c64. */
function wantsComplex({ args, parameters, expected, name }: ComplexCall): boolean {
  const dtype = args[parameters.indexOf('dtype')];
  if (dtype?.kind === 'dtype') return dtype.dtype === 'c64';
  return (
    expected?.kind === 'complex' && !name.endsWith('_like') && name !== 'astype' && name !== 'array'
  );
}

const creators: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ...['zeros', 'ones', 'full', 'eye', 'arange', 'linspace', 'iota', 'linear_index'].map(
    (name): [string, Rule] => [name, created],
  ),
  ['array', createdArray],
  ...['zeros_like', 'ones_like', 'full_like'].map((name): [string, Rule] => [name, createdLike]),
  ['astype', converted],
]);

function createdArray(e: Elaborator, call: ComplexCall): Term {
  if (!call.args.some(holdsComplex)) return created(e, call);
  const args = call.args.map((arg, i): Term => (i === 0 ? arg : { kind: 'none' }));
  return onParts(e, 'complex', args, [0], (parts) => call.apply(parts));
}

const product: Rule = (e, call) => {
  const merged = onParts(e, 'complex', [call.args[0]!, call.args[1]!], [], (args) =>
    call.call('merge_axes', args),
  );
  if (!isComplex(merged)) return errorTerm;
  const axis = merged.value.type.shape.length - 2;
  const size = merged.value.type.shape[axis]!;
  const count = constantValue(size);
  const z = math.takeApart(e.builder, merged.value);
  let result: Term;
  if (count === 0) {
    const sum = call.call('sum', [merged, { kind: 'int', value: int(axis) }]);
    result = call.call('ones_like', [sum]);
  } else if (count === undefined) {
    const no: Term = { kind: 'boolean', value: false };
    const all = call.call('cumprod', [merged, { kind: 'int', value: int(axis) }, no]);
    const last = { kind: 'int', value: subtract(size, int(1)) } as const;
    result = call.call('take', [all, last, { kind: 'int', value: int(axis) }]);
  } else {
    const whole = complexTerm(e, productAlong(e.builder, z, axis, count));
    result = call.call('squeeze', [whole, { kind: 'int', value: int(axis) }]);
  }
  const keeps = call.args[2];
  if (keeps?.kind !== 'boolean' || !keeps.value || !isComplex(result)) return result;
  // the sum has the axes that are kept
  const kept = call.call('sum', [call.args[0]!, call.args[1]!, keeps]);
  if (!isComplex(kept)) return errorTerm;
  const sizes = kept.value.type.shape.slice(0, -1).map((d): Term => ({ kind: 'int', value: d }));
  return call.call('reshape', [result, { kind: 'tuple', items: sizes }]);
};

function runningProduct(e: Elaborator, call: ComplexCall): Term {
  const [x, axis, reverse] = call.args;
  const isFlat = axis?.kind === 'none';
  const multiply: Term = {
    kind: 'function',
    form: 'native',
    name: 'multiply',
    call: (_, [z, w], _expected, span) =>
      complexOperation(e, '*', [z!, w!], { span, left: span, right: span }),
  };
  const along: Term = isFlat ? { kind: 'int', value: int(0) } : axis!;
  const values = isFlat ? call.call('ravel', [x!]) : x!;
  return call.call('associative_scan', [multiply, values, along, reverse!]);
}

const rules: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  // trees, control flow and transformations take leaves as they are
  ...[
    'map',
    'tree_map',
    'tree_reduce',
    'tree_leaves',
    'stop_gradient',
    'optimization_barrier',
    'widen',
    'scan',
    'fori',
    'while_loop',
    'cond',
    'switch',
    'associative_scan',
    'vjp',
    'jvp',
    'linearize',
    'static_assert',
    'complex',
    'real',
    'imag',
    'conj',
    'conjugate',
    'angle',
    'dft',
  ].map((name): [string, Rule] => [name, through]),
  ...['any', 'all', 'logical_and', 'logical_or', 'logical_xor', 'logical_not'].map(
    (name): [string, Rule] => [name, ofTruths],
  ),
  ...['shape', 'ndim', 'size', 'len'].map((name): [string, Rule] => [name, ofShape]),
  ['dtype', () => ({ kind: 'dtype', dtype: 'c64' })],
  ...['sum', 'mean', 'cumsum', 'tril', 'triu'].map((name): [string, Rule] => [name, partwise([0])]),
  ...['matmul', 'dot', 'inner', 'outer', 'tensordot', 'kron', 'convolve'].map(
    (name): [string, Rule] => [name, linearInAll([0, 1])],
  ),
  ['einsum', linearInAll([1])],
  ['negative', (e, { args: [x] }) => negateComplex(e, x as TensorTerm)],
  ['exp', unary(math.exp)],
  ['log', unary(math.log)],
  ['sqrt', unary(math.sqrt)],
  ['sin', unary(math.sin)],
  ['cos', unary(math.cos)],
  ['tan', unary(math.tan)],
  ['sinh', unary(math.sinh)],
  ['cosh', unary(math.cosh)],
  ['tanh', unary(math.tanh)],
  ['square', unary((b, z) => math.multiplyComplex(b, z, z))],
  ['reciprocal', unary(math.reciprocal)],
  ['abs', toReal(math.absolute)],
  ['absolute', toReal(math.absolute)],
  ['isnan', test('or', (b, x) => apply(b, 'ne', [x, x]))],
  ['isinf', test('or', isInfinite)],
  ['isfinite', test('and', (b, x) => apply(b, 'is_finite', [x]))],
  ['add', operator('+')],
  ['subtract', operator('-')],
  ['multiply', operator('*')],
  ['divide', operator('/')],
  ['true_divide', operator('/')],
  ['power', operator('**')],
  ['pow', operator('**')],
  ['equal', operator('==')],
  ['not_equal', operator('!=')],
  ['prod', product],
  ['cumprod', runningProduct],
  ...['zeros_like', 'ones_like', 'full_like'].map((name): [string, Rule] => [name, createdLike]),
  ['full', created],
  ['astype', converted],
]);
