/** Where the scratch buffers of a CPU kernel lie in the memory of a worker: one after the other, each on a cache line. */
import { add, floordiv, type Int, int, multiply, substitute, zero } from '../symbolic/integer.ts';
import { byteSize } from '../tensor-ir/dtype.ts';
import type { Buffer, Kernel, Statement } from './program.ts';
import { nestedBlocks } from './statements.ts';

const alignment = 64;

/** Byte offset of each scratch buffer, over the integers of the kernel. */
export interface ScratchLayout {
  readonly offsets: ReadonlyMap<Buffer, Int>;
  readonly bytes: Int;
}

export function scratchLayout(kernel: Kernel): ScratchLayout {
  const offsets = new Map<Buffer, Int>();
  let bytes = zero;
  const visit = (statements: readonly Statement[]): void => {
    for (const statement of statements) {
      if (statement.kind === 'allocate' && statement.buffer.space === 'scratch') {
        const { buffer } = statement;
        if (offsets.has(buffer)) continue;
        offsets.set(buffer, bytes);
        bytes = add(bytes, roundUp(multiply(buffer.size, int(byteSize(buffer.dtype)))));
      }
      for (const block of nestedBlocks(statement)) visit(block);
    }
  };
  visit(kernel.body);
  return { offsets, bytes };
}

function roundUp(bytes: Int): Int {
  const cells = floordiv(add(bytes, int(alignment - 1)), int(alignment));
  return multiply(cells, int(alignment));
}

/** Bytes of scratch per worker over the dims of the program: what `PlanKernel.scratchBytes` holds. */
export function scratchBytes(kernel: Kernel): Int {
  const values = new Map(kernel.integers.map((i) => [i.name, i.value]));
  return substitute(scratchLayout(kernel).bytes, (v) =>
    v.extent === undefined ? values.get(v.name) : undefined,
  );
}
