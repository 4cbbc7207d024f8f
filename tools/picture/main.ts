/**
 * tsx tools/picture/main.ts
 *
 * Writes docs/images/softmax.svg: samples/softmax/softmax.mlx beside its Metal kernel, as the compiler prints it.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { drawProgram } from './draw.ts';

const folder = new URL('../../docs/images/', import.meta.url);
mkdirSync(folder, { recursive: true });
writeFileSync(
  new URL('softmax.svg', folder),
  drawProgram('samples/softmax/softmax.mlx', 'softmax', { M: 4096, N: 2000 }),
);
