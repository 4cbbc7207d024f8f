/** Programs of others: found on the search path, run without a shell, with a limit of time and of output. */
import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join, resolve } from 'node:path';
import { MlxcError } from '../../../runtime/errors.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where tools are looked for, and how long they may take. */
export interface ToolContext {
  readonly env: Environment;
  readonly platform: NodeJS.Platform;
  /** Milliseconds for one run; two minutes by default. */
  readonly timeout?: number;
}

export interface ToolResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

const defaultTimeout = 120_000;
const maxOutput = 1_000_000;

/** The path of an executable file, as a shell would find it; undefined when there is none. */
export function findOnPath(name: string, env: Environment): string | undefined {
  if (isAbsolute(name) || name.includes('/')) {
    const path = resolve(name);
    return isExecutable(path) ? path : undefined;
  }
  for (const folder of (env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, name);
    if (folder !== '' && isExecutable(path)) return path;
  }
  return undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/**
 * Runs a program to its end. Arguments reach it as they are: nothing is a shell's. MLX5201 when it cannot be started, MLX5203
 * when it takes too long; a status other than 0 is the caller's to judge.
 */
export function runTool(
  command: string,
  args: readonly string[],
  context: ToolContext,
): Promise<ToolResult> {
  const { env, timeout = defaultTimeout } = context;
  return new Promise((resolvePromise, reject) => {
    const child = spawn(command, [...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      // messages are read by a program
      env: { ...env, LC_ALL: 'C' },
      // a group of its own: what it has started ends with it
      detached: process.platform !== 'win32',
    });
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8');
      child[name].on('data', (chunk: string) => {
        if (output[name].length < maxOutput) output[name] += chunk;
      });
    }
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      endGroup(child.pid);
    }, timeout);
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(new MlxcError('MLX5201', `${command} cannot be started: ${error.message}`));
    });
    child.on('close', (status, signal) => {
      clearTimeout(timer);
      if (isLate) {
        reject(new MlxcError('MLX5203', `${command} did not end within ${timeout / 1000} s`));
      } else if (status === null) {
        reject(new MlxcError('MLX5202', `${command} was ended by ${signal}`));
      } else resolvePromise({ status, ...output });
    });
  });
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
  } catch {
    // it has ended by itself
  }
}
