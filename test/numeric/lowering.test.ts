/** The `element` rule of every record that has one, element by element against `evaluate`. */
import { describe, expect, test } from 'vitest';
import { primitives } from '../../compiler/primitives/registry.ts';
import { evaluate, type Int, indexVariable } from '../../compiler/symbolic/integer.ts';
import {
  type Element,
  elementCount,
  forEachIndex,
  makeArray,
  type NdArray,
  roundArray,
  setElement,
} from '../../compiler/tensor-ir/nd-array.ts';
import type { Lowering } from '../../compiler/tensor-ir/primitive.ts';
import type { Attrs, Func } from '../../compiler/tensor-ir/program.ts';
import { expectAllClose } from '../support/all-close.ts';
import { asConstant, interpretElements } from '../support/element-interpreter.ts';
import { runFunction } from '../support/functions.ts';
import { drawOperands, sampleFunction, samplesOf } from '../support/samples.ts';

type ElementRule = Extract<Lowering<Attrs>, { kind: 'element' }>;

const rules = [...primitives.values()].flatMap(({ name, lower }) =>
  lower.kind === 'element' ? [[name, lower] as const] : [],
);

describe.each(rules)('%s', (name, rule) => {
  test.each(samplesOf(name).map((sample) => [sample.label, sample] as const))('%s', (_, sample) => {
    const func = sampleFunction(name, sample);
    const operands = drawOperands(sample);
    runFunction(func, operands).forEach((expected, i) => {
      expectAllClose(runRule(rule, func, operands, i), expected);
    });
  });
});

/** Every element of a result by the rule. */
function runRule(rule: ElementRule, func: Func, operands: readonly NdArray[], i: number): NdArray {
  const op = func.body[0]!;
  const { dtype, shape } = op.results[i]!.type;
  const sizes = shape.map((size) => evaluate(size, () => undefined));
  const result = makeArray(dtype, sizes);
  if (elementCount(sizes) === 0) return result;
  const index: readonly Int[] = shape.map((size, axis) => indexVariable(`i${axis}`, size));
  forEachIndex(sizes, (place, offset) => {
    const variables = new Map(place.map((value, axis) => [`i${axis}`, value]));
    const k = interpretElements(operands, variables);
    const scalar = asConstant(rule.element(k, op, index, i));
    setElement(result.data, offset, scalar.value as Element);
  });
  return roundArray(result);
}

test('views only move elements', () => {
  for (const [name, rule] of rules) {
    const moves = primitives.get(name)!.cost.flops === 0 && name !== 'bitcast';
    expect(rule.isView, name).toBe(moves);
  }
});
