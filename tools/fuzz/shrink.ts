/**
 * Makes a failing program small. Greedy: of all the programs that are a step smaller the first that fails in the same way is taken, until
 * none does. Candidates need not be well typed: the compiler refuses those that are not, which is another failure.
 */
import { constantValue, evaluate, int } from '../../compiler/symbolic/integer.ts';
import type { TensorType } from '../../compiler/tensor-ir/program.ts';
import {
  type Block,
  block,
  childrenOf,
  descendants,
  type Expression,
  isSameType,
  printExpression,
  printShape,
  replaceInside,
  type Statement,
  typed,
} from './expression.ts';
import type { FuzzProgram } from './program.ts';
import { printProgram } from './program.ts';

/** The place of the first of the programs that still fails as the first did; -1 when none does. */
export type FindFailing = (programs: readonly FuzzProgram[]) => Promise<number>;

const perChunk = 16;

export interface ShrinkOptions {
  readonly milliseconds?: number;
}

export async function shrink(
  program: FuzzProgram,
  findFailing: FindFailing,
  options: ShrinkOptions = {},
): Promise<FuzzProgram> {
  const end = performance.now() + (options.milliseconds ?? 120_000);
  const seen = new Set<string>();
  let best = program;
  for (let hasChanged = true; hasChanged; ) {
    hasChanged = false;
    for (const step of steps) {
      // a step that helped once is likely to help again
      for (let found = true; found; ) {
        found = false;
        for (const candidates of chunks(step(best), seen, sizeOf(best))) {
          if (performance.now() > end) return best;
          const smaller = candidates[await findFailing(candidates)];
          if (smaller === undefined) continue;
          best = smaller;
          found = true;
          hasChanged = true;
          break;
        }
      }
    }
  }
  return best;
}

