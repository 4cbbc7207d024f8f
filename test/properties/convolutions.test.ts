/**
 * Random convolutions and reductions over windows of symbolic size, with their derivatives and batches: fusion and schedules of
 * the CPU and of Metal (in the simulator) against the evaluator.
 *
 * MLXC_CONVOLUTIONS=500 for a longer run, MLXC_SEED=n to start elsewhere; a failure names its seed.
 */
import { expect, test } from 'vitest';
import { convGeneral, reduceWindow } from '../../compiler/primitives/registry.ts';
import { dimVariable, type Int, int, multiply } from '../../compiler/symbolic/integer.ts';
import { makeArray, type NdArray } from '../../compiler/tensor-ir/nd-array.ts';
import { ShapeProblem } from '../../compiler/tensor-ir/primitive.ts';
import { printFunction } from '../../compiler/tensor-ir/print.ts';
import type { Func, TensorType } from '../../compiler/tensor-ir/program.ts';
import { vjpFunction } from '../../compiler/transforms/vjp.ts';
import { batchFunction } from '../../compiler/transforms/vmap.ts';
import { isClose } from '../support/all-close.ts';
import { buildFunction, runFunction } from '../support/functions.ts';
import { makeRandom, randomArray } from '../support/oracles.ts';
import { callOnCpu, compileForCpu, entryOf } from '../support/run-on-cpu.ts';
import { runOnMetal } from '../support/run-on-metal.ts';
import { simplifyProgram } from '../support/run-source.ts';

const count = Number(process.env['MLXC_CONVOLUTIONS'] ?? 40);
const firstSeed = Number(process.env['MLXC_SEED'] ?? 1);

interface Case {
  readonly seed: number;
  readonly func: Func;
  readonly args: readonly NdArray[];
  readonly dims: Readonly<Record<string, number>>;
}

/** Draws from a list. */
type Pick = <T>(...choices: readonly T[]) => T;

interface Drawn {
  readonly func: Func;
  readonly dims: Readonly<Record<string, number>>;
}

/** Sizes along the axes: some symbolic, some written in. */
function drawSizes(pick: Pick, rank: number): { sizes: readonly Int[]; dims: Drawn['dims'] } {
  const dims: Record<string, number> = {};
  const sizes = Array.from({ length: rank }, (_, axis) => {
    const size = axis === 0 ? pick(1, 2, 3) : pick(4, 5, 7, 8);
    if (pick(true, false)) return int(size);
    dims[`D${axis}`] = size;
    return dimVariable(`D${axis}`);
  });
  return { sizes, dims };
}

function drawConvolution(pick: Pick): Drawn {
  const spatial = pick(1, 1, 2, 2, 3);
  const { sizes, dims } = drawSizes(pick, spatial + 1);
  const each = <T>(...choices: readonly T[]): readonly T[] =>
    Array.from({ length: spatial }, () => pick(...choices));
  const groups = int(pick(1, 1, 1, 2, 3));
  const inputs = int(pick(1, 2, 4, 8));
  const outputs = multiply(groups, int(pick(1, 3, 5, 12)));
  const types: readonly TensorType[] = [
    { dtype: 'f32', shape: [...sizes, multiply(groups, inputs)] },
    { dtype: 'f32', shape: [outputs, ...each(1, 2, 3).map(int), inputs] },
  ];
  const func = buildFunction('conv', types, (b, x, w) => [
    b.apply(convGeneral, [x!, w!], {
      stride: each(1, 1, 2, 3),
      low: each(0, 0, 1, 2, -1).map(int),
      high: each(0, 0, 1, 2, -1).map(int),
      inputDilation: each(1, 1, 1, 2, 3),
      kernelDilation: each(1, 1, 1, 2),
      groups,
      flip: pick(true, false),
    }),
  ]);
  return { func, dims };
}

