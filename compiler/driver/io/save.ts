/** Files of named tensors, by the suffix of the path: .npz, .npy (one tensor), .safetensors. */
import { Tensor } from '../../../runtime/tensor.ts';
import { FileProblem, UsageError } from '../errors.ts';
import { readBytes, writeAtomically } from './files.ts';
import type { HostTensor } from './host-tensor.ts';
import { formatNpy, parseNpy } from './npy.ts';
import { formatNpz, parseNpz } from './npz.ts';
import { formatSafetensors, parseSafetensors } from './safetensors.ts';

/**
 * Reads all tensors of a file by name; the one of a .npy file is called `result`. Errors: MLX5001 (absent), MLX5003 (unknown
 * kind), MLX5010–5012 (damaged).
 */
export async function readTensors(path: string): Promise<ReadonlyMap<string, Tensor>> {
  const tensors = await readHostTensors(path, path);
  return new Map(
    [...tensors].map(([name, { dtype, shape, data }]) => [name, new Tensor(dtype, shape, data)]),
  );
}

/** The same as plain data; `place` names the file in errors. */
export async function readHostTensors(
  path: string,
  place: string,
): Promise<ReadonlyMap<string, HostTensor>> {
  if (path.endsWith('.npz')) return parseNpz(readBytes(path, place), place);
  if (path.endsWith('.safetensors')) return parseSafetensors(readBytes(path, place), place);
  if (path.endsWith('.npy')) return new Map([['result', parseNpy(readBytes(path, place), place)]]);
  throw new FileProblem(
    'MLX5003',
    place,
    'is of no kind that can be read',
    'use .npy, .npz or .safetensors',
  );
}

/** Refuses a path that `saveTensors` could not write to, before any work is done. */
export function checkSavePath(path: string): void {
  if (!/\.(npz|npy|safetensors)$/.test(path)) {
    throw new UsageError(`--save ${path}: unknown kind of file`, 'use .npz, .npy or .safetensors');
  }
}

/** Saves named tensors; written atomically. f16 as NumPy's; bf16, which NumPy lacks, as f32 in .npz and .npy. Errors: MLX5002, MLX5004. */
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
