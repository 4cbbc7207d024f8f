/** What there is to say where functions cannot run on Metal. */
import { MlxcError } from './errors.ts';

/** MLX5118: the Metal device is not there, and what it needs. */
export function noMetal(platform: NodeJS.Platform = process.platform): MlxcError {
  const reason =
    platform === 'darwin'
      ? 'this version writes Metal kernels and does not run them yet'
      : `the Metal device needs macOS with a Metal GPU, this is ${platform}`;
  return new MlxcError(
    'MLX5118',
    reason,
    'use the device cpu; kernels.metal is written all the same',
  );
}
