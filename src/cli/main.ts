#!/usr/bin/env node
/** The executable: one command line with the process's own streams. */
import { run } from './program.ts';

// A reader that closes the pipe early (`lpae dump … | head`) is not an error.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0);
    throw error;
  });
}

process.exitCode = await run(process.argv.slice(2), process);
