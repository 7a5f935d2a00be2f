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
 * Imports the bundled sample clips into a library in which nothing was ever done, and the concepts that were
 * learned from them (`NAME.motif` beside the clip); what is in a clip becomes its notes. They carry the tag
 * `sample`.
 */
export async function welcome(services: Services, samplesFolder: string): Promise<void> {
  const { call } = services;
  const isNew =
    services.library.status().access === 'write' &&
    (await call['clips.list']()).length === 0 &&
    (await call['jobs.list']()).length === 0 &&
    (await call['library.trash']()).length === 0;
  if (!isNew || !existsSync(samplesFolder)) return;
  const samples = readdirSync(samplesFolder)
    .filter((name) => name.endsWith('.mp4'))
    .map((name) => {
      const description = join(samplesFolder, name.replace(/\.mp4$/, '.json'));
      return { name, ...sample.parse(JSON.parse(readFileSync(description, 'utf8'))) };
    })
    .toSorted((a, b) => a.place - b.place);
  for (const { name, title, static: looks, dynamic } of samples) {
    const { id } = await call['jobs.enqueue']({ kind: 'import', path: join(samplesFolder, name), name: title });
    const concept = join(samplesFolder, name.replace(/\.mp4$/, '.motif'));
    const stop = services.on('job.changed', ({ job }) => {
      if (job.id !== id || job.state !== 'done') return;
      stop();
      const { clipId } = importOutput.parse(job.output);
      const labels = { notes: `${looks}\n${dynamic}`, tags: [sampleTag] };
      describe(services, { clipId, labels, concept }).catch((thrown: unknown) => {
        services.log.write('error', `the sample ${basename(concept)} could not be imported`, toErrorShape(thrown));
      });
    });
  }
}

async function describe(
  { call }: Services,
  { clipId, labels, concept }: { clipId: string; labels: { notes: string; tags: string[] }; concept: string },
): Promise<void> {
  await call['clips.label']({ reference: clipId, labels });
  if (!existsSync(concept)) return;
  const imported = await call['concepts.importFile']({ file: concept });
  await call['concepts.label']({ reference: imported.concept.id, labels: { tags: [sampleTag] } });
}
