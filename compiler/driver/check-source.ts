/** The front of the compiler: parsing, names, types, shapes, and whether the derivatives asked for exist. */
import { MlxcError } from '../../runtime/errors.ts';
import { type Diagnostic, Diagnostics } from '../diagnostics/diagnostic.ts';
import { elaborate } from '../elaborate/elaborate.ts';
import type { KernelClause, Module } from '../syntax/ast.ts';
import { findUnused } from '../syntax/find-unused.ts';
import { printProgram } from '../tensor-ir/print.ts';
import type { Func, Program } from '../tensor-ir/program.ts';
import { verifyProgram } from '../tensor-ir/verify.ts';
import { expandTransformations } from '../transforms/expand.ts';
import { TransformProblem } from '../transforms/problem.ts';
import { type Source, SourceTree } from './front-end.ts';
import type { CompilerHost, Target } from './host.ts';
import type { KernelSource } from './kernel-sources.ts';
import { type Inspection, StageRunner, type StageTiming } from './stage-runner.ts';

export interface CheckOptions {
  /** Reads imports, the standard library and helper files. */
  readonly host: CompilerHost;
  /** Devices to build for; both by default. */
  readonly targets?: readonly Target[];
  /** Dims to fix, by the name they have in the signatures: `{ B: 32 }`. */
  readonly dims?: Readonly<Record<string, number>>;
  /** Names of the exported functions to build; all by default. */
  readonly entries?: readonly string[];
  /** Checks the invariants of the IR after each stage. */
  readonly verify?: boolean;
  /** `all` or the name of a stage: its result goes to `host.dump`. */
  readonly dump?: string;
}

/** What every result has: the texts that diagnostics point into, by file, and the time of each stage. */
export interface Report {
  readonly sources: ReadonlyMap<string, string>;
  readonly timings: readonly StageTiming[];
}

export interface CompileFailure extends Report {
  readonly ok: false;
  /** Errors and warnings, in the order in which they were found; at least one error. */
  readonly diagnostics: readonly Diagnostic[];
}

/** A program that passed all checks. */
export interface CheckedProgram extends Report {
  readonly ok: true;
  readonly module: Module;
  /** As elaborated, with its transformations. */
  readonly traced: Program<'traced'>;
  /** With the transformations expanded. */
  readonly plain: Program<'plain'>;
  readonly warnings: readonly Diagnostic[];
  /** The sources of `extern` functions by name. */
  readonly kernels: ReadonlyMap<string, KernelSource>;
}

/** How programs are printed and verified between stages. */
export const inspectProgram: Inspection<Program> = { show: printProgram, verify: verifyProgram };

/** Parses and checks a source. Never throws for a mistake in it; MLX5120 when a dim of the options is no size. */
export function checkSource(
  source: Source,
  options: CheckOptions,
): CheckedProgram | CompileFailure {
  return checkWith(source, options, makeRunner(options));
}

export function makeRunner(options: CheckOptions): StageRunner {
  const { host, verify = false, dump } = options;
  return new StageRunner({
    verify,
    dump,
    print: (stage, text) => host.dump?.(stage, text),
    now: () => host.now?.() ?? 0,
  });
}

export function checkWith(
  source: Source,
  options: CheckOptions,
  runner: StageRunner,
): CheckedProgram | CompileFailure {
  checkDims(options.dims ?? {});
  const sink = new Diagnostics();
  const tree = new SourceTree(options.host, sink);
  const report: Report = { sources: tree.texts, timings: runner.timings };
  const fail = (): CompileFailure => ({ ok: false, diagnostics: sink.inReadingOrder(), ...report });
  const module = runner.run('parse', () => tree.root(source));
  if (module === undefined) {
    sink.report(missingSource(source));
    return fail();
  }
  const prelude = runner.run('parse prelude', () => tree.prelude());
  const elaborateOptions = {
    resolve: (importer: string, specifier: string) => tree.resolve(importer, specifier),
    prelude,
    sink,
    findKernel: (importer: string, clause: KernelClause, owner: string) =>
      tree.kernels.find(importer, clause, owner),
    dims: new Map(Object.entries(options.dims ?? {})),
    ...(options.entries === undefined ? {} : { entries: options.entries }),
  };
  const traced = runner.run('elaborate', () => elaborate(module, elaborateOptions), inspectProgram);
  if (sink.hasErrors) return fail();
  for (const warning of findUnused(module)) sink.report(warning);
  let plain: Program<'plain'>;
  try {
    plain = runner.run('expand', () => expandTransformations(traced), inspectProgram);
  } catch (error) {
    if (!(error instanceof TransformProblem)) throw error;
    sink.report(transformDiagnostic(error, module));
    return fail();
  }
  if (options.targets?.includes('metal') === true) refuseDoubles(plain, module, sink);
  if (sink.hasErrors) return fail();
  const warnings = sink.inReadingOrder();
  return { ok: true, module, traced, plain, warnings, kernels: tree.kernels.all, ...report };
}

/** Dims come from the caller, not from the source, so that a wrong one is an exception: MLX5120. */
function checkDims(dims: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(dims)) {
    if (Number.isSafeInteger(value) && value >= 0) continue;
    throw new MlxcError('MLX5120', `the dim ${name} is ${value}`, 'a dim is a whole number from 0');
  }
}

function missingSource(source: Source): Diagnostic {
  const file = typeof source === 'object' && 'path' in source ? source.path : '';
  return {
    code: 'MLX5001',
    severity: 'error',
    message: `no such file: ${file}`,
    span: { file, start: 0, end: 0 },
  };
}

/** A derivative or batch that does not exist shows only when transformations are expanded. */
function transformDiagnostic(problem: TransformProblem, module: Module): Diagnostic {
  return {
    code: 'MLX3108',
    severity: 'error',
    message: problem.message,
    span: problem.span ?? { file: module.file, start: 0, end: 0 },
  };
}

/** Metal has no f64: the first place of each entry that uses it. */
function refuseDoubles(program: Program<'plain'>, module: Module, sink: Diagnostics): void {
  const whole = { file: module.file, start: 0, end: 0 };
  for (const entry of program.entries) {
    const span = findDouble(entry.func);
    if (span === undefined) continue;
    sink.report({
      code: 'MLX4001',
      severity: 'error',
      message: `\`${entry.name}\` computes in f64, which Metal does not have`,
      span: span ?? entry.span ?? whole,
      hint: 'use f32, or build with `--target cpu`',
    });
  }
}

/** The span of the first f64 value: undefined when there is none, null when it has no place. */
function findDouble(func: Func): Diagnostic['span'] | null | undefined {
  if (func.parameters.some((p) => p.type.dtype === 'f64')) return null;
  for (const op of func.body) {
    if (op.results.some((r) => r.type.dtype === 'f64')) return op.span ?? null;
    for (const region of op.regions) {
      const found = findDouble(region);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}
