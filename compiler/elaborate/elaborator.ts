/**
 * The state of one elaboration, and what it offers to intrinsics. The work is done by functions in the files beside
 * this one, which take the elaborator as their first argument:
 *
 *   expressions, blocks, patterns, loops, conditionals   the walk over the syntax tree
 *   operators, matmul, indexing, update                  what operators mean on terms
 *   calls, inference, instances                          generics, and functions made once for equal argument types
 *   types, dims, coerce, broadcast                       types of the source, and bringing values to them
 */
import type { Diagnostic, DiagnosticSink, Label } from '../diagnostics/diagnostic.ts';
import { nestedTooDeeply, programTooLarge } from '../diagnostics/problems/limits.ts';
import type { Problem } from '../diagnostics/problems/problem.ts';
import { conditionRefuted, dimsDiffer, notDivisible } from '../diagnostics/problems/shapes.ts';
import type { Span } from '../diagnostics/span.ts';
import { asVariable, divideExact, floordiv, type Int, print } from '../symbolic/integer.ts';
import type { FunctionDeclaration, StructDeclaration } from '../syntax/ast.ts';
import type { DType } from '../tensor-ir/dtype.ts';
import type { Guard, TensorType, Value } from '../tensor-ir/program.ts';
import * as argument from './arguments.ts';
import { broadcastTo, broadcastTogether } from './broadcast.ts';
import { callFunction } from './call-function.ts';
import { CapturingBuilder } from './capturing-builder.ts';
import { Conditions, guardOfRead, showCondition } from './conditions.ts';
import type { FunctionTable } from './instances.ts';
import type { ElaborationContext, TracedFunction } from './intrinsic.ts';
import type { FindKernel } from './kernels.ts';
import { leavesOf, toTensor, toTensors } from './numbers.ts';
import { showType } from './show.ts';
import { errorTerm, rebuild, tensorTerm, typeOf } from './terms.ts';
import { trace } from './trace.ts';
import type { FunctionTerm, Term, Type } from './value.ts';

/** A call that is being elaborated: a declared function, or a barrier where a lambda or native function runs. */
export interface CallFrame {
  readonly declaration: FunctionDeclaration | undefined;
  readonly span: Span;
  /** The function at its own signature: nothing called it. */
  readonly isSignature?: boolean;
}

const noDims: ReadonlyMap<string, number> = new Map();

/** Nested expressions and calls: each level costs a few frames of the JavaScript stack. */
const depthLimit = 400;
/** Expressions elaborated and operations copied: a GPT of 12 layers takes some 30,000. */
const workLimit = 500_000;

/** Names and modules have codes of their own, MLX20xx, and so have kernels, MLX26xx. */
function isAboutNames({ code }: Problem): boolean {
  return code.startsWith('MLX20') || code.startsWith('MLX26');
}

export class Elaborator implements ElaborationContext {
  builder: CapturingBuilder = new CapturingBuilder();
  conditions: Conditions = new Conditions();
  calls: CallFrame[] = [];
  /** Where the dims of the signature at hand appear first. */
  dimSpans: ReadonlyMap<string, Span> = new Map();
  /** Above 0 while an attempt runs whose problems are not the user's. */
  quiet = 0;
  errorCount = 0;
  depth = 0;
  private work = 0;
  private readonly sink: DiagnosticSink;
  readonly functions: FunctionTable;
  /** Dims bound from outside (`--dim B=32`). */
  readonly dims: ReadonlyMap<string, number>;
  /** Indices that are never negative, such as the variable of a `for` loop. */
  readonly nonNegative: WeakSet<Value> = new WeakSet();
  private readonly ids = new WeakMap<FunctionDeclaration | StructDeclaration, number>();
  private nextId = 0;
  /** Long type keys by number, see `keyOfType`. */
  readonly keyNumbers: Map<string, number> = new Map();
  readonly typeKeys: WeakMap<Type, string> = new WeakMap();

  constructor(sink: DiagnosticSink, functions: FunctionTable, dims: ReadonlyMap<string, number>) {
    this.sink = sink;
    this.functions = functions;
    this.dims = dims;
  }

  /** A number for a declaration, to build keys from. */
  idOf(declaration: FunctionDeclaration | StructDeclaration): number {
    let id = this.ids.get(declaration);
    if (id === undefined) {
      id = this.nextId++;
      this.ids.set(declaration, id);
    }
    return id;
  }

