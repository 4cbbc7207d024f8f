/** Reads the text form of print.ts. Types are taken as written; verify.ts says whether they are right. */
import { primitive } from '../primitives/registry.ts';
import type { Int } from '../symbolic/integer.ts';
import { parseInteger } from '../symbolic/parse-integer.ts';
import { makeValue } from './builder.ts';
import { isDType } from './dtype.ts';
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
  Stage,
  TensorType,
  Tree,
  Value,
} from './program.ts';

/** Text that is not the text of a program; the message names the line. */
export class IrSyntaxError extends Error {
  override readonly name: string = 'IrSyntaxError';
}

/** The program that `printProgram` wrote. Throws IrSyntaxError, or InternalError on an unknown primitive. */
export function parseProgram(text: string): Program {
  const reader = new Reader(text);
  const program = readProgram(reader);
  reader.expectEnd();
  return program;
}

/** The function that `printFunction` wrote. Throws as `parseProgram` does. */
export function parseFunction(text: string): Func {
  const reader = new Reader(text);
  reader.expectWord('func');
  const func = readFunction(reader, new Map());
  reader.expectEnd();
  return func;
}

/** Values by the number in the text; regions share the numbering of their function. */
type Values = Map<string, Value>;

function readProgram(reader: Reader): Program {
  reader.expectWord('program');
  const stage = reader.word();
  if (stage !== 'traced' && stage !== 'plain') throw reader.error('`traced` or `plain`');
  const entries: Entry[] = [];
  while (!reader.isAtEnd()) entries.push(readEntry(reader));
  return { stage: stage as Stage, entries };
}

function readEntry(reader: Reader): Entry {
  const doc: string[] = [];
  while (reader.take('///')) doc.push(reader.restOfLine().replace(/^ /, ''));
  reader.expectWord('entry');
  const name = reader.name();
  reader.expect('{');
  const dims: string[] = [];
  if (reader.takeWord('dims')) {
    do dims.push(reader.word());
    while (reader.take(','));
  }
  const parameters: EntryParameter[] = [];
  while (reader.takeWord('parameter')) parameters.push(readParameter(reader));
  reader.expectWord('result');
  const result = readTree(reader);
  const guards: Guard[] = [];
  while (reader.takeWord('guard')) guards.push(readGuard(reader));
  reader.expectWord('func');
  const func = readFunction(reader, new Map());
  reader.expect('}');
  return { name, doc: doc.join('\n'), parameters, result, func, dims, guards };
}

function readParameter(reader: Reader): EntryParameter {
  const name = reader.name();
  reader.expect(':');
  const tree = readTree(reader);
  return reader.takeWord('doc') ? { name, tree, doc: reader.string() } : { name, tree };
}

function readGuard(reader: Reader): Guard {
  const relation = reader.dashedWord();
  if (relation !== 'equal' && relation !== 'at-least' && relation !== 'divisible') {
    throw reader.error('a relation');
  }
  reader.expect('(');
  const left = reader.int();
  reader.expect(',');
  const right = reader.int();
  reader.expect(')');
  return { relation, left, right, message: reader.string() };
}

function readTree(reader: Reader): Tree<LeafType> {
  if (reader.take('(')) return { kind: 'tuple', items: readTrees(reader, ')') };
  if (reader.take('[')) return { kind: 'array', items: readTrees(reader, ']') };
  if (!reader.isNext('"')) {
    const isKey = reader.takeWord('key');
    const isComplex = !isKey && reader.takeWord('complex');
    const type = readType(reader);
    if (isComplex) return { kind: 'leaf', leaf: { type, isComplex } };
    return { kind: 'leaf', leaf: isKey ? { type, isKey } : { type } };
  }
  const name = reader.string();
  reader.expect('{');
  const fields = reader.list('}', () => {
    const field = reader.name();
    reader.expect(':');
    return { name: field, tree: readTree(reader) };
  });
  return { kind: 'struct', name, fields };
}

function readTrees(reader: Reader, end: string): Tree<LeafType>[] {
  return reader.list(end, () => readTree(reader));
}

function readType(reader: Reader): TensorType {
  const dtype = reader.word();
  if (!isDType(dtype)) throw reader.error('a dtype');
  return { dtype, shape: reader.take('[') ? reader.list(']', () => reader.int()) : [] };
}

