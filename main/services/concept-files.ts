import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { z } from 'zod';
import type { Concept, ConceptCaption } from '../../shared/domain/concept.ts';
import { type LossPoint, lossPoint } from '../../shared/domain/engine.ts';
import type { ExportSettings } from '../../shared/domain/export.ts';
import { recipe } from '../../shared/domain/recipe.ts';
import type { Engine } from '../../shared/ipc/engine-contract.ts';
import { AppError } from '../../shared/ipc/result.ts';
import { chooseFile } from '../files/file-names.ts';
import { placeNoted } from '../jobs/place-noted.ts';
import { lossesFile } from '../jobs/runners/learn.ts';
import type { ClipStore } from '../library/clips.ts';
import type { ConceptStore } from '../library/concepts.ts';
import { makeItemId } from '../library/ids.ts';
import type { ModelRegistry } from '../library/models.ts';
import type { Library } from '../library/open.ts';
import { adoptPackage } from '../library/package/adopt.ts';
import { conceptName } from '../library/package/format.ts';
import { unpackAside } from '../library/package/unpack-aside.ts';
import { writeConceptPackage } from '../library/package/write.ts';

interface Parts {
  library: Library;
  clips: ClipStore;
  concepts: ConceptStore;
  models: ModelRegistry;
  engine: Pick<Engine, 'importLora' | 'mix' | 'checkConcept'>;
}

