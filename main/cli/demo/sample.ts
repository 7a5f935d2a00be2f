import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { ConceptCaption } from '../../../shared/domain/concept.ts';
import { findResources } from '../../services/program.ts';
import { type DemoEdit, promptOf } from './plan.ts';

/** `resources/samples/NAME.json` beside each bundled clip: the words that describe it. */
const sampleDescription = z.object({ static: z.string(), dynamic: z.string() });

/** What the demo changes in the bundled clip: words of its static caption and what stands there instead. */
const changes = [
  {
    name: 'edit-global',
    label: 'global edit: background, light',
    words: [
      ['in daylight', 'at sunset'],
      ['in a green park', 'on a sandy beach'],
    ],
  },
  { name: 'edit-local', label: 'local edit: clothing', words: [['a pink top', 'a blue top']] },
] as const;

export interface Sample {
  file: string;
  /** A clip of the real world, for the looks. */
  looksFile: string;
  caption: ConceptCaption;
  edits: DemoEdit[];
}

/** What the demo gives looks and learns when no clip is given: a hawk, and a dancer that Motif's own world rendered. */
export function bundledSample(): Sample {
  const folder = join(findResources(), 'samples');
  const caption = sampleDescription.parse(JSON.parse(readFileSync(join(folder, 'dancer.json'), 'utf8')));
  const edits = changes.map(({ name, label, words }) => {
    let changed: string = caption.static;
    for (const [from, to] of words) {
      if (!changed.includes(from)) throw new Error(`expected "${from}" in the sample's caption "${caption.static}"`);
      changed = changed.replace(from, to);
    }
    return { name, label, prompt: promptOf({ ...caption, static: changed }) };
  });
  return { file: join(folder, 'dancer.mp4'), looksFile: join(folder, 'hawk.mp4'), caption, edits };
}
