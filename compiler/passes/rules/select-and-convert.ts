/** Choices that are decided, and changes of dtype that change nothing. All exact. */

import { dimValue } from '../../primitives/constant.ts';
import { convert } from '../../primitives/convert.ts';
import { select } from '../../primitives/select.ts';
import type { Int } from '../../symbolic/integer.ts';
import { byteSize, type DType, integerRange, isFloat, isInteger } from '../../tensor-ir/dtype.ts';
import type { Rule } from '../rewriter.ts';

/** Whole numbers up to 2^bits in size are exact. */
const exactBits: Readonly<Partial<Record<DType, number>>> = { f16: 11, bf16: 8, f32: 24, f64: 53 };

/** True when every value of `from` is a value of `to`. */
export function isLossless(from: DType, to: DType): boolean {
  if (from === to || from === 'bool') return true;
  if (to === 'bool') return false;
  if (isFloat(from)) {
    return isFloat(to) && byteSize(to) > byteSize(from);
  }
  const { min, max } = integerRange(from);
  if (isFloat(to)) return max <= 2n ** BigInt(exactBits[to]!);
  const range = integerRange(to);
  return range.min <= min && max <= range.max;
}

export const selectAndConvertRules: readonly Rule[] = [
  {
    name: 'select-decided',
    on: ['select'],
    rewrite: (r, op) => {
      const [condition, x, y] = op.operands;
      if (x === y) return x!;
      const splat = r.splat(condition!);
      return splat === undefined ? undefined : splat ? x! : y!;
    },
  },
  {
    name: 'select-by-negation',
    on: ['select'],
    rewrite: (r, op) => {
      const inner = r.definedBy(op.operands[0]!, 'not');
      if (inner === undefined) return undefined;
      return r.apply(select, [inner.operands[0]!, op.operands[2]!, op.operands[1]!], {});
    },
  },
  {
    name: 'select-nested',
    on: ['select'],
    rewrite: (r, op) => {
      const [condition, x, y] = op.operands;
      const then = r.definedBy(x!, 'select');
      if (then?.operands[0] === condition && then !== undefined) {
        return r.apply(select, [condition!, then.operands[1]!, y!], {});
      }
      const otherwise = r.definedBy(y!, 'select');
      if (otherwise?.operands[0] === condition && otherwise !== undefined) {
        return r.apply(select, [condition!, x!, otherwise.operands[2]!], {});
      }
      return undefined;
    },
  },
  {
    name: 'convert-to-itself',
    on: ['convert', 'bitcast'],
    rewrite: (_, op) =>
      op.operands[0]!.type.dtype === op.attrs['dtype'] ? op.operands[0]! : undefined,
  },
  {
    name: 'convert-of-widening',
    on: ['convert'],
    rewrite: (r, op) => {
      const inner = r.definedBy(op.operands[0]!, 'convert');
      if (inner === undefined) return undefined;
      const x = inner.operands[0]!;
      const [from, wide, to] = [
        x.type.dtype,
        op.operands[0]!.type.dtype,
        op.attrs['dtype'] as DType,
      ];
      if (!isLossless(from, wide)) return undefined;
      // a float out of the range of an integer saturates, an integer wraps
      if (isFloat(wide) && isInteger(from) && isInteger(to) && !isLossless(from, to))
        return undefined;
      return r.apply(convert, [x], { dtype: to });
    },
  },
  {
    name: 'convert-of-dim',
    on: ['convert'],
    rewrite: (r, op) => {
      const inner = r.definedBy(op.operands[0]!, 'dim_value');
      const dtype = op.attrs['dtype'] as DType;
      const from = op.operands[0]!.type.dtype;
      // wide integers hold every dim; narrower types wrap or round first
      if (inner === undefined || dtype === 'bool' || !isInteger(from) || byteSize(from) < 4) {
        return undefined;
      }
      return r.apply(dimValue, [], { dim: inner.attrs['dim'] as Int, dtype });
    },
  },
];
