/** All rules of the generator. */
import type { Rule, TypedRule } from '../generator.ts';
import { controlRules, typedControlRules } from './control.ts';
import { elementwiseRules, typedElementwiseRules } from './elementwise.ts';
import { indexingRules } from './indexing.ts';
import { reductionRules } from './reductions.ts';
import { shapeRules } from './shapes.ts';
import { transformationRules, typedTransformationRules } from './transformations.ts';
import { windowRules } from './windows.ts';

export const rules: readonly Rule[] = [
  ...elementwiseRules,
  ...reductionRules,
  ...shapeRules,
  ...indexingRules,
  ...windowRules,
  ...controlRules,
  ...transformationRules,
];

export const typedRules: readonly TypedRule[] = [
  ...typedElementwiseRules,
  ...typedControlRules,
  ...typedTransformationRules,
];
