/**
 * node dist/tools/metal-sim/compile/main.js SOURCE OUT [--constants JSON] [--language 310] [--macro NAME=VALUE] [--math safe|fast]
 *     [--functions precise|fast] [--unchecked]
 *
 * What `newLibraryWithSource:` of the simulator calls. Prints {errors, kernels, constants} as JSON; exit code 1 when there are errors.
 * --constants: function constants by index, each as C++ text: {"0": "true", "3": "0x1p-3f"}.
 */
import { copyFileSync, readFileSync } from 'node:fs';
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { compileMetal } from './compile.ts';

const args = await yargs(hideBin(process.argv))
  .usage('$0 <source> <out>')
  .demandCommand(2, 2)
  .option('constants', { type: 'string', describe: 'Function constants by index, as JSON' })
  .option('language', { type: 'number', describe: '__METAL_VERSION__: 310, 320, 400 ...' })
  .option('macro', { type: 'string', array: true, default: [], describe: 'NAME=VALUE' })
  .option('math', { choices: ['safe', 'fast'] as const, default: 'safe' as const })
  .option('functions', {
    choices: ['precise', 'fast'] as const,
    describe: 'What plain exp and the like mean; as --math says when absent',
  })
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
const result = compileMetal(readFileSync(source!, 'utf8'), {
  constants: new Map(constants),
  ...(args.language === undefined ? {} : { language: args.language }),
  macros: new Map(args.macro.map((m) => [m.split('=', 1)[0]!, m.slice(m.indexOf('=') + 1)])),
  math: args.math,
  ...(args.functions && { functions: args.functions }),
  unchecked: args.unchecked,
});
if (result.library !== undefined) copyFileSync(result.library, out!);
process.stdout.write(`${JSON.stringify(result)}\n`);
process.exitCode = result.errors.length === 0 ? 0 : 1;
