/**
 * Segments: horizontally fused groups of one form as stretches of one kernel. The kernel is written for the first member; a table
 * of starts and lengths tells a task its segment, and each full-size buffer stands for the tensors of all members.
 */
import type { KernelInteger } from '../kernel-ir/program.ts';
import type { FusedFunction, FusedGroup, HorizontalGroup } from '../passes/fused-group.ts';
import { segmentSize } from '../passes/horizontal.ts';
import { add, ceildiv, type Int, int, multiply, product, zero } from '../symbolic/integer.ts';
import { byteSize } from '../tensor-ir/dtype.ts';
import type { Value } from '../tensor-ir/program.ts';
import { delinearize } from './flatten.ts';
import type { KernelBuilder, ScheduledKernel } from './kernel-builder.ts';
import { signGroup } from './signature.ts';
import { nameOf, rename } from './stage-program.ts';

/** Where the segments lie among the tasks. */
export interface SegmentTable {
  /** Tasks of all segments together. */
  readonly tasks: Int;
  /** What the kernel reads of the table. */
  readonly integers: readonly KernelInteger[];
  /** Name of the length of the segment at hand, once located. */
  readonly length: string;
  /** Finds the segment of a task; gives the number of the task within it. */
  readonly locate: (task: Int) => Int;
}

/** The table of a group whose tasks take `chunk` elements each. */
export function tableOfSegments(
  b: KernelBuilder,
  group: HorizontalGroup,
  chunk: number,
): SegmentTable {
  const sizes = group.members.map(segmentSize);
  const integers: KernelInteger[] = [];
  const declare = (base: string, value: Int): string => {
    const name = b.uniqueName(base);
    integers.push({ name, value });
    return name;
  };
  let tasks = zero;
  const starts = sizes.map((size, s) => {
    const name = declare(`start_${s}`, tasks);
    tasks = add(tasks, ceildiv(size, int(chunk)));
    return name;
  });
  const lengths = sizes.map((size, s) => declare(`length_${s}`, size));
  const length = b.uniqueName('length');
  const locate = (task: Int): Int => {
    const segment = nameOf(b.declareIndex('segment', int(group.members.length)));
    const local = b.declareIndex('local', tasks);
    b.emit({
      kind: 'locate-segment',
      task,
      segment,
      local: nameOf(local),
      starts,
      length,
      lengths,
    });
    return local;
  };
  return { tasks, integers, length, locate };
}

/** Stores the element of the first member at a row-major position. */
export function storeElement(b: KernelBuilder, model: FusedGroup, position: Int): void {
  const { stores } = model.stages[0]!;
  const { value, index: variables } = stores[0]!;
  const indices = delinearize(position, value.type.shape);
  const renaming = new Map<string, Int>();
  variables.forEach((variable, axis) => {
    if (variable !== zero) renaming.set(nameOf(variable), indices[axis]!);
  });
  for (const store of stores) {
    const index = rename(store.index, renaming);
    b.store(store.value, index, b.at(store.value, index));
  }
}

/** Turns the full-size buffers of the model member into segmented parameters bound to every member's tensors. */
export function bindSegments(
  fused: FusedFunction,
  group: HorizontalGroup,
  scheduled: ScheduledKernel,
  length: string,
): ScheduledKernel {
  const signatures = group.members.map((m) => signGroup(fused, m));
  const members = new Set(signatures[0]!.values);
  const isFull = (value: Value): boolean => value.type.shape.length > 0 && members.has(value);
  const bindings: Value[] = [];
  const parameters = scheduled.kernel.parameters.map((parameter, i) => {
    const value = scheduled.bindings[i]!;
    if (!isFull(value)) {
      bindings.push(value);
      return parameter;
    }
    const number = signatures[0]!.numbers.get(value)!;
    for (const signature of signatures) bindings.push(signature.values[number]!);
    return { ...parameter, isSegmented: true };
  });
  const { kernel } = scheduled;
  let { bytes } = kernel.about;
  group.members.slice(1).forEach((_, k) => {
    const { values } = signatures[k + 1]!;
    parameters.forEach((p, i) => {
      if (!p.isSegmented) return;
      const value = values[signatures[0]!.numbers.get(scheduled.bindings[i]!)!]!;
      bytes = add(bytes, multiply(sizeOf(value), int(p.access === 'read-write' ? 2 : 1)));
    });
  });
  return {
    kernel: {
      ...kernel,
      parameters,
      integers: kernel.integers.filter((i) => i.name !== length),
      segments: group.members.length,
      about: { ...kernel.about, bytes },
    },
    bindings,
  };
}

function sizeOf(value: Value): Int {
  return multiply(product(value.type.shape), int(byteSize(value.type.dtype)));
}
