/** `extern` functions through the stages, and on the CPU: their meaning is that of their bodies. */
import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { compileStages, type Stages } from '../../compiler/driver/compile.ts';
import { explainProgram } from '../../compiler/driver/explain/explanation.ts';
import type { CompilerHost } from '../../compiler/driver/host.ts';
import { nodeHost } from '../../compiler/driver/node-host.ts';
import { commonSubexpressions } from '../../compiler/passes/common-subexpressions.ts';
import { kernelCalls } from '../../compiler/passes/inline-kernels.ts';
import type { Plan, PlanFunction } from '../../compiler/plan/plan.ts';
import { format } from '../../compiler/syntax/format.ts';
import { parseProgram } from '../../compiler/tensor-ir/parse.ts';
import { printProgram } from '../../compiler/tensor-ir/print.ts';
import type { Program } from '../../compiler/tensor-ir/program.ts';
import { compileOrThrow, load, tensor } from '../../index.ts';
import { validatePlan } from '../../runtime/validate-plan.ts';
import { leavesOf } from '../support/metal-device.ts';
import { expectMetal } from '../support/metal-helpers.ts';
import { TestShell } from '../support/shell.ts';

const shell = new TestShell();
afterAll(() => shell.remove());

const kernels = `#include <metal_stdlib>
using namespace metal;
struct Dims { int M; int N; };
[[kernel, max_total_threads_per_threadgroup(64)]]
void scale(const device float* x [[buffer(0)]], const device float* s [[buffer(1)]], device float* y [[buffer(2)]],
                  constant Dims& dims [[buffer(3)]], uint2 at [[thread_position_in_grid]]) {
  y[at.y * dims.N + at.x] = x[at.y * dims.N + at.x] * s[at.y];
}
`;
const scale = `extern fn scale(x: f32[M, N], s: f32[M]) -> f32[M, N]
  metal "./k.metal" grid(N, M) threads(16, 4) { x * s[:, newaxis] }
`;

function hostOf(files: Readonly<Record<string, string>>): CompilerHost {
  return {
    ...nodeHost(),
    readFile: (path) => files[path],
    resolvePath: (_, specifier) => specifier,
  };
}

/** Compiled for both devices, with all checks between stages. */
function stagesOf(text: string, files: Readonly<Record<string, string>> = {}): Stages {
  const host = hostOf({ './k.metal': kernels, ...files });
  const stages = compileStages({ name: 'model.mlx', text: scale + text }, { host, verify: true });
  if (!stages.ok) throw new Error(stages.diagnostics.map((d) => d.message).join('\n'));
  return stages;
}

const metalOf = (stages: Stages): Stages['programs'][number] => stages.programs[1]!;
const externalsOf = (stages: Stages): readonly (string | undefined)[] =>
  metalOf(stages).planned.plan.kernels.flatMap((k) => k.external?.entry ?? []);

describe('where the kernel runs', () => {
  test('on Metal, as a group of its own; elsewhere the body fuses', () => {
    const stages = stagesOf(
      'export fn f(x: f32[M, N], s: f32[M]) -> f32[M, N] { exp(scale(x + 1, s)) }',
    );
    const [cpu, metal] = stages.programs;
    expect(cpu!.planned.plan.kernels.length).toBe(1);
    expect(metal!.planned.plan.kernels.map((k) => k.schedule)).toEqual(['map', 'extern', 'map']);
    expect(externalsOf(stages)).toEqual(['scale']);
  });

  test('the plan says how it is launched, in terms of the dims of the caller', () => {
    const stages = stagesOf(
      'export fn f(x: f32[2*B, K], s: f32[2*B]) -> f32[2*B, K] { scale(x, s) }',
    );
    const { functions, kernels: list } = metalOf(stages).planned.plan;
    expect(list).toMatchObject([
      {
        integers: ['M', 'N'],
        threads: 64,
        bindingTable: false,
        external: { entry: 'scale', threadgroup: [16, 4, 1] },
        bindings: [
          { dtype: 'f32', access: 'read' },
          { dtype: 'f32', access: 'read' },
          { dtype: 'f32', access: 'write' },
        ],
      },
    ]);
    const [step] = (functions[0] as PlanFunction).steps;
    expect(step).toMatchObject({
      buffers: [0, 1, 2],
      integers: ['2*B', 'K'],
      grid: ['1', '2*B', 'K'],
      bytes: '8*B + 16*B*K',
    });
  });

  test('a result never shares memory with an argument', () => {
    const stages = stagesOf('export fn f(x: f32[M, N], s: f32[M]) -> f32[M, N] { scale(x, s) }');
    const { buffers } = metalOf(stages).planned.plan.functions[0]!;
    expect(buffers.map((b) => b.mayReuse)).toEqual([undefined, undefined, undefined]);
  });

  test('two calls are two dispatches; equal calls are one; one whose result nobody reads is none', () => {
    const twice = stagesOf(
      'export fn f(x: f32[M, N], s: f32[M], t: f32[M]) -> f32[M, N] { scale(scale(x, s), t) }',
    );
    expect(metalOf(twice).planned.plan.kernels.length).toBe(1);
    expect(metalOf(twice).planned.plan.functions[0]!.steps.length).toBe(2);
    const equal = stagesOf(
      'export fn f(x: f32[M, N], s: f32[M]) -> (f32[M, N], f32) { (scale(x, s), sum(scale(x, s))) }',
    );
    expect(kernelCalls(metalOf(equal).simple).length).toBe(1);
    const unread = stagesOf(
      'export fn f(x: f32[M, N], s: f32[M]) -> f32[M] { let _y = scale(x, s); s }',
    );
    expect(kernelCalls(metalOf(unread).simple).length).toBe(0);
  });

  test('in a loop', () => {
    const stages = stagesOf(
      'export fn f(x: f32[M, N], s: f32[M]) -> f32[M, N] { var y = x; for i in 0..3 { y = scale(y, s); } y }',
    );
    expect(externalsOf(stages)).toEqual(['scale']);
  });
});

