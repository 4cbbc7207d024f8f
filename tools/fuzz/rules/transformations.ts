/** Derivatives, batches, custom rules, and functions of the program's own. */
import {
  asVariable,
  constantValue,
  int,
  variableNames,
} from '../../../compiler/symbolic/integer.ts';
import { isFloat } from '../../../compiler/tensor-ir/dtype.ts';
import type { TensorType } from '../../../compiler/tensor-ir/program.ts';
import {
  block,
  type Expression,
  printType,
  reference,
  statement,
  typed,
  untyped,
  type Variable,
} from '../expression.ts';
import type { Generator, Rule, Scope, TypedRule } from '../generator.ts';

function isSmooth({ dtype }: TensorType): boolean {
  return isFloat(dtype);
}

/** A float argument, the name it has inside a function, and that function's scope. */
function argument(
  g: Generator,
  scope: Scope,
  depth: number,
  mode: 'forward' | 'reverse',
  fits: (type: TensorType) => boolean = () => true,
): { readonly x: Expression; readonly parameter: Variable; readonly inner: Scope } {
  const x = g.any(scope, depth - 1, (t) => isSmooth(t) && fits(t));
  const parameter = { name: g.fresh('p'), type: x.type! };
  return { x, parameter, inner: g.inside(scope, [parameter], int(1), mode) };
}

/** A body that gives floats, and depends on the parameter more often than not. */
function smoothBody(g: Generator, scope: Scope, depth: number, parameter: Variable): Expression {
  return g.body(scope, depth, (inner) => {
    const made = g.any(inner, depth - 1, isSmooth);
    if (g.random.chance(0.3)) return made;
    const own = g.coerce(reference(parameter), made.type!, inner);
    return typed(made.type)`(${made} ${g.random.pick(['*', '+', '*'])} ${own})`;
  });
}

function lossBody(g: Generator, scope: Scope, depth: number, parameter: Variable): Expression {
  const body = smoothBody(g, scope, depth, parameter);
  return g.collapse(body);
}

function sometimesTame(g: Generator, x: Expression): Expression {
  return g.random.chance(0.6) ? g.tame(x) : x;
}

/** Few enough elements for a whole Jacobian. */
function isShort({ shape }: TensorType): boolean {
  return shape.length <= 1 && shape.every((d) => (constantValue(d) ?? 9) <= 4);
}

/** True when each dim stands alone as some size: a struct reads its dims off its fields. */
function carriesItsDims(fields: readonly TensorType[]): boolean {
  const sizes = fields.flatMap((f) => f.shape);
  const alone = new Set(sizes.flatMap((d) => asVariable(d)?.name ?? []));
  return sizes.every((d) => variableNames(d).every((name) => alone.has(name)));
}

