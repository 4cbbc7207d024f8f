/** `vmap`, and the Jacobians that are vmaps of derivatives. */
import { constantValue, type Int, product, zero } from '../../symbolic/integer.ts';
import type { TensorType, Value } from '../../tensor-ir/program.ts';
import type { Intrinsic } from '../intrinsic.ts';
import { formOf } from '../terms.ts';
import type { FunctionTerm, Term, Type } from '../value.ts';
import {
  closeOverStatics,
  failWithoutArgument,
  leavesOf,
  nameOf,
  traceRegion,
} from './closures.ts';
import {
  type Emitter,
  intrinsic,
  intTerm,
  isFloatValue,
  native,
  none,
  optional,
  required,
} from './support.ts';
import { leafTerms } from './trees.ts';

/** A leaf of an argument or result and the axis that is mapped, or none. */
type LeafAxis = number | undefined;

/** The axis of every leaf: `spec` is one for all, or follows the tree as far as it goes. */
function leafAxes(e: Emitter, term: Term, spec: Term, extra: number): readonly LeafAxis[] {
  if (spec.kind === 'none') return leafTerms(term).map(() => undefined);
  if (spec.kind === 'tuple' || spec.kind === 'array') {
    const children = term.kind === 'struct' ? [...term.fields.values()] : childItems(term);
    if (children?.length !== spec.items.length) {
      e.fail(
        'MLX3110',
        `${spec.items.length} axes do not fit ${e.context.showType(e.context.typeOf(term))}`,
      );
    }
    return children.flatMap((child, i) => leafAxes(e, child, spec.items[i]!, extra));
  }
  return leafTerms(term).map((leaf) => {
    const value = e.need(e.context.toTensor(leaf, e.span));
    const rank = value.type.shape.length - (formOf(leaf) === 'plain' ? 0 : 1) + extra;
    if (rank === 0) {
      e.fail('MLX3111', `a scalar ${value.type.dtype} has no axis to map over`, {
        hint: 'give `none` as its axis: `vmap(f, axes = (0, none))`',
      });
    }
    return e.need(e.context.asAxis(spec, rank, e.span));
  });
}

function childItems(term: Term): readonly Term[] | undefined {
  return term.kind === 'tuple' || term.kind === 'array' ? term.items : undefined;
}

/** What f is to give when its vmap is to give `type`: the same without the mapped axis, as far as `out` tells which it is. */
function expectedOfOne(type: Type | undefined, out: Term): Type | undefined {
  switch (type?.kind) {
    case 'tensor':
    case 'key':
    case 'complex': {
      const given = out.kind === 'int' ? constantValue(out.value) : undefined;
      const axis = given !== undefined && given < 0 ? given + type.shape.length : given;
      if (axis === undefined || type.shape[axis] === undefined) return undefined;
      return { ...type, shape: type.shape.filter((_, i) => i !== axis) };
    }
    case 'tuple':
    case 'array': {
      const items = type.items.map((item, i) => {
        const isNested = out.kind === 'tuple' || out.kind === 'array';
        return expectedOfOne(item, (isNested ? out.items[i] : out) ?? none);
      });
      return items.every((item) => item !== undefined) ? { ...type, items } : undefined;
    }
    case 'struct': {
      // S[B] holds its axis in front of all others: only there can it be taken away
      const { leading } = type.type;
      const isFront = out.kind === 'int' && out.value === zero && leading.length > 0;
      if (!isFront) return undefined;
      const fields = type.fields.flatMap((f) => {
        const one = expectedOfOne(f.type, out);
        return one === undefined ? [] : [{ ...f, type: one }];
      });
      if (fields.length < type.fields.length) return undefined;
      return { kind: 'struct', type: { ...type.type, leading: leading.slice(1) }, fields };
    }
    default:
      return undefined;
  }
}

