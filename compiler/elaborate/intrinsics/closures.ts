/**
 * What transformations and control flow share: calling a function value on trees of tensors as a closed region.
 *
 * Arguments that are no tensors (axes, strings, functions, ...) stay compile-time values: they are closed over.
 */
import type { Span } from '../../diagnostics/span.ts';
import { makeValue } from '../../tensor-ir/builder.ts';
import type { Func, TensorType, Value } from '../../tensor-ir/program.ts';
import type { TracedFunction } from '../intrinsic.ts';
import { formOf } from '../terms.ts';
import type { FunctionTerm, Term, Type } from '../value.ts';
import { type Emitter, native, sameShape, showTensor } from './support.ts';
import { leafTerms } from './trees.ts';

/** A function of tensors alone, and the arguments it takes. */
export interface Closed {
  readonly callee: FunctionTerm;
  readonly args: readonly Term[];
  /** Where each of `args` stood among the arguments given. */
  readonly positions: readonly number[];
}

function isStatic(term: Term): boolean {
  return (
    term.kind === 'int' ||
    term.kind === 'boolean' ||
    term.kind === 'string' ||
    term.kind === 'none' ||
    term.kind === 'dtype' ||
    term.kind === 'function'
  );
}

/** Closes `callee` over its compile-time arguments, except those at `dynamic`. */
export function closeOverStatics(
  callee: FunctionTerm,
  args: readonly Term[],
  dynamic: readonly number[] = [],
): Closed {
  const positions = args.flatMap((arg, i) => (isStatic(arg) && !dynamic.includes(i) ? [] : [i]));
  if (positions.length === args.length) return { callee, args, positions };
  const inner = native(nameOf(callee), (e, given, expected) => {
    const all = [...args];
    positions.forEach((position, i) => {
      all[position] = given[i]!;
    });
    return e.context.call(callee, all, expected, e.span);
  });
  return { callee: inner, args: positions.map((i) => args[i]!), positions };
}

export function nameOf(callee: FunctionTerm): string {
  switch (callee.form) {
    case 'declared':
      return callee.declaration.name.text;
    case 'lambda':
      return 'lambda';
    case 'intrinsic':
      return callee.intrinsic.name;
    case 'native':
      return callee.name;
  }
}

/** A function as a region together with the values it is applied to. */
export interface Region {
  readonly func: Func;
  readonly result: Term;
  /** The leaves of the arguments. */
  readonly operands: readonly Value[];
  readonly captured: readonly Value[];
}

/** The leaves of all arguments in order. */
export function leavesOf(e: Emitter, args: readonly Term[]): readonly Value[] {
  return args.flatMap((arg) => e.need(e.context.leaves(arg, e.span)));
}

export function traceRegion(
  e: Emitter,
  callee: FunctionTerm,
  args: readonly Term[],
  types?: readonly TensorType[],
  expected?: Type,
): Region {
  const operands = leavesOf(e, args);
  const traced: TracedFunction = e.need(
    e.context.trace(callee, args, e.span, {
      ...(types === undefined ? {} : { types }),
      ...(expected === undefined ? {} : { expected }),
    }),
  );
  return { func: traced.func, result: traced.result, operands, captured: traced.captured };
}

/** Regions of one operation: all get the same captured values after their own parameters. */
export function shareCaptured(regions: readonly Region[]): {
  readonly funcs: readonly Func[];
  readonly captured: readonly Value[];
} {
  const captured = [...new Set(regions.flatMap((r) => r.captured))];
  const funcs = regions.map((region) => {
    const own = region.func.parameters.length - region.captured.length;
    const parameters = captured.map((value) => {
      const place = region.captured.indexOf(value);
      return place < 0 ? makeValue(value.type, value.name) : region.func.parameters[own + place]!;
    });
    return { ...region.func, parameters: [...region.func.parameters.slice(0, own), ...parameters] };
  });
  return { funcs, captured };
}

/** The items of a result that must be a tuple of `count`. */
export function tupleItems(
  e: Emitter,
  term: Term,
  count: number,
  what: string,
  span: Span = e.span,
  hint?: string,
): readonly Term[] {
  if (term.kind === 'error') return e.need<readonly Term[]>(undefined);
  if (term.kind === 'tuple' && term.items.length === count) return term.items;
  return e.fail('MLX3101', `${what}, found ${e.context.showType(e.context.typeOf(term))}`, {
    span,
    ...(hint === undefined ? {} : { hint }),
  });
}

/** An argument to differentiate by, counted from the front, that the call does not have. */
export function failWithoutArgument(e: Emitter, place: number, args: readonly Term[]): never {
  return e.fail(
    'MLX3102',
    `cannot differentiate by argument ${place}: the call has ${args.length}`,
    { hint: 'arguments count from 0' },
  );
}

/**
 * Reports unless both lists have the same dtypes and shapes, and the trees they are the leaves of, where they are given, the
 * same forms of elements.
 */
export function requireSameTypes(
  e: Emitter,
  found: readonly Value[],
  wanted: readonly Value[],
  what: string,
  more: { readonly hint?: string; readonly trees?: readonly [found: Term, wanted: Term] } = {},
): void {
  const [foundForms, wantedForms] = (more.trees ?? []).map((tree) => leafTerms(tree).map(formOf));
  const isSame =
    found.length === wanted.length &&
    found.every((value, i) => {
      const { dtype, shape } = wanted[i]!.type;
      const isOneForm = foundForms?.[i] === wantedForms?.[i];
      return isOneForm && value.type.dtype === dtype && sameShape(value.type.shape, shape);
    });
  if (isSame) return;
  const show = (values: readonly Value[], tree: Term | undefined): string => {
    const leaves = tree === undefined ? [] : leafTerms(tree);
    const shown = values.map((v, i) => {
      const leaf = leaves[i];
      return leaf === undefined ? showTensor(v.type) : e.context.showType(e.context.typeOf(leaf));
    });
    return shown.length === 1 ? shown[0]! : `(${shown.join(', ')})`;
  };
  const [foundTree, wantedTree] = more.trees ?? [];
  const { hint } = more;
  e.fail(
    'MLX3120',
    `${what}: expected ${show(wanted, wantedTree)}, found ${show(found, foundTree)}`,
    hint === undefined ? {} : { hint },
  );
}
