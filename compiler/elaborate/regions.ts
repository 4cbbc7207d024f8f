/** Nested functions under construction: bodies of loops, sides of conditionals, functions handed to transformations. */
import type { Func, TensorType, Value } from '../tensor-ir/program.ts';
import { CapturingBuilder } from './capturing-builder.ts';
import type { Elaborator } from './elaborator.ts';

export class Region {
  readonly builder: CapturingBuilder;
  readonly parameters: Value[] = [];
  private readonly e: Elaborator;

  constructor(e: Elaborator) {
    this.e = e;
    this.builder = new CapturingBuilder(e.builder.span);
  }

  parameter(type: TensorType, name?: string): Value {
    const value = this.builder.parameter(type, name);
    this.parameters.push(value);
    return value;
  }

  /** Runs `body` while the region is what is being built. */
  run<T>(body: () => T): T {
    const { e } = this;
    const outer = e.builder;
    e.builder = this.builder;
    try {
      return body();
    } finally {
      e.builder = outer;
    }
  }
}

/** What a region reads from outside. */
export function capturedBy(regions: readonly Region[]): readonly Value[] {
  return [...new Set(regions.flatMap((r) => [...r.builder.captured.keys()]))];
}

/** Ends a region whose further parameters are `captured`: regions of one operation share the list. */
export function finishRegion(
  region: Region,
  name: string,
  results: readonly Value[],
  captured: readonly Value[],
): Func {
  const own = results.map((v) => region.builder.adopt(v));
  const extra = captured.map((v) => region.builder.adopt(v));
  return region.builder.finish(name, [...region.parameters, ...extra], own);
}
