/**
 * Einstein summation. Labels in one operand only are summed away first, a label twice in one operand takes the
 * diagonal, and the operands are contracted from left to right:
 *
 *   einsum("bhqd,bhkd->bhqk", q, k)  is  dot_general(q, k, contracting d, batch b and h)
 */
import { type Int, one } from '../../symbolic/integer.ts';
import type { Value } from '../../tensor-ir/program.ts';
import type { Intrinsic } from '../intrinsic.ts';
import { takeDiagonal } from './shapes.ts';
import { type Arguments, type Emitter, intrinsic, required, rest, showTensor } from './support.ts';

/** A tensor whose axes have labels; axes of an ellipsis are `.0`, `.1`, ... counted from the last. */
interface Labelled {
  readonly value: Value;
  readonly labels: readonly string[];
}

interface Equation {
  readonly inputs: readonly string[];
  readonly output: string | undefined;
}

function parseEquation(a: Arguments, text: string): Equation {
  const compact = text.replaceAll(' ', '');
  const [left, output, ...more] = compact.split('->');
  const inputs = (left ?? '').split(',');
  const parts = output === undefined ? inputs : [...inputs, output];
  const isValid = parts.every((part) => /^[A-Za-z]*(\.\.\.)?[A-Za-z]*$/.test(part));
  if (more.length > 0 || !isValid) {
    a.fail('MLX2460', `"${text}" is not an einsum equation`, {
      span: a.spanOf('equation'),
      hint: 'write letters for axes, as in "bij,bjk->bik"',
    });
  }
  return { inputs, output };
}

/** One label an axis; `...` stands for all axes that have no letter. */
function labelsOf(part: string, rank: number): readonly string[] | undefined {
  const [before, after] = part.split('...');
  const letters = [...(before ?? '')];
  if (after === undefined) return letters.length === rank ? letters : undefined;
  const hidden = rank - letters.length - after.length;
  if (hidden < 0) return undefined;
  const ellipsis = Array.from({ length: hidden }, (_, i) => `.${hidden - 1 - i}`);
  return [...letters, ...ellipsis, ...after];
}

/** Without an arrow: the ellipsis, then the letters that occur once, in alphabetical order. */
function implicitOutput(all: readonly string[]): readonly string[] {
  const once = [...new Set(all)].filter(
    (label) => !isHidden(label) && all.indexOf(label) === all.lastIndexOf(label),
  );
  return [...ellipsisOf(all), ...once.sort()];
}

function ellipsisOf(labels: readonly string[]): readonly string[] {
  const hidden = [...new Set(labels)].filter(isHidden);
  return hidden.sort((p, q) => Number(q.slice(1)) - Number(p.slice(1)));
}

/** A label twice in one operand: its diagonal. */
function diagonals(e: Emitter, operand: Labelled): Labelled {
  const second = operand.labels.findIndex((label, i) => operand.labels.indexOf(label) < i);
  if (second < 0) return operand;
  const first = operand.labels.indexOf(operand.labels[second]!);
  return diagonals(e, {
    value: takeDiagonal(e, operand.value, first, second),
    labels: operand.labels.filter((_, i) => i !== second),
  });
}

/** The size of every label. An axis of an ellipsis may be 1 in one operand and more in another (broadcasting). */
function sizesOf(operands: readonly Labelled[]): ReadonlyMap<string, Int> {
  const sizes = new Map<string, Int>();
  for (const { value, labels } of operands) {
    labels.forEach((label, i) => {
      const known = sizes.get(label);
      const isOpen = known === undefined || (isHidden(label) && known === one);
      if (isOpen) sizes.set(label, value.type.shape[i]!);
    });
  }
  return sizes;
}

function isHidden(label: string): boolean {
  return label.startsWith('.');
}

/** Drops axes of size 1 that broadcast against another operand; all others get the common size. */
function fitOperand(e: Emitter, operand: Labelled, sizes: ReadonlyMap<string, Int>): Labelled {
  const value = operand.labels.reduce((v, label, i) => {
    const isRepeated = isHidden(label) && v.type.shape[i] === one;
    return isRepeated ? v : e.withSize(v, i, sizes.get(label)!, axisName(label));
  }, operand.value);
  const { shape } = value.type;
  const kept = operand.labels.map((label, i) => shape[i] === sizes.get(label));
  return {
    value: e.reshape(
      value,
      shape.filter((_, i) => kept[i]),
    ),
    labels: operand.labels.filter((_, i) => kept[i]),
  };
}

