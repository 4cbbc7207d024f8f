/** C names for the names of a kernel: readable, unique, never a word of C or of the helpers. */
import type { Buffer } from '../kernel-ir/program.ts';
import type { Int } from '../symbolic/integer.ts';
import type { Text } from './precedence.ts';

/** The exported symbol of a kernel: the prefix keeps a kernel called `exp` apart from the C library. */
export function kernelSymbol(name: string): string {
  return `mlxc_${name}`;
}

const reserved: ReadonlySet<string> = new Set(
  (
    'auto break case char const continue default do double else enum extern float for goto if inline int long ' +
    'register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while ' +
    'asm typeof bool true false NULL NAN INFINITY HUGE_VAL HUGE_VALF DOMAIN SING OVERFLOW UNDERFLOW PLOSS TLOSS ' +
    'unix linux i386 buffers integers scratch begin end task locate_segment ' +
    'abs llabs fabsf fabs sqrtf sqrt floorf floor ceilf ceil truncf trunc rintf rint expf exp logf log'
  ).split(' '),
);

/** Helper functions and types end in a dtype, `_t` or a size (`exp_f32`, `f16_t`); macros of the C library are upper case with `_`. */
const reservedPattern: RegExp =
  /(_(bool|[iu](8|16|32|64)|f(16|32|64)|bf16|t)|_\d+x\d+)$|^(M|FP|MATH|INT|UINT|SIZE|PTRDIFF|FLT|DBL)_|^_|^mlxc_/;

/** Hands out one C name for each variable, integer and buffer of a kernel. */
export class KernelNames {
  private readonly taken = new Set<string>();
  private readonly values = new Map<string, string>();
  private readonly integers = new Map<string, string>();
  private readonly buffers = new Map<Buffer, string>();
  /** Indices already written with these names. */
  readonly indices: Map<Int, Text> = new Map();

  /** A loop variable, dim or other whole number. */
  integer(name: string): string {
    return this.find(this.integers, name, name);
  }

  /** A `let` or an accumulator. */
  value(name: string): string {
    return this.find(this.values, name, name);
  }

  buffer(buffer: Buffer): string {
    return this.find(this.buffers, buffer, buffer.name);
  }

  /** A name for a helper variable of the printer. */
  fresh(wanted: string): string {
    let name = wanted.replace(/[^A-Za-z0-9_]/g, '_').replace(/^(?=[0-9])/, 'n');
    if (name === '') name = 'v';
    if (reserved.has(name) || reservedPattern.test(name)) name = `v_${name}_`;
    let unique = name;
    for (let n = 2; this.taken.has(unique); n++) unique = `${name}_${n}`;
    this.taken.add(unique);
    return unique;
  }

  private find<K>(map: Map<K, string>, key: K, wanted: string): string {
    let name = map.get(key);
    if (name === undefined) {
      name = this.fresh(wanted);
      map.set(key, name);
    }
    return name;
  }
}
