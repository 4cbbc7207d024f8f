/** JAX: nested transformations of functions of every kind, the bits of random numbers, programs called at several sizes. */
import { readOracle } from './cases.ts';
import { testOracle } from './run-cases.ts';

testOracle('JAX transformations', readOracle('nested'));
testOracle('JAX random numbers', readOracle('random'));
testOracle('JAX symbolic sizes', readOracle('symbolic'));
