#!/usr/bin/env node
/** The `mlxc` command. */
import { runCommand } from './cli.ts';
import { processShell } from './shell.ts';

// `mlxc … | head` closes our output early: that is no error.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    throw error;
  });
}

process.exitCode = await runCommand(process.argv.slice(2), processShell());
