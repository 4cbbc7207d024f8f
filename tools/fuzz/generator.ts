/**
 * Draws well-typed programs. A rule makes an expression of whatever type comes out; a typed rule makes one of a given type. Operands
 * come from the same rules, one level down, and are coerced where they do not fit.
 *
 * Values are kept small (what grows is squashed), so that evaluator and device can be compared closely.
 */
import {
  constantValue,
  dimVariable,
  evaluate,
  forEachVariable,
  type Int,
  int,
  one,
  product,
} from '../../compiler/symbolic/integer.ts';
import { type DType, isFloat } from '../../compiler/tensor-ir/dtype.ts';
import type { TensorType } from '../../compiler/tensor-ir/program.ts';
import {
  block,
  type Expression,
  isSameShape,
  isSameType,
  printShape,
  printType,
  reference,
  type Statement,
  statement,
  typed,
  untyped,
  type Variable,
} from './expression.ts';
import { knownFunctions } from './known.ts';
import type { Dims, FuzzProgram, Helper, Parameter, Values } from './program.ts';
import { Random } from './random.ts';
import { rules, typedRules } from './rules/index.ts';

/** What the surroundings of an expression allow. */
export interface Scope {
  readonly variables: readonly Variable[];
  /** Reverse mode goes through here: no loops without a bound. */
  readonly isReversed: boolean;
  /** Forward mode goes through here: no rules for reverse mode only. */
  readonly isForward: boolean;
  /** How often this code runs: trips of loops and sizes of batches. */
  readonly repeats: number;
  /** Transformations and loops around. */
  readonly nesting: number;
}

export interface Rule {
  readonly name: string;
  readonly weight: number;
  readonly make: (g: Generator, scope: Scope, depth: number) => Expression | undefined;
}

export interface TypedRule {
  readonly name: string;
  readonly weight: number;
  readonly make: (
    g: Generator,
    type: TensorType,
    scope: Scope,
    depth: number,
  ) => Expression | undefined;
}

/** The program of a seed: always the same. */
export function drawProgram(seed: number): FuzzProgram {
  return new Generator(seed).program();
}

const N = dimVariable('N');
const M = dimVariable('M');

/** Elements of a tensor, times how often it is computed. */
const mostElements = 3000;
const mostRank = 4;

const integers = ['i32', 'i32', 'i32', 'i8', 'i16', 'i64', 'u8', 'u16', 'u32', 'u64'] as const;

export class Generator {
  readonly random: Random;
  readonly seed: number;
  readonly helpers: (Helper & { readonly signature: Signature })[] = [];
  readonly imports: Set<string> = new Set();
  readonly features: Set<string> = new Set();
  /** Shapes and dtypes that come up again and again in a program, so that operands fit. */
  private readonly shapes: readonly (readonly Int[])[];
  readonly floatType: DType;
  private readonly dtypes: readonly DType[];
  private readonly calls: readonly Dims[];
  /** The dims that types may name. */
  readonly symbols: ReadonlySet<Int>;
  private readonly structs: string[] = [];
  /** Something reads an element of every axis: no dim may be 0. */
  needsElements = false;
  private names = 0;

  constructor(seed: number) {
    this.seed = seed;
    const random = new Random(seed);
    this.random = random;
    const float = random.chance(0.6) ? 'f32' : random.pick(['f16', 'bf16', 'f64', 'f32'] as const);
    this.floatType = float;
    const second = random.chance(0.2) ? random.pick(['f16', 'bf16', 'f32', 'f64'] as const) : float;
    this.dtypes = [float, float, float, second, random.pick(integers), 'i32', 'bool'];
    const isSymbolic = random.chance(0.6);
    const dims = isSymbolic ? [N, N, random.chance(0.5) ? M : int(3)] : [];
    const constants = [2, 3, 4, 5].map(int);
    const palette = [...dims, random.pick(constants), random.pick([one, ...constants])];
    const shape = (rank: number): readonly Int[] =>
      Array.from({ length: rank }, () => random.pick(palette));
    this.shapes = [[], shape(1), shape(2), shape(2), shape(random.between(1, 3))];
    this.symbols = new Set(this.shapes.flat().filter((d) => constantValue(d) === undefined));
    const size = (): number => random.pick([0, 1, 1, 2, 2, 3, 3, 4, 5, 7, 8, 17, 37]);
    const bind = (n: number): Dims => ({ N: n, M: random.pick([1, 2, 3, 4, 6]) });
    this.calls = isSymbolic ? [bind(random.between(2, 8)), bind(size())] : [{ N: 1, M: 1 }];
  }

