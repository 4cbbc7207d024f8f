/** PyTorch's OpInfo samples: values, pullbacks and derivatives of every operator that the language has under some name. */
import { readOracle } from './cases.ts';
import { testOracle } from './run-cases.ts';

testOracle('PyTorch OpInfo', readOracle('opinfo'));
