/** The command that runs a kernel of a Metal file, apart from the process that it runs in: see ../run.ts. */
import { readFileSync } from 'node:fs';
import picocolors from 'picocolors';
import yargs from 'yargs';
import { FileProblem } from '../../../compiler/driver/errors.ts';
import { writeAtomically } from '../../../compiler/driver/io/files.ts';
import type { HostTensor } from '../../../compiler/driver/io/host-tensor.ts';
import { formatNpy } from '../../../compiler/driver/io/npy.ts';
import { type CompiledMetal, type CompileOptions, compileMetal } from '../compile/compile.ts';
import {
  compile,
  type Finding,
  type KernelDescription,
  Library,
  prepareEngine,
  slots,
} from '../driver/native.ts';
import { type Bindings, bind, refusal } from './launch.ts';
import { type Colors, elementsOf, type Problem, showProblem, showTensor } from './show.ts';
import { parseConstant, parseSize, splitName, WrongUsage } from './specification.ts';

const command = 'npm run metal-sim --';

function parserOf(words: readonly string[]) {
  return yargs([...words])
    .scriptName(command)
    .usage(
      `${command} FILE.metal KERNEL --grid N --threadgroup N [options]\n${command} FILE.metal --list\n\nRuns one kernel of a Metal file on the simulator and prints its buffers.`,
    )
    .option('grid', {
      type: 'string',
      describe: 'Threads in all: 1024, or 64x64; threadgroups with --dispatch groups',
    })
    .option('threadgroup', {
      type: 'string',
      default: '32',
      describe: 'Threads of one threadgroup',
    })
    .option('dispatch', {
      choices: ['threads', 'groups'] as const,
      default: 'threads' as const,
      describe: 'dispatchThreads or dispatchThreadgroups',
    })
    .option('buffer', {
      type: 'string',
      array: true,
      default: [] as string[],
      describe:
        'NAME=TYPE:SHAPE:CONTENTS, contents zeros ones iota random normal nan or numbers; NAME=@file.npy',
    })
    .option('bytes', {
      type: 'string',
      array: true,
      default: [] as string[],
      describe: '[NAME=]TYPE:VALUE[,VALUE|,TYPE:VALUE...], laid out as in a struct',
    })
    .option('npy', {
      type: 'string',
      array: true,
      default: [] as string[],
      describe: 'NAME=FILE: read, or written after the run when --buffer gives the contents',
    })
    .option('threadgroup-memory', {
      type: 'string',
      array: true,
      default: [] as string[],
      describe: '[NAME=]BYTES of a threadgroup argument',
    })
    .option('constant', {
      type: 'string',
      array: true,
      default: [] as string[],
      describe: 'INDEX=TYPE:VALUE or NAME=TYPE:VALUE, a function constant',
    })
    .option('seed', {
      type: 'number',
      default: 1,
      describe: 'Of random contents, and of the order of threads and threadgroups',
    })
    .option('math', {
      choices: ['fast', 'safe'] as const,
      default: 'fast' as const,
      describe: "Math mode; Metal's own is fast",
    })
    .option('std', {
      choices: ['metal3.0', 'metal3.1', 'metal3.2', 'metal4.0'] as const,
      default: 'metal3.1' as const,
      describe: 'Version of the language',
    })
    .option('flush', {
      type: 'boolean',
      default: false,
      describe: 'Take subnormal floats for zeros, as Apple GPUs do',
    })
    .option('list', {
      type: 'boolean',
      default: false,
      describe: 'List the kernels, their arguments and the function constants',
    })
    .option('json', {
      type: 'boolean',
      default: false,
      describe: 'Print one JSON document with all elements',
    })
    .example(
      `${command} saxpy.metal saxpy --grid 1000 --threadgroup 64 \\\n  --buffer x=f32:1000:iota --buffer y=f32:1000:ones --bytes a=f32:2`,
      '',
    )
    .example(
      `${command} gemm.metal gemm_f16 --dispatch groups --grid 4x4 --threadgroup 128 \\\n  --npy A=a.npy B=b.npy --buffer C=f16:128x128 --npy C=c.npy --bytes dims=u32:128,128,128`,
      '',
    )
    .example(
      `${command} kernels.metal norm --grid 256 --threadgroup 256 --constant has_bias=bool:true \\\n  --threadgroup-memory 128 --seed 7 --json`,
      '',
    )
    .epilogue(
      'The exit code is 1 when the source is refused or something is found, 2 for a wrong command line.',
    )
    .demandCommand(1, 2, 'Name a Metal file.', 'Name one file and one kernel.')
    .strictOptions()
    .version(false)
    .wrap(Math.min(120, process.stdout.columns ?? 100))
    .fail((message, error) => {
      throw error ?? new WrongUsage(message);
    });
}

