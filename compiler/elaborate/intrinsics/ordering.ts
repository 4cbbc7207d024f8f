/**
 * Sorting and what follows from it. All sorts are stable, NaN counts as the greatest number and -0 equals 0. `axis = none` orders the
 * flattened tensor.
 */
import { type Int, one, print, product, subtract, zero } from '../../symbolic/integer.ts';
import type { Value } from '../../tensor-ir/program.ts';
import type { Intrinsic } from '../intrinsic.ts';
import type { Term } from '../value.ts';
import { alike, requireSome } from './joining.ts';
import { type Arguments, intrinsic, intTerm, optional, required } from './support.ts';

const last = optional('axis', intTerm(-1));
const descending = optional('descending', { kind: 'boolean', value: false });

/** The tensor and the axis along which to order it. */
function ordered(a: Arguments): { readonly x: Value; readonly axis: number } {
  const x = a.value('x');
  if (a.isNone('axis')) return { x: a.reshape(x, [product(x.type.shape)]), axis: 0 };
  return { x, axis: a.axis('axis', x.type.shape.length) };
}

/** All operands in the order of the first `keys` of them. */
function sortAll(
  a: Arguments,
  operands: readonly Value[],
  keys: number,
  axis: number,
  isDescending: boolean,
): readonly Value[] {
  const fitted = alike(a, operands, undefined);
  return a.applyAll('sort', fitted, { axis, keys, descending: isDescending });
}

/** The tensors of a tensor, tuple or array of tensors; at least one. */
function tensorsOf(a: Arguments, name: string): readonly Value[] {
  const term = a.term(name);
  const values =
    term.kind === 'tuple' || term.kind === 'array'
      ? a.need(a.context.leaves(term, a.spanOf(name)))
      : [a.value(name)];
  requireSome(a, name, values);
  return values;
}

/** Demands that a compile-time position lies within an axis. */
function requireWithin(a: Arguments, name: string, value: Int, low: Int, high: Int): void {
  for (const [left, right] of [
    [value, low],
    [high, value],
  ] as const) {
    a.context.guard({
      relation: 'at-least',
      left,
      right,
      message: `${name} = ${print(value)} must be from ${print(low)} to ${print(high)}`,
      span: a.spanOf(name),
    });
  }
}

/** Every element in order: the position asked for holds what a partition puts there. */
function partition(name: string, primitive: string, result: string): Intrinsic {
  return intrinsic(
    name,
    [required('x'), required('kth'), last],
    `${result} with the element at \`kth\` where a full sort puts it, none smaller after it and none greater before it. The order of the others is not promised; today it is that of a full sort.`,
    (a) => {
      const { x, axis } = ordered(a);
      const size = x.type.shape[axis]!;
      const kth = a.int('kth');
      requireWithin(a, 'kth', kth, subtract(zero, size), subtract(size, one));
      return a.tensor(
        primitive === 'sort'
          ? sortAll(a, [x], 1, axis, false)[0]!
          : a.apply('argsort', [x], { axis, descending: false }),
      );
    },
  );
}

export const ordering: readonly Intrinsic[] = [
  intrinsic(
    'sort',
    [required('x'), last, descending],
    'The elements in ascending order along an axis (the last), NaN at the end; or in descending order, NaN first. `axis = none` sorts all elements.',
    (a) => {
      const { x, axis } = ordered(a);
      return a.tensor(sortAll(a, [x], 1, axis, a.boolean('descending'))[0]!);
    },
  ),
  intrinsic(
    'argsort',
    [required('x'), last, descending],
    'The i32 indices that sort x along an axis (the last); equal elements keep their order.',
    (a) => {
      const { x, axis } = ordered(a);
      return a.tensor(a.apply('argsort', [x], { axis, descending: a.boolean('descending') }));
    },
  ),
  intrinsic(
    'sort_by',
    [required('keys'), required('values'), last, descending],
    'Values in the order of keys along an axis: `(keys, values)`, both sorted. Keys are a tensor or a tuple of them, the first the most significant; values are a tree of tensors of the shape of the keys.',
    (a) => {
      const keys = tensorsOf(a, 'keys');
      const values = a.need(a.context.leaves(a.term('values'), a.spanOf('values')));
      const axis = a.axis('axis', keys[0]!.type.shape.length);
      const sorted = sortAll(a, [...keys, ...values], keys.length, axis, a.boolean('descending'));
      const items: Term[] = [
        a.context.rebuild(a.term('keys'), sorted.slice(0, keys.length)),
        a.context.rebuild(a.term('values'), sorted.slice(keys.length)),
      ];
      return { kind: 'tuple', items };
    },
  ),
  intrinsic(
    'lexsort',
    [required('keys'), last],
    'The i32 indices that sort by several keys, a tuple of tensors of one shape, the LAST of them the most significant, as in NumPy.',
    (a) => {
      const keys = [...tensorsOf(a, 'keys')].reverse();
      const { shape } = keys[0]!.type;
      const axis = a.axis('axis', shape.length);
      const places = a.iota('i32', shape, axis);
      return a.tensor(sortAll(a, [...keys, places], keys.length, axis, false)[keys.length]!);
    },
  ),
  intrinsic(
    'top_k',
    [required('x'), required('k'), last],
    'The k greatest elements along an axis (the last) in descending order, and their i32 indices: `(values, indices)`. NaN comes first; of equal elements the first ones are taken.',
    (a) => {
      const { x, axis } = ordered(a);
      const k = a.int('k');
      requireWithin(a, 'k', k, zero, x.type.shape[axis]!);
      const [values, indices] = a.applyAll('top_k', [x], { axis, k });
      return { kind: 'tuple', items: [a.tensor(values!), a.tensor(indices!)] };
    },
  ),
  partition('partition', 'sort', 'The elements'),
  partition('argpartition', 'argsort', 'The i32 indices of the elements'),
];
