/** What operators mean on terms: folding of known numbers, leaf-wise trees, then tensors with broadcasting. */
import { unreachable } from '../diagnostics/internal-error.ts';
import {
  integerDivision,
  notANumberTree,
  operatorOperand,
  treesDiffer,
} from '../diagnostics/problems/types.ts';
import type { Span } from '../diagnostics/span.ts';
import { constantValue } from '../symbolic/integer.ts';
import type { BinaryOperator } from '../syntax/ast.ts';
import { type DType, isFloat, isInteger } from '../tensor-ir/dtype.ts';
import type { Value } from '../tensor-ir/program.ts';
import { broadcastShapes, broadcastTo } from './broadcast.ts';
import { complexOperation, isComplex, negateComplex } from './complex.ts';
import { describe } from './describe.ts';
import type { Elaborator } from './elaborator.ts';
import { foldBinary, foldUnary } from './fold.ts';
import { matmul } from './matmul.ts';
import { isWeak, joinDTypes, weakToTensor } from './numbers.ts';
import { apply } from './operations.ts';
import { errorTerm, isUnit, tensorTerm, unit } from './terms.ts';
import type { Term } from './value.ts';

export interface OperatorPlaces {
  readonly span: Span;
  readonly left: Span;
  readonly right: Span;
}

export function binaryOperation(
  e: Elaborator,
  operator: BinaryOperator,
  left: Term,
  right: Term,
  places: OperatorPlaces,
): Term {
  if (left.kind === 'error' || right.kind === 'error') return errorTerm;
  const folded = foldBinary(e, operator, left, right, places.span);
  if (folded !== undefined) return folded;
  if (isTree(left) || isTree(right)) return treeOperation(e, operator, left, right, places);
  if (operator === '@') return matmul(e, left, right, places);
  if (isComplex(left) || isComplex(right)) {
    return complexOperation(e, operator, [left, right], places);
  }
  return tensorOperation(e, operator, left, right, places);
}

export function unaryOperation(
  e: Elaborator,
  operator: '-' | '!',
  operand: Term,
  span: Span,
): Term {
  if (operand.kind === 'error') return errorTerm;
  const folded = foldUnary(operator, operand);
  if (folded !== undefined) return folded;
  if (isTree(operand) && operator === '-') {
    return mapTree(operand, (leaf) => unaryOperation(e, '-', leaf, span));
  }
  if (operand.kind === 'tensor' && operand.form === 'complex' && operator === '-') {
    e.builder.span = span;
    return negateComplex(e, operand);
  }
  if (operand.kind !== 'tensor' || operand.form !== 'plain') {
    return e.error(
      operatorOperand(operator, operator === '-' ? 'numbers' : 'a bool', describe(operand), span),
    );
  }
  const { dtype } = operand.value.type;
  e.builder.span = span;
  if (operator === '!') {
    if (dtype !== 'bool') {
      return e.error(
        operatorOperand('!', 'bools', describe(operand), span, 'compare first: `x == 0`'),
      );
    }
    return tensorTerm(apply(e.builder, 'not', [operand.value]));
  }
  if (dtype === 'bool') {
    return e.error(operatorOperand('-', 'numbers', describe(operand), span, '`!` negates bools'));
  }
  const value = apply(e.builder, 'neg', [operand.value]);
  return operand.isWeak === true
    ? { kind: 'tensor', value, form: 'plain', isWeak: true }
    : tensorTerm(value);
}

// ---------------------------------------------------------------------------------------------------------
// Trees

function isTree(term: Term): boolean {
  return term.kind === 'struct' || term.kind === 'tuple' || term.kind === 'array';
}

function mapTree(term: Term, change: (leaf: Term) => Term): Term {
  switch (term.kind) {
    case 'tuple':
    case 'array': {
      const items = term.items.map((item) => mapTree(item, change));
      return items.some((i) => i.kind === 'error') ? errorTerm : { kind: term.kind, items };
    }
    case 'struct': {
      const fields = new Map<string, Term>();
      for (const [name, field] of term.fields) {
        const changed = mapTree(field, change);
        if (changed.kind === 'error') return errorTerm;
        fields.set(name, changed);
      }
      return { kind: 'struct', type: term.type, fields };
    }
    default:
      return change(term);
  }
}

const comparisons: ReadonlySet<string> = new Set(['==', '!=', '<', '<=', '>', '>=']);

