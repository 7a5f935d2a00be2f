import { existsSync, readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { programCalls } from '../../shared/ipc/app-contract.ts';
import type { Handlers } from '../../shared/ipc/rpc.ts';
import type { ServiceParts } from './parts.ts';
import { writeReport } from './report.ts';

export function programHandlers(parts: ServiceParts): Handlers<typeof programCalls> {
  const { log, resources } = parts;
  const version = programVersion(resources);
  return {
    'program.about': () => ({
      version,
      totalMemoryBytes: totalmem(),
      logFile: log.file,
      notices: readNotices(),
    }),
    'program.logError': ({ message }) => log.write('error', `window: ${message}`),
    'program.saveReport': async () => ({ file: await writeReport(parts, version) }),
  };
}

/** The version in package.json, which lies beside the resources or, in a packaged program, above its code. */
function programVersion(resources: string): string {
  const places = [join(dirname(resources), 'package.json'), fileURLToPath(new URL('../package.json', import.meta.url))];
  const file = places.find((place) => existsSync(place));
  return file ? String(JSON.parse(readFileSync(file, 'utf8')).version) : 'unknown';
}

/** The licences of everything that is built in, written by the build beside the code. */
function readNotices(): string {
  const file = fileURLToPath(new URL('./third-party-notices.txt', import.meta.url));
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

/** The folder of what comes with the program (models, samples), above wherever this code lies. */
export function findResources(from = import.meta.dirname): string {
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'resources'))) return join(folder, 'resources');
    if (dirname(folder) === folder) throw new Error(`no folder above ${from} has resources`);
  }
}
