/**
 * The head of a kernel: typed pointers to its buffers, its integers by name, tables of integers for segments.
 *
 *   void mlxc_NAME(void *const *buffers, const int64_t *integers, void *scratch, int64_t begin, int64_t end)
 *
 * Pointers are not `restrict`: a result may lie over a donated parameter. Vector loops say themselves that their
 * iterations are independent.
 */
import type { Kernel, KernelParameter } from '../kernel-ir/program.ts';
import { forEachStatement } from '../kernel-ir/statements.ts';
import { type KernelNames, kernelSymbol } from './names.ts';
import { storageType } from './types.ts';

export function signature(kernel: Kernel): string {
  return `void ${kernelSymbol(kernel.name)}(void *const *buffers, const int64_t *integers, void *scratch, int64_t begin, int64_t end)`;
}

/** Index of the first binding of each parameter in `buffers`: a segmented parameter has one binding a segment. */
function bindingStarts(kernel: Kernel): readonly number[] {
  let next = 0;
  return kernel.parameters.map((p) => {
    const start = next;
    next += p.isSegmented ? (kernel.segments ?? 1) : 1;
    return start;
  });
}

function pointer(parameter: KernelParameter, element: string, names: KernelNames): string {
  const type = storageType(parameter.buffer.dtype);
  const constant = parameter.access === 'read' ? 'const ' : '';
  return `${constant}${type} *const ${names.buffer(parameter.buffer)} = buffers[${element}];`;
}

/** Typed pointers to the buffers that every task shares. */
export function sharedPointers(kernel: Kernel, names: KernelNames): string[] {
  const starts = bindingStarts(kernel);
  return kernel.parameters.flatMap((p, i) =>
    p.isSegmented ? [] : [pointer(p, `${starts[i]}`, names)],
  );
}

/** Typed pointers to the buffers of one segment, for use after `locate-segment`. */
export function segmentPointers(kernel: Kernel, segment: string, names: KernelNames): string[] {
  const starts = bindingStarts(kernel);
  return kernel.parameters.flatMap((p, i) =>
    p.isSegmented
      ? [pointer(p, starts[i] === 0 ? segment : `${starts[i]} + ${segment}`, names)]
      : [],
  );
}

export interface IntegerDeclarations {
  readonly lines: readonly string[];
  /** From the first integer of a table to the C name of the table. */
  readonly tables: ReadonlyMap<string, string>;
}

/** Names for all integers; starts and lengths of segments become tables. The printer drops the lines that nothing mentions. */
export function declareIntegers(kernel: Kernel, names: KernelNames): IntegerDeclarations {
  const position = new Map(kernel.integers.map((integer, i) => [integer.name, i]));
  const tables = new Map<string, string>();
  const tableLines: string[] = [];
  const declareTable = (wanted: string, members: readonly string[]): void => {
    const first = members[0];
    if (first === undefined || tables.has(first)) return;
    const name = names.fresh(wanted);
    tables.set(first, name);
    const start = position.get(first) ?? -1;
    if (start >= 0 && members.every((m, i) => position.get(m) === start + i)) {
      tableLines.push(
        `const int64_t *const ${name} = integers${start === 0 ? '' : ` + ${start}`};`,
      );
      return;
    }
    const list = members.map((m) => names.integer(m)).join(', ');
    tableLines.push(`const int64_t ${name}[] = {${list}};`);
  };
  forEachStatement(kernel.body, (statement) => {
    if (statement.kind !== 'locate-segment') return;
    declareTable(`${statement.segment}_starts`, statement.starts);
    declareTable(`${statement.length}s`, statement.lengths);
  });
  const lines = kernel.integers.map(
    ({ name }, i) => `const int64_t ${names.integer(name)} = integers[${i}];`,
  );
  return { lines: [...lines, ...tableLines], tables };
}
