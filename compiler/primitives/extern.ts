/** A function with a kernel that the user wrote. */
import type { Int } from '../symbolic/integer.ts';
import { definePrimitive, type Primitive } from '../tensor-ir/primitive.ts';
import type { Attrs } from '../tensor-ir/program.ts';
import { callRules } from '../transforms/regions/call.ts';
import { require } from './checks.ts';
import { byRegion, requireRegions, requireTypes, typesOf } from './regions.ts';

export interface ExternAttrs extends Attrs {
  /** What the kernel is written in: `metal`, `hlsl` or `dxil`. */
  readonly language: string;
  /** Names the source; its text is not part of the program. */
  readonly source: string;
  /** The kernel's name in the source. */
  readonly kernel: string;
  /** Threads along x, y, z. */
  readonly grid: readonly Int[];
  /** Threads of a threadgroup along x, y, z. */
  readonly threads: readonly number[];
  /** Names and values of the dims of the signature, which the kernel gets as a struct of `int`. */
  readonly names: readonly string[];
  readonly dims: readonly Int[];
}

/**
 * `extern(args...) { fun }`: fun(args), which a device that has the language computes by the kernel. Derivatives and
 * batching see `fun`; so does every other device (passes/inline-kernels.ts).
 */
export const extern: Primitive<ExternAttrs> = definePrimitive<ExternAttrs>({
  name: 'extern',
  inferType: (operands, { grid, threads, names, dims }, regions) => {
    requireRegions('extern', regions, 1);
    requireTypes('parameters of the function', operands, typesOf(regions[0]!.parameters));
    const axes = [grid.length, threads.length];
    require(axes.every((n) => n >= 1 && n <= 3), () =>
      `extern runs over 1 to 3 axes, found ${axes}`);
    require(names.length === dims.length, () => 'extern has a name for each of its dims');
    return typesOf(regions[0]!.results);
  },
  evaluate: (operands, _, context) => context.call(context.op.regions[0]!, operands),
  jvp: byRegion,
  transpose: byRegion,
  batch: byRegion,
  regional: callRules,
  cost: { flops: 0 },
  lower: { kind: 'custom' },
});
