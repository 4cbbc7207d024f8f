/** Scalars of kernel IR as Metal expressions. */
import { InternalError, unreachable } from '../diagnostics/internal-error.ts';
import type { Buffer, KernelScalar, RangeCondition } from '../kernel-ir/program.ts';
import { type Int, isNonNegative, one, subtract } from '../symbolic/integer.ts';
import { byteSize, computeType, type DType, isFloat, isInteger } from '../tensor-ir/dtype.ts';
import { atom, call, infix, level, type Text, within } from '../to-c/precedence.ts';
import { emitInteger, type IntegerContext } from './emit-integer.ts';
import { cast, emitCall, narrow } from './functions.ts';
import type { KernelNames } from './names.ts';
import { literal, storageType, valueType } from './types.ts';

export interface ScalarContext extends IntegerContext {
  readonly names: KernelNames;
  /** How a buffer is written: its name, or a field of the table of buffers. */
  readonly bufferText: (buffer: Buffer) => string;
}

export function emitScalar(scalar: KernelScalar, context: ScalarContext): Text {
  const again = (s: KernelScalar): Text => emitScalar(s, context);
  switch (scalar.kind) {
    case 'constant': {
      const text = literal(scalar.dtype, scalar.value);
      return { text, precedence: text.startsWith('-') ? level.unary : level.atom };
    }
    case 'load': {
      const { buffer } = scalar.buffer;
      const index = emitInteger(scalar.index, context).text;
      return fromStorage(buffer.dtype, atom(`${context.bufferText(buffer)}[${index}]`));
    }
    case 'variable':
      return atom(context.names.local(scalar.name));
    case 'index':
      return emitIndexValue(scalar.value, scalar.dtype, context);
    case 'call': {
      const dtype = computeType(scalar.args[0]?.dtype ?? scalar.dtype);
      return emitCall(scalar.name, dtype, scalar.args.map(again), context.need);
    }
    case 'select': {
      const condition = within(again(scalar.condition), level.or);
      const then = within(again(scalar.then), level.or);
      const otherwise = within(again(scalar.otherwise), level.conditional);
      return narrow(scalar.dtype, {
        text: `${condition} ? ${then} : ${otherwise}`,
        precedence: level.conditional,
      });
    }
    case 'convert':
      return emitConvert(scalar.value.dtype, scalar.dtype, again(scalar.value), context);
    case 'bitcast':
      return emitBitcast(scalar.value.dtype, scalar.dtype, again(scalar.value));
    case 'in-range':
      return emitInRange(scalar.conditions, context);
    default:
      return unreachable(scalar);
  }
}

function emitIndexValue(value: Int, dtype: DType, context: ScalarContext): Text {
  const text = emitInteger(value, context);
  return dtype === 'i32' && !context.isLong ? text : cast(dtype, text);
}

function fromStorage(dtype: DType, element: Text): Text {
  return dtype === 'f16' || dtype === 'bf16' ? call('float', [element]) : element;
}

/** A value as the element that a buffer of `dtype` holds. */
export function emitStored(dtype: DType, scalar: KernelScalar, context: ScalarContext): Text {
  // a conversion to the dtype of the buffer rounds only once
  if (scalar.kind === 'convert' && scalar.value.kind === 'convert' && scalar.dtype === 'f32') {
    const { value, dtype: rounded } = scalar.value;
    if (rounded === dtype)
      return emitNarrow(value.dtype, dtype, emitScalar(value, context), context);
  }
  return toStorage(dtype, emitScalar(scalar, context));
}

/** A number as f16 or bf16, rounded once. No f32 is inexact for an integer that f16 holds. */
function emitNarrow(from: DType, to: DType, value: Text, context: ScalarContext): Text {
  if (to === 'bf16' && isInteger(from) && byteSize(from) >= 4) {
    context.need('odd_float');
    return toStorage(to, call('mlxc::odd_float', [value]));
  }
  return toStorage(to, computeType(from) === 'f32' ? value : cast('f32', value));
}

function toStorage(dtype: DType, value: Text): Text {
  return dtype === 'f16' || dtype === 'bf16' ? call(storageType(dtype), [value]) : value;
}

function emitConvert(from: DType, to: DType, value: Text, context: ScalarContext): Text {
  if (from === to) return value;
  if (to === 'bool') {
    const zero = isFloat(from) ? '0.0f' : '0';
    return infix(value, '!=', atom(zero), level.equality);
  }
  if (isFloat(from) && !isFloat(to)) {
    context.need('saturating_convert');
    return call(`mlxc::to_${valueType(to)}`, [value]);
  }
  // half types are rounded where a program converts to them
  if (to === 'f16' || to === 'bf16') {
    return fromStorage(to, emitNarrow(from, to, value, context));
  }
  return computeType(from) === to ? value : cast(to, value);
}

/** Values of f16 and bf16 are floats in registers; their bits are those of the 16-bit type. */
function emitBitcast(from: DType, to: DType, value: Text): Text {
  if (from === to) return value;
  if (byteSize(from) !== byteSize(to)) {
    throw new InternalError(`bits of ${from} do not fit ${to}`);
  }
  if (from === 'bool' || to === 'bool') {
    return to === 'bool' ? infix(value, '!=', atom('0'), level.equality) : cast(to, value);
  }
  const bits = call(`as_type<${storageType(to)}>`, [toStorage(from, value)]);
  return fromStorage(to, bits);
}

/** Bounds that follow from the extents of the loops are left out unless they are to be tested. */
function emitInRange(conditions: readonly RangeCondition[], context: ScalarContext): Text {
  const tests: Text[] = [];
  for (const { value, extent, isTested } of conditions) {
    const text = emitInteger(value, context);
    if (!isNonNegative(value)) tests.push(infix(text, '>=', atom('0'), level.relation));
    if (isTested || !isNonNegative(subtract(subtract(extent, one), value))) {
      tests.push(infix(text, '<', emitInteger(extent, context), level.relation));
    }
  }
  const [first] = tests;
  if (first === undefined) return atom('true');
  if (tests.length === 1) return first;
  const text = tests.map((t) => within(t, level.equality)).join(' && ');
  return { text, precedence: level.or - 1 };
}
