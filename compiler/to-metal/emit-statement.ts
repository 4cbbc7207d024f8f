/** Statements of kernel IR as Metal. */
import { InternalError, invariant, unreachable } from '../diagnostics/internal-error.ts';
import type {
  Buffer,
  Kernel,
  KernelScalar,
  Loop,
  Monoid,
  Statement,
} from '../kernel-ir/program.ts';
import { constantValue, type Int, one, subtract } from '../symbolic/integer.ts';
import { computeType, type DType, isFloat } from '../tensor-ir/dtype.ts';
import { atom, call, type Text } from '../to-c/precedence.ts';
import { emitInteger } from './emit-integer.ts';
import { emitScalar, emitStored, type ScalarContext } from './emit-scalar.ts';
import { literal, storageType, valueType } from './types.ts';

export interface StatementContext extends ScalarContext {
  readonly kernel: Kernel;
  /** Told each hardware position in use; gives the name of the argument. */
  readonly input: (name: KernelInput) => string;
  /** Metal text for grid axis `axis` of this threadgroup (0 is the outermost loop). */
  readonly gridPosition: (axis: number) => Text;
  /** The array of the params that holds these integers, or undefined when they are no array there. */
  readonly integerArray: (members: readonly string[]) => string | undefined;
  /** dtypes of the accumulators declared so far. */
  readonly accumulators: Map<string, DType>;
  /** Names that something in the kernel reads. */
  readonly isRead: (name: string) => boolean;
}

export type KernelInput = 'group' | 'thread_index' | 'lane' | 'simdgroup';

/** Where a hardware loop starts, and its stride. */
const simdWidth = 32;

export function emitBlock(
  statements: readonly Statement[],
  context: StatementContext,
  gridAxis = 0,
): string[] {
  return statements.flatMap((s) => emitStatement(s, context, gridAxis));
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}

function emitStatement(s: Statement, context: StatementContext, gridAxis: number): string[] {
  const { names } = context;
  const indexType = context.isLong ? 'long' : 'int';
  const integer = (value: Int): Text => emitInteger(value, context);
  const scalar = (value: KernelScalar): Text => emitScalar(value, context);
  const element = (buffer: Buffer, index: Int): string =>
    `${context.bufferText(buffer)}[${unwrapped(integer(index))}]`;
  switch (s.kind) {
    case 'loop':
      return emitLoop(s, context, gridAxis);
    case 'let':
      return [
        `const ${valueType(s.value.dtype)} ${names.local(s.name)} = ${scalar(s.value).text};`,
      ];
    case 'let-index':
      return [
        `const ${indexType} ${names.local(s.name)} = ${emitClamp(s.value, s.extent, context)};`,
      ];
    case 'let-integer':
      return [`const ${indexType} ${names.local(s.name)} = ${unwrapped(integer(s.value))};`];
    case 'accumulator':
      context.accumulators.set(s.name, s.dtype);
      return [`${valueType(s.dtype)} ${names.local(s.name)} = ${scalar(s.initial).text};`];
    case 'assign':
      return [emitAssign(s.name, s.value, context)];
    case 'allocate':
      return s.buffer.space === 'threadgroup' ? [] : [emitArray(s.buffer, context)];
    case 'store':
      return [
        `${element(s.buffer, s.index)} = ${emitStored(s.buffer.dtype, s.value, context).text};`,
      ];
    case 'if':
      return emitIf(s, context, gridAxis);
    case 'barrier': {
      const flags = 'metal::mem_flags::mem_threadgroup';
      const all = s.device ? `${flags} | metal::mem_flags::mem_device` : flags;
      return [`metal::threadgroup_barrier(${all});`];
    }
    case 'simd-reduce':
      return [emitSimdReduce(s.name, s.monoid, s.index, context)];
    case 'locate-segment':
      return emitLocateSegment(s, context);
    case 'matrix-declare': {
      const type = `metal::simdgroup_${storageType(s.dtype)}8x8`;
      const name = names.local(s.name);
      const declaration = `${type} ${name}[${s.count}];`;
      if (s.isUndefined === true) return [declaration];
      const at = names.fresh('tile');
      return [
        declaration,
        '#pragma clang loop unroll(full)',
        `for (int ${at} = 0; ${at} < ${s.count}; ++${at}) {`,
        `  ${name}[${at}] = metal::make_filled_simdgroup_matrix<${storageType(s.dtype)}, 8, 8>(${literal('f32', 0)});`,
        '}',
      ];
    }
    case 'matrix-load': {
      const matrix = `${names.local(s.name)}[${integer(s.element).text}]`;
      const origin = s.transpose ? ', metal::ulong2(0, 0), true' : '';
      return [
        `metal::simdgroup_load(${matrix}, &${element(s.buffer, s.offset)}, ${integer(s.stride).text}${origin});`,
      ];
    }
    case 'matrix-multiply-accumulate': {
      const matrix = (name: string, at: Int): string => `${names.local(name)}[${integer(at).text}]`;
      const d = matrix(s.d, s.dElement);
      return [
        `metal::simdgroup_multiply_accumulate(${d}, ${matrix(s.a, s.aElement)}, ${matrix(s.b, s.bElement)}, ${d});`,
      ];
    }
    case 'matrix-store':
      return [
        `metal::simdgroup_store(${names.local(s.name)}[${integer(s.element).text}], &${element(s.buffer, s.offset)}, ${integer(s.stride).text});`,
      ];
    case 'micro-kernel':
    case 'sort-pairs':
      throw new InternalError(`${s.kind} has no meaning on Metal`, context.kernel.name);
    default:
      return unreachable(s);
  }
}

