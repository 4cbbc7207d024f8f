/** Flags that several commands share, as options of `compile`. */
import type { CheckOptions } from '../check-source.ts';
import type { CommandContext } from '../context.ts';
import { UsageError } from '../errors.ts';
import type { Target } from '../host.ts';

export interface CompileFlags {
  /** `metallib` is Metal, compiled ahead of time. */
  readonly target?: Target | 'all' | 'metallib';
  /** `B=32`, one each. */
  readonly dim?: readonly string[];
  readonly entry?: readonly string[];
}

/** Options from flags and from MLXC_VERIFY and MLXC_DUMP. */
export function compileOptions(context: CommandContext, flags: CompileFlags): CheckOptions {
  const { env } = context.shell;
  const dump = env['MLXC_DUMP'];
  return {
    host: context.host,
    dims: parseDims(flags.dim ?? []),
    verify: env['MLXC_VERIFY'] === '1',
    ...(flags.target === undefined ? {} : { targets: targetsOf(flags.target) }),
    ...(flags.entry === undefined ? {} : { entries: flags.entry }),
    ...(dump === undefined || dump === '' ? {} : { dump }),
  };
}

function targetsOf(target: Target | 'all' | 'metallib'): readonly Target[] {
  if (target === 'all') return ['cpu', 'metal'];
  return [target === 'metallib' ? 'metal' : target];
}

/** `B=32` to `{ B: 32 }`. */
export function parseDims(texts: readonly string[]): Readonly<Record<string, number>> {
  const dims: Record<string, number> = {};
  for (const text of texts) {
    const match = /^([A-Za-z_]\w*)=(\d+)$/.exec(text);
    const value = Number(match?.[2]);
    if (match === null || !Number.isSafeInteger(value)) {
      throw new UsageError(`--dim ${text}: expected NAME=NUMBER`, 'such as --dim B=32');
    }
    const name = match[1]!;
    if (Object.hasOwn(dims, name) && dims[name] !== value) {
      throw new UsageError(`--dim ${name} is given twice with different values`);
    }
    dims[name] = value;
  }
  return dims;
}
