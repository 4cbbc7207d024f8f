/** The tools of others, with stand-ins that hold the command lines to what the tools are known to take. */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { parseMessages } from '../../compiler/driver/toolchain/messages.ts';
import { missingConverter, missingMetal } from '../../compiler/driver/toolchain/missing.ts';
import { compareVersions, deploymentOf } from '../../compiler/driver/toolchain/platforms.ts';
import {
  converterArguments,
  converterVersion,
  findConverter,
  parseReflection,
} from '../../compiler/driver/toolchain/shader-converter.ts';
import { runTool } from '../../compiler/driver/toolchain/tool.ts';
import type { BundlePlan, PlanKernel } from '../../compiler/plan/plan.ts';
import { type Outcome, TestShell } from '../support/shell.ts';
import { StandIns } from '../support/stand-ins.ts';

const shell = new TestShell();
const tools = new StandIns(shell.cwd);
const metalWorks = `write(after('-o'), argv.includes('metallib') ? 'MTLB library' : 'air');`;
afterAll(() => shell.remove());
afterEach(() => {
  for (const name of readdirSync(tools.folder)) rmSync(join(tools.folder, name));
  tools.takeCalls();
});

const build = (...argv: string[]): Promise<Outcome> =>
  shell.runWith({ env: tools.env }, 'build', ...argv);

const rows =
  '[[kernel]] void double_it(const device float* x [[buffer(0)]],\n  device float* y [[buffer(1)]]) {}\n';
shell.file('rows.metal', rows);
const model = shell.file(
  'model.mlx',
  `extern fn double_it(x: f32[N]) -> f32[N]
  metal "./rows.metal" grid(N) threads(64) { x * 2 }
export fn f(x: f32[N]) -> f32[N] { double_it(x) + 1 }
`,
);

