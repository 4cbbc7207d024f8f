/** Scalars of kernel IR as C expressions. */
import { unreachable } from '../diagnostics/internal-error.ts';
import type { Buffer, KernelScalar, RangeCondition } from '../kernel-ir/program.ts';
import { type Int, isNonNegative, one, subtract } from '../symbolic/integer.ts';
import { byteSize, computeType, type DType, isFloat, isInteger } from '../tensor-ir/dtype.ts';
import { emitInteger } from './emit-integer.ts';
import { emitCall } from './functions.ts';
import type { KernelNames } from './names.ts';
import { atom, call, cast, infix, level, type Text, within } from './precedence.ts';
import { emitConstant, valueType } from './types.ts';

export interface ScalarContext {
  readonly names: KernelNames;
  /** Told each header of helpers/ in use. */
  readonly need: (header: string) => void;
}

export function emitIndex(value: Int, context: ScalarContext): Text {
  // names stay what they are within a kernel, and the same indices occur again and again
  let text = context.names.indices.get(value);
  if (text === undefined) {
    text = emitInteger(value, (name) => context.names.integer(name));
    context.names.indices.set(value, text);
  }
  return text;
}

export function emitScalar(scalar: KernelScalar, context: ScalarContext): Text {
  switch (scalar.kind) {
    case 'constant': {
      const text = emitConstant(scalar.dtype, scalar.value);
      return { text, precedence: /^[-(]/.test(text) ? level.unary : level.atom };
    }
    case 'load':
      return emitLoad(scalar.buffer.buffer, scalar.index, context);
    case 'variable':
      return atom(context.names.value(scalar.name));
    case 'index':
      return cast(valueType(scalar.dtype), emitIndex(scalar.value, context));
    case 'call': {
      const args = scalar.args.map((a) => emitScalar(a, context));
      const dtype = computeType(scalar.args[0]?.dtype ?? scalar.dtype);
      return emitCall(scalar.name, dtype, args, context.need);
    }
    case 'select': {
      const condition = emitScalar(scalar.condition, context);
      const then = emitScalar(scalar.then, context);
      const otherwise = emitScalar(scalar.otherwise, context);
      return {
        text: `${within(condition, level.or)} ? ${within(then, level.or)} : ${within(otherwise, level.conditional)}`,
        precedence: level.conditional,
      };
    }
    case 'convert':
      return emitConvert(
        scalar.value.dtype,
        scalar.dtype,
        emitScalar(scalar.value, context),
        context,
      );
    case 'bitcast':
      return emitBitcast(
        scalar.value.dtype,
        scalar.dtype,
        emitScalar(scalar.value, context),
        context,
      );
    case 'in-range':
      return emitInRange(scalar.conditions, context);
    default:
      return unreachable(scalar);
  }
}

/** `buffer[index]` as a value. */
function emitLoad(buffer: Buffer, index: Int, context: ScalarContext): Text {
  const element = atom(`${context.names.buffer(buffer)}[${emitIndex(index, context).text}]`);
  return fromStorage(buffer.dtype, element, context);
}

function fromStorage(dtype: DType, element: Text, context: ScalarContext): Text {
  if (dtype === 'bool') return infix(element, '!=', atom('0'), level.equality);
  if (dtype !== 'f16' && dtype !== 'bf16') return element;
  context.need('half.h');
  return call(`${dtype}_to_f32`, [element]);
}

/** A value as the element that a buffer of `dtype` holds. */
export function emitStored(dtype: DType, scalar: KernelScalar, context: ScalarContext): Text {
  if (!isHalf(dtype)) return emitScalar(scalar, context);
  // a conversion to the dtype of the buffer rounds only once
  if (scalar.kind === 'convert' && scalar.value.kind === 'convert') {
    const { value, dtype: rounded } = scalar.value;
    if (rounded === dtype && scalar.dtype === 'f32') {
      return emitNarrow(value.dtype, dtype, emitScalar(value, context), context);
    }
  }
  return emitNarrow('f32', dtype, emitScalar(scalar, context), context);
}

/** A number as f16 or bf16, rounded once. */
function emitNarrow(from: DType, to: 'f16' | 'bf16', value: Text, context: ScalarContext): Text {
  context.need('half.h');
  if (from === 'f64' || (isInteger(from) && byteSize(from) >= 4)) {
    return call(`f32_to_${to}`, [call(`odd_f32_${from}`, [value])]);
  }
  const wide = computeType(from) === 'f32' ? value : cast('float', value);
  return call(`f32_to_${to}`, [wide]);
}

function isHalf(dtype: DType): dtype is 'f16' | 'bf16' {
  return dtype === 'f16' || dtype === 'bf16';
}

function emitConvert(from: DType, to: DType, value: Text, context: ScalarContext): Text {
  if (from === to) return value;
  if (to === 'bool') return infix(value, '!=', atom('0'), level.equality);
  if (isFloat(from) && !isFloat(to)) {
    context.need('convert.h');
    return call(`convert_${computeType(from)}_${to}`, [value]);
  }
  // half types are rounded where a program converts to them
  if (isHalf(to)) return call(`${to}_to_f32`, [emitNarrow(from, to, value, context)]);
  return computeType(from) === to ? value : cast(valueType(to), value);
}

function emitBitcast(from: DType, to: DType, value: Text, context: ScalarContext): Text {
  if (from === to) return value;
  if (isHalf(from)) {
    context.need('half.h');
    const bits = call(`${from}_bits`, [call(`f32_to_${from}`, [value])]);
    return emitBitcast('u16', to, bits, context);
  }
  if (isHalf(to)) {
    context.need('half.h');
    const bits = from === 'u16' ? value : cast('uint16_t', value);
    return call(`${to}_to_f32`, [call(`${to}_from_bits`, [bits])]);
  }
  if (!isFloat(from) && !isFloat(to)) {
    return to === 'bool'
      ? infix(value, '!=', atom('0'), level.equality)
      : cast(valueType(to), value);
  }
  context.need('bitcast.h');
  const word = `u${8 * byteSize(from)}`;
  if (isFloat(from)) {
    const bits = call(`bitcast_${from}_${word}`, [value]);
    return to === word ? bits : cast(valueType(to), bits);
  }
  const bits = from === word ? value : cast(`uint${8 * byteSize(from)}_t`, value);
  return call(`bitcast_${word}_${to}`, [bits]);
}

/** Bounds that follow from the extents of the loops are left out unless they are to be tested; the others join by & so that no branch appears. */
function emitInRange(conditions: readonly RangeCondition[], context: ScalarContext): Text {
  const tests: Text[] = [];
  for (const { value, extent, isTested } of conditions) {
    const text = emitIndex(value, context);
    if (!isNonNegative(value)) tests.push(infix(atom('0'), '<=', text, level.relation));
    if (isTested || !isNonNegative(subtract(subtract(extent, one), value))) {
      tests.push(infix(text, '<', emitIndex(extent, context), level.relation));
    }
  }
  if (tests.length === 0) return atom('true');
  return tests.reduce((left, right) => infix(left, '&', right, level.and));
}