function vmapCall(
  e: Emitter,
  f: FunctionTerm,
  args: readonly Term[],
  axes: Term,
  out: Term,
  expected?: Type,
): Term {
  const closed = closeOverStatics(f, args);
  const specs = closed.positions.map((position) => {
    if (axes.kind !== 'tuple') return axes;
    if (axes.items.length === args.length) return axes.items[position]!;
    return e.fail(
      'MLX3110',
      `\`axes\` has ${axes.items.length} entries, the call ${args.length} arguments`,
    );
  });
  const mapped = closed.args.flatMap((arg, i) => leafAxes(e, arg, specs[i]!, 0));
  const given = leavesOf(e, closed.args);
  const size = batchSize(e, given, mapped);
  const leaves = given.map((leaf, i) => {
    const axis = mapped[i];
    const what = 'the axes that vmap maps over';
    return axis === undefined ? leaf : e.withSize(leaf, axis, size, what);
  });
  const types = leaves.map((leaf, i) => dropAxis(leaf.type, mapped[i]));
  const region = e.context.repeated(size, () =>
    traceRegion(e, closed.callee, closed.args, types, expectedOfOne(expected, out)),
  );
  const outAxes = leafAxes(e, region.result, out, 1).map((axis) => {
    if (axis !== undefined) return axis;
    return e.fail('MLX3112', 'an axis of the result of vmap cannot be `none`');
  });
  const results = e.applyAll(
    'vmap',
    [...leaves, ...region.captured],
    {
      inAxes: [...mapped.map((axis) => axis ?? -1), ...region.captured.map(() => -1)],
      outAxes,
      size,
    },
    [region.func],
  );
  return e.context.rebuild(region.result, results);
}

function dropAxis(type: TensorType, axis: LeafAxis): TensorType {
  return { dtype: type.dtype, shape: type.shape.filter((_, i) => i !== axis) };
}

/** The size of the mapped axes. */
function batchSize(e: Emitter, leaves: readonly Value[], mapped: readonly LeafAxis[]): Int {
  const first = mapped.findIndex((axis) => axis !== undefined);
  const size = leaves[first]?.type.shape[mapped[first] ?? 0];
  return size ?? e.fail('MLX3113', 'vmap needs at least one mapped argument');
}

/** Identity matrices of a tensor: [n, ...shape] with one 1 a row, n elements in all. */
function basis(e: Emitter, type: TensorType): Value {
  const n = product(type.shape);
  const rows = e.iota('i32', [n, n], 0);
  const isOne = e.apply('eq', [rows, e.iota('i32', [n, n], 1)]);
  return e.reshape(e.convert(isOne, type.dtype), [n, ...type.shape]);
}

/** The argument that a Jacobian is taken by: one float tensor. */
function jacobianArgument(
  e: Emitter,
  args: readonly Term[],
  position: number,
  name: string,
): Value {
  const term = args[position < 0 ? position + args.length : position];
  if (term === undefined) failWithoutArgument(e, position, args);
  const value =
    term.kind === 'float' || (term.kind === 'tensor' && term.form === 'plain')
      ? e.context.toTensor(term, e.span)
      : undefined;
  if (value !== undefined && isFloatValue(value)) return value;
  return e.fail(
    'MLX3114',
    `\`${name}\` needs a float tensor, found ${e.context.showType(e.context.typeOf(term))}`,
    {
      hint:
        formOf(term) === 'complex'
          ? 'differentiate by `real(x)` and `imag(x)`'
          : 'for a tree, take it by one field at a time',
    },
  );
}

/** f with all arguments but the one at `position` fixed. */
function alone(f: FunctionTerm, args: readonly Term[], position: number): FunctionTerm {
  return native(nameOf(f), (e, [x], expected) => {
    const all = args.map((arg, i) => (i === position ? x! : arg));
    return e.context.call(f, all, expected, e.span);
  });
}

/** df[i...]/dx[j...] as [...i, ...j], column by column: vmap of the derivative along each unit vector. */
function forwardJacobian(e: Emitter, f: FunctionTerm, args: readonly Term[], wrt: number): Term {
  const position = wrt < 0 ? wrt + args.length : wrt;
  const x = jacobianArgument(e, args, wrt, 'jacfwd');
  const single = traceRegion(e, alone(f, args, position), [e.tensor(x)]);
  const push = native('column', (inner, [direction]) => {
    const tangent = inner.need(inner.context.leaves(direction!, inner.span))[0]!;
    const operands = [...single.operands, ...single.captured, tangent];
    const results = inner.applyAll('jvp', operands, { wrt: [0] }, [single.func]);
    return inner.context.rebuild(single.result, floatTangents(single.func.results, results));
  });
  const last = intTerm(-1);
  const columns = vmapCall(e, push, [e.tensor(basis(e, x.type))], intTerm(0), last);
  return mapTensors(e, columns, (jacobian) =>
    e.reshape(jacobian, [...jacobian.type.shape.slice(0, -1), ...x.type.shape]),
  );
}

