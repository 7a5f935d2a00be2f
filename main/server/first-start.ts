import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { importOutput } from '../../shared/domain/job-input.ts';
import { sampleTag } from '../../shared/domain/library.ts';
import { toErrorShape } from '../../shared/ipc/result.ts';
import type { Services } from '../services/services.ts';

const sample = z.object({
  title: z.string().min(1),
  static: z.string(),
  dynamic: z.string(),
  /** The first is the one that a new window shows. */
  place: z.int().positive().default(9),
});

/**
 * Imports the bundled sample clips into a library in which nothing was ever done, and the concepts that were learned from them
 * (`NAME.motif` beside the clip); what is in a clip becomes its notes. They carry the tag `sample`.
 */
export function welcome(services: Services, samplesFolder: string): void {
  const isNew =
    services.library.status().access === 'write' &&
    services.clips.list().length === 0 &&
    services.jobs.list().length === 0 &&
    services.library.trash().length === 0;
  if (!isNew || !existsSync(samplesFolder)) return;
  const samples = readdirSync(samplesFolder)
    .filter((name) => name.endsWith('.mp4'))
    .map((name) => {
      const description = join(samplesFolder, name.replace(/\.mp4$/, '.json'));
      return { name, ...sample.parse(JSON.parse(readFileSync(description, 'utf8'))) };
    })
    .toSorted((a, b) => a.place - b.place);
  for (const { name, title, static: looks, dynamic } of samples) {
    const { id } = services.jobs.enqueue({ kind: 'import', path: join(samplesFolder, name), name: title });
    const stop = services.on('job.changed', ({ job }) => {
      if (job.id !== id || job.state !== 'done') return;
      stop();
      services.clips.label(importOutput.parse(job.output).clipId, { notes: `${looks}\n${dynamic}`, tags: [sampleTag] });
      const concept = join(samplesFolder, name.replace(/\.mp4$/, '.motif'));
      if (!existsSync(concept)) return;
      services.concepts
        .importFile(concept)
        .then((imported) => services.concepts.label(imported.concept.id, { tags: [sampleTag] }))
        .catch((thrown: unknown) => {
          services.program.log('error', `the sample ${basename(concept)} could not be imported`, toErrorShape(thrown));
        });
    });
  }
}
