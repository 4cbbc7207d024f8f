/** Functions with derivative rules of their own, and `checkpoint`. */
import { makeValue } from '../../tensor-ir/builder.ts';
import type { Func, Value } from '../../tensor-ir/program.ts';
import type { Intrinsic } from '../intrinsic.ts';
import { isUnit } from '../terms.ts';
import type { FunctionTerm, Term } from '../value.ts';
import {
  closeOverStatics,
  nameOf,
  type Region,
  requireSameTypes,
  shareCaptured,
  traceRegion,
  tupleItems,
} from './closures.ts';
import { type Emitter, intrinsic, isFloatValue, native, required } from './support.ts';

const checkpoint = intrinsic(
  'checkpoint',
  [required('f')],
  'f, whose intermediate results are computed again in the backward pass instead of being kept.',
  (a) => {
    const f = a.func('f');
    return native(`checkpoint(${nameOf(f)})`, (e, args) => {
      const closed = closeOverStatics(f, args);
      const region = traceRegion(e, closed.callee, closed.args);
      const operands = [...region.operands, ...region.captured];
      return e.context.rebuild(
        region.result,
        e.applyAll('checkpoint', operands, {}, [region.func]),
      );
    });
  },
);

/** The results of `rule` as `(outs, more)`, where the outs are of the types that `fun` gives. */
function secondPart(e: Emitter, rule: Region, fun: Region, what: string): Term {
  const [value, more] = tupleItems(e, rule.result, 2, what);
  const count = e.need(e.context.leaves(value!, e.span)).length;
  const results = rule.func.results.slice(0, count);
  requireSameTypes(e, results, fun.func.results, what, { trees: [value!, fun.result] });
  return more!;
}

/** The tree with `()` for its leaves that are no floats: the shape of its tangents and cotangents. */
function tangentTree(e: Emitter, tree: Term): Term {
  const leaves = e.need(e.context.leaves(tree, e.span));
  return e.context.rebuild(
    tree,
    leaves.map((leaf) => (isFloatValue(leaf) ? leaf : undefined)),
  );
}

/** One cotangent a float leaf of each argument; `()` or `none` for an argument stands for zeros. */
function argumentCotangents(e: Emitter, args: readonly Term[], given: Term, what: string): Term {
  const items =
    args.length === 1 && !isTupleOf(given, 1) ? [given] : tupleItems(e, given, args.length, what);
  const found = args.flatMap((arg, i) => {
    const floats = e.need(e.context.leaves(arg, e.span)).filter(isFloatValue);
    const item = items[i]!;
    if (item.kind === 'none' || isUnit(item)) {
      return floats.map((v) => e.fill(0, v.type.dtype, v.type.shape));
    }
    const cotangents = e.need(e.context.leaves(item, e.span)).filter(isFloatValue);
    requireSameTypes(e, cotangents, floats, `the cotangent of argument ${i}`);
    return cotangents;
  });
  return { kind: 'tuple', items: found.map((v) => e.tensor(v)) };
}

function isTupleOf(term: Term, count: number): boolean {
  return term.kind === 'tuple' && term.items.length === count;
}

/**
 * Regions are closed, but the rules may read values around them. What one of the three captures becomes a further
 * argument (with a zero cotangent); `bwd` reads what it captures from the residuals.
 */
function customVjpCall(
  e: Emitter,
  f: FunctionTerm,
  forward: FunctionTerm,
  backward: FunctionTerm,
  given: readonly Term[],
): Term {
  const { callee, args } = closeOverStatics(f, given);
  const fun = traceRegion(e, callee, args);
  const fwd = traceRegion(e, closeOverStatics(forward, given).callee, args);
  const residuals = secondPart(e, fwd, fun, `\`${nameOf(forward)}\` must give (result, residuals)`);
  const cotangent = tangentTree(e, fun.result);
  const traceBackward = (captured: readonly Value[]): Region =>
    traceRegion(e, backwardRule(backward, args, captured), [residuals, cotangent]);
  // a first trace finds what the backward rule captures; the second knows for what it has to give zeros
  const first = traceBackward([]);
  const { funcs, captured } = shareCaptured([fun, fwd, { ...fun, captured: first.captured }]);
  const bwd = traceBackward(captured);
  const own = fun.operands.length;
  const kept = bwd.captured.map((v) => funcs[1]!.parameters[own + captured.indexOf(v)]!);
  const regions = [
    funcs[0]!,
    { ...funcs[1]!, results: [...funcs[1]!.results, ...kept] },
    capturedAsResiduals(bwd, e.need(e.context.leaves(residuals, e.span)).length),
  ];
  const attrs = {
    arguments: own + captured.length,
    residuals: regions[1]!.results.length - fun.func.results.length,
  };
  const results = e.applyAll('custom_vjp', [...fun.operands, ...captured], attrs, regions);
  return e.context.rebuild(fun.result, results);
}