function floatTangents(outs: readonly Value[], results: readonly Value[]): (Value | undefined)[] {
  const tangents = [...results.slice(outs.length)];
  return outs.map((out) => (isFloatValue(out) ? tangents.shift() : undefined));
}

/** One real tensor, whose axes are all those of its value. */
function isPlain(term: Term): boolean {
  return leafTerms(term).every((leaf) => formOf(leaf) === 'plain');
}

function mapTensors(e: Emitter, tree: Term, change: (value: Value) => Value): Term {
  const leaves = e.need(e.context.leaves(tree, e.span));
  return e.context.rebuild(tree, leaves.map(change));
}

/** The same row by row: vmap of the pullback over each unit vector of the result, which must be one tensor. */
function reverseJacobian(e: Emitter, f: FunctionTerm, args: readonly Term[], wrt: number): Term {
  const position = wrt < 0 ? wrt + args.length : wrt;
  const x = jacobianArgument(e, args, wrt, 'jacrev');
  const single = traceRegion(e, alone(f, args, position), [e.tensor(x)]);
  const [y, ...more] = single.func.results;
  if (y === undefined || more.length > 0 || !isFloatValue(y) || !isPlain(single.result)) {
    const found = e.context.showType(e.context.typeOf(single.result));
    e.fail('MLX3115', `\`jacrev\` needs a function that gives one float tensor, found ${found}`, {
      hint: '`jacfwd` takes any tree',
    });
  }
  const pull = native('row', (inner, [direction]) => {
    const cotangent = inner.need(inner.context.leaves(direction!, inner.span))[0]!;
    const operands = [...single.operands, ...single.captured, cotangent];
    return inner.tensor(inner.applyAll('vjp', operands, { wrt: [0] }, [single.func])[1]!);
  });
  const rows = vmapCall(e, pull, [e.tensor(basis(e, y.type))], intTerm(0), intTerm(0));
  return mapTensors(e, rows, (jacobian) => e.reshape(jacobian, [...y.type.shape, ...x.type.shape]));
}

type Jacobian = (e: Emitter, f: FunctionTerm, args: readonly Term[], wrt: number) => Term;

function jacobian(name: string, doc: string, build: Jacobian): Intrinsic {
  return intrinsic(name, [required('f'), optional('wrt', intTerm(0))], doc, (a) => {
    const f = a.func('f');
    const wrt = a.constantInt('wrt');
    return native(`${name}(${nameOf(f)})`, (e, args) => build(e, f, args, wrt));
  });
}

/** Forward over reverse: a column of the Jacobian of the gradient at a time. */
const hessianOf: Jacobian = (e, f, args, wrt) => {
  const gradient = native(`jacrev(${nameOf(f)})`, (inner, given) =>
    reverseJacobian(inner, f, given, wrt),
  );
  return forwardJacobian(e, gradient, args, wrt);
};

export const mapping: readonly Intrinsic[] = [
  intrinsic(
    'vmap',
    [required('f'), optional('axes', intTerm(0)), optional('out', intTerm(0))],
    'f over a whole batch: `axes = (0, none)` says which axis of each argument is mapped, `out` where it goes.',
    (a) => {
      const f = a.func('f');
      const [axes, out] = [a.term('axes'), a.term('out')];
      return native(`vmap(${nameOf(f)})`, (e, args, expected) =>
        vmapCall(e, f, args, axes, out, expected),
      );
    },
  ),
  jacobian(
    'jacfwd',
    'The Jacobian by one tensor argument, [...result, ...argument]: forward mode, for tall Jacobians.',
    forwardJacobian,
  ),
  jacobian(
    'jacrev',
    'The Jacobian by one tensor argument, [...result, ...argument]: reverse mode, for wide Jacobians.',
    reverseJacobian,
  ),
  jacobian(
    'hessian',
    'The second derivatives of f: [...result, ...argument, ...argument].',
    hessianOf,
  ),
];
