/**
 * Cases of oracles that we did not write (test/golden/oracles): a text of the language, its tensors, and what another system makes of it:
 * the value, the pullback along fixed cotangents, the derivative along fixed tangents.
 */
import { readFileSync } from 'node:fs';
import { byteSize, type DType, isFloat } from '../../compiler/tensor-ir/dtype.ts';
import { arrayOf, elementCount, type NdArray } from '../../compiler/tensor-ir/nd-array.ts';
import { readElement, viewTypedArray } from '../../runtime/typed-array.ts';

/** A tensor of a case: its dtype, its shape, and where its elements begin in the binary file. */
export type StoredTensor = readonly [dtype: DType, shape: readonly number[], offset: number];

export interface OracleCase {
  /** The function that the case is about. */
  readonly f: string;
  readonly dtype: DType;
  /** The text, over the inputs `a`, `b`, ... */
  readonly code: string;
  readonly in: readonly StoredTensor[];
  readonly out: readonly StoredTensor[];
  /** The inputs that are differentiated by; all floats when absent. */
  readonly wrt?: readonly number[];
  /** Cotangents of the inputs `wrt`. */
  readonly vjp?: readonly StoredTensor[];
  /** Tangents of the float results. */
  readonly jvp?: readonly StoredTensor[];
  /** Types of the inputs and of the results with dims, for cases that share a function at several sizes. */
  readonly types?: readonly string[];
  readonly results?: readonly string[];
  /** The tolerance as a multiple of that of the dtype. */
  readonly near?: number;
}

export interface Exclusion {
  readonly function: string;
  readonly reason: string;
  readonly cases: number;
}

export interface OracleFile {
  readonly imports: string;
  readonly cases: readonly OracleCase[];
  readonly excluded: readonly Exclusion[];
  /** What the stored places hold. */
  readonly read: (tensor: StoredTensor) => NdArray;
}

const folder = new URL('../golden/oracles/', import.meta.url);

export function readOracle(name: string): OracleFile {
  const text = readFileSync(new URL(`${name}.json`, folder), 'utf8');
  const bytes = Uint8Array.from(readFileSync(new URL(`${name}.bin`, folder)));
  const file = JSON.parse(text) as Omit<OracleFile, 'read'>;
  return { ...file, read: (tensor) => readStored(bytes.buffer, tensor) };
}

function readStored(buffer: ArrayBufferLike, [dtype, shape, offset]: StoredTensor): NdArray {
  const count = elementCount(shape);
  if (count === 0) return arrayOf(dtype, shape, []);
  if (offset % byteSize(dtype) !== 0) throw new Error(`offset ${offset} of ${dtype}`);
  const view = viewTypedArray(dtype, buffer, count, offset);
  const values = Array.from({ length: count }, (_, i) => readElement(dtype, view, i));
  return arrayOf(dtype, shape, values as (number | bigint)[]);
}

/** The cotangent or tangent of this number: `direction` of tools/goldens/oracle_files.py. */
function direction(number: number, dtype: DType, shape: readonly number[]): NdArray {
  const values = Array.from({ length: elementCount(shape) }, (_, i) => {
    const state = Math.imul(7919 * (number + 1) + i, 2654435761);
    return ((state >>> 26) - 31.5) / 16;
  });
  return arrayOf(dtype, shape, values);
}

function differentiated(c: OracleCase): readonly number[] {
  return c.wrt ?? c.in.flatMap(([dtype], i) => (isFloat(dtype) ? [i] : []));
}

/** The results that have derivatives. */
function floatResults(c: OracleCase): readonly number[] {
  return c.out.flatMap(([dtype], i) => (isFloat(dtype) ? [i] : []));
}

/** The tensors, then the cotangents and the tangents that its derivatives take. */
export function argumentsOf(c: OracleCase, file: OracleFile): readonly NdArray[] {
  const cotangents = floatResults(c).map((i, k) => direction(k, c.out[i]![0], c.out[i]![1]));
  const tangents = differentiated(c).map((i, k) => direction(100 + k, c.in[i]![0], c.in[i]![1]));
  return [
    ...c.in.map(file.read),
    ...(c.vjp === undefined ? [] : cotangents),
    ...(c.jvp === undefined ? [] : tangents),
  ];
}

/** The results, then the pullback, then the derivative. */
export function expectedOf(c: OracleCase, file: OracleFile): readonly NdArray[] {
  return [...c.out, ...(c.vjp ?? []), ...(c.jvp ?? [])].map(file.read);
}

const letters = 'abcdefghijklmnopqrstuvwxyz';

function showType([dtype, shape]: StoredTensor): string {
  return shape.length === 0 ? dtype : `${dtype}[${shape.join(', ')}]`;
}

function tuple(items: readonly string[]): string {
  return items.length === 1 ? items[0]! : `(${items.join(', ')})`;
}

/** `(a, b)`, with one part `(a,)`. */
function parts(items: readonly string[]): string {
  return `(${items.join(', ')}${items.length === 1 ? ',' : ''})`;
}

/** An exported function that computes a case; cases of equal text and types have one function. */
export function functionOf(name: string, c: OracleCase): string {
  const wrt = differentiated(c);
  const outs = floatResults(c);
  const inputs = c.in.map((t, i) => `${letters[i]}: ${c.types?.[i] ?? showType(t)}`);
  const cotangents =
    c.vjp === undefined ? [] : outs.map((i, k) => `ct${k}: ${showType(c.out[i]!)}`);
  const tangents = c.jvp === undefined ? [] : wrt.map((i, k) => `t${k}: ${showType(c.in[i]!)}`);
  const variables = wrt.map((i) => letters[i]!);
  const floats =
    outs.length === c.out.length
      ? c.code
      : `{ let all = ${c.code}; ${tuple(outs.map((i) => `all.${i}`))} }`;
  const f = `|${variables.join(', ')}| ${floats}`;
  const results = [parts([tuple(c.results ?? c.out.map(showType))])];
  const values = [parts([c.code])];
  const lines: string[] = [];
  if (c.vjp !== undefined) {
    lines.push(`  let (_, pullback) = vjp(${f}, ${variables.join(', ')});`);
    values.push(`pullback(${tuple(outs.map((_, k) => `ct${k}`))})`);
    results.push(parts(wrt.map((i) => showType(c.in[i]!))));
  }
  if (c.jvp !== undefined) {
    const along = parts(wrt.map((_, k) => `t${k}`));
    lines.push(`  let (_, derivative) = jvp(${f}, ${parts(variables)}, ${along});`);
    values.push('(derivative,)');
    results.push(parts([tuple(outs.map((i) => showType(c.out[i]!)))]));
  }
  const head = `export fn ${name}(${[...inputs, ...cotangents, ...tangents].join(', ')})`;
  return `${head} -> ${parts(results)} {\n${[...lines, `  ${parts(values)}`].join('\n')}\n}\n`;
}

/**
 * What an element may differ by, relative to max(1, |expected|) and times `near` of the case: a few roundings of the dtype on the way.
 * Integers and bools are exact.
 */
export const tolerances: Readonly<Partial<Record<DType, number>>> = {
  f64: 1e-12,
  f32: 2e-6,
  f16: 2e-3,
  bf16: 1.6e-2,
};
