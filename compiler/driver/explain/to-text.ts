/** An explanation for a terminal. */
import { showType } from '../../bindings/show-type.ts';
import type { Paint } from '../shell.ts';
import type { ExplainedDispatch, ExplainedFunction, Explanation } from './explanation.ts';
import { showBytes, showFlops, showIntensity } from './units.ts';

/** Refusals shown for a function; the dearest come first in most programs, and the page has all. */
const mostRefusals = 12;

export function explanationToText(explanation: Explanation, paint: Paint): string {
  const functions = explanation.functions.map((f) => functionToText(f, paint));
  const kernels = Object.values(explanation.kernels);
  const title = paint.bold(`kernels for ${explanation.target}`);
  return `${[...functions, title, ...kernels].join('\n\n')}\n`;
}

function functionToText(f: ExplainedFunction, paint: Paint): string {
  const parameters = f.signature.parameters.map(({ name, tree }) => `${name}: ${showType(tree)}`);
  const counts = [
    `${f.dispatches.length} dispatches`,
    showBytes(f.bytes),
    showFlops(f.flops),
    showIntensity(f.bytes, f.flops),
  ];
  const lines = [
    `${paint.bold(f.name)}(${parameters.join(', ')}) -> ${showType(f.signature.result)}`,
    paint.dim(counts.filter((part) => part !== '').join(', ')),
    '',
    ...f.source.map(({ line, text }) => `${paint.blue(String(line).padStart(5))} │ ${text}`),
    '',
    ...f.dispatches.flatMap((dispatch, i) => dispatchToText(dispatch, i, f, paint)),
  ];
  if (f.refusals.length > 0) {
    lines.push('', paint.bold('not fused'));
    for (const { producer, consumer, reason, bytes } of f.refusals.slice(0, mostRefusals)) {
      lines.push(`  ${producer} into ${consumer}: ${reason} (${showBytes(bytes)})`);
    }
    const rest = f.refusals.length - mostRefusals;
    if (rest > 0) lines.push(`  and ${rest} more (--json and --html have all)`);
  }
  return lines.join('\n');
}

function dispatchToText(
  dispatch: ExplainedDispatch,
  number: number,
  f: ExplainedFunction,
  paint: Paint,
): readonly string[] {
  const { kernel, schedule, bytes, flops, operations, lines, depth } = dispatch;
  const where = lines.length === 0 ? '' : `, from line ${lines.join(', ')}`;
  const cost = [showBytes(bytes), showFlops(flops), showIntensity(bytes, flops)]
    .filter((part) => part !== '')
    .join(', ');
  const indent = '  '.repeat(depth);
  return [
    `${indent}${paint.cyan(`${number + 1}. ${kernel}`)} ${paint.dim(`(${schedule}${where})`)} ${cost}`,
    ...operations.map((op) => `${indent}     ${paint.dim(f.operations[op]?.text ?? '')}`),
  ];
}
