import { planRunning } from '../../../shared/domain/model.ts';
import { remarkOnForm } from '../../../shared/domain/weight-form.ts';
import { holdWeights, type OpenModel } from './open-model.ts';

/**
 * Before a model generates for the first time, chooses how its weights are held in the memory that there is, for latents of this size [frames,
 * height, width]; later they stay as they are. -> what there is to say of it
 */
export async function fitSampling(model: OpenModel, size: readonly [number, number, number]): Promise<string[]> {
  const { pipeline } = model;
  if (!pipeline.heldWeights.isLoaded) {
    const info = await pipeline.describe();
    // A pixel of the latents is a fixed part of a token.
    const side = info.spatialStride / pipeline.strides.width;
    const [frames, height, width] = size;
    const picture = (height * width) / side ** 2;
    const plan = planRunning(info, model.memoryBytes(), { picture, clip: frames * picture });
    await holdWeights(model, plan.form);
  }
  return [remarkOnForm(pipeline.heldWeights.form) ?? []].flat();
}
