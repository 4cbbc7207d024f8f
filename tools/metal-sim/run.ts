/**
 * npx tsx tools/metal-sim/run.ts FILE.metal KERNEL --grid N --threadgroup N [--buffer NAME=TYPE:SHAPE:CONTENTS ...] ...
 *
 * Runs one kernel of a Metal file on the simulator and prints its buffers; what is wrong with the source or with what the kernel does is
 * printed as `FILE:LINE: error: ...`, and the exit code is 1 then, 2 for a wrong command line. See --help.
 */
import { hideBin } from 'yargs/helpers';
import { metalSim } from './command/main.ts';

process.exitCode = await metalSim(hideBin(process.argv), {
  print: (text) => console.log(text),
  printError: (text) => console.error(text),
  isColourful: process.stdout.isTTY === true && process.env['NO_COLOR'] === undefined,
});
