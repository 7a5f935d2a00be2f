#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { openServices } from '../jobs/services.ts';
import { runCommandLine } from './main.ts';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

// The native packages crash older versions without a word. `npm run` has the version that the project brings along.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 12)) {
  process.stderr.write(`Error: Motif needs Node 22.12 or newer, this is ${process.versions.node}.\n`);
  process.stderr.write('In a checkout, npm run motif -- COMMAND uses the Node that npm ci installed.\n');
  process.exit(1);
}

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