export const transformationRules: readonly Rule[] = [
  {
    name: 'grad',
    weight: 6,
    make: (g, scope, depth) => {
      if (!g.canNest(scope)) return undefined;
      const { x, parameter, inner } = argument(g, scope, depth, 'reverse');
      const f = g.lambda([parameter], lossBody(g, inner, depth, parameter));
      switch (g.random.below(4)) {
        case 0:
          return sometimesTame(g, typed(x.type)`value_and_grad(${f})(${x}).1`);
        case 1: {
          const type = { dtype: x.type!.dtype, shape: [] };
          return typed({ ...type, dtype: lossType(f) ?? type.dtype })`value_and_grad(${f})(${x}).0`;
        }
        default:
          return sometimesTame(g, typed(x.type)`grad(${f})(${x})`);
      }
    },
  },
  {
    name: 'grad by several',
    weight: 2,
    make: (g, scope, depth) => {
      if (!g.canNest(scope)) return undefined;
      const { x, parameter, inner } = argument(g, scope, depth, 'reverse');
      const y = g.any(scope, depth - 1);
      const second = { name: g.fresh('p'), type: y.type! };
      const body = lossBody(g, g.extend(inner, [second]), depth, parameter);
      const f = g.lambda([parameter, second], body);
      if (!isSmooth(y.type!)) return typed(x.type)`grad(${f})(${x}, ${y})`;
      if (g.random.chance(0.3)) return typed(y.type)`grad(${f}, wrt = 1)(${x}, ${y})`;
      return typed(y.type)`grad(${f}, wrt = (0, 1))(${x}, ${y}).1`;
    },
  },
  {
    name: 'vjp',
    weight: 3,
    make: (g, scope, depth) => {
      if (!g.canNest(scope)) return undefined;
      const { x, parameter, inner } = argument(g, scope, depth, 'reverse');
      const body = smoothBody(g, inner, depth, parameter);
      const f = g.lambda([parameter], body);
      const cotangent = g.like(body.type!, scope, depth - 1);
      if (g.random.chance(0.5))
        return sometimesTame(g, typed(x.type)`vjp(${f}, ${x}).1(${cotangent}).0`);
      const [y, pull] = [g.fresh('y'), g.fresh('pull')];
      return block(
        [
          statement`let (${y}, ${pull}) = vjp(${f}, ${x});`,
          statement`let (${y}_bar,) = ${pull}(${y} * ${cotangent});`,
        ],
        sometimesTame(g, typed(x.type)`${y}_bar`),
      );
    },
  },
  {
    name: 'jvp',
    weight: 4,
    make: (g, scope, depth) => {
      if (!g.canNest(scope)) return undefined;
      const { x, parameter, inner } = argument(g, scope, depth, 'forward');
      const body = smoothBody(g, inner, depth, parameter);
      const f = g.lambda([parameter], body);
      const tangent = g.like(x.type!, scope, depth - 1);
      return g.random.chance(0.7)
        ? sometimesTame(g, typed(body.type)`jvp(${f}, (${x},), (${tangent},)).1`)
        : sometimesTame(g, typed(body.type)`linearize(${f}, ${x}).1(${tangent})`);
    },
  },
  {
    name: 'jacobian',
    weight: 2,
    make: (g, scope, depth) => {
      if (!g.canNest(scope)) return undefined;
      const name = g.random.pick(['jacfwd', 'jacrev', 'hessian']);
      const mode = name === 'jacfwd' ? 'forward' : 'reverse';
      const { x, parameter, inner } = argument(g, scope, depth, mode, isShort);
      const wide = { ...inner, repeats: inner.repeats * 8 };
      const body =
        name === 'hessian'
          ? lossBody(g, wide, depth, parameter)
          : smoothBody(g, wide, depth, parameter);
      if (body.type!.shape.length + 2 * x.type!.shape.length > 4) return undefined;
      const axes = [...x.type!.shape, ...(name === 'hessian' ? x.type!.shape : [])];
      const type = { dtype: body.type!.dtype, shape: [...body.type!.shape, ...axes] };
      // the Jacobian has the dtype of the result going forward, that of the argument going back
      if (body.type!.dtype !== x.type!.dtype) return undefined;
      return sometimesTame(g, typed(type)`${name}(${g.lambda([parameter], body)})(${x})`);
    },
  },
  {
    name: 'vmap',
    weight: 6,
    make: (g, scope, depth) => {
      if (!g.canNest(scope)) return undefined;
      const x = g.ranked(scope, depth - 1);
      const { dtype, shape } = x.type!;
      const axis = g.axis(x.type!);
      const size = shape[axis]!;
      const parameters: Variable[] = [
        { name: g.fresh('p'), type: { dtype, shape: shape.filter((_, i) => i !== axis) } },
      ];
      const args = [x];
      const axes = [String(axis)];
      if (g.random.chance(0.4)) {
        const isMapped = g.random.chance(0.6);
        const own = g.someType();
        const y = isMapped
          ? g.like({ ...own, shape: [size, ...own.shape.slice(0, 2)] }, scope, depth - 1)
          : g.any(scope, depth - 1);
        parameters.push({
          name: g.fresh('p'),
          type: isMapped ? { ...y.type!, shape: y.type!.shape.slice(1) } : y.type!,
        });
        args.push(y);
        axes.push(isMapped ? '0' : 'none');
      }
      const inner = g.inside(scope, parameters, size);
      const body = g.body(inner, depth, (s) => g.any(s, depth - 1, (t) => t.shape.length < 4));
      const out = g.random.chance(0.3) ? g.random.between(0, body.type!.shape.length) : 0;
      const result = [...body.type!.shape];
      result.splice(out, 0, size);
      const isPlain = axis === 0 && axes.length === 1;
      const where = isPlain
        ? ''
        : axes.length === 1
          ? `, axes = ${axis}`
          : `, axes = (${axes.join(', ')})`;
      const to = out === 0 ? '' : `, out = ${out}`;
      const given = args.flatMap((e) => [e, ', '] as const).slice(0, -1);
      return typed({
        dtype: body.type!.dtype,
        shape: result,
      })`vmap(${g.lambda(parameters, body)}${where}${to})(${{ kind: 'template', parts: given }})`;
    },
  },
  {
    name: 'vmap of grad',
    weight: 3,
    make: (g, scope, depth) => {
      if (!g.canNest(scope)) return undefined;
      const x = g.any(scope, depth - 1, (t) => isSmooth(t) && t.shape.length > 0);
      const { dtype, shape } = x.type!;
      const parameter = { name: g.fresh('p'), type: { dtype, shape: shape.slice(1) } };
      const inner = g.inside(scope, [parameter], shape[0]!, 'reverse');
      const f = g.lambda([parameter], lossBody(g, inner, depth, parameter));
      return sometimesTame(g, typed(x.type)`vmap(grad(${f}))(${x})`);
    },
  },
  {
    name: 'helper function',
    weight: 5,
    make: (g, scope, depth) => {
      const made =
        g.helpers.length > 0 && g.random.chance(0.6)
          ? g.random.pick(g.helpers)
          : makeHelper(g, depth);
      if (made === undefined) return undefined;
      const { parameters, result } = made.signature;
      const args = parameters.map((type) => g.like(type, scope, depth - 1));
      if (g.random.chance(0.2)) {
        const rest = args.slice(1).flatMap((e, i) => (i === 0 ? [e] : [', ', e]));
        return typed(result)`(${args[0]!} |> ${made.name}(${{ kind: 'template', parts: rest }}))`;
      }
      const given = args.flatMap((e, i) => (i === 0 ? [e] : [', ', e]));
      return typed(result)`${made.name}(${{ kind: 'template', parts: given }})`;
    },
  },
  {
    name: 'tuple',
    weight: 2,
    make: (g, scope, depth) => {
      const [a, b] = [g.any(scope, depth - 1), g.any(scope, depth - 1)];
      const [p, q] = [g.fresh('a'), g.fresh('b')];
      const inner = g.extend(scope, [
        { name: p, type: a.type! },
        { name: q, type: b.type! },
      ]);
      return block([statement`let (${p}, ${q}) = (${a}, ${b});`], g.any(inner, depth - 1));
    },
  },
  {
    name: 'struct',
    weight: 3,
    make: (g, scope, depth) => {
      if (!g.canNest(scope)) return undefined;
      const a = g.any(scope, depth - 1, isSmooth);
      const b = g.any(scope, depth - 1, isSmooth);
      const fields = [a.type!, b.type!];
      if (!carriesItsDims(fields)) return undefined;
      const name = g.declareStruct(fields);
      const value = untyped`${name} { a: ${a}, b: ${b} }`;
      const s = g.fresh('s');
      const variables = [
        { name: `${s}.a`, type: a.type! },
        { name: `${s}.b`, type: b.type! },
      ];
      if (g.random.chance(0.4)) {
        return block(
          [statement`let ${s} = map(|v| v * 0.5, ${value});`],
          g.any(g.extend(scope, variables), depth - 1),
        );
      }
      const inner = g.inside(scope, variables, int(1), 'reverse');
      const body = lossBody(g, inner, depth, variables[0]!);
      const field = g.random.pick(['a', 'b'] as const);
      const type = field === 'a' ? a.type! : b.type!;
      return sometimesTame(g, typed(type)`grad(|${s}| ${body})(${value}).${field}`);
    },
  },
  {
    name: 'random numbers',
    weight: 2,
    make: (g, scope, depth) => {
      const shape = g.someType().shape;
      const name = g.random.pick(['uniform', 'normal', 'bits', 'bernoulli', 'randint']);
      g.imports.add(`import { ${name} } from "std/random";`);
      const seed = g.random.chance(0.5)
        ? typed({ dtype: 'i32', shape: [] })`${g.random.below(100)}`
        : g.like({ dtype: 'i32', shape: [] }, scope, depth - 1);
      const dtype = {
        uniform: 'f32',
        normal: 'f32',
        bits: 'u32',
        bernoulli: 'bool',
        randint: 'i32',
      }[name] as TensorType['dtype'];
      const type = { dtype, shape };
      const variable = { name: g.fresh('u'), type };
      const bounds = name === 'randint' ? ', -5, 9' : '';
      return block(
        [statement`let ${variable.name}: ${printType(type)} = ${name}(key(${seed})${bounds});`],
        reference(variable),
      );
    },
  },
];

