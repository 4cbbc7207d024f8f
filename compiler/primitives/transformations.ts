/** `vmap`, `jvp` and `vjp` as operations: what the front end writes and transforms/expand.ts removes. */
import { InternalError } from '../diagnostics/internal-error.ts';
import type { Int } from '../symbolic/integer.ts';
import { isFloat } from '../tensor-ir/dtype.ts';
import { moveElements, type NdArray, offsetOf, stridesOf } from '../tensor-ir/nd-array.ts';
import { definePrimitive, type Lowering, type Primitive } from '../tensor-ir/primitive.ts';
import type { TensorType } from '../tensor-ir/program.ts';
import { range, require, requireAxes, showType, tensorType } from './checks.ts';
import { byExpansion, requireRegions, requireTypes, typesOf } from './regions.ts';
import { rowOf, stackArrays } from './scan.ts';

const removed: Lowering<never> = { kind: 'removed', by: 'transforms' };

export type VmapAttrs = {
  /** For each operand the axis that is mapped, or -1. */
  readonly inAxes: readonly number[];
  /** For each result the place of the batch axis. */
  readonly outAxes: readonly number[];
  readonly size: Int;
};

/** The region for each place along the mapped axes; results stacked. */
export const vmap: Primitive<VmapAttrs> = definePrimitive<VmapAttrs>({
  name: 'vmap',
  inferType: (operands, { inAxes, outAxes, size }, regions) => {
    requireRegions('vmap', regions, 1);
    const { parameters, results } = regions[0]!;
    require(inAxes.length === operands.length && outAxes.length === results.length, () =>
      `vmap needs an axis for each of its ${operands.length} operands and ${results.length} results`);
    const examples = operands.map((x, i) => exampleType(x, inAxes[i]!, size));
    requireTypes('parameters of the mapped function', examples, typesOf(parameters));
    return results.map(({ type }, i) => {
      requireAxes('vmap', [outAxes[i]!], type.shape.length + 1);
      return tensorType(type.dtype, type.shape.toSpliced(outAxes[i]!, 0, size));
    });
  },
  evaluate: (operands, { inAxes, outAxes, size: extent }, { op, call, size, resultTypes }) => {
    const fronted = operands.map((x, i) => (inAxes[i]! < 0 ? x : moveArrayAxis(x, inAxes[i]!, 0)));
    const runs = range(size(extent)).map((example) =>
      call(
        op.regions[0]!,
        fronted.map((x, i) => (inAxes[i]! < 0 ? x : rowOf(x, example))),
      ),
    );
    return resultTypes.map((type, i) => {
      const shape = type.shape.map(size).toSpliced(outAxes[i]!, 1);
      const rows = runs.map((run) => run[i]!);
      return moveArrayAxis(stackArrays(rows, type.dtype, shape), 0, outAxes[i]!);
    });
  },
  jvp: byExpansion,
  transpose: byExpansion,
  batch: byExpansion,
  cost: { flops: 0 },
  lower: removed,
});

function exampleType(x: TensorType, axis: number, size: Int): TensorType {
  if (axis < 0) return x;
  requireAxes('vmap', [axis], x.shape.length);
  require(x.shape[axis] === size, () =>
    `vmap over axis ${axis} of ${showType(x)} does not have the common size`);
  return tensorType(x.dtype, x.shape.toSpliced(axis, 1));
}

function moveArrayAxis(x: NdArray, from: number, to: number): NdArray {
  const permutation = range(x.shape.length)
    .filter((axis) => axis !== from)
    .toSpliced(to, 0, from);
  const strides = stridesOf(x.shape);
  const source = permutation.map((axis) => strides[axis]!);
  const shape = permutation.map((axis) => x.shape[axis]!);
  return moveElements(x, shape, (index) => offsetOf(index, source));
}

export type DerivativeAttrs = {
  /** The operands that have tangents or cotangents, in order. */
  readonly wrt: readonly number[];
};

function requireFloats(name: string, primals: readonly TensorType[], wrt: readonly number[]): void {
  requireAxes(name, wrt, primals.length);
  for (const i of wrt) {
    require(isFloat(primals[i]!.dtype), () =>
      `${name} by operand ${i} of type ${showType(primals[i]!)}, which is not a float`);
  }
}

function floatsOf(types: readonly TensorType[]): readonly TensorType[] {
  return types.filter((type) => isFloat(type.dtype));
}

/** `jvp(primals..., tangents of wrt...) { fun }`: the results, then the tangents of the float results. */
export const jvp: Primitive<DerivativeAttrs> = definePrimitive<DerivativeAttrs>({
  name: 'jvp',
  inferType: (operands, { wrt }, regions) => {
    requireRegions('jvp', regions, 1);
    const { parameters, results } = regions[0]!;
    const primals = operands.slice(0, parameters.length);
    requireTypes('parameters of the function', primals, typesOf(parameters));
    requireFloats('jvp', primals, wrt);
    const tangents = wrt.map((i) => primals[i]!);
    requireTypes('tangents of jvp', tangents, operands.slice(parameters.length));
    return [...typesOf(results), ...floatsOf(typesOf(results))];
  },
  evaluate: () => mustBeExpanded('jvp'),
  jvp: byExpansion,
  transpose: byExpansion,
  batch: byExpansion,
  cost: { flops: 0 },
  lower: removed,
});

/** `vjp(primals..., cotangents of the float results...) { fun }`: the results, then the cotangents of `wrt`. */
export const vjp: Primitive<DerivativeAttrs> = definePrimitive<DerivativeAttrs>({
  name: 'vjp',
  inferType: (operands, { wrt }, regions) => {
    requireRegions('vjp', regions, 1);
    const { parameters, results } = regions[0]!;
    const primals = operands.slice(0, parameters.length);
    requireTypes('parameters of the function', primals, typesOf(parameters));
    requireFloats('vjp', primals, wrt);
    const outs = typesOf(results);
    requireTypes('cotangents of vjp', floatsOf(outs), operands.slice(parameters.length));
    return [...outs, ...wrt.map((i) => primals[i]!)];
  },
  evaluate: () => mustBeExpanded('vjp'),
  jvp: byExpansion,
  transpose: byExpansion,
  batch: byExpansion,
  cost: { flops: 0 },
  lower: removed,
});

function mustBeExpanded(name: string): never {
  throw new InternalError(`${name} is removed by transforms before anything is evaluated`);
}
