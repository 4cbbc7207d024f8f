/** Which device runs a bundle when nobody says: the GPU on macOS when the bundle has kernels for it, else the CPU. */
import type { Bundle } from './bundle.ts';
import { cpuDevice } from './cpu-device.ts';
import type { Device } from './device.ts';
import { metalDevice } from './metal-device.ts';
import { hasMetal } from './metal-native.ts';

/** The device for a bundle; `gpu` gives the Metal device where there is one. */
export function defaultDevice(
  bundle: Bundle,
  gpu: () => Device | undefined = () => (hasMetal() ? metalDevice() : undefined),
): Device {
  return (hasMetalKernels(bundle) ? gpu() : undefined) ?? cpuDevice();
}

/** Whether the bundle was built for Metal. */
function hasMetalKernels({ plan, metal = '', metallib = '' }: Bundle): boolean {
  if (metal === '' && metallib === '') return false;
  const plans =
    typeof plan === 'object' && plan !== null && 'plans' in plan ? plan.plans : undefined;
  return typeof plans === 'object' && plans !== null && 'metal' in plans;
}
