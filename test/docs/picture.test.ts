import { expect, test } from 'vitest';
import { drawProgram } from '../../tools/picture/draw.ts';

test('the picture of the README shows what the compiler prints (-u draws it anew)', async () => {
  const picture = drawProgram('samples/softmax/softmax.mlx', 'softmax', { M: 4096, N: 2000 });
  await expect(picture).toMatchFileSnapshot('../../docs/images/softmax.svg');
});