interface Report {
  readonly problems: readonly Problem[];
  readonly buffers: ReadonlyMap<string, HostTensor>;
}

/** Compiles once for the names of the constants when there are any, then with their values. */
function compileWith(
  source: string,
  given: readonly string[],
  options: CompileOptions,
): { readonly result: CompiledMetal; readonly options: CompileOptions } {
  const first = compileMetal(source, options);
  if (given.length === 0 || first.library === undefined) return { result: first, options };
  const constants = new Map<number, string>();
  for (const text of given) {
    const { name, value } = splitName(text);
    const known = first.constants.find((c) => c.name === name || String(c.index) === name);
    if (known === undefined) {
      const names = first.constants.map((c) => `${c.name} (${c.index})`).join(', ') || 'none';
      throw new WrongUsage(
        `--constant ${text}: the source has no such function constant; it has ${names}`,
      );
    }
    constants.set(known.index, parseConstant(value));
  }
  const chosen = { ...options, constants };
  return { result: compileMetal(source, chosen), options: chosen };
}

function problemOf(file: string, { kind, message, line }: Finding): Problem {
  return { file, line, column: 0, kind, message: message.replace(/, line \d+/, '') };
}

function listKernels(result: CompiledMetal, colors: Colors): string {
  const library = new Library(result.library!);
  const lines: string[] = [];
  for (const { hostName, parameters, usesConstants } of result.kernels) {
    const known: KernelDescription = library.describe(hostName);
    const notes = [
      known.maxThreads > 0 ? `at most ${known.maxThreads} threads` : '',
      known.threadgroupMemory > 0 ? `${known.threadgroupMemory} bytes of threadgroup memory` : '',
      usesConstants ? 'uses function constants' : '',
    ].filter((note) => note !== '');
    lines.push(
      `${colors.bold(hostName)}${notes.length > 0 ? colors.dim(`  ${notes.join(', ')}`) : ''}`,
    );
    for (const [i, p] of known.parameters.entries()) {
      if (p.kind === 'builtin') {
        lines.push(colors.dim(`  ${p.name}: [[${parameters[i]?.builtin ?? ''}]]`));
        continue;
      }
      const what = p.isReference ? `${p.size} bytes` : `elements of ${p.size} bytes`;
      const access = p.kind === 'device' ? (p.isWritable ? 'device' : 'const device') : p.kind;
      const slot = p.kind === 'threadgroup' ? 'threadgroup' : 'buffer';
      const guard = parameters[i]?.guard;
      lines.push(
        `  ${p.name}: ${slot}(${p.index}), ${access}, ${what}${guard === undefined ? '' : `, if ${guard}`}`,
      );
    }
  }
  for (const { name, type, index } of result.constants)
    lines.push(`constant ${index}: ${type} ${name}`);
  return lines.join('\n');
}

/** Where the command prints. */
export interface Output {
  print(text: string): void;
  printError(text: string): void;
  readonly isColourful: boolean;
}