describe('transformations', () => {
  test.each([
    [
      'grad',
      'fn l(x: f32[M, N], s: f32[M]) -> f32 { sum(scale(x, s)) }\nexport fn f(x: f32[M, N], s: f32[M]) -> f32[M, N] { grad(l)(x, s) }',
    ],
    ['vmap', 'export fn f(x: f32[B, M, N], s: f32[B, M]) -> f32[B, M, N] { vmap(scale)(x, s) }'],
    [
      'jvp',
      'export fn f(x: f32[M, N], s: f32[M]) -> f32[M, N] { let (_y, t) = jvp(scale, (x, s), (x, s)); t }',
    ],
  ])('%s sees the body', (_, text) => {
    expect(externalsOf(stagesOf(text))).toEqual([]);
  });

  test('custom_vjp keeps the kernel, and may call it in its rule', () => {
    const sample = new URL('../../samples/extern/model.mlx', import.meta.url).pathname;
    const stages = compileStages({ path: sample }, { host: nodeHost(), verify: true });
    if (!stages.ok) throw new Error('the sample has errors');
    const energy = metalOf(stages).simple.entries.find((e) => e.name === 'energy')!;
    const calls = kernelCalls({ stage: 'plain', entries: [energy] });
    // forward, and for the cotangent of x
    expect(calls.map((op) => op.attrs['kernel'])).toEqual(['rows::scale', 'rows::scale']);
  });
});

describe('forms', () => {
  const text = 'export fn f(x: f32[M, N], s: f32[M]) -> f32[M, N] { scale(x, s) }';

  test('the text of the IR reads back', () => {
    const { simple } = metalOf(stagesOf(text));
    const printed = printProgram(simple);
    expect(printed).toContain('language = "metal", source = "./k.metal", kernel = "scale"');
    expect(printProgram(parseProgram(printed))).toBe(printed);
    expect(printProgram(commonSubexpressions.run(parseProgram(printed) as Program<'plain'>))).toBe(
      printed,
    );
  });

  test('explain shows the source of the kernel', () => {
    const stages = stagesOf(text);
    const explanation = explainProgram(stages, metalOf(stages));
    expect(explanation.functions[0]!.dispatches[0]).toMatchObject({ schedule: 'extern' });
    expect(Object.values(explanation.kernels)).toEqual([kernels]);
  });

  test('the formatter gives the kernel a line', () => {
    const loose =
      'extern   fn f(x:f32[N])->f32[N]\nmetal "./k.metal"  kernel "k" grid ( N/2,1 )\n threads( 64 ){x}';
    expect(format(loose, 'a.mlx')).toEqual({
      text: 'extern fn f(x: f32[N]) -> f32[N]\n  metal "./k.metal" kernel "k" grid(N/2, 1) threads(64) { x }\n',
    });
  });
});

