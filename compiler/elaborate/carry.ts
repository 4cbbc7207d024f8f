/**
 * What loops share: the variables that the body assigns become the carry. A variable that starts as a literal takes
 * the dtype that the body gives it, which a first, silent round finds out.
 */
import { compileTimeVariable } from '../diagnostics/problems/limits.ts';
import { carryChanges } from '../diagnostics/problems/types.ts';
import type { Span } from '../diagnostics/span.ts';
import type { DType } from '../tensor-ir/dtype.ts';
import type { TensorType, Value } from '../tensor-ir/program.ts';
import { readVariables, saveVariables, writeVariables } from './conditionals.ts';
import { describe } from './describe.ts';
import type { Elaborator } from './elaborator.ts';
import { defaultDType, isWeak, weakToTensor } from './numbers.ts';
import { sameShape } from './operations.ts';
import { Region } from './regions.ts';
import type { Scope } from './scope.ts';
import { showTensor } from './show.ts';
import {
  containsError,
  containsFunction,
  errorTerm,
  forEachLeaf,
  formOf,
  mapLeaves,
} from './terms.ts';
import type { Term } from './value.ts';

export interface LoopBody {
  /** Carries that are no variables of the source: a counter, a flag. */
  readonly hidden: readonly Term[];
  /** For `while`: the condition, in a region of its own. */
  readonly test?: (region: Region, hidden: readonly Term[]) => Value | undefined;
  /** Runs once with the variables bound to the carry; returns the hidden carries after the round. */
  readonly run: (region: Region, hidden: readonly Term[]) => readonly Term[];
}

export interface LoopShape {
  /** Parameters before and after the carry: the index, the slices. */
  readonly before: readonly { readonly type: TensorType; readonly name?: string | undefined }[];
  readonly after: readonly { readonly type: TensorType; readonly name?: string | undefined }[];
  /** Emits the operation and returns the final carry; undefined after a report. */
  readonly finish: (
    region: Region,
    initial: readonly Value[],
    results: readonly Value[],
    test: { readonly region: Region; readonly value: Value } | undefined,
  ) => readonly Value[] | undefined;
}

interface Leaf {
  readonly term: Term;
  readonly name: string;
  readonly span: Span;
  dtype: DType;
  /** Set while the dtype is only the literal's default. */
  isWeak: boolean;
}

export function buildLoop(
  e: Elaborator,
  scope: Scope,
  variables: readonly string[],
  body: LoopBody,
  span: Span,
  shape: LoopShape,
): void {
  const started = readVariables(scope, variables);
  const initial = [...body.hidden, ...started];
  const fail = (): void =>
    writeVariables(
      scope,
      variables,
      started.map(() => errorTerm),
    );
  if (started.some(containsError)) {
    runForProblems(e, scope, variables, body, shape, initial);
    fail();
    return;
  }
  for (const [i, term] of started.entries()) {
    if (!containsFunction(term)) continue;
    e.error(compileTimeVariable(variables[i]!, describe(term), span));
    fail();
    return;
  }
  const leaves = leavesOfCarry(initial, [...body.hidden.map(() => ''), ...variables], scope, span);
  if (leaves.some((l) => l.isWeak)) learnDTypes(e, scope, variables, body, shape, initial, leaves);

  const restore = saveVariables(scope, variables);
  const round = runRound(e, scope, variables, body, shape, initial, leaves);
  restore();
  e.builder.span = span;
  const starts = leaves.map((l) => start(e, l, span));
  const results = round && matchCarry(e, round, leaves, span);
  if (results === undefined || !starts.every((v) => v !== undefined)) {
    fail();
    return;
  }
  const final =
    leaves.length === 0 ? [] : shape.finish(round!.region, starts, results, round!.test);
  if (final === undefined) {
    fail();
    return;
  }
  const after = withLeaves(
    initial,
    final.map((value, i) => leafTerm(leaves[i]!, value)),
  );
  writeVariables(scope, variables, after.slice(body.hidden.length));
}

/** Elaborates the body with what is there, for its own problems only. */
function runForProblems(
  e: Elaborator,
  scope: Scope,
  variables: readonly string[],
  body: LoopBody,
  shape: LoopShape,
  initial: readonly Term[],
): void {
  const restore = saveVariables(scope, variables);
  runRound(e, scope, variables, body, shape, initial, undefined);
  restore();
}

function leavesOfCarry(
  terms: readonly Term[],
  names: readonly string[],
  scope: Scope,
  span: Span,
): Leaf[] {
  const leaves: Leaf[] = [];
  terms.forEach((term, i) => {
    const name = names[i] ?? '';
    const binding = scope.find(name);
    const place = binding?.kind === 'term' ? (binding.span ?? span) : span;
    forEachLeaf(term, (leaf) => {
      const dtype = defaultDType(leaf) ?? 'f32';
      leaves.push({
        term: leaf,
        name,
        span: place,
        dtype,
        isWeak: isWeak(leaf) && leaf.kind !== 'boolean',
      });
    });
  });
  return leaves;
}

function shapeOf(leaf: Leaf): TensorType['shape'] {
  return leaf.term.kind === 'tensor' ? leaf.term.value.type.shape : [];
}

