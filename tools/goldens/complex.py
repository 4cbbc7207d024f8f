"""Goldens of test/golden/programs/complex.mlx and fourier.mlx: NumPy in double precision; gradients by JAX in double precision.

Run: python tools/goldens/complex.py (it writes complex.json, the functions of the lengths into fourier.mlx, and files/complex.npz)
"""

import os

import jax
import jax.numpy as jnp
import numpy as np

from case_files import CaseFile

jax.config.update('jax_enable_x64', True)
FOLDER = os.path.join(os.path.dirname(__file__), '../../test/golden/programs')
LENGTHS = [1, 2, 5, 16, 67, 100, 263, 1000]
rng = np.random.default_rng(7)


def normal(*shape):
    """Numbers that f32 holds, so that the oracle sees what the program sees."""
    return rng.standard_normal(shape).astype(np.float32).astype(np.float64)


def complex_normal(*shape):
    return normal(*shape) + 1j * normal(*shape)


def real(x):
    return np.asarray(x, np.float32)


def steepest(f, z):
    """d/dre + i d/dim: the conjugate of what JAX gives."""
    return np.conj(np.asarray(jax.grad(f)(jnp.asarray(z))))


def loss(z):
    return (jnp.sum(jnp.abs(z)) + jnp.real(jnp.sum(z * z / (z + 3)))
            + jnp.sum(jnp.imag(jnp.exp(z)) + jnp.angle(z + 5) + jnp.abs(jnp.log(z + 4))))


def more(z):
    return jnp.sum(jnp.abs(jnp.tanh(z) + jnp.sqrt(z) + jnp.sin(z) * jnp.cosh(z)) + jnp.real(z**3 + jnp.conj(z) ** z))


def square_and_exp(z):
    return z * z + jnp.exp(z)