describe('--target metallib', () => {
  test.each([
    [[], 'macosx', ['-mmacosx-version-min=14.0']],
    [['--min-os', '15'], 'macosx', ['-mmacosx-version-min=15.0']],
    [['--platform', 'ios', '--min-os', '18.1'], 'iphoneos', ['-target', 'air64-apple-ios18.1']],
    [
      ['--platform', 'ios-simulator'],
      'iphonesimulator',
      ['-target', 'air64-apple-ios17.0-simulator'],
    ],
    [['--platform', 'tvos'], 'appletvos', ['-target', 'air64-apple-tvos17.0']],
    [['--platform', 'visionos'], 'xros', ['-target', 'air64-apple-xros1.0']],
  ])('%j runs metal, then metallib', async (flags, sdk, deployment) => {
    tools.add('xcrun', metalWorks);
    const { code, err } = await build(model, '--target', 'metallib', ...flags, '-o', 'a.mlxbundle');
    expect(err).not.toContain('error');
    expect(code).toBe(0);
    const [metal, metallib, ...others] = tools.takeCalls();
    const [, , , , source, , air] = metal!.argv;
    expect(metal!.argv).toEqual([
      '-sdk',
      sdk,
      'metal',
      '-c',
      source,
      '-o',
      air,
      '-std=metal3.1',
      ...deployment,
      '-fno-fast-math',
    ]);
    expect(metal!.files[4]).toBe(readFileSync(shell.path('a.mlxbundle/kernels.metal'), 'utf8'));
    const library = metallib!.argv.at(-1);
    expect(metallib!.argv).toEqual(['-sdk', sdk, 'metallib', air, '-o', library]);
    expect(others).toEqual([]);
    expect(readFileSync(shell.path('a.mlxbundle/kernels.metallib'), 'utf8')).toBe('MTLB library');
    // nothing stays behind
    expect(existsSync(source!)).toBe(false);
  });

  test('errors are those of the source that the line came from', async () => {
    tools.add(
      'xcrun',
      `say("rows.metal:2:10: error: unknown type name 'flot'\\nrows.metal:1:17: note: in this kernel\\n");
       say('/tmp/x/kernels.metal:1:1: warning: unused\\n1 error generated.\\n'); exit(1);`,
    );
    const { code, out } = await build(model, '--target', 'metallib', '-o', 'b.mlxbundle', '--json');
    expect(code).toBe(1);
    const { diagnostics } = JSON.parse(out) as { diagnostics: Record<string, unknown>[] };
    expect(diagnostics).toMatchObject([
      {
        code: 'MLX4101',
        severity: 'error',
        message: "unknown type name 'flot'",
        file: 'rows.metal',
        span: { start: { line: 2, column: 10 } },
        labels: [{ span: { start: { line: 1, column: 17 } } }],
      },
      { code: 'MLX4101', severity: 'warning', file: 'kernels.metal' },
    ]);
    expect(existsSync(shell.path('b.mlxbundle'))).toBe(false);
  });

  test.each([
    [
      "error: cannot execute tool 'metal' due to missing Metal Toolchain; use: xcodebuild -downloadComponent MetalToolchain",
      /xcodebuild -downloadComponent MetalToolchain.*kernels\.metal/s,
    ],
    [
      'xcrun: error: unable to find utility "metal", not a developer tool or in PATH',
      /install Xcode \(the Command Line Tools alone/,
    ],
  ])('xcrun without metal: %s', async (said, cure) => {
    tools.add('xcrun', `say(${JSON.stringify(`${said}\n`)}); exit(72);`);
    const { code, err } = await build(model, '--target', 'metallib', '-o', 'c.mlxbundle');
    expect(err).toContain('MLX5201');
    expect(err).toMatch(cure);
    expect(code).toBe(1);
  });

  test('no xcrun at all: where it can be had, and what works without it', async () => {
    const { err } = await build(model, '--target', 'metallib', '-o', 'c.mlxbundle');
    expect(err).toMatch(/MLX5201.*the device compiles it when it loads/s);
    expect(missingMetal('linux').message).toContain('not for Linux');
    expect(missingMetal('win32').message).toContain('Metal Developer Tools for Windows');
    expect(missingMetal('darwin').message).toContain('xcode-select -s');
  });

  test.each([
    ['a failure without words', 'exit(3)', /MLX5202.*status 3/],
    ['a failure in other words', `say('Bus error: 10'); exit(138)`, /MLX5202.*138.*\n.*Bus error/],
    ['no library', `if (argv.includes('metal')) write(after('-o'), 'air')`, /MLX5202.*no library/],
    ['no Metal library', `write(after('-o'), 'PK')`, /MLX5202.*no Metal library/],
    ['a crash', `process.kill(process.pid, 'SIGSEGV')`, /MLX5202.*SIGSEGV/],
  ])('%s', async (_, body, expected) => {
    tools.add('xcrun', body);
    const { code, err } = await build(model, '--target', 'metallib', '-o', 'd.mlxbundle');
    expect(err).toMatch(expected);
    expect(code).toBe(1);
  });

  test.each([
    [['--min-os', '13.0'], /--min-os 13.0: kernels need macOS 14.0/],
    [['--min-os', '14.0; rm -rf /'], /expected a version/],
    [['--min-os=-mfoo'], /expected a version/],
    [['--platform', 'android'], /platform/],
  ])('%j is refused', async (flags, expected) => {
    const { code, err } = await build(model, '--target', 'metallib', ...flags);
    expect(err).toMatch(expected);
    expect(code).toBe(2);
  });

  test('--platform is not for the CPU', async () => {
    const { code, err } = await build(model, '--target', 'cpu', '--platform', 'ios');
    expect(err).toContain('--platform and --min-os are for Metal');
    expect(code).toBe(2);
  });
});

const reflection = {
  EntryPoint: 'main',
  TopLevelArgumentBuffer: [
    { EltOffset: 24, Size: 24, Slot: 0, Space: 0, Type: 'UAV' },
    { EltOffset: 0, Size: 24, Slot: 0, Space: 0, Type: 'SRV' },
    { EltOffset: 48, Size: 24, Slot: 0, Space: 0, Type: 'CBV' },
  ],
  state: { tg_size: [64, 1, 1] },
};
const converts = (json: unknown): string =>
  `write(after('-o'), 'MTLB converted'); write(after('--output-reflection-file'), ${JSON.stringify(JSON.stringify(json))});`;
const dxcWorks = `write(after('-Fo'), 'DXBC');`;

const hlsl = `RWStructuredBuffer<float> y : register(u0);
[numthreads(64, 1, 1)]
void main(uint3 id : SV_DispatchThreadID) { y[id.x] = 2; }
`;
const hlslModel = (file = './double.hlsl', dtype = 'f32'): string =>
  `extern fn double_it(x: ${dtype}[N]) -> ${dtype}[N]
  hlsl "${file}" kernel "main" grid(N) threads(64) { x * 2 }
export fn f(x: ${dtype}[N]) -> ${dtype}[N] { double_it(x) }
`;
shell.file('double.hlsl', hlsl);
const shaded = shell.file('shaded.mlx', hlslModel());

function metalKernels(folder: string): readonly PlanKernel[] {
  const plan = JSON.parse(readFileSync(shell.path(`${folder}/plan.json`), 'utf8')) as BundlePlan;
  return plan.plans.metal!.kernels;
}

describe('kernels in HLSL and DXIL', () => {
  test('HLSL goes through dxc and the shader converter into the bundle', async () => {
    tools.add('dxc', dxcWorks);
    tools.add('metal-shaderconverter', converts(reflection));
    const { code, err } = await build(shaded, '-o', 'e.mlxbundle');
    expect(err).not.toMatch(/error|warning/);
    expect(code).toBe(0);
    const [dxc, converter, ...others] = tools.takeCalls();
    expect(others).toEqual([]);
    const [dxil, input] = dxc!.argv.slice(-2);
    expect(dxc!.argv).toEqual([
      '-T',
      'cs_6_0',
      '-E',
      'main',
      '-HV',
      '2021',
      '-I',
      shell.cwd,
      '-Fo',
      dxil,
      input,
    ]);
    expect(dxc!.files[10]).toBe(hlsl);
    const output = converter!.argv[2]!;
    expect(converter!.argv).toEqual([
      dxil,
      '-o',
      output,
      `--output-reflection-file=${output.replace(/metallib$/, 'json')}`,
      '--entry-point=main',
      '--deployment-os=macOS',
      '--minimum-os-build-version=14.0.0',
      '--minimum-gpu-family=Metal3',
    ]);
    expect(readFileSync(shell.path('e.mlxbundle/extern-1-main.metallib'), 'utf8')).toBe(
      'MTLB converted',
    );
    expect(metalKernels('e.mlxbundle').map((kernel) => kernel.external)).toEqual([
      {
        entry: 'main',
        threadgroup: [64, 1, 1],
        library: 'extern-1-main.metallib',
        arguments: {
          index: 2,
          size: 72,
          entries: [{ offset: 24, binding: 1 }, { offset: 0, binding: 0 }, { offset: 48 }],
        },
      },
    ]);
    expect(readFileSync(shell.path('e.mlxbundle/kernels.metal'), 'utf8')).not.toContain('main');
  });

  test('types of 16 bits need shader model 6.2', async () => {
    tools.add('dxc', dxcWorks);
    tools.add('metal-shaderconverter', converts(reflection));
    await build(shell.file('half.mlx', hlslModel('./double.hlsl', 'f16')), '-o', 'e.mlxbundle');
    const [dxc] = tools.takeCalls();
    expect(dxc!.argv.slice(0, 2)).toEqual(['-T', 'cs_6_2']);
    expect(dxc!.argv).toContain('-enable-16bit-types');
  });

  test('DXIL goes to the shader converter as it is, whatever its name', async () => {
    tools.add('metal-shaderconverter', converts(reflection));
    const name = `-rf "$(touch hit)" 'x.dxil`;
    shell.file(name, 'DXBC of somebody');
    const text = hlslModel().replace('hlsl "./double.hlsl"', `dxil ${JSON.stringify(`./${name}`)}`);
    const { code, err } = await build(
      shell.file('-dash.mlx', text).replace(/^/, './'),
      '-o',
      'g.mlxbundle',
    );
    expect(err).not.toContain('error');
    expect(code).toBe(0);
    const [converter] = tools.takeCalls();
    expect(converter!.argv[0]).toBe(join(shell.cwd, name));
    expect(converter!.files[0]).toBe('DXBC of somebody');
    expect(existsSync(shell.path('hit'))).toBe(false);
  });

  test('mistakes in HLSL have their place in its file', async () => {
    tools.add(
      'dxc',
      `say("/tmp/a/kernel.hlsl:3:45: error: use of undeclared identifier 'y'\\n"); exit(1);`,
    );
    tools.add('metal-shaderconverter', converts(reflection));
    const { code, err } = await build(shaded, '-o', 'h.mlxbundle');
    expect(code).toBe(1);
    expect(err).toMatch(/MLX4102.*undeclared identifier 'y'\n.*double\.hlsl:3:45/);
  });

  test.each([
    ['dxc', 'dxc is not installed'],
    ['metal-shaderconverter', 'metal-shaderconverter is not installed'],
  ])('without %s the body runs on Metal, and the user knows', async (missing, said) => {
    if (missing !== 'dxc') tools.add('dxc', dxcWorks);
    else tools.add('metal-shaderconverter', converts(reflection));
    const { code, err } = await build(shaded, '-o', 'i.mlxbundle');
    expect(code).toBe(0);
    expect(err).toMatch(/warning\[MLX4110\].*runs its body/);
    expect(err).toContain(said);
    expect(metalKernels('i.mlxbundle').every((kernel) => kernel.external === undefined)).toBe(true);
    // who asks for the library gets it or an error
    tools.add('xcrun', metalWorks);
    const ahead = await build(shaded, '--target', 'metallib', '-o', 'i.mlxbundle');
    expect(ahead.code).toBe(1);
    expect(ahead.err).toContain('MLX5201');
  });

  test.each([
    [
      'another register',
      [{ ...reflection.TopLevelArgumentBuffer[1], Slot: 1 }],
      /MLX4105.*register t1/,
    ],
    [
      'another space',
      [{ ...reflection.TopLevelArgumentBuffer[0], Space: 2 }],
      /MLX4105.*u0, space2/,
    ],
    ['a sampler', [{ EltOffset: 0, Size: 24, Slot: 0, Space: 0, Type: 'Sampler' }], /MLX4105.*s0/],
    [
      'a negative offset',
      [{ ...reflection.TopLevelArgumentBuffer[0], EltOffset: -8 }],
      /MLX5204.*EltOffset is -8/,
    ],
    [
      'an unknown type',
      [{ ...reflection.TopLevelArgumentBuffer[0], Type: 'Table' }],
      /MLX5204.*"Table"/,
    ],
    ['no list', undefined, /MLX5204.*no TopLevelArgumentBuffer/],
  ])('a reflection with %s', async (_, list, expected) => {
    tools.add('dxc', dxcWorks);
    tools.add('metal-shaderconverter', converts({ ...reflection, TopLevelArgumentBuffer: list }));
    const { code, err } = await build(shaded, '-o', 'j.mlxbundle');
    expect(err).toMatch(expected);
    expect(code).toBe(1);
  });

  test('threadgroups of another size', async () => {
    tools.add('dxc', dxcWorks);
    tools.add('metal-shaderconverter', converts({ ...reflection, state: { tg_size: [32, 2, 1] } }));
    const { err } = await build(shaded, '-o', 'j.mlxbundle');
    expect(err).toMatch(/MLX4104.*\(32, 2, 1\).*threads\(64, 1, 1\)/);
  });

  test.each([
    [`say('error: wave size of 64 is not supported\\n'); exit(1);`, /MLX4103.*wave size of 64/],
    [`say('Segmentation fault\\n'); exit(139);`, /MLX5202.*139.*\n.*Segmentation/],
    [`write(after('-o'), 'MTLB');`, /MLX5202.*no reflection/],
  ])('the converter fails: %s', async (body, expected) => {
    tools.add('dxc', dxcWorks);
    tools.add('metal-shaderconverter', body);
    const { code, err } = await build(shaded, '-o', 'k.mlxbundle');
    expect(err).toMatch(expected);
    expect(code).toBe(1);
  });
});

describe('the wrapper of metal-shaderconverter', () => {
  test('every option by its name', () => {
    const args = converterArguments({
      input: '/k.dxil',
      output: '/k.metallib',
      reflectionFile: '/k.json',
      entryPoint: 'main',
      renameEntryPoint: 'k',
      rootSignature: '/rs.json',
      deploymentOs: 'macOS',
      minimumOs: '15.0.0',
      minimumGpuFamily: 'Apple7',
      ignoreDebugInformation: true,
    });
    expect(args.join(' ')).toBe(
      '/k.dxil -o /k.metallib --output-reflection-file=/k.json --entry-point=main -rename-entry-point k' +
        ' --root-signature=/rs.json --deployment-os=macOS --minimum-os-build-version=15.0.0' +
        ' --minimum-gpu-family=Apple7 --ignore-debug-information',
    );
  });

  test('is found by its variable, then on the path; its version is read', async () => {
    tools.add('metal-shaderconverter', '');
    tools.add(
      'my converter',
      `process.stdout.write('Metal Shader Converter version 3.0.4 (build 7)\\n');`,
    );
    const context = { env: tools.env, platform: 'darwin' as const };
    expect(findConverter(context)).toBe(join(tools.folder, 'metal-shaderconverter'));
    const own = { ...tools.env, METAL_SHADERCONVERTER: join(tools.folder, 'my converter') };
    const found = findConverter({ ...context, env: own })!;
    expect(await converterVersion(found, context)).toBe('3.0.4');
    expect(tools.takeCalls()).toMatchObject([{ tool: 'my converter', argv: ['--version'] }]);
    const gone = { ...tools.env, METAL_SHADERCONVERTER: '/no/such/tool' };
    expect(findConverter({ ...context, env: gone })).toBeUndefined();
    expect(missingConverter('darwin').message).toContain('developer.apple.com');
  });

  test('reads a reflection', () => {
    expect(parseReflection(JSON.stringify(reflection))).toEqual({
      resources: [
        { offset: 24, size: 24, slot: 0, space: 0, kind: 'UAV' },
        { offset: 0, size: 24, slot: 0, space: 0, kind: 'SRV' },
        { offset: 48, size: 24, slot: 0, space: 0, kind: 'CBV' },
      ],
      threadgroup: [64, 1, 1],
    });
    expect(() => parseReflection('{')).toThrow(/MLX5204/);
  });
});

describe('running a tool', () => {
  const context = { env: tools.env, platform: process.platform };

  test('arguments reach it as they are', async () => {
    tools.add('tool', '');
    const hostile = ['a b', `"'`, '$HOME', '`id`', '; rm -rf /', '-x', '--', '', 'é\n'];
    await runTool(join(tools.folder, 'tool'), hostile, context);
    expect(tools.takeCalls()[0]!.argv).toEqual(hostile);
  });

  test('one that does not end is ended, with what it has started', async () => {
    const child = `setTimeout(() => require('node:fs').writeFileSync(process.argv[1], ''), 1500)`;
    tools.add(
      'tool',
      `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(child)}, argv[0]], { stdio: 'inherit' });`,
    );
    const mark = shell.path('survived');
    const run = runTool(join(tools.folder, 'tool'), [mark], { ...context, timeout: 500 });
    await expect(run).rejects.toThrow(/MLX5203.*within 0\.5 s/);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(existsSync(mark)).toBe(false);
  });

  test('one that cannot be started', async () => {
    await expect(runTool(shell.path('nothing'), [], context)).rejects.toThrow(/MLX5201.*ENOENT/);
  });

  test('much output is cut, not waited for', async () => {
    tools.add('tool', `process.stdout.write('x'.repeat(5_000_000));`);
    const { stdout } = await runTool(join(tools.folder, 'tool'), [], context);
    expect(stdout.length).toBeLessThan(1_200_000);
  });
});

test('messages of clang as data', () => {
  const text = `In file included from a.metal:1:
C:\\k.hlsl:4:2: fatal error: 'x.h' file not found
/a b/k.metal:7: note: here
xcrun: error: no such thing
plain words: not a message
1 warning generated.`;
  expect(parseMessages(text)).toEqual([
    { file: 'C:\\k.hlsl', line: 4, column: 2, severity: 'error', text: "'x.h' file not found" },
    { file: '/a b/k.metal', line: 7, column: undefined, severity: 'note', text: 'here' },
    {
      file: undefined,
      line: undefined,
      column: undefined,
      severity: 'error',
      text: 'no such thing',
    },
  ]);
});

test('versions', () => {
  expect(compareVersions('14.0', '14')).toBe(0);
  expect(compareVersions('9.9', '14.0')).toBeLessThan(0);
  expect(deploymentOf('ios').minOs).toBe('17.0');
});

test('doctor lists the tools, and how to get those that are missing', async () => {
  tools.add('dxc', `process.stdout.write('libdxcompiler.so: 1.8\\n');`);
  const { json } = await shell.runWith(
    { env: { ...process.env, ...tools.env } },
    'doctor',
    '--json',
  );
  const { findings } = json() as {
    findings: { name: string; found: boolean; detail: string; cure?: string }[];
  };
  const of = (name: string) => findings.find((finding) => finding.name === name);
  expect(of('dxc')).toMatchObject({ found: true, detail: 'libdxcompiler.so: 1.8' });
  expect(of('metal-shaderconverter')).toMatchObject({ found: false });
  expect(of('metal-shaderconverter')!.cure).not.toBe('');
  expect(of('xcrun metal')).toMatchObject({ found: false });
});