async function main(words: readonly string[], output: Output): Promise<number> {
  const args = await parserOf(words).parseAsync();
  const [file, kernel] = args._.map(String);
  const colors = picocolors.createColors(output.isColourful);
  let source: string;
  try {
    source = readFileSync(file!, 'utf8');
  } catch {
    throw new WrongUsage(`${file}: there is no such file`);
  }
  prepareEngine();
  const problems: Problem[] = [];
  const { result, options } = compileWith(source, args.constant, {
    math: args.math,
    language: Number(args.std.replace(/\D/g, '')) * 10,
  });
  for (const { file: other, line, column, message } of result.errors) {
    problems.push({ file: other ?? file!, line, column, kind: 'error', message });
  }
  const buffers = new Map<string, HostTensor>();
  if (result.library !== undefined && (args.list || kernel === undefined)) {
    if (!args.list)
      throw new WrongUsage(
        `name a kernel: ${result.kernels.map((k) => k.hostName).join(', ') || 'there is none'}`,
      );
    output.print(
      args.json
        ? JSON.stringify({ kernels: result.kernels, constants: result.constants })
        : listKernels(result, colors),
    );
    return 0;
  }
  let bindings: Bindings | undefined;
  if (result.library !== undefined) {
    const found = result.kernels.find((k) => k.hostName === kernel);
    if (found === undefined) {
      throw new WrongUsage(
        `${file} has no kernel \`${kernel}\`; it has ${result.kernels.map((k) => k.hostName).join(', ') || 'none'}`,
      );
    }
    if (found.usesConstants && args.constant.length === 0) {
      throw new WrongUsage(
        `${kernel} uses function constants: give them, such as --constant ${result.constants[0]?.index}=bool:true`,
      );
    }
    if (args.grid === undefined) throw new WrongUsage('--grid is missing: how many threads?');
    const library = compile(source, options);
    const description = library.describe(kernel!);
    bindings = bind(description, args);
    const grid = parseSize(args.grid);
    const threadgroup = parseSize(args.threadgroup);
    const refused = refusal(kernel!, description, bindings, grid, threadgroup);
    if (refused !== undefined) {
      problems.push({ file: file!, line: 0, column: 0, kind: 'error', message: refused });
    } else {
      const slotted = Array.from({ length: slots }, (_, i) =>
        bindings!.bound.find((b) => b.parameter.index === i),
      );
      const findings = library.run({
        kernel: kernel!,
        buffers: slotted.map((b) => b?.tensor.data ?? null),
        grid,
        threadgroup,
        nonuniform: args.dispatch === 'threads',
        threadgroupLengths: bindings.threadgroupLengths,
        seed: args.seed,
        flush: args.flush,
      });
      problems.push(...findings.map((finding) => problemOf(file!, finding)));
      for (const { parameter, tensor, isBytes } of bindings.bound)
        if (!isBytes) buffers.set(parameter.name, tensor);
    }
  }
  show({ problems, buffers }, source, args.json, colors, output);
  if (problems.length > 0) return 1;
  for (const [name, path] of bindings?.outputs ?? [])
    writeAtomically(path, formatNpy(buffers.get(name)!));
  return 0;
}

function show(
  { problems, buffers }: Report,
  source: string,
  isJson: boolean,
  colors: Colors,
  output: Output,
): void {
  if (isJson) {
    const all = [...buffers].map(([name, tensor]) => [
      name,
      { dtype: tensor.dtype, shape: tensor.shape, data: elementsOf(tensor) },
    ]);
    output.print(JSON.stringify({ problems, buffers: Object.fromEntries(all) }));
    return;
  }
  for (const problem of problems) output.print(showProblem(problem, source, colors));
  if (problems.length > 0) return;
  for (const [name, tensor] of buffers) output.print(showTensor(name, tensor, colors));
}

/** Runs the command: its exit code. */
export async function metalSim(words: readonly string[], output: Output): Promise<number> {
  try {
    return await main(words, output);
  } catch (error) {
    if (!(error instanceof WrongUsage) && !(error instanceof FileProblem)) throw error;
    output.printError(`metal-sim: ${error.message}`);
    if (error instanceof WrongUsage) output.printError(`Try ${command} --help`);
    return 2;
  }
}
