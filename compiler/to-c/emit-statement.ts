/** Statements of kernel IR as C. */
import { InternalError, unreachable } from '../diagnostics/internal-error.ts';
import type { Kernel, Loop, Monoid, Statement } from '../kernel-ir/program.ts';
import type { ScratchLayout } from '../kernel-ir/scratch.ts';
import { constantValue, type Int, one } from '../symbolic/integer.ts';
import type { DType } from '../tensor-ir/dtype.ts';
import { emitPairReduction } from './emit-pair-reduction.ts';
import { emitIndex, emitScalar, emitStored, type ScalarContext } from './emit-scalar.ts';
import { segmentPointers } from './emit-signature.ts';
import { newCandidate, type OrderedReduction, orderedReductions } from './ordered-reduction.ts';
import { level, within } from './precedence.ts';
import { storageType, valueType } from './types.ts';

export interface StatementContext extends ScalarContext {
  readonly kernel: Kernel;
  readonly scratch: ScratchLayout;
  /** The dtype of each accumulator declared so far. */
  readonly accumulators: Map<string, DType>;
  /** Reductions that run over integers of the same order, by accumulator, and the C name of the integer. */
  readonly ordered: Map<string, OrderedReduction & { readonly integer: string }>;
  /** The array that holds consecutive integers of the kernel, see emit-signature.ts. */
  readonly integerTables: ReadonlyMap<string, string>;
  /** Told each register block in use. */
  readonly needMicroKernel: (block: MicroKernelBlock) => void;
}

export interface MicroKernelBlock {
  readonly dtype: 'f32' | 'f64';
  readonly rows: number;
  readonly columns: number;
}

export function microKernelName({ dtype, rows, columns }: MicroKernelBlock): string {
  return `micro_kernel_${dtype}_${rows}x${columns}`;
}

/** The lines of a statement list, indented by `indent`. */
export function emitStatements(
  statements: readonly Statement[],
  indent: string,
  context: StatementContext,
): string[] {
  return statements.flatMap((s) => emitStatement(s, context).map((line) => indent + line));
}

function emitStatement(statement: Statement, context: StatementContext): string[] {
  const { names } = context;
  const integer = (value: Int): string => emitIndex(value, context).text;
  switch (statement.kind) {
    case 'loop':
      return emitLoop(statement, context);
    case 'let': {
      const value = emitScalar(statement.value, context).text;
      const type = valueType(statement.value.dtype);
      return [`const ${type} ${names.value(statement.name)} = ${value};`];
    }
    case 'let-index': {
      context.need('index.h');
      const value = emitScalar(statement.value, context).text;
      const clamp = statement.value.dtype === 'u64' ? 'clamp_index_u64' : 'clamp_index_i64';
      const index = `${clamp}(${value}, ${integer(statement.extent)})`;
      return [`const int64_t ${names.integer(statement.name)} = ${index};`];
    }
    case 'let-integer':
      return [`const int64_t ${names.integer(statement.name)} = ${integer(statement.value)};`];
    case 'accumulator': {
      context.accumulators.set(statement.name, statement.dtype);
      const value = emitScalar(statement.initial, context).text;
      return [`${valueType(statement.dtype)} ${names.value(statement.name)} = ${value};`];
    }
    case 'assign':
      return [emitOrderedAssign(statement, context) ?? emitPlainAssign(statement, context)];
    case 'allocate':
      return [emitAllocate(statement.buffer, context)];
    case 'store': {
      const { buffer } = statement;
      const value = emitStored(buffer.dtype, statement.value, context);
      return [`${names.buffer(buffer)}[${integer(statement.index)}] = ${value.text};`];
    }
    case 'if':
      return emitIf(statement, context);
    case 'locate-segment':
      return emitLocateSegment(statement, context);
    case 'micro-kernel':
      return emitMicroKernel(statement, context);
    case 'sort-pairs': {
      context.need('sort.h');
      const { keys, values, spareKeys, spareValues, count } = statement;
      const buffers = [keys, values, spareKeys, spareValues].map((b) => names.buffer(b));
      return [`sort_pairs_${keys.dtype}(${[...buffers, integer(count)].join(', ')});`];
    }
    case 'barrier':
      return []; // one thread runs a whole task
    case 'simd-reduce':
    case 'matrix-declare':
    case 'matrix-load':
    case 'matrix-multiply-accumulate':
    case 'matrix-store':
      throw new InternalError(`${statement.kind} has no meaning on the CPU`, context.kernel.name);
    default:
      return unreachable(statement);
  }
}

