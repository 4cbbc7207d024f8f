/** Several tensors made one, and one cut into several. */
import {
  divideExact,
  type Int,
  int,
  multiply,
  print,
  product,
  zero,
} from '../../symbolic/integer.ts';
import type { Value } from '../../tensor-ir/program.ts';
import type { Intrinsic } from '../intrinsic.ts';
import { formOf, tensorTerm } from '../terms.ts';
import type { ElementForm } from '../value.ts';
import { expandDims, isWhole, sliceAxis } from './shapes.ts';
import {
  type Arguments,
  type Emitter,
  intrinsic,
  intTerm,
  optional,
  range,
  required,
  showTensor,
} from './support.ts';

/** Demands at least one tensor. */
export function requireSome(a: Arguments, name: string, tensors: readonly unknown[]): void {
  if (tensors.length > 0) return;
  a.fail('MLX2435', 'needs at least one tensor', { span: a.spanOf(name) });
}

/** The tensors of a tuple or array, brought to one dtype; of one tensor, its rows. */
function tensorsOf(a: Arguments, name: string): readonly Value[] {
  const term = a.term(name);
  if (term.kind !== 'tuple' && term.kind !== 'array') {
    a.fail('MLX2434', 'expected a tuple or an array of tensors', {
      span: a.spanOf(name),
      hint: 'put them in one: `concatenate((a, b), axis = 0)`',
    });
  }
  requireSome(a, name, term.items);
  return a.need(
    a.context.toTensors(
      term.items,
      term.items.map(() => a.spanOf(name)),
    ),
  );
}

/** The form of the elements of all items: the pair of a key or a complex number is no axis of the language. */
function formOfItems(a: Arguments, name: string): ElementForm {
  const term = a.term(name);
  const items = term.kind === 'tuple' || term.kind === 'array' ? term.items : [];
  return items[0] === undefined ? 'plain' : formOf(items[0]);
}

/** The tensors with all sizes but that of `axis` (undefined: with all sizes) as in the first. */
export function alike(
  a: Arguments,
  values: readonly Value[],
  axis: number | undefined,
): readonly Value[] {
  const first = values[0]!.type;
  return values.map((value) => {
    if (value.type.shape.length !== first.shape.length) {
      const shown = `${showTensor(first)} and ${showTensor(value.type)}`;
      a.fail('MLX2436', `tensors of different rank: ${shown}`);
    }
    return first.shape.reduce(
      (v, dim, i) => (i === axis ? v : a.withSize(v, i, dim, `axis ${i} of the tensors`)),
      value,
    );
  });
}

/** Tensors of one shape along a new axis. */
export function stackValues(e: Emitter, values: readonly Value[], axis: number): Value {
  const rows = values.map((v) => expandDims(e, v, [axis]));
  return rows.length === 1 ? rows[0]! : e.apply('concatenate', rows, { axis });
}

/** Whole-number pieces: `split(x, 3)` in equal parts, `split(x, (2, 5))` at indices. */
function pieces(a: Arguments, size: Int): readonly (readonly [Int, Int])[] {
  const term = a.term('indices_or_sections');
  if (term.kind === 'tuple' || term.kind === 'array') {
    const cuts = [zero, ...a.shape('indices_or_sections'), size];
    return cuts.slice(1).map((stop, i) => [cuts[i]!, stop] as const);
  }
  const count = a.constantInt('indices_or_sections');
  if (count < 1)
    a.fail('MLX2437', 'needs at least one part', { span: a.spanOf('indices_or_sections') });
  const part = divideExact(size, int(count));
  if (part === undefined || !isWhole(part)) {
    a.fail('MLX2437', `${print(size)} cannot be split into ${count} equal parts`);
  }
  a.context.guard({
    relation: 'divisible',
    left: size,
    right: int(count),
    message: `split needs ${print(size)} to be a multiple of ${count}`,
    span: a.span,
  });
  return range(count).map((i) => [multiply(int(i), part), multiply(int(i + 1), part)] as const);
}

export const joining: readonly Intrinsic[] = [
  ...['concatenate', 'concat'].map((name) =>
    intrinsic(
      name,
      [required('tensors'), optional('axis', intTerm(0))],
      'Tensors one after another along an axis they have; flattened first with `axis = none`.',
      (a) => {
        const given = tensorsOf(a, 'tensors');
        const form = formOfItems(a, 'tensors');
        const isFlat = a.isNone('axis');
        const values = isFlat ? given.map((x) => a.reshape(x, [product(x.type.shape)])) : given;
        const axis = isFlat
          ? 0
          : a.axis('axis', values[0]!.type.shape.length - (form === 'plain' ? 0 : 1));
        const parts = alike(a, values, axis);
        const joined = parts.length === 1 ? parts[0]! : a.apply('concatenate', parts, { axis });
        return tensorTerm(joined, form);
      },
    ),
  ),
  intrinsic(
    'stack',
    [required('tensors'), optional('axis', intTerm(0))],
    'Tensors of one shape along a new axis.',
    (a) => {
      const values = tensorsOf(a, 'tensors');
      const form = formOfItems(a, 'tensors');
      const axis = a.axis('axis', values[0]!.type.shape.length + (form === 'plain' ? 1 : 0));
      return tensorTerm(stackValues(a, alike(a, values, undefined), axis), form);
    },
  ),
  intrinsic(
    'split',
    [required('x'), required('indices_or_sections'), optional('axis', intTerm(0))],
    'A tuple of parts of x along an axis: equal parts for a number, cut at the indices for a tuple.',
    (a) => {
      const x = a.value('x');
      const axis = a.axis('axis', x.type.shape.length);
      const parts = pieces(a, x.type.shape[axis]!);
      const items = parts.map(([start, stop]) => a.tensor(sliceAxis(a, x, axis, start, stop)));
      return { kind: 'tuple', items };
    },
  ),
];
