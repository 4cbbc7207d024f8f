/**
 * node dist/tools/metal-sim/compile/main.js SOURCE OUT [--constants JSON] [--language 310] [--macro NAME=VALUE] [--math safe|fast]
 *   [--functions precise|fast] [--optimize] [--unchecked]
 * node dist/tools/metal-sim/compile/main.js --serve
 *
 * What `newLibraryWithSource:` of the simulator calls. Prints {errors, kernels, constants} as JSON; exit code 1 when there are errors.
 * --constants: function constants by index, each as C++ text: {"0": "true", "3": "0x1p-3f"}.
 * --serve: takes one such command line after another, each a JSON list of words on a line of its own, and answers each with a line,
 * until its input ends: with whoever asks.
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { type CompiledMetal, compileTo } from './compile.ts';

const words = hideBin(process.argv);
if (words.length === 1 && words[0] === '--serve') {
  for await (const line of createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line) as string[]))}\n`);
  }
} else {
  const result = await compileAsTold(words);
  process.stdout.write(`${JSON.stringify(result)}\n`);
  process.exitCode = result.errors.length === 0 ? 0 : 1;
}

/** What goes wrong on this machine is told like an error of the source, at line 0. */
async function answer(line: readonly string[]): Promise<CompiledMetal> {
  try {
    return await compileAsTold(line);
  } catch (error) {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { errors: [{ line: 0, column: 0, message }], kernels: [], constants: [] };
  }
}

async function compileAsTold(line: readonly string[]): Promise<CompiledMetal> {
  const args = await yargs(line)
    .usage('$0 <source> <out>')
    .demandCommand(2, 2)
    .option('constants', { type: 'string', describe: 'Function constants by index, as JSON' })
    .option('language', { type: 'number', describe: '__METAL_VERSION__: 310, 320, 400 ...' })
    .option('macro', { type: 'string', array: true, default: [], describe: 'NAME=VALUE' })
    .option('math', { choices: ['safe', 'fast'] as const, default: 'safe' as const })
    .option('functions', { choices: ['precise', 'fast'] as const })
    .option('optimize', { type: 'boolean' })
    .option('unchecked', {
      type: 'boolean',
      default: false,
      describe: 'Leave out all checks of memory',
    })
    .strictOptions()
    .parseAsync();
  const [source, out] = args._.map(String);
  const constants = Object.entries(
    JSON.parse(args.constants ?? '{}') as Readonly<Record<string, string>>,
  ).map(([index, value]) => [Number(index), value] as const);
  return compileTo(readFileSync(source!, 'utf8'), out!, {
    constants: new Map(constants),
    ...(args.language === undefined ? {} : { language: args.language }),
    macros: new Map(args.macro.map((m) => [m.split('=', 1)[0]!, m.slice(m.indexOf('=') + 1)])),
    math: args.math,
    ...(args.functions === undefined ? {} : { functions: args.functions }),
    ...(args.optimize === undefined ? {} : { isOptimised: args.optimize }),
    unchecked: args.unchecked,
  });
}