  error(problem: Omit<Diagnostic, 'severity'>): Term {
    this.errorCount++;
    if (this.quiet === 0) this.sink.report({ ...this.withCalls(problem), severity: 'error' });
    return errorTerm;
  }

  /**
   * A problem in a function that was called points at the calls that led there. Inside the library it is the call
   * that is at fault: its place becomes the primary one. In a function of the user's own, only what depends on the
   * instance points at calls: a name that does not exist is unknown however the function is called.
   */
  private withCalls(problem: Problem): Problem {
    const labels: Label[] = [];
    const { library } = this.functions;
    let { span } = problem;
    for (let i = this.calls.length - 1; i >= 0 && labels.length < 3; i--) {
      const call = this.calls[i]!;
      const { declaration } = call;
      if (declaration === undefined || call.isSignature === true) continue;
      const name = declaration.name.text;
      if (library.has(span.file) && !library.has(call.span.file)) {
        labels.push({ span: problem.span, text: `in \`${name}\` of "${problem.span.file}"` });
        span = call.span;
      } else if (!library.has(call.span.file) && !isAboutNames(problem)) {
        labels.push({ span: call.span, text: `in this call of \`${name}\`` });
      }
    }
    if (labels.length === 0) return problem;
    return { ...problem, span, labels: [...(problem.labels ?? []), ...labels] };
  }

  /** Where rigid dims that stand alone were bound: for problems with two that differ. */
  dimLabels(...dims: readonly Int[]): readonly Label[] {
    return dims.flatMap((dim) => {
      const name = asVariable(dim)?.name;
      const span = name === undefined ? undefined : this.dimSpans.get(name);
      return span === undefined ? [] : [{ span, text: `${name} is bound here` }];
    });
  }

  /** The functions whose dims the caller has fixed: the entry points. */
  readonly fixed: Set<FunctionDeclaration> = new Set();

  /** Dims with a value: those of an entry point only; another function of the file may use the name for its own. */
  dimsOf(declaration: FunctionDeclaration): ReadonlyMap<string, number> {
    return this.fixed.has(declaration) ? this.dims : noDims;
  }

  /** Finds the sources of kernels; without it there are none. */
  findKernel: FindKernel = () => undefined;

  private readonly unknown = new Set<string>();

  /** Whether an unknown name comes up for the first time in the function that is being elaborated. */
  isNewUnknown(name: string, span: Span): boolean {
    const home = this.calls.findLast((call) => call.declaration !== undefined)?.declaration;
    const key = `${span.file} ${home === undefined ? '' : this.idOf(home)} ${name}`;
    if (this.quiet > 0) return true;
    const isNew = !this.unknown.has(key);
    this.unknown.add(key);
    this.errorCount += isNew ? 0 : 1;
    return isNew;
  }

  /** The module of the library that exports a name; set by the driver of the elaboration. */
  libraryHome: (name: string) => string | undefined = () => undefined;

  /** How to import a name of the library; undefined when it has none of that name. */
  importHint(name: string): string | undefined {
    const home = this.libraryHome(name);
    return home === undefined ? undefined : `write \`import { ${name} } from "${home}";\``;
  }

  /** Runs `body` one level deeper, or reports that the source nests too deeply. */
  nested(span: Span, body: () => Term): Term {
    if (!this.spend(1, span)) return errorTerm;
    if (this.depth >= depthLimit) return this.error(nestedTooDeeply(span));
    this.depth++;
    try {
      return body();
    } finally {
      this.depth--;
    }
  }

  /** True once the limit of work is passed: what is left is not worth a look. */
  get isExhausted(): boolean {
    return this.work > workLimit;
  }

  /** Counts work that is about to be done; false beyond the limit, which is reported once. */
  spend(count: number, span: Span): boolean {
    const isFirst = this.work <= workLimit;
    this.work += count;
    if (this.work <= workLimit) return true;
    this.errorCount++;
    if (isFirst) {
      const problem = this.withCalls(programTooLarge(span));
      this.sink.report({ ...problem, severity: 'error' });
    }
    return false;
  }

  // -------------------------------------------------------------------------------------------------------
  // Conditions on dims

  guard(guard: Guard): void {
    const verdict = this.conditions.judge(guard);
    if (verdict === 'proved') return;
    if (verdict === 'open') this.conditions.record(guard);
    else if (guard.span !== undefined) {
      this.error(
        conditionRefuted(guard.message, `${showCondition(guard)} is false`, guard.span, []),
      );
    }
  }

