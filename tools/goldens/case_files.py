"""The form of test/golden/programs/*.json: calls of the programs beside them, and what an oracle makes of them.

A case is {file, function, arguments, result, tolerance?, dims?}. A tensor is {$dtype, shape, data}, of c64 with two numbers an element; NaN, the infinities and
integers of 64 bits are text. Structs are objects in the order of their fields.
"""

import json

import jax.numpy as jnp
import numpy as np

NAMES = {'float32': 'f32', 'float64': 'f64', 'float16': 'f16', 'bool': 'bool', 'int8': 'i8', 'int16': 'i16', 'int32': 'i32',
         'int64': 'i64', 'uint8': 'u8', 'uint16': 'u16', 'uint32': 'u32', 'uint64': 'u64', 'complex64': 'c64'}


def number(v, dtype):
    if isinstance(v, float):
        if not np.isfinite(v):
            return 'nan' if np.isnan(v) else 'inf' if v > 0 else '-inf'
        return v if dtype == 'f64' else float(np.format_float_positional(np.float32(v), unique=True))
    return str(v) if dtype in ('i64', 'u64') else v


def leaf(x):
    """Doubles count as f32: it is how oracles compute, not what is meant. `np.longdouble` is for real f64."""
    if str(getattr(x, 'dtype', '')) == 'bfloat16':
        dtype, x = 'bf16', np.asarray(x.astype(jnp.float32))
    else:
        x = np.asarray(x)
        if x.dtype == np.longdouble:
            x, dtype = x.astype(np.float64), 'f64'
        else:
            x = x.astype(np.float32) if x.dtype == np.float64 else x
            x = x.astype(np.complex64) if x.dtype == np.complex128 else x
            dtype = NAMES[str(x.dtype)]
    shape = list(x.shape)
    x = np.ascontiguousarray(x).ravel().view(np.float32) if dtype == 'c64' else x
    return {'$dtype': dtype, 'shape': shape, 'data': [number(v, dtype) for v in x.ravel().tolist()]}


def tree(x):
    if isinstance(x, dict):
        return {k: tree(v) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        return [tree(v) for v in x]
    return leaf(x)


class CaseFile:
    def __init__(self, path):
        self.path = path
        self.cases = []

    def add(self, file, function, arguments, result, tolerance=None, dims=None):
        case = {'file': file, 'function': function, 'arguments': [tree(a) for a in arguments], 'result': tree(result)}
        if tolerance:
            case['tolerance'] = tolerance
        if dims:
            case['dims'] = dims
        self.cases.append(case)

    def write(self):
        with open(self.path, 'w') as out:
            json.dump(self.cases, out)
            out.write('\n')
        print(f'{self.path}: {len(self.cases)} cases')
