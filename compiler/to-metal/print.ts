/**
 * Prints kernels as one Metal library. Everything is decided in kernel IR; the text is the same from run to run.
 *
 * Rules of the text: every library name is qualified (`metal::`), helpers are ours (`mlxc::`) and present only when
 * used, pointers name their address space, buffers have explicit indices. Meant to be compiled with math mode safe.
 */
import { InternalError } from '../diagnostics/internal-error.ts';
import { metalKernelName } from '../kernel-ir/launch.ts';
import type { Buffer, Kernel, KernelScalar } from '../kernel-ir/program.ts';
import { forEachScalar, forEachStatement, ownScalars } from '../kernel-ir/statements.ts';
import { emitKernel } from './emit-kernel.ts';

/**
 * The Metal source of a program's kernels. `helpers` gives the text of helpers/NAME.metal, `sources` those that users wrote:
 * each comes once, after ours, so that what it says (`using namespace`, macros) holds in it alone or in those after it. Throws InternalError when a
 * kernel uses f64 (see `unsupportedOnMetal`) or when two kernels share a name.
 */
export function printMetal(
  kernels: readonly Kernel[],
  helpers: (name: string) => string,
  sources: (name: string) => string = noSource,
): string {
  const needed = new Set<string>();
  const seen = new Set<string>();
  const external = new Set<string>();
  const texts = kernels.flatMap((kernel) => {
    if (kernel.external !== undefined) {
      if (kernel.external.language === 'metal') external.add(kernel.external.source);
      return [];
    }
    const name = metalKernelName(kernel.name);
    if (seen.has(name)) throw new InternalError(`two kernels are called ${name}`);
    seen.add(name);
    return emitKernel(kernel, (helper) => needed.add(helper));
  });
  const helperTexts = helpersInOrder([...needed].sort(), helpers).map((text) => `${text}\n`);
  const written = [...external].map((name) => externalText(name, sources(name)));
  return ['#include <metal_stdlib>\n', ...helperTexts, ...texts, ...written].join('\n');
}

/** A source that a user wrote: errors in it name its own file and lines. */
export function externalText(name: string, text: string): string {
  const file = name.replace(/^.*[\\/]/, '').replace(/[\\"\n\r]/g, '_');
  return `#line 1 "${file}"\n${text.trimEnd()}\n`;
}

function noSource(name: string): string {
  throw new InternalError(`the source ${name} of a kernel is not there`);
}

/** Why the kernel cannot run on Metal, or undefined when it can: Metal has no double precision. */
export function unsupportedOnMetal(kernel: Kernel): string | undefined {
  const isDouble = (b: Buffer): boolean => b.dtype === 'f64';
  let found = kernel.parameters.some((p) => isDouble(p.buffer));
  const seen = new Set<KernelScalar>();
  forEachStatement(kernel.body, (s) => {
    forEachScalar(
      ownScalars(s),
      (scalar) => {
        found ||= scalar.dtype === 'f64';
      },
      seen,
    );
  });
  return found ? 'Metal has no f64: compute in f32, or run on the CPU' : undefined;
}

/** Each helper after those that it names in its first line, `// needs: a b`. */
function helpersInOrder(
  needed: readonly string[],
  helpers: (name: string) => string,
): readonly string[] {
  const texts = new Map<string, string>();
  const visit = (name: string): void => {
    if (texts.has(name)) return;
    const text = helpers(name);
    const others = /^\/\/ needs: (.*)\n/.exec(text)?.[1]?.split(' ') ?? [];
    for (const other of others) visit(other);
    texts.set(name, text.replace(/^\/\/ needs: .*\n/, '').trimEnd());
  };
  for (const name of needed) visit(name);
  return [...texts.values()];
}
