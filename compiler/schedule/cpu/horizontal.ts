/**
 * Horizontally fused element-wise groups on the CPU: one kernel whose tasks are chunks of all segments in a row.
 *
 *   for task t                                     grid
 *     segment s, chunk c = locate(t)
 *     for v < min(4096, length[s] - 4096*c)        vector
 *       p_s[4096*c + v] -= lr * g_s[4096*c + v]
 */
import type { KernelInteger } from '../../kernel-ir/program.ts';
import type { FusedFunction, HorizontalGroup } from '../../passes/fused-group.ts';
import { segmentSize } from '../../passes/horizontal.ts';
import {
  add,
  ceildiv,
  dimVariable,
  type Int,
  int,
  min,
  multiply,
  product,
  subtract,
  zero,
} from '../../symbolic/integer.ts';
import { byteSize } from '../../tensor-ir/dtype.ts';
import type { Value } from '../../tensor-ir/program.ts';
import { delinearize } from '../flatten.ts';
import { KernelBuilder, type ScheduledKernel } from '../kernel-builder.ts';
import type { KernelLabel } from '../schedule.ts';
import { signGroup } from '../signature.ts';
import { emitRiders, rename } from '../stage-program.ts';

const chunk = 4096;

export function scheduleHorizontal(
  fused: FusedFunction,
  group: HorizontalGroup,
  label: KernelLabel,
): ScheduledKernel {
  const [model] = group.members as [HorizontalGroup['members'][number]];
  const b = new KernelBuilder(fused, label.dims);
  const stores = model.stages[0]!.stores;
  for (const store of stores) b.computeHere(store.value);

  const sizes = group.members.map(segmentSize);
  const integers: KernelInteger[] = [];
  let tasks = zero;
  const starts = sizes.map((size, s) => {
    integers.push({ name: b.uniqueName(`start_${s}`), value: tasks });
    tasks = add(tasks, ceildiv(size, int(chunk)));
    return integers[integers.length - 1]!.name;
  });
  const lengths = sizes.map((size, s) => {
    integers.push({ name: b.uniqueName(`length_${s}`), value: size });
    return integers[integers.length - 1]!.name;
  });
  const length = b.uniqueName('length');

  b.loop('task', tasks, 'grid', (task) => {
    emitRiders(b, group.riders, [task]);
    const segment = b.declareIndex('segment', int(group.members.length));
    const local = b.declareIndex('local', tasks);
    b.emit({
      kind: 'locate-segment',
      task,
      segment: nameOfVariable(segment),
      local: nameOfVariable(local),
      starts,
      length,
      lengths,
    });
    const start = multiply(local, int(chunk));
    b.loop('v', min(int(chunk), subtract(dimVariable(length), start)), 'vector', (v) => {
      const shape = stores[0]!.value.type.shape;
      const indices = delinearize(add(start, v), shape);
      const renaming = new Map<string, Int>();
      stores[0]!.index.forEach((variable, axis) => {
        if (variable !== zero) renaming.set(nameOfVariable(variable), indices[axis]!);
      });
      for (const store of stores) {
        const index = rename(store.index, renaming);
        b.store(store.value, index, b.at(store.value, index));
      }
    });
  });
  const scheduled = b.finish({ ...label, grid: [tasks], schedule: 'horizontal map', integers });
  return segment(fused, group, scheduled, length);
}

function nameOfVariable(variable: Int): string {
  const atom = variable.terms[0]!.powers[0]!.atom;
  return atom.kind === 'variable' ? atom.name : '';
}

/** Turns the full-size buffers of the model member into segmented parameters bound to every member's tensors. */
export function segment(
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
