/**
 * Bundles in memory, as `compile` makes them and the runtime loads them:
 *
 *   NAME.mlxbundle/  plan.json  kernels.c  kernels.metal  constants.safetensors  index.js  index.d.ts
 *                    kernels.metallib  extern-1-NAME.metallib ...   where they were built (toolchain/)
 */
import type { Bundle, ConstantTensor } from '../../runtime/bundle.ts';
import { MlxcError } from '../../runtime/errors.ts';
import {
  makeTypedArray,
  numberToBf16,
  numberToF16,
  type TypedArray,
} from '../../runtime/typed-array.ts';
import { declareBundle } from '../bindings/declare.ts';
import { defineBundle } from '../bindings/define.ts';
import type { PlannedProgram } from '../plan/make-plan.ts';
import { type BundlePlan, type Plan, planVersion } from '../plan/plan.ts';
import { constantValue } from '../symbolic/integer.ts';
import type { DType } from '../tensor-ir/dtype.ts';
import type { ConstantData, Program, Value } from '../tensor-ir/program.ts';
import type { CompilerHost, Target } from './host.ts';
import { formatSafetensors } from './io/safetensors.ts';
import type { KernelLibrary } from './kernel-libraries.ts';
import type { TargetProgram } from './pipeline.ts';

/** What `compile` gives: a bundle that `load` takes as it is, with the rest of what is written to disk. */
export interface CompiledBundle extends Bundle {
  /** Base name of the folder it would be written to. */
  readonly name: string;
  readonly plan: BundlePlan;
  /** The C of all kernels for the CPU; empty when not built for it. */
  readonly kernels: string;
  /** The Metal source of all kernels; empty when not built for Metal. */
  readonly metal: string;
  /** Libraries of kernels that are not in `metal`, by the name that the plan has for them. */
  readonly libraries: ReadonlyMap<string, Uint8Array>;
  readonly constants: ReadonlyMap<string, ConstantTensor>;
  /** The program behind the kernels, for the interpreter; not part of what is written. */
  readonly program: Program<'plain'>;
  /** Every file of the bundle by name; printing the TypeScript declarations loads ts-morph. */
  files(): Promise<ReadonlyMap<string, string | Uint8Array>>;
  /**
   * Writes the bundle as a folder, whole or not at all; an older bundle there is replaced. `more` are further files of it.
   * MLX5002 when it cannot be written, or when something else is there.
   */
  write(folder: string, more?: ReadonlyMap<string, Uint8Array>): Promise<void>;
}

export function makeBundle(
  name: string,
  program: Program<'plain'>,
  programs: readonly TargetProgram[],
  compiled: readonly KernelLibrary[],
  host: CompilerHost,
): CompiledBundle {
  const pool = new ConstantPool();
  const plans: { [target in Target]?: Plan } = {};
  for (const { target, planned } of programs) plans[target] = pool.share(planned);
  const textOf = (target: Target): string => programs.find((p) => p.target === target)?.text ?? '';
  const plan: BundlePlan = { version: planVersion, name, plans };
  const kernels = textOf('cpu');
  const metal = textOf('metal');
  const { constants } = pool;
  const functions = Object.values(plans)[0]?.functions ?? [];
  const used = new Set(plans.metal?.kernels.map((kernel) => kernel.external?.library));
  const libraries = new Map(
    compiled.filter(({ file }) => used.has(file)).map(({ file, bytes }) => [file, bytes]),
  );
  const files = async (): Promise<ReadonlyMap<string, string | Uint8Array>> =>
    new Map<string, string | Uint8Array>([
      ['plan.json', `${JSON.stringify(plan)}\n`],
      ...(plans.cpu === undefined ? [] : [['kernels.c', kernels] as const]),
      ...(plans.metal === undefined ? [] : [['kernels.metal', metal] as const]),
      ...libraries,
      ['constants.safetensors', formatSafetensors(constants)],
      ['index.js', defineBundle(functions)],
      ['index.d.ts', await declareBundle(functions)],
    ]);
  const write = async (
    folder: string,
    more: ReadonlyMap<string, Uint8Array> = new Map(),
  ): Promise<void> => {
    if (host.writeFolder === undefined) {
      throw new MlxcError('MLX5002', `${folder} cannot be written: the host has no file system`);
    }
    host.writeFolder(folder, new Map([...(await files()), ...more]), 'plan.json');
  };
  return { name, plan, program, kernels, metal, libraries, constants, files, write };
}

/** Gives each constant one key for all targets: their plans number them by first use. */
class ConstantPool {
  readonly constants = new Map<string, ConstantTensor>();
  private readonly keys = new Map<Value, string>();

  share({ plan, constants }: PlannedProgram): Plan {
    const renamed = new Map(
      constants.map(({ key, value, data }) => [key, this.keyOf(value, data)]),
    );
    const functions = plan.functions.map((f) => ({
      ...f,
      buffers: f.buffers.map((buffer) =>
        buffer.constant === undefined
          ? buffer
          : { ...buffer, constant: renamed.get(buffer.constant)! },
      ),
    }));
    return { ...plan, functions };
  }

  private keyOf(value: Value, data: ConstantData): string {
    let key = this.keys.get(value);
    if (key === undefined) {
      key = `c${this.keys.size}`;
      this.keys.set(value, key);
      const shape = value.type.shape.map((dim) => constantValue(dim)!);
      this.constants.set(key, {
        dtype: value.type.dtype,
        shape,
        data: packConstant(value.type.dtype, data),
      });
    }
    return key;
  }
}

/** Constants hold f16 and bf16 as rounded numbers; memory and files hold their bits. */
function packConstant(dtype: DType, data: ConstantData): TypedArray {
  if (dtype !== 'f16' && dtype !== 'bf16') return data;
  const pack = dtype === 'f16' ? numberToF16 : numberToBf16;
  const bits = makeTypedArray(dtype, data.length);
  for (let i = 0; i < data.length; i++) bits[i] = pack(Number(data[i]));
  return bits;
}
