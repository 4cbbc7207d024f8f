/**
 * Transformations that differentiate. They trace the function into a region and emit one `vjp` or `jvp` operation,
 * which transforms/ removes; so they nest in any order.
 */
import type { Value } from '../../tensor-ir/program.ts';
import type { Intrinsic } from '../intrinsic.ts';
import { formOf, isUnit } from '../terms.ts';
import type { FunctionTerm, Term } from '../value.ts';
import {
  closeOverStatics,
  failWithoutArgument,
  leavesOf,
  nameOf,
  type Region,
  traceRegion,
  tupleItems,
} from './closures.ts';
import {
  type Arguments,
  type Emitter,
  intrinsic,
  intTerm,
  isFloatValue,
  native,
  optional,
  required,
  rest,
  showTensor,
} from './support.ts';
import { leafTerms, zipTrees } from './trees.ts';

const no: Term = { kind: 'boolean', value: false };

/** The positions named by `wrt = 0` or `wrt = (0, 2)`. */
function wrtPositions(a: Arguments): {
  readonly positions: readonly number[];
  readonly isTuple: boolean;
} {
  const term = a.term('wrt');
  const isTuple = term.kind === 'tuple' || term.kind === 'array';
  const items = isTuple ? term.items : [term];
  const positions = items.map((item) => a.need(a.context.asConstantInt(item, a.spanOf('wrt'))));
  return { positions, isTuple };
}

/** The gradients of the arguments at `positions`, as trees, and the result of the function. */
function gradientOf(
  e: Emitter,
  f: FunctionTerm,
  args: readonly Term[],
  positions: readonly number[],
  hasAux: boolean,
): { readonly value: Term; readonly gradients: readonly Term[] } {
  const places = positions.map((p) => (p < 0 ? p + args.length : p));
  for (const place of places) {
    if (args[place] === undefined) {
      failWithoutArgument(e, place, args);
    }
    requireFloats(e, args[place], place);
  }
  const closed = closeOverStatics(f, args, places);
  const region = traceRegion(e, closed.callee, closed.args);
  const ranges = leafRanges(e, closed.args);
  const chosen = places.map((place) => ranges[closed.positions.indexOf(place)]!);
  const wrt = [...new Set(chosen.flat())]
    .filter((i) => isFloatValue(region.operands[i]!))
    .sort((p, q) => p - q);
  const seeds = lossSeeds(e, f, region, hasAux);
  const results = emitVjp(e, region, wrt, seeds);
  const outs = results.slice(0, region.func.results.length);
  const cotangents = results.slice(region.func.results.length);
  const gradients = places.map((place, i) =>
    e.context.rebuild(
      args[place]!,
      chosen[i]!.map((leaf) => (wrt.includes(leaf) ? cotangents[wrt.indexOf(leaf)] : undefined)),
    ),
  );
  return { value: e.context.rebuild(region.result, outs), gradients };
}

function requireFloats(e: Emitter, arg: Term, place: number): void {
  const leaves = e.need(e.context.leaves(arg, e.span));
  if (leaves.some(isFloatValue)) return;
  const found = e.context.showType(e.context.typeOf(arg));
  e.fail('MLX3103', `cannot differentiate by argument ${place}: ${found} holds no floats`, {
    hint: 'choose another argument: `grad(f, wrt = 1)`',
  });
}

/** For each argument, the indices of its leaves among all leaves. */
function leafRanges(e: Emitter, args: readonly Term[]): readonly (readonly number[])[] {
  let next = 0;
  return args.map((arg) => leavesOf(e, [arg]).map(() => next++));
}

