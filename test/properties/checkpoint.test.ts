/** `checkpoint` really computes again: fewer residuals cross from the forward to the backward pass, and plans need less memory at once. */
import { describe, expect, test } from 'vitest';
import { removeDeadOperations } from '../../compiler/passes/dead-code.ts';
import { constantValue, product } from '../../compiler/symbolic/integer.ts';
import { byteSize } from '../../compiler/tensor-ir/dtype.ts';
import type { Func } from '../../compiler/tensor-ir/program.ts';
import { jvpFunction } from '../../compiler/transforms/jvp.ts';
import { linearSplit } from '../../compiler/transforms/split.ts';
import { peakBytes, planOf } from '../support/peak-memory.ts';
import { compileSource, elaborateSource, runProgram } from '../support/run-source.ts';

interface Case {
  /** The text around `BLOCK`, which is `block` or `checkpoint(block)`: `loss` of w, and `step`, its gradient. */
  readonly text: string;
  readonly shape: readonly number[];
  /** Of the peak with `checkpoint` to that without. */
  readonly atMost: number;
}

const layers = [0, 1, 2, 3, 4, 5];

function stack(block: string): Case {
  return {
    text: `
      ${block}
      fn loss(ws: f32[6, 64, 64]) -> f32 {
        var h = sin(arange(256 * 64).astype(f32).reshape((256, 64)));
        ${layers.map((i) => `h = BLOCK(h, ws[${i}]);`).join('\n')}
        sum(h * h)
      }
      export fn step(ws: f32[6, 64, 64]) -> f32[6, 64, 64] { grad(loss)(ws) }`,
    shape: [6, 64, 64],
    atMost: 0.75,
  };
}

const cases: Readonly<Record<string, Case>> = {
  'an MLP': stack(
    'fn block(h: f32[256, 64], w: f32[64, 64]) -> f32[256, 64] { h + tanh(sin(tanh(h @ w) * h) @ w) }',
  ),
  // what is computed again reads only what the forward pass had too: it must not join a kernel there
  'element-wise work in front of a product': stack(`
    fn block(h: f32[256, 64], w: f32[64, 64]) -> f32[256, 64] {
      let a = sin(h);
      (a / (1.0 + sum(a * a, axis = 1, keepdims = true)) * tanh(h)) @ w
    }`),
  'the body of a scan': {
    text: `
      fn block(h: f32[64], w: f32[64, 64]) -> f32[64] { h + tanh(sin(tanh(h @ w) * h) @ w) }
      fn loss(w: f32[64, 64]) -> f32 {
        let (h, _) = scan(|h, i| (BLOCK(h, w), ()), w[0], length = 100);
        sum(h * h)
      }
      export fn step(w: f32[64, 64]) -> f32[64, 64] { grad(loss)(w) }`,
    shape: [64, 64],
    atMost: 0.5,
  },
};

function sourceOf({ text }: Case, block: string): string {
  return text.replaceAll('BLOCK', block);
}

/** Bytes that the linear half of forward mode reads from the other half, arguments aside. */
function residualBytes(source: string): number {
  const text = `${source}\nexport fn value(w: f32[SHAPE]) -> f32 { loss(w) }`;
  const shape = /fn loss\(\w+: f32\[([^\]]*)\]/.exec(source)![1]!;
  const program = elaborateSource(text.replace('SHAPE', shape));
  const { func } = program.entries.find((e) => e.name === 'value')!;
  const dual = jvpFunction(func, [0]);
  const body = removeDeadOperations(dual.body, dual.results);
  const { residuals, known } = linearSplit({ ...dual, body }, [false, true]);
  return residuals
    .filter((value) => !known.parameters.includes(value))
    .reduce((total, { type }) => total + bytesOf(type), 0);
}

function bytesOf({ dtype, shape }: Func['results'][number]['type']): number {
  return constantValue(product(shape))! * byteSize(dtype);
}

describe.each(Object.entries(cases))('%s', (_, example) => {
  const plain = sourceOf(example, 'block');
  const again = sourceOf(example, 'checkpoint(block)');

  test('saves fewer residuals', () => {
    const saved = residualBytes(plain);
    expect(saved).toBeGreaterThan(0);
    expect(residualBytes(again)).toBeLessThan(example.atMost * saved);
  });

  test.each(['cpu', 'metal'] as const)('needs less memory at once on %s', (target) => {
    const peak = peakBytes(planOf(plain, 'step', target));
    expect(peakBytes(planOf(again, 'step', target))).toBeLessThan(example.atMost * peak);
  });

  test('gives the same gradient', () => {
    const count = example.shape.reduce((a, b) => a * b, 1);
    const data = Array.from({ length: count }, (_, i) => Math.sin(i) / 8);
    const input = { dtype: 'f32' as const, shape: example.shape, data };
    const [expected] = runProgram(compileSource(plain), 'step', [input]);
    const [found] = runProgram(compileSource(again), 'step', [input]);
    expect(found).toEqual(expected);
  });
});
