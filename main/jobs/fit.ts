import type { Clip } from '../../shared/domain/clip.ts';
import { type Concept, tokensIn } from '../../shared/domain/concept.ts';
import { type ModelInfo, takesFrames } from '../../shared/domain/model.ts';
import { toNumber } from '../../shared/domain/time.ts';
import { AppError } from '../../shared/ipc/result.ts';

/** Throws `invalid-input` when a clip's frames were made for another model: another size, rate, or number of frames. */
export function requireFit({ name, frames, source }: Clip, model: ModelInfo): void {
  if (takesFrames(model, frames)) return;
  const has = `${frames.frameCount} frames of ${frames.width}x${frames.height} at ${toNumber(frames.rate)} a second`;
  const sizes = model.sizes.map(([width, height]) => `${width}x${height}`).join(' or ');
  throw new AppError(
    'invalid-input',
    `The clip "${name}" was imported for another model: it has ${has}, and ${model.name} takes 1 + ${model.temporalStride}k frames of ${sizes} at ${toNumber(model.rate)} a second.`,
    { hint: `Import ${source.path ?? `the video ${source.name} itself`} again for this model.` },
  );
}

/** Throws `invalid-input` for the gain of a direction that the concept's basis does not have. */
export function requireDirections(
  { name, rank }: Concept,
  { directions }: { directions: Record<string, number> },
): void {
  const missing = Object.keys(directions).find((index) => Number(index) >= rank);
  if (missing !== undefined)
    throw new AppError(
      'invalid-input',
      `Direction ${missing} does not exist: "${name}" has directions 0 to ${rank - 1}.`,
    );
}

/** Throws `invalid-input` for a token in a prompt that stands for none of so many clips that the acting concepts were learned from. */
export function requireTokens(prompt: string, clipCount: number): void {
  const missing = tokensIn(prompt).find(({ clip }) => clip > clipCount);
  if (missing === undefined) return;
  if (clipCount === 0)
    throw new AppError(
      'invalid-input',
      `${missing.token} stands for a concept, and this edit changes a clip by words alone.`,
      {
        hint: 'Edit the concept instead, or say in words what the clip shows.',
      },
    );
  const further = clipCount === 1 ? '' : `, up to [v${clipCount}] and [u${clipCount}]`;
  throw new AppError('invalid-input', `${missing.token} stands for nothing here.`, {
    hint: `The tokens of what acts are [v] and [u]${further}.`,
  });
}
