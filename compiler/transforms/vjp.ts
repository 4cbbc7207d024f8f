/**
 * Reverse mode: forward mode, split, transpose.
 *
 *   f(x) { y = sin(x); return y }      f'(x, ct_y) { y = sin(x); c = cos(x); ct_x = mul(ct_y, c); return y, ct_x }
 */
import { instantiate } from '../primitives/values.ts';
import { Builder, makeValue } from '../tensor-ir/builder.ts';
import type { Func, Value } from '../tensor-ir/program.ts';
import { inlineJvp } from './jvp.ts';
import { derivativeName } from './names.ts';
import { partition } from './split.ts';
import { hasTangentType } from './tangents.ts';
import { accumulate, type Cotangents, transposeOperations } from './transpose.ts';

/**
 * The function that maps (arguments, cotangents of all float results) to (results, cotangents of the `wrt` parameters).
 * Primal operations are emitted once. Throws TransformProblem when an operation on the way has no reverse mode.
 */
export function vjpFunction(func: Func, wrt: readonly number[]): Func {
  const forward = new Builder();
  const primals = func.parameters.map((p) => makeValue(p.type, p.name));
  const tangents = func.parameters.map((p, i) =>
    wrt.includes(i) ? makeValue(p.type, derivativeName(p)) : undefined,
  );
  const dual = inlineJvp(forward, func, primals, tangents);

  const isLinear = new Set(tangents.filter((t) => t !== undefined));
  const parts = partition(forward.operations, isLinear);
  const b = new Builder();
  for (const op of parts.known) b.operations.push(op);

  const cotangents: Cotangents = new Map();
  const cotangentParameters: Value[] = [];
  dual.primals.forEach((primal, i) => {
    if (!hasTangentType(primal)) return;
    const parameter = makeValue(primal.type, derivativeName(primal));
    cotangentParameters.push(parameter);
    const tangent = dual.tangents[i];
    if (tangent !== undefined && isLinear.has(tangent)) {
      accumulate(b, cotangents, tangent, parameter);
    }
  });
  transposeOperations(b, parts.linear, isLinear, cotangents);
  const results = wrt.map((index) => {
    const tangent = tangents[index]!;
    return instantiate(b, cotangents.get(tangent), tangent.type);
  });
  return b.finish(
    `${func.name}_vjp`,
    [...primals, ...cotangentParameters],
    [...dual.primals, ...results],
  );
}
