/** Runs a function of a source text: parse, elaborate, transformations, reference evaluator. */
import { Diagnostics } from '../../compiler/diagnostics/diagnostic.ts';
import { elaborate } from '../../compiler/elaborate/elaborate.ts';
import { commonSubexpressions } from '../../compiler/passes/common-subexpressions.ts';
import { deadCode } from '../../compiler/passes/dead-code.ts';
import { expandComposites } from '../../compiler/passes/expand-composites.ts';
import { simplify } from '../../compiler/passes/simplify.ts';
import type { Module } from '../../compiler/syntax/ast.ts';
import { parse } from '../../compiler/syntax/parse.ts';
import type { DType } from '../../compiler/tensor-ir/dtype.ts';
import { evaluateEntry } from '../../compiler/tensor-ir/evaluate.ts';
import { arrayOf, toNumbers } from '../../compiler/tensor-ir/nd-array.ts';
import type { Program } from '../../compiler/tensor-ir/program.ts';
import { expandTransformations } from '../../compiler/transforms/expand.ts';
import { libraryFiles, preludeOf, readLibrary } from './prelude.ts';

/** A tensor as goldens hold it: row-major. */
export interface TestTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

const library = new Map<string, Module>();

/** A module of the standard library; each is parsed once. */
function libraryModule(specifier: string): Module | undefined {
  const known = library.get(specifier);
  if (known !== undefined || !specifier.startsWith('std/')) return known;
  const file = `${specifier.slice('std/'.length)}.mlx`;
  if (!libraryFiles.includes(file)) return undefined;
  const module = parseModule(specifier, readLibrary(file));
  library.set(specifier, module);
  return module;
}

function parseModule(name: string, text: string): Module {
  const sink = new Diagnostics();
  const module = parse({ name, text }, sink);
  throwProblems(sink, text);
  return module;
}

function throwProblems(sink: Diagnostics, text: string): void {
  if (!sink.hasErrors) return;
  const lines = sink.list.map((d) => {
    const place = d.span.file.startsWith('std/') ? '' : text.slice(d.span.start, d.span.end);
    const labels = (d.labels ?? []).map((l) => `${l.text} (${l.span.file}:${l.span.start})`);
    return `${d.code} ${d.span.file}:${d.span.start}: ${d.message} [${place}] ${labels.join('; ')}`;
  });
  throw new SourceProblem(lines.join('\n'));
}

/** A source that the compiler refuses; the message holds the diagnostics. */
export class SourceProblem extends Error {}

let latest: { readonly text: string; readonly program: Program<'plain'> } | undefined;

/** The program of a source, without transformation operations. Throws when there are problems. */
export function compileSource(text: string): Program<'plain'> {
  if (latest?.text !== text) latest = { text, program: compileAnew(text) };
  return latest.program;
}

function compileAnew(text: string): Program<'plain'> {
  return expandTransformations(elaborateSource(text));
}

/** The program of a source as elaborated, with its transformations. Throws SourceProblem. */
export function elaborateSource(text: string): Program<'traced'> {
  const module = parseModule('test.mlx', text);
  const sink = new Diagnostics();
  const program = elaborate(module, {
    resolve: (_, specifier) => libraryModule(specifier),
    prelude: preludeOf(),
    sink,
  });
  throwProblems(sink, text);
  return program;
}

/** The same program with less to do, as fusion gets it. */
export function simplifyProgram(program: Program<'plain'>): Program<'plain'> {
  return [expandComposites, simplify, commonSubexpressions, deadCode].reduce(
    (p, pass) => pass.run(p),
    program,
  );
}

/** Calls an exported function on the leaves of its arguments; gives the leaves of its result. */
export function runProgram(
  program: Program<'plain'>,
  name: string,
  inputs: readonly TestTensor[],
): readonly TestTensor[] {
  const entry = program.entries.find((e) => e.name === name);
  if (entry === undefined) throw new Error(`no entry ${name}`);
  const args = inputs.map((t) => arrayOf(t.dtype, t.shape, t.data));
  return evaluateEntry(entry, args).map((x) => ({
    dtype: x.dtype,
    shape: x.shape,
    data: toNumbers(x),
  }));
}

/** Compiles and calls. */
export function runSource(
  text: string,
  name: string,
  inputs: readonly TestTensor[],
): readonly TestTensor[] {
  return runProgram(compileSource(text), name, inputs);
}
