/** Word lists of the check. */

/** Words that Metal refuses or gives another meaning, whether or not clang's OpenCL C++ mode does. */
export const forbiddenWords: ReadonlyMap<string, string> = new Map([
  ['goto', 'Metal has no goto'],
  ['double', 'Metal has no double'],
  ['virtual', 'Metal has no virtual functions'],
  ['typeid', 'Metal has no run-time type information'],
  ['dynamic_cast', 'Metal has no run-time type information'],
  ['try', 'Metal has no exceptions'],
  ['throw', 'Metal has no exceptions'],
  ['catch', 'Metal has no exceptions'],
  ['new', 'Metal has no new'],
  ['thread_local', 'Metal has no thread_local'],
  ['register', 'Metal has no register'],
  ['asm', 'Metal has no inline assembly'],
  ['__asm', 'Metal has no inline assembly'],
  ['std', 'Metal has no C++ standard library: write metal::'],
]);

/** Names that a declaration in Metal may not use although clang's OpenCL C++ mode lets it. */
export const reservedNames: ReadonlySet<string> = new Set(
  `and and_eq bitand bitor compl not not_eq or or_eq xor xor_eq asm export restrict wchar_t char16_t char32_t llong
  ullong quad complex imaginary device constant thread threadgroup threadgroup_imageblock ray_data object_data vertex
  fragment kernel compute mesh object metal main vec packed_vec matrix atomic as_type sampler array tensor assert bias
  level gradient2d gradient3d gradientcube min_lod_clamp is_function_constant_defined quad_broadcast
  VARIABLE_TRACEPOINT STATIC_DATA_TRACEPOINT STATIC_DATA_TRACEPOINT_V METAL_FUNC METAL_CONST METAL_ASM METAL_ALIGN
  MAXFLOAT MAXHALF MAXDOUBLE HUGE_VALF HUGE_VALH HUGE_VAL INFINITY NAN CHAR_BIT FP_ILOGB0 FP_ILOGBNAN
  bool char uchar short ushort int uint long ulong half bfloat float size_t ptrdiff_t`
    .split(/\s+/)
    .concat(
      [
        'M_E',
        'M_LOG2E',
        'M_LOG10E',
        'M_LN2',
        'M_LN10',
        'M_PI',
        'M_PI_2',
        'M_PI_4',
        'M_1_PI',
      ].flatMap((m) => [m, `${m}_F`, `${m}_H`, `${m}_BF`]),
    ),
);

/** Words that C++ does not have and Metal does. */
export const keywords: ReadonlySet<string> = new Set([
  'device',
  'constant',
  'thread',
  'threadgroup',
  'kernel',
  'vertex',
  'fragment',
  'half',
  'bfloat',
  'as_type',
  'threadgroup_imageblock',
  'ray_data',
  'object_data',
]);

/** Families of reserved names. */
export const reservedPatterns: readonly RegExp[] = [
  /^(FLT|HALF|DBL|BFLT)_\w+$/,
  /^(CHAR|SCHAR|UCHAR|SHRT|USHRT|INT|UINT|LONG|ULONG)_(MAX|MIN)$/,
  /^(bool|u?char|u?short|u?int|u?long|half|bfloat|float)[234](x[234])?$/,
  /^packed_\w+$/,
  /^atomic_\w+$/,
  /^simdgroup_\w+8x8$/,
  /^METAL_\w+$/,
  /^__/,
];

/** Words that are keywords in OpenCL C++ and ordinary identifiers in Metal: the translation renames them. */
export const openClOnlyWords: ReadonlySet<string> = new Set(
  `local global generic private pipe read_only write_only read_write sampler_t event_t queue_t clk_event_t
  reserve_id_t image1d_t image2d_t image3d_t uniform vec_step addrspace_cast bfloat16 half8 float8`.split(
    /\s+/,
  ),
);

const positions = ['uint', 'uint2', 'uint3', 'ushort', 'ushort2', 'ushort3'];
const scalars = ['uint', 'ushort'];

/** Built-in inputs of a kernel, with the types they may have. */
export const kernelInputs: ReadonlyMap<string, readonly string[]> = new Map([
  ...[
    'thread_position_in_grid',
    'threads_per_grid',
    'thread_position_in_threadgroup',
    'threads_per_threadgroup',
    'dispatch_threads_per_threadgroup',
    'threadgroup_position_in_grid',
    'threadgroups_per_grid',
    'grid_origin',
    'grid_size',
  ].map((name) => [name, positions] as const),
  ...[
    'thread_index_in_threadgroup',
    'thread_index_in_simdgroup',
    'simdgroup_index_in_threadgroup',
    'simdgroups_per_threadgroup',
    'threads_per_simdgroup',
    'thread_execution_width',
    'dispatch_simdgroups_per_threadgroup',
    'thread_index_in_quadgroup',
    'quadgroup_index_in_threadgroup',
    'quadgroups_per_threadgroup',
    'dispatch_quadgroups_per_threadgroup',
  ].map((name) => [name, scalars] as const),
]);
