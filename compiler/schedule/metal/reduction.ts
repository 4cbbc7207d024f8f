/**
 * Reductions over the threads that share a row: each thread combines its elements, simdgroups combine their lanes, and the
 * results of several simdgroups meet in threadgroup memory. The tree is fixed, so results repeat bit for bit.
 */
import { identityOf } from '../../kernel-ir/monoids.ts';
import type { Buffer, KernelScalar } from '../../kernel-ir/program.ts';
import { type Int, int, one } from '../../symbolic/integer.ts';
import type { KernelBuilder } from '../kernel-builder.ts';
import { type Accumulator, declareAccumulator, type ReduceStep } from '../stage-program.ts';
import { inRange, simdWidth } from './layout.ts';

/** A reduction under way: its step and the accumulators that each thread holds. */
export interface Running {
  readonly step: ReduceStep;
  readonly accumulator: Accumulator;
}

export function beginReductions(b: KernelBuilder, steps: readonly ReduceStep[]): Running[] {
  return steps.map((step) => ({ step, accumulator: declareAccumulator(b, step) }));
}

/** Where `inside` does not hold, nothing changes. */
export function updateReductions(
  b: KernelBuilder,
  running: readonly Running[],
  renaming: ReadonlyMap<string, Int>,
  inside?: KernelScalar,
): void {
  for (const { step, accumulator } of running) {
    const element = step.element(b, renaming);
    const { dtype } = element;
    const otherwise = identityOf(step.monoid, step.dtype);
    accumulator.update(
      inside === undefined
        ? element
        : {
            kind: 'select',
            dtype,
            condition: inside,
            then: element,
            otherwise,
            isGuard: false,
          },
      step.position?.(b, renaming),
    );
  }
}

/** The accumulators of a reduction by name: the value, and for argmax and argmin its index. */
interface Parts {
  readonly value: KernelScalar & { readonly name: string };
  readonly index: (KernelScalar & { readonly name: string }) | undefined;
}

function isNamed(scalar: KernelScalar): scalar is KernelScalar & { readonly name: string } {
  return scalar.kind === 'variable';
}

function partsOf({ accumulator }: Running): Parts {
  const { best, result } = accumulator;
  const value = best ?? result;
  if (!isNamed(value) || !isNamed(result)) throw new TypeError('an accumulator has a name');
  return { value, index: best === undefined ? undefined : result };
}

function simdReduce(b: KernelBuilder, running: Running): void {
  const { value, index } = partsOf(running);
  const { monoid } = running.step;
  b.emit(
    index === undefined
      ? { kind: 'simd-reduce', name: value.name, monoid }
      : { kind: 'simd-reduce', name: value.name, monoid, index: index.name },
  );
}

/** Combines over `simdgroups` simdgroups; afterwards every thread holds the results, and `at` finds them by value. */
export function endReductions(
  b: KernelBuilder,
  running: readonly Running[],
  simdgroups: number,
): void {
  if (running.length === 0) return;
  for (const r of running) simdReduce(b, r);
  if (simdgroups > 1) {
    const shared = running.map((r) => {
      const { value, index } = partsOf(r);
      const allocate = (scalar: KernelScalar & { readonly name: string }): Buffer =>
        b.allocate(`${scalar.name}_parts`, scalar.dtype, 'threadgroup', int(simdgroups));
      const parts = [{ scalar: value, buffer: allocate(value) }];
      if (index !== undefined) parts.push({ scalar: index, buffer: allocate(index) });
      return { running: r, parts };
    });
    b.loop('s', int(simdgroups), 'simdgroups', (s) => {
      b.loop('first', one, 'lanes', () => {
        for (const { parts } of shared) {
          for (const { scalar, buffer } of parts) {
            b.emit({ kind: 'store', buffer, index: s, value: scalar });
          }
        }
      });
    });
    b.emit({ kind: 'barrier', device: false });
    b.loop('l', int(simdWidth), 'lanes', (l) => {
      for (const { running: r, parts } of shared) {
        parts.forEach(({ scalar, buffer }, i) => {
          const identity =
            i === 0
              ? identityOf(r.step.monoid, scalar.dtype)
              : ({ kind: 'constant', dtype: 'i32', value: 0 } as const);
          const value: KernelScalar =
            simdgroups === simdWidth
              ? b.loadFrom(buffer, l)
              : {
                  kind: 'select',
                  dtype: scalar.dtype,
                  condition: inRange(l, int(simdgroups)),
                  then: b.loadFrom(buffer, l),
                  otherwise: identity,
                  isGuard: true,
                };
          b.emit({ kind: 'assign', name: scalar.name, value });
        });
        simdReduce(b, r);
      }
    });
  }
  for (const { step, accumulator } of running) {
    b.setOnChip(step.value, () => accumulator.result);
  }
}