describe('names in the library', () => {
  test('ours give way to those of the user', async () => {
    const text = 'export fn f(x: f32[M, N], s: f32[M]) -> f32[M, N] { scale(exp(x), s) }';
    const nameOf = (stages: Stages): string =>
      metalOf(stages).planned.plan.kernels.find((k) => k.external === undefined)!.name;
    const ours = nameOf(stagesOf(text));
    for (const taken of [
      `float ${ours}(float x) { return x; }`,
      `struct ${ours}_Params { int n; };`,
    ]) {
      const stages = stagesOf(text, { './k.metal': `${kernels}${taken}\n` });
      expect(nameOf(stages)).toBe(`${ours}_2`);
      await expectMetal(new Map([[taken, metalOf(stages).text]]));
    }
  });

  test('a source comes once, after ours, under its own lines', () => {
    const stages = stagesOf(
      'export fn f(x: f32[M, N], s: f32[M]) -> f32[M, N] { scale(exp(scale(x, s)), s + 1) }',
    );
    const { text } = metalOf(stages);
    expect(text.endsWith(`#line 1 "k.metal"\n${kernels}`)).toBe(true);
    expect(text.split('using namespace metal').length).toBe(2);
    expect(metalOf(stagesOf('export fn g(x: f32) -> f32 { x }')).text).not.toContain('#line');
  });
});

test('text in the module is a source too', async () => {
  const inline = `extern fn twice(x: f32[N]) -> f32[N]
  metal "#include <metal_stdlib>\\n[[kernel, max_total_threads_per_threadgroup(64)]] void twice(const device float* x [[buffer(0)]], device float* y [[buffer(1)]], uint i [[thread_position_in_grid]]) { y[i] = 2 * x[i]; }" grid(N) threads(64) { 2 * x }
export fn f(x: f32[N]) -> f32[N] { twice(x) }
`;
  const { text } = metalOf(stagesOf(inline));
  await expectMetal(new Map([['inline', text]]));
});

describe('a plan that names kernels of users is checked when it is loaded', () => {
  const stages = stagesOf('export fn f(x: f32[M, N], s: f32[M]) -> f32[M, N] { scale(x, s) }');
  const { plan } = metalOf(stages).planned;
  const external = plan.kernels[0]!.external!;
  const table = { index: 2, size: 48, entries: [{ offset: 0, binding: 0 }, { offset: 24 }] };
  const withExternal = (changed: object): Plan => ({
    ...plan,
    kernels: [{ ...plan.kernels[0]!, external: { ...external, ...changed } }],
  });

  test('as it is written', () => {
    expect(validatePlan(plan)).toBe(plan);
    expect(() =>
      validatePlan(withExternal({ arguments: table, library: 'a.metallib' })),
    ).not.toThrow();
  });

  test.each([
    [{ entry: 1 }, /external\.entry/],
    [{ threadgroup: [64, 1] }, /threadgroup.*three/],
    [{ threadgroup: [64, 0, 1] }, /threadgroup\[1\].*0/],
    [{ threadgroup: [4096, 1, 1] }, /threadgroup\[0\]/],
    [{ library: '../../lib.metallib' }, /library.*no file/],
    [{ arguments: { ...table, index: 31 } }, /arguments\.index/],
    [{ arguments: { ...table, size: 47 } }, /entries\[1\]\.offset/],
    [{ arguments: { ...table, entries: [{ offset: 0, binding: 3 }] } }, /binding/],
    [{ arguments: { ...table, entries: [{ offset: -8 }] } }, /offset/],
  ])('%j is refused', (changed, expected) => {
    expect(() => validatePlan(withExternal(changed))).toThrow(expected);
  });
});

describe('the sample on the CPU', () => {
  const path = new URL('../../samples/extern/model.mlx', import.meta.url).pathname;

  test('computes what its bodies say', async () => {
    const module = await load(compileOrThrow({ path }, { targets: ['cpu'] }));
    const x = tensor([3, 4, 0, 0, 5, 12], [3, 2]);
    const [unit] = leavesOf(module.function('normalize')(x));
    expect([...unit!.data].map((v) => Math.round(Number(v) * 1e5) / 1e5)).toEqual([
      0.6, 0.8, 0, 0, 0.38462, 0.92308,
    ]);
    const [energy, dx, dby] = leavesOf(module.function('energy')(x, tensor([1, 2, 0.5])));
    expect([...energy!.data]).toEqual([12.5 + 21.125]);
    expect([...dx!.data]).toEqual([3, 4, 0, 0, 1.25, 3]);
    expect([...dby!.data]).toEqual([25, 0, 84.5]);
  });

  test('builds to a bundle with both', async () => {
    const { code } = await shell.run('build', path, '-o', shell.path('rows.mlxbundle'));
    expect(code).toBe(0);
    const read = (name: string): string =>
      readFileSync(shell.path(`rows.mlxbundle/${name}`), 'utf8');
    expect(read('kernels.metal')).toContain('namespace rows');
    expect(read('kernels.c')).not.toContain('rows::');
    const { out } = await shell.run('run', shell.path('rows.mlxbundle'), 'normalize', 'x=[[3,4]]');
    expect(out).toContain('[[0.6, 0.8]]');
  });
});