  requireElements(size: Int, count: Int, span: Span): boolean {
    const read = { size, count, span };
    if (this.conditions.read(read) !== 'refuted') return true;
    const guard = guardOfRead(read);
    this.error(conditionRefuted(guard.message, `${showCondition(guard)} is false`, span, []));
    return false;
  }

  repeated<T>(trips: Int, body: () => T): T {
    return this.conditions.repeated(trips, body);
  }

  requireEqual(left: Int, right: Int, span: Span, what: string): boolean {
    const verdict = this.conditions.judge({ relation: 'equal', left, right });
    if (verdict === 'proved') return true;
    if (verdict === 'refuted') {
      const problem = dimsDiffer(what, print(left), print(right), span, unifyHint(left, right));
      this.error({ ...problem, labels: this.dimLabels(left, right) });
      return false;
    }
    const message = `${what}: ${print(left)} must equal ${print(right)}`;
    this.conditions.record({ relation: 'equal', left, right, message, span });
    return true;
  }

  /** The exact quotient; unless proved, a guard says that it is exact. */
  divide(left: Int, right: Int, span: Span): Int | undefined {
    const condition = { relation: 'divisible', left, right } as const;
    const verdict = this.conditions.judge(condition);
    if (verdict === 'refuted') {
      this.error(notDivisible(print(left), print(right), span));
      return undefined;
    }
    if (verdict === 'open') {
      const message = `${print(left)} must be divisible by ${print(right)}`;
      this.conditions.record({ ...condition, message, span });
    }
    return divideExact(left, right) ?? floordiv(left, right);
  }

  // -------------------------------------------------------------------------------------------------------
  // The rest of what intrinsics see

  typeOf(term: Term): Type {
    return typeOf(term);
  }

  showType(type: Type): string {
    return showType(type);
  }

  toTensor(term: Term, span: Span, dtype?: DType): Value | undefined {
    return toTensor(this, term, span, dtype);
  }

  toTensors(terms: readonly Term[], spans: readonly Span[]): readonly Value[] | undefined {
    return toTensors(this, terms, spans);
  }

  broadcastTogether(
    values: readonly Value[],
    spans: readonly Span[],
  ): readonly Value[] | undefined {
    return broadcastTogether(this, values, spans);
  }

  broadcastTo(value: Value, shape: readonly Int[]): Value {
    return broadcastTo(this, value, shape);
  }

  tensor(value: Value): Term {
    return tensorTerm(value);
  }

  asInt(term: Term, span: Span): Int | undefined {
    return argument.asInt(this, term, span);
  }

  asConstantInt(term: Term, span: Span): number | undefined {
    return argument.asConstantInt(this, term, span);
  }

  asAxes(term: Term, rank: number, span: Span): readonly number[] | undefined {
    return argument.asAxes(this, term, rank, span);
  }

  asAxis(term: Term, rank: number, span: Span): number | undefined {
    return argument.asAxis(this, term, rank, span);
  }

  asBoolean(term: Term, span: Span): boolean | undefined {
    return argument.asBoolean(this, term, span);
  }

  asString(term: Term, span: Span): string | undefined {
    return argument.asString(this, term, span);
  }

  asDType(term: Term, span: Span): DType | undefined {
    return argument.asDType(this, term, span);
  }

  asShape(term: Term, span: Span): readonly Int[] | undefined {
    return argument.asShape(this, term, span);
  }

  asFunction(term: Term, span: Span): FunctionTerm | undefined {
    return argument.asFunction(this, term, span);
  }

  call(callee: FunctionTerm, args: readonly Term[], expected: Type | undefined, span: Span): Term {
    return callFunction(this, callee, args, expected, span);
  }

  leaves(term: Term, span: Span): readonly Value[] | undefined {
    return leavesOf(this, term, span);
  }

  rebuild(term: Term, leaves: readonly (Value | undefined)[]): Term {
    return rebuild(term, leaves);
  }

  trace(
    callee: FunctionTerm,
    args: readonly Term[],
    span: Span,
    options: { readonly types?: readonly TensorType[]; readonly expected?: Type } = {},
  ): TracedFunction | undefined {
    return trace(this, callee, args, span, options.types, options.expected);
  }
}

/** What to do about two sizes that differ. */
export function unifyHint(left: Int, right: Int): string | undefined {
  const a = asVariable(left);
  const b = asVariable(right);
  if (a === undefined || b === undefined) return undefined;
  return `use one name for both dims, or state \`where ${a.name} == ${b.name}\``;
}
