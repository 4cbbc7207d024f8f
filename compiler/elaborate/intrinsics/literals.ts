/** `array([[1, 2], [3, 4]])`: a tensor from nested arrays; numbers become one literal, tensors are stacked. */
import { constantValue, int } from '../../symbolic/integer.ts';
import { type DType, isFloat } from '../../tensor-ir/dtype.ts';
import type { ConstantData, Value } from '../../tensor-ir/program.ts';
import type { Intrinsic } from '../intrinsic.ts';
import type { Term } from '../value.ts';
import { stackValues } from './joining.ts';
import { type Arguments, intrinsic, optional, required } from './support.ts';

interface Nested {
  readonly shape: readonly number[];
  /** Row-major. */
  readonly elements: readonly Term[];
}

function flatten(a: Arguments, term: Term): Nested {
  if (term.kind !== 'array' && term.kind !== 'tuple') return { shape: [], elements: [term] };
  const rows = term.items.map((item) => flatten(a, item));
  const inner = rows[0]?.shape ?? [];
  if (rows.some((row) => row.shape.join() !== inner.join())) {
    a.fail('MLX2440', 'the rows of `array` have different lengths', { span: a.spanOf('data') });
  }
  return { shape: [rows.length, ...inner], elements: rows.flatMap((row) => row.elements) };
}

function numberOf(term: Term): number | boolean | undefined {
  if (term.kind === 'int') return constantValue(term.value);
  return term.kind === 'float' || term.kind === 'boolean' ? term.value : undefined;
}

/** Weak numbers: bool if all are, i32 if all are whole, else f32. */
function defaultDType(numbers: readonly (number | boolean)[], elements: readonly Term[]): DType {
  if (numbers.length > 0 && numbers.every((n) => typeof n === 'boolean')) return 'bool';
  return elements.length > 0 && elements.every((t) => t.kind === 'int') ? 'i32' : 'f32';
}

const makers: Readonly<
  Record<DType, (values: readonly (number | bigint | boolean)[]) => ConstantData>
> = {
  bool: (v) => Uint8Array.from(v, Number),
  i8: (v) => Int8Array.from(v, Number),
  i16: (v) => Int16Array.from(v, Number),
  i32: (v) => Int32Array.from(v, Number),
  i64: (v) => BigInt64Array.from(v.map((x) => BigInt(x))),
  u8: (v) => Uint8Array.from(v, Number),
  u16: (v) => Uint16Array.from(v, Number),
  u32: (v) => Uint32Array.from(v, Number),
  u64: (v) => BigUint64Array.from(v.map((x) => BigInt(x))),
  f16: (v) => Float32Array.from(v, Number),
  bf16: (v) => Float32Array.from(v, Number),
  f32: (v) => Float32Array.from(v, Number),
  f64: (v) => Float64Array.from(v, Number),
};

/** 64-bit integers are held as bigint. */
function constantOf(value: number | boolean, dtype: DType): number | boolean | bigint {
  return dtype === 'i64' || dtype === 'u64' ? BigInt(value) : value;
}

function literal(a: Arguments, nested: Nested, numbers: readonly (number | boolean)[]): Value {
  const wanted = a.isNone('dtype') ? a.expectedDType : a.dtype('dtype');
  const dtype = wanted ?? defaultDType(numbers, nested.elements);
  if (dtype !== 'bool' && !isFloat(dtype)) {
    const broken = numbers.find((n) => !Number.isInteger(Number(n)));
    if (broken !== undefined)
      a.fail('MLX2441', `${broken} is not a whole number, and does not fit ${dtype}`);
  }
  const shape = nested.shape.map(int);
  // narrow floats are held as f32 and rounded by the conversion
  if (dtype === 'f16' || dtype === 'bf16') {
    const wide = { dtype: 'f32', shape, data: makers.f32(numbers) } as const;
    return a.convert(a.apply('literal', [], wide), dtype);
  }
  const data = makers[dtype](numbers.map((n) => constantOf(n, dtype)));
  return a.apply('literal', [], { dtype, shape, data });
}

function stackNested(a: Arguments, term: Term, elements: Value[]): Value {
  if (term.kind !== 'array' && term.kind !== 'tuple') return elements.shift()!;
  return stackValues(
    a,
    term.items.map((item) => stackNested(a, item, elements)),
    0,
  );
}

export const literals: readonly Intrinsic[] = [
  intrinsic(
    'array',
    [required('data'), optional('dtype')],
    'A tensor from nested arrays of numbers or of tensors: `array([[1, 2], [3, 4]])`.',
    (a) => {
      const data = a.term('data');
      const nested = flatten(a, data);
      const numbers = nested.elements.map(numberOf);
      const known = numbers.filter((n) => n !== undefined);
      if (known.length === numbers.length) return a.tensor(literal(a, nested, known));
      const spans = nested.elements.map(() => a.spanOf('data'));
      const values = a.need(a.context.toTensors(nested.elements, spans));
      const together = a.need(a.context.broadcastTogether(values, spans));
      const stacked = stackNested(a, data, [...together]);
      return a.tensor(a.isNone('dtype') ? stacked : a.convert(stacked, a.dtype('dtype')));
    },
  ),
];
