import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import type { Clip, RawFrames } from '../../shared/domain/clip.ts';
import type { Concept } from '../../shared/domain/concept.ts';
import type { EditSettings, OtherConcept } from '../../shared/domain/edit.ts';
import type { GenerateRequest } from '../../shared/domain/engine.ts';
import { requireEffect } from '../../shared/domain/look.ts';
import type { ModelInfo } from '../../shared/domain/model.ts';
import { AppError } from '../../shared/ipc/result.ts';
import { writeWhole } from '../files/place.ts';
import type { ClipStore } from '../library/clips.ts';
import type { ConceptStore } from '../library/concepts.ts';
import type { Made } from '../library/edits.ts';
import type { ModelRegistry } from '../library/models.ts';
import type { Library } from '../library/open.ts';
import { readSettings } from '../library/settings.ts';
import { importClip } from '../media/import.ts';
import type { MediaTools } from '../media/locate.ts';
import { sourceFile } from '../media/source-file.ts';
import { readStill, stillKind } from '../media/still.ts';
import { requireDirections, requireFit, requireTokens } from './fit.ts';

interface EditServices {
  library: Library;
  clips: ClipStore;
  concepts: ConceptStore;
  models: ModelRegistry;
  tools(): Promise<MediaTools>;
}

/** What an edit is asked of: a concept, or a clip by words alone. References may be names. */
export interface EditSubject {
  conceptId: string | null;
  conceptVersion: number | null;
  sourceClipId: string | null;
  model: string | null;
  settings: EditSettings;
}

/** What the engine is asked for to make an edit; the files that it writes are named by whoever asks. */
export type EngineEdit = Omit<GenerateRequest, 'output' | 'baseOutput'>;

/**
 * Names become ids, and what is left open is filled in: the concept's newest version and first clip. Throws `not-found`, and
 * `invalid-input` for what cannot be made.
 */
export function resolveEdit({ library, clips, concepts }: EditServices, asked: EditSubject): Made {
  const settings = withPicture(library, asked.settings);
  if (asked.conceptId === null) {
    if (asked.sourceClipId === null)
      throw new AppError('invalid-input', 'An edit needs a clip or a concept.', { hint: 'Choose one of them.' });
    const { shown, prompt, fidelity, others } = settings;
    if (others.length > 0)
      throw new AppError('invalid-input', 'Concepts act beside a concept, not in an edit of a clip by words alone.', {
        hint: 'Choose the concept that the edit is of.',
      });
    requireTokens(prompt, 0);
    if (fidelity > 0) requireEffect(shown, prompt);
    const model = asked.model ?? readSettings(library).defaultModel;
    return { settings, conceptId: null, conceptVersion: null, model, sourceClipId: clips.get(asked.sourceClipId).id };
  }
  const concept = concepts.get(asked.conceptId, asked.conceptVersion ?? undefined);
  requireDirections(concept, settings.sliders);
  const acting = actingConcepts(concepts, concept, settings.others);
  requireTokens(settings.prompt, acting.flatMap(({ captions }) => captions).length);
  const others = settings.others.map(({ sliders }, index): OtherConcept => {
    const { id, version } = acting[index + 1]!;
    return { conceptId: id, conceptVersion: version, sliders };
  });
  const sourceClipId = asked.sourceClipId === null ? concept.clipIds[0]! : clips.get(asked.sourceClipId).id;
  const { id: conceptId, version: conceptVersion } = concept;
  return { settings: { ...settings, others }, conceptId, conceptVersion, sourceClipId, model: null };
}

/** A concept and those that act beside it, found, in their order. Throws `invalid-input` where they cannot act together. */
function actingConcepts(concepts: ConceptStore, own: Concept, others: readonly OtherConcept[]): Concept[] {
  const acting = [own];
  for (const { conceptId, conceptVersion, sliders } of others) {
    const other = concepts.get(conceptId, conceptVersion ?? undefined);
    requireDirections(other, sliders);
    if (other.model !== own.model)
      throw new AppError(
        'invalid-input',
        `"${own.name}" was learned on ${own.model} and "${other.name}" on ${other.model}: they cannot act together.`,
        { hint: 'Learn one of them again on the model of the other.' },
      );
    if (acting.some(({ id, version }) => id === other.id && version === other.version))
      throw new AppError('invalid-input', `"${other.name}" is there twice.`, {
        hint: 'Raise its gains instead: twice as much of it is the same.',
      });
    acting.push(other);
  }
  return acting;
}

