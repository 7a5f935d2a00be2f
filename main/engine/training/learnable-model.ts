import { keepsActivations } from '../../../shared/domain/model.ts';
import { markPrompt, tokenHooks } from '../adapters/tokens.ts';
import * as tf from '../backends/tf.ts';
import type { WanPipeline } from '../models/wan/pipeline.ts';
import { encodeTokens } from '../models/wan/text-encoder.ts';
import { wanTransformer } from '../models/wan/transformer.ts';
import { activationsPerToken, type TransformerConfig } from '../models/wan/transformer-config.ts';
import type { TrainableModel } from './step.ts';

/** Whether a step over so many tokens must compute its blocks again in the backward pass, for lack of memory to keep them. */
export function needsRecomputation(config: TransformerConfig, tokens: number, memoryBytes: number): boolean {
  return !keepsActivations(tokens * activationsPerToken(config), memoryBytes);
}

/**
 * A Wan model as a step of training sees it, with so much free memory to reckon with. `learned` are the prompts whose tokens learn (then
 * the text encoder is part of the step), `known` the concept's token names in the order of their embeddings.
 */
export async function learnableModel(
  pipeline: WanPipeline,
  learned: readonly string[],
  known: readonly string[],
  memoryBytes: number,
): Promise<TrainableModel> {
  const { transformerConfig: config, textEncoderConfig, tokenizer, selfConditioning } = pipeline;
  const parameters = await pipeline.transformer();
  const model: TrainableModel = {
    selfConditioned: selfConditioning,
    denoise(noisy, previous, time, text, hooks) {
      const latents = previous ? tf.concat([noisy, previous], 1) : noisy;
      const tokens = noisy.size / config.out_channels / config.patch_size.reduce((a, b) => a * b, 1);
      return wanTransformer(
        config,
        parameters,
        { latents, time, text },
        { hooks, recompute: needsRecomputation(config, tokens, memoryBytes) },
      );
    },
  };
  if (learned.length === 0) return model;
  const encoder = await pipeline.textEncoder();
  const marked = learned.map((prompt) => markPrompt(prompt, known, tokenizer));
  const input = pipeline.tokenize(marked.map(({ text }) => text));
  const names = marked.map((prompt) => prompt.names);
  return {
    ...model,
    encodeLearned: (embeddings) =>
      pipeline.padText(
        encodeTokens(textEncoderConfig, encoder, input, tokenHooks(names, known, embeddings, tokenizer)),
      ),
  };
}
