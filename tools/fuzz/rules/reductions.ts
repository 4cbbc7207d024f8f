/** Reductions, running reductions, sorting, and products that sum. */
import { constantValue, int } from '../../../compiler/symbolic/integer.ts';
import { type DType, isFloat } from '../../../compiler/tensor-ir/dtype.ts';
import type { TensorType } from '../../../compiler/tensor-ir/program.ts';
import { type Expression, isNumber, typed } from '../expression.ts';
import type { Generator, Rule } from '../generator.ts';

/** Axes, none of which is known to be empty. */
function hasElements({ shape }: TensorType): boolean {
  return shape.length > 0 && shape.every((d) => constantValue(d) !== 0);
}

function growing(g: Generator, x: Expression): Expression {
  return isFloat(x.type!.dtype) ? g.tame(x) : x;
}

export const reductionRules: readonly Rule[] = [
  {
    name: 'reduction',
    weight: 9,
    make: (g, scope, depth) => {
      const x = g.ranked(scope, depth - 1);
      const { dtype, shape } = x.type!;
      const isEmptyRisk = shape.some((d) => constantValue(d) === 0);
      const names =
        dtype === 'bool'
          ? ['any', 'all', 'sum']
          : isFloat(dtype)
            ? ['sum', 'sum', 'mean', 'max', 'min', 'prod', 'logsumexp', 'var', 'std', 'all']
            : ['sum', 'prod', 'max', 'min', 'any'];
      const name = g.random.pick(
        names.filter((n) => !(isEmptyRisk && /max|min|logsumexp/.test(n))),
      );
      const axes = shape.map((_, i) => i).filter(() => g.random.chance(0.5));
      if (axes.length === 0) axes.push(g.axis(x.type!));
      const keeps = g.random.chance(0.25);
      const rest = keeps
        ? shape.map((d, i) => (axes.includes(i) ? int(1) : d))
        : shape.filter((_, i) => !axes.includes(i));
      const result: DType = /any|all/.test(name) ? 'bool' : dtype === 'bool' ? 'i32' : dtype;
      const isWhole = axes.length === shape.length;
      const shown =
        isWhole && g.random.chance(0.5)
          ? ''
          : axes.length === 1
            ? `, axis = ${g.showAxis(axes[0]!, x.type!)}`
            : `, axis = (${axes.map((a) => g.showAxis(a, x.type!)).join(', ')})`;
      const type = { dtype: result, shape: rest };
      const reduced = typed(type)`${name}(${x}${shown}${keeps ? ', keepdims = true' : ''})`;
      return /sum|prod/.test(name) ? growing(g, reduced) : reduced;
    },
  },
  {
    name: 'index of extremum',
    weight: 3,
    make: (g, scope, depth) => {
      const x = g.any(scope, depth - 1, (t) => isNumber(t) && hasElements(t));
      const axis = g.axis(x.type!);
      const shape = x.type!.shape.filter((_, i) => i !== axis);
      const name = g.random.pick(['argmax', 'argmin']);
      return typed({ dtype: 'i32', shape })`${name}(${x}, axis = ${g.showAxis(axis, x.type!)})`;
    },
  },
  {
    name: 'softmax',
    weight: 3,
    make: (g, scope, depth) => {
      const x = g.any(scope, depth - 1, (t) => isFloat(t.dtype) && hasElements(t));
      const name = g.random.pick(['softmax', 'log_softmax']);
      g.imports.add(`import { ${name} } from "std/nn";`);
      return typed(x.type)`${name}(${x}, axis = ${g.showAxis(g.axis(x.type!), x.type!)})`;
    },
  },
  {
    name: 'standardize',
    weight: 1,
    make: (g, scope, depth) => {
      const x = g.any(scope, depth - 1, (t) => isFloat(t.dtype) && hasElements(t));
      return typed(x.type)`standardize(${x})`;
    },
  },
  {
    name: 'cumulative',
    weight: 3,
    make: (g, scope, depth) => {
      const x = g.any(scope, depth - 1, (t) => isNumber(t) && hasElements(t));
      const name = g.available(['cumsum', 'cumprod', 'cummax', 'cummin', 'cumlogsumexp']);
      if (name === undefined) return undefined;
      if (name === 'cumlogsumexp' && !isFloat(x.type!.dtype)) return undefined;
      const axis = g.axis(x.type!);
      const scanned = typed(x.type)`${name}(${x}, axis = ${axis})`;
      return /sum|prod/.test(name) ? growing(g, scanned) : scanned;
    },
  },
  {
    name: 'sort',
    weight: 3,
    make: (g, scope, depth) => {
      const name = g.available(['sort', 'argsort']);
      if (name === undefined) return undefined;
      const x = g.any(scope, depth - 1, (t) => isNumber(t) && hasElements(t));
      const { dtype, shape } = x.type!;
      const type = { dtype: name === 'sort' ? dtype : ('i32' as const), shape };
      return typed(type)`${name}(${x}, axis = ${g.showAxis(g.axis(x.type!), x.type!)})`;
    },
  },
  {
    name: 'top_k',
    weight: 1,
    make: (g, scope, depth) => {
      if (g.available(['top_k']) === undefined) return undefined;
      const x = g.any(scope, depth - 1, (t) => {
        const last = t.shape.at(-1);
        return isNumber(t) && last !== undefined && (constantValue(last) ?? 0) >= 2;
      });
      const { dtype, shape } = x.type!;
      const top = [...shape.slice(0, -1), int(2)];
      const part = g.random.below(2);
      const type = { dtype: part === 0 ? dtype : ('i32' as const), shape: top };
      return typed(type)`top_k(${x}, 2).${part}`;
    },
  },
  {
    name: 'matmul',
    weight: 5,
    make: (g, scope, depth) => {
      const x = g.any(
        scope,
        depth - 1,
        (t) => isNumber(t) && t.shape.length > 0 && t.shape.length < 4,
      );
      const { dtype, shape } = x.type!;
      const inner = shape.at(-1)!;
      const columns = g.random.pick(g.someType().shape.concat([int(2)]));
      const isVector = g.random.chance(0.3);
      const batch = shape.length > 2 && g.random.chance(0.5) ? shape.slice(0, -2) : [];
      const right = isVector ? [inner] : [...batch, inner, columns];
      const y = g.like({ dtype, shape: right }, scope, depth - 1);
      const result = [...shape.slice(0, -1), ...(isVector ? [] : [columns])];
      const type = { dtype, shape: result };
      return growing(
        g,
        g.random.chance(0.5) ? typed(type)`(${x} @ ${y})` : typed(type)`matmul(${x}, ${y})`,
      );
    },
  },
  {
    name: 'einsum',
    weight: 3,
    make: (g, scope, depth) => {
      const x = g.any(
        scope,
        depth - 1,
        (t) => isNumber(t) && t.shape.length > 0 && t.shape.length < 4,
      );
      const { dtype, shape } = x.type!;
      const labels = [...'abcd'].slice(0, shape.length);
      const shared = labels.filter(() => g.random.chance(0.6));
      const extra = g.random.chance(0.5)
        ? g.random.pick(g.someType().shape.concat([int(3)]))
        : undefined;
      const right = [...shared, ...(extra === undefined ? [] : ['e'])];
      const sizes = new Map(labels.map((l, i) => [l, shape[i]!]));
      if (extra !== undefined) sizes.set('e', extra);
      const y = g.like({ dtype, shape: right.map((l) => sizes.get(l)!) }, scope, depth - 1);
      const out = [...new Set([...labels, ...right])].filter(() => g.random.chance(0.5));
      for (let i = out.length - 1; i > 0; i--) {
        const j = g.random.below(i + 1);
        [out[i], out[j]] = [out[j]!, out[i]!];
      }
      const spec = `${labels.join('')},${right.join('')}->${out.join('')}`;
      const type = { dtype, shape: out.map((l) => sizes.get(l)!) };
      return growing(g, typed(type)`einsum("${spec}", ${x}, ${y})`);
    },
  },
  {
    name: 'outer',
    weight: 1,
    make: (g, scope, depth) => {
      const isVector = (t: { shape: readonly unknown[]; dtype: string }): boolean =>
        t.shape.length === 1 && t.dtype !== 'bool';
      const x = g.any(scope, depth - 1, isVector);
      const y = g.any(scope, depth - 1, isVector);
      const fit = g.coerce(y, { dtype: x.type!.dtype, shape: y.type!.shape }, scope);
      const shape = [...x.type!.shape, ...fit.type!.shape];
      return typed({ dtype: x.type!.dtype, shape })`outer(${x}, ${fit})`;
    },
  },
];
