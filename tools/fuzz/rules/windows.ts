/** Convolutions, and what else looks through windows. Sizes along the windows are known, so that the windows fit. */
import { constantValue, int, subtract } from '../../../compiler/symbolic/integer.ts';
import { isFloat } from '../../../compiler/tensor-ir/dtype.ts';
import type { TensorType } from '../../../compiler/tensor-ir/program.ts';
import { isNumber, typed } from '../expression.ts';
import type { Rule } from '../generator.ts';

function fitsWindows({ shape }: TensorType): boolean {
  return shape.length > 0 && shape.every((d) => (constantValue(d) ?? 0) >= 2);
}

export const windowRules: readonly Rule[] = [
  {
    name: 'convolution',
    weight: 2,
    make: (g, scope, depth) => {
      const dtype = g.floatType;
      const [size, kernel, stride] = [
        g.random.between(3, 5),
        g.random.between(1, 3),
        g.random.between(1, 2),
      ];
      const [pad, channels] = [g.random.below(2), g.random.between(1, 2)];
      const batch = g.random.pick([...g.someType().shape, int(2)]);
      const x = g.like({ dtype, shape: [batch, int(size), int(channels)] }, scope, depth - 1);
      const weights = { dtype, shape: [int(2), int(kernel), int(channels)] };
      const w = g.like(weights, scope, depth - 1);
      const out = Math.floor((size + 2 * pad - kernel) / stride) + 1;
      const type = { dtype, shape: [batch, int(out), int(2)] };
      const flip = g.random.chance(0.3) ? ', flip = true' : '';
      return g.tame(
        typed(type)`conv_general(${x}, ${w}, stride = ${stride}, padding = ${pad}${flip})`,
      );
    },
  },
  {
    name: 'reduce_window',
    weight: 2,
    make: (g, scope, depth) => {
      const x = g.any(scope, depth - 1, (t) => isNumber(t) && fitsWindows(t));
      const { dtype, shape } = x.type!;
      if (!isNumber(x.type!) || !fitsWindows(x.type!)) return undefined;
      const [stride, pad] = [g.random.between(1, 2), g.random.below(2)];
      const out = shape.map((d) => int(Math.floor((constantValue(d)! + 2 * pad - 2) / stride) + 1));
      const op = g.random.pick(['sum', 'prod', 'max', 'min']);
      const made = typed({
        dtype,
        shape: out,
      })`reduce_window(${x}, op = "${op}", window = 2, stride = ${stride}, padding = ${pad})`;
      return isFloat(dtype) ? g.tame(made) : made;
    },
  },
  {
    name: 'sliding windows',
    weight: 1,
    make: (g, scope, depth) => {
      const x = g.any(scope, depth - 1, (t) => fitsWindows(t) && t.shape.length < 4);
      if (!fitsWindows(x.type!)) return undefined;
      const { dtype, shape } = x.type!;
      const axis = g.axis(x.type!);
      const out = shape.map((d, i) => (i === axis ? subtract(d, int(1)) : d));
      return typed({
        dtype,
        shape: [...out, int(2)],
      })`sliding_window_view(${x}, 2, axis = ${axis})`;
    },
  },
];
