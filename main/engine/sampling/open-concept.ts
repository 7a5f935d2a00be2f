import { stat } from 'node:fs/promises';
import { AppError } from '../../../shared/ipc/result.ts';
import { appearanceSize } from '../adapters/appearance.ts';
import { partsOfFile } from '../adapters/concept-parts.ts';
import type { TokenEmbeddings } from '../adapters/tokens.ts';
import { type ConceptFile, checkConceptModel, readConcept } from '../formats/concept.ts';
import type { VideoModel } from '../models/video-model.ts';
import type { ActingConcept } from './acting-concept.ts';
import type { OpenModel } from './open-model.ts';

/** A concept as it acts in a model, and its file. */
export type OpenedConcept = Omit<ActingConcept, 'gains' | 'isOwn'> & { tokens: TokenEmbeddings; file: ConceptFile };

/** The concepts that were last opened for a model, by their files' stamps: while a slider moves, they are the same. */
const lastOpened = new WeakMap<VideoModel, ReadonlyMap<string, OpenedConcept>>();

/**
 * Reads the concepts that act together for this model, or has them still. Throws `invalid-input` when one
 * belongs to another model, or is there twice.
 */
export async function openConcepts(
  model: Omit<OpenModel, 'sampler' | 'memoryBytes'>,
  files: readonly string[],
): Promise<OpenedConcept[]> {
  const last = lastOpened.get(model.pipeline);
  const opened = new Map<string, OpenedConcept>();
  for (const file of files) {
    const found = await stat(file).catch(() => undefined);
    const stamp = [file, found?.ino, found?.mtimeMs, found?.size].join();
    if (opened.has(stamp))
      throw new AppError('invalid-input', `${file} is given twice.`, {
        hint: 'Raise its gains instead: the same concept twice is twice as much of it.',
      });
    opened.set(stamp, (found && last?.get(stamp)) ?? (await readConceptFor(model, file)));
  }
  lastOpened.set(model.pipeline, opened);
  return [...opened.values()];
}

export async function openConcept(
  model: Omit<OpenModel, 'sampler' | 'memoryBytes'>,
  file: string,
): Promise<OpenedConcept> {
  const [concept] = await openConcepts(model, [file]);
  return concept!;
}

async function readConceptFor(
  { pipeline, name, fingerprint }: Omit<OpenModel, 'sampler' | 'memoryBytes'>,
  file: string,
): Promise<OpenedConcept> {
  const concept = await readConcept(file);
  checkConceptModel(file, concept, { name, fingerprint });
  return { ...fitConcept(file, concept, pipeline), file: concept };
}

/**
 * A concept as a model's layers take it. Throws `invalid-input` or `damaged-file` when it does not fit their
 * sizes.
 */
export function fitConcept(
  file: string,
  concept: ConceptFile,
  { textWidth: width, shape: model }: Pick<VideoModel, 'textWidth' | 'shape'>,
): Omit<OpenedConcept, 'file'> {
  const names = Object.keys(concept.tokens);
  const tokens = new Float32Array(names.length * width);
  for (const [index, tokenName] of names.entries()) {
    const values = concept.tokens[tokenName]!;
    if (values.length !== width)
      throw new AppError(
        'damaged-file',
        `${file}: the token [${tokenName}] has ${values.length} values, not ${width}`,
        {
          hint: 'Fetch the concept again, or learn it again.',
        },
      );
    tokens.set(values, index * width);
  }
  const size = appearanceSize(model.latentChannels);
  const stored = concept.version === 2 ? concept.appearance : new Array<number>(size).fill(0);
  if (stored.length !== size)
    throw new AppError('damaged-file', `${file}: its appearance has ${stored.length} values, not ${size}`, {
      hint: 'Fetch the concept again, or learn it again.',
    });
  const appearance = Float32Array.from(stored);
  return { parts: partsOfFile(concept, model), tokens: { names, values: tokens }, appearance };
}
