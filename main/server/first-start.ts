import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Services } from '../jobs/services.ts';

const sample = z.object({ title: z.string().min(1) });

/** Imports the bundled sample clips into a library in which nothing was ever done. */
export function welcome(services: Services, samplesFolder: string): void {
  const isNew =
    services.library.status().access === 'write' &&
    services.clips.list().length === 0 &&
    services.jobs.list().length === 0 &&
    services.library.trash().length === 0;
  if (!isNew || !existsSync(samplesFolder)) return;
  for (const name of readdirSync(samplesFolder).filter((name) => name.endsWith('.mp4'))) {
    const description = join(samplesFolder, name.replace(/\.mp4$/, '.json'));
    const { title } = sample.parse(JSON.parse(readFileSync(description, 'utf8')));
    services.jobs.enqueue({ kind: 'import', path: join(samplesFolder, name), name: title });
  }
}
