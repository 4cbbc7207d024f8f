/**
 * One kernel as Metal: a comment, the structs of its arguments, its signature and body.
 *
 * Arguments: see kernel-ir/launch.ts. Struct NAME_Params holds the integers, struct NAME_Buffers the table of addresses (one
 * pointer a parameter, an array of pointers for a segmented one).
 *
 * The grid. Its last extent is x, the one before it y, and the product of the others z.
 */
import { invariant } from '../diagnostics/internal-error.ts';
import { bindShared } from '../kernel-ir/bind-shared.ts';
import {
  bindingCount,
  maxBindings,
  metalKernelName,
  usesBindingTable,
} from '../kernel-ir/launch.ts';
import type { Buffer, Kernel, KernelParameter, Loop, Statement } from '../kernel-ir/program.ts';
import { forEachStatement } from '../kernel-ir/statements.ts';
import { constantValue, int, print, product } from '../symbolic/integer.ts';
import { byteSize } from '../tensor-ir/dtype.ts';
import { atom, infix, level, type Text } from '../to-c/precedence.ts';
import { emitInteger } from './emit-integer.ts';
import { emitArray, emitBlock, type KernelInput, type StatementContext } from './emit-statement.ts';
import { fieldName, KernelNames } from './names.ts';
import { storageType } from './types.ts';
import { namesRead, threadgroupBuffers, withoutUnread } from './usage.ts';

const maxThreadgroupBytes = 32768;

/** The text of a kernel; `need` is told each helper of helpers/ in use. */
export function emitKernel(original: Kernel, need: (helper: string) => void): string {
  const kernel = withoutUnread(bindShared(original));
  const name = metalKernelName(kernel.name);
  const names = new KernelNames();
  const isTable = usesBindingTable(kernel);
  const inputs = new Set<KernelInput>();
  const read = namesRead(kernel.body);
  const isLong = needsLongIndices(kernel);
  const params = new Params(kernel);
  const segment = segmentName(kernel.body);
  const parameterNames = new Map<Buffer, string>();
  for (const p of kernel.parameters) {
    parameterNames.set(p.buffer, isTable ? fieldName(p.buffer.name) : names.buffer(p.buffer));
  }
  uniqueFields(parameterNames);
  const segmented = new Set(kernel.parameters.filter((p) => p.isSegmented).map((p) => p.buffer));

  const context: StatementContext = {
    kernel,
    names,
    need,
    isLong,
    integerName: (n) => {
      const field = params.reference(n);
      if (field === undefined) return names.local(n);
      return isLong ? `long(${field})` : field;
    },
    integerArray: (members) => params.array(members),
    bufferText: (buffer) => {
      const field = parameterNames.get(buffer);
      if (field === undefined) return names.buffer(buffer);
      if (!isTable) return field;
      return segmented.has(buffer)
        ? `buffers.${field}[${names.local(segment)}]`
        : `buffers.${field}`;
    },
    input: (input) => {
      inputs.add(input);
      return input;
    },
    gridPosition: (axis) => gridPosition(kernel, axis, context),
    accumulators: new Map(),
    isRead: (n) => read.has(n),
  };
  const arrays = threadgroupBuffers(kernel.body);
  checkThreadgroupMemory(kernel, arrays);
  const declarations = arrays.map((b) => emitArray(b, context));
  const body = [...declarations, ...emitBlock(kernel.body, context)];
  const structs = [
    ...(isTable ? tableStruct(kernel, name, parameterNames) : []),
    ...params.struct(name),
  ];
  const lines = [
    ...comment(kernel),
    ...structs,
    `[[kernel, max_total_threads_per_threadgroup(${kernel.threads ?? 256})]] void ${name}(`,
    `${argumentLines(kernel, name, isTable, parameterNames, params, inputs).join(',\n')}) {`,
    ...body.map((line) => `  ${line}`),
    '}',
  ];
  return `${lines.join('\n')}\n`;
}