function treeOperation(
  e: Elaborator,
  operator: BinaryOperator,
  left: Term,
  right: Term,
  places: OperatorPlaces,
): Term {
  if (operator !== '+' && operator !== '-' && operator !== '*' && operator !== '/') {
    const tree = isTree(left) ? left : right;
    const isComparison = comparisons.has(operator);
    const hint = isComparison
      ? `compare the leaves: \`map(|a, b| a ${operator} b, x, y)\``
      : `work on the leaves: \`map(|leaf| leaf ${operator} 2, tree)\``;
    return e.error(notANumberTree(operator, describe(tree), places.span, hint));
  }
  const both = (a: Term, b: Term): Term => {
    // the gradient of an integer leaf is `()`: arithmetic leaves such a leaf alone
    if (isUnit(a))
      return isTree(b) && !isUnit(b) ? differ(e, left, right, places) : isUnit(b) ? unit : b;
    if (isUnit(b)) return isTree(a) ? differ(e, left, right, places) : a;
    if (a.kind === 'struct' && b.kind === 'struct' && a.type.declaration === b.type.declaration) {
      const fields = new Map<string, Term>();
      for (const [name, field] of a.fields) {
        const result = both(field, b.fields.get(name) ?? errorTerm);
        if (result.kind === 'error') return errorTerm;
        fields.set(name, result);
      }
      return { kind: 'struct', type: a.type, fields };
    }
    if (
      (a.kind === 'tuple' || a.kind === 'array') &&
      a.kind === b.kind &&
      a.items.length === b.items.length
    ) {
      const others = b.items;
      const items = a.items.map((item, i) => both(item, others[i]!));
      return items.some((i) => i.kind === 'error') ? errorTerm : { kind: a.kind, items };
    }
    if (isTree(a) || isTree(b)) return differ(e, left, right, places);
    return binaryOperation(e, operator, a, b, places);
  };
  if (isTree(left) && isTree(right)) return both(left, right);
  const isLeft = isTree(left);
  const [tree, number] = isLeft ? [left, right] : [right, left];
  if (number.kind !== 'tensor' && !isWeak(number)) return differ(e, left, right, places);
  // a tensor is a tree of one leaf: only scalars go to every leaf
  if (number.kind === 'tensor' && number.value.type.shape.length > 0) {
    return differ(e, left, right, places);
  }
  return mapTree(tree, (leaf) =>
    isLeft
      ? binaryOperation(e, operator, leaf, number, places)
      : binaryOperation(e, operator, number, leaf, places),
  );
}

function differ(e: Elaborator, left: Term, right: Term, places: OperatorPlaces): Term {
  const [tree, other] = isTree(left) ? [left, right] : [right, left];
  const hint = isTree(other)
    ? undefined
    : tree.kind === 'struct'
      ? '`map(|leaf| …, tree)` applies a function to each leaf'
      : 'a tuple is taken apart first: `let (a, b) = …;`';
  return e.error(treesDiffer(describe(left), describe(right), places.span, hint));
}

// ---------------------------------------------------------------------------------------------------------
// Tensors

const primitiveOf: Readonly<Record<Exclude<BinaryOperator, '@' | '**'>, string>> = {
  '+': 'add',
  '-': 'sub',
  '*': 'mul',
  '/': 'div',
  '%': 'rem',
  '<<': 'shift_left',
  '>>': 'shift_right',
  '&': 'and',
  '^': 'xor',
  '|': 'or',
  '==': 'eq',
  '!=': 'ne',
  '<': 'lt',
  '<=': 'le',
  '>': 'gt',
  '>=': 'ge',
  '&&': 'and',
  '||': 'or',
};

const keyHint = 'numbers are drawn from a key: `uniform(key)` of "std/random"';

