/** A function of a Metal plan with its dims bound: every size a number, for run.py. */
import { metalKernelName } from '../../compiler/kernel-ir/launch.ts';
import type { CopyStep, Plan, PlanFunction, Step } from '../../compiler/plan/plan.ts';
import { type Dims, Sizes } from '../../runtime/sizes.ts';

export type BoundStep = { readonly kind: Step['kind'] } & Readonly<Record<string, unknown>>;

export function boundPlan(plan: Plan, planned: PlanFunction, dims: Dims): object {
  const sizes = new Sizes();
  const kernels = plan.kernels.map((k) => ({
    name: k.external === undefined ? metalKernelName(k.name) : k.name,
    threads: k.threads,
    bindingTable: k.bindingTable,
    schedule: k.schedule,
    summary: k.summary,
    ...(k.external === undefined ? {} : { threadgroup: k.external.threadgroup }),
  }));
  const buffers = planned.buffers.map((b) => ({ ...b, size: sizes.count(b.size, dims) }));
  return { kernels, buffers, steps: bindSteps(planned.steps, sizes, dims) };
}

function bindSteps(steps: readonly Step[], sizes: Sizes, dims: Dims): BoundStep[] {
  const count = (text: string): number => sizes.count(text, dims);
  return steps.map((step) => {
    switch (step.kind) {
      case 'dispatch':
        return {
          ...step,
          integers: step.integers.map((text) => sizes.evaluate(text, dims)),
          grid: step.grid.map(count),
          bytes: count(step.bytes),
          flops: count(step.flops),
        };
      case 'loop':
        return { ...step, count: count(step.count), body: bindSteps(step.body, sizes, dims) };
      case 'branch':
        return {
          ...step,
          then: bindSteps(step.then, sizes, dims),
          otherwise: bindSteps(step.otherwise, sizes, dims),
        };
      case 'copy':
        return bindCopy(step, sizes, dims);
    }
  });
}

/** Offsets are linear in the iteration: [start, step]. */
function bindCopy(step: CopyStep, sizes: Sizes, dims: Dims): BoundStep {
  const linear = (text: string): readonly [number, number] => {
    const start = sizes.evaluate(text, dims, 0);
    return [start, text.includes('$iteration') ? sizes.evaluate(text, dims, 1) - start : 0];
  };
  return {
    ...step,
    size: sizes.count(step.size, dims),
    fromOffset: linear(step.fromOffset),
    toOffset: linear(step.toOffset),
  };
}
