/** Calls of functions on the Metal device with every check on: many functions in a library, a test for each call. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { NdArray } from '../../compiler/tensor-ir/nd-array.ts';
import type { Func } from '../../compiler/tensor-ir/program.ts';
import { hasDoubles } from '../../tools/fuzz/run.ts';
import { countMetal } from './metal-count.ts';
import { strictMetal } from './metal-device.ts';
import { callOnCpu, entryOf } from './run-on-cpu.ts';
import { compileProgramForMetal, type MetalProgram } from './run-on-metal-device.ts';

export interface MetalCase {
  readonly label: string;
  readonly func: Func;
  readonly operands: readonly NdArray[];
  readonly dims?: Readonly<Record<string, number>>;
  /** Fails when the results are wrong. */
  readonly check: (found: readonly NdArray[]) => void;
}

/** Functions in a library: enough that starting the compiler costs little, few enough that one that it refuses is soon found. */
export const perLibrary = 150;

/** A library for each so many. */
export function librariesOf<T>(items: readonly T[]): readonly (readonly [number, readonly T[]])[] {
  return Array.from({ length: Math.ceil(items.length / perLibrary) }, (_, i) => [
    i,
    items.slice(i * perLibrary, (i + 1) * perLibrary),
  ]);
}

/** A test of how many kernels a library has, which `npm run test:metal` adds up. */
export function countKernels(what: string, compiled: () => MetalProgram): void {
  test('its kernels compile', () => {
    const { kernels } = compiled();
    countMetal({ what, functions: 0, calls: 0, kernels });
    expect(kernels).toBeGreaterThan(0);
  });
}

/** Tests of all cases; those with an f64, which Metal has not, are left out aloud. */
export function describeMetalCases(what: string, cases: readonly MetalCase[]): void {
  const able = cases
    .filter(({ func }) => !hasDoubles(func))
    .map((c, i) => ({ ...c, func: { ...c.func, name: `${identifier(c.func.name)}_${i}` } }));
  if (able.length < cases.length) {
    console.log(
      `${what}: ${cases.length - able.length} of ${cases.length} cases have f64 values, which Metal has not`,
    );
  }

  describe.each(librariesOf(able))(`${what}, library %i`, (_, own) => {
    let program: MetalProgram;
    beforeAll(async () => {
      const entries = own.map(({ func }) => entryOf(func));
      program = await compileProgramForMetal({ stage: 'plain', entries }, strictMetal());
    }, 300_000);
    countKernels(what, () => program);

    test.each(own)('$label', ({ func, operands, dims, check }) => {
      countMetal({ what, functions: 1, calls: 1 });
      check(callOnCpu(program.module, func.name, operands, dims));
    });
  });
}

function identifier(name: string): string {
  return name.replace(/\W+/g, '_');
}
