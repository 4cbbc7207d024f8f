/** NumPy's broadcasting: shapes align at their last axis; sizes are equal, or 1 on one side. */
import { cannotBroadcast } from '../diagnostics/problems/shapes.ts';
import type { Span } from '../diagnostics/span.ts';
import { type Int, one, print } from '../symbolic/integer.ts';
import { ShapeProblem } from '../tensor-ir/primitive.ts';
import type { Value } from '../tensor-ir/program.ts';
import { showShape } from '../tensor-ir/show.ts';
import { type Elaborator, unifyHint } from './elaborator.ts';
import { broadcast, reshape, sameShape } from './operations.ts';
import { showTensor } from './show.ts';

/** The common shape of several, or undefined with a report that names the axis. */
export function broadcastShapes(
  e: Elaborator,
  shapes: readonly (readonly Int[])[],
  spans: readonly Span[],
  /** The operands as the message should name them; their shapes when absent. */
  show: () => readonly string[] = () => shapes.map(showShape),
): readonly Int[] | undefined {
  let result = shapes[0] ?? [];
  for (let i = 1; i < shapes.length; i++) {
    const shape = shapes[i]!;
    if (sameShape(result, shape)) continue;
    const rank = Math.max(result.length, shape.length);
    const joined: Int[] = [];
    for (let axis = 0; axis < rank; axis++) {
      const a = result[axis - rank + result.length] ?? one;
      const b = shape[axis - rank + shape.length] ?? one;
      if (a === b || b === one) joined.push(a);
      else if (a === one) joined.push(b);
      else {
        const verdict = e.conditions.judge({ relation: 'equal', left: a, right: b });
        if (verdict === 'refuted') {
          const hint = alignHint(result, shape) ?? unifyHint(a, b);
          report(e, i, axis - rank, a, b, spans, show(), hint);
          return undefined;
        }
        e.requireEqual(a, b, spans[i]!, 'sizes of one axis');
        joined.push(a);
      }
    }
    result = joined;
  }
  return result;
}

/** A vector whose size is that of the first axis of a matrix. */
function alignHint(left: readonly Int[], right: readonly Int[]): string | undefined {
  const isLeft = left.length < right.length;
  const [short, long] = isLeft ? [left, right] : [right, left];
  if (short.length !== 1 || long.length !== 2 || short[0] !== long[0]) return undefined;
  return `shapes align at their last axis: \`v[:, newaxis]\` lays the vector on the ${isLeft ? 'left' : 'right'} along axis 0; a reduction keeps its axis with \`keepdims = true\``;
}

function report(
  e: Elaborator,
  index: number,
  axis: number,
  left: Int,
  right: Int,
  spans: readonly Span[],
  shown: readonly string[],
  hint: string | undefined,
): void {
  const first = spans[0]!;
  const second = spans[index]!;
  const start = Math.min(first.start, second.start);
  const end = Math.max(first.end, second.end);
  const span = first.file === second.file ? { file: first.file, start, end } : second;
  const labels =
    first.start === second.start && first.end === second.end
      ? []
      : [
          { span: first, text: shown[0]! },
          { span: second, text: shown[index]! },
        ];
  const reason = `axis ${axis} is ${print(left)} on the left and ${print(right)} on the right`;
  e.error(
    cannotBroadcast(shown[0]!, shown[index]!, reason, span, {
      labels: [...labels, ...e.dimLabels(left, right)],
      hint,
    }),
  );
}

/** Broadcast to a shape by NumPy's rules. Throws ShapeProblem when the value cannot fit it. */
export function broadcastTo(e: Elaborator, value: Value, shape: readonly Int[]): Value {
  const own = value.type.shape;
  if (sameShape(own, shape)) return value;
  const offset = shape.length - own.length;
  const fits = own.every((left, i) => {
    const right = shape[i + offset];
    if (right === undefined) return false;
    return left === one || e.conditions.judge({ relation: 'equal', left, right }) !== 'refuted';
  });
  if (!fits) throw new ShapeProblem(`cannot broadcast ${showShape(own)} to ${showShape(shape)}`);
  // a size that only a guard makes equal takes the name that the result has
  const named = own.map((d, i) => (d === one ? d : shape[i + offset]!));
  const renamed = reshape(e.builder, value, named);
  return broadcast(
    e.builder,
    renamed,
    shape,
    own.map((_, i) => i + offset),
  );
}

export function broadcastTogether(
  e: Elaborator,
  values: readonly Value[],
  spans: readonly Span[],
): readonly Value[] | undefined {
  const shape = broadcastShapes(
    e,
    values.map((v) => v.type.shape),
    spans,
    () => values.map((v) => showTensor(v.type.dtype, v.type.shape)),
  );
  return shape === undefined ? undefined : values.map((v) => broadcastTo(e, v, shape));
}
