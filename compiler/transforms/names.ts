/** Names of derivatives: the tangent or cotangent of `h` is `d_h`, so that people find their way in what is generated. */
import { type Builder, makeValue } from '../tensor-ir/builder.ts';
import type { Value } from '../tensor-ir/program.ts';

export function derivativeName(value: Value): string | undefined {
  return value.name === undefined ? undefined : `d_${value.name}`;
}

/** The name of what became of a function: `step_linear`, `step_transpose`, however often it was split on the way. */
export function derivedName(name: string, what: 'linear' | 'transpose'): string {
  return `${name.replace(/(_linear|_transpose)+$/, '')}_${what}`;
}

/**
 * Names nameless values that operations from `start` on have just defined and not read, by giving those operations new
 * results. Returns the values to use instead.
 */
export function nameValues(
  b: Builder,
  start: number,
  values: readonly (Value | undefined)[],
  names: readonly (string | undefined)[],
): readonly (Value | undefined)[] {
  const renamed = new Map<Value, Value>();
  return values.map((value, i) => {
    if (value === undefined) return undefined;
    const before = renamed.get(value);
    if (before !== undefined) return before;
    const named = nameValue(b, start, value, names[i]);
    renamed.set(value, named);
    return named;
  });
}

function nameValue(b: Builder, start: number, value: Value, name: string | undefined): Value {
  if (name === undefined || value.name !== undefined) return value;
  for (let i = b.operations.length - 1; i >= start; i--) {
    const op = b.operations[i]!;
    if (op.operands.includes(value)) return value;
    const place = op.results.indexOf(value);
    if (place < 0) continue;
    const named = makeValue(value.type, name);
    b.operations[i] = { ...op, results: op.results.with(place, named) };
    return named;
  }
  return value;
}