/** Candidates that are smaller and new, some at a time: they are compiled together. */
function* chunks(
  candidates: Iterable<FuzzProgram>,
  seen: Set<string>,
  size: number,
): Iterable<readonly FuzzProgram[]> {
  let chunk: FuzzProgram[] = [];
  for (const candidate of candidates) {
    const key = `${printProgram(candidate)}${JSON.stringify(candidate.calls)}`;
    if (seen.has(key) || sizeOf(candidate) >= size) continue;
    seen.add(key);
    chunk.push(candidate);
    if (chunk.length < perChunk) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}

/** What shrinking makes smaller: text first, then sizes. */
function sizeOf(program: FuzzProgram): number {
  const sizes = program.calls.flatMap((call) => Object.values(call)).reduce((a, b) => a + b + 1, 0);
  return 100 * printProgram(program).length + 10 * program.calls.length + sizes;
}

type Step = (program: FuzzProgram) => Iterable<FuzzProgram>;

const steps: readonly Step[] = [
  onlyOneCall,
  onlyOneResult,
  withoutHelpers,
  withoutParameters,
  withoutStatements,
  withoutInnerStatements,
  simplerExpressions,
  inlinedNames,
  inlinedHelpers,
  smallerDims,
  plainDTypes,
];

function* onlyOneCall(program: FuzzProgram): Iterable<FuzzProgram> {
  if (program.calls.length > 1)
    for (const call of program.calls) yield { ...program, calls: [call] };
}

function* onlyOneResult(program: FuzzProgram): Iterable<FuzzProgram> {
  const { results } = program;
  if (results.length > 1) for (const result of results) yield { ...program, results: [result] };
}

function* withoutHelpers(program: FuzzProgram): Iterable<FuzzProgram> {
  for (const helper of program.helpers)
    yield { ...program, helpers: program.helpers.filter((h) => h !== helper) };
  for (const line of program.imports)
    yield { ...program, imports: program.imports.filter((i) => i !== line) };
}

function* withoutParameters(program: FuzzProgram): Iterable<FuzzProgram> {
  for (const parameter of program.parameters)
    yield { ...program, parameters: program.parameters.filter((p) => p !== parameter) };
}

function* withoutStatements(program: FuzzProgram): Iterable<FuzzProgram> {
  const { statements } = program.body;
  for (let i = statements.length - 1; i >= 0; i--)
    yield withStatements(program, [...statements.slice(0, i), ...statements.slice(i + 1)]);
}

function withStatements(program: FuzzProgram, statements: readonly Statement[]): FuzzProgram {
  return { ...program, body: { ...program.body, statements } };
}

/** All expressions of a program, the largest first. */
function expressionsOf(program: FuzzProgram): readonly Expression[] {
  const roots = [program.body, ...program.results, ...program.helpers.map((h) => h.body)];
  return roots
    .flatMap(descendants)
    .map((expression) => ({ expression, size: printExpression(expression).length }))
    .sort((a, b) => b.size - a.size)
    .map(({ expression }) => expression);
}

/** One expression replaced wherever that very object stands. */
function replaced(program: FuzzProgram, from: Expression, to: Expression): FuzzProgram {
  const change = (e: Expression): Expression | undefined => (e === from ? to : undefined);
  const body = replaceInside(program.body, change);
  if (body.kind !== 'block') return program;
  return {
    ...program,
    body,
    results: program.results.map((r) => replaceInside(r, change)),
    helpers: program.helpers.map((h) => ({ ...h, body: replaceInside(h.body, change) })),
  };
}

function* withoutInnerStatements(program: FuzzProgram): Iterable<FuzzProgram> {
  for (const e of expressionsOf(program)) {
    if (e.kind !== 'block' || e === program.body) continue;
    for (let i = 0; i < e.statements.length; i++) {
      // without its counter a loop never ends
      if (e.statements[i]!.parts.join('').endsWith(' += 1;')) continue;
      const statements = [...e.statements.slice(0, i), ...e.statements.slice(i + 1)];
      yield replaced(program, e, block(statements, e.result, e.type));
    }
  }
}

/** Each expression as one of its parts, as a name of its type, or as a constant. */
function* simplerExpressions(program: FuzzProgram): Iterable<FuzzProgram> {
  for (const e of expressionsOf(program)) {
    const { type } = e;
    if (type === undefined || e === program.body) continue;
    for (const inner of descendants(e).slice(1))
      if (inner.type !== undefined && isSameType(inner.type, type))
        yield replaced(program, e, inner);
    if (isAtom(e)) continue;
    const name = program.parameters.find((p) => isSameType(p.type, type));
    if (name !== undefined) yield replaced(program, e, typed(type)`${name.name}`);
    yield replaced(program, e, constantOf(type));
    // a part of another type, coerced
    for (const inner of descendants(e).slice(1, 12))
      if (inner.type !== undefined && inner.type.dtype !== type.dtype && type.dtype !== 'bool')
        if (isSameType({ ...inner.type, dtype: type.dtype }, type))
          yield replaced(program, e, typed(type)`${type.dtype}(${inner})`);
  }
  // results may be of any type
  for (const result of program.results)
    for (const inner of descendants(result).slice(1))
      if (inner.type !== undefined)
        yield { ...program, results: program.results.map((r) => (r === result ? inner : r)) };
}

function isAtom(e: Expression): boolean {
  return e.kind === 'template' && e.parts.every((part) => typeof part === 'string');
}

function constantOf({ dtype, shape }: TensorType): Expression {
  const value = dtype === 'bool' ? 'true' : dtype[0] === 'i' || dtype[0] === 'u' ? '2' : '0.5';
  const type = { dtype, shape };
  return shape.length === 0 && dtype === 'f32'
    ? typed(type)`${value}`
    : typed(type)`full(${printShape(shape)}, ${value}, dtype = ${dtype})`;
}

/** `let a = b;` gone, with its value where the name stood. */
function* inlinedNames(program: FuzzProgram): Iterable<FuzzProgram> {
  for (const e of expressionsOf(program)) {
    if (e.kind !== 'block') continue;
    for (const [i, { parts }] of e.statements.entries()) {
      const [head, value] = parts;
      const name = typeof head === 'string' ? /^let (\w+) = $/.exec(head)?.[1] : undefined;
      if (name === undefined || value === undefined || typeof value === 'string') continue;
      const values = new Map([[name, value]]);
      const rest: Block = { ...e, statements: e.statements.filter((_, j) => j !== i) };
      const inlined = substituted(rest, values);
      if (inlined.kind !== 'block') continue;
      if (e === program.body) {
        const results = program.results.map((r) => substituted(r, values));
        yield { ...program, body: inlined, results };
      } else yield replaced(program, e, block(inlined.statements, inlined.result, e.type));
    }
  }
}

/** Names replaced by expressions. */
function substituted(e: Expression, values: ReadonlyMap<string, Expression>): Expression {
  return replaceInside(e, (inner) =>
    inner.kind === 'template' && isAtom(inner) ? values.get(inner.parts.join('')) : undefined,
  );
}

/** The body of a helper for a call of it, with the arguments in place of the parameters. */
function* inlinedHelpers(program: FuzzProgram): Iterable<FuzzProgram> {
  for (const { name, header, body } of program.helpers) {
    const list = /\((.*)\) ->/.exec(header)?.[1] ?? '';
    const names = [...list.matchAll(/(\w+):/g)].map((m) => m[1]!);
    for (const e of expressionsOf(program)) {
      if (e.kind !== 'template') continue;
      if (!e.parts.some((part) => typeof part === 'string' && part.includes(`${name}(`))) continue;
      // lists of arguments are one expression without a type
      const args = childrenOf(e).flatMap((arg) =>
        arg.type === undefined ? childrenOf(arg) : [arg],
      );
      const values = new Map(args.map((arg, i) => [names[i]!, arg]));
      const inlined = replaced(program, e, substituted(body, values));
      yield { ...inlined, helpers: inlined.helpers.filter((h) => h.name !== name) };
    }
  }
}

function* smallerDims(program: FuzzProgram): Iterable<FuzzProgram> {
  for (const [i, call] of program.calls.entries()) {
    for (const [name, size] of Object.entries(call)) {
      for (const smaller of new Set([1, 2, 3, size >> 1, size - 1])) {
        if (smaller >= size) continue;
        const calls = program.calls.map((c, j) => (i === j ? { ...c, [name]: smaller } : c));
        yield { ...program, calls };
      }
    }
  }
  // dims that stand in no type any more, and known sizes in place of dims
  const [only] = program.calls;
  if (only === undefined || program.calls.length > 1) return;
  for (const [name, size] of Object.entries(only)) yield withKnownDim(program, name, size);
}

/** The dim as a number in every type and text. */
function withKnownDim(program: FuzzProgram, name: string, size: number): FuzzProgram {
  const text = (part: string): string =>
    part.replace(new RegExp(`\\b${name}\\b`, 'g'), String(size));
  const known = (type: TensorType): TensorType => ({
    ...type,
    shape: type.shape.map((d) => {
      if (constantValue(d) !== undefined) return d;
      try {
        return int(evaluate(d, (n) => (n === name ? size : undefined)));
      } catch {
        return d;
      }
    }),
  });
  const calls = program.calls.map((call) =>
    Object.fromEntries(Object.entries(call).filter(([other]) => other !== name)),
  );
  return { ...mapTexts(program, text, known), calls };
}

/** Every dtype but f32 and i32 as the plainest of its kind. */
function* plainDTypes(program: FuzzProgram): Iterable<FuzzProgram> {
  for (const [from, to] of [
    ['bf16', 'f32'],
    ['f16', 'f32'],
    ['f64', 'f32'],
    ['i8', 'i32'],
    ['i16', 'i32'],
    ['i64', 'i32'],
    ['u8', 'i32'],
    ['u16', 'i32'],
    ['u32', 'i32'],
    ['u64', 'i32'],
  ] as const) {
    const text = (part: string): string => part.replace(new RegExp(`\\b${from}\\b`, 'g'), to);
    yield mapTexts(program, text, (type) => (type.dtype === from ? { ...type, dtype: to } : type));
  }
}

function mapTexts(
  program: FuzzProgram,
  text: (part: string) => string,
  type: (type: TensorType) => TensorType,
): FuzzProgram {
  const rewrite = (e: Expression): Expression => {
    const of = e.type === undefined ? undefined : type(e.type);
    const parts = (list: Statement['parts']): Statement['parts'] =>
      list.map((part) => (typeof part === 'string' ? text(part) : rewrite(part)));
    if (e.kind === 'template') return { ...e, type: of, parts: parts(e.parts) };
    const result = e.result === undefined ? undefined : rewrite(e.result);
    return {
      ...e,
      type: of,
      statements: e.statements.map((s) => ({ parts: parts(s.parts) })),
      result,
    };
  };
  const body = rewrite(program.body);
  if (body.kind !== 'block') return program;
  return {
    ...program,
    imports: program.imports.map(text),
    parameters: program.parameters.map((p) => ({ ...p, type: type(p.type) })),
    helpers: program.helpers.map((h) => ({ ...h, header: text(h.header), body: rewrite(h.body) })),
    body,
    results: program.results.map(rewrite),
  };
}