  program(): FuzzProgram {
    const { random } = this;
    const parameters = Array.from({ length: random.between(1, 3) }, (_, i) => this.parameter(i));
    const { symbols } = this;
    // every dim that a type may name is bound by an argument
    for (const dim of symbols) {
      if (parameters.some((p) => p.type.shape.includes(dim))) continue;
      parameters.push(this.parameter(parameters.length, [dim]));
    }
    let scope: Scope = {
      variables: parameters,
      isReversed: false,
      isForward: false,
      repeats: 1,
      nesting: 0,
    };
    const statements: Statement[] = [];
    for (let i = random.between(1, 4); i > 0; i--) {
      const value = this.any(scope, 3);
      const name = this.fresh('v');
      statements.push(statement`let ${name} = ${value};`);
      scope = this.extend(scope, [{ name, type: value.type! }]);
    }
    const made = scope.variables.slice(parameters.length);
    const results = [this.any(scope, 2), ...made.filter(() => random.chance(0.5)).map(reference)];
    const dims = this.calls.map((call) =>
      Object.fromEntries(
        Object.entries(call)
          .filter(([name]) => hasName(symbols, name))
          .map(([name, size]) => [name, this.needsElements ? Math.max(1, size) : size]),
      ),
    );
    return {
      name: `f${this.seed}`,
      imports: [...this.imports, ...this.structs],
      parameters,
      helpers: this.helpers.map(({ name, header, body }) => ({ name, header, body })),
      body: { kind: 'block', statements },
      results,
      calls: dims,
      features: [...this.features],
    };
  }

  private parameter(i: number, shape?: readonly Int[]): Parameter {
    const { random } = this;
    const type = { dtype: random.pick(this.dtypes), shape: shape ?? random.pick(this.shapes) };
    const values = random.weighted<{ weight: number; values: Values }>([
      { weight: 10, values: 'reals' },
      { weight: 5, values: 'quarters' },
      { weight: 1, values: 'special' },
      { weight: 2, values: 'any' },
    ]).values;
    return { name: `x${i}`, type, values, seed: random.below(2 ** 31) };
  }

  // -------------------------------------------------------------------------------------------------------
  // Drawing

  /** An expression of any type that `fits`. */
  any(scope: Scope, depth: number, fits: (type: TensorType) => boolean = () => true): Expression {
    if (depth <= 0 || this.random.chance(0.12)) return this.leaf(scope, fits);
    for (let attempt = 0; attempt < 6; attempt++) {
      const made = this.random.chance(0.3)
        ? this.like(this.someType(), scope, depth)
        : this.apply(this.random.weighted(rules), scope, depth);
      if (made?.type !== undefined && this.isSmall(made.type, scope) && fits(made.type))
        return made;
    }
    return this.leaf(scope, fits);
  }

  private apply(rule: Rule, scope: Scope, depth: number): Expression | undefined {
    const made = rule.make(this, scope, depth);
    if (made !== undefined) this.features.add(rule.name);
    return made;
  }

  /** A variable that fits, or a constant. */
  leaf(scope: Scope, fits: (type: TensorType) => boolean = () => true): Expression {
    const found = this.variable(scope, fits);
    if (found !== undefined) return reference(found);
    for (let attempt = 0; attempt < 20; attempt++) {
      const type = this.someType();
      if (fits(type)) return this.constant(type);
    }
    for (const dtype of this.dtypes) {
      for (const shape of [...this.shapes, [int(3)], [int(2), int(3)]]) {
        if (fits({ dtype, shape })) return this.constant({ dtype, shape });
      }
    }
    throw new Error(`seed ${this.seed}: no type fits`);
  }

  private variable(scope: Scope, fits: (type: TensorType) => boolean): Variable | undefined {
    const fitting = scope.variables.filter((v) => fits(v.type));
    if (fitting.length === 0) return undefined;
    // recent ones make chains, not stars
    return this.random.pick(this.random.chance(0.6) ? fitting.slice(-3) : fitting);
  }

  float(scope: Scope, depth: number): Expression {
    return this.any(scope, depth, (t) => isFloat(t.dtype));
  }

  number(scope: Scope, depth: number): Expression {
    return this.any(scope, depth, (t) => t.dtype !== 'bool');
  }

