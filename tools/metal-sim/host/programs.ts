/** Builds host programs against the simulator, as anybody would: with a compiler and the flags that build.mjs prints. */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const folder = join(root, 'build', 'metal-sim-host');

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, while others may run. */
export function run(
  command: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: { ...process.env, ...environment } });
    const texts = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        texts[name] += text;
      });
    }
    child.on('error', reject).on('close', (status) => resolve({ status, ...texts }));
  });
}

let flags: readonly string[] | undefined;

function hostFlags(): readonly string[] {
  if (flags !== undefined) return flags;
  const build = join(root, 'tools', 'metal-sim', 'build.mjs');
  const { status, stdout, stderr } = spawnSync(process.execPath, [build, '--flags'], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`the simulator is not built:\n${stderr}`);
  flags = stdout.trim().split(' ');
  return flags;
}

function hashOf(source: string, command: readonly string[]): string {
  const hash = createHash('sha256').update(command.join('\0')).update(readFileSync(source));
  const include = join(root, 'tools', 'metal-sim', 'include');
  for (const headers of [
    'Metal',
    'dispatch',
    'simd',
    'objc',
    'mach',
    '../objc-runtime/include/objc',
  ].map((h) => join(include, h))) {
    for (const file of readdirSync(headers).sort()) hash.update(readFileSync(join(headers, file)));
  }
  const checks = fileURLToPath(new URL('checks.h', import.meta.url));
  return hash.update(readFileSync(checks)).digest('hex').slice(0, 16);
}

/** The path of the built program; it is built once as long as nothing that it depends on changes. */
export async function buildHostProgram(source: string): Promise<string> {
  const isPlain = extname(source) === '.m';
  const command = [
    isPlain ? 'clang-19' : 'clang++-19',
    ...(isPlain ? ['-fobjc-arc'] : ['-std=c++20']),
    ...hostFlags(),
    '-Werror',
  ];
  const out = join(folder, `${basename(source)}-${hashOf(source, command)}`);
  if (existsSync(out)) return out;
  mkdirSync(folder, { recursive: true });
  const own = `${out}.${process.pid}`;
  const { status, stderr } = await run(command[0]!, [...command.slice(1), source, '-o', own]);
  if (status !== 0) throw new Error(`${basename(source)} does not compile:\n${stderr}`);
  renameSync(own, out);
  return out;
}
