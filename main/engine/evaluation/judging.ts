import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../../shared/ipc/result.ts';
import type { Attributes } from '../../world/caption.ts';
import type { ChangeKind } from '../../world/edit.ts';
import { cosine, temporalCoherence } from '../metrics/temporal-coherence.ts';
import { type Judge, type Judgement, openJudge } from '../models/judge/judge.ts';

/** Opens the judge, or says that there is none. */
export async function openEvaluationJudge(folder: string): Promise<Judge> {
  const missing: string[] = [];
  for (const name of ['config.json', 'model.safetensors'])
    if (!(await stat(join(folder, name)).catch(() => undefined))) missing.push(name);
  if (missing.length === 0) return openJudge(folder);
  throw new AppError('not-found', `There is no judge in ${folder}: ${missing.join(' and ')} missing.`, {
    hint: "An evaluation needs the judge's weights. Install Motif again, train a judge, or name its folder with --judge.",
  });
}

type AttributeName = keyof Attributes;

/** Which of the judge's names each kind of edit changes. */
export const attributeOfChange: Record<ChangeKind, AttributeName> = {
  shirt: 'shirtColour',
  hat: 'hat',
  held: 'heldObject',
  background: 'background',
  light: 'light',
  style: 'style',
  season: 'season',
  film: 'film',
  camera: 'camera',
  subject: 'subject',
  motion: 'motion',
};

/**
 * The attributes of a scene that a caption names and the judge has a word for. What a scene does not have is
 * not asked for.
 */
export function askedAttributes(truth: Attributes, labels: Judge['labels']): AttributeName[] {
  return (Object.keys(truth) as AttributeName[]).filter(
    (name) => truth[name] !== 'none' && labels[name]?.includes(truth[name]),
  );
}

/** Whether the judge names an attribute so; null when it has no word for it. */
export function namesIt(judgement: Judgement, labels: Judge['labels'], name: AttributeName, value: string) {
  return labels[name]?.includes(value) ? judgement.attributes[name]?.value === value : null;
}

/** Whether the judge names all of these; null when it has no word for one of them. */
export function namesAll(
  judgement: Judgement,
  labels: Judge['labels'],
  wanted: readonly { attribute: AttributeName; value: string }[],
): boolean | null {
  const named = wanted.map(({ attribute, value }) => namesIt(judgement, labels, attribute, value));
  return named.includes(null) ? null : named.every(Boolean);
}

/** The attributes that are truly the same before and after an edit, and that the judge can name. */
export function keptAttributes(before: Attributes, after: Attributes, labels: Judge['labels']): AttributeName[] {
  return (Object.keys(before) as AttributeName[]).filter((name) => labels[name] && before[name] === after[name]);
}

/** Share of the attributes that the judge names as it named them in the source; null for none. */
export function preservationOf(judgement: Judgement, source: Judgement, kept: readonly AttributeName[]): number | null {
  if (kept.length === 0) return null;
  const same = kept.filter((name) => judgement.attributes[name]?.value === source.attributes[name]?.value);
  return same.length / kept.length;
}

/** ID: cosine of the means of two clips' frame embeddings. */
export function identityOf(clip: Judgement, source: Judgement): number {
  return cosine(meanVector(clip.frameEmbeddings), meanVector(source.frameEmbeddings));
}

/** 1 minus the mean cosine of corresponding frames' embeddings. */
export function judgeDistanceOf(clip: Judgement, source: Judgement): number {
  const pairs = clip.frameEmbeddings.map((vector, index) => cosine(vector, source.frameEmbeddings[index]!));
  return 1 - pairs.reduce((sum, value) => sum + value, 0) / pairs.length;
}

/** TC */
export const coherenceOf = (clip: Judgement): number => temporalCoherence(clip.frameEmbeddings);

/** C-T, from the unit vector of the text. */
export const agreementOf = (clip: Judgement, text: Float32Array): number => cosine(clip.videoEmbedding, text);

function meanVector(vectors: readonly Float32Array[]): Float32Array {
  const mean = new Float32Array(vectors[0]!.length);
  for (const vector of vectors) for (let i = 0; i < mean.length; i++) mean[i]! += vector[i]! / vectors.length;
  return mean;
}
