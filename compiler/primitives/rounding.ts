/** Rounding to whole numbers: constant almost everywhere, so with a zero tangent. */
import type { Primitive } from '../tensor-ir/primitive.ts';
import { type NoAttrs, unary } from './families.ts';

export const floor: Primitive<NoAttrs> = unary('floor', 'zero');
export const ceil: Primitive<NoAttrs> = unary('ceil', 'zero');
/** Half to even. */
export const round: Primitive<NoAttrs> = unary('round', 'zero');
export const trunc: Primitive<NoAttrs> = unary('trunc', 'zero');
