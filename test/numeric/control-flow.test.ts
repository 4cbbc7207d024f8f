/** Derivatives and batches of control flow written in the language, against finite differences and the CPU device. */
import { beforeAll, describe, expect, test } from 'vitest';
import { arrayOf, type NdArray, toNumbers } from '../../compiler/tensor-ir/nd-array.ts';
import type { Program } from '../../compiler/tensor-ir/program.ts';
import type { Tensor } from '../../runtime/index.ts';
import { expectAllClose } from '../support/all-close.ts';
import { controlFlowCases } from '../support/control-flow-cases.ts';
import {
  type CompiledForCpu,
  compileProgramForCpu,
  fromTensor,
  toTensor,
} from '../support/run-on-cpu.ts';
import { compileSource, runProgram, simplifyProgram } from '../support/run-source.ts';

/** What is exported of a case `f`. `along` is a derivative of the gradient by forward mode. */
const derived: Readonly<Record<string, (f: string) => string>> = {
  value: (f) => `(x: f64[N]) -> f64 { ${f}(x) }`,
  gradient: (f) => `(x: f64[N]) -> f64[N] { grad(${f})(x) }`,
  along: (f) => `(x: f64[N]) -> f64[N] { jvp(grad(${f}), (x,), (cos(x),)).1 }`,
  each: (f) => `(x: f64[B, N]) -> f64[B, N] { vmap(grad(${f}))(x) }`,
  twice: (f) => `(x: f64[N]) -> f64[N] { grad(|x| sum(sin(grad(${f})(x))))(x) }`,
};

/** The second derivatives have nothing new for a device. */
const onCpu = ['value', 'gradient', 'each'];

const names = Object.keys(controlFlowCases);
const x = [0.7, 1.3, 0.4, 1.6, 0.9, 1.1];
const y = [1.2, 0.35, 1.5, 0.8, 1.05, 0.6];

const sizes: Readonly<Record<string, number>> = { N: 6, B: 2 };

/** Lengths fixed where the text has slices of x. */
function sourceOf(name: string): string {
  const size = controlFlowCases[name]!.includes(':') ? '6' : 'N';
  const text = `fn ${name}<N>(x: f64[N]) -> f64 { ${controlFlowCases[name]!} }`;
  const entries = Object.entries(derived).map(([what, write]) => {
    return `export fn ${name}_${what}${write(name)}`;
  });
  return [text, ...entries]
    .join('\n')
    .replaceAll('f64[N]', `f64[${size}]`)
    .replace('<N>', '')
    .replaceAll('B, N', `B, ${size}`);
}

let program: Program<'plain'>;
let compiled: CompiledForCpu;

beforeAll(async () => {
  program = compileSource(names.map(sourceOf).join('\n'));
  const entries = program.entries.filter(({ name }) => onCpu.some((what) => name.endsWith(what)));
  compiled = await compileProgramForCpu(simplifyProgram({ ...program, entries }));
}, 300_000);

function vector(values: readonly number[]): NdArray {
  return arrayOf('f64', [values.length], values);
}

function evaluate(entry: string, ...args: readonly NdArray[]): NdArray {
  const inputs = args.map((a) => ({ dtype: a.dtype, shape: a.shape, data: toNumbers(a) }));
  const [result] = runProgram(program, entry, inputs);
  return arrayOf(result!.dtype, result!.shape, result!.data);
}

/** (f(x + h t) - f(x - h t)) / 2h */
function difference(entry: string, at: readonly number[], along: readonly number[]): number[] {
  const h = 1e-5;
  const moved = (step: number): number[] =>
    toNumbers(evaluate(entry, vector(at.map((v, i) => v + step * along[i]!))));
  const [up, down] = [moved(h), moved(-h)];
  return up.map((v, i) => (v - down[i]!) / (2 * h));
}

function dot(u: readonly number[], v: readonly number[]): number {
  return u.reduce((sum, a, i) => sum + a * v[i]!, 0);
}

describe.each(names)('%s', (name) => {
  test('the gradient is that of finite differences', () => {
    const gradient = toNumbers(evaluate(`${name}_gradient`, vector(x)));
    x.forEach((_, axis) => {
      const unit = x.map((__, i) => (i === axis ? 1 : 0));
      expect(gradient[axis]).toBeCloseTo(difference(`${name}_value`, x, unit)[0]!, 6);
    });
  });

  test('forward over reverse is the difference of gradients, reverse over reverse its transpose', () => {
    const tangent = x.map(Math.cos);
    const along = toNumbers(evaluate(`${name}_along`, vector(x)));
    const expected = difference(`${name}_gradient`, x, tangent);
    along.forEach((v, i) => {
      expect(v).toBeCloseTo(expected[i]!, 5);
    });
    // the gradient of sum(sin(g(x))) along t is cos(g(x)) . (H t)
    const weights = toNumbers(evaluate(`${name}_gradient`, vector(x))).map(Math.cos);
    const twice = toNumbers(evaluate(`${name}_twice`, vector(x)));
    expect(dot(twice, tangent)).toBeCloseTo(dot(weights, along), 9);
  });

  test('vmap of the gradient is the gradient of each', () => {
    const rows = [x, y, x.toReversed()];
    const found = evaluate(`${name}_each`, arrayOf('f64', [3, 6], rows.flat()));
    const expected = rows.flatMap((row) => toNumbers(evaluate(`${name}_gradient`, vector(row))));
    expectAllClose(found, arrayOf('f64', [3, 6], expected));
    expect(evaluate(`${name}_each`, arrayOf('f64', [0, 6], [])).shape).toEqual([0, 6]);
  });

  test('the CPU device agrees', () => {
    for (const what of onCpu) {
      const arg = what === 'each' ? arrayOf('f64', [2, 6], [...x, ...y]) : vector(x);
      const entry = `${name}_${what}`;
      const called = compiled.module.function(entry);
      const known = Object.fromEntries(called.signature.dims.map((dim) => [dim, sizes[dim]!]));
      const found = called.with({ dims: known })(toTensor(arg));
      expectAllClose(fromTensor(found as Tensor), evaluate(entry, arg), entry, 1e-10);
    }
  });
});