/** What the engine needs for it. Decodes the clip anew where twice the model's size, or all of its file, is asked for. */
export async function engineEdit(services: EditServices, made: Made, signal?: AbortSignal): Promise<EngineEdit> {
  const { library, clips, concepts, models } = services;
  const { settings } = made;
  const source = clips.byId(made.sourceClipId!);
  const concept = made.conceptId === null ? null : concepts.byId(made.conceptId, made.conceptVersion ?? undefined);
  const model = await models.get(concept?.model ?? made.model);
  requireFit(source, model);
  const frames =
    settings.fine || settings.whole
      ? await decodedFrames(services, source, model, settings, signal)
      : { ...source.frames, file: library.absolutePath(source.frames.file) };
  return {
    model: model.directory,
    conceptFile: concept && library.absolutePath(concept.file),
    others: settings.others.map(({ conceptId, conceptVersion, sliders }) => ({
      file: library.absolutePath(concepts.byId(conceptId, conceptVersion ?? undefined).file),
      sliders,
    })),
    source: frames,
    size: null,
    settings,
    ...(settings.firstFrame ? { firstFrame: await firstPicture(services, settings.firstFrame, frames, signal) } : {}),
  };
}

/** The settings with the hash of their first picture, by which its file is known. Throws what `stillKind` throws. */
function withPicture(library: Library, settings: EditSettings): EditSettings {
  if (!settings.firstFrame) return settings;
  const { path } = settings.firstFrame;
  const file = pictureFile(library, path);
  stillKind(file);
  const hash = createHash('sha256').update(readFileSync(file)).digest('hex');
  return { ...settings, firstFrame: { path, hash } };
}

const pictureFile = (library: Library, path: string) => (isAbsolute(path) ? path : library.absolutePath(path));

/** The picture that an edit begins with, decoded to the size of what it is made from and kept in the cache. */
async function firstPicture(
  { library, tools }: EditServices,
  { path, hash }: NonNullable<EditSettings['firstFrame']>,
  { width, height, rate }: RawFrames,
  signal: AbortSignal | undefined,
): Promise<RawFrames> {
  const file = library.absolutePath(`cache/first-frames/${hash}-${width}x${height}.rgb`);
  const kept = { width, height, rate, frameCount: 1, file };
  if (existsSync(file)) return kept;
  const { rgb } = await readStill(await tools(), pictureFile(library, path), kept, signal);
  mkdirSync(dirname(file), { recursive: true });
  await writeWhole(file, (handle) => handle.writeFile(rgb));
  return kept;
}

/** The clip's frames at twice their size, or those of its whole file, decoded anew from it and kept in the cache. */
async function decodedFrames(
  { library, tools }: EditServices,
  clip: Clip,
  model: ModelInfo,
  { fine, whole }: Pick<EditSettings, 'fine' | 'whole'>,
  signal: AbortSignal | undefined,
): Promise<RawFrames> {
  const scale = fine ? 2 : 1;
  const [width, height] = [scale * clip.frames.width, scale * clip.frames.height];
  const folder = library.absolutePath(`cache/${whole ? 'whole' : 'fine'}/${clip.id}${whole && fine ? '-fine' : ''}`);
  const file = join(folder, 'frames.rgb');
  const described = (frameCount: number): RawFrames => ({ ...clip.frames, width, height, frameCount, file });
  if (existsSync(file)) return described(statSync(file).size / (width * height * 3));
  const setting = whole ? 'Whole clip' : 'Fine';
  const path = await sourceFile(clip, setting, `switch ${setting} off`, signal);
  mkdirSync(dirname(folder), { recursive: true });
  const made = await importClip(await tools(), {
    file: path,
    ...(whole
      ? {}
      : { fromSeconds: clip.fromSeconds, toSeconds: clip.toSeconds, maximumFrames: clip.frames.frameCount }),
    crop: clip.crop,
    fit: clip.fit,
    sizes: [[width, height]],
    rate: clip.frames.rate,
    temporalStride: model.temporalStride,
    outFolder: folder,
    signal,
  });
  const { frameCount } = made.frames;
  if (whole ? frameCount >= clip.frames.frameCount : frameCount === clip.frames.frameCount)
    return described(frameCount);
  throw new AppError('conflict', `The file that "${clip.name}" was imported from has changed since.`, {
    hint: 'Import it again.',
  });
}
