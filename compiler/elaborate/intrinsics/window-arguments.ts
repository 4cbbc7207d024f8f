/** The arguments that say where windows stand. */
import { isSurelyLess } from '../../primitives/checks.ts';
import {
  type AxisWindows,
  dilatedSize,
  sizeWithPadding,
} from '../../primitives/window-geometry.ts';
import {
  add,
  ceildiv,
  constantValue,
  divideExact,
  floordiv,
  type Int,
  int,
  max,
  print,
  subtract,
  zero,
} from '../../symbolic/integer.ts';
import type { Term } from '../value.ts';
import { type Arguments, range } from './support.ts';

/** The windows of an axis before padding is known. */
export type Side = Omit<AxisWindows, 'low' | 'high'>;

function itemsOf(a: Arguments, name: string, count: number): readonly Term[] {
  const term = a.term(name);
  if (term.kind !== 'tuple' && term.kind !== 'array') return range(count).map(() => term);
  if (term.items.length === count) return term.items;
  return a.fail(
    'MLX2496',
    `\`${name}\` is an int or a tuple of ${count}, found a tuple of ${term.items.length}`,
    { span: a.spanOf(name) },
  );
}

/** An Int for each of `count` axes. */
export function integersOf(a: Arguments, name: string, count: number): readonly Int[] {
  return itemsOf(a, name, count).map((item) => a.need(a.context.asInt(item, a.spanOf(name))));
}

/** A known whole number of at least 1 for each of `count` axes. */
export function wholesOf(a: Arguments, name: string, count: number): readonly number[] {
  return itemsOf(a, name, count).map((item) => {
    const value = a.need(a.context.asConstantInt(item, a.spanOf(name)));
    if (value >= 1) return value;
    return a.fail('MLX2497', `\`${name}\` is at least 1, found ${value}`, { span: a.spanOf(name) });
  });
}

/** [low, high] for each axis: from an int, ints, pairs, "same" or "valid". Without windows there is no "same". */
export function paddingOf(
  a: Arguments,
  name: string,
  sizes: readonly Int[],
  windows: readonly Side[] | undefined,
): readonly (readonly [Int, Int])[] {
  const term = a.term(name);
  if (term.kind === 'string') {
    if (term.value === 'valid') return sizes.map(() => [zero, zero]);
    if (term.value === 'same' && windows !== undefined) {
      return sizes.map((size, i) => samePadding(size, windows[i]!));
    }
    const choice = windows === undefined ? '"valid"' : '"same", "valid"';
    a.fail('MLX2498', `\`${name}\` is ${choice} or numbers, found "${term.value}"`, {
      span: a.spanOf(name),
      ...(/^(?:same|valid)$/i.test(term.value)
        ? { hint: `write \`"${term.value.toLowerCase()}"\`` }
        : {}),
    });
  }
  const whole = (item: Term): Int => a.need(a.context.asInt(item, a.spanOf(name)));
  return itemsOf(a, name, sizes.length).map((item): readonly [Int, Int] => {
    if (item.kind !== 'tuple' && item.kind !== 'array') return [whole(item), whole(item)];
    if (item.items.length === 2) return [whole(item.items[0]!), whole(item.items[1]!)];
    return a.fail('MLX2498', `\`${name}\` of an axis is an int or (low, high)`, {
      span: a.spanOf(name),
    });
  });
}

/** As many windows as there are strides on the axis; what is odd goes to the end, as in JAX. */
function samePadding(
  size: Int,
  { window, stride, dilation, inputDilation }: Side,
): readonly [Int, Int] {
  const elements = dilatedSize(size, inputDilation);
  const reach = dilatedSize(window, dilation);
  const count = ceildiv(elements, int(stride));
  // negative when the windows are narrower than the strides: the elements past the last window
  const total = subtract(add(dilatedSize(count, stride), subtract(reach, int(1))), elements);
  const low = floordiv(isSurelyLess(reach, int(stride)) ? max(total, zero) : total, int(2));
  return [low, subtract(total, low)];
}

/** Demands that one window fits on an axis at least; of windows of one element, an empty axis has none. */
export function requireFit(a: Arguments, size: Int, windows: AxisWindows): void {
  const [has, needs] = [
    sizeWithPadding(size, windows),
    dilatedSize(windows.window, windows.dilation),
  ];
  a.context.guard({
    relation: 'at-least',
    left: has,
    right: constantValue(needs) === 1 ? zero : needs,
    message: `a window of ${print(needs)} elements must fit on an axis of ${print(has)}${has === size ? '' : ' with its padding'}`,
    span: a.span,
  });
}

/** `total` by the number of groups, which must divide it: proved, guarded or reported. */
export function groupSize(a: Arguments, total: Int, groups: number, what: string): Int {
  const span = a.spanOf('groups');
  const known = constantValue(total);
  if (known !== undefined && known % groups !== 0) {
    a.fail('MLX2500', `${known} ${what} do not make ${groups} groups of one size`, { span });
  }
  a.context.guard({
    relation: 'divisible',
    left: total,
    right: int(groups),
    message: `${print(total)} ${what} must make ${groups} groups of one size`,
    span,
  });
  return divideExact(total, int(groups))!;
}
