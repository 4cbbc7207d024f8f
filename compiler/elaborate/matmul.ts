/** `@` as NumPy has it: vectors, matrices, and batches of matrices whose leading axes broadcast. */
import { matmulMismatch } from '../diagnostics/problems/shapes.ts';
import { operatorOperand } from '../diagnostics/problems/types.ts';
import { type Int, one, print } from '../symbolic/integer.ts';
import type { Value } from '../tensor-ir/program.ts';
import { broadcastShapes, broadcastTo } from './broadcast.ts';
import { multilinear } from './complex.ts';
import { describe } from './describe.ts';
import type { Elaborator } from './elaborator.ts';
import { visibleRank } from './indexing.ts';
import { joinDTypes } from './numbers.ts';
import { apply, permute, reshape, sameShape } from './operations.ts';
import type { OperatorPlaces } from './operators.ts';
import { errorTerm, tensorTerm } from './terms.ts';
import type { Term } from './value.ts';

function range(from: number, to: number): readonly number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);
}

export function matmul(e: Elaborator, left: Term, right: Term, places: OperatorPlaces): Term {
  const terms = [left, right];
  const spans = [places.left, places.right];
  for (let i = 0; i < 2; i++) {
    const term = terms[i]!;
    if (term.kind !== 'tensor' || term.form === 'key' || visibleRank(term) === 0) {
      return e.error(
        operatorOperand(
          '@',
          'vectors or matrices',
          describe(term),
          spans[i]!,
          '`*` multiplies by a number',
        ),
      );
    }
  }
  const dtype = joinDTypes(e, terms, spans, '`@`');
  if (dtype === undefined || left.kind !== 'tensor' || right.kind !== 'tensor') return errorTerm;
  if (dtype === 'bool') {
    return e.error(
      operatorOperand('@', 'numbers', describe(left), places.span, 'convert first: `f32(x)`'),
    );
  }
  if (left.form === 'complex' && right.form === 'complex') {
    return multilinear(e, [left, right], ([x, y]) => {
      const product = matmul(e, tensorTerm(x!), tensorTerm(y!), places);
      return product.kind === 'tensor' ? product.value : undefined;
    });
  }
  const x = left.value;
  let y = right.value;
  const a = x.type.shape;
  const b = y.type.shape;
  const inner = a.at(-1)!;
  const axis = Math.max(0, b.length - 2);
  const outer = b[axis]!;
  if (inner !== outer) {
    const verdict = e.conditions.judge({ relation: 'equal', left: inner, right: outer });
    if (verdict === 'refuted') {
      const reason = `the last axis on the left is ${print(inner)}, ${b.length === 1 ? 'the axis' : `axis ${axis - b.length}`} on the right is ${print(outer)}`;
      const labels = [
        { span: places.left, text: describe(left) },
        { span: places.right, text: describe(right) },
        ...e.dimLabels(inner, outer),
      ];
      const problem = matmulMismatch(describe(left), describe(right), reason, places.span, labels);
      const hint = transposeHint(a, b);
      return e.error(hint === undefined ? problem : { ...problem, hint });
    }
    e.requireEqual(inner, outer, places.span, 'the axes that `@` sums over');
    y = reshape(
      e.builder,
      y,
      b.map((d, i) => (i === axis ? inner : d)),
    );
  }
  e.builder.span = places.span;
  const result = multiply(e, x, y, places);
  return result === undefined ? errorTerm : tensorTerm(result);
}

/** Which side to transpose, or to swap. */
function transposeHint(a: readonly Int[], b: readonly Int[]): string | undefined {
  if (b.length === 2 && a.at(-1) === b[1]) return 'transpose the right side: `a @ b.T`';
  if (b.length > 2 && a.at(-1) === b.at(-1)) {
    return 'swap the last axes of the right side: `a @ swapaxes(b, -1, -2)`';
  }
  if (b.length === 1 && a.length === 2 && a[0] === b[0]) {
    return 'transpose the left side: `a.T @ b`, or write `b @ a`';
  }
  if (a.length === 2 && a[0] === b[Math.max(0, b.length - 2)]) {
    return 'transpose the left side: `a.T @ b`';
  }
  return undefined;
}

function multiply(e: Elaborator, x: Value, y: Value, places: OperatorPlaces): Value | undefined {
  const rankX = x.type.shape.length;
  const rankY = y.type.shape.length;
  const contracting = [[rankX - 1], [Math.max(0, rankY - 2)]];
  const batchX = x.type.shape.slice(0, Math.max(0, rankX - 2));
  const batchY = y.type.shape.slice(0, Math.max(0, rankY - 2));
  // the free axes of x stand before those of y already: no batch needed
  if (batchY.length === 0)
    return apply(e.builder, 'dot_general', [x, y], { contracting, batch: [[], []] });
  if (batchX.length === 0) {
    // free x, batch y, free y: bring the batch to the front
    const product = apply(e.builder, 'dot_general', [x, y], { contracting, batch: [[], []] });
    const freeX = rankX - 1;
    const count = batchY.length;
    const rank = product.type.shape.length;
    const order = [
      ...range(freeX, freeX + count),
      ...range(0, freeX),
      ...range(freeX + count, rank),
    ];
    return permute(e.builder, product, order);
  }
  const batch = broadcastShapes(e, [batchX, batchY], [places.left, places.right]);
  if (batch === undefined) return undefined;
  const [wideX, wideY] = [spread(e, x, batch), spread(e, y, batch)];
  const axes = range(0, batch.length);
  const rank = batch.length + 2;
  return apply(e.builder, 'dot_general', [wideX, wideY], {
    contracting: [[rank - 1], [rank - 2]],
    batch: [axes, axes],
  });
}

/** The matrices of `x` along all of `batch`. */
function spread(e: Elaborator, x: Value, batch: readonly Int[]): Value {
  const matrix = x.type.shape.slice(-2);
  const shape = [...batch, ...matrix];
  if (sameShape(x.type.shape, shape)) return x;
  const missing = shape.length - x.type.shape.length;
  const padded = [...range(0, missing).map(() => one), ...x.type.shape];
  return broadcastTo(e, reshape(e.builder, x, padded), shape);
}
