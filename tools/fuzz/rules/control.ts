/** Conditionals and loops, as statements and as functions. */
import { constantValue, int } from '../../../compiler/symbolic/integer.ts';
import { isFloat } from '../../../compiler/tensor-ir/dtype.ts';
import type { TensorType } from '../../../compiler/tensor-ir/program.ts';
import { block, type Expression, isNumber, reference, statement, typed } from '../expression.ts';
import type { Generator, Rule, Scope, TypedRule } from '../generator.ts';

const bool: TensorType = { dtype: 'bool', shape: [] };
const index: TensorType = { dtype: 'i32', shape: [] };

/** The next value of a carry: of its type, and bounded. */
function next(g: Generator, type: TensorType, scope: Scope, depth: number): Expression {
  return g.body(scope, depth, (inner) => {
    const value = g.like(type, inner, depth - 1);
    return isFloat(type.dtype) && g.random.chance(0.6) ? g.tame(value) : value;
  });
}

/** `{ var a = init; LOOP { a = next; } a }` */
function loop(
  g: Generator,
  type: TensorType,
  scope: Scope,
  depth: number,
  head: (carry: Expression) => Expression,
  counters: readonly { readonly name: string; readonly type: TensorType }[],
): Expression {
  const carry = { name: g.fresh('c'), type };
  const inner = g.inside(scope, [carry, ...counters], int(4));
  const init = g.like(type, scope, depth - 1);
  const body = block(
    [statement`${carry.name} = ${next(g, type, inner, depth - 1)};`],
    undefined,
    undefined,
  );
  return block(
    [statement`var ${carry.name} = ${init};`, statement`${head(reference(carry))} ${body}`],
    reference(carry),
  );
}

/** Trips of a loop: known, a dim, or a tensor. */
function trips(g: Generator, scope: Scope, depth: number): Expression {
  if (scope.isReversed || g.random.chance(0.6))
    return typed(index)`${g.random.pick(['2', '3', '0', '1'])}`;
  return typed(index)`clip(${g.like(index, scope, depth - 1)}, 0, 3)`;
}

