/** `mlxc doctor`: what this machine has, and what each thing is needed for. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import type { MlxcError } from '../../../runtime/errors.ts';
import type { CommandContext, ExitCode } from '../context.ts';
import { packageRoot, packageVersion } from '../node-host.ts';
import { findDxc } from '../toolchain/dxc.ts';
import { missingConverter, missingDxc, missingMetal } from '../toolchain/missing.ts';
import { findConverter } from '../toolchain/shader-converter.ts';
import type { Environment } from '../toolchain/tool.ts';

interface Finding {
  readonly name: string;
  readonly found: boolean;
  /** Version or path; empty when not found. */
  readonly detail: string;
  readonly neededFor: string;
  /** How to get it, when it is absent and this machine could have it. */
  readonly cure?: string;
}

/** The first line that a program prints, or undefined when it cannot run. */
function probe(
  command: string,
  args: readonly string[],
  env: Environment,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(command, [...args], { timeout: 10_000, env: { ...env } }, (error, stdout, stderr) => {
      const line = `${stdout}${stderr}`.trim().split('\n')[0] ?? '';
      resolve(error === null ? line : undefined);
    });
  });
}

interface Tool {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly neededFor: string;
  readonly cure?: string;
}

function tools(env: Environment): readonly Tool[] {
  const isMac = process.platform === 'darwin';
  const install = (apt: string, brew: string): string =>
    isMac ? brew : `sudo apt-get install -y ${apt}`;
  const context = { env, platform: process.platform };
  return [
    {
      name: 'cc',
      command: env['CC'] ?? 'cc',
      args: ['--version'],
      neededFor: 'the CPU device: it compiles kernels.c (without it: --device interp)',
      cure: install('gcc', 'xcode-select --install'),
    },
    {
      name: 'c++',
      command: env['CXX'] ?? 'c++',
      args: ['--version'],
      neededFor: 'building the native addon',
      cure: install('g++', 'xcode-select --install'),
    },
    {
      name: 'clang-19',
      command: 'clang-19',
      args: ['--version'],
      neededFor: 'checking Metal kernels without a Mac (tests only)',
      cure: install('clang-19', 'brew install llvm@19'),
    },
    {
      name: 'xcrun metal',
      command: env['XCRUN'] ?? 'xcrun',
      args: ['-sdk', 'macosx', 'metal', '--version'],
      neededFor: 'compiling kernels.metal ahead of time to kernels.metallib',
      cure: cureOf(missingMetal(process.platform)),
    },
    {
      name: 'dxc',
      command: findDxc(context) ?? 'dxc',
      args: ['--version'],
      neededFor: 'HLSL kernels in extern functions (HLSL to DXIL)',
      cure: cureOf(missingDxc()),
    },
    {
      name: 'metal-shaderconverter',
      command: findConverter(context) ?? 'metal-shaderconverter',
      args: ['--version'],
      neededFor: 'HLSL kernels in extern functions (DXIL to metallib)',
      cure: cureOf(missingConverter(process.platform)),
    },
  ];
}

/** The part of the explanation that says what to do; the rest is `neededFor`. */
function cureOf({ cure }: MlxcError): string {
  return cure.split('; ')[0]!;
}

async function examine(context: CommandContext): Promise<readonly Finding[]> {
  const addon = join(packageRoot(), 'build', 'mlxc_native.node');
  const probed = await Promise.all(
    tools(context.shell.env).map(async (tool): Promise<Finding> => {
      const line = await probe(tool.command, tool.args, context.shell.env);
      const { name, neededFor, cure } = tool;
      const found = line !== undefined;
      return {
        name,
        found,
        detail: line ?? '',
        neededFor,
        ...(found || cure === undefined ? {} : { cure }),
      };
    }),
  );
  const hasAddon = existsSync(addon);
  return [
    {
      name: 'node',
      found: true,
      detail: process.versions.node,
      neededFor: 'everything (20.19 or newer)',
    },
    {
      name: 'native addon',
      found: hasAddon,
      detail: hasAddon ? addon : '',
      neededFor: 'the CPU and Metal devices',
      ...(hasAddon ? {} : { cure: 'npm run bootstrap' }),
    },
    {
      name: 'Metal',
      found: process.platform === 'darwin',
      detail: process.platform === 'darwin' ? `${process.platform} ${process.arch}` : '',
      neededFor: 'the Metal device (macOS only; elsewhere kernels.metal is still written)',
    },
    ...probed,
  ];
}

export async function doctor(context: CommandContext): Promise<ExitCode> {
  const findings = await examine(context);
  const machine = {
    mlxc: packageVersion(),
    platform: `${process.platform} ${process.arch}`,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
  };
  if (context.isJson) {
    context.printJson({ ok: true, machine, findings });
    return 0;
  }
  const paint = context.paintOut;
  context.print(
    `mlxc ${machine.mlxc} on ${machine.platform}, ${machine.cores} cores (${machine.cpu})`,
  );
  context.print('');
  for (const { name, found, detail, neededFor, cure } of findings) {
    const mark = found ? paint.green('yes') : paint.yellow('no ');
    context.print(`${mark} ${name.padEnd(22)} ${found ? detail : 'not found'}`);
    context.print(`    ${paint.dim(`for ${neededFor}`)}`);
    if (cure !== undefined) context.print(`    ${paint.cyan('get it:')} ${cure}`);
  }
  return 0;
}
