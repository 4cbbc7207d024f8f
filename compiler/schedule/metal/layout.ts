/** What the Metal schedules share: the sizes of threadgroups, and how work is spread over them. */
import type { KernelScalar } from '../../kernel-ir/program.ts';
import type { FusedFunction, FusedGroup } from '../../passes/fused-group.ts';
import { estimateSize } from '../../passes/materialize.ts';
import { constantValue, type Int, linearIn, one, product } from '../../symbolic/integer.ts';
import type { Value } from '../../tensor-ir/program.ts';
import { delinearize } from '../flatten.ts';
import { KernelBuilder, linearIndex } from '../kernel-builder.ts';
import { memoryReads } from '../memory-reads.ts';
import type { KernelLabel } from '../schedule.ts';
import { extentOf, nameOf } from '../stage-program.ts';

export const simdWidth = 32;

/** Threads of a threadgroup where nothing else decides: 8 simdgroups. */
export const defaultThreads = 256;

/** A builder that computes the element-wise values that the group stores, instead of loading them. */
export function builderOf(
  fused: FusedFunction,
  group: FusedGroup,
  label: KernelLabel,
): KernelBuilder {
  const b = new KernelBuilder(fused, label.dims);
  for (const stage of group.stages) {
    for (const { value } of stage.stores) {
      const op = fused.definitions.get(value);
      const isAnchor = op === group.contraction || op?.primitive.lower.kind === 'reduce';
      if (!isAnchor) b.computeHere(value);
    }
  }
  return b;
}

export function inRange(value: Int, extent: Int): KernelScalar {
  return { kind: 'in-range', dtype: 'bool', conditions: [{ value, extent }] };
}

/** Runs `body` where `position` is below `extent`, with the position as an index that is known to be. */
export function whereBelow(
  b: KernelBuilder,
  name: string,
  position: Int,
  extent: Int,
  isExact: boolean,
  body: (index: Int) => void,
): void {
  if (isExact) body(b.letInteger(name, position, extent));
  else b.if(inRange(position, extent), () => body(b.letInteger(name, position, extent)));
}

/** The variables of the group's space at the point with this number. */
export function bindPoint(group: FusedGroup, number: Int): Map<string, Int> {
  const renaming = new Map<string, Int>();
  delinearize(number, group.space.map(extentOf)).forEach((index, axis) =>
    renaming.set(nameOf(group.space[axis]!), index),
  );
  return renaming;
}

/** True when blocks of `size` tile `total` without a tail. */
export function isMultiple(total: Int, size: number): boolean {
  const constant = constantValue(total);
  return constant !== undefined && constant % size === 0;
}

/** Opens a grid loop for each variable and binds it. */
export function gridLoops(
  b: KernelBuilder,
  variables: readonly { readonly name: string; readonly extent: Int }[],
  renaming: Map<string, Int>,
  body: () => void,
): void {
  const [first, ...rest] = variables;
  if (first === undefined) body();
  else {
    b.loop('i', first.extent, 'grid', (i) => {
      renaming.set(first.name, i);
      gridLoops(b, rest, renaming, body);
    });
  }
}

/** Whether neighbours along `variable` are neighbours in memory, judged by the largest tensor behind the operand. */
export function isContiguous(
  fused: FusedFunction,
  value: Value,
  index: readonly Int[],
  variable: Int,
): boolean {
  const analysis = memoryReads(fused);
  let largest = -1;
  let contiguous = false;
  for (const read of analysis.readsAt(value, index)) {
    const size = estimateSize(product(read.value.type.shape));
    if (size <= largest) continue;
    largest = size;
    const address = linearIndex(read.index, read.value.type.shape);
    contiguous = linearIn(address, nameOf(variable))?.coefficient === one;
  }
  return contiguous;
}
