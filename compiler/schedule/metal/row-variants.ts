/**
 * Metal schedule of rows of unknown length: one kernel that chooses how it runs by the length. The branch is the same for all threads,
 * and the host works out as many threadgroups as the choice needs. See row.ts.
 */
import type { KernelScalar } from '../../kernel-ir/program.ts';
import type { FusedFunction, FusedGroup } from '../../passes/fused-group.ts';
import { estimateSize } from '../../passes/materialize.ts';
import {
  add,
  ceildiv,
  type Int,
  int,
  max,
  min,
  multiply,
  one,
  product,
  subtract,
  zero,
} from '../../symbolic/integer.ts';
import { flopsOf } from '../group-cost.ts';
import type { ScheduledKernel } from '../kernel-builder.ts';
import type { KernelLabel } from '../schedule.ts';
import { extentOf, type StageStep } from '../stage-program.ts';
import { bindPoint, builderOf, inRange, simdWidth, whereBelow } from './layout.ts';
import { RowStages, registerRow, simdRow } from './row-stages.ts';

/** Rows up to this length have a simdgroup that holds no more than they need. */
const shortRow = 128;
/** Rows up to this length have a simdgroup when little is held of them, so that many threads find room. */
const mediumRow = 512;
/** More operations than this for an element are worth more threads at a time than fewer barriers are. */
const fewOperations = 10;
/** Threads of a threadgroup: eight simdgroups with a row each, or all with one. */
const threads = 256;

/** A kernel with a variant for each of the lengths that the rows may have. */
export function unknownRows(
  fused: FusedFunction,
  group: FusedGroup,
  steps: readonly StageStep[],
  label: KernelLabel,
  rows: Int,
): ScheduledKernel {
  const b = builderOf(fused, group, label);
  const each = registerRow / threads;
  const length = steps.map((s) => product(s.row.map(extentOf))).reduce(max);
  const upTo = (most: number): KernelScalar => inRange(length, int(most + 1));
  const variant = (placement: 'threads' | 'lanes', each: number | undefined, row: Int) => () =>
    b.apart(() =>
      new RowStages(fused, b, steps, bindPoint(group, row), threads, placement, each).run(),
    );
  // what is kept, if anything, is the same in all variants
  const { keeps } = new RowStages(fused, b, steps, new Map(), threads, 'threads', each);
  const isLight = keeps && isLightRow(fused, group, length);
  const longest = isLight ? simdRow : mediumRow;
  const byThreadgroup = (row: Int): void => {
    const again = variant('threads', undefined, row);
    if (keeps) b.if(upTo(registerRow), variant('threads', each, row), again);
    else again();
  };
  const bySimdgroup = (row: Int): void => {
    const long = variant('lanes', longest / simdWidth, row);
    const short = variant('lanes', shortRow / simdWidth, row);
    if (isLight) b.if(upTo(shortRow), short, long);
    else long();
  };
  if (rows === one) {
    b.loop('first', one, 'grid', () => byThreadgroup(zero));
    return b.finish({ ...label, grid: [one], threads, schedule: 'row' });
  }
  const perGroup = threads / simdWidth;
  const isShort = min(one, max(zero, subtract(int(longest + 1), length)));
  const blocks = ceildiv(rows, add(one, multiply(int(perGroup - 1), isShort)));
  b.loop('block', blocks, 'grid', (block) => {
    b.if(
      upTo(longest),
      () =>
        b.loop('s', int(perGroup), 'simdgroups', (s) => {
          const position = add(multiply(block, int(perGroup)), s);
          whereBelow(b, 'row', position, rows, false, bySimdgroup);
        }),
      () => byThreadgroup(b.letInteger('row', block, rows)),
    );
  });
  return b.finish({ ...label, grid: [blocks], threads, schedule: 'row' });
}

/** Whether rows of one tensor are read and little is computed of an element: a simdgroup may then hold more of them. */
function isLightRow(fused: FusedFunction, group: FusedGroup, length: Int): boolean {
  const elements = estimateSize(multiply(product(group.space.map(extentOf)), length));
  const tensors = [...group.reads].filter(
    ({ type }) => estimateSize(product(type.shape)) >= elements,
  );
  return tensors.length <= 1 && estimateSize(flopsOf(fused, group)) <= fewOperations * elements;
}
