/** Views, joins and other moves of whole tensors. */
import { add, constantValue, int, multiply, product } from '../../../compiler/symbolic/integer.ts';
import { isFloat } from '../../../compiler/tensor-ir/dtype.ts';
import { isNumber, list, printShape, typed } from '../expression.ts';
import type { Rule } from '../generator.ts';

function permuted<T>(items: readonly T[], permutation: readonly number[]): readonly T[] {
  return permutation.map((i) => items[i]!);
}

export const shapeRules: readonly Rule[] = [
  {
    name: 'reshape',
    weight: 3,
    make: (g, scope, depth) => {
      const x = g.any(scope, depth - 1);
      const { dtype, shape } = x.type!;
      const whole = product(shape);
      const two = shape.length > 1 ? [shape[0]!, product(shape.slice(1))] : [int(1), whole];
      const split = shape.flatMap((d) => (constantValue(d) === 4 ? [int(2), int(2)] : [d]));
      const to = g.random.pick([[whole], two, [whole, int(1)], split, [...shape].reverse()]);
      const make = typed({ dtype, shape: to });
      if (to.length === 1 && g.random.chance(0.4))
        return make`${g.random.pick(['ravel', 'flatten'])}(${x})`;
      return make`reshape(${x}, ${printShape(to)})`;
    },
  },
  {
    name: 'transpose',
    weight: 4,
    make: (g, scope, depth) => {
      const x = g.ranked(scope, depth - 1, 2);
      const { dtype, shape } = x.type!;
      const order = shape.map((_, i) => i);
      switch (g.random.below(4)) {
        case 0:
          return typed({ dtype, shape: [...shape].reverse() })`${x}.T`;
        case 1: {
          const [a, b] = [g.axis(x.type!), g.axis(x.type!)];
          order[a] = b;
          order[b] = a;
          return typed({ dtype, shape: permuted(shape, order) })`swapaxes(${x}, ${a}, ${b})`;
        }
        case 2: {
          const [from, to] = [g.axis(x.type!), g.axis(x.type!)];
          order.splice(to, 0, ...order.splice(from, 1));
          const type = { dtype, shape: permuted(shape, order) };
          return typed(type)`moveaxis(${x}, ${g.showAxis(from, x.type!)}, ${to})`;
        }
        default:
          for (let i = order.length - 1; i > 0; i--) {
            const j = g.random.below(i + 1);
            [order[i], order[j]] = [order[j]!, order[i]!];
          }
          return typed({
            dtype,
            shape: permuted(shape, order),
          })`permute_dims(${x}, (${order.join(', ')}))`;
      }
    },
  },
  {
    name: 'axes of size 1',
    weight: 2,
    make: (g, scope, depth) => {
      const x = g.any(scope, depth - 1, (t) => t.shape.length < 4);
      const { dtype, shape } = x.type!;
      const at = g.random.between(0, shape.length);
      const grown = [...shape.slice(0, at), int(1), ...shape.slice(at)];
      const type = { dtype, shape: grown };
      if (g.random.chance(0.4)) {
        const marks = [...shape.slice(0, at).map(() => ':'), 'newaxis'];
        return typed(type)`${x}[${marks.join(', ')}]`;
      }
      const wide = typed(type)`expand_dims(${x}, ${at})`;
      return g.random.chance(0.3) ? typed({ dtype, shape })`squeeze(${wide}, axis = ${at})` : wide;
    },
  },
  {
    name: 'broadcast_to',
    weight: 2,
    make: (g, scope, depth) => {
      const x = g.any(scope, depth - 1, (t) => t.shape.length < 4);
      const { dtype, shape } = x.type!;
      const to = [g.random.pick(g.someType().shape.concat([int(2)])), ...shape];
      return typed({ dtype, shape: to })`broadcast_to(${x}, ${printShape(to)})`;
    },
  },
  {
    name: 'flip',
    weight: 2,
    make: (g, scope, depth) => {
      const x = g.ranked(scope, depth - 1);
      return typed(x.type)`flip(${x}, axis = ${g.showAxis(g.axis(x.type!), x.type!)})`;
    },
  },
  {
    name: 'roll',
    weight: 2,
    make: (g, scope, depth) => {
      const x = g.ranked(scope, depth - 1);
      return typed(x.type)`roll(${x}, ${g.random.pick([1, -1, 2])}, axis = ${g.axis(x.type!)})`;
    },
  },
  {
    name: 'concatenate',
    weight: 4,
    make: (g, scope, depth) => {
      const x = g.ranked(scope, depth - 1);
      const { dtype, shape } = x.type!;
      const axis = g.axis(x.type!);
      const other = shape.map((d, i) =>
        i === axis ? g.random.pick([d, int(1), int(2), ...g.someType().shape]) : d,
      );
      const items = [x, g.like({ dtype, shape: other }, scope, depth - 1)];
      if (g.random.chance(0.2)) items.push(g.like(x.type!, scope, depth - 2));
      const total = items.map((e) => e.type!.shape[axis]!).reduce(add);
      const to = shape.map((d, i) => (i === axis ? total : d));
      return typed({ dtype, shape: to })`concatenate((${list(items)}), axis = ${axis})`;
    },
  },
  {
    name: 'stack',
    weight: 2,
    make: (g, scope, depth) => {
      const x = g.any(scope, depth - 1, (t) => t.shape.length < 4);
      const { dtype, shape } = x.type!;
      const axis = g.random.between(0, shape.length);
      const y = g.like(x.type!, scope, depth - 1);
      const to = [...shape.slice(0, axis), int(2), ...shape.slice(axis)];
      return typed({ dtype, shape: to })`stack((${x}, ${y}), axis = ${axis})`;
    },
  },
  {
    name: 'split',
    weight: 2,
    make: (g, scope, depth) => {
      const x = g.ranked(scope, depth - 1);
      const { dtype, shape } = x.type!;
      const axis = g.axis(x.type!);
      const size = constantValue(shape[axis]!);
      if (size === undefined || size < 2) return undefined;
      const cut = g.random.between(1, size - 1);
      const part = g.random.below(2);
      const to = shape.map((d, i) => (i === axis ? int(part === 0 ? cut : size - cut) : d));
      return typed({ dtype, shape: to })`split(${x}, (${cut},), axis = ${axis})[${part}]`;
    },
  },
  {
    name: 'pad',
    weight: 3,
    make: (g, scope, depth) => {
      const x = g.ranked(scope, depth - 1);
      const { dtype, shape } = x.type!;
      if (dtype === 'bool') return undefined;
      const widths = shape.map(() => [g.random.below(3), g.random.below(2)] as const);
      const to = shape.map((d, i) => add(d, int(widths[i]![0] + widths[i]![1])));
      const shown = widths.map(([low, high]) => `(${low}, ${high})`).join(', ');
      const value = g.random.chance(0.4) ? `, constant_values = ${g.literal(dtype)}` : '';
      return typed({ dtype, shape: to })`pad(${x}, (${shown},)${value})`;
    },
  },
  {
    name: 'repeat',
    weight: 2,
    make: (g, scope, depth) => {
      const x = g.ranked(scope, depth - 1);
      const { dtype, shape } = x.type!;
      const axis = g.axis(x.type!);
      const to = shape.map((d, i) => (i === axis ? multiply(d, int(2)) : d));
      const make = typed({ dtype, shape: to });
      if (g.random.chance(0.5)) return make`repeat(${x}, 2, axis = ${axis})`;
      const reps = shape.map((_, i) => (i === axis ? 2 : 1)).join(', ');
      return make`tile(${x}, (${reps},))`;
    },
  },
  {
    name: 'triangle',
    weight: 2,
    make: (g, scope, depth) => {
      const x = g.any(scope, depth - 1, (t) => isNumber(t) && t.shape.length >= 2);
      return typed(
        x.type,
      )`${g.random.pick(['tril', 'triu'])}(${x}, k = ${g.random.between(-1, 1)})`;
    },
  },
  {
    name: 'diagonal',
    weight: 1,
    make: (g, scope, depth) => {
      const x = g.any(scope, depth - 1, (t) => t.shape.length === 1);
      const { dtype, shape } = x.type!;
      const square = [shape[0]!, shape[0]!];
      const y = g.like({ dtype, shape: square }, scope, depth - 1);
      if (isNumber(x.type!) && g.random.chance(0.3)) {
        const total = typed({ dtype, shape: [] })`trace(${y})`;
        return isFloat(dtype) ? g.tame(total) : total;
      }
      return typed({ dtype, shape })`diagonal(${y})`;
    },
  },
];
