import { alike, type Reference, withAliases } from '../entry.ts';

export const complexNumbers: Reference = withAliases(
  {
    complex: {
      signature: '(re: f32[...S], im: f32[...R] = 0) -> c64[...]',
      example: 'complex(array([1.0, 2.0]), -0.5)',
    },
    ...alike('(x: c64[...S]) -> f32[...S]', {
      real: 'real(complex(1.0, 2.0))',
      imag: 'imag(complex(1.0, 2.0))',
    }),
    conj: { signature: '(x: c64[...S]) -> c64[...S]', example: 'conj(complex(1.0, 2.0))' },
    angle: {
      signature: '(x: c64[...S], deg: bool = false) -> f32[...S]',
      example: 'angle(complex(0.0, array([1.0, -1.0])))',
    },
    dft: {
      signature: '(x: c64[...S, N], inverse: bool = false) -> c64[...S, N]',
      example: 'dft(array([1.0, 2.0, 3.0, 4.0]))',
    },
  },
  { conjugate: 'conj' },
);
