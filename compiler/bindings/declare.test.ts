import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { PlanFunction, PlanTree } from '../plan/plan.ts';
import { declareBundle } from './declare.ts';

const leaf = (dtype: 'f32' | 'i32', ...shape: string[]): PlanTree => ({
  kind: 'leaf',
  leaf: { dtype, shape },
});
const linear = (i: string, o: string): PlanTree => ({
  kind: 'struct',
  name: 'Linear',
  fields: [
    { name: 'w', tree: leaf('f32', i, o) },
    { name: 'b', tree: leaf('f32', o) },
  ],
});
const mlp: PlanTree = {
  kind: 'struct',
  name: 'Mlp',
  fields: [
    { name: 'hidden', tree: linear('64', '128') },
    { name: 'out', tree: linear('128', '10') },
  ],
};
const step: PlanFunction = {
  name: 'train_step',
  doc: 'One step.\nEnds */ no comment.',
  parameters: [
    { name: 'm', tree: mlp },
    { name: 'default', tree: leaf('f32', 'B', '64'), doc: 'images' },
    {
      name: 'blocks',
      tree: { kind: 'array', items: [{ kind: 'tuple', items: [leaf('i32'), leaf('i32')] }] },
    },
  ],
  result: { kind: 'tuple', items: [mlp, leaf('f32')] },
  dims: ['B'],
  guards: [{ relation: 'divisible', left: 'B', right: '2', message: 'B is divisible by 2' }],
  buffers: [],
  steps: [],
};

describe('declareBundle', () => {
  let text: string;
  beforeAll(async () => {
    text = await declareBundle([step]);
  });

  test('one interface for instances of a struct with the same fields', () => {
    expect(text.match(/interface Linear/g)).toHaveLength(1);
    expect(text).toContain('/** f32[64, 128] or f32[128, 10] */\n  readonly w: T;');
    expect(text).toContain('readonly hidden: Linear<T>;');
  });

  test('functions are typed by tree, and documented', () => {
    expect(text).toContain(
      'export const train_step: TypedFunction<[m: Mlp<TensorLike>, default_: TensorLike, blocks: readonly (readonly [TensorLike, TensorLike])[]], readonly [Mlp, Tensor]>;',
    );
    expect(text).toContain('@param default_ f32[B, 64]: images');
    expect(text).toContain('@throws MlxcError unless B is divisible by 2');
    expect(text).toContain('Ends *\\/ no comment.');
  });

  test('structs of one name whose fields differ are told apart', async () => {
    const other: PlanTree = {
      kind: 'struct',
      name: 'Linear',
      fields: [{ name: 'k', tree: leaf('f32') }],
    };
    const both = await declareBundle([{ ...step, result: other }]);
    expect(both).toContain('export interface Linear2<T = Tensor>');
    expect(both).toContain('], Linear2>;');
  });

  test('TypeScript accepts it', async () => {
    const ts = await import('typescript');
    const folder = mkdtempSync(join(tmpdir(), 'mlxc-declare-'));
    const file = join(folder, 'index.d.ts');
    writeFileSync(
      file,
      `declare module 'mlxc/runtime' { export interface Tensor { x: 1 } export type TypedArray = number; export type NestedArray = number; export interface Module { y: 1 } export interface CallOptions { z?: 1 } } interface Array<T> { a: T } interface ReadonlyArray<T> { a: T }`,
    );
    const module = join(folder, 'bundle.d.ts');
    writeFileSync(module, await declareBundle([step, { ...step, name: 'delete' }]));
    const program = ts.createProgram([file, module], { strict: true, noLib: true, types: [] });
    const problems = [...program.getSyntacticDiagnostics(), ...program.getSemanticDiagnostics()];
    expect(problems.map((p) => ts.flattenDiagnosticMessageText(p.messageText, ' '))).toEqual([]);
  });
});
