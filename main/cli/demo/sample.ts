import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { conceptCaption } from '../../../shared/domain/concept.ts';
import { findResources } from '../../jobs/models.ts';

/** `resources/samples/samples.json`: the bundled clips with the words that describe them. */
const sampleList = z
  .array(
    z.object({
      file: z.string(),
      caption: conceptCaption,
      edits: z.array(z.object({ name: z.string(), label: z.string(), prompt: z.string() })),
    }),
  )
  .min(1);

/** The clip that the demo learns when none is given: the first of the list, with an absolute path. */
export function bundledSample(): z.infer<typeof sampleList>[number] {
  const folder = join(findResources(), 'samples');
  const [first] = sampleList.parse(JSON.parse(readFileSync(join(folder, 'samples.json'), 'utf8')));
  return { ...first!, file: join(folder, first!.file) };
}
