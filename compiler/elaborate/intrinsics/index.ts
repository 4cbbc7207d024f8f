/** All functions of the prelude that are written in the compiler. Those written in the language are in stdlib/. */
import type { Intrinsic } from '../intrinsic.ts';
import { assertions } from './assertions.ts';
import { associativeScan } from './associative-scan.ts';
import { bits } from './bits.ts';
import { complexNumbers } from './complex.ts';
import { contractions } from './contractions.ts';
import { control } from './control.ts';
import { creation } from './creation.ts';
import { cumulatives } from './cumulative.ts';
import { customRules } from './custom-rules.ts';
import { derivatives } from './derivatives.ts';
import { dtypeQueries } from './dtypes.ts';
import { elementwise } from './elementwise.ts';
import { fourier } from './fourier.ts';
import { grids } from './grids.ts';
import { indexing } from './indexing.ts';
import { joining } from './joining.ts';
import { literals } from './literals.ts';
import { mapping } from './mapping.ts';
import { ordering } from './ordering.ts';
import { padding } from './padding.ts';
import { reductions } from './reductions.ts';
import { shapes } from './shapes.ts';
import { trees } from './trees.ts';
import { windows } from './windows.ts';

/** By name. */
export const intrinsics: ReadonlyMap<string, Intrinsic> = new Map(
  [
    elementwise,
    reductions,
    cumulatives,
    ordering,
    creation,
    literals,
    shapes,
    joining,
    padding,
    grids,
    contractions,
    windows,
    indexing,
    bits,
    dtypeQueries,
    trees,
    control,
    associativeScan,
    derivatives,
    mapping,
    customRules,
    assertions,
    complexNumbers,
    fourier,
  ]
    .flat()
    .map((intrinsic) => [intrinsic.name, intrinsic]),
);