function comment(kernel: Kernel): string[] {
  const { summary, schedule, bytes, flops } = kernel.about;
  const text = summary.replace(/[\r\n]+/g, ' ').replace(/\\+$/, '');
  return [
    `// ${text}`,
    `// ${schedule} schedule, ${kernel.threads ?? 256} threads a threadgroup; bytes: ${print(bytes)}; flops: ${print(flops)}`,
    ...bindingNote(kernel),
  ];
}

// ---------------------------------------------------------------------------------------------------------
// Arguments

function argumentLines(
  kernel: Kernel,
  name: string,
  isTable: boolean,
  parameterNames: ReadonlyMap<Buffer, string>,
  params: Params,
  inputs: ReadonlySet<KernelInput>,
): string[] {
  const lines: string[] = [];
  let binding = 0;
  if (isTable) lines.push(`    constant ${name}_Buffers& buffers [[buffer(${binding++})]]`);
  else {
    for (const p of kernel.parameters) {
      lines.push(`    ${pointer(p)} ${parameterNames.get(p.buffer)!} [[buffer(${binding++})]]`);
    }
  }
  if (!params.isEmpty) lines.push(`    constant ${name}_Params& params [[buffer(${binding})]]`);
  for (const [input, declaration] of inputDeclarations) {
    if (inputs.has(input)) lines.push(`    ${declaration}`);
  }
  return lines;
}

const inputDeclarations: readonly (readonly [KernelInput, string])[] = [
  ['group', 'metal::uint3 group [[threadgroup_position_in_grid]]'],
  ['thread_index', 'uint thread_index [[thread_index_in_threadgroup]]'],
  ['simdgroup', 'uint simdgroup [[simdgroup_index_in_threadgroup]]'],
  ['lane', 'uint lane [[thread_index_in_simdgroup]]'],
];

function pointer(parameter: KernelParameter): string {
  const type = storageType(parameter.buffer.dtype);
  return `${parameter.access === 'read' ? 'const ' : ''}device ${type}*`;
}

function tableStruct(
  kernel: Kernel,
  name: string,
  parameterNames: ReadonlyMap<Buffer, string>,
): string[] {
  const fields = kernel.parameters.map((p) => {
    const count = p.isSegmented ? `[${kernel.segments ?? 1}]` : '';
    return `  ${pointer(p)} ${parameterNames.get(p.buffer)!}${count};`;
  });
  return [`struct ${name}_Buffers {`, ...fields, '};'];
}

function uniqueFields(names: Map<Buffer, string>): void {
  const taken = new Set<string>();
  for (const [buffer, wanted] of names) {
    let name = wanted;
    for (let n = 2; taken.has(name); n++) name = `${wanted}_${n}`;
    taken.add(name);
    names.set(buffer, name);
  }
}

/** The integers of a kernel as a struct: one int each, in order; starts and lengths of segments as arrays in place. */
class Params {
  private readonly kernel: Kernel;
  private readonly fields = new Map<string, string>();
  private readonly arrays = new Map<string, { readonly field: string; readonly count: number }>();

  constructor(kernel: Kernel) {
    this.kernel = kernel;
    const position = new Map(kernel.integers.map((i, at) => [i.name, at]));
    const taken = new Set<string>();
    const unique = (wanted: string): string => {
      let name = fieldName(wanted);
      for (let n = 2; taken.has(name); n++) name = `${fieldName(wanted)}_${n}`;
      taken.add(name);
      return name;
    };
    const inArray = new Set<string>();
    const addArray = (wanted: string, members: readonly string[]): void => {
      const start = position.get(members[0] ?? '') ?? -1;
      const isRun = start >= 0 && members.every((m, i) => position.get(m) === start + i);
      if (!isRun || members.some((m) => inArray.has(m))) return;
      this.arrays.set(members[0]!, { field: unique(wanted), count: members.length });
      for (const m of members) inArray.add(m);
    };
    forEachStatement(kernel.body, (s) => {
      if (s.kind !== 'locate-segment') return;
      addArray('starts', s.starts);
      addArray('lengths', s.lengths);
    });
    for (const { name } of kernel.integers)
      if (!inArray.has(name)) this.fields.set(name, unique(name));
    for (const array of this.arrays) {
      const at = position.get(array[0])!;
      for (let i = 0; i < array[1].count; i++) {
        this.members.set(kernel.integers[at + i]!.name, `${array[1].field}[${i}]`);
      }
    }
  }

