/**
 * Floating-point operations of a group by what it computes, whatever the schedule: elements times operations an element.
 * Operations that only a lower-rank value needs (the mean of a row) count once for each of its elements.
 */
import { scalarFunctions } from '../kernel-ir/scalar-functions.ts';
import type { FusedFunction, FusedGroup, Group } from '../passes/fused-group.ts';
import { isInlined, isTransparent } from '../passes/materialize.ts';
import { add, type Int, int, multiply, product, zero } from '../symbolic/integer.ts';
import type { Operation, Value } from '../tensor-ir/program.ts';
import { contractionAxes, extentOf } from './stage-program.ts';

export function flopsOf(fused: FusedFunction, group: Group): Int {
  switch (group.kind) {
    case 'fused':
      return new FlopCount(fused).group(group);
    case 'horizontal': {
      const count = new FlopCount(fused);
      return group.members.reduce((total, member) => add(total, count.group(member)), zero);
    }
    case 'operation': {
      const count = new FlopCount(fused);
      const update = group.op.operands[1] ?? group.op.results[0]!;
      const own = multiply(int(group.op.primitive.cost.flops), product(update.type.shape));
      return add(count.values(group.op.operands), own);
    }
  }
}

class FlopCount {
  private readonly fused: FusedFunction;
  private readonly counted = new Set<Value>();
  private own = new Set<Value>();

  constructor(fused: FusedFunction) {
    this.fused = fused;
  }

  group(group: FusedGroup): Int {
    let total = zero;
    this.own = new Set(group.stages.flatMap((s) => s.stores.map((t) => t.value)));
    if (group.contraction !== undefined) {
      const axes = contractionAxes(group);
      const points = [...axes.batch, ...axes.rows, ...axes.columns, ...axes.depth];
      total = multiply(int(2), product(points.map(extentOf)));
      total = add(total, this.values(group.contraction.operands));
    }
    for (const stage of group.stages) {
      for (const { op } of stage.reduces) {
        total = add(total, product(op.operands[0]!.type.shape));
        total = add(total, this.values(op.operands));
      }
      total = add(total, this.values(stage.stores.map((s) => s.value)));
    }
    return total;
  }

  values(values: readonly Value[]): Int {
    return values.reduce((total, v) => add(total, this.value(v)), zero);
  }

  private value(value: Value): Int {
    const op = this.fused.definitions.get(value);
    if (op === undefined || !isInlined(op) || this.counted.has(value)) return zero;
    if (this.fused.inMemory.has(value) && !this.own.has(value)) return zero;
    this.counted.add(value);
    const own = multiply(int(flopsPerElement(op)), product(value.type.shape));
    return add(own, this.values(op.operands));
  }
}

function flopsPerElement(op: Operation): number {
  if (isTransparent(op)) return 0;
  return scalarFunctions.get(op.primitive.name)?.flops ?? op.primitive.cost.flops;
}