/** From the name on: the word `func` or `region` has been read. */
function readFunction(reader: Reader, values: Values): Func {
  const name = reader.name();
  reader.expect('(');
  const parameters = reader.list(')', () => {
    const label = reader.valueLabel();
    reader.expect(':');
    return define(reader, values, label, readType(reader));
  });
  reader.expect('{');
  const body: Operation[] = [];
  while (!reader.takeWord('return')) body.push(readOperation(reader, values));
  const results = reader.isNextOnLine('%') ? readValues(reader, values) : [];
  reader.expect('}');
  return { name, parameters, body, results };
}

interface ValueLabel {
  readonly number: string;
  readonly name: string | undefined;
}

function define(reader: Reader, values: Values, label: ValueLabel, type: TensorType): Value {
  if (values.has(label.number)) throw reader.error(`%${label.number} only once`);
  const value = makeValue(type, label.name);
  values.set(label.number, value);
  return value;
}

function readValues(reader: Reader, values: Values): Value[] {
  const list: Value[] = [];
  do {
    const { number } = reader.valueLabel();
    const value = values.get(number);
    if (value === undefined) throw reader.error(`%${number} to be defined earlier`);
    list.push(value);
  } while (reader.take(','));
  return list;
}

function readOperation(reader: Reader, values: Values): Operation {
  const labels: ValueLabel[] = [];
  if (reader.isNext('%')) {
    do labels.push(reader.valueLabel());
    while (reader.take(','));
    reader.expect('=');
  }
  const record = primitive(reader.word());
  const operands = reader.isNextOnLine('%') ? readValues(reader, values) : [];
  const attrs = reader.isNextOnLine('{') ? readAttrs(reader) : {};
  const types: TensorType[] = [];
  if (labels.length > 0) {
    reader.expect(':');
    do types.push(readType(reader));
    while (reader.take(','));
  }
  if (types.length !== labels.length) throw reader.error(`${labels.length} types`);
  const results = labels.map((label, i) => define(reader, values, label, types[i]!));
  const regions: Func[] = [];
  while (reader.takeWord('region')) regions.push(readFunction(reader, values));
  return { primitive: record, operands, attrs, regions, results };
}

function readAttrs(reader: Reader): Attrs {
  reader.expect('{');
  const items = reader.list('}', (): [string, Attr] => {
    const name = reader.word();
    reader.expect('=');
    return [name, readAttr(reader)];
  });
  return Object.fromEntries(items);
}

function readAttr(reader: Reader): Attr {
  if (reader.isNext('"')) return reader.string();
  if (reader.isNext('{')) return readAttrs(reader);
  if (reader.take('[')) return reader.list(']', () => reader.int());
  if (reader.take('(')) return reader.list(')', () => readAttr(reader));
  for (const [word, value] of [
    ['true', true],
    ['false', false],
  ] as const) {
    if (reader.takeWord(word)) return value;
  }
  if (reader.takeWord('int')) {
    reader.expect('(');
    const value = reader.int();
    reader.expect(')');
    return value;
  }
  return readData(reader) ?? reader.number();
}

const dataKinds: ReadonlyMap<string, (items: readonly (number | bigint)[]) => ConstantData> =
  new Map<string, (items: readonly (number | bigint)[]) => ConstantData>([
    ['Float32Array', (items) => Float32Array.from(items, Number)],
    ['Float64Array', (items) => Float64Array.from(items, Number)],
    ['Int8Array', (items) => Int8Array.from(items, Number)],
    ['Int16Array', (items) => Int16Array.from(items, Number)],
    ['Int32Array', (items) => Int32Array.from(items, Number)],
    ['Uint8Array', (items) => Uint8Array.from(items, Number)],
    ['Uint16Array', (items) => Uint16Array.from(items, Number)],
    ['Uint32Array', (items) => Uint32Array.from(items, Number)],
    ['BigInt64Array', (items) => BigInt64Array.from(items as readonly bigint[])],
    ['BigUint64Array', (items) => BigUint64Array.from(items as readonly bigint[])],
  ]);

