/**
 * Finds the dims of a call from the shapes of its arguments.
 *
 *   x: f32[B, 64], found [3, 64]      gives B = 3
 *   w: f32[2*N], found [8]            gives N = 4
 *   x: f32[B, 64], 192 elements in a plain typed array gives B = 3: the shape is the rest
 *
 * Each axis (or element count) is an equation; those with one unknown that occurs linearly are solved until nothing moves.
 */
import { evaluate, type Int, linearIn, variableNames } from '../compiler/symbolic/integer.ts';
import type { Problem } from './errors.ts';
import type { Dims } from './sizes.ts';

export interface Equation {
  /** The parameter leaf, for messages. */
  readonly place: string;
  /** `dim 1`, or `number of elements`. */
  readonly what: string;
  readonly size: Int;
  /** The size as the signature writes it. */
  readonly text: string;
  readonly value: number;
  readonly expected: string;
  readonly found: string;
}

/** The dims, and one problem for each equation that does not hold and each dim that stays unknown. */
export function bindDims(
  names: readonly string[],
  equations: readonly Equation[],
  given: Dims,
): { readonly dims: Dims; readonly problems: readonly Problem[] } {
  const dims = new Map(given);
  const boundBy = new Map<string, Equation>();
  for (let isMoving = true; isMoving; ) {
    isMoving = false;
    for (const equation of equations) {
      const unknown = variableNames(equation.size).filter((name) => !dims.has(name));
      if (unknown.length !== 1) continue;
      const value = solve(equation, unknown[0]!, dims);
      if (value === undefined) continue;
      dims.set(unknown[0]!, value);
      boundBy.set(unknown[0]!, equation);
      isMoving = true;
    }
  }
  const problems = equations.flatMap((equation) => check(equation, dims, boundBy));
  if (problems.length === 0) {
    for (const name of names) {
      if (dims.has(name)) continue;
      problems.push({
        place: name,
        message: `no argument tells the dim ${name}: pass tensors with shapes, or give it as \`with({ dims: { ${name}: 4 } })\``,
      });
    }
  }
  return { dims, problems };
}

function solve(equation: Equation, name: string, dims: Dims): number | undefined {
  const linear = linearIn(equation.size, name);
  if (linear === undefined) return undefined;
  const coefficient = tryEvaluate(linear.coefficient, dims);
  const rest = tryEvaluate(linear.rest, dims);
  if (coefficient === undefined || rest === undefined || coefficient === 0) return undefined;
  const value = (equation.value - rest) / coefficient;
  return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

function tryEvaluate(size: Int, dims: Dims): number | undefined {
  try {
    return evaluate(size, (name) => dims.get(name));
  } catch {
    return undefined;
  }
}

function check(equation: Equation, dims: Dims, boundBy: ReadonlyMap<string, Equation>): Problem[] {
  const { place, what, size, text, value, expected, found } = equation;
  const unknown = variableNames(size).filter((name) => !dims.has(name));
  const actual = tryEvaluate(size, dims);
  if (actual === value) return [];
  let reason: string;
  if (actual !== undefined) {
    const elsewhere = variableNames(size)
      .map((name) => [name, boundBy.get(name)] as const)
      .filter(([, source]) => source !== undefined && source !== equation)
      .map(([name, source]) => `${name} is ${dims.get(name)} by ${source!.place}`);
    const because = elsewhere.length === 0 ? '' : ` (${elsewhere.join(', ')})`;
    const wanted = text === `${actual}` ? text : `${text} = ${actual}`;
    reason = `${what} is ${value} here but must be ${wanted}${because}`;
  } else if (unknown.length === 0) {
    reason = `${what} is ${text}, which leaves a remainder`;
  } else if (unknown.length === 1) {
    reason = `${what} is ${value} here, which no ${unknown[0]} makes ${text}`;
  } else {
    reason = `${what} is ${text} and ${unknown.join(' and ')} are unknown: pass a tensor with its shape`;
  }
  return [{ place, message: reason, expected, found }];
}
