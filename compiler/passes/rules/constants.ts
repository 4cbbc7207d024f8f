/** What a constant is, and folding: element-wise operations on constants are constants. */
import { scalarFunctions } from '../../kernel-ir/scalar-functions.ts';
import { constant } from '../../primitives/constant.ts';
import { constantValue, type Int } from '../../symbolic/integer.ts';
import type { Builder } from '../../tensor-ir/builder.ts';
import { arrayOf, type NdArray, roundArray, scalarOf } from '../../tensor-ir/nd-array.ts';
import type { Operation, TensorType, Value } from '../../tensor-ir/program.ts';
import type { Rewriter, Rule } from '../rewriter.ts';

export type ConstantValue = number | bigint | boolean;

export function makeConstant(b: Builder, type: TensorType, value: ConstantValue): Value {
  return b.apply(constant, [], { dtype: type.dtype, shape: type.shape, value });
}

/** True when every element of the value is the number. Zeros of both signs are equal. */
export function isSplat(r: Rewriter, value: Value, number: number): boolean {
  const splat = r.splat(value);
  return splat !== undefined && typeof splat !== 'boolean' && Number(splat) === number;
}

/** The element of a numeric constant as a number; undefined for other values and 64-bit integers. */
export function splatNumber(r: Rewriter, value: Value): number | undefined {
  const splat = r.splat(value);
  return typeof splat === 'number' ? splat : undefined;
}

export const elementwise: readonly string[] = [...scalarFunctions.keys(), 'select', 'convert'];

/** Evaluates a primitive that works by element on scalars. */
function evaluateScalars(op: Operation, splats: readonly ConstantValue[]): ConstantValue {
  const operands = op.operands.map((v, i) => scalarOf(v.type.dtype, splats[i]!));
  const type = { dtype: op.results[0]!.type.dtype, shape: [] };
  const [result] = op.primitive.evaluate(operands, op.attrs, {
    op,
    resultTypes: [type],
    call: noRegions,
    size: Number,
  });
  const [element] = roundArray(result!).data;
  return type.dtype === 'bool' ? Number(element) !== 0 : element!;
}

function noRegions(): readonly NdArray[] {
  return [];
}

export const constantRules: readonly Rule[] = [
  {
    name: 'fold-elementwise',
    on: elementwise,
    rewrite: (r, op) => {
      const splats: ConstantValue[] = [];
      for (const v of op.operands) {
        const splat = r.splat(v);
        if (splat === undefined) return undefined;
        splats.push(splat);
      }
      return makeConstant(r, op.results[0]!.type, evaluateScalars(op, splats));
    },
  },
  {
    name: 'known-dim',
    on: ['dim_value'],
    rewrite: (r, op) => {
      const dim = constantValue(op.attrs['dim'] as Int);
      const { type } = op.results[0]!;
      if (dim === undefined) return undefined;
      const element = arrayOf(type.dtype, [], [dim]).data[0]!;
      return makeConstant(r, type, element);
    },
  },
  {
    name: 'view-of-constant',
    on: ['broadcast', 'reshape', 'permute', 'slice', 'reverse'],
    rewrite: (r, op) => {
      const splat = r.splat(op.operands[0]!);
      return splat === undefined ? undefined : makeConstant(r, op.results[0]!.type, splat);
    },
  },
  {
    name: 'join-of-equal-constants',
    on: ['concatenate', 'pad'],
    rewrite: (r, op) => {
      const first = r.splat(op.operands[0]!);
      if (first === undefined) return undefined;
      const isSame = op.operands.every((v) => Object.is(r.splat(v), first));
      return isSame ? makeConstant(r, op.results[0]!.type, first) : undefined;
    },
  },
];
