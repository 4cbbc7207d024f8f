/**
 * Names for struct instances in TypeScript. Instances of one struct with the same fields (`Linear<64, 128>` and
 * `Linear<128, 10>`) share an interface; instances whose fields differ (`Adam<Mlp>` and `Adam<Gpt>`) get numbers.
 */
import type { PlanTree } from '../plan/plan.ts';
import { showType } from './show-type.ts';

type StructTree = PlanTree & { readonly kind: 'struct' };

interface NamedStruct {
  readonly name: string;
  readonly tree: StructTree;
  /** For each field that is a tensor: the types seen, in order of appearance. */
  readonly shapes: ReadonlyMap<string, readonly string[]>;
}

/** More different shapes than this say nothing. */
const mostShapes = 4;

export class StructNames {
  private readonly byStructure = new Map<
    string,
    { name: string; tree: StructTree; shapes: Map<string, string[]> }
  >();
  private readonly taken = new Set([
    'CallOptions',
    'Module',
    'NestedArray',
    'Tensor',
    'TensorLike',
    'TypedArray',
    'TypedFunction',
  ]);

  /** The interface of this instance, named when first met. */
  nameOf(tree: StructTree): string {
    const key = structure(tree);
    let known = this.byStructure.get(key);
    if (known === undefined) {
      known = { name: this.freshName(tree.name), tree, shapes: new Map() };
      this.byStructure.set(key, known);
    }
    for (const field of tree.fields) {
      // Nested structs are named too, in the order of the fields.
      visitStructs(field.tree, (inner) => this.nameOf(inner));
      if (field.tree.kind !== 'leaf') continue;
      const seen = known.shapes.get(field.name) ?? [];
      const shape = showType(field.tree);
      if (!seen.includes(shape) && seen.length < mostShapes) seen.push(shape);
      known.shapes.set(field.name, seen);
    }
    return known.name;
  }

  all(): readonly NamedStruct[] {
    return [...this.byStructure.values()];
  }

  private freshName(base: string): string {
    // `AdamW<Mlp>` as plans may write it.
    const plain = base.replace(/<.*$/, '');
    let name = plain;
    for (let n = 2; this.taken.has(name); n++) name = `${plain}${n}`;
    this.taken.add(name);
    return name;
  }
}

function visitStructs(tree: PlanTree, visit: (tree: StructTree) => void): void {
  if (tree.kind === 'struct') visit(tree);
  else if (tree.kind !== 'leaf') for (const item of tree.items) visitStructs(item, visit);
}

/** What TypeScript sees of a tree: names and nesting, no dtypes and shapes; arrays by their element. */
function structure(tree: PlanTree): string {
  switch (tree.kind) {
    case 'leaf':
      return '*';
    case 'struct':
      return `${tree.name.replace(/<.*$/, '')}{${tree.fields.map((f) => `${f.name}:${structure(f.tree)}`).join()}}`;
    case 'tuple':
      return `(${tree.items.map(structure).join()})`;
    case 'array':
      return `[${tree.items[0] === undefined ? '' : structure(tree.items[0])}]`;
  }
}
