/** Functions as closed regions: what transformations and control functions take. */
import type { Span } from '../diagnostics/span.ts';
import type { TensorType, Value } from '../tensor-ir/program.ts';
import { callFunction } from './call-function.ts';
import { nameOfFunction } from './describe.ts';
import type { Elaborator } from './elaborator.ts';
import type { TracedFunction } from './intrinsic.ts';
import { leavesOf } from './numbers.ts';
import { capturedBy, finishRegion, Region } from './regions.ts';
import { rebuild } from './terms.ts';
import type { FunctionTerm, Term, Type } from './value.ts';

/** See `ElaborationContext.trace`. */
export function trace(
  e: Elaborator,
  callee: FunctionTerm,
  args: readonly Term[],
  span: Span,
  types?: readonly TensorType[],
  expected?: Type,
): TracedFunction | undefined {
  const leaves: Value[] = [];
  const counts: number[] = [];
  for (const arg of args) {
    const own = leavesOf(e, arg, span);
    if (own === undefined) return undefined;
    leaves.push(...own);
    counts.push(own.length);
  }
  const region = new Region(e);
  const parameters = leaves.map((v, i) => region.parameter(types?.[i] ?? v.type, v.name));
  let next = 0;
  const inner = args.map((arg, i) => {
    const own = parameters.slice(next, next + counts[i]!);
    next += counts[i]!;
    return rebuild(arg, own);
  });
  return region.run(() => {
    const value = callFunction(e, callee, inner, expected, span);
    const results = leavesOf(e, value, span);
    if (results === undefined) return undefined;
    // an outer value given back as it is becomes a captured parameter too
    for (const result of results) region.builder.adopt(result);
    const captured = capturedBy([region]);
    const func = finishRegion(region, nameOfFunction(callee), results, captured);
    return { func, captured, result: rebuild(value, func.results) };
  });
}
