/**
 * Kernel IR as one C translation unit: the helpers in use, then a function a kernel.
 *
 * A kernel runs the tasks `begin <= task < end` of its row-major flattened grid:
 *
 *   void mlxc_scale(void *const *buffers, const int64_t *integers, void *scratch, int64_t begin, int64_t end) {
 *     const float *const x = buffers[0];
 *     float *const y = buffers[1];
 *     const int64_t N = integers[0];
 *     for (int64_t task = begin; task < end; task++) {
 *       const int64_t row = task;
 *       #pragma omp simd
 *       for (int64_t i = 0; i < N; i++) {
 *         y[N * row + i] = x[N * row + i] * 2.0f;
 *       }
 *     }
 *   }
 *
 * Compile with the flags of runtime/compile-kernels.ts: they make integers wrap and let comparisons vectorise.
 */
import { InternalError } from '../diagnostics/internal-error.ts';
import { bindShared } from '../kernel-ir/bind-shared.ts';
import type { Kernel, Loop, Statement } from '../kernel-ir/program.ts';
import { scratchLayout } from '../kernel-ir/scratch.ts';
import { one, print } from '../symbolic/integer.ts';
import { emitIndex } from './emit-scalar.ts';
import { declareIntegers, sharedPointers, signature } from './emit-signature.ts';
import {
  emitStatements,
  type MicroKernelBlock,
  microKernelName,
  type StatementContext,
} from './emit-statement.ts';
import { KernelNames } from './names.ts';
import { level, within } from './precedence.ts';
import { unswitchLoops } from './unswitch.ts';

/** A line that starts each kernel; the runtime splits long files here to compile the parts side by side. */
export const kernelMarker = '// kernel ';

/** `helpers` gives the text of a file in to-c/helpers by its name, such as `exponential.h`. */
export function printC(kernels: readonly Kernel[], helpers: (name: string) => string): string {
  const headers = new Set<string>(['types.h', 'arithmetic.h']);
  const blocks = new Map<string, MicroKernelBlock>();
  const functions = kernels.map((kernel) => printKernel(kernel, headers, blocks));
  if (blocks.size > 0) headers.add('micro-kernel.h');
  const parts = [...includeHelpers([...headers].sort(), helpers)];
  if (blocks.size > 0) {
    parts.push(
      [...blocks.values()]
        .map(
          (b) => `DEFINE_MICRO_KERNEL(${microKernelName(b)}, ${b.dtype}, ${b.rows}, ${b.columns})`,
        )
        .join('\n'),
    );
  }
  return `${[...parts, ...functions].join('\n\n')}\n`;
}

/** The text of the headers and of those they include, each once, in an order in which they compile. */
function includeHelpers(names: readonly string[], helpers: (name: string) => string): string[] {
  const texts = new Map<string, string>();
  const include = (name: string): void => {
    if (texts.has(name)) return;
    texts.set(name, '');
    const body = helpers(name).replace(/^#include "([^"]+)"\n/gm, (_, inner: string) => {
      include(inner);
      return '';
    });
    texts.delete(name);
    texts.set(name, body.replace(/^#pragma once\n/m, '').trim());
  };
  include('types.h');
  for (const name of names) include(name);
  return [...texts.values()];
}

function printKernel(
  source: Kernel,
  headers: Set<string>,
  blocks: Map<string, MicroKernelBlock>,
): string {
  const kernel = bindShared(unswitchLoops(source));
  const names = new KernelNames();
  const integers = declareIntegers(kernel, names);
  const pointers = sharedPointers(kernel, names);
  const context: StatementContext = {
    kernel,
    names,
    need: (header) => headers.add(header),
    scratch: scratchLayout(kernel),
    accumulators: new Map(),
    ordered: new Map(),
    integerTables: integers.tables,
    needMicroKernel: (block) => blocks.set(microKernelName(block), block),
  };
  const body = emitBody(kernel, context);
  const used = keepUsed(integers.lines, body);
  const lines = [
    `${kernelMarker}${kernel.about.summary.replace(/\s+/g, ' ')}`,
    `// ${kernel.about.schedule}; moves at least ${print(kernel.about.bytes)} bytes, ${print(kernel.about.flops)} flops`,
    `${signature(kernel)} {`,
    ...pointers.map((line) => `  ${line}`),
    ...used.map((line) => `  ${line}`),
    ...body.map((line) => `  ${line}`),
    '}',
  ];
  return lines.join('\n');
}

/** The name in `const int64_t NAME = ...` or `const int64_t *const NAME = ...`. */
function declaredName(line: string): string {
  return /(\w+)(\[\])? = /.exec(line)?.[1] ?? '';
}

/** The declarations whose names occur in a later declaration that is kept, or in the body. */
function keepUsed(declarations: readonly string[], body: readonly string[]): readonly string[] {
  const words = new Set(body.join('\n').match(/\w+/g));
  const kept: string[] = [];
  for (const line of [...declarations].reverse()) {
    if (!words.has(declaredName(line))) continue;
    kept.unshift(line);
    for (const word of line.match(/\w+/g) ?? []) words.add(word);
  }
  return kept;
}

/** Statements before the grid loops run once a call; then the task loop decodes the grid variables. */
function emitBody(kernel: Kernel, context: StatementContext): string[] {
  const first = kernel.body.findIndex(isGridLoop);
  if (first < 0) {
    const body = emitStatements(kernel.body, '', context);
    return ['(void)begin, (void)end;', ...body];
  }
  if (kernel.body.length > first + 1) {
    throw new InternalError('statements after the grid loops', kernel.name);
  }
  const loop = kernel.body[first] as Loop;
  const before = emitStatements(kernel.body.slice(0, first), '', context);
  const decoded = decodeTask(gridLoops(loop), context);
  const inner = emitStatements([loop], '  ', context);
  const used = keepUsed(decoded, inner);
  return [
    ...before,
    'for (int64_t task = begin; task < end; task++) {',
    ...used.map((line) => `  ${line}`),
    ...inner,
    '}',
  ];
}

function isGridLoop(statement: Statement): statement is Loop {
  return statement.kind === 'loop' && statement.placement === 'grid';
}

function gridLoops(outermost: Loop): readonly Loop[] {
  const inner = outermost.body.find(isGridLoop);
  return inner === undefined ? [outermost] : [outermost, ...gridLoops(inner)];
}

/** The variables of the grid loops from the row-major flattened task number. */
function decodeTask(loops: readonly Loop[], context: StatementContext): string[] {
  const lines: string[] = [];
  let rest = 'task';
  const live = loops.filter((loop) => loop.extent !== one);
  for (const loop of loops) {
    if (loop.extent === one) lines.push(declare(loop, '0', context));
  }
  for (let i = live.length - 1; i >= 0; i--) {
    const loop = live[i]!;
    if (i === 0) {
      lines.push(declare(loop, rest, context));
      break;
    }
    const extent = within(emitIndex(loop.extent, context), level.unary);
    lines.push(declare(loop, `${rest} % ${extent}`, context));
    if (i > 1) {
      const outer = context.names.fresh(`outer_${i}`);
      lines.push(`const int64_t ${outer} = ${rest} / ${extent};`);
      rest = outer;
    } else rest = `${rest} / ${extent}`;
  }
  return lines;
}

function declare(loop: Loop, value: string, context: StatementContext): string {
  return `const int64_t ${context.names.integer(loop.variable)} = ${value};`;
}
