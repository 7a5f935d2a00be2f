import type { Clip } from '../../shared/domain/clip.ts';
import type { Concept } from '../../shared/domain/concept.ts';
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
