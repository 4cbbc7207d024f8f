/** A program that the fuzzer runs: source text made of trees, what to call it with, and the same as plain data. */
import { evaluate } from '../../compiler/symbolic/integer.ts';
import { isFloat } from '../../compiler/tensor-ir/dtype.ts';
import { arrayOf, elementCount, type NdArray } from '../../compiler/tensor-ir/nd-array.ts';
import type { TensorType } from '../../compiler/tensor-ir/program.ts';
import { type Expression, printExpression, printType } from './expression.ts';
import { Random } from './random.ts';

/** How the elements of an argument are drawn. */
export type Values = 'reals' | 'quarters' | 'special' | 'small' | 'any';

export interface Parameter {
  readonly name: string;
  readonly type: TensorType;
  readonly values: Values;
  readonly seed: number;
}

/** `fn name(parameters) -> type { body }`; the header is everything before the body. */
export interface Helper {
  readonly name: string;
  readonly header: string;
  readonly body: Expression;
}

export type Dims = Readonly<Record<string, number>>;

export interface FuzzProgram {
  readonly name: string;
  readonly imports: readonly string[];
  readonly parameters: readonly Parameter[];
  readonly helpers: readonly Helper[];
  /** The statements of the exported function, without a value of its own. */
  readonly body: Expression & { readonly kind: 'block' };
  readonly results: readonly Expression[];
  /** Each call binds all dims. */
  readonly calls: readonly Dims[];
  /** What the generator used, for the record. */
  readonly features: readonly string[];
}

/** What a run needs of a program, as plain data that can be sent to another process. */
export interface FuzzCase {
  readonly name: string;
  readonly source: string;
  readonly calls: readonly { readonly dims: Dims; readonly arguments: readonly NdArray[] }[];
  readonly features: readonly string[];
}

export function printProgram(program: FuzzProgram): string {
  const { name, imports, parameters, helpers, body, results } = program;
  const signature = parameters.map((p) => `${p.name}: ${printType(p.type)}`).join(', ');
  const [only] = results;
  const isSingle = results.length === 1;
  const result = isSingle
    ? printType(only!.type!)
    : `(${results.map((r) => printType(r.type!)).join(', ')})`;
  // a block that is the whole body needs no braces of its own
  const value = isSingle
    ? only!.kind === 'block'
      ? printExpression(only!).slice(4, -2)
      : printExpression(only!, '  ')
    : `(${results.map((r) => printExpression(r, '  ')).join(', ')})`;
  const statements = printExpression(body).slice(2, -2);
  return [
    ...imports,
    ...helpers.map((h) => `${h.header} ${asBlock(h.body)}`),
    `export fn ${name}(${signature}) -> ${result} {${statements === '' ? '' : `\n${statements}`}`,
    `  ${value}`,
    '}\n',
  ].join('\n');
}

function asBlock(body: Expression): string {
  return body.kind === 'block' ? printExpression(body) : `{\n  ${printExpression(body, '  ')}\n}`;
}

export function makeCase(program: FuzzProgram): FuzzCase {
  return {
    name: program.name,
    source: printProgram(program),
    calls: program.calls.map((dims) => ({
      dims,
      arguments: program.parameters.map((p) => drawArgument(p, dims)),
    })),
    features: program.features,
  };
}

/** The elements depend on the seed and the place alone, so that a smaller shape keeps the first of them. */
export function drawArgument({ type, values, seed }: Parameter, dims: Dims): NdArray {
  const shape = type.shape.map((dim) => evaluate(dim, (name) => dims[name]));
  const random = new Random(seed);
  const elements = Array.from({ length: elementCount(shape) }, () =>
    drawElement(random, type, values),
  );
  return arrayOf(type.dtype, shape, elements);
}

const specials = [0, -0, 1, -1, Infinity, -Infinity, NaN, 0.5, 1e-3, 2];

function drawElement(random: Random, { dtype }: TensorType, values: Values): number | boolean {
  const u = random.next();
  if (dtype === 'bool') return u < 0.5;
  if (isFloat(dtype)) {
    if (values === 'quarters') return (Math.floor(u * 17) - 8) / 4;
    if (values === 'special') return specials[Math.floor(u * specials.length)]!;
    return 4 * u - 2;
  }
  const isUnsigned = dtype[0] === 'u';
  if (values === 'any') return Math.floor(u * 65536) - (isUnsigned ? 0 : 32768);
  return Math.floor(u * 9) - (isUnsigned ? 0 : 4);
}
