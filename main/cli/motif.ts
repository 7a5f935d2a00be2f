#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { refuseOlderNode } from '../node-version.ts';

refuseOlderNode('npm run motif -- COMMAND');
const { openServices } = await import('../services/services.ts');
const { runCommandLine } = await import('./main.ts');

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

// A reader that goes away, as in `motif clips | head -1`, is no fault of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

process.exitCode = await runCommandLine(process.argv.slice(2), {
  version,
  streams: { stdout: process.stdout, stderr: process.stderr },
  signals: process,
  openServices,
  debug: Boolean(process.env.MOTIF_DEBUG),
});
