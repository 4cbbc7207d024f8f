/** Reading and updating parts of tensors, at places known when compiling and at places known when running. */
import {
  add,
  ceildiv,
  constantValue,
  type Int,
  int,
  subtract,
} from '../../../compiler/symbolic/integer.ts';
import type { TensorType } from '../../../compiler/tensor-ir/program.ts';
import { type Expression, isNumber, printShape, typed } from '../expression.ts';
import type { Generator, Rule, Scope } from '../generator.ts';

/** An entry of an index, and the axes that it leaves. */
interface Entry {
  readonly text: string;
  readonly sizes: readonly Int[];
}

/** A way to index an axis. What may be out of range for some sizes is drawn rarely: the guard then refuses the call. */
function entryFor(g: Generator, size: Int): Entry {
  const known = constantValue(size);
  const whole: Entry = { text: ':', sizes: [size] };
  const isSafe = (least: number): boolean =>
    (known ?? 0) >= least || (known === undefined && g.random.chance(0.3));
  switch (g.random.below(9)) {
    case 0:
      return isSafe(1) ? { text: g.random.pick(['0', '-1']), sizes: [] } : whole;
    case 1:
      return isSafe(1) ? { text: '1:', sizes: [subtract(size, int(1))] } : whole;
    case 2:
      return isSafe(1) ? { text: ':-1', sizes: [subtract(size, int(1))] } : whole;
    case 3:
      return { text: '::2', sizes: [ceildiv(size, int(2))] };
    case 4:
      return { text: '::-1', sizes: [size] };
    case 5:
      return isSafe(3) ? { text: '1:3', sizes: [int(2)] } : whole;
    case 6:
      return isSafe(2) ? { text: '-2:', sizes: [int(2)] } : whole;
    default:
      return whole;
  }
}

function entriesFor(g: Generator, shape: readonly Int[]): readonly Entry[] {
  return shape.map((size) => entryFor(g, size));
}

/** Reading at a place known when running needs a place to read, else a guard refuses the call: mostly there is one. */
function hasElements(g: Generator, sizes: readonly Int[]): void {
  if (sizes.every((size) => constantValue(size) !== undefined)) return;
  if (g.random.chance(0.8)) g.needsElements = true;
}

/** An i32 tensor of places, some of them negative or out of range. */
function places(g: Generator, scope: Scope, depth: number, shape: readonly Int[]): Expression {
  const type: TensorType = { dtype: 'i32', shape };
  return g.random.chance(0.5) ? g.like(type, scope, depth) : g.constant(type);
}

function placesShape(g: Generator): readonly Int[] {
  const sizes = [int(2), int(3), ...g.someType().shape];
  return g.random.chance(0.25)
    ? [g.random.pick(sizes), g.random.pick(sizes)]
    : [g.random.pick(sizes)];
}

