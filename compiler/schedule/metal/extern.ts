/** A kernel that the user wrote: buffers in the order of arguments and results, then the dims of the signature. */
import type { Kernel, KernelParameter } from '../../kernel-ir/program.ts';
import type { ExternAttrs } from '../../primitives/extern.ts';
import { add, int, multiply, one, product, zero } from '../../symbolic/integer.ts';
import { byteSize } from '../../tensor-ir/dtype.ts';
import type { Operation, Value } from '../../tensor-ir/program.ts';
import type { ScheduledKernel } from '../kernel-builder.ts';
import type { KernelLabel } from '../schedule.ts';

export function scheduleExtern(op: Operation, label: KernelLabel): ScheduledKernel {
  const { language, source, kernel: entry, grid, threads, names, dims } = op.attrs as ExternAttrs;
  const bindings: readonly Value[] = [...op.operands, ...op.results];
  const parameters = bindings.map(
    (value, i): KernelParameter => ({
      buffer: {
        name: value.name ?? `buffer${i}`,
        dtype: value.type.dtype,
        space: 'device',
        size: product(value.type.shape),
      },
      access: i < op.operands.length ? 'read' : 'write',
      isSegmented: false,
    }),
  );
  const [x, y = 1, z = 1] = threads as [number, number?, number?];
  const bytes = bindings.reduce(
    (sum, { type }) => add(sum, multiply(int(byteSize(type.dtype)), product(type.shape))),
    zero,
  );
  const kernel: Kernel = {
    name: label.name,
    parameters,
    integers: names.map((name, i) => ({ name, value: dims[i]! })),
    grid: [grid[2] ?? one, grid[1] ?? one, grid[0]!],
    threads: x * y * z,
    body: [],
    external: { language, source, entry, threadgroup: [x, y, z] },
    about: { summary: label.summary, bytes, flops: zero, schedule: 'extern' },
  };
  return { kernel, bindings };
}