function readData(reader: Reader): ConstantData | undefined {
  for (const [kind, make] of dataKinds) {
    if (!reader.takeWord(kind)) continue;
    reader.expect('(');
    return make(
      reader.list(')', () => (kind.startsWith('Big') ? reader.bigint() : reader.number())),
    );
  }
  return undefined;
}

/** A cursor over the text. Everything skips white space first. */
class Reader {
  private readonly text: string;
  private position = 0;

  constructor(text: string) {
    this.text = text;
  }

  error(expected: string): IrSyntaxError {
    const line = this.text.slice(0, this.position).split('\n').length;
    const found = this.text.slice(this.position).split('\n', 1)[0]!.slice(0, 40);
    return new IrSyntaxError(`line ${line}: expected ${expected} before \`${found}\``);
  }

  /** Matches at the cursor, after white space, and moves past it. */
  private match(pattern: RegExp): string | undefined {
    this.skip(/\s*/y);
    return this.skip(pattern);
  }

  private skip(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.position;
    const found = pattern.exec(this.text)?.[0];
    this.position += found?.length ?? 0;
    return found;
  }

  private need(pattern: RegExp, expected: string): string {
    const found = this.match(pattern);
    if (found === undefined) throw this.error(expected);
    return found;
  }

  isAtEnd(): boolean {
    this.skip(/\s*/y);
    return this.position === this.text.length;
  }

  expectEnd(): void {
    if (!this.isAtEnd()) throw this.error('the end');
  }

  isNext(text: string): boolean {
    this.skip(/\s*/y);
    return this.text.startsWith(text, this.position);
  }

  /** True when the text follows before the line ends. */
  isNextOnLine(text: string): boolean {
    this.skip(/[ \t]*/y);
    return this.text.startsWith(text, this.position);
  }

  take(text: string): boolean {
    if (!this.isNext(text)) return false;
    this.position += text.length;
    return true;
  }

  expect(text: string): void {
    if (!this.take(text)) throw this.error(`\`${text}\``);
  }

  takeWord(word: string): boolean {
    this.skip(/\s*/y);
    const end = this.position + word.length;
    if (!this.text.startsWith(word, this.position) || /\w/.test(this.text[end] ?? '')) return false;
    this.position = end;
    return true;
  }

  expectWord(word: string): void {
    if (!this.takeWord(word)) throw this.error(`\`${word}\``);
  }

  word(): string {
    return this.need(/[A-Za-z_]\w*/y, 'a name');
  }

  dashedWord(): string {
    return this.need(/[a-z][a-z-]*/y, 'a word');
  }

  name(): string {
    return this.isNext('"') ? this.string() : this.word();
  }

  string(): string {
    const quoted = this.need(/"(?:[^"\\\n]|\\.)*"/y, 'a string');
    return JSON.parse(quoted) as string;
  }

  restOfLine(): string {
    return this.skip(/[^\n]*/y)!;
  }

  valueLabel(): ValueLabel {
    const [number, name] = this.need(/%\d+(?:\.\w+)?/y, 'a value')
      .slice(1)
      .split('.');
    return { number: number!, name };
  }

  number(): number | bigint {
    const digits = this.need(/-?(?:Infinity|NaN|[\d.]+(?:e[+-]?\d+)?n?)/y, 'a number');
    return digits.endsWith('n') ? BigInt(digits.slice(0, -1)) : Number(digits);
  }

  bigint(): bigint {
    return BigInt(this.need(/-?\d+/y, 'a whole number'));
  }

  /** An expression over dims: up to the comma or closing bracket outside its own parentheses. */
  int(): Int {
    this.skip(/\s*/y);
    const start = this.position;
    let depth = 0;
    for (; this.position < this.text.length; this.position++) {
      const c = this.text[this.position]!;
      if (c === '(') depth++;
      else if (depth === 0 && (c === ',' || c === ')' || c === ']')) break;
      else if (c === ')') depth--;
    }
    const text = this.text.slice(start, this.position);
    try {
      return parseInteger(text);
    } catch {
      this.position = start;
      throw this.error('a size');
    }
  }

  /** Items separated by commas (one may trail) up to a closing bracket; the opening one has been read. */
  list<T>(end: string, item: () => T): T[] {
    const items: T[] = [];
    while (!this.take(end)) {
      items.push(item());
      if (!this.take(',')) {
        this.expect(end);
        break;
      }
    }
    return items;
  }
}
