/**
 * Convolutions of dilated inputs without the zeros between the elements: what input gradients of strided convolutions are.
 *
 * With x dilated by D (and stride 1), result q*D + r sees the kernel elements k = k0, k0 + D, ... alone, k0 = (low - r) mod D, on
 * the elements of x from q + c on, c = (r + k0 - low) / D. Residues r with equal c and equally many such elements are a phase: a
 * convolution of x as it is, with a kernel for each r. The results interleave. An axis has two or three phases at most.
 */
import {
  add,
  ceildiv,
  constantValue,
  divideExact,
  type Int,
  int,
  multiply,
  one,
  product,
  subtract,
  zero,
} from '../symbolic/integer.ts';
import type { Builder } from '../tensor-ir/builder.ts';
import type { Value } from '../tensor-ir/program.ts';
import { range } from './checks.ts';
import { concatenate } from './concatenate.ts';
import { pad } from './pad.ts';
import { reshape } from './reshape.ts';
import { reverse, slice } from './slice.ts';
import { filled, permuteTo, zerosOf } from './values.ts';
import type { AxisWindows } from './window-geometry.ts';

/** Neighbouring residues, the last of which begins at kernel element `from`, the one before at `from + 1` and so on. */
interface Phase {
  readonly residues: number;
  /** D: between kernel elements of one residue. */
  readonly step: number;
  readonly from: number;
  /** Kernel elements of each. */
  readonly taps: number;
  /** Where in x the first result begins. */
  readonly first: number;
}

/** The phases of an axis, for all D residues in order; undefined where sizes are not known or strides and dilations meet. */
export function phasesOf(windows: AxisWindows): readonly Phase[] | undefined {
  const step = windows.inputDilation;
  const [size, low] = [constantValue(windows.window), constantValue(windows.low)];
  if (size === undefined || low === undefined) return undefined;
  if (windows.stride !== 1 || windows.dilation !== 1) return undefined;
  const phases: Phase[] = [];
  for (let residue = 0; residue < step; residue++) {
    const from = (((low - residue) % step) + step) % step;
    const taps = Math.max(0, Math.ceil((size - from) / step));
    const first = (residue + from - low) / step;
    const last = phases[phases.length - 1];
    if (last !== undefined && last.taps === taps && (taps === 0 || last.first === first)) {
      phases[phases.length - 1] = { ...last, residues: last.residues + 1, from };
    } else phases.push({ residues: 1, step, from, taps, first });
  }
  return phases;
}

/** One axis of the convolution of a phase: kernel elements of the axis are neighbours, x is not dilated. */
export type UndilatedAxis = AxisWindows & { readonly inputDilation: 1 };

export interface PhasedConvolution {
  /** w[O, ...spatial, C / groups], not flipped. */
  readonly kernels: Value;
  readonly axes: readonly AxisWindows[];
  readonly sizes: readonly Int[];
  readonly groups: Int;
  /** [N, ...spatial, O] */
  readonly shape: readonly Int[];
}

/**
 * The convolution phase by phase, each by `convolve` (kernels, axes, and the shape of the result); undefined where an axis cannot be
 * divided, or none is dilated.
 */
