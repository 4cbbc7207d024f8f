/**
 * A group's signature: equal text means equal kernels up to the tensors they touch. Values are numbered in order of first use, so
 * the number is what corresponds between two groups of one signature.
 */
import type { FusedFunction, FusedGroup, Group, GroupStore } from '../passes/fused-group.ts';
import { isInlined } from '../passes/materialize.ts';
import { asVariable, type Int, indexVariable, substitute } from '../symbolic/integer.ts';
import type { Attr, Operation, TensorType, Value } from '../tensor-ir/program.ts';

export interface GroupSignature {
  readonly text: string;
  readonly values: readonly Value[];
  readonly numbers: ReadonlyMap<Value, number>;
}

export function typeText(type: TensorType): string {
  return `${type.dtype}[${type.shape.map((d) => d.key).join()}]`;
}

function isInt(attr: object): attr is Int {
  return 'terms' in attr && 'key' in attr;
}

export function attrText(attr: Attr): string {
  if (typeof attr !== 'object') return Object.is(attr, -0) ? '-0' : String(attr);
  if (Array.isArray(attr)) return `[${attr.map(attrText).join()}]`;
  if (isInt(attr)) return attr.key;
  if (ArrayBuffer.isView(attr)) return `data${attr.byteLength}`;
  return `{${Object.entries(attr as Record<string, Attr>)
    .map(([name, value]) => `${name}:${attrText(value)}`)
    .join()}}`;
}

export function signGroup(fused: FusedFunction, group: Group): GroupSignature {
  const signer = new Signer(fused);
  switch (group.kind) {
    case 'fused':
      signer.group(group);
      signer.riders(group.riders);
      break;
    case 'horizontal':
      signer.parts.push(`horizontal ${group.members.length}`);
      for (const member of group.members) signer.group(member);
      signer.riders(group.riders);
      break;
    case 'operation':
      signer.operation(group.op);
  }
  return { text: signer.parts.join('\n'), values: signer.values, numbers: signer.numbers };
}

class Signer {
  readonly parts: string[] = [];
  readonly values: Value[] = [];
  readonly numbers = new Map<Value, number>();
  private readonly fused: FusedFunction;
  private own = new Set<Value>();
  private onChip = new Set<Value>();
  private variables = new Map<string, Int>();

  constructor(fused: FusedFunction) {
    this.fused = fused;
  }

  group(group: FusedGroup): void {
    this.own = new Set(group.stages.flatMap((s) => s.stores.map((t) => t.value)));
    this.onChip = new Set(group.stages.flatMap((s) => s.reduces.map((r) => r.value)));
    if (group.contraction !== undefined) this.onChip.add(group.contraction.results[0]!);
    this.variables = new Map();
    const extents = (list: readonly Int[]): string => list.map((v) => this.declare(v)).join();
    this.parts.push(`space ${extents(group.space)}`);
    if (group.contraction !== undefined) this.operation(group.contraction);
    for (const stage of group.stages) {
      this.parts.push(`row ${extents(stage.row)}`);
      for (const { op, value, index, operandIndex } of stage.reduces) {
        const operand = this.visit(op.operands[0]!);
        this.parts.push(
          `${this.number(value)} = ${op.primitive.name}${attrText(op.attrs)} ${operand}[${this.index(operandIndex)}] at ${this.index(index)}`,
        );
      }
      for (const { value, index } of stage.stores) {
        this.parts.push(`store ${this.visit(value)} ${typeText(value.type)}[${this.index(index)}]`);
      }
    }
  }

  riders(stores: readonly GroupStore[]): void {
    for (const { value } of stores) this.own.add(value);
    for (const { value } of stores) this.parts.push(`rider ${this.visit(value)}`);
  }

  operation(op: Operation): void {
    const operands = op.operands.map((v) => this.visit(v)).join();
    const results = op.results.map((r) => `${this.number(r)}:${typeText(r.type)}`).join();
    this.parts.push(`${results} = ${op.primitive.name}${attrText(op.attrs)} ${operands}`);
  }

  private declare(variable: Int): string {
    const { name, extent } = asVariable(variable)!;
    this.variables.set(name, indexVariable(`s${this.variables.size}`, extent!));
    return extent!.key;
  }

  private index(index: readonly Int[]): string {
    return index.map((i) => substitute(i, (v) => this.variables.get(v.name)).key).join();
  }

  private number(value: Value): string {
    let number = this.numbers.get(value);
    if (number === undefined) {
      number = this.values.length;
      this.numbers.set(value, number);
      this.values.push(value);
    }
    return `%${number}`;
  }

  private visit(value: Value): string {
    if (this.numbers.has(value)) return this.number(value);
    const op = this.fused.definitions.get(value);
    const isComputed =
      op !== undefined && isInlined(op) && (this.own.has(value) || !this.fused.inMemory.has(value));
    if (!isComputed) {
      const name = this.number(value);
      this.parts.push(`${name} ${this.onChip.has(value) ? 'held' : 'in'} ${typeText(value.type)}`);
      return name;
    }
    const operands = op.operands.map((v) => this.visit(v)).join();
    const name = this.number(value);
    this.parts.push(
      `${name} = ${op.primitive.name}${attrText(op.attrs)} ${operands} ${op.results.indexOf(value)}`,
    );
    return name;
  }
}
