/**
 * From Metal source to a shared library that the engine can run: preprocess, check, translate, compile, link. Errors are those that a
 * Metal compiler would give, with the lines of the source.
 */
import { spawnSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkLanguage } from '../../metal-check/language.ts';
import { analyse, type Structure } from '../../metal-check/structure.ts';
import { type Token, tokenize } from '../../metal-check/tokens.ts';
import { sourceColumn } from './edit.ts';
import { entryText, tableText } from './entries.ts';
import { mixedMessage, operatorToken } from './mixed.ts';
import { temporaryMessage } from './temporaries.ts';
import {
  type ConstantValues,
  type FunctionConstant,
  type TranslatedKernel,
  TranslationProblem,
  translateMetal,
} from './translate.ts';

export interface MetalError {
  /** The name that a `#line` of the source gives to its lines; absent for the source's own. */
  readonly file?: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

export interface CompiledMetal {
  readonly errors: readonly MetalError[];
  readonly kernels: readonly TranslatedKernel[];
  readonly constants: readonly FunctionConstant[];
  /** The path of the shared library. */
  readonly library?: string;
}

export interface CompileOptions {
  /** As `__METAL_VERSION__` has it: 310 when absent. */
  readonly language?: number;
  /** Macros and their values, as for `-D`. */
  readonly macros?: ReadonlyMap<string, string>;
  readonly constants?: ConstantValues;
  /** Without hooks at accesses: fast, and nothing is found. */
  readonly unchecked?: boolean;
  /** Whether products and sums may be fused: safe when absent. Metal's own default is fast. */
  readonly math?: 'safe' | 'fast';
  /** Which variant plain `exp(float)` calls; when absent, that of `math`. */
  readonly functions?: 'precise' | 'fast';
  /** False for libraries that are compiled once and run on a few numbers, where the compiler takes most of the time; $METAL_SIM_OPTIMIZE when absent. */
  readonly isOptimised?: boolean;
}

const clang = 'clang-19';
const include = fileURLToPath(new URL('../include', sourceFolder()));

/** This file's folder in the sources, whether it runs from there or from dist. */
function sourceFolder(): string {
  const here = import.meta.url;
  return here.replace('/dist/tools/', '/tools/');
}

const language: readonly string[] = [
  '-x',
  'clcpp',
  '-cl-std=clc++2021',
  '-cl-no-stdinc',
  '-Xclang',
  '-cl-ext=-__opencl_c_pipes,-__opencl_c_device_enqueue,+cl_khr_fp16,+__cl_clang_function_pointers,+__cl_clang_bitfields',
  '-cl-single-precision-constant',
  '-target',
  `${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`,
  '-ferror-limit=0',
  '-fno-caret-diagnostics',
  '-fbracket-depth=1024',
  // float to int truncates, saturates, and makes 0 of NaN; bfloat is rounded after each operation; integers wrap
  '-fno-strict-float-cast-overflow',
  '-Xclang',
  '-fbfloat16-excess-precision=none',
  '-fwrapv',
  // a call of the engine comes back into the function that the source has it in
  '-fno-optimize-sibling-calls',
  '-Wimplicit-float-conversion',
  '-Wno-unknown-attributes',
  '-Wno-ignored-attributes',
  '-Wno-unknown-pragmas',
  '-Wno-duplicate-decl-specifier',
];

/** Every access is a call of the engine; nothing else of the sanitizer is wanted. */
const hooks: readonly string[] = [
  '-fsanitize=kernel-address,array-bounds,integer-divide-by-zero',
  '-ftrivial-auto-var-init=pattern',
  ...[
    '-asan-instrumentation-with-call-threshold=0',
    '-asan-stack=0',
    '-asan-globals=0',
    '-asan-opt-same-temp=0',
    '-asan-kernel-mem-intrinsic-prefix=1',
  ].flatMap((option) => ['-mllvm', option]),
];

/** The name that lines of the source have, in messages and in debug information. */
export const sourceName = 'program_source';

/**
 * Compiles `source`; the library is there only when there are no errors. Libraries are kept in a cache by the hash of source, options
 * and simulator, so that the same source is compiled once; errors are not kept.
 */
export function compileMetal(source: string, options: CompileOptions = {}): CompiledMetal {
  const base = join(cacheFolder(), cacheKey(source, options));
  const library = `${base}.so`;
  const known = `${base}.json`;
  if (existsSync(known))
    return { ...(JSON.parse(readFileSync(known, 'utf8')) as CompiledMetal), library };
  const own = `${base}.${randomUUID()}`;
  const result = compileTo(source, own, options);
  if (result.errors.length > 0) return result;
  writeFileSync(`${own}.json`, JSON.stringify(result));
  renameSync(own, library);
  renameSync(`${own}.json`, known);
  return { ...result, library };
}

function isOptimised({
  isOptimised = process.env['METAL_SIM_OPTIMIZE'] !== '0',
}: CompileOptions): boolean {
  return isOptimised;
}

/** Without optimisation, clang 19 selects instructions by a fast way that takes a returned bfloat for a float. */
function optimisation({ tokens }: Structure, options: CompileOptions): readonly string[] {
  if (isOptimised(options)) return ['-O1'];
  const hasBfloat = tokens.some((t) => /^(?:packed_|simdgroup_)?bfloat/.test(t.text));
  return hasBfloat ? ['-O0', '-mllvm', '-fast-isel=false'] : ['-O0'];
}

function cacheFolder(): string {
  const folder =
    process.env['METAL_SIM_CACHE'] ??
    fileURLToPath(new URL('../../../build/metal-sim-cache/', sourceFolder()));
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** Compiles without the cache; the library, if there is one, is at `out`. */
export function compileTo(source: string, out: string, options: CompileOptions): CompiledMetal {
  const folder = mkdtempSync(join(tmpdir(), 'metal-sim-'));
  try {
    const file = join(folder, 'source.metal');
    writeFileSync(file, source);
    const preprocessed = run([
      '-E',
      '-x',
      'c++',
      '-std=c++17',
      '-undef',
      '-nostdinc',
      '-nostdinc++',
      `-I${join(include, 'preprocess')}`,
      `-D__METAL_VERSION__=${languageOf(options)}`,
      ...[...(options.macros ?? [])].map(([name, value]) => `-D${name}=${value}`),
      '-include',
      join(include, 'metal_predefined.h'),
      file,
    ]);
    const early = errorsIn(preprocessed.stderr, /source\.metal$/);
    if (preprocessed.status !== 0) {
      const other = { line: 0, column: 0, message: preprocessed.stderr.trim() };
      return { errors: early.length > 0 ? early : [other], kernels: [], constants: [] };
    }
    const { text, names } = onlySource(preprocessed.stdout, file);
    const structure = analyse(sourceTokens(text));
    const refused = checkLanguage(structure, languageOf(options));
    if (refused.length > 0) return { errors: refused, kernels: [], constants: [] };
    const flags = [
      ...language,
      ...[...optimisation(structure, options), '-gline-tables-only', '-fPIC', `-I${include}`],
      `-D__METAL_VERSION__=${languageOf(options)}`,
      ...mathFlags(options),
      ...(options.unchecked ? [] : hooks),
    ];
    // tables of lines alone give functions the name of their file, whatever `#line` says
    const unit = join(folder, sourceName);
    const object = join(folder, 'kernels.o');
    const wider = new Set<number>();
    let areTemporariesBound = false;
    // what was found while members were forwarded to
    let forwarded: readonly MetalError[] | undefined;
    let translation: ReturnType<typeof translateMetal>;
    for (;;) {
      try {
        translation = translateMetal(text, structure, options.constants ?? new Map(), {
          wider,
          areTemporariesBound,
          isForwarding: forwarded === undefined,
        });
      } catch (problem) {
        if (!(problem instanceof TranslationProblem)) throw problem;
        const error = { line: problem.line, column: 1, message: problem.message };
        return { errors: [error], kernels: [], constants: [] };
      }
      const { edited, constants } = translation;
      const unitText = `#line 1 "${sourceName}"\n${edited.text}\n${entryText(translation.kernels)}`;
      writeFileSync(unit, unitText);
      const pch = ['-include-pch', precompiled(flags)];
      const compiled = run([...flags, ...pch, '-c', unit, '-o', object]);
      const errors = errorsIn(compiled.stderr, names).map((e) => ({
        ...e,
        column: sourceColumn(edited, e.line, e.column),
        message: asMetal(e.message),
      }));
      const known = wider.size;
      for (const { message, line, column } of errors) {
        const at = mixedMessage.test(message)
          ? operatorToken(structure.tokens, line, column)
          : undefined;
        if (at !== undefined) wider.add(at);
      }
      if (wider.size > known) continue;
      if (!areTemporariesBound && errors.length > 0 && temporaryMessage.test(compiled.stderr)) {
        areTemporariesBound = true;
        continue;
      }
      if (errors.length > 0 && translation.isForwarding && !errors.some(isOfSpace)) {
        forwarded = errors;
        areTemporariesBound = false;
        continue;
      }
      if (errors.length > 0) return { errors: forwarded ?? errors, kernels: [], constants };
      // first: clang itself fails over some of these
      const mixed = mixedFloats(structure, edited.text, folder, flags);
      if (mixed.length > 0) return { errors: mixed, kernels: [], constants };
      if (compiled.status === 0) break;
      const message = compiled.stderr.trim();
      return { errors: [{ line: 0, column: 0, message }], kernels: [], constants };
    }
    const { kernels, constants } = translation;
    const tables = join(folder, 'tables.c');
    writeFileSync(tables, tableText(kernels));
    const tablesObject = join(folder, 'tables.o');
    const tabled = run(['-c', '-fPIC', `-I${include}`, tables, '-o', tablesObject]);
    if (tabled.status !== 0) throw new Error(`the tables do not compile:\n${tabled.stderr}`);
    mkdirSync(dirname(out), { recursive: true });
    const linked = runProgram('ld', ['-shared', tablesObject, object, '-o', out, ...libraries()]);
    if (linked.status !== 0) throw new Error(`the library does not link:\n${linked.stderr}`);
    return { errors: [], kernels, constants };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function languageOf({ language = 310 }: CompileOptions): number {
  return language;
}

function mathFlags({ math, functions }: CompileOptions): readonly string[] {
  const isFast = functions === undefined ? math === 'fast' : functions === 'fast';
  return [
    math === 'fast' ? '-ffp-contract=on' : '-ffp-contract=off',
    ...(isFast ? ['-DMETAL_SIM_FAST'] : []),
  ];
}

let systemLibraries: readonly string[] | undefined;

/**
 * build/libmetal_sim.so, which holds what compiled kernels call, the mathematics of C, and the conversions of halfs that a compiler
 * leaves to its run-time library. Their places are asked for once: ld by itself takes half the time of clang that calls it.
 */
function libraries(): readonly string[] {
  const build = fileURLToPath(new URL('../../../build/', sourceFolder()));
  systemLibraries ??= ['-print-file-name=libm.so.6', '-print-libgcc-file-name'].map((question) =>
    run([question]).stdout.trim(),
  );
  return [`-L${build}`, '-lmetal_sim', '-rpath', build, ...systemLibraries];
}

/** What compiled code depends on besides its source: headers, translation, compiler. */
let simulator: string | undefined;

function simulatorHash(): string {
  if (simulator !== undefined) return simulator;
  const hash = createHash('sha256').update(run(['--version']).stdout);
  // the code that runs, which may be what was built before the sources changed
  const here = fileURLToPath(new URL('./', import.meta.url));
  for (const folder of [include, join(include, 'sim'), here, join(here, '../../metal-check')]) {
    for (const entry of readdirSync(folder, { withFileTypes: true }).sort(byName)) {
      if (entry.isFile()) hash.update(entry.name).update(readFileSync(join(folder, entry.name)));
    }
  }
  simulator = hash.digest('hex');
  return simulator;
}

/** The library's headers, read once for each set of flags: most of the time of a small source otherwise. */
function precompiled(flags: readonly string[]): string {
  // checked by their sizes, not their times: the key holds what they say
  const emit = [...flags, '-Xclang', '-emit-pch', '-Xclang', '-fno-pch-timestamp'];
  const key = createHash('sha256').update(simulatorHash()).update(emit.join('\0')).digest('hex');
  const path = join(cacheFolder(), `headers-${key.slice(0, 16)}.pch`);
  if (existsSync(path)) return path;
  const own = `${path}.${randomUUID()}`;
  const made = run([...emit, '-c', join(include, 'metal_sim_headers.clcpp'), '-o', own]);
  if (made.status !== 0) throw new Error(`the headers do not compile:\n${made.stderr}`);
  renameSync(own, path);
  return path;
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1;
}

/** A key under which the result of compiling may be kept. */
export function cacheKey(source: string, options: CompileOptions): string {
  const hash = createHash('sha256').update(simulatorHash()).update('\0').update(source);
  hash.update(
    JSON.stringify([
      [...(options.constants ?? [])],
      languageOf(options),
      [...(options.macros ?? [])],
      options.unchecked,
      mathFlags(options),
      isOptimised(options),
    ]),
  );
  return hash.digest('hex').slice(0, 32);
}

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(args: readonly string[]): Ended {
  return runProgram(clang, args);
}

function runProgram(program: string, args: readonly string[]): Ended {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (error !== undefined) throw new Error(`cannot run ${program}: ${error.message}`);
  return { status, stdout, stderr };
}

/** Tokens with the lines of the source, as the markers of the preprocessor give them. */
function sourceTokens(text: string): readonly Token[] {
  let shift = 0;
  return tokenize(text).map((token) => {
    const marker = token.kind === 'directive' ? /^#line (\d+)/.exec(token.text) : null;
    if (marker !== null) shift = Number(marker[1]) - token.line - 1;
    return { ...token, line: token.line + shift };
  });
}

const spaceNames: ReadonlyMap<string, string> = new Map([
  ['__global_device', 'device'],
  ['__global_host', 'constant'],
  ['__global', 'device'],
  ['__local', 'threadgroup'],
  ['__private', 'thread'],
  ['__generic', 'generic'],
  ['__bf16', 'bfloat'],
]);

/** A message of clang in Metal's words. */
function asMetal(message: string): string {
  return message
    .replace(/const (__global_host)\b/g, '$1')
    .replace(/(\w+) __attribute__\(\(ext_vector_type\((\d)\)\)\)/g, '$1$2')
    .replace(/metal_sim_bools<(\d)>/g, 'bool$1')
    .replace(/\b__\w+\b/g, (word) => spaceNames.get(word) ?? word);
}

/**
 * Leaves out what comes from headers; markers of lines stay, under the name of the source or the one that a `#line` of its own
 * gives. Markers of headers carry a flag: 1 where one begins, 2 where its includer goes on.
 */
function onlySource(text: string, file: string): { text: string; names: ReadonlySet<string> } {
  let depth = 0;
  let isOurs = false;
  const names = new Set([sourceName]);
  const lines: string[] = [];
  for (const line of text.split('\n')) {
    const marker = /^# (\d+) "([^"]*)"(?: (\d))?/.exec(line);
    if (marker === null) {
      if (isOurs) lines.push(line);
      continue;
    }
    const [, at, name, flag] = marker;
    if (flag === '1') depth++;
    if (flag === '2') depth--;
    isOurs = depth === 0 && !name!.startsWith('<');
    if (!isOurs) continue;
    const shown = name === file ? sourceName : name!;
    names.add(shown);
    lines.push(`#line ${at} "${shown}"`);
  }
  return { text: lines.join('\n'), names };
}

/** Clang lets bfloat become half by itself, and Metal does not: looked for in the syntax tree of sources that have both. */
function mixedFloats(
  { tokens }: Structure,
  text: string,
  folder: string,
  flags: readonly string[],
): readonly MetalError[] {
  const has = (word: RegExp): boolean => tokens.some((t) => word.test(t.text));
  if (!has(/^(?:packed_)?half[234]?$/) || !has(/^(?:packed_)?bfloat[234]?$/)) return [];
  const unit = join(folder, 'mixed.clcpp');
  const name = 'metal_sim_source';
  writeFileSync(
    unit,
    `#include <metal_stdlib>\nnamespace ${name} {\n#line 1 "${sourceName}"\n${text}\n}\n`,
  );
  const dump = ['-fsyntax-only', '-Xclang', '-ast-dump', '-Xclang', `-ast-dump-filter=${name}`];
  const errors: MetalError[] = [];
  let line = 0;
  let isOurs = true;
  let isCast = false;
  for (const node of run([...flags, ...dump, unit]).stdout.split('\n')) {
    // a place leaves out what is as in the place before
    const places = node.matchAll(/(?:\bline|([\w./-]+)):(\d+):\d+/g);
    let isFirst = true;
    const start = { line, isOurs };
    for (const [, file, number] of places) {
      if (file !== undefined) isOurs = file === sourceName;
      line = Number(number);
      if (isFirst && /<(?:line|[\w./-]+):\d+:\d+/.test(node))
        Object.assign(start, { line, isOurs });
      isFirst = false;
    }
    if (isCast && start.isOurs && /'(?:bfloat'|__bf16')/.test(node)) {
      const message = "'half' and 'bfloat' cannot be mixed without a cast";
      errors.push({ line: start.line, column: 1, message });
    }
    isCast = /ImplicitCastExpr .*'half' <FloatingCast>/.test(node);
  }
  return errors;
}

/** Of a member called on an object that it is not for. */
function isOfSpace({ message }: MetalError): boolean {
  return /deleted (?:member function|operator|function)/.test(message);
}

/** Only integers become a bfloat without a cast. */
const narrowing =
  /^implicit conversion loses floating-point precision: .*to '(?:__private )?(?:bfloat|__bf16)'/;

/** Errors of clang whose file fits; an error inside of a header belongs to the line that a note below it names. */
function errorsIn(stderr: string, files: RegExp | ReadonlySet<string>): readonly MetalError[] {
  const errors: MetalError[] = [];
  let pending: string | undefined;
  for (const line of stderr.split('\n')) {
    const match = /^(.*?):(\d+):(\d+): (?:fatal )?(error|note|warning): (.*)$/.exec(line);
    if (match === null) continue;
    const [, name, at, column, severity, message] = match;
    const isOurs = files instanceof RegExp ? files.test(name!) : files.has(name!);
    const file = files instanceof RegExp || name === sourceName ? {} : { file: name! };
    if (severity === 'error' || (severity === 'warning' && narrowing.test(message!))) {
      pending = isOurs ? undefined : message;
      if (isOurs) {
        errors.push({ ...file, line: Number(at), column: Number(column), message: message! });
      }
    } else if (severity === 'note' && isOurs && pending !== undefined) {
      errors.push({ ...file, line: Number(at), column: Number(column), message: pending });
      pending = undefined;
    }
  }
  return errors;
}