export function convolveInPhases(
  b: Builder,
  conv: PhasedConvolution,
  convolve: (kernels: Value, axes: readonly UndilatedAxis[], shape: readonly Int[]) => Value,
): Value | undefined {
  const { kernels, axes, groups, shape } = conv;
  const isDilated = axes.map((a) => a.inputDilation > 1);
  if (!isDilated.includes(true) || shape.some((s) => constantValue(s) === 0)) return undefined;
  const phases = axes.map((a, i) => (isDilated[i] ? phasesOf(a) : undefined));
  if (axes.some((_, i) => isDilated[i] && phases[i] === undefined)) return undefined;
  const rank = axes.length;
  const outputs = divideExact(shape[rank + 1]!, groups)!;
  const counts = axes.map((a, i) => ceildiv(shape[i + 1]!, int(a.inputDilation)));

  /** [N, ...counts, groups, ...residues, outputs of a group] */
  const part = (chosen: readonly (Phase | undefined)[]): Value => {
    const residues = chosen.map((phase) => int(phase?.residues ?? 1));
    const laidOut = [shape[0]!, ...counts, groups, ...residues, outputs];
    if (chosen.some((phase) => phase?.taps === 0)) {
      return zerosOf(b, { dtype: kernels.type.dtype, shape: laidOut });
    }
    const own = chosen.map((phase, i) => axisOf(axes[i]!, phase, conv.sizes[i]!, counts[i]!));
    const channels = product([groups, ...residues, outputs]);
    const selected = kernelsOf(b, kernels, chosen, groups);
    return reshaped(b, convolve(selected, own, [shape[0]!, ...counts, channels]), laidOut);
  };
  const assemble = (chosen: readonly (Phase | undefined)[]): Value => {
    const axis = chosen.length;
    if (axis === rank) return part(chosen);
    const own = phases[axis];
    if (own === undefined) return assemble([...chosen, undefined]);
    const parts = own.map((phase) => assemble([...chosen, phase]));
    return parts.length === 1 ? parts[0]! : b.apply(concatenate, parts, { axis: rank + 2 + axis });
  };
  const interleaved = permuteTo(b, assemble([]), [
    0,
    ...range(rank).flatMap((i) => [1 + i, rank + 2 + i]),
    rank + 1,
    2 * rank + 2,
  ]);
  const sizes = axes.map((a, i) => multiply(counts[i]!, int(a.inputDilation)));
  const whole = reshaped(b, interleaved, [shape[0]!, ...sizes, shape[rank + 1]!]);
  if (whole.type.shape.every((size, i) => size === shape[i])) return whole;
  return b.apply(slice, [whole], {
    start: shape.map(() => zero),
    stop: shape,
    step: shape.map(() => one),
  });
}

/** The windows of a phase: `count` of them. */
function axisOf(axis: AxisWindows, phase: Phase | undefined, size: Int, count: Int): UndilatedAxis {
  if (phase === undefined) return { ...axis, inputDilation: 1 };
  const low = int(-phase.first);
  const used = add(low, size);
  return {
    window: int(phase.taps),
    stride: 1,
    dilation: 1,
    inputDilation: 1,
    low,
    high: subtract(add(count, int(phase.taps - 1)), used),
  };
}

/** w[G*O, ...K, C] as [G * residues * O, ...taps, C]: the kernels of the phase, group by group and residue by residue. */
function kernelsOf(
  b: Builder,
  kernels: Value,
  chosen: readonly (Phase | undefined)[],
  groups: Int,
): Value {
  const rank = chosen.length;
  const [outputs, ...others] = kernels.type.shape;
  let parts = reshaped(b, kernels, [groups, divideExact(outputs!, groups)!, ...others]);
  // [G, O, ...done as (taps, residues), ...K, C]
  chosen.forEach((phase, i) => {
    parts = splitTaps(b, parts, 2 + 2 * i, phase);
  });
  const split = permuteTo(b, parts, [
    0,
    ...range(rank).map((i) => 3 + 2 * i),
    1,
    ...range(rank).map((i) => 2 + 2 * i),
    2 + 2 * rank,
  ]);
  const shape = split.type.shape;
  return reshaped(b, split, [product(shape.slice(0, rank + 2)), ...shape.slice(rank + 2)]);
}

/** An axis of kernel elements as [taps, residues]; an axis that is not dilated has one residue. */
function splitTaps(b: Builder, x: Value, axis: number, phase: Phase | undefined): Value {
  const { shape } = x.type;
  const withAxis = (...sizes: readonly Int[]): readonly Int[] => [
    ...shape.slice(0, axis),
    ...sizes,
    ...shape.slice(axis + 1),
  ];
  if (phase === undefined) return reshaped(b, x, withAxis(shape[axis]!, one));
  const { from, taps, residues, step } = phase;
  const at = (value: Int): readonly Int[] => shape.map((_, i) => (i === axis ? value : zero));
  // from `from` on in whole steps: nothing is used of what is added at the end
  const missing = subtract(int(from + taps * step), shape[axis]!);
  const cut = b.apply(pad, [x, filled(b, { dtype: x.type.dtype, shape: [] }, 0)], {
    low: at(int(-from)),
    high: at(missing),
    interior: shape.map(() => zero),
  });
  const rows = reshaped(b, cut, withAxis(int(taps), int(step)));
  const rowShape = rows.type.shape;
  const used = b.apply(slice, [rows], {
    start: rowShape.map(() => zero),
    stop: rowShape.map((size, i) => (i === axis + 1 ? int(residues) : size)),
    step: rowShape.map(() => one),
  });
  return residues === 1 ? used : b.apply(reverse, [used], { axes: [axis + 1] });
}

function reshaped(b: Builder, x: Value, shape: readonly Int[]): Value {
  return b.apply(reshape, [x], { shape });
}
