/** Metal names for the names of a kernel: readable, unique in the kernel, never a word of Metal. */
import type { Buffer } from '../kernel-ir/program.ts';

const reserved: ReadonlySet<string> = new Set(
  `alignas alignof and and_eq asm auto bitand bitor bool break case catch char char16_t char32_t class compl const
  const_cast constexpr continue decltype default delete do double dynamic_cast else enum explicit export extern false
  float for friend goto if inline int long mutable namespace new noexcept not not_eq nullptr operator or or_eq private
  protected public register reinterpret_cast restrict return short signed sizeof static static_assert static_cast struct
  switch template this thread_local throw true try typedef typeid typename union unsigned using virtual void volatile
  wchar_t while xor xor_eq llong ullong quad complex imaginary device constant thread threadgroup
  threadgroup_imageblock ray_data object_data vertex fragment kernel compute mesh object metal main vec packed_vec
  matrix atomic as_type sampler array tensor assert bias level gradient2d gradient3d gradientcube min_lod_clamp
  is_function_constant_defined quad_broadcast VARIABLE_TRACEPOINT STATIC_DATA_TRACEPOINT STATIC_DATA_TRACEPOINT_V
  uchar ushort uint ulong half bfloat size_t ptrdiff_t MAXFLOAT MAXHALF MAXDOUBLE HUGE_VALF HUGE_VALH HUGE_VAL INFINITY
  NAN CHAR_BIT FP_ILOGB0 FP_ILOGBNAN std
  mlxc params buffers group thread_index lane simdgroup`.split(/\s+/),
);

const reservedPatterns: readonly RegExp[] = [
  /^(FLT|HALF|DBL|BFLT|METAL)_/,
  /^M_/,
  /^[A-Z]+_(MAX|MIN)$/,
  /^(bool|u?char|u?short|u?int|u?long|half|bfloat|float)([234](x[234])?|\d+_t)$/,
  /^(packed|atomic|simdgroup|texture|depth)[_\d]/,
  /_t$/,
  /^_/,
  /__/,
];

function isReserved(name: string): boolean {
  return reserved.has(name) || reservedPatterns.some((p) => p.test(name));
}

/** Hands out one Metal name for each index, value, integer parameter and buffer of a kernel. */
export class KernelNames {
  private readonly taken = new Set<string>();
  private readonly names = new Map<string, string>();
  private readonly buffers = new Map<Buffer, string>();

  /** A loop variable, `let`, accumulator or matrix array. They share one set of names in kernel IR. */
  local(name: string): string {
    let found = this.names.get(name);
    if (found === undefined) {
      found = this.fresh(name);
      this.names.set(name, found);
    }
    return found;
  }

  buffer(buffer: Buffer): string {
    let found = this.buffers.get(buffer);
    if (found === undefined) {
      found = this.fresh(buffer.name);
      this.buffers.set(buffer, found);
    }
    return found;
  }

  fresh(wanted: string): string {
    const base = fieldName(wanted);
    let name = base;
    for (let n = 2; this.taken.has(name); n++) name = `${base}_${n}`;
    this.taken.add(name);
    return name;
  }
}

/** A name that may be used as it is for a field of a struct. */
export function fieldName(wanted: string): string {
  let name = wanted.replace(/\W/g, '_').replace(/__+/g, '_').replace(/^_+/, '');
  if (name === '' || /^\d/.test(name)) name = `v${name}`;
  if (!isReserved(name)) return name;
  const longer = `${name.replace(/_+$/, '')}_v`;
  // reserved by how it begins
  return isReserved(longer) ? `v_${longer}` : longer;
}
