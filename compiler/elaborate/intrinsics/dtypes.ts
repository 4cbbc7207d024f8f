/** Questions about dtypes, answered when compiling: they decide `if`s in generic functions. */
import {
  byteSize,
  type DType,
  type ElementType,
  isFloat,
  isInteger,
  isSigned,
} from '../../tensor-ir/dtype.ts';
import type { Intrinsic } from '../intrinsic.ts';
import type { Term } from '../value.ts';
import { type Arguments, intrinsic, required } from './support.ts';

const signed = (dtype: DType): boolean => isInteger(dtype) && isSigned(dtype);
const unsigned = (dtype: DType): boolean => isInteger(dtype) && !isSigned(dtype);
const numeric = (dtype: DType): boolean => dtype !== 'bool';

/** The names of the array API standard, then NumPy's classes. */
const kinds: Readonly<Record<string, (dtype: DType) => boolean>> = {
  bool: (dtype) => dtype === 'bool',
  'signed integer': signed,
  'unsigned integer': unsigned,
  integral: isInteger,
  'real floating': isFloat,
  numeric,
  generic: () => true,
  number: numeric,
  integer: isInteger,
  signedinteger: signed,
  unsignedinteger: unsigned,
  inexact: isFloat,
  floating: isFloat,
  'complex floating': () => false,
  complexfloating: () => false,
};

const complexKinds: ReadonlySet<string> = new Set([
  'complex floating',
  'complexfloating',
  'inexact',
  'numeric',
  'number',
  'generic',
]);

function isOfKind(a: Arguments, dtype: ElementType, kind: Term): boolean {
  if (kind.kind === 'dtype') return kind.dtype === dtype;
  if (kind.kind === 'tuple') return kind.items.some((item) => isOfKind(a, dtype, item));
  const name = kind.kind === 'string' ? kind.value : a.string('kind');
  const test = kinds[name];
  if (test !== undefined) return dtype === 'c64' ? complexKinds.has(name) : test(dtype);
  const known = Object.keys(kinds).map((k) => `"${k}"`);
  return a.fail('MLX2486', `no class of dtypes is called "${name}"`, {
    span: a.spanOf('kind'),
    hint: `one of ${known.join(', ')}`,
  });
}

/** Bits of whole numbers that a float dtype holds exactly. */
const exactBits: Readonly<Partial<Record<DType, number>>> = { f16: 11, bf16: 8, f32: 24, f64: 53 };

/** NumPy's "safe": no value is lost, but that f64 takes all 64-bit integers. */
function canCast(from: ElementType, to: ElementType): boolean {
  if (from === to || from === 'bool') return true;
  if (from === 'c64') return false;
  if (to === 'c64') return canCast(from, 'f32');
  if (isFloat(from)) {
    return isFloat(to) && byteSize(to) > byteSize(from);
  }
  const bits = 8 * byteSize(from) - (isSigned(from) ? 1 : 0);
  if (isFloat(to)) return to === 'f64' || bits <= exactBits[to]!;
  if (to === 'bool') return false;
  if (isSigned(from) && !isSigned(to)) return false;
  return 8 * byteSize(to) - (isSigned(to) ? 1 : 0) >= bits;
}

function truth(value: boolean): Term {
  return { kind: 'boolean', value };
}

export const dtypeQueries: readonly Intrinsic[] = [
  ...['isdtype', 'issubdtype'].map((name) =>
    intrinsic(
      name,
      [required('dtype'), required('kind')],
      'Whether a dtype is of a class, known when compiling: "bool", "integral", "signed integer", "unsigned integer", "real floating", "numeric", ' +
        'NumPy\'s "floating", "integer", "signedinteger", "unsignedinteger", "inexact", "number", "generic"; or another dtype, or one of a tuple of these.',
      (a) => truth(isOfKind(a, a.elementType('dtype'), a.term('kind'))),
    ),
  ),
  intrinsic(
    'can_cast',
    [required('from'), required('to')],
    'Whether a conversion between dtypes keeps every value, known when compiling; f64 takes all integers, as in NumPy\'s casting "safe".',
    (a) => truth(canCast(a.elementType('from'), a.elementType('to'))),
  ),
];
