/** Complex numbers from their parts, and their parts again. What other functions do with them: ../complex-calls.ts. */

import type { Value } from '../../tensor-ir/program.ts';
import { isComplex } from '../complex.ts';
import { angle, conjugate, join, takeApart } from '../complex-math.ts';
import type { Intrinsic } from '../intrinsic.ts';
import { isWeak } from '../numbers.ts';
import { tensorTerm } from '../terms.ts';
import type { Term } from '../value.ts';
import { type Arguments, intrinsic, intTerm, optional, required } from './support.ts';

/** The parts of a c64; undefined for a real number. */
function partsOf(a: Arguments): ReturnType<typeof takeApart> | undefined {
  const term = a.term('x');
  return isComplex(term) ? takeApart(a.builder, term.value) : undefined;
}

function part(names: readonly string[], doc: string, of: (a: Arguments) => Term): Intrinsic[] {
  return names.map((name) => intrinsic(name, [required('x')], doc, of));
}

export const complexNumbers: readonly Intrinsic[] = [
  intrinsic(
    'complex',
    [required('re'), optional('im', intTerm(0))],
    're + i im as c64, from f32; both broadcast. `complex(0.0, 1.0)` is the imaginary unit.',
    (a) => {
      const parts = ['re', 'im'].map((name): Value => {
        const term = a.term(name);
        const value = isComplex(term) ? undefined : a.value(name, 'f32');
        if (value?.type.dtype === 'f32') return value;
        const found = a.context.showType(a.context.typeOf(term));
        return a.fail('MLX2487', `\`complex\` takes two parts in f32, found ${found}`, {
          span: a.spanOf(name),
          hint: '`f32(x)` converts a real number',
        });
      });
      const spans = [a.spanOf('re'), a.spanOf('im')];
      const [re, im] = a.need(a.context.broadcastTogether(parts, spans));
      return tensorTerm(join(a.builder, { re: re!, im: im! }), 'complex');
    },
  ),
  ...part(['real'], 'The real part; of a real number, the number.', (a) =>
    isWeak(a.term('x')) ? a.term('x') : a.tensor(partsOf(a)?.re ?? a.value('x')),
  ),
  ...part(['imag'], 'The imaginary part; of a real number, 0.', (a) => {
    const parts = partsOf(a);
    if (parts !== undefined) return a.tensor(parts.im);
    const { dtype, shape } = a.value('x').type;
    return a.tensor(a.fill(0, dtype, shape));
  }),
  ...part(
    ['conj', 'conjugate'],
    'The complex conjugate re - i im; of a real number, the number.',
    (a) => {
      if (isWeak(a.term('x'))) return a.term('x');
      const parts = partsOf(a);
      if (parts === undefined) return a.tensor(a.value('x'));
      return tensorTerm(join(a.builder, conjugate(a.builder, parts)), 'complex');
    },
  ),
  intrinsic(
    'angle',
    [required('x'), optional('deg', { kind: 'boolean', value: false })],
    'The angle of a complex number in (-pi, pi], or in degrees; of a negative real number, pi.',
    (a) => {
      const parts = partsOf(a);
      const x = parts === undefined ? a.value('x', 'f32') : undefined;
      const zero = x === undefined ? undefined : a.fill(0, x.type.dtype, x.type.shape);
      const turned = x === undefined ? angle(a.builder, parts!) : a.apply('atan2', [zero!, x]);
      if (!a.boolean('deg')) return a.tensor(turned);
      const { dtype, shape } = turned.type;
      return a.tensor(a.apply('mul', [turned, a.fill(180 / Math.PI, dtype, shape)]));
    },
  ),
];
