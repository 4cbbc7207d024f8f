/** Comparisons, element by element: any dtype, bool results, never differentiable. NaN is unequal to everything. */
import type { Primitive } from '../tensor-ir/primitive.ts';
import { binary, type NoAttrs, unary } from './families.ts';

export const eq: Primitive<NoAttrs> = binary('eq', 'zero');
export const ne: Primitive<NoAttrs> = binary('ne', 'zero');
export const lt: Primitive<NoAttrs> = binary('lt', 'zero');
export const le: Primitive<NoAttrs> = binary('le', 'zero');
export const gt: Primitive<NoAttrs> = binary('gt', 'zero');
export const ge: Primitive<NoAttrs> = binary('ge', 'zero');
export const isFiniteElement: Primitive<NoAttrs> = unary('is_finite', 'zero');