/** Cotangents of the float results: 1 for the loss, 0 for what comes beside it. */
function lossSeeds(e: Emitter, f: FunctionTerm, region: Region, hasAux: boolean): readonly Value[] {
  const loss = hasAux
    ? tupleItems(e, region.result, 2, `\`${nameOf(f)}\` must give (loss, aux)`)[0]!
    : region.result;
  const first = region.func.results[0];
  const isScalar =
    leafTerms(loss).length === 1 &&
    first !== undefined &&
    first.type.shape.length === 0 &&
    isFloatValue(first);
  if (!isScalar) {
    const found = e.context.showType(e.context.typeOf(loss));
    e.fail(
      'MLX3104',
      `a gradient needs a function that gives a float scalar: \`${nameOf(f)}\` gives ${found}`,
      {
        hint:
          formOf(loss) === 'complex'
            ? 'take its `real` part, or its `abs`; `jvp` and `vjp` take complex results'
            : 'reduce it, for instance with `mean`, or use `jacrev` or `vjp`',
      },
    );
  }
  return region.func.results
    .filter(isFloatValue)
    .map((result, i) => e.fill(i === 0 ? 1 : 0, result.type.dtype, result.type.shape));
}

function emitVjp(
  e: Emitter,
  region: Region,
  wrt: readonly number[],
  cotangents: readonly Value[],
): readonly Value[] {
  const operands = [...region.operands, ...region.captured, ...cotangents];
  return e.applyAll('vjp', operands, { wrt }, [region.func]);
}

function gradIntrinsic(
  name: string,
  doc: string,
  finish: (value: Term, gradient: Term, hasAux: boolean) => Term,
): Intrinsic {
  const parameters = [required('f'), optional('wrt', intTerm(0)), optional('has_aux', no)];
  return intrinsic(name, parameters, doc, (a) => {
    const f = a.func('f');
    const { positions, isTuple } = wrtPositions(a);
    const hasAux = a.boolean('has_aux');
    return native(`${name}(${nameOf(f)})`, (e, args) => {
      const { value, gradients } = gradientOf(e, f, args, positions, hasAux);
      const gradient: Term = isTuple ? { kind: 'tuple', items: gradients } : gradients[0]!;
      return finish(value, gradient, hasAux);
    });
  });
}

/** Cotangents of the float leaves of `result`, from a tree of its structure (`()` or anything at other leaves). */
function matchFloats(e: Emitter, result: Term, given: Term, what: string): readonly Value[] {
  const found: Value[] = [];
  const whole = isUnit(given) && leafTerms(result).length === 1 ? undefined : given;
  if (whole === undefined) return found;
  zipTrees(e, [result, whole], e.span, ([primal, other]) => {
    const value = e.need(e.context.toTensor(primal!, e.span));
    if (!isFloatValue(value)) return primal!;
    const { dtype, shape } = value.type;
    const matched = e.need(e.context.toTensor(other!, e.span, dtype));
    const isFitting =
      formOf(other!) === formOf(primal!) &&
      matched.type.dtype === dtype &&
      matched.type.shape.length === shape.length;
    if (!isFitting) {
      const show = (term: Term, type: Value['type']): string =>
        formOf(term) === 'plain' ? showTensor(type) : e.context.showType(e.context.typeOf(term));
      const wanted = show(primal!, value.type);
      e.fail('MLX3105', `${what} must be ${wanted}, found ${show(other!, matched.type)}`);
    }
    found.push(shape.reduce((v, dim, i) => e.withSize(v, i, dim, `axis ${i} of ${what}`), matched));
    return primal!;
  });
  return found;
}

const vjp = intrinsic(
  'vjp',
  [required('f'), rest('primals')],
  '`vjp(f, x...)` gives (f(x...), pullback); the pullback takes a cotangent of the result and gives a tuple with ' +
    'the cotangent of each argument.',
  (a) => {
    const f = a.func('f');
    const args = a.restOf('primals');
    const everywhere = args.map((_, i) => i);
    const closed = closeOverStatics(f, args, everywhere);
    const region = traceRegion(a, closed.callee, closed.args);
    const outs = a.builder.inline(region.func, [...region.operands, ...region.captured]);
    const value = a.context.rebuild(region.result, outs);
    const wrt = region.operands.flatMap((v, i) => (isFloatValue(v) ? [i] : []));
    const ranges = leafRanges(a, args);
    const pullback = native(`pullback(${nameOf(f)})`, (e, [cotangent]) => {
      if (cotangent === undefined) return e.fail('MLX3106', 'a pullback takes one cotangent');
      const cotangents = matchFloats(e, value, cotangent, 'the cotangent');
      const found = emitVjp(e, region, wrt, cotangents).slice(outs.length);
      const items = args.map((arg, i) =>
        e.context.rebuild(
          arg,
          ranges[i]!.map((leaf) => (wrt.includes(leaf) ? found[wrt.indexOf(leaf)] : undefined)),
        ),
      );
      return { kind: 'tuple', items };
    });
    return { kind: 'tuple', items: [value, pullback] };
  },
);

