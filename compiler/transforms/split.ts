/**
 * The linear split of reverse mode (Radul, Paszke, Frostig, Johnson, Maclaurin: You Only Linearize Once, POPL 2023):
 * what forward mode wrote, `known` values first and what depends on a tangent (`linear`) after.
 *
 *   f'(x, dx) { y = sin(x); c = cos(x); dy = mul(dx, c); return y, dy }
 *   known(x) { y = sin(x); c = cos(x); return y, c }      linear(c, dx) { dy = mul(dx, c); return dy }
 *
 * A known value that a linear operation reads (here c) is a residual. Only operations with regions mix the two
 * kinds; their `split` rule cuts them in two.
 */

import { removeDeadOperations } from '../passes/dead-code.ts';
import { reshape } from '../primitives/reshape.ts';
import { Builder, makeValue } from '../tensor-ir/builder.ts';
import { byteSize } from '../tensor-ir/dtype.ts';
import type { Func, Operation, Value } from '../tensor-ir/program.ts';
import { derivedName } from './names.ts';

export interface Partition {
  readonly known: readonly Operation[];
  readonly linear: readonly Operation[];
}

/** Sorts operations into known and linear; `isLinear` holds the linear inputs and gains all linear results. */
export function partition(body: readonly Operation[], isLinear: Set<Value>): Partition {
  const known: Operation[] = [];
  const linear: Operation[] = [];
  for (const op of body) {
    const flags = op.operands.map((v) => isLinear.has(v));
    if (!flags.includes(true)) {
      known.push(op);
      continue;
    }
    const parts = op.primitive.regional?.split(op, flags) ?? { known: [], linear: [op] };
    for (const part of parts.known) known.push(part);
    for (const part of parts.linear) {
      linear.push(part);
      for (const r of part.results) isLinear.add(r);
    }
  }
  return { known, linear };
}

/** A function cut in two. Results keep their order within each half. */
export interface LinearSplit {
  /** Parameters: the known ones. Results: the known results, then `residuals`. */
  readonly known: Func;
  /** Parameters: `residuals`, then the linear ones. Results: those in `isLinearResult`. */
  readonly linear: Func;
  /** Values of `known` that `linear` reads; parameters of `known` may be among them. */
  readonly residuals: readonly Value[];
  readonly isLinearResult: readonly boolean[];
}

/**
 * Splits a function by which parameters are linear. Results in `forceLinear` are given by the linear half even when they are
 * known. Constants and views are repeated rather than saved.
 */
export function linearSplit(
  func: Func,
  isLinearParameter: readonly boolean[],
  forceLinear: readonly boolean[] = [],
): LinearSplit {
  const isLinear = new Set(func.parameters.filter((_, i) => isLinearParameter[i]));
  const parts = partition(func.body, isLinear);
  const isLinearResult = func.results.map((v, i) => forceLinear[i] === true || isLinear.has(v));
  const linearResults = func.results.filter((_, i) => isLinearResult[i]);
  const repeated = repeatable(parts.known);
  const linearBody = removeDeadOperations([...repeated, ...parts.linear], linearResults);
  const residuals = freeValues(linearBody, linearResults, isLinear);
  const knownParameters = func.parameters.filter((_, i) => !isLinearParameter[i]);
  const knownResults = func.results.filter((_, i) => !isLinearResult[i]);
  const results = [...knownResults, ...residuals];
  return {
    known: {
      name: func.name,
      parameters: knownParameters,
      body: removeDeadOperations(parts.known, results),
      results,
    },
    linear: copyFunction({
      name: derivedName(func.name, 'linear'),
      parameters: [...residuals, ...func.parameters.filter((_, i) => isLinearParameter[i])],
      body: linearBody,
      results: linearResults,
    }),
    residuals,
    isLinearResult,
  };
}

/**
 * Operations that are cheaper to repeat than their results are to save: what is computed from constants alone, and views
 * and widenings, whose operand is no larger than their result (and often a parameter, saved anyway).
 */
function repeatable(known: readonly Operation[]): readonly Operation[] {
  const values = new Set<Value>();
  return known.filter((op) => {
    const isFree =
      op.operands.every((v) => values.has(v)) &&
      op.regions.length === 0 &&
      (op.operands.length === 0 || op.primitive.lower.kind === 'element');
    if (isFree) for (const r of op.results) values.add(r);
    return isFree || isWideningView(op);
  });
}

function isWideningView(op: Operation): boolean {
  switch (op.primitive.name) {
    case 'broadcast':
    case 'reshape':
    case 'permute':
      return true;
    case 'convert':
      return byteSize(op.operands[0]!.type.dtype) < byteSize(op.results[0]!.type.dtype);
    default:
      return false;
  }
}

/** What a body reads and does not define, in order of first use, without the linear inputs. */
function freeValues(
  body: readonly Operation[],
  results: readonly Value[],
  isLinear: ReadonlySet<Value>,
): readonly Value[] {
  const defined = new Set(body.flatMap((op) => op.results));
  const free = new Set<Value>();
  const visit = (v: Value): void => {
    if (!defined.has(v) && !isLinear.has(v)) free.add(v);
  };
  for (const op of body) op.operands.forEach(visit);
  results.forEach(visit);
  return [...free];
}

/** The operations of a function on the operands of `op`, with the results of `op` as theirs. */
export function inlinedAs(func: Func, op: Operation): readonly Operation[] {
  const copies = new Map<Value, Value>(func.parameters.map((p, i) => [p, op.operands[i]!]));
  const copied: Operation[] = [];
  const results = new Map<Value, Value>();
  op.results.forEach((result, i) => {
    const value = func.results[i]!;
    if (!results.has(value) && !copies.has(value)) results.set(value, result);
  });
  for (const inner of func.body) {
    const operands = inner.operands.map((v) => copies.get(v)!);
    for (const v of inner.results) copies.set(v, results.get(v) ?? makeValue(v.type, v.name));
    copied.push({ ...inner, operands, results: inner.results.map((v) => copies.get(v)!) });
  }
  // a parameter, or a value that is given twice, cannot be a second value at once
  op.results.forEach((result, i) => {
    const value = copies.get(func.results[i]!)!;
    if (value === result) return;
    const b = new Builder(op.span);
    b.apply(reshape, [value], { shape: value.type.shape });
    copied.push(...b.operations.map((identity) => ({ ...identity, results: [result] })));
  });
  return copied;
}

/** The same function on fresh values. */
export function copyFunction(func: Func): Func {
  const copies = new Map<Value, Value>();
  const copy = (v: Value): Value => {
    const fresh = makeValue(v.type, v.name);
    copies.set(v, fresh);
    return fresh;
  };
  const read = (v: Value): Value => copies.get(v)!;
  const parameters = func.parameters.map(copy);
  const body = func.body.map((op) => {
    const operands = op.operands.map(read);
    return { ...op, operands, results: op.results.map(copy) };
  });
  return { name: func.name, parameters, body, results: func.results.map(read) };
}
