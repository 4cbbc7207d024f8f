/**
 * Greatest and least floats of a vector loop, by integers of the same order. Compilers vectorise max over integers, in one
 * instruction; over floats that propagate NaN some do not at all and others need four.
 *
 *   int32_t largest_order = order_max_f32(largest);
 *   #pragma omp simd reduction(max:largest_order)
 *   for (...) { largest_order = max_i32(largest_order, order_max_f32(x[i])); }
 *   largest = from_order_f32(largest_order);
 */
import type { KernelScalar, Loop, Statement } from '../kernel-ir/program.ts';
import { forEachScalar, forEachStatement, ownScalars } from '../kernel-ir/statements.ts';
import type { DType } from '../tensor-ir/dtype.ts';

export interface OrderedReduction {
  readonly name: string;
  readonly monoid: 'max' | 'min';
  readonly dtype: 'f32' | 'f64';
  /** The dtype of the integers: i32 or i64. */
  readonly order: 'i32' | 'i64';
}

/** The reductions of a vector loop whose accumulator the body touches only in `name = max(name, ...)`. */
export function orderedReductions(
  loop: Loop,
  dtypeOf: (accumulator: string) => DType | undefined,
): readonly OrderedReduction[] {
  return (loop.reduces ?? []).flatMap(({ name, monoid }): OrderedReduction[] => {
    const dtype = dtypeOf(name);
    if ((monoid !== 'max' && monoid !== 'min') || (dtype !== 'f32' && dtype !== 'f64')) return [];
    if (countUses(loop.body, name) !== 1) return [];
    const assign = loop.body.find((s) => s.kind === 'assign' && s.name === name);
    if (assign === undefined || newCandidate(assign, monoid) === undefined) return [];
    return [{ name, monoid, dtype, order: dtype === 'f32' ? 'i32' : 'i64' }];
  });
}

/** `value` in `name = max(name, value)`, undefined for any other statement. */
export function newCandidate(
  statement: Statement,
  monoid: 'max' | 'min',
): KernelScalar | undefined {
  if (statement.kind !== 'assign') return undefined;
  const { name, value } = statement;
  if (value.kind !== 'call' || value.name !== monoid) return undefined;
  const isSelf = (s: KernelScalar): boolean => s.kind === 'variable' && s.name === name;
  const others = value.args.filter((arg) => !isSelf(arg));
  return others.length === 1 ? others[0] : undefined;
}

/** Reads of a variable in a block. */
function countUses(body: readonly Statement[], name: string): number {
  let uses = 0;
  forEachStatement(body, (statement) =>
    forEachScalar(ownScalars(statement), (s) => {
      if (s.kind === 'variable' && s.name === name) uses++;
    }),
  );
  return uses;
}
