/**
 * Vector loops that find the place of an extreme value. Compilers do not vectorise a reduction over (value, index)
 * pairs, so each lane keeps its own pair and the lanes are combined at the end:
 *
 *   float best_lanes[16]; int32_t at_lanes[16];           each lane starts with the pair so far
 *   for (i_block = 0; i_block < N; i_block += 16)
 *     #pragma omp simd
 *     for (lane = 0; lane < min_i64(16, N - i_block); lane++) { i = i_block + lane; ... }
 *   best = best_lanes[0] ...                               the better value, then the smaller index
 */
import { InternalError } from '../diagnostics/internal-error.ts';
import type { Loop, Statement } from '../kernel-ir/program.ts';
import { isFloat } from '../tensor-ir/dtype.ts';
import { emitIndex } from './emit-scalar.ts';
import type { StatementContext } from './emit-statement.ts';
import { level, within } from './precedence.ts';
import { valueType } from './types.ts';

const lanes = 16;
/** gcc 12 stores vectors to such arrays as aligned without aligning them, unless told to. */
const aligned = '__attribute__((aligned(64)))';

export function emitPairReduction(
  loop: Loop,
  context: StatementContext,
  emitBody: (body: readonly Statement[], indent: string) => string[],
): string[] {
  const { names } = context;
  const pairs = (loop.reduces ?? []).map((reduce) => {
    if ((reduce.monoid !== 'argmax' && reduce.monoid !== 'argmin') || reduce.index === undefined) {
      throw new InternalError(`${reduce.monoid} of ${reduce.name} without an index`);
    }
    const dtype = context.accumulators.get(reduce.name);
    const indexDtype = context.accumulators.get(reduce.index);
    if (dtype === undefined || indexDtype === undefined) {
      throw new InternalError(`no accumulator ${reduce.name} or ${reduce.index}`);
    }
    const value = names.value(reduce.name);
    const index = names.value(reduce.index);
    return {
      value,
      index,
      isMax: reduce.monoid === 'argmax',
      canBeNaN: isFloat(dtype),
      type: valueType(dtype),
      indexType: valueType(indexDtype),
      valueLanes: names.fresh(`${value}_lanes`),
      indexLanes: names.fresh(`${index}_lanes`),
    };
  });
  const variable = names.integer(loop.variable);
  const block = names.fresh(`${variable}_block`);
  const lane = names.fresh('lane');
  const extent = emitIndex(loop.extent, context);
  context.need('arithmetic.h');
  const each = `for (int ${lane} = 0; ${lane} < ${lanes}; ${lane}++)`;
  return [
    '{',
    ...pairs.flatMap((p) => [
      `  ${p.type} ${p.valueLanes}[${lanes}] ${aligned};`,
      `  ${p.indexType} ${p.indexLanes}[${lanes}] ${aligned};`,
      `  ${each} ${p.valueLanes}[${lane}] = ${p.value}, ${p.indexLanes}[${lane}] = ${p.index};`,
    ]),
    `  for (int64_t ${block} = 0; ${block} < ${extent.text}; ${block} += ${lanes}) {`,
    '    #pragma omp simd',
    `    for (int64_t ${lane} = 0; ${lane} < min_i64(${lanes}, ${within(extent, level.sum)} - ${block}); ${lane}++) {`,
    `      const int64_t ${variable} = ${block} + ${lane};`,
    ...pairs.flatMap((p) => [
      `      ${p.type} ${p.value} = ${p.valueLanes}[${lane}];`,
      `      ${p.indexType} ${p.index} = ${p.indexLanes}[${lane}];`,
    ]),
    ...emitBody(loop.body, '      '),
    ...pairs.flatMap((p) => [
      `      ${p.valueLanes}[${lane}] = ${p.value};`,
      `      ${p.indexLanes}[${lane}] = ${p.index};`,
    ]),
    '    }',
    '  }',
    ...pairs.flatMap((p) => {
      const [x, i] = [`${p.valueLanes}[${lane}]`, `${p.indexLanes}[${lane}]`];
      const isBetter = `${x} ${p.isMax ? '>' : '<'} ${p.value}`;
      const isTie = p.canBeNaN
        ? `(${x} == ${p.value} || (${x} != ${x} && ${p.value} != ${p.value}))`
        : `${x} == ${p.value}`;
      const isFirstNaN = p.canBeNaN ? ` || (${x} != ${x} && ${p.value} == ${p.value})` : '';
      return [
        `  ${each} {`,
        `    if (${isBetter}${isFirstNaN} || (${isTie} && ${i} < ${p.index})) ${p.value} = ${x}, ${p.index} = ${i};`,
        '  }',
      ];
    }),
    '}',
  ];
}
