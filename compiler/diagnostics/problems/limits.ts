/** Limits of the language that we know: MLX30xx. */
import type { Span } from '../span.ts';
import type { Problem } from './problem.ts';

export function nestedTooDeeply(span: Span): Problem {
  return {
    code: 'MLX3001',
    message: 'expressions or calls are nested too deeply',
    span,
    hint: 'bind parts with `let`, or use a loop',
  };
}

export function programTooLarge(span: Span): Problem {
  return {
    code: 'MLX3002',
    message: 'the program grows too large when calls are inlined and loops unrolled',
    span,
    hint: 'loop over a leading axis `S[N]` instead of a fixed array',
  };
}

export function rangeOutsideLoop(span: Span): Problem {
  return {
    code: 'MLX3003',
    message: 'a range stands only after `in` of a `for` loop',
    span,
    hint: '`arange(a, b)` makes a tensor of indices',
  };
}

export function functionLeavesRegion(what: string, span: Span): Problem {
  return {
    code: 'MLX3005',
    message: `${what} gives a function, which must be known when compiling`,
    span,
  };
}

export function compileTimeVariable(name: string, what: string, span: Span): Problem {
  return {
    code: 'MLX3006',
    message: `\`${name}\` is ${what}: a loop carries tensors only`,
    span,
  };
}

export function tooManyLeaves(limit: number, span: Span): Problem {
  return {
    code: 'MLX3007',
    message: `this type holds more than ${limit} tensors`,
    span,
    hint: '`S[N]` holds many structs along a leading axis of a few tensors',
  };
}