function drawReduction(pick: Pick): Drawn {
  const rank = pick(1, 2, 3, 4);
  const { sizes, dims } = drawSizes(pick, rank);
  const each = <T>(...choices: readonly T[]): readonly T[] =>
    Array.from({ length: rank }, () => pick(...choices));
  const func = buildFunction('reduce', [{ dtype: 'f32', shape: sizes }], (b, x) => [
    b.apply(reduceWindow, [x!], {
      monoid: pick('sum', 'prod', 'max', 'min'),
      window: each(1, 2, 3),
      stride: each(1, 1, 2, 3),
      dilation: each(1, 1, 2),
      inputDilation: each(1, 1, 2),
      low: each(0, 0, 1, -1).map(int),
      high: each(0, 0, 1, 2).map(int),
    }),
  ]);
  return { func, dims };
}

/** A case with at least one window along each axis: the operation, its derivative, or a batch of either. */
function drawCase(seed: number): Case {
  const random = makeRandom(seed * 7919);
  const pick: Pick = (...choices) => choices[Math.floor(random() * choices.length)]!;
  for (;;) {
    const drawn = tryDraw(pick);
    if (drawn === undefined || !hasWindows(drawn)) continue;
    const { dims } = drawn;
    const turned = pick(false, true, true) ? derivative(drawn.func) : drawn.func;
    const func = pick(true, false, false) ? batch(turned, pick) : turned;
    const args = func.parameters.map(({ type }) => randomArray(known(type, dims), random));
    const named = { ...func, name: `case_${seed}` };
    return { seed, func: pick(true, false) ? simplified(named) : named, args, dims };
  }
}

/** As fusion gets it from the pipeline. */
function simplified(func: Func): Func {
  return simplifyProgram({ stage: 'plain', entries: [entryOf(func)] }).entries[0]!.func;
}

function tryDraw(pick: Pick): Drawn | undefined {
  try {
    return pick(drawConvolution, drawConvolution, drawReduction)(pick);
  } catch (problem) {
    if (problem instanceof ShapeProblem) return undefined;
    throw problem;
  }
}

function hasWindows({ func, dims }: Drawn): boolean {
  try {
    const args = func.parameters.map(({ type }) => {
      const { dtype, shape } = known(type, dims);
      return makeArray(dtype, shape);
    });
    return runFunction(func, args, dims).every((x) => x.data.length > 0);
  } catch (problem) {
    // a negative size
    if (problem instanceof RangeError) return false;
    throw problem;
  }
}

function derivative(func: Func): Func {
  return vjpFunction(
    func,
    func.parameters.map((_, i) => i),
  );
}

function batch(func: Func, pick: Pick): Func {
  const isMapped = func.parameters.map(() => pick(true, false));
  return batchFunction(func, isMapped, pick(int(2), dimVariable('B'))).func;
}

function known(
  { dtype, shape }: TensorType,
  dims: Drawn['dims'],
): { readonly dtype: TensorType['dtype']; readonly shape: readonly number[] } {
  const func = buildFunction('sizes', [], (b) => [b.filled({ dtype, shape }, 0)]);
  return { dtype, shape: runFunction(func, [], { ...dims, B: 2 })[0]!.shape };
}

function compare(
  { seed, func }: Case,
  device: string,
  found: NdArray[],
  expected: readonly NdArray[],
): void {
  expected.forEach((wanted, k) => {
    const got = found[k]!;
    const at = `seed ${seed} on ${device}, result ${k}`;
    expect(got.shape, at).toEqual(wanted.shape);
    wanted.data.forEach((want, i) => {
      // sums in another order
      if (isClose(got.data[i]!, want, 1e-4)) return;
      expect.fail(`${at}[${i}]: expected ${want}, got ${got.data[i]}\n${printFunction(func)}`);
    });
  });
}

test(`${count} random convolutions and reductions over windows from seed ${firstSeed}`, {
  timeout: 1_800_000,
}, async () => {
  const cases = Array.from({ length: count }, (_, i) => drawCase(firstSeed + i));
  const { module } = await compileForCpu(cases.map(({ func }) => func));
  for (const drawn of cases) {
    const dims = { ...drawn.dims, B: 2 };
    const expected = runFunction(drawn.func, drawn.args, dims);
    compare(drawn, 'the CPU', callOnCpu(module, drawn.func.name, drawn.args, dims), expected);
    compare(drawn, 'Metal', runOnMetal(drawn.func, drawn.args, dims), expected);
  }
});