export const indexingRules: readonly Rule[] = [
  {
    name: 'slice',
    weight: 6,
    make: (g, scope, depth) => {
      const x = g.ranked(scope, depth - 1);
      const { dtype, shape } = x.type!;
      const entries = entriesFor(g, shape);
      const texts = entries.map((e) => e.text);
      if (g.random.chance(0.2) && shape.length > 1 && texts[0] === ':') texts[0] = '...';
      return typed({ dtype, shape: entries.flatMap((e) => e.sizes) })`${x}[${texts.join(', ')}]`;
    },
  },
  {
    name: 'gather',
    weight: 4,
    make: (g, scope, depth) => {
      const x = g.ranked(scope, depth - 1, 1, 3);
      const { dtype, shape } = x.type!;
      const at = placesShape(g);
      const index = places(g, scope, depth - 1, at);
      if (shape.length > 1 && g.random.chance(0.3)) {
        hasElements(g, shape.slice(0, 2));
        const second = places(g, scope, depth - 1, at);
        return typed({ dtype, shape: [...at, ...shape.slice(2)] })`${x}[${index}, ${second}]`;
      }
      const axis = g.axis(x.type!);
      hasElements(g, [shape[axis]!]);
      const type = { dtype, shape: [...shape.slice(0, axis), ...at, ...shape.slice(axis + 1)] };
      if (g.random.chance(0.5)) return typed(type)`take(${x}, ${index}, axis = ${axis})`;
      const before = ':, '.repeat(axis);
      return typed(type)`${x}[${before}${index}]`;
    },
  },
  {
    name: 'element',
    weight: 1,
    make: (g, scope, depth) => {
      const x = g.ranked(scope, depth - 1);
      const { dtype, shape } = x.type!;
      hasElements(g, shape.slice(0, 1));
      const i = g.like({ dtype: 'i32', shape: [] }, scope, depth - 1);
      return typed({ dtype, shape: shape.slice(1) })`${x}[${i}]`;
    },
  },
  {
    name: 'take_along_axis',
    weight: 1,
    make: (g, scope, depth) => {
      const x = g.ranked(scope, depth - 1);
      const { dtype, shape } = x.type!;
      const axis = g.axis(x.type!);
      hasElements(g, [shape[axis]!]);
      const at = shape.map((d, i) => (i === axis ? g.random.pick([int(1), int(2), d]) : d));
      const index = places(g, scope, depth - 1, at);
      return typed({ dtype, shape: at })`take_along_axis(${x}, ${index}, axis = ${axis})`;
    },
  },
  {
    name: 'one_hot',
    weight: 1,
    make: (g, scope, depth) => {
      const index = places(g, scope, depth - 1, placesShape(g));
      const shape = [...index.type!.shape, int(4)];
      return typed({ dtype: 'f32', shape })`one_hot(${index}, 4, dtype = f32)`;
    },
  },
  {
    name: 'dynamic_slice',
    weight: 2,
    make: (g, scope, depth) => {
      const x = g.ranked(scope, depth - 1, 1, 3);
      const { dtype, shape } = x.type!;
      const sizes = shape.map((d) => {
        const known = constantValue(d);
        return known === undefined || known < 2 ? d : int(g.random.between(1, known));
      });
      const starts = shape.map(() => g.like({ dtype: 'i32', shape: [] }, scope, depth - 2));
      const start = starts.flatMap((e) => [e, ', '] as const).slice(0, -1);
      const origin = typed(undefined)`(${{ kind: 'template', parts: start }},)`;
      if (g.random.chance(0.4)) {
        const update = g.like({ dtype, shape: sizes }, scope, depth - 1);
        return typed(x.type)`dynamic_update_slice(${x}, ${update}, ${origin})`;
      }
      return typed({ dtype, shape: sizes })`dynamic_slice(${x}, ${origin}, ${printShape(sizes)})`;
    },
  },
  {
    name: 'update',
    weight: 4,
    make: (g, scope, depth) => {
      const x = g.any(scope, depth - 1, (t) => isNumber(t) && t.shape.length > 0);
      const { dtype, shape } = x.type!;
      const entries = entriesFor(g, shape);
      const part = { dtype, shape: entries.flatMap((e) => e.sizes) };
      const value = g.random.chance(0.3)
        ? g.constant({ dtype, shape: [] })
        : g.like(part, scope, depth - 1);
      const mode = g.random.pick(['set', 'add', 'mul', 'min', 'max']);
      const texts = entries.map((e) => e.text).join(', ');
      return typed(x.type)`${x}.at[${texts}].${mode}(${value})`;
    },
  },
  {
    name: 'scatter',
    weight: 3,
    make: (g, scope, depth) => {
      const x = g.any(
        scope,
        depth - 1,
        (t) => isNumber(t) && t.shape.length > 0 && t.shape.length < 4,
      );
      const { dtype, shape } = x.type!;
      const at = placesShape(g);
      const index = places(g, scope, depth - 1, at);
      const value = g.like({ dtype, shape: [...at, ...shape.slice(1)] }, scope, depth - 1);
      const mode = g.random.pick(['set', 'add', 'add', 'mul', 'min', 'max']);
      return typed(x.type)`${x}.at[${index}].${mode}(${value})`;
    },
  },
  {
    name: 'window sum',
    weight: 1,
    make: (g, scope, depth) => {
      const x = g.any(scope, depth - 1, (t) => t.shape.length === 1 && t.dtype !== 'bool');
      const { dtype, shape } = x.type!;
      const padded = typed({ dtype, shape: [add(shape[0]!, int(2))] })`pad(${x}, 1)`;
      return g.shared(padded, (p) => typed({ dtype, shape })`(${p}[:-2] + ${p}[1:-1] - ${p}[2:])`);
    },
  },
];