type Assign = Extract<Statement, { kind: 'assign' }>;

function emitPlainAssign({ name, value }: Assign, context: StatementContext): string {
  return emitAssign(context.names.value(name), emitScalar(value, context).text);
}

/** `largest = max(largest, x)` where a loop reduces over the order of `largest`; undefined elsewhere. */
function emitOrderedAssign(statement: Assign, context: StatementContext): string | undefined {
  const reduction = context.ordered.get(statement.name);
  if (reduction === undefined) return undefined;
  const { monoid, dtype, order, integer } = reduction;
  const candidate = newCandidate(statement, monoid);
  if (candidate === undefined) throw new InternalError(`${statement.name} is no ${monoid}`);
  const value = emitScalar(candidate, context).text;
  return `${integer} = ${monoid}_${order}(${integer}, order_${monoid}_${dtype}(${value}));`;
}

/** `s = s + x` reads better as `s += x`. */
function emitAssign(name: string, value: string): string {
  const prefix = `${name} + `;
  return value.startsWith(prefix) &&
    !value.slice(prefix.length).includes(' - ') &&
    !value.includes('?')
    ? `${name} += ${value.slice(prefix.length)};`
    : `${name} = ${value};`;
}

function emitLoop(loop: Loop, context: StatementContext): string[] {
  const variable = context.names.integer(loop.variable);
  const extent = emitIndex(loop.extent, context).text;
  switch (loop.placement) {
    case 'grid':
      return emitStatements(loop.body, '', context); // decoded at the top of the task loop
    case 'threads':
    case 'simdgroups':
    case 'lanes':
      throw new InternalError(`a loop over ${loop.placement} on the CPU`, context.kernel.name);
    case 'serial':
    case 'unroll':
    case 'vector':
      break;
    default:
      return unreachable(loop.placement);
  }
  const reduces = loop.reduces ?? [];
  const hasPairs = loop.placement === 'vector' && reduces.some((r) => isPair(r.monoid));
  if (hasPairs && reduces.every((r) => isPair(r.monoid))) {
    return emitPairReduction(loop, context, (body, indent) =>
      emitStatements(body, indent, context),
    );
  }
  // pairs beside other reductions run in order: no compiler vectorises that
  if (hasPairs) return emitLoop({ ...loop, placement: 'serial' }, context);
  if (loop.extent === one) {
    const body = emitStatements(loop.body, '  ', context);
    return ['{', `  const int64_t ${variable} = 0;`, ...body, '}'];
  }
  const head = `for (int64_t ${variable} = 0; ${variable} < ${extent}; ${variable}++) {`;
  const ordered =
    loop.placement === 'vector' ? startOrdered(loop, context) : { before: [], after: [] };
  const pragma = emitPragma(loop, context);
  const body = emitStatements(loop.body, '  ', context);
  for (const { name } of loop.reduces ?? []) context.ordered.delete(name);
  return [...ordered.before, ...pragma, head, ...body, '}', ...ordered.after];
}

/** The lines around a loop that reduces over integers of the same order. */
function startOrdered(
  loop: Loop,
  context: StatementContext,
): { readonly before: readonly string[]; readonly after: readonly string[] } {
  const before: string[] = [];
  const after: string[] = [];
  for (const reduction of orderedReductions(loop, (name) => context.accumulators.get(name))) {
    const { monoid, dtype, order } = reduction;
    const value = context.names.value(reduction.name);
    const integer = context.names.fresh(`${value}_order`);
    context.ordered.set(reduction.name, { ...reduction, integer });
    context.need('order.h');
    before.push(`${valueType(order)} ${integer} = order_${monoid}_${dtype}(${value});`);
    after.push(`${value} = from_order_${dtype}(${integer});`);
  }
  return { before, after };
}

function isPair(monoid: Monoid): boolean {
  return monoid === 'argmax' || monoid === 'argmin';
}

function emitPragma(loop: Loop, context: StatementContext): string[] {
  if (loop.placement === 'unroll') {
    return [`#pragma GCC unroll ${constantValue(loop.extent) ?? 1}`];
  }
  if (loop.placement !== 'vector') return [];
  const clauses = (loop.reduces ?? []).map(({ name, monoid }) => {
    const ordered = context.ordered.get(name);
    return ordered === undefined
      ? ` reduction(${reductionOperator(name, monoid, context)}:${context.names.value(name)})`
      : ` reduction(${monoid}:${ordered.integer})`;
  });
  return [`#pragma omp simd${clauses.join('')}`];
}