export const typedControlRules: readonly TypedRule[] = [
  {
    name: 'if',
    weight: 3,
    make: (g, type, scope, depth) => {
      const condition = g.random.chance(0.1)
        ? typed(bool)`${g.random.pick(['true', 'false'])}`
        : g.like(bool, scope, depth - 1);
      const side = (): Expression => g.body(scope, depth - 1, (s) => g.like(type, s, depth - 1));
      const [yes, no] = [side(), side()].map((e) =>
        block([statement`let ${g.fresh('t')} = 0;`], e),
      );
      return typed(type)`(if (${condition}) ${yes!} else ${no!})`;
    },
  },
  {
    name: 'cond',
    weight: 1,
    make: (g, type, scope, depth) => {
      const condition = g.like(bool, scope, depth - 1);
      const operand = g.any(scope, depth - 1);
      const side = (): Expression => {
        const parameter = { name: g.fresh('p'), type: operand.type! };
        const inner = g.extend(scope, [parameter]);
        return g.lambda(
          [parameter],
          g.body(inner, depth - 1, (s) => g.like(type, s, depth - 1)),
        );
      };
      return typed(type)`cond(${condition}, ${side()}, ${side()}, ${operand})`;
    },
  },
  {
    name: 'switch',
    weight: 1,
    make: (g, type, scope, depth) => {
      const which = g.like(index, scope, depth - 1);
      const operand = g.any(scope, depth - 1);
      const branch = (): Expression => {
        const parameter = { name: g.fresh('p'), type: operand.type! };
        const inner = g.extend(scope, [parameter]);
        return g.lambda(
          [parameter],
          g.body(inner, depth - 1, (s) => g.like(type, s, depth - 1)),
        );
      };
      return typed(type)`switch(${which}, (${branch()}, ${branch()}, ${branch()}), ${operand})`;
    },
  },
  {
    name: 'for',
    weight: 3,
    make: (g, type, scope, depth) => {
      if (!g.canNest(scope)) return undefined;
      const i = { name: g.fresh('i'), type: index };
      const count = trips(g, scope, depth);
      return loop(g, type, scope, depth, () => typed(undefined)`for ${i.name} in 0..${count}`, [i]);
    },
  },
  {
    name: 'for over a tensor',
    weight: 3,
    make: (g, type, scope, depth) => {
      if (!g.canNest(scope)) return undefined;
      const x = g.ranked(scope, depth - 1);
      const row = { name: g.fresh('r'), type: { ...x.type!, shape: x.type!.shape.slice(1) } };
      return loop(g, type, scope, depth, () => typed(undefined)`for ${row.name} in (${x})`, [row]);
    },
  },
  {
    name: 'for while',
    weight: 1,
    make: (g, type, scope, depth) => {
      if (!g.canNest(scope)) return undefined;
      const i = { name: g.fresh('i'), type: index };
      return loop(
        g,
        type,
        scope,
        depth,
        (carry) => {
          const total = g.collapse(carry);
          const test =
            type.dtype === 'bool'
              ? typed(bool)`${total}`
              : typed(bool)`${total} ${'<'} ${g.literal(type.dtype)}`;
          return typed(undefined)`for ${i.name} in 0..3 while (${test})`;
        },
        [i],
      );
    },
  },
  {
    name: 'while',
    weight: 2,
    make: (g, type, scope, depth) => {
      if (!g.canNest(scope) || scope.isReversed) return undefined;
      const n = { name: g.fresh('n'), type: index };
      const carry = { name: g.fresh('c'), type };
      const inner = g.inside(scope, [carry, n], int(4));
      const init = g.like(type, scope, depth - 1);
      const condition = g.random.chance(0.5)
        ? typed(bool)` && (${g.like(bool, inner, depth - 2)})`
        : '';
      const body = block(
        [
          statement`${carry.name} = ${next(g, type, inner, depth - 1)};`,
          statement`${n.name} += 1;`,
        ],
        undefined,
        undefined,
      );
      return block(
        [
          statement`var ${carry.name} = ${init};`,
          statement`var ${n.name} = 0;`,
          statement`while ${n.name} < ${g.random.between(0, 3)}${condition} ${body}`,
        ],
        reference(carry),
      );
    },
  },
  {
    name: 'fori',
    weight: 2,
    make: (g, type, scope, depth) => {
      if (!g.canNest(scope)) return undefined;
      const i = { name: g.fresh('i'), type: index };
      const carry = { name: g.fresh('c'), type };
      const inner = g.inside(scope, [i, carry], int(4));
      const body = g.lambda([i, carry], next(g, type, inner, depth - 1));
      const init = g.like(type, scope, depth - 1);
      const low = g.random.pick(['0', '0', '1']);
      return typed(type)`fori(${low}, ${trips(g, scope, depth)}, ${body}, ${init})`;
    },
  },
  {
    name: 'scan for its carry',
    weight: 2,
    make: (g, type, scope, depth) => scan(g, type, scope, depth)?.(0),
  },
  {
    name: 'while_loop',
    weight: 1,
    make: (g, type, scope, depth) => {
      if (!g.canNest(scope) || scope.isReversed) return undefined;
      const state = g.fresh('s');
      const parts = [
        { name: `${state}.0`, type: index },
        { name: `${state}.1`, type },
      ];
      const inner = g.inside(scope, parts, int(4));
      const step = next(g, type, inner, depth - 1);
      const init = g.like(type, scope, depth - 1);
      return typed(
        type,
      )`while_loop(|${state}| ${state}.0 < 3, |${state}| (${state}.0 + 1, ${step}), (0, ${init})).1`;
    },
  },
];

/** A scan; the part 0 of its result is the carry, part 1 the stacked outputs. */
function scan(
  g: Generator,
  type: TensorType,
  scope: Scope,
  depth: number,
): ((part: 0 | 1) => Expression) | undefined {
  if (!g.canNest(scope)) return undefined;
  const xs = g.ranked(scope, depth - 1);
  const [length, ...row] = xs.type!.shape;
  const carry = { name: g.fresh('c'), type };
  const x = { name: g.fresh('r'), type: { ...xs.type!, shape: row } };
  const inner = g.inside(scope, [carry, x], length!);
  const init = g.like(type, scope, depth - 1);
  const after = next(g, type, inner, depth - 1);
  const y = g.any(inner, depth - 2, (t) => t.shape.length < 3);
  const reverse = g.random.chance(0.25) ? ', reverse = true' : '';
  const stacked = { ...y.type!, shape: [length!, ...y.type!.shape] };
  return (part) =>
    typed(
      part === 0 ? type : stacked,
    )`scan(${g.lambda([carry, x], typed(undefined)`(${after}, ${y})`)}, ${init}, ${xs}${reverse}).${part}`;
}

export const controlRules: readonly Rule[] = [
  {
    name: 'scan for its outputs',
    weight: 3,
    make: (g, scope, depth) => scan(g, g.someType(), scope, depth)?.(1),
  },
  {
    name: 'associative_scan',
    weight: 1,
    make: (g, scope, depth) => {
      if (g.available(['associative_scan']) === undefined) return undefined;
      const x = g.any(scope, depth - 1, (t) => isNumber(t) && t.shape.length > 0);
      if (constantValue(x.type!.shape[0]!) === 0) return undefined;
      const f = g.random.pick(['a + b', 'maximum(a, b)', 'minimum(a, b)']);
      return typed(x.type)`associative_scan(|a, b| ${f}, ${x})`;
    },
  },
];
