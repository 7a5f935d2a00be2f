/**
 * Writes the words that captions of the world can have, which are those that the embedded model knows:
 *   node main/engine/world/make-vocabulary.ts --out resources/models/motif-tiny/vocabulary.json
 */
import { renameSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { wordsOf } from '../../../shared/domain/vocabulary.ts';
import { caption } from './caption.ts';
import { sampleScene } from './scene.ts';

/** So many scenes that rare words come up: half as many give the same list. */
const scenes = 12_000;
const variants = 3;

export function vocabulary(count = scenes): string[] {
  const words = new Set<string>();
  for (let seed = 0; seed < count; seed++) {
    const scene = sampleScene(seed);
    for (let variant = 0; variant < variants; variant++) {
      const parts = caption(scene, { variant });
      for (const word of wordsOf(`${parts.static} ${parts.dynamic}`)) words.add(word);
    }
  }
  return [...words].sort();
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { out: { type: 'string' } } });
  if (!values.out) throw new Error('--out is missing: the file to write');
  writeFileSync(`${values.out}.part`, `${JSON.stringify(vocabulary(), null, 1)}\n`);
  renameSync(`${values.out}.part`, values.out);
}
