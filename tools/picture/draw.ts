/** A function beside its operations and its Metal kernel, as SVG: what belongs to one line of the source has one colour. */
import { fileURLToPath } from 'node:url';
import { compileStages } from '../../compiler/driver/compile.ts';
import {
  type ExplainedFunction,
  type ExplainedOperation,
  explainProgram,
} from '../../compiler/driver/explain/explanation.ts';
import { nodeHost } from '../../compiler/driver/node-host.ts';

interface Line {
  readonly text: string;
  /** Line of the source that it comes from. */
  readonly origin: number | undefined;
}

interface Panel {
  readonly title: string;
  readonly lines: readonly Line[];
}

/** The picture of a function that is one kernel, compiled for these dims; throws when it is not. */
export function drawProgram(
  path: string,
  name: string,
  dims: Readonly<Record<string, number>>,
): string {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  const stages = compileStages({ path }, { host: nodeHost(root), targets: ['metal'], dims });
  if (!stages.ok) throw new Error(stages.diagnostics.map((d) => d.message).join('\n'));
  const explanation = explainProgram(stages, stages.programs[0]!);
  const found = explanation.functions.find((f) => f.name === name);
  const dispatch = found?.dispatches[0];
  if (found === undefined || dispatch === undefined || found.dispatches.length !== 1) {
    throw new Error(`${name} is not one kernel`);
  }
  const operations = found.operations.filter(({ number }) => dispatch.operations.includes(number));
  const computing = operations.filter((op) => !op.text.includes('= broadcast '));
  const kernel = explanation.kernels[dispatch.kernel]!.trim();
  return draw(
    [sourcePanel(path, found, operations), operationPanel(computing)],
    {
      title: `its kernel in Metal (${dispatch.schedule} schedule) for ${show(dims)}`,
      lines: kernelLines(kernel, computing),
    },
    `1 kernel · ${found.bytes.text} bytes moved · ${found.flops.text} flops`,
  );
}

function show(dims: Readonly<Record<string, number>>): string {
  return Object.entries(dims)
    .map(([name, size]) => `${name} = ${size}`)
    .join(', ');
}

function sourcePanel(
  path: string,
  { source }: ExplainedFunction,
  operations: readonly ExplainedOperation[],
): Panel {
  const used = new Set(operations.map((op) => op.place?.line));
  const lines = source.map(({ line, text }) => ({
    text,
    origin: used.has(line) ? line : undefined,
  }));
  return { title: path, lines };
}

function operationPanel(operations: readonly ExplainedOperation[]): Panel {
  const lines = operations.map(({ text, place }) => ({ text, origin: place?.line }));
  return { title: 'its operations', lines };
}

/**
 * Which source line each line of a kernel comes from, by names: the printer calls variables and results after the operation that
 * they hold (`max`, `sum`, `div`). Lines without such a name belong to the next one that has one; braces to the last.
 */
function kernelLines(kernel: string, operations: readonly ExplainedOperation[]): readonly Line[] {
  const origins = new Map<string, number>();
  for (const { text, place } of operations) {
    const operation = /= (?:reduce_)?(\w+)/.exec(text)?.[1];
    if (operation !== undefined && place !== undefined) origins.set(operation, place.line);
  }
  const texts = kernel.split('\n').filter((text) => !text.startsWith('//'));
  const body = texts.findIndex((text) => text.endsWith(') {'));
  const named = texts.map((text, i) => {
    const variable =
      /^\s*(?:threadgroup )?(?:float )?([a-z]+)(?:_parts)?(?:_\d+)?(?:\[.*?\])? ?[-+*;=]/.exec(
        text,
      )?.[1];
    return i > body && variable !== undefined ? origins.get(variable) : undefined;
  });
  const last = named.findLastIndex((origin) => origin !== undefined);
  return texts.map((text, i) => {
    if (i <= body || i === texts.length - 1 || /^\s*const int i =/.test(text)) {
      return { text, origin: undefined };
    }
    const isBrace = text.trim() === '}';
    const before = named.findLast((origin, at) => at <= i && origin !== undefined);
    const after = named.find((origin, at) => at >= i && origin !== undefined);
    return { text, origin: isBrace || i > last ? before : after };
  });
}

const tints = ['#dbeafe', '#dcfce7', '#ffedd5', '#f3e8ff', '#fef9c3'];
const character = 7.25;
const lineHeight = 17;
const padding = 16;

function draw(left: readonly Panel[], right: Panel, caption: string): string {
  const origins = new Set([...left, right].flatMap(({ lines }) => lines.map((l) => l.origin)));
  const known = [...origins].filter((origin) => origin !== undefined).sort((a, b) => a - b);
  const tintOf = (origin: number): string => tints[known.indexOf(origin) % tints.length]!;
  const widthOf = (panels: readonly Panel[]): number =>
    padding * 2 +
    character * Math.max(...panels.flatMap(({ lines }) => lines.map(({ text }) => text.length)));
  const [leftWidth, rightWidth] = [widthOf(left), widthOf([right])];
  const height = (right.lines.length + 2) * lineHeight + 2 * padding;
  const parts: string[] = [];
  const drawPanel = (panel: Panel, x: number, top: number, width: number): number => {
    parts.push(
      `<text class="title" x="${x + padding}" y="${top + 12}">${escapeText(panel.title)}</text>`,
    );
    let y = top + lineHeight + 6;
    for (const { text, origin } of panel.lines) {
      if (origin !== undefined) {
        parts.push(
          `<rect x="${x + 6}" y="${y}" width="${round(width - 12)}" height="${lineHeight}" fill="${tintOf(origin)}"/>`,
        );
      }
      // not every viewer keeps leading spaces
      const indent = text.length - text.trimStart().length;
      parts.push(
        `<text x="${x + padding + Math.round(indent * character)}" y="${y + 12.5}">${escapeText(text.trim())}</text>`,
      );
      y += lineHeight;
    }
    return y;
  };
  let y = padding;
  for (const panel of left) y = drawPanel(panel, 0, y, leftWidth) + 2 * lineHeight;
  parts.push(`<text class="title" x="${padding}" y="${y}">${escapeText(caption)}</text>`);
  drawPanel(right, round(leftWidth), padding, rightWidth);
  const width = round(leftWidth + rightWidth);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">
<style>text { font: 12px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #1f2328; white-space: pre } .title { fill: #656d76 }</style>
<rect width="${width}" height="${height}" rx="8" fill="#fff"/>
${parts.join('\n')}
</svg>
`;
}

function round(x: number): number {
  return Math.round(x);
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
