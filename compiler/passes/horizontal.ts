/**
 * Horizontal fusion: element-wise groups that compute the same body on different tensors run as one dispatch, found through a
 * table of segments. An optimiser step over all parameters of a model becomes one kernel.
 *
 *   for each parameter k:  p_k' = p_k - lr * g_k        one kernel, one segment a parameter
 *
 * Only groups that nothing in the function reads are moved: they all go to the end.
 */
import { type Int, product } from '../symbolic/integer.ts';
import type { Func, Operation, Value } from '../tensor-ir/program.ts';
import type { FusedGroup, Group } from './fused-group.ts';
import { isInlined } from './materialize.ts';

export function mergeHorizontally(
  groups: readonly Group[],
  func: Func,
  definitions: ReadonlyMap<Value, Operation>,
  inMemory: ReadonlySet<Value>,
): readonly Group[] {
  const readInFunction = new Set<Value>();
  for (const group of groups) {
    for (const value of valuesReadBy(group)) readInFunction.add(value);
  }
  const results = new Set(func.results);
  const classes = new Map<string, FusedGroup[]>();
  for (const group of groups) {
    if (group.kind !== 'fused' || !isPlainMap(group)) continue;
    const stores = group.stages.flatMap((s) => s.stores);
    if (stores.some((s) => readInFunction.has(s.value) || !results.has(s.value))) continue;
    const signature = signatureOf(group, definitions, inMemory);
    if (signature === undefined) continue;
    const list = classes.get(signature);
    if (list === undefined) classes.set(signature, [group]);
    else list.push(group);
  }
  const merged = [...classes.values()].filter((list) => list.length > 1);
  if (merged.length === 0) return groups;
  const moved = new Set<Group>(merged.flat());
  return [
    ...groups.filter((g) => !moved.has(g)),
    ...merged.map((members): Group => ({ kind: 'horizontal', members, riders: [] })),
  ];
}

/** One stage that stores elements of its space and nothing else. */
export function isPlainMap(group: FusedGroup): boolean {
  return (
    group.contraction === undefined &&
    group.stages.length === 1 &&
    group.stages[0]!.reduces.length === 0 &&
    group.stages[0]!.row.length === 0
  );
}

/** Values in memory that a group reads and does not make. */
export function valuesReadBy(group: Group): Iterable<Value> {
  return group.kind === 'horizontal' ? group.members.flatMap((m) => [...m.reads]) : group.reads;
}

/**
 * Equal for groups that can share a body: the same operations on the same dtypes, every full-size tensor read at the very
 * element that is stored, and the same scalars read by all. Undefined when the group reads anything in another way.
 */
function signatureOf(
  group: FusedGroup,
  definitions: ReadonlyMap<Value, Operation>,
  inMemory: ReadonlySet<Value>,
): string | undefined {
  const { stores } = group.stages[0]!;
  const shape = stores[0]!.value.type.shape;
  if (
    stores.some(
      (s) => s.index.length !== shape.length || s.index.some((v, i) => v !== stores[0]!.index[i]),
    )
  )
    return undefined;
  const numbers = new Map<Value, number>();
  const own = new Set(stores.map((s) => s.value));
  const parts: string[] = [];
  let isUniform = true;

  const visit = (value: Value): string => {
    const known = numbers.get(value);
    if (known !== undefined) return `%${known}`;
    const op = definitions.get(value);
    const isFull =
      value.type.shape.length === shape.length && value.type.shape.every((d, i) => d === shape[i]);
    if (value.type.shape.length > 0 && !isFull) isUniform = false;
    let text: string;
    if (op === undefined || (inMemory.has(value) && !own.has(value)) || !isInlined(op)) {
      text = isFull && shape.length > 0 ? `tensor ${value.type.dtype}` : `scalar ${value.id}`;
    } else if (value.type.shape.length > 0 && isScalarBroadcast(op)) {
      text = `splat ${op.operands.map(visit).join()}${op.primitive.name === 'constant' ? String(op.attrs['value']) : ''} ${value.type.dtype}`;
    } else {
      // a scalar is the same at every element, however it is made
      const isView = op.primitive.lower.kind === 'element' && op.primitive.lower.isView;
      if (isView && value.type.shape.length > 0) isUniform = false;
      text = `${op.primitive.name} ${value.type.dtype} ${op.operands.map(visit).join()} ${attrsText(op)}`;
    }
    const number = numbers.size;
    numbers.set(value, number);
    parts.push(text);
    return `%${number}`;
  };
  for (const store of stores) parts.push(`store ${visit(store.value)}`);
  return isUniform ? parts.join(';') : undefined;
}

function isScalarBroadcast(op: Operation): boolean {
  return (
    op.primitive.name === 'constant' ||
    (op.primitive.name === 'broadcast' && op.operands[0]!.type.shape.length === 0)
  );
}

/** Attrs of element-wise operations are few and small; a shape in them would make bodies differ needlessly. */
function attrsText(op: Operation): string {
  const entries = Object.entries(op.attrs).filter(([name]) => name !== 'shape');
  return entries.map(([name, value]) => `${name}=${String(value)}`).join(' ');
}

/** The number of elements of a member. */
export function segmentSize(group: FusedGroup): Int {
  return product(group.stages[0]!.stores[0]!.value.type.shape);
}
