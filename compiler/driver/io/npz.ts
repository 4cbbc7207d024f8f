/**
 * NumPy's .npz: a zip archive of .npy files. The central directory is read first, so that sizes can be refused
 * before anything is inflated.
 */
import { FileProblem } from '../errors.ts';
import type { HostTensor } from './host-tensor.ts';
import { formatNpy, parseNpy } from './npy.ts';

/** Deflate cannot expand by more than about 1032; a member that claims more is damaged or hostile. */
const mostExpansion = 1040;

function problem(place: string, message: string, hint?: string): FileProblem {
  return new FileProblem('MLX5011', place, message, hint);
}

/**
 * Reads all arrays, or those that `wanted` accepts. Errors: MLX5011 (not a zip archive, damaged, two members of one name), MLX5010 (a
 * member is not .npy).
 */
export async function parseNpz(
  bytes: Uint8Array,
  place: string,
  wanted: (key: string) => boolean = () => true,
): Promise<ReadonlyMap<string, HostTensor>> {
  const { unzipSync } = await import('fflate');
  const tensors = new Map<string, HostTensor>();
  const keys = new Set<string>();
  let members: Record<string, Uint8Array>;
  if (bytes.length < 22 || bytes[0] !== 0x50 || bytes[1] !== 0x4b) {
    throw problem(place, 'is not a .npz file (a zip archive)', 'write it with numpy.savez');
  }
  try {
    members = unzipSync(bytes, {
      filter: (file) => {
        const key = keyOf(file.name);
        if (keys.has(key)) throw problem(place, `holds two arrays named \`${key}\``);
        keys.add(key);
        if (file.size > bytes.length || file.originalSize > 64 + file.size * mostExpansion) {
          throw problem(
            place,
            `its member \`${file.name}\` claims an impossible size`,
            'copy or save the file again',
          );
        }
        return wanted(key);
      },
    });
  } catch (error) {
    if (error instanceof FileProblem) throw error;
    throw problem(
      place,
      `is damaged (${error instanceof Error ? error.message : String(error)})`,
      'copy or save the file again',
    );
  }
  for (const [name, member] of Object.entries(members)) {
    tensors.set(keyOf(name), parseNpy(member, `${place}:${keyOf(name)}`));
  }
  return tensors;
}

function keyOf(member: string): string {
  return member.replace(/\.npy$/, '');
}

/** The bytes of a .npz file; members are stored, not deflated, as numpy.savez does. */
export async function formatNpz(tensors: ReadonlyMap<string, HostTensor>): Promise<Uint8Array> {
  const { zipSync } = await import('fflate');
  const members: Record<string, Uint8Array> = {};
  for (const [key, tensor] of tensors) members[`${key}.npy`] = formatNpy(tensor);
  // A fixed date (the first that zip has) keeps the bytes a function of the arrays.
  return zipSync(members, { level: 0, mtime: new Date(1980, 0, 1) });
}
