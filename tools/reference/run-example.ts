/** What examples give, by the reference evaluator, as a person would write it. */
import { checkSource } from '../../compiler/driver/check-source.ts';
import { nodeHost } from '../../compiler/driver/node-host.ts';
import { isFloat } from '../../compiler/tensor-ir/dtype.ts';
import { evaluateEntry } from '../../compiler/tensor-ir/evaluate.ts';
import { type NdArray, toNumbers } from '../../compiler/tensor-ir/nd-array.ts';
import type { LeafType, Tree } from '../../compiler/tensor-ir/program.ts';
import type { Example } from './collect.ts';

const host = nodeHost();

/**
 * What each example gives: `[1, 2]`, or a tuple of such for several tensors. All are one program. Throws, with the problems,
 * when an example does not compile.
 */
export function runExamples(examples: readonly Example[]): readonly string[] {
  const imports = [...new Set(examples.map((example) => example.imports))].join('\n');
  const functions = examples.map(({ code }, i) => `export fn example_${i}() {\n${code}\n}`);
  const text = `${imports}\n${functions.join('\n')}\n`;
  const result = checkSource({ name: 'examples.mlx', text }, { host, targets: ['cpu'] });
  if (!result.ok) {
    const problems = result.diagnostics.map(({ code, message, span }) => {
      const place = span.file === 'examples.mlx' ? text.slice(span.start, span.end) : span.file;
      return `${code} ${message}: ${place}`;
    });
    throw new Error(problems.join('\n'));
  }
  const { entries } = result.plain;
  return examples.map(({ code }, i) => {
    const entry = entries.find(({ name }) => name === `example_${i}`);
    if (entry === undefined) throw new Error(`${code}\ngives no tensors`);
    const leaves = leavesOf(entry.result);
    const shown = evaluateEntry(entry, []).map((x, k) =>
      showArray(x, leaves[k]?.isComplex === true),
    );
    return shown.length === 1 ? shown[0]! : `(${shown.join(', ')})`;
  });
}

function leavesOf(tree: Tree<LeafType>): readonly LeafType[] {
  switch (tree.kind) {
    case 'leaf':
      return [tree.leaf];
    case 'struct':
      return tree.fields.flatMap((field) => leavesOf(field.tree));
    default:
      return tree.items.flatMap(leavesOf);
  }
}

/** Complex numbers are `1.0+2.0j`. */
function showArray(x: NdArray, isComplex: boolean): string {
  const parts = toNumbers(x).map((n) => showNumber(n, x));
  const numbers = isComplex
    ? parts.flatMap((re, i) => (i % 2 === 0 ? [showComplex(re, parts[i + 1]!)] : []))
    : parts;
  const show = (shape: readonly number[], start: number): string => {
    const [size, ...inner] = shape;
    if (size === undefined) return numbers[start]!;
    const step = inner.reduce((a, b) => a * b, 1);
    const items = Array.from({ length: size }, (_, i) => show(inner, start + i * step));
    return `[${items.join(', ')}]`;
  };
  return show(isComplex ? x.shape.slice(0, -1) : x.shape, 0);
}

function showComplex(re: string, im: string): string {
  return `${re}${im.startsWith('-') ? '' : '+'}${im}j`;
}

/** Six digits of a float are enough to see what a function does. */
function showNumber(value: number, { dtype }: NdArray): string {
  if (dtype === 'bool') return value === 0 ? 'false' : 'true';
  if (!isFloat(dtype)) return `${value}`;
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  if (Object.is(value, -0)) return '-0.0';
  const digits = `${Number(value.toPrecision(6))}`;
  return /[.e]/.test(digits) ? digits : `${digits}.0`;
}
