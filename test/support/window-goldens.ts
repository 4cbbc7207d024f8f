/** The goldens of windows and convolutions, test/golden/windows (tools/goldens/windows.py): f64 as they are, or for devices without it. */
import { readFileSync } from 'node:fs';
import { primitive } from '../../compiler/primitives/registry.ts';
import { int } from '../../compiler/symbolic/integer.ts';
import type { Attr, Attrs, Func } from '../../compiler/tensor-ir/program.ts';
import { jvpFunction } from '../../compiler/transforms/jvp.ts';
import { vjpFunction } from '../../compiler/transforms/vjp.ts';
import { buildFunction, tensor } from './functions.ts';
import type { TestTensor } from './run-source.ts';

interface PrimitiveCase {
  readonly name: string;
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly operands: readonly TestTensor[];
  readonly tangents: readonly TestTensor[];
  readonly cotangent: TestTensor;
  readonly result: TestTensor;
  readonly jvp: TestTensor;
  readonly vjp: readonly TestTensor[];
}

interface ProgramCase {
  readonly expression: string;
  readonly operands: readonly TestTensor[];
  readonly result: TestTensor;
  readonly cotangent?: TestTensor;
  readonly vjp?: readonly TestTensor[];
}

/** A call and what it gives. */
export interface WindowCall<Callee> {
  readonly label: string;
  /** The primitive, or the function of the prelude. */
  readonly function: string;
  readonly callee: Callee;
  readonly operands: readonly TestTensor[];
  readonly results: readonly TestTensor[];
}

type Float = 'f32' | 'f64';

function readCases<Case>(name: string, dtype: Float): readonly Case[] {
  const path = new URL(`../golden/windows/${name}.json`, import.meta.url);
  const inDType = (key: string, value: unknown): unknown =>
    key === 'dtype' && value === 'f64' ? dtype : value;
  return JSON.parse(readFileSync(path, 'utf8'), inDType) as readonly Case[];
}

/** Padding and groups are Ints, all else plain numbers. */
function readAttrs(attrs: Readonly<Record<string, unknown>>): Attrs {
  const entries = Object.entries(attrs).map(([name, value]): [string, Attr] => {
    if (name === 'groups') return [name, int(value as number)];
    if (name === 'low' || name === 'high') return [name, (value as number[]).map(int)];
    return [name, value as Attr];
  });
  return Object.fromEntries(entries);
}

/** Primitives as JAX has them: each with its tangents, and with its cotangents. */
export function windowPrimitives(dtype: Float = 'f64'): readonly WindowCall<Func>[] {
  return readCases<PrimitiveCase>('primitives', dtype).flatMap((golden, i) => {
    const { name, operands, tangents, cotangent, result, jvp, vjp } = golden;
    const types = operands.map((x) => tensor(x.dtype, ...x.shape));
    const func = buildFunction(name, types, (b, ...values) =>
      b.applyAll(primitive(name), values, readAttrs(golden.attrs)),
    );
    const wrt = types.map((_type, k) => k);
    return [
      {
        label: `${i} ${name}, forward`,
        function: name,
        callee: jvpFunction(func, wrt),
        operands: [...operands, ...tangents],
        results: [result, jvp],
      },
      {
        label: `${i} ${name}, backward`,
        function: name,
        callee: vjpFunction(func, wrt),
        operands: [...operands, cotangent],
        results: [result, ...vjp],
      },
    ];
  });
}

/** Expressions as PyTorch and NumPy have them, with their gradients: sources that export `f`. */
export function windowPrograms(dtype: Float = 'f64'): readonly WindowCall<string>[] {
  const show = (x: TestTensor): string => `${x.dtype}[${x.shape.join(', ')}]`;
  return readCases<ProgramCase>('programs', dtype).map((golden, i) => {
    const { cotangent, vjp, expression, operands, result } = golden;
    const names = operands.map((_x, k) => 'abc'[k]!);
    const typed = operands.map((x, k) => `${names[k]}: ${show(x)}`).join(', ');
    const f = `|${names.join(', ')}| ${expression}`;
    const isDerived = cotangent !== undefined;
    return {
      label: `${expression} of ${i}`,
      function: expression.replace(/\(.*/, ''),
      callee: isDerived
        ? `export fn f(${typed}, c: ${show(result)}) { let (y, pull) = vjp(${f}, ${names.join(', ')}); (y, pull(c)) }`
        : `export fn f(${typed}) -> ${show(result)} { ${expression} }`,
      operands: isDerived ? [...operands, cotangent] : operands,
      results: isDerived ? [result, ...vjp!] : [result],
    };
  });
}