/** The dtype of the value of a lambda's body. */
function lossType(f: Expression): TensorType['dtype'] | undefined {
  const body = f.kind === 'template' ? f.parts.at(-1) : undefined;
  return typeof body === 'object' ? body.type?.dtype : undefined;
}

/** A function of the program, which any code may call: no loops without a bound, no rules for one mode only. */
function makeHelper(g: Generator, depth: number): Generator['helpers'][number] | undefined {
  if (g.helpers.length >= 2) return undefined;
  const parameters = Array.from({ length: g.random.between(1, 2) }, () => g.someType());
  for (const dim of g.symbols) {
    if (!parameters.some((p) => p.shape.includes(dim)))
      parameters.push({ dtype: g.someDType(), shape: [dim] });
  }
  const variables = parameters.map((type) => ({ name: g.fresh('a'), type }));
  const scope: Scope = {
    variables,
    isReversed: true,
    isForward: true,
    repeats: 4,
    nesting: 2,
  };
  const body = g.body(scope, depth, (inner) => g.any(inner, depth));
  const name = `${g.fresh('h')}_${g.seed}`;
  const signature = variables.map((v) => `${v.name}: ${printType(v.type)}`).join(', ');
  const header = `fn ${name}(${signature}) -> ${printType(body.type!)}`;
  const helper = { name, header, body, signature: { parameters, result: body.type! } };
  g.helpers.push(helper);
  return helper;
}