def complex_cases(cases):
    def add(function, arguments, result, **more):
        cases.add('complex', function, arguments, result, **more)

    axes = np.array([1, -1, 1j, -1j, 2 + 1j, -2 + 1j, -0.5 - 2j, 0.25 - 0.125j, -3 + 0j])
    z = np.concatenate([axes, complex_normal(6)])
    w = complex_normal(15)
    add('arithmetic', [z, w], [z + w, z - w, z * w, z / w, z - 1, 1 / w])
    add('powers', [z, w], [z**2, z**3, z**-2.0, z**0.5, z**w, z * z / w], tolerance=1e-4)
    add('parts', [z], [real(z.real), real(z.imag), np.conj(z), real(abs(z)), real(np.angle(z)), real(np.angle(z, deg=True))])
    extremes = np.array([0, 3e30 - 4e30j, 1e-30 + 1e-30j, complex(np.inf, 1)])
    add('parts', [extremes], [real(extremes.real), real(extremes.imag), np.conj(extremes), real(abs(extremes)),
                              real(np.angle(extremes)), real(np.angle(extremes, deg=True))])
    f = [np.exp, np.log, np.sqrt, np.sin, np.cos, np.tan, np.sinh, np.cosh, np.tanh]
    add('functions', [z], [g(z) for g in f])
    other = z.copy()
    other[::2] += 1
    odd = np.array([complex(np.nan, 0), complex(0, np.inf), 1 + 2j])
    add('compare', [z, other], [z == other, z != other, np.isnan(z), np.isfinite(z), np.True_, np.False_])
    add('compare', [odd, odd], [odd == odd, odd != odd, np.isnan(odd), np.isfinite(odd), np.False_, np.False_])
    m = complex_normal(2, 3)
    add('reductions', [m], [m.sum(), m.mean(0), m.prod(1), m.prod(), m.prod(-2), m.cumsum(1), m.cumprod(1), m.prod(1, keepdims=True)])
    v = np.exp(1j * normal(7))
    add('long_product', [v], v.prod())
    a, b, v = complex_normal(2, 3), complex_normal(3, 2), complex_normal(3)
    add('products', [a, b, v], [a @ b, a @ v, v.dot(v), np.vdot(v, v), np.outer(v, v), np.trace(a @ b), a @ b @ a, np.diagonal(a @ b)])
    i = np.array([2, 0, -1, 1], np.int32)
    add('structure', [m, i], [m.T, np.concatenate([m, m.conj()]), m[:, 1], m[:, ::2], np.roll(m[::-1], 1, 1), np.pad(m, 1),
                              m[:, None, :], m[:, i], m.reshape(3, 2)])
    u = np.complex128(2 - 3j)
    at, added, column = m.copy(), m.copy(), m.copy()
    at[0, 1] = u
    added[1] += 1j
    column[:, 1] = 2
    add('updates', [m, u, np.int32(1)], [at, added, column, np.where(m.imag > 0, m, 1)])
    x = normal(3)
    add('made', [x], [x + 0j, np.zeros((2, 2), complex), np.ones(2, complex), x + 0j, np.ones(3, complex), np.array([1j, 1]),
                      np.full(3, 1j)])
    z4, amplitude, phase = complex_normal(4), complex_normal(2), np.float32(0.75)
    total = 0
    for x in z4:
        total = total * x + 1
    wave = {'amplitude': amplitude * np.exp(1j * float(phase)), 'phase': phase}
    for flag in (True, False):
        add('control', [{'amplitude': amplitude, 'phase': phase}, z4, np.bool_(flag)],
            [wave, np.complex128(total), z4 if flag else z4.conj(), (z4 * z4).sum()])
    m = complex_normal(3, 4)
    add('mapped', [m], [(m * m.conj()).sum(1), m.sum(0)])
    z = np.concatenate([np.array([1 + 1j, -1 + 2j, 0.5 - 0.5j, 2j]), complex_normal(5)])
    add('gradients', [z], [steepest(loss, z), steepest(more, z)], tolerance=1e-4)
    # angle has the gradient i / conj(z); at 0 both abs and angle give 0
    kinks = np.array([0, 1, 1j, 3 - 4j])
    safe = np.where(kinks == 0, 1, kinks)
    add('kinks', [kinks], np.where(kinks == 0, 0, safe / abs(safe) + 1j / safe.conj()))
    t = complex_normal(9)
    value, tangent = jax.jvp(square_and_exp, (jnp.asarray(z),), (jnp.asarray(t),))
    add('pushed', [z, t], [np.asarray(value), np.asarray(tangent)])
    # JAX's pullback is bilinear; ours is the adjoint of the real inner product
    _, pullback = jax.vjp(square_and_exp, jnp.asarray(z))
    add('pulled', [z, t], np.conj(np.asarray(pullback(jnp.asarray(t.conj()))[0])))

    m, v = complex_normal(2, 3), complex_normal(3)
    i = np.array([[2], [0]], np.int32)
    put = m.copy()
    np.put_along_axis(put, i, 2j, 1)
    add('moved', [m, v, i], [np.diag(v), np.vstack([m, m]), np.insert(m, 1, 1j, 1), np.rot90(m), np.tile(m, (1, 3)), m.repeat(2, 0),
                             np.take_along_axis(m, i, 1), put, np.tril(m), m[:, 0], np.delete(m, 1, 1), m[1]])
    z, c = complex_normal(4), np.array([True, False, False, True])
    for at in (0, 2):
        updated = z.copy()
        updated[at:at + 2] = z[:2] * 2
        add('chosen', [z, c, np.int32(at)], [np.select([c, z.imag > 0], [z, z.conj()], 0), np.full(4, 1 + 2j), z[at:at + 2], updated,
                                             np.roll(z, 1), np.int32(c.sum()), z * 2, [z, -z, z + 1][at]])
    a, b, v, w = complex_normal(2, 3), complex_normal(3, 2), complex_normal(3), complex_normal(3)
    add('multiplied', [a, b, v, w], [np.kron(a, b), np.convolve(v, w), np.tensordot(b, a, 1), np.inner(a, v)[:, None] * np.ones((1, 3)),
                                     np.cross(v, w), a @ v, v.conj() @ b, np.vdot(v, w), np.diff(a[:, 0] * a[:, 1], prepend=1 + 1j),
                                     np.einsum('ij,kj->ikj', a, a.conj()), np.polyval(v, w)])
    z, u = complex_normal(5), 1.5 - 0.5j
    power, spiral = u, u
    for k in range(3):
        power = power * power + k
    while abs(spiral) < 10:
        spiral *= 1 + 1j
    add('repeated', [z, np.complex128(u)], [z[::-1].cumprod()[::-1], np.complex128(power), np.complex128(spiral), np.exp(z),
                                            np.complex128(z.sum() + u), [z * 2, np.complex128(2 * u)]])
    # the cotangent of imag is i, whose conjugate the rule multiplies by z
    add('custom', [z], -1j * z)


