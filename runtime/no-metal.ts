/** What there is to say where functions cannot run on Metal. */
import { MlxcError } from './errors.ts';

/** MLX5118: the Metal device is not there, and what it needs. */
export function noMetal(platform: NodeJS.Platform = process.platform): MlxcError {
  if (platform === 'darwin') {
    const cure =
      'build it with `npm run bootstrap` (needs the command line tools), or use the device cpu';
    return new MlxcError('MLX5118', 'the addon of the Metal device is not built', cure);
  }
  return new MlxcError(
    'MLX5118',
    `the Metal device needs macOS with a Metal GPU, this is ${platform}`,
    'use the device cpu; kernels.metal is written all the same',
  );
}
