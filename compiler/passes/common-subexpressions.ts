/**
 * Common subexpressions: an operation equal to an earlier one takes its results.
 *
 *   f(x, y) { a = add(x, y); b = add(y, x); return mul(a, b) }      f(x, y) { a = add(x, y); return mul(a, a) }
 *
 * Equal means: same primitive, operands (in any order where they commute), attrs and regions by structure. Barriers stay
 * apart: they exist to keep equal computations from merging.
 */
import type { Int } from '../symbolic/integer.ts';
import type { Attr, Func, Operation, Value } from '../tensor-ir/program.ts';
import { functionPass, type Pass, rewriteRegions } from './pass.ts';

const commutative: ReadonlySet<string> = new Set([
  'add',
  'mul',
  'max',
  'min',
  'and',
  'or',
  'xor',
  'eq',
  'ne',
]);

/** Read with the operands swapped. */
const mirrored: ReadonlyMap<string, string> = new Map([
  ['gt', 'lt'],
  ['ge', 'le'],
]);

/** Merges equal operations, in regions too. */
export function shareCommonSubexpressions(func: Func): Func {
  const replaced = new Map<Value, Value>();
  const read = (v: Value): Value => replaced.get(v) ?? v;
  const numbering = new Numbering();
  const earlier = new Map<string, Operation>();
  let changed = false;
  const body: Operation[] = [];
  for (const original of func.body) {
    const rewritten = rewriteRegions(original, shareCommonSubexpressions);
    const op = original.operands.some((v) => replaced.has(v))
      ? { ...rewritten, operands: rewritten.operands.map(read) }
      : rewritten;
    if (op !== original) changed = true;
    if (op.primitive.name !== 'optimization_barrier') {
      const key = operationKey(op, numbering);
      const same = earlier.get(key);
      if (same !== undefined) {
        op.results.forEach((r, i) => replaced.set(r, same.results[i]!));
        changed = true;
        continue;
      }
      earlier.set(key, op);
    }
    body.push(op);
  }
  return changed ? { ...func, body, results: func.results.map(read) } : func;
}

/** Small numbers for values, in order of first sight. */
class Numbering {
  readonly #numbers = new Map<Value, number>();

  of(value: Value): number {
    let number = this.#numbers.get(value);
    if (number === undefined) {
      number = this.#numbers.size;
      this.#numbers.set(value, number);
    }
    return number;
  }
}

function operationKey(op: Operation, numbering: Numbering): string {
  let { name } = op.primitive;
  const ids = op.operands.map((v) => numbering.of(v));
  const mirror = mirrored.get(name);
  if (mirror !== undefined) {
    name = mirror;
    ids.reverse();
  } else if (commutative.has(name)) ids.sort((a, b) => a - b);
  let key = `${name} ${ids.join(' ')}`;
  for (const attr in op.attrs) key += ` ${attr}=${attrKey(op.attrs[attr]!)}`;
  for (const region of op.regions) key += ` ${regionKey(region)}`;
  return key;
}

const regionKeys = new WeakMap<Func, string>();

/** The text of a region with its values numbered by first sight: equal for equal structure. */
function regionKey(func: Func): string {
  let key = regionKeys.get(func);
  if (key === undefined) {
    const numbering = new Numbering();
    const parameters = func.parameters.map((p) => {
      numbering.of(p);
      return `${p.type.dtype}${attrKey(p.type.shape)}`;
    });
    const lines = func.body.map((op) => {
      const line = operationKey(op, numbering);
      for (const r of op.results) numbering.of(r);
      return line;
    });
    const results = func.results.map((r) => numbering.of(r));
    key = `{${parameters.join(' ')} | ${lines.join('; ')} | ${results.join(' ')}}`;
    regionKeys.set(func, key);
  }
  return key;
}

function attrKey(attr: Attr): string {
  switch (typeof attr) {
    case 'string':
      return JSON.stringify(attr);
    case 'number':
      return Object.is(attr, -0) ? '-0' : `${attr}`;
    case 'bigint':
      return `${attr}n`;
    case 'boolean':
      return `${attr}`;
    default:
      return objectKey(attr);
  }
}

function objectKey(attr: Exclude<Attr, string | number | bigint | boolean>): string {
  if (Array.isArray(attr)) return `[${attr.map(attrKey).join(',')}]`;
  if (ArrayBuffer.isView(attr)) return `data${identity(attr)}`;
  if ('terms' in attr && 'key' in attr) return `<${(attr as Int).key}>`;
  const record = attr as { readonly [name: string]: Attr };
  return `{${Object.keys(record)
    .sort()
    .map((name) => `${name}:${attrKey(record[name]!)}`)
    .join(',')}}`;
}

const identities = new WeakMap<object, number>();
let nextIdentity = 0;

/** Large data is equal when it is the same object. */
function identity(data: object): number {
  let id = identities.get(data);
  if (id === undefined) {
    id = nextIdentity++;
    identities.set(data, id);
  }
  return id;
}

export const commonSubexpressions: Pass<'plain', 'plain'> = functionPass(
  'common-subexpressions',
  'merges operations that compute the same values',
  shareCommonSubexpressions,
);