/** Without parentheses around the whole, which a quotient has for the sake of products around it. */
function unwrapped({ text }: Text): string {
  if (!text.startsWith('(') || !text.endsWith(')')) return text;
  let depth = 0;
  for (let i = 0; i < text.length - 1; i++) {
    if (text[i] === '(') depth++;
    if (text[i] === ')') depth--;
    if (depth === 0) return text;
  }
  return text.slice(1, -1);
}

/** `type name[size]` for memory of a thread or a threadgroup. */
export function emitArray(buffer: Buffer, context: StatementContext): string {
  const size = constantValue(buffer.size);
  invariant(size !== undefined, `${buffer.name} of ${context.kernel.name} has no constant size`);
  const space = buffer.space === 'threadgroup' ? 'threadgroup ' : '';
  return `${space}${storageType(buffer.dtype)} ${context.names.buffer(buffer)}[${size}];`;
}

/** A number as an index in [0, extent): clamped before it is narrowed. */
function emitClamp(value: KernelScalar, extent: Int, context: StatementContext): string {
  const text = emitScalar(value, context).text;
  const last = emitInteger(subtract(extent, one), context).text;
  switch (value.dtype) {
    case 'u32':
      return `int(metal::min(${text}, uint(${last})))`;
    case 'i64':
      return `int(metal::clamp(${text}, 0l, long(${last})))`;
    case 'u64':
      return `int(metal::min(${text}, ulong(${last})))`;
    case 'i32':
      return `metal::clamp(${text}, 0, ${last})`;
    default:
      return `metal::clamp(int(${text}), 0, ${last})`;
  }
}

/** `s = s + x` reads better as `s += x`; integers wrap and keep the long form. */
function emitAssign(name: string, value: KernelScalar, context: StatementContext): string {
  const target = context.names.local(name);
  if (value.kind === 'call' && isFloat(value.dtype)) {
    const [first, second] = value.args;
    const operator = { add: '+=', mul: '*=' }[value.name];
    const isUpdate = first?.kind === 'variable' && first.name === name;
    if (operator !== undefined && second !== undefined && isUpdate) {
      return `${target} ${operator} ${emitScalar(second, context).text};`;
    }
  }
  return `${target} = ${emitScalar(value, context).text};`;
}

// ---------------------------------------------------------------------------------------------------------
// Control flow

function emitIf(
  s: Extract<Statement, { kind: 'if' }>,
  context: StatementContext,
  gridAxis: number,
): string[] {
  const condition = emitScalar(s.condition, context).text;
  const then = indented(emitBlock(s.then, context, gridAxis));
  if (condition === 'true') return emitBlock(s.then, context, gridAxis);
  if (s.otherwise.length === 0) return [`if (${condition}) {`, ...then, '}'];
  const otherwise = indented(emitBlock(s.otherwise, context, gridAxis));
  return [`if (${condition}) {`, ...then, '} else {', ...otherwise, '}'];
}

function emitLoop(loop: Loop, context: StatementContext, gridAxis: number): string[] {
  const variable = context.names.local(loop.variable);
  const indexType = context.isLong ? 'long' : 'int';
  const body = (axis = gridAxis): string[] => emitBlock(loop.body, context, axis);
  const bind = (value: string): string[] =>
    context.isRead(loop.variable) ? [`const ${indexType} ${variable} = ${value};`] : [];
  const threads = context.kernel.threads ?? simdWidth;
  switch (loop.placement) {
    case 'grid': {
      const position = context.gridPosition(gridAxis).text;
      return [...bind(position), ...body(gridAxis + 1)];
    }
    case 'threads':
      return emitSpread(loop, context.input('thread_index'), threads, context, bind, body);
    case 'simdgroups':
      return emitSpread(loop, context.input('simdgroup'), threads / simdWidth, context, bind, body);
    case 'lanes':
      return emitSpread(loop, context.input('lane'), simdWidth, context, bind, body);
    case 'serial':
    case 'vector':
    case 'unroll': {
      const pragma = loop.placement === 'unroll' ? ['#pragma clang loop unroll(full)'] : [];
      if (loop.extent === one) return [...bind('0'), ...body()];
      const extent = emitInteger(loop.extent, context).text;
      return [
        ...pragma,
        `for (${indexType} ${variable} = 0; ${variable} < ${extent}; ++${variable}) {`,
        ...indented(body()),
        '}',
      ];
    }
    default:
      return unreachable(loop.placement);
  }
}

