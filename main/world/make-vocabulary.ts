/**
 * Writes the words that captions of the world can have, which are those that the embedded model knows:
 *   node main/world/make-vocabulary.ts --out resources/models/motif-tiny/vocabulary.json [--edition 1]
 */
import { parseArgs } from 'node:util';
import { wordsOf } from '../../shared/domain/vocabulary.ts';
import { writeWhole } from '../files/place.ts';
import { caption } from './caption.ts';
import { sampleScene } from './scene.ts';
import { type Edition, editions } from './vocabulary.ts';

/** So many scenes that rare words come up: half as many give the same list. */
const scenes = 12_000;
const variants = 3;

export function vocabulary(edition: Edition, count = scenes): string[] {
  const words = new Set<string>();
  for (let seed = 0; seed < count; seed++) {
    const scene = sampleScene(seed, { edition });
    for (let variant = 0; variant < variants; variant++) {
      const parts = caption(scene, { variant });
      for (const word of wordsOf(`${parts.static} ${parts.dynamic}`)) words.add(word);
    }
  }
  return [...words].sort();
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { out: { type: 'string' }, edition: { type: 'string', default: '1' } } });
  if (!values.out) throw new Error('--out is missing: the file to write');
  const edition = editions.find((known) => String(known) === values.edition);
  if (!edition) throw new Error(`--edition has to be one of ${editions.join(', ')}`);
  await writeWhole(values.out, `${JSON.stringify(vocabulary(edition), null, 1)}\n`);
}
