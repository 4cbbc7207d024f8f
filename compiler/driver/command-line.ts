/**
 * The grammar of the command line: commands, flags, examples. Each command's work is in commands/ and is imported only when that
 * command runs, so that `mlxc --help` needs nothing but yargs.
 */
import yargs, { type Argv } from 'yargs';
import { suggest } from '../diagnostics/suggest.ts';
import type { CommandContext, ExitCode } from './context.ts';
import { UsageError } from './errors.ts';

type Handler = (flags: Record<string, unknown>) => Promise<void>;

/** Runs a command's work and keeps its exit code. */
export type Launch = (work: (context: CommandContext) => Promise<ExitCode>) => Promise<void>;

export const commandNames = [
  'check',
  'build',
  'run',
  'explain',
  'fmt',
  'bench',
  'doctor',
  'completion',
] as const;

export const targets = ['cpu', 'metal', 'all'] as const;
/** Targets of `build`: `metallib` is Metal, compiled ahead of time by Apple's tools. */
const buildTargets = ['cpu', 'metal', 'metallib', 'all'] as const;
/** The systems of toolchain/platforms.ts, which `--help` does not load. */
const platforms = ['macos', 'ios', 'ios-simulator', 'tvos', 'visionos'] as const;
export const emits = ['ast', 'ir', 'kernels', 'metal', 'c', 'plan'] as const;
export const devices = ['cpu', 'metal', 'metal-sim', 'interp'] as const;

const dimOption = {
  type: 'string',
  array: true,
  nargs: 1,
  describe: 'Fix a dim, such as B=32 (repeatable)',
} as const;

const epilogue = `Exit codes: 0 success, 1 a mistake in your program or data, 2 wrong usage, 70 a bug of mlxc.

Environment:
  CC, CXX                the C and C++ compilers (cc, c++)
  XCRUN, DXC, METAL_SHADERCONVERTER   other places of these tools
  MLXC_CACHE             folder of compiled kernels (your system's cache)
  MLXC_THREADS           threads of the CPU device (one a core)
  MLXC_VERIFY=1          check the invariants between stages
  MLXC_DUMP=all|STAGE    print the program after a stage (elaborate, expand, ...)
  NO_COLOR               no colours`;

export function describeCommandLine(launch: Launch, columns: number): Argv {
  const parser = yargs()
    .scriptName('mlxc')
    .usage('$0 <command>\n\nCompiles tensor programs (.mlx) to Metal and CPU kernels.')
    .parserConfiguration({
      'parse-positional-numbers': false,
      'dot-notation': false,
      'duplicate-arguments-array': true,
      'boolean-negation': true,
    })
    .option('json', {
      type: 'boolean',
      default: false,
      describe: 'Print one JSON document on stdout',
    })
    .option('color', {
      type: 'boolean',
      describe: 'Colours; default: on a terminal, unless NO_COLOR is set',
    })
    .strict()
    .demandCommand(1, 'no command given')
    .recommendCommands()
    .wrap(Math.min(100, columns))
    .help()
    .version(false)
    .option('version', { type: 'boolean', describe: 'Print the version', global: false })
    .fail((message, error) => {
      // yargs goes on to run the command unless this throws.
      throw error ?? new UsageError(message, hintFor(message));
    })
    .epilogue(epilogue)
    .completion('completion', 'Print a script that completes commands and flags (bash, zsh)');

  addCheck(parser, launch);
  addBuild(parser, launch);
  addRun(parser, launch);
  addExplain(parser, launch);
  addFormat(parser, launch);
  addBench(parser, launch);
  addDoctor(parser, launch);
  return parser;
}

function addCheck(parser: Argv, launch: Launch): void {
  parser.command(
    'check <files..>',
    'Check types and shapes, and report all problems',
    (y) =>
      y
        .positional('files', {
          type: 'string',
          array: true,
          demandOption: true,
          describe: 'Sources',
        })
        .option('target', { choices: targets, describe: 'Also check what this target cannot do' })
        .option('dim', dimOption)
        .example('$0 check model.mlx', 'Report problems of model.mlx')
        .example('$0 check model.mlx --json', 'The same for tools'),
    handler((flags) =>
      launch(async (context) =>
        (await import('./commands/check.ts')).check(context, flags as never),
      ),
    ),
  );
}

function addBuild(parser: Argv, launch: Launch): void {
  parser.command(
    'build <file>',
    'Compile to a bundle: kernels, plan, constants and TypeScript types',
    (y) =>
      y
        .positional('file', { type: 'string', demandOption: true, describe: 'Source' })
        .option('out', {
          alias: 'o',
          type: 'string',
          describe: 'The bundle; default NAME.mlxbundle beside the source',
        })
        .option('target', {
          choices: buildTargets,
          default: 'all',
          describe: 'Devices to build for; metallib: Metal, compiled now by xcrun',
        })
        .option('platform', {
          choices: platforms,
          describe: 'System of the metallib; default macos',
        })
        .option('min-os', { type: 'string', describe: 'Its oldest version, such as 14.0' })
        .option('dim', dimOption)
        .option('entry', {
          type: 'string',
          array: true,
          nargs: 1,
          describe: 'Only this function (repeatable)',
        })
        .option('emit', {
          choices: emits,
          describe: 'Print this stage instead of writing a bundle',
        })
        .option('watch', {
          type: 'boolean',
          default: false,
          describe: 'Build again when a source changes',
        })
        .option('timings', {
          type: 'boolean',
          default: false,
          describe: 'Print the time of each stage',
        })
        .example('$0 build model.mlx', 'Write model.mlxbundle')
        .example('$0 build model.mlx --emit metal', 'Print the Metal kernels')
        .example('$0 build model.mlx --target metallib --platform ios', 'Compile them as well')
        .example('$0 build model.mlx --dim B=32 -o out.mlxbundle', 'Fix the batch size'),
    handler((flags) =>
      launch(async (context) =>
        (await import('./commands/build.ts')).build(context, flags as never),
      ),
    ),
  );
}

