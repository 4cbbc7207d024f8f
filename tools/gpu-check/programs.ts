/** The programs of test/golden/programs as cases, with the arguments of their cases.json. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../compiler/driver/node-host.ts';
import type { DType } from '../../compiler/tensor-ir/dtype.ts';
import { Tensor } from '../../runtime/tensor.ts';
import { makeTypedArray, writeElement } from '../../runtime/typed-array.ts';
import type { GpuCase } from './cases.ts';

interface Leaf {
  readonly $dtype: DType;
  readonly shape: readonly number[];
  readonly data: readonly (number | string | boolean)[];
}

interface ProgramCase {
  readonly file: string;
  readonly function: string;
  readonly arguments: readonly unknown[];
  readonly dims?: Readonly<Record<string, number>>;
}

export function programCases(): readonly GpuCase[] {
  const text = readFileSync(join(packageRoot(), 'test/golden/programs/cases.json'), 'utf8');
  const cases = JSON.parse(text) as readonly ProgramCase[];
  return cases.map((c, number) => ({
    name: `program ${c.file} ${c.function} ${number}`,
    file: `test/golden/programs/${c.file}.mlx`,
    entry: c.function,
    dims: c.dims ?? {},
    isSymbolic: true,
    reference: 'interp',
    leaves: () => c.arguments.flatMap(leavesIn),
  }));
}

function leavesIn(value: unknown): readonly Tensor[] {
  if (typeof value !== 'object' || value === null) throw new Error('a case without tensors');
  return '$dtype' in value ? [toTensor(value as Leaf)] : Object.values(value).flatMap(leavesIn);
}

function toTensor({ $dtype, shape, data }: Leaf): Tensor {
  const elements = makeTypedArray($dtype, data.length);
  const isWide = $dtype === 'i64' || $dtype === 'u64';
  data.forEach((x, i) => {
    writeElement($dtype, elements, i, isWide ? BigInt(x) : numberOf(x));
  });
  return new Tensor($dtype, shape, elements);
}

function numberOf(value: number | string | boolean): number {
  const words: Readonly<Record<string, number>> = { nan: NaN, inf: Infinity, '-inf': -Infinity };
  return words[String(value).toLowerCase()] ?? Number(value);
}