/** A loop whose iterations are spread over `count` workers, of which this is number `worker`. */
function emitSpread(
  loop: Loop,
  worker: string,
  count: number,
  context: StatementContext,
  bind: (value: string) => string[],
  body: () => string[],
): string[] {
  const indexType = context.isLong ? 'long' : 'int';
  const variable = context.names.local(loop.variable);
  const constant = constantValue(loop.extent);
  if (constant === count) return [...bind(`${indexType}(${worker})`), ...body()];
  const extent = emitInteger(loop.extent, context).text;
  if (constant !== undefined && constant < count) {
    const condition = constant === 1 ? `${worker} == 0u` : `${worker} < ${constant}u`;
    const value = constant === 1 ? '0' : `${indexType}(${worker})`;
    return [`if (${condition}) {`, ...indented([...bind(value), ...body()]), '}'];
  }
  return [
    `for (${indexType} ${variable} = ${indexType}(${worker}); ${variable} < ${extent}; ${variable} += ${count}) {`,
    ...indented(body()),
    '}',
  ];
}

// ---------------------------------------------------------------------------------------------------------
// Simdgroups and segments

function emitSimdReduce(
  name: string,
  monoid: Monoid,
  index: string | undefined,
  context: StatementContext,
): string {
  const target = context.names.local(name);
  const dtype = context.accumulators.get(name);
  invariant(dtype !== undefined, `no accumulator ${name} to reduce`);
  if (monoid === 'argmax' || monoid === 'argmin') {
    invariant(index !== undefined, `${monoid} of ${name} without an index`);
    context.need('simd_arg');
    return `mlxc::simd_${monoid}(${target}, ${context.names.local(index)});`;
  }
  return `${target} = ${simdReduction(monoid, dtype, atom(target), context.need).text};`;
}

function simdReduction(
  monoid: Monoid,
  dtype: DType,
  value: Text,
  need: (helper: string) => void,
): Text {
  const name = simdNames[monoid];
  if (dtype === 'bool') return call(`metal::${name}`, [value]);
  const isWide = dtype === 'i64' || dtype === 'u64';
  const propagatesNaN = isFloat(computeType(dtype)) && (monoid === 'max' || monoid === 'min');
  if (isWide) need('simd_long');
  if (propagatesNaN) need('simd_extreme');
  return call(`${isWide || propagatesNaN ? 'mlxc' : 'metal'}::${name}`, [value]);
}

const simdNames: Readonly<Record<Monoid, string>> = {
  sum: 'simd_sum',
  prod: 'simd_product',
  max: 'simd_max',
  min: 'simd_min',
  all: 'simd_all',
  any: 'simd_any',
  argmax: 'simd_argmax',
  argmin: 'simd_argmin',
};

/** A binary search without branches for the last segment that starts at or before the task. */
function emitLocateSegment(
  s: Extract<Statement, { kind: 'locate-segment' }>,
  context: StatementContext,
): string[] {
  const { names } = context;
  const segment = names.local(s.segment);
  const task = emitInteger(s.task, context).text;
  const tables: string[] = [];
  const table = (wanted: string, members: readonly string[]): string => {
    const array = context.integerArray(members);
    if (array !== undefined) return array;
    const name = names.fresh(wanted);
    const list = members.map((m) => context.integerName(m)).join(', ');
    tables.push(`const int ${name}[${members.length}] = {${list}};`);
    return name;
  };
  const starts = table('starts', s.starts);
  const count = s.starts.length;
  const lines: string[] = [`int ${segment} = 0;`];
  const step = names.fresh('step');
  let first = 1;
  while (first * 2 < count) first *= 2;
  if (count > 1) {
    lines.push(
      `for (int ${step} = ${first}; ${step} > 0; ${step} /= 2) {`,
      `  if (${segment} + ${step} < ${count} && ${starts}[${segment} + ${step}] <= ${task}) {`,
      `    ${segment} += ${step};`,
      '  }',
      '}',
    );
  }
  if (context.isRead(s.local)) {
    lines.push(`const int ${names.local(s.local)} = ${task} - ${starts}[${segment}];`);
  }
  if (context.isRead(s.length)) {
    lines.push(`const int ${names.local(s.length)} = ${table('lengths', s.lengths)}[${segment}];`);
  }
  return [...tables, ...lines];
}
