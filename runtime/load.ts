/** Loading bundles. */
import { type Bundle, readBundle } from './bundle.ts';
import { defaultDevice } from './default-device.ts';
import type { Device } from './device.ts';
import { type AnyFunctions, type Module, openModule } from './module.ts';
import { selectPlan } from './select-plan.ts';
import { validatePlan } from './validate-plan.ts';

export interface LoadOptions {
  /** Where functions run; by default the GPU on macOS, for bundles that have Metal kernels, else the CPU. */
  readonly device?: Device;
}

/**
 * Loads a bundle, from its folder or from memory, onto a device. The plan is checked in full before anything runs. Errors:
 * MLX5101 (absent), MLX5102 (damaged), MLX5103 (another version), MLX5104–5106, MLX5118 and MLX5123 (the device cannot be used),
 * MLX5117 (not built for this device). `load<typeof import('./model.mlxbundle/index.js')>(…)` gives the functions their
 * types, which nothing checks at run time.
 */
export async function load<Functions extends object = AnyFunctions>(
  source: string | Bundle,
  options: LoadOptions = {},
): Promise<Module<Omit<Functions, 'default'>>> {
  const bundle = typeof source === 'string' ? readBundle(source) : source;
  const device = options.device ?? defaultDevice(bundle);
  const plan = validatePlan(selectPlan(bundle.plan, device.target ?? device.name));
  const module: Module<object> = await openModule(bundle, plan, device);
  return module as Module<Omit<Functions, 'default'>>;
}