/** One `jvp` operation: the results and their tangents as trees. */
function pushForward(
  e: Emitter,
  region: Region,
  wrt: readonly number[],
  tangents: readonly Value[],
): { readonly value: Term; readonly tangent: Term } {
  const operands = [...region.operands, ...region.captured, ...tangents];
  const results = e.applyAll('jvp', operands, { wrt }, [region.func]);
  const outs = results.slice(0, region.func.results.length);
  const found = [...results.slice(outs.length)];
  const tangentLeaves = outs.map((out) => (isFloatValue(out) ? found.shift() : undefined));
  return {
    value: e.context.rebuild(region.result, outs),
    tangent: e.context.rebuild(region.result, tangentLeaves),
  };
}

const jvp = intrinsic(
  'jvp',
  [required('f'), required('primals'), required('tangents')],
  '`jvp(f, (x, y), (dx, dy))` gives (f(x, y), its derivative along (dx, dy)).',
  (a) => {
    const f = a.func('f');
    const primals = asTuple(a.term('primals'));
    const tangents = asTuple(a.term('tangents'));
    if (primals.length !== tangents.length) {
      a.fail(
        'MLX3107',
        `${primals.length} arguments need as many tangents, found ${tangents.length}`,
      );
    }
    const closed = closeOverStatics(
      f,
      primals,
      primals.map((_, i) => i),
    );
    const region = traceRegion(a, closed.callee, closed.args);
    const wrt = region.operands.flatMap((v, i) => (isFloatValue(v) ? [i] : []));
    const dx = primals.flatMap((p, i) =>
      matchFloats(a, p, tangents[i]!, `the tangent of argument ${i}`),
    );
    if (dx.length !== wrt.length) a.fail('MLX3107', 'every float of the arguments needs a tangent');
    const { value, tangent } = pushForward(a, region, wrt, dx);
    return { kind: 'tuple', items: [value, tangent] };
  },
);

function asTuple(term: Term): readonly Term[] {
  return term.kind === 'tuple' ? term.items : [term];
}

const linearize = intrinsic(
  'linearize',
  [required('f'), rest('primals')],
  '`linearize(f, x...)` gives (f(x...), pushforward): the pushforward takes tangents and gives that of the result.',
  (a) => {
    const f = a.func('f');
    const args = a.restOf('primals');
    const closed = closeOverStatics(
      f,
      args,
      args.map((_, i) => i),
    );
    const region = traceRegion(a, closed.callee, closed.args);
    const outs = a.builder.inline(region.func, [...region.operands, ...region.captured]);
    const wrt = region.operands.flatMap((v, i) => (isFloatValue(v) ? [i] : []));
    const pushforward = native(`pushforward(${nameOf(f)})`, (e, tangents) => {
      if (tangents.length !== args.length) {
        e.fail(
          'MLX3107',
          `${args.length} arguments need as many tangents, found ${tangents.length}`,
        );
      }
      const dx = args.flatMap((p, i) =>
        matchFloats(e, p, tangents[i]!, `the tangent of argument ${i}`),
      );
      return pushForward(e, region, wrt, dx).tangent;
    });
    return { kind: 'tuple', items: [a.context.rebuild(region.result, outs), pushforward] };
  },
);

export const derivatives: readonly Intrinsic[] = [
  gradIntrinsic(
    'grad',
    'The gradient of a scalar function by its first argument, or by `wrt = 1`, or by several as a tuple.',
    (value, gradient, hasAux) =>
      hasAux && value.kind === 'tuple'
        ? { kind: 'tuple', items: [gradient, value.items[1]!] }
        : gradient,
  ),
  gradIntrinsic(
    'value_and_grad',
    'A function that gives (f(...), its gradient): see `grad`.',
    (value, gradient) => ({ kind: 'tuple', items: [value, gradient] }),
  ),
  vjp,
  jvp,
  linearize,
];
