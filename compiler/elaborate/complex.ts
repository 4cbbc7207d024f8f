/** Complex terms: c64 from numbers and parts, and what the operators mean on them. */
import { operatorOperand } from '../diagnostics/problems/types.ts';
import type { Span } from '../diagnostics/span.ts';
import { constantValue, type Int } from '../symbolic/integer.ts';
import type { BinaryOperator } from '../syntax/ast.ts';
import type { Value } from '../tensor-ir/program.ts';
import { broadcastShapes, broadcastTo } from './broadcast.ts';
import {
  addComplex,
  type Complex,
  divideComplex,
  equal,
  fromReal,
  join,
  multiplyComplex,
  negate,
  power,
  scale,
  subtractComplex,
  takeApart,
  wholePower,
} from './complex-math.ts';
import { describe } from './describe.ts';
import type { Elaborator } from './elaborator.ts';
import { isWeak, joinDTypes, weakToTensor } from './numbers.ts';
import { apply } from './operations.ts';
import { errorTerm, forEachLeaf, formOf, tensorTerm } from './terms.ts';
import type { TensorTerm, Term } from './value.ts';

type ComplexTerm = TensorTerm & { readonly form: 'complex' };

export function isComplex(term: Term): term is ComplexTerm {
  return formOf(term) === 'complex';
}

/** Whether a complex number is among the leaves. */
export function holdsComplex(term: Term): boolean {
  let found = false;
  forEachLeaf(term, (leaf) => {
    found ||= isComplex(leaf);
  });
  return found;
}

export function complexTerm(e: Pick<Elaborator, 'builder'>, z: Complex): Term {
  return tensorTerm(join(e.builder, z), 'complex');
}

/** A number known when compiling as a complex tensor; undefined after a report. */
export function weakToComplex(
  e: Elaborator,
  term: Term,
  shape: readonly Int[],
  span: Span,
): Value | undefined {
  const re = weakToTensor(e, term, 'f32', shape, span);
  return re === undefined ? undefined : join(e.builder, fromReal(e.builder, re));
}

const hint = '`real(x)`, `imag(x)` and `abs(x)` are real';

/** An operator with a complex number on one side or both; literals on the other side are real. */
export function complexOperation(
  e: Elaborator,
  operator: Exclude<BinaryOperator, '@'>,
  terms: readonly [Term, Term],
  places: { readonly span: Span; readonly left: Span; readonly right: Span },
): Term {
  const spans = [places.left, places.right];
  if (joinDTypes(e, terms, spans, `\`${operator}\``) === undefined) return errorTerm;
  const [left, right] = terms;
  const exponent = right.kind === 'int' ? constantValue(right.value) : undefined;
  e.builder.span = places.span;
  if (operator === '**' && exponent !== undefined && isComplex(left)) {
    return complexTerm(e, wholePower(e.builder, takeApart(e.builder, left.value), exponent));
  }
  const shape = broadcastShapes(
    e,
    terms.map((t) => (isComplex(t) ? t.value.type.shape.slice(0, -1) : [])),
    spans,
    () => terms.map(describe),
  );
  if (shape === undefined) return errorTerm;
  const sides: { readonly z: Complex; readonly isReal: boolean }[] = [];
  for (const [i, term] of terms.entries()) {
    e.builder.span = places.span;
    const b = e.builder;
    if (isComplex(term)) {
      const z = takeApart(b, term.value);
      const wide = { re: broadcastTo(e, z.re, shape), im: broadcastTo(e, z.im, shape) };
      sides.push({ z: wide, isReal: false });
    } else {
      const re = isWeak(term) ? weakToTensor(e, term, 'f32', shape, spans[i]!) : undefined;
      if (re === undefined) return errorTerm;
      sides.push({ z: fromReal(b, re), isReal: true });
    }
  }
  const [x, y] = [sides[0]!, sides[1]!];
  const b = e.builder;
  switch (operator) {
    case '+':
      return complexTerm(e, addComplex(b, x.z, y.z));
    case '-':
      return complexTerm(e, subtractComplex(b, x.z, y.z));
    case '*':
      if (x.isReal) return complexTerm(e, scale(b, y.z, x.z.re));
      if (y.isReal) return complexTerm(e, scale(b, x.z, y.z.re));
      return complexTerm(e, multiplyComplex(b, x.z, y.z));
    case '/':
      if (!y.isReal) return complexTerm(e, divideComplex(b, x.z, y.z));
      return complexTerm(e, {
        re: apply(b, 'div', [x.z.re, y.z.re]),
        im: apply(b, 'div', [x.z.im, y.z.re]),
      });
    case '**':
      return complexTerm(e, power(b, x.z, y.z));
    case '==':
      return tensorTerm(equal(b, x.z, y.z));
    case '!=':
      return tensorTerm(apply(b, 'not', [equal(b, x.z, y.z)]));
    default:
      return e.error(
        operatorOperand(
          operator,
          'real numbers',
          describe(isComplex(left) ? left : right),
          places.span,
          hint,
        ),
      );
  }
}

export function negateComplex(e: Elaborator, operand: TensorTerm): Term {
  return complexTerm(e, negate(e.builder, takeApart(e.builder, operand.value)));
}

/**
 * A function that is linear in every complex argument, such as `matmul`: its real version on the parts of each. `body`
 * gives the result for one choice of parts, a real tensor.
 */
export function multilinear(
  e: Elaborator,
  operands: readonly TensorTerm[],
  body: (parts: readonly Value[]) => Value | undefined,
): Term {
  const apart = operands.map((term) => takeApart(e.builder, term.value));
  let re: Value | undefined;
  let im: Value | undefined;
  for (let choice = 0; choice < 2 ** operands.length; choice++) {
    const isImaginary = operands.map((_, i) => (choice >> i) % 2 === 1);
    const value = body(apart.map((z, i) => (isImaginary[i] === true ? z.im : z.re)));
    if (value === undefined) return errorTerm;
    // i ** count: 1, i, -1, -i
    const count = isImaginary.filter(Boolean).length;
    const into = count % 2 === 0 ? re : im;
    const name = count % 4 < 2 ? 'add' : 'sub';
    const total =
      into === undefined
        ? name === 'add'
          ? value
          : apply(e.builder, 'neg', [value])
        : apply(e.builder, name, [into, value]);
    if (count % 2 === 0) re = total;
    else im = total;
  }
  return re === undefined || im === undefined ? errorTerm : complexTerm(e, { re, im });
}
