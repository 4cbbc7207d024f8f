/** What must hold when compiling. */
import type { Intrinsic } from '../intrinsic.ts';
import { intrinsic, required } from './support.ts';

export const assertions: readonly Intrinsic[] = [
  intrinsic(
    'static_assert',
    [required('condition'), required('message')],
    'Nothing where the condition, which must be known when compiling, holds; elsewhere an error that says `message`. For choices ' +
      'that are strings or ints: `static_assert(mode == "sum" || mode == "mean", "...")`.',
    (a) => {
      if (!a.boolean('condition')) a.fail('MLX2485', a.string('message'));
      return { kind: 'tuple', items: [] };
    },
  ),
];