/** (residuals, cotangent of the result) to cotangents of all float arguments, then zeros for what is captured. */
function backwardRule(
  backward: FunctionTerm,
  args: readonly Term[],
  captured: readonly Value[],
): FunctionTerm {
  return native(nameOf(backward), (e, [kept, cotangent]) => {
    const result = e.context.call(backward, [kept!, cotangent!], undefined, e.span);
    const what = `\`${nameOf(backward)}\` must give a tuple with ${args.length} cotangents`;
    const zeros = captured
      .filter(isFloatValue)
      .map((v) => e.tensor(e.fill(0, v.type.dtype, v.type.shape)));
    const found = argumentCotangents(e, args, result, what);
    return { kind: 'tuple', items: [found, { kind: 'tuple', items: zeros }] };
  });
}

/** Parameters (residuals, cotangents, captured) in the order (residuals, captured, cotangents). */
function capturedAsResiduals(bwd: Region, residuals: number): Func {
  const all = bwd.func.parameters;
  const end = all.length - bwd.captured.length;
  const parameters = [...all.slice(0, residuals), ...all.slice(end), ...all.slice(residuals, end)];
  return { ...bwd.func, parameters };
}

/** As for `vjp`, the rule takes everything twice: (primals, tangents) to (result, tangent). */
function customJvpCall(
  e: Emitter,
  f: FunctionTerm,
  rule: FunctionTerm,
  given: readonly Term[],
): Term {
  const { callee, args } = closeOverStatics(f, given);
  const fun = traceRegion(e, callee, args);
  const tangents = args.map((arg) => tangentTree(e, arg));
  const flat = native(nameOf(rule), (inner, terms) => {
    const primals: Term = { kind: 'tuple', items: terms.slice(0, args.length) };
    const directions: Term = { kind: 'tuple', items: terms.slice(args.length) };
    const result = inner.context.call(rule, [primals, directions], undefined, inner.span);
    const [value, tangent] = tupleItems(
      inner,
      result,
      2,
      `\`${nameOf(rule)}\` must give (result, tangent)`,
    );
    const floats = inner.need(inner.context.leaves(tangent!, inner.span)).filter(isFloatValue);
    const items = floats.map((v) => inner.tensor(v));
    return { kind: 'tuple', items: [value!, { kind: 'tuple', items }] };
  });
  const both = traceRegion(e, flat, [...args, ...tangents]);
  secondPart(e, both, fun, `\`${nameOf(rule)}\` must give (result, tangent)`);
  const { funcs, captured } = shareCaptured([fun, both]);
  const regions = [funcs[0]!, capturedBeforeTangents(funcs[1]!, fun.operands.length, captured)];
  const results = e.applyAll('custom_jvp', [...fun.operands, ...captured], {}, regions);
  return e.context.rebuild(fun.result, results);
}

/**
 * Parameters (args, tangents, captured) in the order (args, captured, tangents, tangents of captured); the rule
 * takes captured values for constants, so their tangents stay unread.
 */
function capturedBeforeTangents(rule: Func, args: number, captured: readonly Value[]): Func {
  const all = rule.parameters;
  const end = all.length - captured.length;
  const unread = captured.filter(isFloatValue).map((v) => makeValue(v.type));
  const parameters = [...all.slice(0, args), ...all.slice(end), ...all.slice(args, end), ...unread];
  return { ...rule, parameters };
}

export const customRules: readonly Intrinsic[] = [
  checkpoint,
  intrinsic(
    'custom_vjp',
    [required('f'), required('fwd'), required('bwd')],
    'f with a reverse rule: `fwd(x...)` gives (f(x...), residuals), `bwd(residuals, cotangent)` a tuple with the ' +
      'cotangent of each argument.',
    (a) => {
      const [f, fwd, bwd] = [a.func('f'), a.func('fwd'), a.func('bwd')];
      return native(nameOf(f), (e, args) => customVjpCall(e, f, fwd, bwd, args));
    },
  ),
  intrinsic(
    'custom_jvp',
    [required('f'), required('rule')],
    'f with a forward rule: `rule(primals, tangents)`, two tuples, gives (f(primals...), tangent).',
    (a) => {
      const [f, rule] = [a.func('f'), a.func('rule')];
      return native(nameOf(f), (e, args) => customJvpCall(e, f, rule, args));
    },
  ),
];
