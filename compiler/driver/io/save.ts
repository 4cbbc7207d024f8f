/** Saves named tensors by the suffix of the path: .npz, .npy (one tensor), .safetensors. */
import { FileProblem, UsageError } from '../errors.ts';
import { writeAtomically } from './files.ts';
import type { HostTensor } from './host-tensor.ts';
import { formatNpy } from './npy.ts';
import { formatNpz } from './npz.ts';
import { formatSafetensors } from './safetensors.ts';

/** Refuses a path that `saveTensors` could not write to, before any work is done. */
export function checkSavePath(path: string): void {
  if (!/\.(npz|npy|safetensors)$/.test(path)) {
    throw new UsageError(`--save ${path}: unknown kind of file`, 'use .npz, .npy or .safetensors');
  }
}

/** Written atomically. f16 as NumPy's; bf16, which NumPy lacks, as f32 in .npz and .npy. Errors: MLX5002, MLX5004. */
export async function saveTensors(
  path: string,
  tensors: ReadonlyMap<string, HostTensor>,
): Promise<void> {
  if (path.endsWith('.npz')) return writeAtomically(path, await formatNpz(tensors));
  if (path.endsWith('.safetensors')) return writeAtomically(path, formatSafetensors(tensors));
  const [tensor, ...others] = tensors.values();
  if (tensor === undefined || others.length > 0) {
    throw new FileProblem(
      'MLX5004',
      path,
      `a .npy file holds one array, the result has ${tensors.size}`,
      'save as .npz',
    );
  }
  writeAtomically(path, formatNpy(tensor));
}
