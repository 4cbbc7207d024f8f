/**
 * AST to tensor IR, with all checks of names, types and shapes on the way. One stage for both: see
 * decisions/0001-elaborate-by-instantiation.md.
 */
import type { Diagnostic, DiagnosticSink } from '../diagnostics/diagnostic.ts';
import { nestedTooDeeply } from '../diagnostics/problems/limits.ts';
import { notAnEntry, unknownEntry, unknownFixedDim } from '../diagnostics/problems/names.ts';
import type { Span } from '../diagnostics/span.ts';
import { suggest } from '../diagnostics/suggest.ts';
import type { FunctionDeclaration, Module } from '../syntax/ast.ts';
import type { LazyModule } from '../syntax/lazy-module.ts';
import type { Entry, Program } from '../tensor-ir/program.ts';
import { checkDeclared, checkStruct, elaborateDeclared, genericReason } from './check-declared.ts';
import { checkNames } from './check-names.ts';
import { evaluateConst } from './constants.ts';
import { Elaborator } from './elaborator.ts';
import { makeEntry } from './entries.ts';
import { genericsOf } from './generics.ts';
import { FunctionTable } from './instances.ts';
import { intrinsics } from './intrinsics/index.ts';
import { checkKernel, type FindKernel } from './kernels.ts';
import {
  type LoadedModule,
  libraryModules,
  ModuleLoader,
  preludeScope,
  type Resolve,
} from './modules.ts';
import type { Scope } from './scope.ts';
import { isCompileTime } from './types.ts';

export interface ElaborateOptions {
  /** Parsed modules by specifier: `std/nn`, `./file.mlx`. */
  readonly resolve: Resolve;
  /** Modules whose exports are in scope everywhere. */
  readonly prelude: readonly LazyModule[];
  readonly sink: DiagnosticSink;
  /** Dims of the entry points with a value (`--dim B=32`); one that no entry point has is an error. */
  readonly dims?: ReadonlyMap<string, number>;
  /** Sources of the kernels of `extern` functions. */
  readonly findKernel?: FindKernel;
  /** Makes entries of these exported functions only; naming a generic one is an error. */
  readonly entries?: readonly string[];
}

/** Problems go to the sink; the program holds the entries that have none. Throws for no source. */
export function elaborate(root: Module, options: ElaborateOptions): Program<'traced'> {
  const functions = new FunctionTable();
  const problems: Diagnostic[] = [];
  const sink: DiagnosticSink = { report: (problem) => problems.push(problem) };
  const e = new Elaborator(sink, functions, options.dims ?? new Map());
  for (const module of options.prelude) functions.library.add(module.file);
  e.libraryHome = (name) =>
    libraryModules.find((module) =>
      options
        .resolve(root.file, module)
        ?.declarations.some((d) => d.isExported && d.name.text === name),
    );
  if (options.findKernel !== undefined) e.findKernel = options.findKernel;
  const loader = new ModuleLoader(e, preludeScope(intrinsics, options.prelude), options.resolve);
  const loaded = loader.load(root);
  for (const { module } of loader.loaded.values()) {
    if (module !== root && !isUserFile(module.file)) functions.library.add(module.file);
  }
  const entries = makeEntries(e, loaded, options.entries);
  const own = [...loader.loaded.values()].filter(
    ({ module: m }) => m === root || isUserFile(m.file),
  );
  for (const { module, scope } of own) checkSignatures(e, module, scope);
  for (const { module, scope } of own) checkExamples(e, module, scope);
  for (const { module, scope } of own) checkAllNames(e, module, scope);
  for (const problem of inSourceOrder(problems, root.file)) options.sink.report(problem);
  return { stage: 'traced', entries };
}

/** Entries come before the rest of a module, callees before callers: readers go from top to bottom. */
function inSourceOrder(all: readonly Diagnostic[], root: string): readonly Diagnostic[] {
  const problems = oncePerPlace(all);
  const files = [root, ...problems.map((p) => p.span.file)];
  const rank = (p: Diagnostic): number => files.indexOf(p.span.file);
  return [...problems].sort((a, b) => rank(a) - rank(b) || a.span.start - b.span.start);
}

/** A mistake in a generic function is found again for each set of types that it is called with. */
function oncePerPlace(problems: readonly Diagnostic[]): readonly Diagnostic[] {
  const seen = new Set<string>();
  return problems.filter(({ code, span }) => {
    const key = `${code} ${span.file} ${span.start} ${span.end}`;
    const isNew = !seen.has(key);
    seen.add(key);
    return isNew;
  });
}

