/** An explanation for a terminal. */
import { showType } from '../../bindings/show-type.ts';
import type { Paint } from '../shell.ts';
import type { ExplainedDispatch, ExplainedFunction, Explanation } from './explanation.ts';
import { type SourceLine, showPlaces } from './places.ts';
import { showBytes, showFlops, showIntensity } from './units.ts';

/** Refusals shown for a function; the dearest come first in most programs, and the page has all. */
const mostRefusals = 12;
/** Operations shown for a kernel; those that only move elements are left out. */
const mostOperations = 12;

export function explanationToText(explanation: Explanation, paint: Paint): string {
  const functions = explanation.functions.map((f) => functionToText(f, paint));
  const kernels = Object.values(explanation.kernels);
  const title = paint.bold(`kernels for ${explanation.target}`);
  return `${[...functions, title, ...kernels].join('\n\n')}\n`;
}

function functionToText(f: ExplainedFunction, paint: Paint): string {
  const parameters = f.signature.parameters.map(({ name, tree }) => `${name}: ${showType(tree)}`);
  const counts = [
    f.dispatches.length === 1 ? '1 dispatch' : `${f.dispatches.length} dispatches`,
    showBytes(f.bytes),
    showFlops(f.flops),
    showIntensity(f.bytes, f.flops),
  ];
  const lines = [
    `${paint.bold(f.name)}(${parameters.join(', ')}) -> ${showType(f.signature.result)}`,
    paint.dim(counts.filter((part) => part !== '').join(', ')),
    '',
    ...sourceToText(f.source, paint),
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

/** Numbered lines; a dotted line stands for lines left out, a name for another file. */
function sourceToText(source: readonly SourceLine[], paint: Paint): readonly string[] {
  let before: SourceLine | undefined;
  return source.flatMap((place) => {
    const { file, line, text } = place;
    const last = before;
    before = place;
    const shown = `${paint.blue(String(line).padStart(5))} │ ${text}`;
    if (last?.file !== file) return [paint.dim(`      ┌ ${file}`), shown];
    return last.line + 1 === line ? [shown] : [paint.dim('      ·'), shown];
  });
}

function dispatchToText(
  dispatch: ExplainedDispatch,
  number: number,
  f: ExplainedFunction,
  paint: Paint,
): readonly string[] {
  const { kernel, schedule, bytes, flops, operations, places, depth } = dispatch;
  const cost = [showBytes(bytes), showFlops(flops), showIntensity(bytes, flops)]
    .filter((part) => part !== '')
    .join(', ');
  const indent = '  '.repeat(depth);
  const computed = operations.flatMap((op) => {
    const operation = f.operations[op];
    return operation === undefined || operation.isFree ? [] : [operation.text];
  });
  const rest = computed.length - mostOperations;
  return [
    `${indent}${paint.cyan(`${number + 1}. ${kernel}`)} (${schedule}) ${cost}`,
    ...(places.length === 0 ? [] : [`${indent}   ${paint.dim(`from ${showPlaces(places)}`)}`]),
    ...computed.slice(0, mostOperations).map((text) => `${indent}     ${paint.dim(text)}`),
    ...(rest > 0 ? [`${indent}     ${paint.dim(`and ${rest} more operations`)}`] : []),
  ];
}
