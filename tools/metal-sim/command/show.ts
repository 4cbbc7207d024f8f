/** What the command prints: errors and findings under the line of the source that they are about, buffers shortened. */

import type { createColors } from 'picocolors';
import { asNumbers, elementAt, type HostTensor } from '../../../compiler/driver/io/host-tensor.ts';

export type Colors = ReturnType<typeof createColors>;

export interface Problem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** A word: error, race, out-of-bounds ... */
  readonly kind: string;
  readonly message: string;
}

/**
 *   file.metal:4:10: error: use of undeclared identifier 'y'
 *     4 |   x[i] = y;
 *       |          ^
 */
export function showProblem(problem: Problem, source: string, colors: Colors): string {
  const { file, line, column, kind, message } = problem;
  const place = line === 0 ? file : column === 0 ? `${file}:${line}` : `${file}:${line}:${column}`;
  const label = kind === 'error' ? 'error' : `error: ${kind}`;
  const head = `${colors.bold(`${place}:`)} ${colors.red(colors.bold(`${label}:`))} ${message}`;
  const text = source.split('\n')[line - 1];
  if (text === undefined) return head;
  const margin = String(line).padStart(5);
  const lines = [head, `${colors.dim(`${margin} |`)} ${text}`];
  if (column > 0) {
    const indent = text.slice(0, column - 1).replace(/[^\t]/g, ' ');
    lines.push(`${colors.dim(`${' '.repeat(5)} |`)} ${indent}${colors.green('^')}`);
  }
  return lines.join('\n');
}

/** How many elements of a long buffer are shown at its begin, and at its end. */
const shownAtEnds = 4;

function showNumber(value: number | bigint | boolean): string {
  if (typeof value !== 'number' || Number.isInteger(value))
    return Object.is(value, -0) ? '-0' : String(value);
  return String(Number(value.toPrecision(7)));
}

/** `out: f32[1024] = 0 1 2 3 ... 1020 1021 1022 1023`, with least and greatest of long ones. */
export function showTensor(name: string, tensor: HostTensor, colors: Colors): string {
  const numbers = asNumbers(tensor);
  const count = numbers.data.length;
  const at = (i: number): string => showNumber(elementAt(numbers, i));
  const head = `${colors.bold(name)}: ${tensor.dtype}[${tensor.shape.join(', ')}] =`;
  if (count <= 4 * shownAtEnds) {
    return `${head} ${Array.from({ length: count }, (_, i) => at(i)).join(' ')}`;
  }
  const first = Array.from({ length: shownAtEnds }, (_, i) => at(i));
  const last = Array.from({ length: shownAtEnds }, (_, i) => at(count - shownAtEnds + i));
  return `${head} ${first.join(' ')} ... ${last.join(' ')}  ${colors.dim(summary(numbers))}`;
}

function summary(numbers: ReturnType<typeof asNumbers>): string {
  let least = Number.POSITIVE_INFINITY;
  let greatest = Number.NEGATIVE_INFINITY;
  let nans = 0;
  for (let i = 0; i < numbers.data.length; i++) {
    const value = Number(elementAt(numbers, i));
    if (Number.isNaN(value)) nans++;
    least = Math.min(least, Number.isNaN(value) ? least : value);
    greatest = Math.max(greatest, Number.isNaN(value) ? greatest : value);
  }
  const range =
    nans === numbers.data.length ? '' : `${showNumber(least)} to ${showNumber(greatest)}`;
  return [range, nans > 0 ? `${nans} NaN` : ''].filter((part) => part !== '').join(', ');
}

/** All elements, for JSON: 64-bit integers and numbers that JSON lacks as text. */
export function elementsOf(tensor: HostTensor): readonly (number | string | boolean)[] {
  const numbers = asNumbers(tensor);
  return Array.from({ length: numbers.data.length }, (_, i) => {
    const value = elementAt(numbers, i);
    return typeof value === 'bigint' || (typeof value === 'number' && !Number.isFinite(value))
      ? String(value)
      : value;
  });
}