  /** Of at least `rank` axes. */
  ranked(scope: Scope, depth: number, rank = 1, most: number = mostRank): Expression {
    return this.any(scope, depth, ({ shape }) => shape.length >= rank && shape.length <= most);
  }

  /** An expression of this type. */
  like(type: TensorType, scope: Scope, depth: number): Expression {
    const { random } = this;
    if (depth > 0 && random.chance(0.75)) {
      for (let attempt = 0; attempt < 4; attempt++) {
        const rule = random.weighted(typedRules);
        const made = rule.make(this, type, scope, depth);
        if (made === undefined) continue;
        this.features.add(rule.name);
        return made;
      }
    }
    const same = this.variable(scope, (t) => isSameType(t, type));
    if (same !== undefined && random.chance(0.85)) return reference(same);
    if (random.chance(0.2)) return this.constant(type);
    return this.coerce(this.any(scope, depth - 1), type, scope);
  }

  /** The same value in another dtype and shape: converted, broadcast, or reduced and broadcast. */
  coerce(x: Expression, type: TensorType, scope: Scope): Expression {
    const from = x.type!;
    if (!isSameShape(from.shape, type.shape)) {
      const fits = broadcasts(from.shape, type.shape);
      const whole = fits ? x : this.collapse(x);
      const wide = { dtype: whole.type!.dtype, shape: type.shape };
      const spread =
        type.shape.length === 0
          ? whole
          : typed(wide)`broadcast_to(${whole}, ${printShape(type.shape)})`;
      return this.coerce(spread, type, scope);
    }
    if (from.dtype === type.dtype) return x;
    this.features.add('convert');
    if (type.dtype === 'bool') return typed(type)`(${x} > 0)`;
    return typed(type)`${type.dtype}(${x})`;
  }

  /** All elements as one. */
  collapse(x: Expression): Expression {
    const type = { ...x.type!, shape: [] };
    if (x.type!.shape.length === 0) return x;
    if (type.dtype === 'bool') return typed(type)`${this.random.pick(['any', 'all'])}(${x})`;
    if (!isFloat(type.dtype)) return typed(type)`${this.random.pick(['sum', 'prod'])}(${x})`;
    return this.tame(typed(type)`sum(${x})`);
  }

  /** A float scalar made of x: what a loss is. */
  loss(x: Expression, scope: Scope): Expression {
    const dtype = isFloat(x.type!.dtype) ? x.type!.dtype : this.floatType;
    return this.collapse(this.coerce(x, { dtype, shape: x.type!.shape }, scope));
  }

  /** Floats that may have grown, in bounds again. */
  tame(x: Expression): Expression {
    const type = x.type!;
    switch (this.random.below(6)) {
      case 0:
        return typed(type)`sin(${x})`;
      case 1:
        return typed(type)`(${x} * 0.125)`;
      case 2:
        return typed(type)`atan(${x})`;
      default:
        return typed(type)`tanh(${x})`;
    }
  }

  constant(type: TensorType): Expression {
    const { dtype, shape } = type;
    const { random } = this;
    const make = typed(type);
    if (shape.length === 1 && dtype !== 'bool' && random.chance(0.3))
      return make`arange(${printShape(shape).slice(1, -2)}, dtype = ${dtype})`;
    if (shape.length === 2 && dtype !== 'bool' && random.chance(0.3))
      return make`eye(${printShape(shape).slice(1, -1)}, k = ${random.between(-1, 1)}, dtype = ${dtype})`;
    const known = shape.length === 1 ? constantValue(shape[0]!) : undefined;
    if (known !== undefined && known > 0 && random.chance(0.5)) {
      const items = Array.from({ length: known }, () => this.literal(dtype)).join(', ');
      return make`array([${items}], dtype = ${dtype})`;
    }
    return make`full(${printShape(shape)}, ${this.literal(dtype)}, dtype = ${dtype})`;
  }

  literal(dtype: DType): string {
    const { random } = this;
    if (dtype === 'bool') return random.pick(['true', 'false']);
    if (isFloat(dtype)) return random.pick(['0.0', '1.0', '-1.0', '0.5', '1.5', '-0.25', '0.3']);
    return random.pick(dtype[0] === 'u' ? ['0', '1', '2', '7'] : ['0', '1', '-1', '2', '-3', '5']);
  }

  // -------------------------------------------------------------------------------------------------------
  // Pieces

  fresh(prefix: string): string {
    return `${prefix}${this.names++}`;
  }

