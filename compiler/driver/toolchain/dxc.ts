/**
 * `dxc`: HLSL to DXIL.
 *
 *   dxc -T cs_6_0 -E main -HV 2021 -Fo kernel.dxil kernel.hlsl
 */
import { findOnPath, type ToolContext } from './tool.ts';

export interface DxcOptions {
  readonly entry: string;
  /** `half` and `int16_t` of 16 bits; needs shader model 6.2. */
  readonly has16BitTypes: boolean;
  /** Where `#include "…"` looks. */
  readonly includeFolder?: string;
}

export function dxcArguments(
  input: string,
  output: string,
  { entry, has16BitTypes, includeFolder }: DxcOptions,
): readonly string[] {
  return [
    '-T',
    has16BitTypes ? 'cs_6_2' : 'cs_6_0',
    '-E',
    entry,
    '-HV',
    '2021',
    ...(has16BitTypes ? ['-enable-16bit-types'] : []),
    ...(includeFolder === undefined ? [] : ['-I', includeFolder]),
    '-Fo',
    output,
    input,
  ];
}

/** `$DXC`, or `dxc` on the search path. */
export function findDxc({ env }: ToolContext): string | undefined {
  return findOnPath(env['DXC'] ?? 'dxc', env);
}
