/** Logic on bools and on the bits of integers. */
import type { Primitive } from '../tensor-ir/primitive.ts';
import { binary, type NoAttrs, unary } from './families.ts';

export const not: Primitive<NoAttrs> = unary('not', 'zero');
export const popcount: Primitive<NoAttrs> = unary('popcount', 'zero');
export const clz: Primitive<NoAttrs> = unary('clz', 'zero');
export const and: Primitive<NoAttrs> = binary('and', 'zero');
export const or: Primitive<NoAttrs> = binary('or', 'zero');
export const xor: Primitive<NoAttrs> = binary('xor', 'zero');
export const shiftLeft: Primitive<NoAttrs> = binary('shift_left', 'zero');
export const shiftRight: Primitive<NoAttrs> = binary('shift_right', 'zero');