/** The loss curves that were kept with a concept; none for one that came from elsewhere. */
export function readLosses({ library, concepts }: Parts, reference: string, version?: number): LossPoint[] {
  const file = join(dirname(library.absolutePath(concepts.get(reference, version).file)), lossesFile);
  if (!existsSync(file)) return [];
  try {
    return z.array(lossPoint).parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (cause) {
    throw new AppError('damaged-file', `The loss curves in ${file} cannot be read.`, {
      hint: 'The concept works without them: delete the file.',
      cause,
    });
  }
}

/** A new concept that begins as the newest version of another, with a file of its own. */
export function duplicateConcept({ library, concepts }: Parts, reference: string, name?: string): Concept {
  const original = concepts.get(reference);
  const newName = name ?? `${original.name} copy`;
  return adoptFirstVersion(library, newName, (folder, id, place) => {
    const file = basename(original.file);
    copyFileSync(library.absolutePath(original.file), join(folder, file));
    const losses = join(dirname(library.absolutePath(original.file)), lossesFile);
    if (existsSync(losses)) copyFileSync(losses, join(folder, lossesFile));
    const createdAt = new Date().toISOString();
    return () => concepts.insert({ ...original, id, name: newName, version: 1, file: `${place}/${file}`, createdAt });
  });
}

export interface ImportLoraRequest {
  file: string;
  clipId: string;
  caption: ConceptCaption;
  name?: string;
  model?: string;
}

/**
 * A LoRA file of any dialect becomes a concept. Throws what the engine says about a file that does not fit
 * the model.
 */
export async function importLora(parts: Parts, request: ImportLoraRequest, signal?: AbortSignal): Promise<Concept> {
  const { library, clips, models, engine } = parts;
  library.requireWriting();
  const file = resolve(request.file);
  if (!existsSync(file)) throw new AppError('not-found', `There is no file ${file}.`);
  const clip = clips.get(request.clipId);
  const model = await models.get(request.model ?? null);
  const name = request.name ?? basename(file, extname(file));
  const folder = makeFolder(library);
  try {
    const conceptFile = join(folder, 'concept.safetensors');
    const report = await engine.importLora(
      { model: model.directory, file, caption: request.caption, conceptFile },
      { signal },
    );
    return adoptUnlearned(parts, folder, {
      name,
      clipIds: [clip.id],
      captions: [request.caption],
      recipe: recipe.parse({ method: 'lora', rank: report.rank }),
      model: models.reference(model),
      rank: report.rank,
      directionStrengths: report.directionStrengths,
      metrics: {},
      notes: [
        `Imported from ${basename(file)} (${report.dialect}, rank ${report.rank}, ${report.layers} layers).`,
        ...(report.alphaMissing
          ? [
              'No adapter_config.json lay beside it, so that its alpha was taken to be its rank: it may act too weakly or too strongly.',
            ]
          : []),
      ].join('\n'),
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * A concept file that was made here without learning, in a folder of its own, becomes the first version of a
 * new concept.
 */
function adoptUnlearned(
  { library, concepts }: Parts,
  folder: string,
  made: Omit<Concept, 'id' | 'version' | 'directionNames' | 'file' | 'tags' | 'createdAt'>,
): Concept {
  writeFileSync(join(folder, lossesFile), '[]');
  const id = makeItemId(library, made.name);
  const place = `concepts/${id}/v1`;
  return library.adopt([{ from: folder, to: place }], () =>
    concepts.insert({
      ...made,
      id,
      version: 1,
      directionNames: {},
      file: `${place}/concept.safetensors`,
      tags: [],
      createdAt: new Date().toISOString(),
    }),
  );
}

export interface MixRequest {
  /** References of concepts: who or what it is, and how it moves. */
  identity: string;
  motion: string;
  name?: string;
}

/**
 * Who or what one concept is with how another moves, as a new concept; nothing is learned. Its clip, which
 * gives size and length, is the motion's. Throws `invalid-input` when the two belong to different models, or
 * have learned no such thing.
 */
export async function mixConcepts(parts: Parts, request: MixRequest, signal?: AbortSignal): Promise<Concept> {
  const { library, concepts, models, engine } = parts;
  library.requireWriting();
  const [identity, motion] = [concepts.get(request.identity), concepts.get(request.motion)];
  const model = await models.get(identity.model);
  const name = request.name ?? `${identity.name} as ${motion.name}`;
  const folder = makeFolder(library);
  try {
    const of = (concept: Concept) => ({ file: library.absolutePath(concept.file), name: concept.name });
    const facts = await engine.mix(
      {
        model: model.directory,
        identity: of(identity),
        motion: of(motion),
        conceptFile: join(folder, 'concept.safetensors'),
      },
      { signal },
    );
    return adoptUnlearned(parts, folder, {
      name,
      clipIds: motion.clipIds.slice(0, 1),
      captions: facts.captions,
      recipe: facts.recipe,
      model: models.reference(model),
      rank: facts.rank,
      directionStrengths: facts.directionStrengths,
      metrics: { isMix: true },
      notes: `Identity of ${identity.name}, motion of ${motion.name}.`,
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One version of a concept -> a `.motif` file. Answers where it is. */
export async function exportConcept(
  parts: Parts,
  reference: string,
  target: string,
  { version, overwrite = 'number' }: { version?: number; overwrite?: ExportSettings['overwrite'] } = {},
): Promise<{ file: string; sizeBytes: number }> {
  const asked = resolve(target);
  const file = await chooseFile(extname(asked) === '' ? `${asked}.motif` : asked, overwrite);
  const concept = parts.concepts.get(reference, version);
  await placeNoted(parts.library, file, (partial) => writeConceptPackage(parts, concept, partial));
  return { file, sizeBytes: statSync(file).size };
}

/**
 * A `.motif` file -> a concept, with the clips it was learned from; one that is in the library already is a
 * duplicate. Nothing becomes part of the library before all of it was read and found sound.
 */
export async function importConcept(parts: Parts, given: string): Promise<{ concept: Concept; duplicate: boolean }> {
  const { library, models, engine } = parts;
  library.requireWriting();
  const file = resolve(given);
  const folder = makeFolder(library);
  try {
    const content = await unpackAside(file, folder);
    // Without its model a concept can be kept, and be used once the model is there.
    const model = await models.get(content.concept.model).catch(() => null);
    const conceptFile = join(folder, 'concept', conceptName);
    const facts = await engine.checkConcept({ file: conceptFile, model: model?.directory ?? null });
    return adoptPackage(parts, { file, folder, content, facts });
  } catch (thrown) {
    // Nobody knows the folder that it was unpacked to.
    throw thrown instanceof AppError
      ? new AppError(thrown.code, thrown.message.replaceAll(folder, file), {
          hint: thrown.hint,
          details: thrown.details,
        })
      : thrown;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function adoptFirstVersion(
  library: Library,
  name: string,
  fill: (folder: string, id: string, place: string) => () => Concept,
): Concept {
  library.requireWriting();
  const id = makeItemId(library, name);
  const place = `concepts/${id}/v1`;
  const folder = makeFolder(library);
  try {
    return library.adopt([{ from: folder, to: place }], fill(folder, id, place));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Inside the jobs folder: on the same disk, and what a kill leaves there is cleared at the next start. */
function makeFolder(library: Library): string {
  mkdirSync(join(library.folder, 'jobs'), { recursive: true });
  return mkdtempSync(join(library.folder, 'jobs', 'incoming-'));
}