function addRun(parser: Argv, launch: Launch): void {
  parser.command(
    'run <file> <function> [values..]',
    'Run a function of a source or a bundle',
    (y) =>
      y
        .positional('file', { type: 'string', demandOption: true, describe: 'Source or bundle' })
        .positional('function', {
          type: 'string',
          demandOption: true,
          describe: 'An exported function',
        })
        .positional('values', {
          type: 'string',
          array: true,
          default: [],
          describe:
            'name=VALUE: JSON, @x.npy, @xs.npz:key, or a tree from @w.safetensors or @w.npz',
        })
        .option('save', {
          type: 'string',
          describe: 'Save results as .npz or .safetensors instead of printing',
        })
        .option('device', {
          choices: devices,
          describe: 'Where to run: by default on the GPU of a Mac, else on the CPU',
        })
        .option('dim', dimOption)
        .example("$0 run model.mlx softmax 'x=[[1,2,3]]'", 'A value as JSON')
        .example(
          '$0 run model.mlx predict m=@all.npz:model x=@x.npy --save y.npz',
          'Values from files',
        ),
    handler((flags) =>
      launch(async (context) => (await import('./commands/run.ts')).run(context, flags as never)),
    ),
  );
}

function addExplain(parser: Argv, launch: Launch): void {
  parser.command(
    'explain <file> [function]',
    'Show source, IR and kernels side by side, with their cost and what did not fuse',
    (y) =>
      y
        .positional('file', { type: 'string', demandOption: true, describe: 'Source' })
        .positional('function', { type: 'string', describe: 'An exported function; default: all' })
        .option('target', {
          choices: ['cpu', 'metal'] as const,
          default: 'metal',
          describe: 'Whose kernels',
        })
        .option('dim', dimOption)
        .option('html', { type: 'string', describe: 'Write a self-contained page' })
        .example('$0 explain model.mlx loss --dim B=64', 'With bytes and flops for a batch of 64')
        .example('$0 explain model.mlx --html model.html', 'As a page'),
    handler((flags) =>
      launch(async (context) =>
        (await import('./commands/explain.ts')).explain(context, flags as never),
      ),
    ),
  );
}

function addFormat(parser: Argv, launch: Launch): void {
  parser.command(
    'fmt [files..]',
    'Format sources in place',
    (y) =>
      y
        .positional('files', { type: 'string', array: true, default: [], describe: 'Sources' })
        .option('check', {
          type: 'boolean',
          default: false,
          describe: 'Only say which files would change (exit code 1)',
        })
        .option('stdin', {
          type: 'boolean',
          default: false,
          describe: 'Format standard input to standard output',
        })
        .example('$0 fmt model.mlx', 'Format a file')
        .example('$0 fmt --stdin < model.mlx', 'For editors'),
    handler((flags) =>
      launch(async (context) =>
        (await import('./commands/format.ts')).format(context, flags as never),
      ),
    ),
  );
}

function addBench(parser: Argv, launch: Launch): void {
  parser.command(
    'bench <file> <function> [values..]',
    'Time a function: compiling it, calling it',
    (y) =>
      y
        .positional('file', { type: 'string', demandOption: true, describe: 'Source' })
        .positional('function', {
          type: 'string',
          demandOption: true,
          describe: 'An exported function',
        })
        .positional('values', {
          type: 'string',
          array: true,
          default: [],
          describe: 'name=VALUE as for run; parameters without a value get random numbers',
        })
        .option('dim', dimOption)
        .option('seconds', { type: 'number', default: 2, describe: 'How long to measure' })
        .example(
          '$0 bench model.mlx loss --dim B=64',
          'Time per call, with the bytes and flops reached',
        ),
    handler((flags) =>
      launch(async (context) =>
        (await import('./commands/bench.ts')).bench(context, flags as never),
      ),
    ),
  );
}

function addDoctor(parser: Argv, launch: Launch): void {
  parser.command(
    'doctor',
    'Show what this machine has of what mlxc can use',
    (y) => y.example('$0 doctor --json', 'For bug reports'),
    handler(() =>
      launch(async (context) => (await import('./commands/doctor.ts')).doctor(context)),
    ),
  );
}

function handler(work: Handler): (flags: object) => Promise<void> {
  return (flags) => work(flags as Record<string, unknown>);
}

const flagNames: readonly string[] = [
  ...[
    'json',
    'color',
    'help',
    'version',
    'target',
    'dim',
    'out',
    'entry',
    'emit',
    'watch',
    'timings',
    'save',
    'platform',
    'min-os',
  ],
  ...['device', 'html', 'check', 'stdin', 'seconds'],
];

/** yargs suggests commands only; this is for flags. */
function hintFor(message: string): string {
  const unknown = /^Unknown arguments?: ([^,]+)/.exec(message)?.[1];
  const near = unknown === undefined ? undefined : suggest(unknown, flagNames);
  return near === undefined ? '' : `did you mean \`--${near}\`?`;
}