function axisName(label: string): string {
  return isHidden(label) ? 'an axis of "..."' : `the axis "${label}"`;
}

function sumOut(e: Emitter, operand: Labelled, isNeeded: (label: string) => boolean): Labelled {
  const axes = operand.labels.flatMap((label, i) => (isNeeded(label) ? [] : [i]));
  if (axes.length === 0) return operand;
  return {
    value: e.apply('reduce_sum', [operand.value], { axes }),
    labels: operand.labels.filter((_, i) => !axes.includes(i)),
  };
}

function contract(
  e: Emitter,
  x: Labelled,
  y: Labelled,
  isNeeded: (l: string) => boolean,
): Labelled {
  const shared = x.labels.filter((label) => y.labels.includes(label));
  const batch = shared.filter(isNeeded);
  const summed = shared.filter((label) => !isNeeded(label));
  const axes = (o: Labelled, labels: readonly string[]): readonly number[] =>
    labels.map((label) => o.labels.indexOf(label));
  const value = e.apply('dot_general', [x.value, y.value], {
    contracting: [axes(x, summed), axes(y, summed)],
    batch: [axes(x, batch), axes(y, batch)],
  });
  const free = (o: Labelled): readonly string[] => o.labels.filter((l) => !shared.includes(l));
  return { value, labels: [...batch, ...free(x), ...free(y)] };
}

function contractAll(
  e: Emitter,
  operands: readonly Labelled[],
  output: readonly string[],
): Labelled {
  const [first, ...others] = operands;
  const neededBy = (later: readonly Labelled[]) => (label: string) =>
    output.includes(label) || later.some((o) => o.labels.includes(label));
  let result = sumOut(e, first!, neededBy(others));
  others.forEach((operand, i) => {
    const later = others.slice(i + 1);
    const left = result;
    const right = sumOut(e, operand, neededBy([left, ...later]));
    result = contract(e, sumOut(e, left, neededBy([right, ...later])), right, neededBy(later));
  });
  return sumOut(e, result, (label) => output.includes(label));
}

function requireOutput(
  a: Arguments,
  output: readonly string[],
  operands: readonly Labelled[],
): void {
  for (const label of output) {
    const name = isHidden(label) ? '...' : label;
    if (!operands.some((o) => o.labels.includes(label))) {
      a.fail('MLX2461', `"${name}" is in the result of the equation but in no operand`);
    }
  }
  if (new Set(output).size !== output.length) a.fail('MLX2461', 'the result names an axis twice');
}

export const einsum: Intrinsic = intrinsic(
  'einsum',
  [required('equation'), rest('operands')],
  'Sums of products by labels: `einsum("bij,bjk->bik", x, y)`. `...` stands for leading axes.',
  (a) => {
    const equation = parseEquation(a, a.string('equation'));
    const terms = a.restOf('operands');
    if (terms.length !== equation.inputs.length) {
      a.fail(
        'MLX2462',
        `the equation has ${equation.inputs.length} operands, found ${terms.length}`,
      );
    }
    const values = a.need(
      a.context.toTensors(
        terms,
        terms.map(() => a.span),
      ),
    );
    const labels = values.map((value, i) => {
      const part = equation.inputs[i]!;
      const found = labelsOf(part, value.type.shape.length);
      if (found !== undefined) return found;
      const shown = showTensor(value.type);
      return a.fail('MLX2463', `"${part}" does not fit ${shown}: one letter an axis`);
    });
    const given = labels.flat();
    const labelled = values.map((value, i) => diagonals(a, { value, labels: labels[i]! }));
    const sizes = sizesOf(labelled);
    const ellipsis = ellipsisOf(given);
    const output =
      equation.output === undefined
        ? implicitOutput(given)
        : [...equation.output.replace('...', '.')].flatMap((c) => (c === '.' ? ellipsis : [c]));
    requireOutput(a, output, labelled);
    const operands = labelled.map((o) => fitOperand(a, o, sizes));
    const result = contractAll(a, operands, output);
    return a.tensor(
      a.permute(
        result.value,
        output.map((label) => result.labels.indexOf(label)),
      ),
    );
  },
);