export const typedTransformationRules: readonly TypedRule[] = [
  {
    name: 'stop_gradient',
    weight: 1,
    make: (g, type, scope, depth) => {
      const name = g.random.pick(['stop_gradient', 'optimization_barrier']);
      return typed(type)`${name}(${g.like(type, scope, depth - 1)})`;
    },
  },
  {
    name: 'lambda',
    weight: 1,
    make: (g, type, scope, depth) => {
      const x = g.any(scope, depth - 1);
      const parameter = { name: g.fresh('p'), type: x.type! };
      const inner = g.extend(scope, [parameter]);
      const f = g.lambda(
        [parameter],
        g.body(inner, depth - 1, (s) => g.like(type, s, depth - 1)),
      );
      return typed(type)`(${f})(${x})`;
    },
  },
  {
    name: 'checkpoint',
    weight: 2,
    make: (g, type, scope, depth) => {
      const x = g.any(scope, depth - 1);
      const parameter = { name: g.fresh('p'), type: x.type! };
      const inner = g.extend(scope, [parameter]);
      const f = g.lambda(
        [parameter],
        g.body(inner, depth - 1, (s) => g.like(type, s, depth - 1)),
      );
      return typed(type)`checkpoint(${f})(${x})`;
    },
  },
  {
    name: 'custom_vjp',
    weight: 2,
    make: (g, type, scope, depth) => {
      if (!isSmooth(type) || scope.isForward || !g.canNest(scope)) return undefined;
      const x = g.like(type, scope, depth - 1);
      const [a, r, ct] = [g.fresh('p'), g.fresh('r'), g.fresh('ct')];
      const value = g.like(type, g.extend(scope, [{ name: a, type }]), depth - 1);
      const rule = g.like(type, g.extend(scope, [{ name: r, type }]), depth - 1);
      return typed(
        type,
      )`custom_vjp(|${a}| ${value}, |${a}| (${value}, ${a}), |${r}, ${ct}| (${ct} * ${rule},))(${x})`;
    },
  },
  {
    name: 'custom_jvp',
    weight: 2,
    make: (g, type, scope, depth) => {
      if (!isSmooth(type) || !g.canNest(scope)) return undefined;
      const x = g.like(type, scope, depth - 1);
      const [a, v, t] = [g.fresh('p'), g.fresh('v'), g.fresh('t')];
      const f = g.random.pick(['sin', 'tanh', 'square']);
      const value = (name: string): Expression => typed(type)`${f}(${name})`;
      const inner = g.extend(scope, [{ name: `${v}.0`, type }]);
      const slope = g.like(type, inner, depth - 1);
      return typed(
        type,
      )`custom_jvp(|${a}| ${value(a)}, |${v}, ${t}| (${value(`${v}.0`)}, ${slope} * ${t}.0))(${x})`;
    },
  },
];
