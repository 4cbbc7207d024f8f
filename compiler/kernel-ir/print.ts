/**
 * Kernels as text, one statement a line, for people: `mlxc build --emit kernels`.
 *
 *   kernel softmax(read x: f32[B*N], write y: f32[B*N]; B, N) grid [B] {
 *     accumulator m: f32 = -Infinity
 *     vector j < N reduces m by max {
 *       m = max(m, x[N*i + j])
 *     }
 *   }
 *
 * Scalars that are shared are bound to names first, as the printers of C and Metal do.
 */
import { unreachable } from '../diagnostics/internal-error.ts';
import { print } from '../symbolic/integer.ts';
import { bindShared } from './bind-shared.ts';
import type { Buffer, Kernel, KernelParameter, KernelScalar, Loop, Statement } from './program.ts';

export function printKernels(kernels: readonly Kernel[]): string {
  return kernels.map(printKernel).join('\n');
}

export function printKernel(original: Kernel): string {
  const kernel = bindShared(original);
  const { name, parameters, integers, grid, threads, segments, about } = kernel;
  const buffers = parameters.map(showParameter).join(', ');
  const whole = integers.map((i) =>
    i.name === print(i.value) ? i.name : `${i.name} = ${print(i.value)}`,
  );
  const launch = [
    `grid [${grid.map(print).join(', ')}]`,
    ...(threads === undefined ? [] : [`threads ${threads}`]),
    ...(segments === undefined ? [] : [`segments ${segments}`]),
  ];
  if (kernel.external !== undefined) {
    const { source, entry, threadgroup } = kernel.external;
    launch.push(`threadgroup [${threadgroup.join(', ')}] from ${JSON.stringify(source)} ${entry}`);
  }
  const header = [
    `// ${about.summary}`,
    `// ${about.schedule}; bytes ${print(about.bytes)}; flops ${print(about.flops)}`,
    `kernel ${name}(${[buffers, ...(whole.length === 0 ? [] : [whole.join(', ')])].join('; ')}) ${launch.join(' ')} {`,
  ];
  return `${[...header, ...indented(kernel.body), '}'].join('\n')}\n`;
}

function showParameter({ buffer, access, isSegmented }: KernelParameter): string {
  return `${isSegmented ? 'segmented ' : ''}${access} ${showBuffer(buffer)}`;
}

function showBuffer({ name, dtype, size }: Buffer): string {
  return `${name}: ${dtype}[${print(size)}]`;
}

function indented(statements: readonly Statement[]): readonly string[] {
  return statements.flatMap(showStatement).map((line) => `  ${line}`);
}

function showStatement(s: Statement): readonly string[] {
  switch (s.kind) {
    case 'loop':
      return [`${showLoopHead(s)} {`, ...indented(s.body), '}'];
    case 'let':
      return [`let ${s.name} = ${show(s.value)}`];
    case 'let-index':
      return [`let-index ${s.name} < ${print(s.extent)} = ${show(s.value)}`];
    case 'let-integer':
      return [`let-integer ${s.name} = ${print(s.value)}`];
    case 'accumulator':
      return [`accumulator ${s.name}: ${s.dtype} = ${show(s.initial)}`];
    case 'assign':
      return [`${s.name} = ${show(s.value)}`];
    case 'allocate':
      return [`allocate ${s.buffer.space} ${showBuffer(s.buffer)}`];
    case 'store':
      return [`${s.buffer.name}[${print(s.index)}] = ${show(s.value)}`];
    case 'if': {
      const otherwise = s.otherwise.length === 0 ? [] : ['} else {', ...indented(s.otherwise)];
      return [`if ${show(s.condition)} {`, ...indented(s.then), ...otherwise, '}'];
    }
    case 'barrier':
      return [s.device ? 'barrier device' : 'barrier threadgroup'];
    case 'simd-reduce':
      return [`simd-reduce ${s.name} by ${s.monoid}`];
    case 'locate-segment':
      return [
        `locate-segment ${s.segment}, ${s.local} of task ${print(s.task)} from [${s.starts.join(', ')}], ${s.length} = [${s.lengths.join(', ')}]`,
      ];
    case 'sort-pairs': {
      const spare = `${s.spareKeys.name}, ${s.spareValues.name}`;
      return [`sort-pairs ${s.keys.name}, ${s.values.name} of ${print(s.count)} with ${spare}`];
    }
    default:
      return [showTileStatement(s)];
  }
}

type TileStatement = Extract<Statement, { kind: 'micro-kernel' | `matrix-${string}` }>;

function showTileStatement(s: TileStatement): string {
  switch (s.kind) {
    case 'micro-kernel': {
      const sign = s.accumulate ? '+=' : '=';
      const c = `${s.c.name}[${print(s.cOffset)}; stride ${print(s.cStride)}]`;
      const product = `${s.a.name}[${print(s.aOffset)}] * ${s.b.name}[${print(s.bOffset)}]`;
      return `micro-kernel ${s.rows}x${s.columns} ${c} ${sign} sum over ${print(s.depth)} of ${product}`;
    }
    case 'matrix-declare':
      return `matrix ${s.name}: ${s.dtype} 8x8 [${s.count}] = 0`;
    case 'matrix-load': {
      const source = `${s.buffer.name}[${print(s.offset)}; stride ${print(s.stride)}]`;
      return `${s.name}[${print(s.element)}] = matrix-load ${source}${s.transpose ? ' transposed' : ''}`;
    }
    case 'matrix-multiply-accumulate':
      return `${s.d}[${print(s.dElement)}] += ${s.a}[${print(s.aElement)}] * ${s.b}[${print(s.bElement)}]`;
    case 'matrix-store':
      return `matrix-store ${s.buffer.name}[${print(s.offset)}; stride ${print(s.stride)}] = ${s.name}[${print(s.element)}]`;
    default:
      return unreachable(s);
  }
}

function showLoopHead({ placement, variable, extent, reduces = [] }: Loop): string {
  const combined = reduces.map((r) => `${r.name} by ${r.monoid}`).join(', ');
  return `${placement} ${variable} < ${print(extent)}${combined === '' ? '' : ` reduces ${combined}`}`;
}

function show(scalar: KernelScalar): string {
  switch (scalar.kind) {
    case 'constant':
      return `${scalar.value}`;
    case 'load':
      return `${scalar.buffer.buffer.name}[${print(scalar.index)}]`;
    case 'variable':
      return scalar.name;
    case 'index':
      return `index(${print(scalar.value)})`;
    case 'call':
      return `${scalar.name}(${scalar.args.map(show).join(', ')})`;
    case 'select': {
      const name = scalar.isGuard ? 'guard' : 'select';
      return `${name}(${[scalar.condition, scalar.then, scalar.otherwise].map(show).join(', ')})`;
    }
    case 'convert':
      return `${scalar.dtype}(${show(scalar.value)})`;
    case 'bitcast':
      return `bitcast<${scalar.dtype}>(${show(scalar.value)})`;
    case 'in-range':
      return scalar.conditions
        .map(({ value, extent }) => `0 <= ${print(value)} < ${print(extent)}`)
        .join(' and ');
    default:
      return unreachable(scalar);
  }
}
