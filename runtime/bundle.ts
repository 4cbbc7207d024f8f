/** Bundles: the artefact of a build, in memory or as a folder `NAME.mlxbundle/`. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { PlanFunction } from '../compiler/plan/plan.ts';
import type { DType } from '../compiler/tensor-ir/dtype.ts';
import { parseConstants } from './constants.ts';
import { MlxcError } from './errors.ts';
import type { TypedArray } from './typed-array.ts';

export interface ConstantTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TypedArray;
}

export interface Bundle {
  /** The content of plan.json, parsed; checked when the bundle is loaded. */
  readonly plan: unknown;
  /** The content of kernels.c; empty when the plan has no kernels. */
  readonly kernels: string;
  /** The content of kernels.metal; absent or empty when not built for Metal. */
  readonly metal?: string;
  /** The path of kernels.metallib, which is loaded instead of kernels.metal where there is one. */
  readonly metallib?: string;
  /** Libraries of single kernels (`extern` functions in HLSL and DXIL): the path or the bytes of each by its name in the plan. */
  readonly libraries?: ReadonlyMap<string, string | Uint8Array>;
  /** The content of constants.safetensors. */
  readonly constants: ReadonlyMap<string, ConstantTensor>;
}

/** Reads a bundle folder. MLX5101 when a file is missing, MLX5102 when one is damaged. */
export function readBundle(folder: string): Bundle {
  const text = (name: string): string | undefined => {
    try {
      return readFileSync(join(folder, name), 'utf8');
    } catch {
      return undefined;
    }
  };
  const plan = text('plan.json');
  if (plan === undefined) {
    throw new MlxcError(
      'MLX5101',
      `${folder} is no bundle: it has no plan.json that can be read`,
      'give the folder that `mlxc build -o NAME.mlxbundle` wrote',
    );
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(plan);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new MlxcError('MLX5102', `${join(folder, 'plan.json')} is not JSON: ${reason}`);
  }
  let bytes: Uint8Array | undefined;
  try {
    bytes = readFileSync(join(folder, 'constants.safetensors'));
  } catch {
    bytes = undefined; // a plan without constants has no such file; a missing one is reported by name
  }
  const metallib = resolve(folder, 'kernels.metallib');
  return {
    plan: parsed,
    kernels: text('kernels.c') ?? '',
    metal: text('kernels.metal') ?? '',
    ...(existsSync(metallib) ? { metallib } : {}),
    libraries: librariesIn(folder),
    constants: bytes === undefined ? new Map() : parseConstants(bytes),
  };
}

/** `extern-1-name.metallib`, ... */
function librariesIn(folder: string): ReadonlyMap<string, string> {
  const names = readdirSync(folder).filter((name) => /^extern-.*\.metallib$/.test(name));
  return new Map(names.map((name) => [name, resolve(folder, name)]));
}

/** The constants of a function in the order of its plan; MLX5102 when the bundle lacks one. */
export function constantsOf(planned: PlanFunction, bundle: Bundle): readonly TypedArray[] {
  return planned.buffers.flatMap((buffer) => {
    if (buffer.kind !== 'constant') return [];
    const constant = bundle.constants.get(buffer.constant ?? '');
    if (constant?.dtype === buffer.dtype) return [constant.data];
    throw new MlxcError('MLX5102', `the constant ${buffer.constant} is missing from the bundle`);
  });
}