  someDType(): DType {
    return this.random.pick(this.dtypes);
  }

  someType(): TensorType {
    return { dtype: this.someDType(), shape: this.random.pick(this.shapes) };
  }

  /** Of the dtype most floats of this program have. */
  someFloatType(): TensorType {
    return { dtype: this.floatType, shape: this.random.pick(this.shapes) };
  }

  /** One of the functions that the prelude has; undefined when it has none of them. */
  available(names: readonly string[]): string | undefined {
    const known = names.filter((name) => knownFunctions.has(name));
    return known.length === 0 ? undefined : this.random.pick(known);
  }

  axis(type: TensorType): number {
    return this.random.below(type.shape.length);
  }

  /** The axis as it may be written: from the end, too. */
  showAxis(axis: number, type: TensorType): number {
    return this.random.chance(0.3) ? axis - type.shape.length : axis;
  }

  extend(scope: Scope, variables: readonly Variable[]): Scope {
    return { ...scope, variables: [...scope.variables, ...variables] };
  }

  /** The scope of code that runs once for each of `times`, or inside a transformation. */
  inside(
    scope: Scope,
    variables: readonly Variable[],
    times: Int = one,
    mode?: 'forward' | 'reverse',
  ): Scope {
    return {
      variables: [...scope.variables, ...variables],
      isReversed: scope.isReversed || mode === 'reverse',
      isForward: scope.isForward || mode === 'forward',
      repeats: scope.repeats * Math.max(1, this.largest([times])),
      nesting: scope.nesting + 1,
    };
  }

  /** Whether there is room for another loop or transformation inside. */
  canNest(scope: Scope): boolean {
    return scope.nesting < 3;
  }

  /** A struct with fields `a`, `b`, ... of these types; its name. */
  declareStruct(fields: readonly TensorType[]): string {
    const name = `S${this.structs.length}_${this.seed}`;
    const dims = new Set<string>();
    for (const dim of fields.flatMap((f) => f.shape)) forEachVariable(dim, (v) => dims.add(v.name));
    const generics = dims.size === 0 ? '' : `<${[...dims].join(', ')}>`;
    const list = fields.map((type, i) => `${'abc'[i]}: ${printType(type)}`).join(', ');
    this.structs.push(`struct ${name}${generics} { ${list} }`);
    return name;
  }

  /** Some statements, then what `finish` makes of all that is in scope. */
  body(scope: Scope, depth: number, finish: (scope: Scope) => Expression): Expression {
    const statements: Statement[] = [];
    let inner = scope;
    for (let i = depth > 1 ? this.random.below(3) : 0; i > 0; i--) {
      const value = this.any(inner, depth - 1);
      const name = this.fresh('t');
      statements.push(statement`let ${name} = ${value};`);
      inner = this.extend(inner, [{ name, type: value.type! }]);
    }
    return block(statements, finish(inner));
  }

  /** `|a: f32[N], b: i32| body` */
  lambda(parameters: readonly Variable[], body: Expression): Expression {
    const isShort = this.random.chance(0.3);
    const list = parameters.map((p) => (isShort ? p.name : `${p.name}: ${printType(p.type)}`));
    return untyped`|${list.join(', ')}| ${body}`;
  }

  /** Binds x to a name and hands the name on: for what is needed twice. */
  shared(x: Expression, use: (x: Expression) => Expression): Expression {
    const name = this.fresh('s');
    return block([statement`let ${name} = ${x};`], use(reference({ name, type: x.type! })));
  }

  isSmall(type: TensorType, scope: Scope): boolean {
    return (
      type.shape.length <= mostRank && this.largest(type.shape) * scope.repeats <= mostElements
    );
  }

  /** The most elements that a shape has in any of the calls. */
  private largest(shape: readonly Int[]): number {
    const sizes = this.calls.map((call) => evaluate(product(shape), (name) => call[name]));
    return Math.max(...sizes);
  }
}

/** What is known of a helper function. */
export interface Signature {
  readonly parameters: readonly TensorType[];
  readonly result: TensorType;
}

function hasName(dims: ReadonlySet<Int>, name: string): boolean {
  return dims.has(name === 'N' ? N : M);
}

/** True when NumPy's rule stretches `from` to `to`. */
export function broadcasts(from: readonly Int[], to: readonly Int[]): boolean {
  const offset = to.length - from.length;
  return offset >= 0 && from.every((dim, i) => dim === to[i + offset] || dim === one);
}
