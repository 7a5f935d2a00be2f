import { markPrompt, tokenHooks } from '../adapters/tokens.ts';
import * as tf from '../backends/tf.ts';
import type { VideoModel } from '../models/video-model.ts';
import type { TrainableModel } from './step.ts';

/** Whether a step over latents of this shape must compute its blocks again in the backward pass: where it would keep more than so much. */
export function needsRecomputation(
  model: Pick<VideoModel, 'activations'>,
  latents: readonly number[],
  activationBytes: number,
): boolean {
  return 4 * model.activations(latents) > activationBytes;
}

/**
 * A model as a step of training sees it, which may keep so many bytes of activations. `learned` are the prompts
 * whose tokens learn (then the text encoder is part of the step), `known` the concept's token names in the
 * order of their embeddings.
 */
export async function learnableModel(
  pipeline: VideoModel,
  learned: readonly string[],
  known: readonly string[],
  activationBytes: number,
): Promise<TrainableModel> {
  const { tokenizer } = pipeline;
  const { denoise, selfConditioning } = await pipeline.denoiser();
  const model: TrainableModel = {
    selfConditioned: selfConditioning,
    denoise(noisy, previous, timestep, text, hooks) {
      const latents = previous ? tf.concat([noisy, previous], 1) : noisy;
      const recompute = needsRecomputation(pipeline, noisy.shape, activationBytes);
      return denoise({ latents, timestep, text }, { hooks, recompute });
    },
  };
  if (learned.length === 0) return model;
  const encode = await pipeline.textEncoder();
  const marked = learned.map((prompt) => markPrompt(prompt, known, tokenizer));
  const input = pipeline.tokenize(marked.map(({ text }) => text));
  const names = marked.map((prompt) => prompt.names);
  return {
    ...model,
    encodeLearned: (embeddings) => encode(input, tokenHooks(names, known, embeddings, tokenizer)),
  };
}