/** Library modules are named `std/...` and checked by their own tests. */
function isUserFile(file: string): boolean {
  return !file.startsWith('std/');
}

function makeEntries(
  e: Elaborator,
  { module, scope }: LoadedModule,
  wanted: readonly string[] | undefined,
): readonly Entry[] {
  const exported = module.declarations.filter(
    (d): d is FunctionDeclaration => d.kind === 'fn' && d.isExported,
  );
  for (const declaration of exported) {
    if (wanted === undefined || wanted.includes(declaration.name.text)) e.fixed.add(declaration);
  }
  requireDims(e, module, scope);
  for (const name of wanted ?? []) {
    const found = exported.find((d) => d.name.text === name);
    const names = exported.map((d) => d.name.text);
    if (found === undefined) {
      e.error(unknownEntry(name, { ...module.span, end: module.span.start }, suggest(name, names)));
    } else {
      const reason = genericReason(e, found, scope);
      if (reason !== undefined) e.error(notAnEntry(name, reason, found.name.span));
    }
  }
  const entries: Entry[] = [];
  const names = new Set<string>();
  for (const declaration of exported) {
    const { text, span } = declaration.name;
    if (wanted !== undefined && !wanted.includes(text)) continue;
    if (names.has(text) || genericReason(e, declaration, scope) !== undefined) continue;
    names.add(text);
    const entry = withoutOverflow(e, span, () => makeEntry(e, declaration, scope));
    if (entry !== undefined) entries.push(entry);
  }
  return entries;
}

/** A dim that is fixed is one of some entry point. */
function requireDims(e: Elaborator, module: Module, scope: Scope): void {
  const known = [...e.fixed].flatMap((d) => genericsOf(d, scope).map((g) => g.name.text));
  // without entry points their absence is the problem
  if (e.fixed.size === 0) return;
  for (const name of e.dims.keys()) {
    if (known.includes(name)) continue;
    const span = { ...module.span, end: module.span.start };
    e.error(unknownFixedDim(name, span, suggest(name, known), [...new Set(known)]));
  }
}

/** Checks structs, constants, and functions at their own signature. */
function checkSignatures(e: Elaborator, module: Module, scope: Scope): void {
  for (const declaration of module.declarations) {
    const { span } = declaration.name;
    if (declaration.kind === 'const') {
      withoutOverflow(e, span, () => evaluateConst(e, { kind: 'const', declaration, scope }));
    } else if (declaration.kind === 'fn') {
      checkKernel(e, declaration, scope);
      withoutOverflow(e, span, () => {
        const isOpen = genericReason(e, declaration, scope) !== undefined;
        return isOpen ? undefined : checkDeclared(e, declaration, scope);
      });
    } else withoutOverflow(e, span, () => checkStruct(e, declaration, scope));
  }
}

/** Checks generic functions that nothing has called, at an example of their types. */
function checkExamples(e: Elaborator, module: Module, scope: Scope): void {
  for (const declaration of module.declarations) {
    if (declaration.kind !== 'fn' || e.functions.entered.has(declaration)) continue;
    if (declaration.kernel !== undefined) continue;
    if (genericReason(e, declaration, scope) === undefined || needsNumber(declaration)) continue;
    const { span } = declaration.name;
    withoutOverflow(e, span, () => elaborateDeclared(e, declaration, scope, 'canonical'));
  }
}

/** Looks for unknown names where nothing has been elaborated. */
function checkAllNames(e: Elaborator, module: Module, scope: Scope): void {
  for (const declaration of module.declarations) {
    if (declaration.kind !== 'fn') continue;
    withoutOverflow(e, declaration.name.span, () => checkNames(e, declaration, scope));
  }
}

/** A parameter that must be a known number has no example: an axis or a count decides the types. */
function needsNumber({ parameters }: FunctionDeclaration): boolean {
  return parameters.some(
    ({ type, default: fallback }) => isCompileTime(type) && fallback === undefined,
  );
}

/** The depth limits come first; should the stack end all the same, that is the user's to know, not a crash. */
function withoutOverflow<T>(e: Elaborator, span: Span, body: () => T): T | undefined {
  try {
    return body();
  } catch (problem) {
    if (!(problem instanceof RangeError) || !problem.message.includes('call stack')) throw problem;
    e.error(nestedTooDeeply(span));
    return undefined;
  }
}
