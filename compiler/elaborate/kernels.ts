/**
 * `extern` functions: the call is one operation `extern`, which carries the kernel and, as its region, the body. Checked are
 * the signature (tensors of known dtype and rank, generic in dims only), the source and the sizes.
 */
import {
  kernelWithoutResult,
  openKernelSignature,
  openThreads,
  tooManyKernelBuffers,
  unknownKernel,
  unknownKernelFile,
  wrongAxisCount,
  wrongThreads,
} from '../diagnostics/problems/kernels.ts';
import { suggest } from '../diagnostics/suggest.ts';
import { extern } from '../primitives/extern.ts';
import { constantValue, type Int, print } from '../symbolic/integer.ts';
import type { DimExpression, FunctionDeclaration, KernelClause } from '../syntax/ast.ts';
import type { Func, Value } from '../tensor-ir/program.ts';
import { evaluateDim } from './dims.ts';
import type { Elaborator } from './elaborator.ts';
import { genericsOf } from './generics.ts';
import type { Scope } from './scope.ts';
import { isCompileTime, isDimGeneric } from './types.ts';

/** A source that the compilation knows by `name`. */
export interface KernelSource {
  readonly name: string;
  /** The kernels in it; undefined when that cannot be told. */
  readonly kernels: readonly string[] | undefined;
}

/** The source of a kernel clause in the file `importer`; undefined when there is no such file. */
export type FindKernel = (
  importer: string,
  clause: KernelClause,
  owner: string,
) => KernelSource | undefined;

const maxThreads = 1024;
/** Of Metal's 31, one is for the dims. */
const maxBuffers = 30;

/** Checks all but the sizes of the grid, which depend on dims. False after a report. */
export function checkKernel(e: Elaborator, declaration: FunctionDeclaration, home: Scope): boolean {
  const { kernel, name, result } = declaration;
  if (kernel === undefined) return true;
  const reason = openReason(declaration, home);
  if (reason !== undefined) {
    e.error(openKernelSignature(name.text, reason, name.span));
    return false;
  }
  const isUnit = result?.kind === 'tuple' && result.items.length === 0;
  if (result === undefined || isUnit) {
    e.error(kernelWithoutResult(name.text, result?.span ?? name.span));
    return false;
  }
  for (const what of ['grid', 'threads'] as const) {
    const { length } = kernel[what];
    if (length >= 1 && length <= 3) continue;
    e.error(wrongAxisCount(what, length, what === 'grid' ? kernel.gridSpan : kernel.threadsSpan));
    return false;
  }
  return findSource(e, declaration, kernel) !== undefined;
}

function openReason(declaration: FunctionDeclaration, home: Scope): string | undefined {
  for (const generic of genericsOf(declaration, home)) {
    const { text } = generic.name;
    if (generic.isShape) return `the shape \`...${text}\` is open`;
    if (!isDimGeneric(generic)) return `\`${text}\` is open`;
  }
  for (const { name, type, default: fallback } of declaration.parameters) {
    if (type.kind === 'function') return `\`${name.text}\` is a function`;
    if (isCompileTime(type)) return `\`${name.text}\` is known only when compiling`;
    const isOptional = fallback?.kind === 'name' && fallback.name.text === 'none';
    if (isOptional) return `\`${name.text}\` may be \`none\``;
  }
  return undefined;
}

function findSource(
  e: Elaborator,
  { name }: FunctionDeclaration,
  kernel: KernelClause,
): KernelSource | undefined {
  const { source, sourceSpan, language, entry } = kernel;
  const found = e.findKernel(sourceSpan.file, kernel, name.text);
  if (found === undefined) {
    const isBare = !source.startsWith('.') && /^[\w/\\.-]+$/.test(source);
    e.error(unknownKernelFile(source, sourceSpan, isBare ? `write "./${source}"` : undefined));
    return undefined;
  }
  const { text, span } = entry ?? name;
  const { kernels } = found;
  if (kernels !== undefined && !kernels.includes(text)) {
    const at = entry === undefined ? language.span : span;
    e.error(unknownKernel(text, shownSource(kernel), at, suggest(text, kernels), kernels));
    return undefined;
  }
  return found;
}

function shownSource({ source, language }: KernelClause): string {
  return source.startsWith('.') ? `"${source}"` : `the ${language.text} text`;
}

/** The call of an `extern` function whose body is `func`; undefined after a report. */
export function applyKernel(
  e: Elaborator,
  declaration: FunctionDeclaration,
  scope: Scope,
  func: Func,
  operands: readonly Value[],
): readonly Value[] | undefined {
  const kernel = declaration.kernel!;
  const source = findSource(e, declaration, kernel);
  const grid = sizes(e, kernel.grid, scope);
  const threads = threadsOf(e, kernel, scope);
  if (source === undefined || grid === undefined || threads === undefined) return undefined;
  const count = operands.length + func.results.length;
  if (count > maxBuffers) {
    e.error(tooManyKernelBuffers(count, maxBuffers, declaration.name.span));
    return undefined;
  }
  const names: string[] = [];
  const dims: Int[] = [];
  for (const { name } of genericsOf(declaration, scope)) {
    const binding = scope.find(name.text);
    if (binding?.kind !== 'generic' || binding.argument.kind !== 'dim') continue;
    names.push(name.text);
    dims.push(binding.argument.dim);
  }
  const attrs = {
    language: kernel.language.text,
    source: source.name,
    kernel: kernel.entry?.text ?? declaration.name.text,
    grid,
    threads,
    names,
    dims,
  };
  return e.builder.applyAll(extern, operands, attrs, [func], declaration.name.text);
}

function sizes(
  e: Elaborator,
  dims: readonly DimExpression[],
  scope: Scope,
): readonly Int[] | undefined {
  const found = dims.map((dim) => evaluateDim(e, dim, scope));
  return found.every((size) => size !== undefined) ? found : undefined;
}

/** The threads of a threadgroup; undefined after a report. */
function threadsOf(
  e: Elaborator,
  { threads, threadsSpan }: KernelClause,
  scope: Scope,
): readonly number[] | undefined {
  const found = sizes(e, threads, scope);
  if (found === undefined) return undefined;
  const numbers = found.map((size, i): number | undefined => {
    const value = constantValue(size);
    if (value === undefined) e.error(openThreads(print(size), threads[i]!.span));
    return value;
  });
  if (!numbers.every((n) => n !== undefined)) return undefined;
  const product = numbers.reduce((a, b) => a * b, 1);
  if (numbers.every((n) => n >= 1) && product <= maxThreads) return numbers;
  e.error(wrongThreads(product, maxThreads, threadsSpan));
  return undefined;
}
