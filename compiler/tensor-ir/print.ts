/**
 * Programs and functions as text, one operation a line; parse.ts reads it back and `print(parse(text)) === text`.
 *
 *   func loss(%0.x: f32[B, 64], %1.w: f32[64]) {
 *     %2 = dot_general %0.x, %1.w {contracting = ((1), (0)), batch = ([], [])} : f32[B]
 *     %3 = reduce_sum %2 {axes = (0)} : f32
 *     return %3
 *   }
 *
 * Values are numbered by first appearance and carry their source name as a suffix. Square brackets hold Ints (a single one is
 * `int(N)`), parentheses hold anything else. Regions follow their operation, indented. Spans are not printed.
 */

import { type Int, print } from '../symbolic/integer.ts';
import type {
  Attr,
  Attrs,
  ConstantData,
  Entry,
  EntryParameter,
  Func,
  Guard,
  LeafType,
  Operation,
  Program,
  Tree,
  Value,
} from './program.ts';
import { showType } from './show.ts';

export function printProgram(program: Program): string {
  return [`program ${program.stage}\n`, ...program.entries.map(printEntry)].join('\n');
}

/** One entry, with its documentation, signature and guards. */
export function printEntry(entry: Entry): string {
  const lines = entry.doc === '' ? [] : entry.doc.split('\n').map((line) => `///${spaced(line)}`);
  lines.push(`entry ${printName(entry.name)} {`);
  if (entry.dims.length > 0) lines.push(`  dims ${entry.dims.join(', ')}`);
  lines.push(...entry.parameters.map((p) => `  ${printParameter(p)}`));
  lines.push(`  result ${printTree(entry.result)}`);
  lines.push(...entry.guards.map((g) => `  ${printGuard(g)}`));
  lines.push(...printLines(entry.func, 'func', new Numbering()).map((line) => `  ${line}`));
  lines.push('}');
  return `${lines.join('\n')}\n`;
}

function spaced(line: string): string {
  return line === '' ? '' : ` ${line}`;
}

/** A function on its own. */
export function printFunction(func: Func): string {
  return `${printLines(func, 'func', new Numbering()).join('\n')}\n`;
}

/** One operation as it stands in the text of `func`, without its regions: for messages. */
export function printOperation(func: Func, op: Operation): string {
  const numbering = new Numbering();
  printLines(func, 'func', numbering);
  return printHead(op, numbering, (value) => numbering.read(value));
}

function printParameter({ name, tree, doc }: EntryParameter): string {
  const note = doc === undefined ? '' : ` doc ${JSON.stringify(doc)}`;
  return `parameter ${printName(name)}: ${printTree(tree)}${note}`;
}

function printGuard({ relation, left, right, message }: Guard): string {
  return `guard ${relation}(${print(left)}, ${print(right)}) ${JSON.stringify(message)}`;
}

/** `"Mlp" {w: f32[64, 10]}`, `(f32, i32)`, `(f32,)`, `[f32, f32]`, `key u32[2]`. */
export function printTree(tree: Tree<LeafType>): string {
  switch (tree.kind) {
    case 'leaf':
      return `${tree.leaf.isKey ? 'key ' : tree.leaf.isComplex ? 'complex ' : ''}${showType(tree.leaf.type)}`;
    case 'struct': {
      const fields = tree.fields.map((f) => `${printName(f.name)}: ${printTree(f.tree)}`);
      return `${JSON.stringify(tree.name)} {${fields.join(', ')}}`;
    }
    case 'tuple':
      return `(${tree.items.map(printTree).join(', ')}${tree.items.length === 1 ? ',' : ''})`;
    case 'array':
      return `[${tree.items.map(printTree).join(', ')}]`;
  }
}

const identifier = /^[A-Za-z_]\w*$/;

/** A name as it is when it is an identifier, else quoted. */
function printName(name: string): string {
  return identifier.test(name) ? name : JSON.stringify(name);
}

class Numbering {
  private readonly labels = new Map<Value, string>();
  private next = 0;

  /** A fresh number, also when a function that several operations share is printed once more. */
  define(value: Value): string {
    const name = value.name?.replaceAll(/\W/g, '_') ?? '';
    const label = `%${this.next++}${name === '' ? '' : `.${name}`}`;
    this.labels.set(value, label);
    return label;
  }

  read(value: Value): string {
    return this.labels.get(value) ?? '%undefined';
  }
}

function printLines(func: Func, keyword: 'func' | 'region', numbering: Numbering): string[] {
  const parameters = func.parameters.map((p) => `${numbering.define(p)}: ${showType(p.type)}`);
  const lines = [`${keyword} ${printName(func.name)}(${parameters.join(', ')}) {`];
  for (const op of func.body) {
    lines.push(`  ${printHead(op, numbering, (value) => numbering.define(value))}`);
    for (const region of op.regions) {
      lines.push(...printLines(region, 'region', numbering).map((text) => `    ${text}`));
    }
  }
  const results = func.results.map((r) => numbering.read(r)).join(', ');
  lines.push(`  return${spaced(results)}`, '}');
  return lines;
}

function printHead(op: Operation, numbering: Numbering, label: (value: Value) => string): string {
  const operands = op.operands.map((x) => numbering.read(x)).join(', ');
  const attrs = Object.keys(op.attrs).length === 0 ? '' : ` ${printAttrs(op.attrs)}`;
  const call = `${op.primitive.name}${spaced(operands)}${attrs}`;
  if (op.results.length === 0) return call;
  const types = op.results.map((r) => showType(r.type)).join(', ');
  return `${op.results.map(label).join(', ')} = ${call} : ${types}`;
}

function printAttrs(attrs: Attrs): string {
  const items = Object.entries(attrs).map(([name, attr]) => `${name} = ${printAttr(attr)}`);
  return `{${items.join(', ')}}`;
}

function printAttr(attr: Attr): string {
  switch (typeof attr) {
    case 'number':
      return printNumber(attr);
    case 'bigint':
      return `${attr}n`;
    case 'string':
      return JSON.stringify(attr);
    case 'boolean':
      return String(attr);
    default:
      if (isInt(attr)) return `int(${print(attr)})`;
      if (isList(attr)) return printList(attr);
      return isData(attr) ? printData(attr) : printAttrs(attr);
  }
}

function printList(list: readonly Attr[]): string {
  if (list.every(isInt)) return `[${list.map(print).join(', ')}]`;
  return `(${list.map(printAttr).join(', ')})`;
}

/** As JavaScript writes it, with the sign of zero. */
function printNumber(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

function printData(data: ConstantData): string {
  const items = Array.from(data as ArrayLike<number | bigint>, (x) =>
    typeof x === 'bigint' ? String(x) : printNumber(x),
  );
  return `${data.constructor.name}(${items.join(', ')})`;
}

function isList(attr: object): attr is readonly Attr[] {
  return Array.isArray(attr);
}

function isData(attr: object): attr is ConstantData {
  return ArrayBuffer.isView(attr);
}

function isInt(attr: Attr): attr is Int {
  return typeof attr === 'object' && 'terms' in attr && 'key' in attr;
}
