/** Kernels of `extern` functions: MLX26xx. */
import type { Span } from '../span.ts';
import type { Problem } from './problem.ts';

export function unknownKernelFile(path: string, span: Span, hint: string | undefined): Problem {
  return {
    code: 'MLX2601',
    message: `cannot find the kernel's file "${path}"`,
    span,
    hint: hint ?? 'the path is seen from this file: "./kernels.metal"',
  };
}

export function unknownKernel(
  name: string,
  source: string,
  span: Span,
  suggestion: string | undefined,
  known: readonly string[],
): Problem {
  const hint =
    suggestion !== undefined
      ? `did you mean "${suggestion}"?`
      : known.length === 0
        ? 'a kernel is declared `[[kernel]] void name(…)`'
        : `it has ${known.map((k) => `"${k}"`).join(', ')}`;
  return {
    code: 'MLX2602',
    message: `${source} has no kernel \`${name}\``,
    span,
    hint,
  };
}

/** Generic in a dtype or tree, or with a parameter that is no tensor. */
export function openKernelSignature(name: string, reason: string, span: Span): Problem {
  return {
    code: 'MLX2603',
    message: `the kernel of \`${name}\` needs tensors of known dtype and rank: ${reason}`,
    span,
    hint: 'an `extern` function is generic in dims only; wrap it in a function that is more general',
  };
}

export function kernelWithoutResult(name: string, span: Span): Problem {
  return {
    code: 'MLX2604',
    message: `the kernel of \`${name}\` gives nothing`,
    span,
    hint: 'write the result type `-> f32[N]`: its tensors are what the kernel writes',
  };
}

export function wrongAxisCount(what: 'grid' | 'threads', count: number, span: Span): Problem {
  return {
    code: 'MLX2605',
    message: `\`${what}\` has ${count} sizes; a kernel runs over 1 to 3 axes`,
    span,
  };
}

export function openThreads(dim: string, span: Span): Problem {
  return {
    code: 'MLX2606',
    message: `the size of a threadgroup must be a number, found ${dim}`,
    span,
    hint: 'write a number such as `threads(64)`; the grid may depend on dims',
  };
}

export function wrongThreads(product: number, limit: number, span: Span): Problem {
  return {
    code: 'MLX2607',
    message: `a threadgroup of ${product} threads; Metal has 1 to ${limit}`,
    span,
  };
}

export function kernelInclude(path: string, source: string, span: Span): Problem {
  return {
    code: 'MLX2608',
    message: `"${source}" includes "${path}", which is not there when the device compiles it`,
    span,
    hint: 'a kernel is one file; put what it includes into it',
  };
}

export function kernelNamesClash(name: string, source: string, other: string, span: Span): Problem {
  return {
    code: 'MLX2609',
    message: `"${source}" and "${other}" both define \`${name}\``,
    span,
    hint: 'all kernels are one library: put the name into a namespace of the file',
  };
}

export function tooManyKernelBuffers(count: number, limit: number, span: Span): Problem {
  return {
    code: 'MLX2610',
    message: `the kernel takes ${count} buffers; Metal binds ${limit}`,
    span,
    hint: 'stack tensors of one type into one',
  };
}

/** metal-shaderconverter's own words about DXIL that it cannot convert. */
export function converterRefused(text: string, span: Span): Problem {
  return { code: 'MLX4103', message: `metal-shaderconverter: ${text}`, span };
}

export function threadsDiffer(wanted: string, found: string, span: Span): Problem {
  return {
    code: 'MLX4104',
    message: `the kernel has threadgroups of (${found}), the function says threads(${wanted})`,
    span,
    hint: '`[numthreads(x, y, z)]` of the source and `threads` are the same numbers',
  };
}

export function unknownRegister(
  register: string,
  reads: number,
  writes: number,
  span: Span,
): Problem {
  return {
    code: 'MLX4105',
    message: `the kernel uses the register ${register}, which stands for nothing`,
    span,
    hint: `arguments are ${registerRange('t', reads)}, results ${registerRange('u', writes)}, the dims b0`,
  };
}

function registerRange(letter: string, count: number): string {
  return count === 1 ? `${letter}0` : `${letter}0 to ${letter}${count - 1}`;
}

/** A warning: the program is right, and slower than it was meant to be. */
export function kernelRunsBody(name: string, reason: string, span: Span): Problem {
  return {
    code: 'MLX4110',
    message: `the kernel \`${name}\` is left out: its function runs its body on Metal`,
    span,
    notes: [reason.replace(/^MLX\d+: /, '').replace(/\n\s*/g, '; ')],
  };
}
