import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Clip } from '../../../shared/domain/clip.ts';
import type { Concept } from '../../../shared/domain/concept.ts';
import type { ConceptFacts } from '../../../shared/domain/engine.ts';
import { type ClipStore, isSameCut } from '../clips.ts';
import type { ConceptStore } from '../concepts.ts';
import { makeItemId } from '../ids.ts';
import type { Library, Move } from '../open.ts';
import { conceptName, type PackageContent } from './format.ts';
import { damaged } from './unpack.ts';

/**
 * What was unpacked from `file` into `folder` becomes a concept, with the clips that the library has not got yet. A concept whose file is
 * in the library already is not added again: it is the answer, as a duplicate. Throws `damaged-file` when the parts contradict each other.
 */
export function adoptPackage(
  { library, clips, concepts }: { library: Library; clips: ClipStore; concepts: ConceptStore },
  { file, folder, content, facts }: { file: string; folder: string; content: PackageContent; facts: ConceptFacts },
): { concept: Concept; duplicate: boolean } {
  const conceptFile = join(folder, 'concept', conceptName);
  const known = concepts.files().find((other) => hasSameContent(library.absolutePath(other.file), conceptFile));
  if (known) return { concept: concepts.byId(known.id, known.version), duplicate: true };

  const { model, directionNames, ...labels } = content.concept;
  if (facts.model !== model) throw damaged(file, `it was learned on "${facts.model}", and says "${model}"`);
  if (facts.captions.length !== content.clips.length)
    throw damaged(file, `it has ${content.clips.length} clips and the words for ${facts.captions.length}`);
  if (Object.keys(directionNames).some((index) => Number(index) >= facts.rank))
    throw damaged(file, 'it names a direction that it has not got');

  // A hash is only said here; of a clip that came the same way, the pictures themselves decide.
  const hasFrames = ({ frames }: Clip, index: number) =>
    hasSameContent(library.absolutePath(frames.file), join(folder, 'clips', String(index), 'frames.rgb'));
  const moves: Move[] = [];
  const inserts: (() => void)[] = [];
  const reserved = new Set<string>();
  const clipIds = content.clips.map((given, index) => {
    const twin = clips
      .withContent(given.source.sha256)
      .find((clip) => isSameCut(clip, given) && (clip.source.path !== null || hasFrames(clip, index)));
    if (twin) return twin.id;
    const id = makeItemId(library, given.name, (taken) => reserved.has(taken));
    reserved.add(id);
    moves.push({ from: join(folder, 'clips', String(index)), to: `clips/${id}` });
    inserts.push(() => clips.insert({ ...given, id, frames: { ...given.frames, file: `clips/${id}/frames.rgb` } }));
    return id;
  });
  const id = makeItemId(library, labels.name, (taken) => reserved.has(taken));
  const place = `concepts/${id}/v1`;
  moves.push({ from: join(folder, 'concept'), to: place });
  const concept = library.adopt(moves, () => {
    for (const insert of inserts) insert();
    return concepts.insert({
      ...labels,
      ...facts,
      directionNames,
      id,
      version: 1,
      clipIds,
      file: `${place}/${conceptName}`,
      createdAt: new Date().toISOString(),
    });
  });
  return { concept, duplicate: false };
}

const pieceBytes = 2 ** 20;

/** Whether both files are there and the same to the byte. */
function hasSameContent(one: string, other: string): boolean {
  const sizes = [one, other].map((file) => statSync(file, { throwIfNoEntry: false })?.size);
  if (sizes[0] === undefined || sizes[0] !== sizes[1]) return false;
  const handles = [one, other].map((file) => openSync(file, 'r'));
  try {
    const pieces = handles.map(() => Buffer.alloc(pieceBytes));
    for (;;) {
      const [a, b] = handles.map((handle, index) => readSync(handle, pieces[index]!));
      if (a !== b || !pieces[0]!.subarray(0, a).equals(pieces[1]!.subarray(0, b))) return false;
      if (a === 0) return true;
    }
  } finally {
    for (const handle of handles) closeSync(handle);
  }
}
