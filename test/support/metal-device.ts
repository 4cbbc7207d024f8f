/** Programs on the Metal device of this machine (its GPU, else the simulator), held against the reference evaluator. */
import { expect } from 'vitest';
import { interpreterDevice } from '../../compiler/driver/interpreter.ts';
import { compileOrThrow } from '../../index.ts';
import {
  type Argument,
  type CallOptions,
  load,
  type Module,
  type Result,
  Tensor,
} from '../../runtime/index.ts';
import { type MetalDevice, metalDevice } from '../../runtime/metal-device.ts';
import { type MetalName, type MetalNative, metalNative } from '../../runtime/metal-native.ts';
import { expectAllClose } from './all-close.ts';
import { fromTensor } from './run-on-cpu.ts';

const name: MetalName = process.platform === 'darwin' ? 'metal' : 'metal-sim';

/** With every temporary in a buffer of its own, so that the simulator sees each access beyond one. */
export function strictMetal(): MetalDevice {
  const device = metalDevice(name);
  metalAddon().configure({ separate: true });
  return device;
}

export function metalAddon(): MetalNative {
  return metalNative(name);
}

/** The same program on both devices. */
export class Both {
  readonly metal: Module;
  readonly evaluator: Module;

  private constructor(metal: Module, evaluator: Module) {
    this.metal = metal;
    this.evaluator = evaluator;
  }

  /** From a source, or from the path of one. */
  static async of(
    source: string | { readonly path: string },
    device: MetalDevice,
    dims: Readonly<Record<string, number>> = {},
  ): Promise<Both> {
    const bundle = compileOrThrow(source, { targets: ['metal'], dims });
    const [metal, evaluator] = await Promise.all([
      load(bundle, { device }),
      load(bundle, { device: interpreterDevice(bundle.program) }),
    ]);
    return new Both(metal, evaluator);
  }

  /** Calls a function on both, compares all leaves and gives what Metal found. */
  call(
    functionName: string,
    args: readonly Argument[],
    { tolerance, ...options }: CallOptions & { readonly tolerance?: number } = {},
  ): Result {
    // first: the call on Metal may use its arguments up
    const expected = this.evaluator.function(functionName).with({ dims: options.dims ?? {} })(
      ...args,
    );
    const found = this.metal.function(functionName).with(options)(...args);
    expectSame(found, expected, functionName, tolerance);
    return found;
  }
}

/** The tensors of a result, in order. */
export function leavesOf(result: Result): readonly Tensor[] {
  if (result instanceof Tensor) return [result];
  return Object.values(result as Readonly<Record<string, Result>>).flatMap(leavesOf);
}

function expectSame(found: Result, expected: Result, what: string, tolerance?: number): void {
  const a = leavesOf(found);
  const b = leavesOf(expected);
  expect(a.length).toBe(b.length);
  for (const [i, leaf] of a.entries()) {
    expectAllClose(fromTensor(leaf), fromTensor(b[i]!), `${what}: leaf ${i}`, tolerance);
  }
}

/** Numbers between -1 and 1 that look random and are always the same. */
export function numbers(count: number, seed = 1): Float32Array {
  let state = seed * 2654435761;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}
