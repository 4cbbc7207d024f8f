/**
 * mlxc/runtime: runs bundles, without the compiler.
 *
 *   const model = await load('model.mlxbundle');
 *   const y = model.functions.predict(weights, tensor(pixels, [32, 64]));
 */
export type { Argument } from './arguments.ts';
export { type Bundle, type ConstantTensor, readBundle } from './bundle.ts';
export { type CompileOptions, compileKernels } from './compile-kernels.ts';
export { cpuDevice } from './cpu-device.ts';
export type { Device, Executable, Program, Run, RunContext } from './device.ts';
export { MlxcError, type Problem } from './errors.ts';
export { type LoadOptions, load } from './load.ts';
export { type MetalDevice, metalDevice } from './metal-device.ts';
export type { KernelTiming, MetalInfo, MetalMemory } from './metal-native.ts';
export type { AnyFunctions, CallOptions, CompiledFunction, Module, Result } from './module.ts';
export { type MemoryStatistics, native } from './native.ts';
export { type Dims, Sizes } from './sizes.ts';
export { type NestedArray, Tensor, tensor } from './tensor.ts';
export type { TypedArray } from './typed-array.ts';
export { validatePlan } from './validate-plan.ts';