function reductionOperator(name: string, monoid: Monoid, context: StatementContext): string {
  switch (monoid) {
    case 'sum':
      return '+';
    case 'prod':
      return '*';
    case 'all':
      return '&';
    case 'any':
      return '|';
    case 'max':
    case 'min': {
      const dtype = context.accumulators.get(name);
      if (dtype === undefined) throw new InternalError(`no accumulator ${name}`);
      context.need('reduce.h');
      return `${monoid}_${dtype}`;
    }
    case 'argmax':
    case 'argmin':
      throw new InternalError(`${monoid} is not a reduction over one value`);
    default:
      return unreachable(monoid);
  }
}

function emitAllocate(
  buffer: Extract<Statement, { kind: 'allocate' }>['buffer'],
  context: StatementContext,
): string {
  const name = context.names.buffer(buffer);
  const type = storageType(buffer.dtype);
  if (buffer.space === 'scratch') {
    const offset = context.scratch.offsets.get(buffer);
    if (offset === undefined) throw new InternalError(`no place for ${buffer.name}`);
    const bytes = emitIndex(offset, context);
    const address =
      bytes.text === '0' ? 'scratch' : `((char *)scratch + ${within(bytes, level.sum)})`;
    return `${type} *const ${name} = (${type} *)${address};`;
  }
  const size = constantValue(buffer.size);
  if (buffer.space !== 'thread' || size === undefined) {
    throw new InternalError(`cannot allocate ${buffer.name} in ${buffer.space} memory`);
  }
  return `${type} ${name}[${size}] __attribute__((aligned(64)));`;
}

function emitIf(
  statement: Extract<Statement, { kind: 'if' }>,
  context: StatementContext,
): string[] {
  const lines = [`if (${emitScalar(statement.condition, context).text}) {`];
  lines.push(...emitStatements(statement.then, '  ', context));
  if (statement.otherwise.length > 0) {
    lines.push('} else {', ...emitStatements(statement.otherwise, '  ', context));
  }
  return [...lines, '}'];
}

function emitLocateSegment(
  statement: Extract<Statement, { kind: 'locate-segment' }>,
  context: StatementContext,
): string[] {
  const { names, integerTables } = context;
  context.need('segment.h');
  const starts = integerTables.get(statement.starts[0] ?? '');
  const lengths = integerTables.get(statement.lengths[0] ?? '');
  if (starts === undefined || lengths === undefined) {
    throw new InternalError('the starts or lengths of segments are no integers of the kernel');
  }
  const segment = names.integer(statement.segment);
  const task = emitIndex(statement.task, context).text;
  return [
    `const int64_t ${segment} = locate_segment(${starts}, ${statement.starts.length}, ${task});`,
    `const int64_t ${names.integer(statement.local)} = ${task} - ${starts}[${segment}];`,
    `const int64_t ${names.integer(statement.length)} = ${lengths}[${segment}];`,
    ...segmentPointers(context.kernel, segment, names),
  ];
}

function emitMicroKernel(
  statement: Extract<Statement, { kind: 'micro-kernel' }>,
  context: StatementContext,
): string[] {
  const { rows, columns } = statement;
  const { dtype } = statement.c;
  if (dtype !== 'f32' && dtype !== 'f64') throw new InternalError(`micro-kernel over ${dtype}`);
  const block: MicroKernelBlock = { dtype, rows, columns };
  context.needMicroKernel(block);
  const integer = (value: Int): string => emitIndex(value, context).text;
  const address = (buffer: typeof statement.a, offset: Int): string => {
    const text = integer(offset);
    const name = context.names.buffer(buffer);
    return text === '0' ? name : `${name} + ${text}`;
  };
  const args = [
    address(statement.a, statement.aOffset),
    integer(statement.aRowStride),
    integer(statement.aDepthStride),
    address(statement.b, statement.bOffset),
    address(statement.c, statement.cOffset),
    integer(statement.cStride),
    integer(statement.depth),
    statement.accumulate ? 'true' : 'false',
  ];
  return [`${microKernelName(block)}(${args.join(', ')});`];
}
