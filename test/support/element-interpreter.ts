/**
 * An ElementBuilder that computes instead of building: scalars are constants, indices are evaluated where elements are read.
 * It runs the `element` rule of a record without schedules or kernels.
 */
import { InternalError } from '../../compiler/diagnostics/internal-error.ts';
import type { KernelScalar } from '../../compiler/kernel-ir/program.ts';
import {
  evaluateScalar,
  scalarFunction,
  scalarResult,
} from '../../compiler/kernel-ir/scalar-functions.ts';
import { bitcastElement, convertElement } from '../../compiler/primitives/convert.ts';
import { evaluate, type Int, int } from '../../compiler/symbolic/integer.ts';
import { computeType, type DType } from '../../compiler/tensor-ir/dtype.ts';
import {
  arrayOf,
  type Element,
  type NdArray,
  offsetOf,
  scalarOf,
  stridesOf,
} from '../../compiler/tensor-ir/nd-array.ts';
import type { ElementBuilder } from '../../compiler/tensor-ir/primitive.ts';

type Constant = Extract<KernelScalar, { kind: 'constant' }>;

/** `variables` gives the values of dims and of the index variables in use. */
export function interpretElements(
  operands: readonly NdArray[],
  variables: ReadonlyMap<string, number>,
): ElementBuilder {
  const numberAt = (index: Int): number => evaluate(index, (name) => variables.get(name));
  return {
    read: (operand, index) => {
      const x = operands[operand]!;
      const place = index.map(numberAt);
      place.forEach((i, axis) => {
        if (i >= 0 && i < x.shape[axis]!) return;
        throw new InternalError(
          `operand ${operand} is read at [${place.join(', ')}], its shape is [${x.shape.join(', ')}]`,
        );
      });
      return constant(x.data[offsetOf(place, stridesOf(x.shape))]!, computeType(x.dtype));
    },
    constant: (value, dtype) => constant(scalarOf(dtype, value).data[0]!, dtype),
    call: (name, args) => {
      const [x, y] = args.map(asConstant);
      const result = evaluateScalar(
        scalarFunction(name),
        x!.dtype,
        x!.value as Element,
        (y?.value ?? 0) as Element,
      );
      return constant(result, scalarResult(name, x!.dtype));
    },
    select: (condition, then, otherwise) => (asConstant(condition).value ? then : otherwise),
    convert: (value, dtype) => {
      const { value: x, dtype: from } = asConstant(value);
      return constant(convertElement(x as Element, from, dtype), dtype);
    },
    bitcast: (value, dtype) => {
      const { value: x, dtype: from } = asConstant(value);
      return constant(bitcastElement(x as Element, from, dtype), dtype);
    },
    indexValue: (index, dtype) => constant(arrayOf(dtype, [], [numberAt(index)]).data[0]!, dtype),
    asIndex: (value, extent) => {
      const last = numberAt(extent) - 1;
      return int(Math.max(0, Math.min(Number(asConstant(value).value), last)));
    },
    whereInRange: (conditions, then, otherwise) => {
      const holds = conditions.every(({ value, extent }) => {
        const i = numberAt(value);
        return i >= 0 && i < numberAt(extent);
      });
      return holds ? then() : otherwise();
    },
    whereNotEmpty: (extents, then) => {
      if (extents.some((extent) => numberAt(extent) < 1)) {
        throw new InternalError('an empty axis is read');
      }
      return then();
    },
  };
}

function constant(value: Element, dtype: DType): Constant {
  return { kind: 'constant', dtype, value };
}

export function asConstant(scalar: KernelScalar): Constant {
  if (scalar.kind !== 'constant') throw new InternalError(`a ${scalar.kind} where all is known`);
  return scalar;
}