def fourier_cases(cases):
    def add(function, arguments, result, **more):
        cases.add('fourier', function, arguments, result, **more)

    f = np.fft
    for n in (1, 2, 5, 12, 30):
        z = complex_normal(n)
        add('symbolic', [z], [f.fft(z), f.ifft(z, norm='ortho')])
    for n in (2, 5, 8, 13):
        x = normal(n)
        add('symbolic_real', [x], [f.rfft(x), x])
    for n in LENGTHS:
        z, x = complex_normal(n), normal(n)
        add(f'length_{n}', [z, x], [f.fft(z), f.ifft(z), f.rfft(x)], tolerance=1e-4 if n > 200 else None)
    z = complex_normal(2, 6)
    add('sized', [z], [f.fft(z, 4), f.fft(z, 9), f.ifft(z, 3, 0), f.fft(z, norm='ortho'), f.fft(z, norm='forward'),
                       f.ifft(z, norm='forward')])
    x = normal(3, 5)
    spectrum = f.rfft(x)
    add('of_real', [x], [spectrum, f.rfft(x, axis=0), x, f.irfft(spectrum), f.irfft(spectrum, 7), f.fft(x)])
    z, x = complex_normal(2, 3, 4), normal(2, 3, 4)
    add('planes', [z], [f.fft2(z), f.ifft2(z), f.fftn(z), f.fftn(z, s=(2, 5), axes=(-2, -1)), f.ifftn(z, axes=(0, 2)), f.ifftn(z)])
    add('real_planes', [x], [f.rfft2(x), f.rfftn(x), x, x, f.rfftn(x, s=(1, 4), axes=(0, 2))])
    z = complex_normal(3, 4)
    add('helpers', [z], [f.fftfreq(5), f.fftfreq(6, 0.5), f.rfftfreq(5), f.fftshift(z), f.ifftshift(z), f.fftshift(z, axes=1)])
    x, w = normal(12), normal(7)
    add('gradient', [x, w], np.asarray(jax.grad(lambda x: jnp.sum(w * jnp.abs(jnp.fft.rfft(x))))(jnp.asarray(x))))
    z, w = complex_normal(9), normal(9)
    add('gradient_of_inverse', [z, w], steepest(lambda z: jnp.sum(w * jnp.real(jnp.fft.ifft(z) ** 2)), z))
    x, w = normal(300), normal(300)
    add('convolved', [x, w], f.irfft(f.rfft(x) * f.rfft(w), 300), tolerance=1e-4)


def write_lengths(path):
    """A function for each length: sizes must be known when compiling."""
    lines = [f"""export fn length_{n}(z: c64[{n}], x: f32[{n}]) -> (c64[{n}], c64[{n}], c64[{n // 2 + 1}]) {{
  (fft(z), ifft(z), rfft(x))
}}
""" for n in LENGTHS]
    text = open(path).read()
    begin, end = text.index('\n', text.index('symbolic_real')), text.index('export fn sized')
    begin = text.index('}\n', begin) + 2
    open(path, 'w').write(text[:begin] + '\n' + '\n'.join(lines) + '\n' + text[end:])


def write_file(path):
    """What NumPy writes of complex numbers, in each order of memory."""
    z = np.arange(6, dtype=np.float32).reshape(2, 3)
    z = (z + 1j * (10 + z)).astype(np.complex64)
    np.savez(path, plain=z, fortran=np.asfortranarray(z), big_endian=z.astype('>c8'), scalar=np.complex64(1 - 2j))


if __name__ == '__main__':
    write_file(os.path.join(FOLDER, '../files/complex.npz'))
    write_lengths(os.path.join(FOLDER, 'fourier.mlx'))
    cases = CaseFile(os.path.join(FOLDER, 'complex.json'))
    complex_cases(cases)
    fourier_cases(cases)
    cases.write()