function leafTerm(leaf: Leaf, value: Value): Term {
  return { kind: 'tensor', value, form: formOf(leaf.term) };
}

function start(e: Elaborator, leaf: Leaf, span: Span): Value | undefined {
  if (leaf.term.kind === 'tensor' && leaf.term.isWeak !== true) return leaf.term.value;
  return weakToTensor(e, leaf.term, leaf.dtype, [], span);
}

/** The same trees with these leaves, in order over all trees. */
function withLeaves(terms: readonly Term[], leaves: readonly Term[]): readonly Term[] {
  let next = 0;
  return terms.map((term) => mapLeaves(term, () => leaves[next++]!));
}

interface Round {
  readonly region: Region;
  /** The carry after the round, leaf by leaf. */
  readonly after: readonly Term[];
  readonly terms: readonly Term[];
  readonly test: { readonly region: Region; readonly value: Value } | undefined;
}

/** One symbolic round; with `leaves` undefined the variables keep their (faulty) terms. */
function runRound(
  e: Elaborator,
  scope: Scope,
  variables: readonly string[],
  body: LoopBody,
  shape: LoopShape,
  initial: readonly Term[],
  leaves: readonly Leaf[] | undefined,
  isTrial = false,
): Round | undefined {
  const bindCarry = (region: Region): readonly Term[] => {
    if (leaves === undefined) return initial;
    const parameters = leaves.map((leaf): Term => {
      const type = { dtype: leaf.dtype, shape: shapeOf(leaf) };
      const name = leaf.name === '' ? undefined : leaf.name;
      const term = leafTerm(leaf, region.parameter(type, name));
      return isTrial && leaf.isWeak && term.kind === 'tensor' ? { ...term, isWeak: true } : term;
    });
    return withLeaves(initial, parameters);
  };
  const hiddenCount = body.hidden.length;
  let test: Round['test'];
  let isSound = true;
  if (body.test !== undefined) {
    const region = new Region(e);
    const carry = bindCarry(region);
    writeVariables(scope, variables, carry.slice(hiddenCount));
    const value = region.run(() => body.test!(region, carry.slice(0, hiddenCount)));
    if (value === undefined) isSound = false;
    else test = { region, value };
  }
  const region = new Region(e);
  for (const p of shape.before) region.parameter(p.type, p.name);
  const carry = bindCarry(region);
  for (const p of shape.after) region.parameter(p.type, p.name);
  writeVariables(scope, variables, carry.slice(hiddenCount));
  const terms = region.run(() => {
    const hidden = body.run(region, carry.slice(0, hiddenCount));
    return [...hidden, ...readVariables(scope, variables)];
  });
  if (!isSound || terms.some(containsError)) return undefined;
  const after: Term[] = [];
  for (const term of terms) forEachLeaf(term, (leaf) => after.push(leaf));
  return { region, after, terms, test };
}

/** A silent round with weak carries: a leaf that comes out with a dtype of its own starts with it. */
function learnDTypes(
  e: Elaborator,
  scope: Scope,
  variables: readonly string[],
  body: LoopBody,
  shape: LoopShape,
  initial: readonly Term[],
  leaves: readonly Leaf[],
): void {
  const restore = saveVariables(scope, variables);
  const before = e.errorCount;
  e.quiet++;
  const round = runRound(e, scope, variables, body, shape, initial, leaves, true);
  e.quiet--;
  e.errorCount = before;
  restore();
  if (round?.after.length === leaves.length) {
    for (const [i, leaf] of leaves.entries()) {
      const after = round.after[i]!;
      if (!leaf.isWeak) continue;
      const dtype = defaultDType(after) ?? leaf.dtype;
      // a whole number may become a float, never the other way round
      if (leaf.term.kind === 'int' || !isWeak(after)) leaf.dtype = dtype;
    }
  }
  for (const leaf of leaves) leaf.isWeak = false;
}

/** The carry after the round brought to the types before it; undefined after a report. */
function matchCarry(
  e: Elaborator,
  round: Round,
  leaves: readonly Leaf[],
  span: Span,
): readonly Value[] | undefined {
  const values: Value[] = [];
  let isFine = round.after.length === leaves.length;
  if (!isFine) {
    const name = leaves[0]?.name ?? '';
    e.error(carryChanges(name, 'one tree', 'a tree of another structure', span, undefined));
    return undefined;
  }
  for (const [i, leaf] of leaves.entries()) {
    const after = round.after[i]!;
    const shape = shapeOf(leaf);
    const value =
      after.kind === 'tensor' && after.isWeak !== true
        ? after.value
        : round.region.run(() => weakToTensor(e, after, leaf.dtype, [], span));
    if (value === undefined) {
      isFine = false;
      continue;
    }
    const { dtype, shape: found } = value.type;
    if (dtype !== leaf.dtype || !sameShape(found, shape) || formOf(after) !== formOf(leaf.term)) {
      const isPlain = formOf(leaf.term) === 'plain';
      const before = isPlain ? showTensor(leaf.dtype, shape) : describe(leaf.term);
      e.error(carryChanges(leaf.name, before, describe(after), span, leaf.span));
      isFine = false;
      continue;
    }
    round.region.builder.adopt(value);
    values.push(value);
  }
  return isFine ? values : undefined;
}