  private readonly members = new Map<string, string>();

  get isEmpty(): boolean {
    return this.kernel.integers.length === 0;
  }

  reference(name: string): string | undefined {
    const field = this.fields.get(name) ?? this.members.get(name);
    return field === undefined ? undefined : `params.${field}`;
  }

  array(members: readonly string[]): string | undefined {
    const found = this.arrays.get(members[0] ?? '');
    return found?.count === members.length ? `params.${found.field}` : undefined;
  }

  struct(name: string): string[] {
    if (this.isEmpty) return [];
    const lines = this.kernel.integers.flatMap((integer) => {
      const array = this.arrays.get(integer.name);
      if (array !== undefined) return [`  int ${array.field}[${array.count}];`];
      const field = this.fields.get(integer.name);
      return field === undefined ? [] : [`  int ${field};`];
    });
    return [`struct ${name}_Params {`, ...lines, '};'];
  }
}

// ---------------------------------------------------------------------------------------------------------
// Limits and positions

/** int indices reach 2^31 elements; a larger buffer of known size makes all index arithmetic of its kernel long. */
function needsLongIndices(kernel: Kernel): boolean {
  return kernel.parameters.some((p) => (constantValue(p.buffer.size) ?? 0) > 2 ** 31 - 1);
}

function checkThreadgroupMemory(kernel: Kernel, arrays: readonly Buffer[]): void {
  const bytes = arrays.reduce(
    (sum, b) => sum + (constantValue(b.size) ?? 0) * byteSize(b.dtype),
    0,
  );
  invariant(
    bytes <= maxThreadgroupBytes,
    `${kernel.name} needs ${bytes} bytes of threadgroup memory`,
  );
}

function gridPosition(kernel: Kernel, axis: number, context: StatementContext): Text {
  const rank = kernel.grid.length;
  invariant(axis < rank, `${kernel.name} has more grid loops than grid extents`);
  const group = context.input('group');
  const type = context.isLong ? 'long' : 'int';
  const component = rank - 1 - axis;
  if (component < 2) return atom(`${type}(${group}.${'xy'[component]})`);
  const z = atom(`${type}(${group}.z)`);
  const extents = gridExtents(kernel);
  const inner = product(extents.slice(axis + 1, rank - 2));
  const quotient = inner === int(1) ? z : infix(z, '/', emitInteger(inner, context), level.product);
  if (axis === 0) return quotient;
  return infix(quotient, '%', emitInteger(extents[axis]!, context), level.product);
}

/** Extents of the grid loops, which name the kernel's own integers (the grid itself is the host's). */
function gridExtents(kernel: Kernel): Loop['extent'][] {
  const extents: Loop['extent'][] = [];
  forEachStatement(kernel.body, (s: Statement) => {
    if (s.kind === 'loop' && s.placement === 'grid') extents.push(s.extent);
  });
  return extents;
}

function segmentName(body: readonly Statement[]): string {
  let name = 'segment';
  forEachStatement(body, (s) => {
    if (s.kind === 'locate-segment') name = s.segment;
  });
  return name;
}

/** Why a kernel takes a table instead of its buffers. */
function bindingNote(kernel: Kernel): readonly string[] {
  if (!usesBindingTable(kernel)) return [];
  const count = bindingCount(kernel);
  const reason =
    count > maxBindings
      ? `more than Metal's ${maxBindings} bindings`
      : 'picked by segment when the kernel runs';
  return [`// its ${count} buffers travel as one table of addresses: ${reason}`];
}