function tensorOperation(
  e: Elaborator,
  operator: Exclude<BinaryOperator, '@'>,
  left: Term,
  right: Term,
  places: OperatorPlaces,
): Term {
  const terms = [left, right];
  const spans = [places.left, places.right];
  const dtype = joinDTypes(e, terms, spans, `\`${operator}\``);
  if (dtype === undefined) return errorTerm;
  const isKey = terms.some((t) => t.kind === 'tensor' && t.form === 'key');
  if (isKey) return e.error(operatorOperand(operator, 'numbers', 'a `Key`', places.span, keyHint));
  if (!checkDType(e, operator, dtype, terms, places)) return errorTerm;
  // a power to a small whole number is a product, one to a half a root
  const power = operator === '**' ? knownPower(right) : undefined;
  if (power !== undefined && power < 0 && isInteger(dtype)) {
    const needs = 'an exponent of at least 0 between integers';
    const hint = `convert first: \`f32(x) ** ${power}\``;
    return e.error(operatorOperand('**', needs, `${power}`, places.right, hint));
  }
  if (power !== undefined && left.kind === 'tensor') {
    e.builder.span = places.span;
    const value = simplePower(e, left.value, power);
    if (value !== undefined) return result(value, terms);
  }
  const shape = broadcastShapes(
    e,
    terms.map((t) => (t.kind === 'tensor' ? t.value.type.shape : [])),
    spans,
    () => terms.map(describe),
  );
  if (shape === undefined) return errorTerm;
  const values: Value[] = [];
  for (let i = 0; i < 2; i++) {
    const term = terms[i]!;
    e.builder.span = places.span;
    if (isWeak(term)) {
      const value = weakToTensor(e, term, dtype, shape, spans[i]!);
      if (value === undefined) return errorTerm;
      values.push(value);
    } else if (term.kind === 'tensor') values.push(broadcastTo(e, term.value, shape));
  }
  e.builder.span = places.span;
  const name = operator === '**' ? 'pow' : primitiveOf[operator];
  return result(apply(e.builder, name, values), terms);
}

function result(value: Value, terms: readonly Term[]): Term {
  return terms.every(isWeak) && isFloat(value.type.dtype)
    ? { kind: 'tensor', value, form: 'plain', isWeak: true }
    : tensorTerm(value);
}

function knownPower(term: Term): number | undefined {
  if (term.kind === 'float') return term.value;
  return term.kind === 'int' ? constantValue(term.value) : undefined;
}

/** The power without `pow`, where that is exact and has better derivatives; undefined for all others. */
function simplePower(e: Elaborator, x: Value, power: number): Value | undefined {
  const b = e.builder;
  switch (power) {
    case 1:
      return x;
    case 2:
      return apply(b, 'mul', [x, x]);
    case 3:
      return apply(b, 'mul', [apply(b, 'mul', [x, x]), x]);
    case 0.5:
      return isFloat(x.type.dtype) ? apply(b, 'sqrt', [x]) : undefined;
    case -0.5:
      return isFloat(x.type.dtype) ? apply(b, 'rsqrt', [x]) : undefined;
    default:
      return undefined;
  }
}

/** Which dtypes an operator takes. */
function checkDType(
  e: Elaborator,
  operator: Exclude<BinaryOperator, '@'>,
  dtype: DType,
  terms: readonly Term[],
  places: OperatorPlaces,
): boolean {
  const refuse = (needs: string, hint?: string): boolean => {
    const found = describe(terms.find((t) => !isWeak(t)) ?? terms[0]!);
    e.error(operatorOperand(operator, needs, found, places.span, hint));
    return false;
  };
  switch (operator) {
    case '/':
      if (isInteger(dtype)) {
        e.error(integerDivision(dtype, places.span));
        return false;
      }
      return dtype === 'bool' ? refuse('numbers', 'convert first: `f32(x)`') : true;
    case '+':
    case '-':
    case '*':
    case '%':
    case '**':
      return dtype === 'bool' ? refuse('numbers', 'convert first: `f32(x)` or `i32(x)`') : true;
    case '<<':
    case '>>':
      return isInteger(dtype) ? true : refuse('integers');
    case '&':
    case '|':
    case '^':
      if (dtype === 'bool' || isInteger(dtype)) return true;
      return refuse('integers or bools', operator === '^' ? '`x ** 2` is the power' : undefined);
    case '&&':
    case '||': {
      const isScalar = terms.every((t) => t.kind !== 'tensor' || t.value.type.shape.length === 0);
      if (dtype === 'bool' && isScalar) return true;
      return refuse('one bool on each side', '`&` and `|` work element by element');
    }
    case '<':
    case '<=':
    case '>':
    case '>=':
      return dtype === 'bool' ? refuse('numbers') : true;
    case '==':
    case '!=':
      return true;
    default:
      return unreachable(operator);
  }
}
