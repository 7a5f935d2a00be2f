import { z } from 'zod';
import { linearSpecs, type ParameterSpecs } from '../../nn/parameters.ts';

/** config.json of a judge; resources/models/motif-judge/README.md describes the network in words. */
export const judgeConfigSchema = z.object({
  version: z.literal(3),
  /** The frames that are looked at, each with its difference to the one before. */
  frames: z.array(z.int().nonnegative()).min(1),
  /** Each a convolution that changes channels and size, then residual ones; the last has the width's channels. */
  stages: z
    .array(z.object({ channels: z.int().positive(), stride: z.int().positive(), residuals: z.int().nonnegative() }))
    .min(1),
  width: z.int().positive(),
  heads: z.int().positive(),
  spaceBlocks: z.int().nonnegative(),
  timeBlocks: z.int().nonnegative(),
  textBlocks: z.int().nonnegative(),
  embedding: z.int().positive(),
  maxTextTokens: z.int().positive(),
  layerNormEpsilon: z.number().positive(),
  /** Path of tokenizer.json, relative to the judge's folder. */
  tokenizer: z.string(),
  /** What it can name, by attribute. */
  labels: z.record(z.string(), z.array(z.string()).min(2)),
});
export type JudgeConfig = z.infer<typeof judgeConfigSchema>;

/** Red, green and blue of 2 x 2 pixels, their means' differences to the frame before, x and y. */
export const inputChannels = 17;

/** The convolutions alone. */
export function stageSpecs(stages: JudgeConfig['stages']): ParameterSpecs {
  const specs: ParameterSpecs = new Map();
  const convolution = (path: string, inSize: number, outSize: number) => {
    specs.set(`${path}.conv.weight`, { stored: [outSize, inSize, 3, 3], axes: [2, 3, 1, 0] });
    for (const name of ['conv.bias', 'norm.weight', 'norm.bias']) specs.set(`${path}.${name}`, { stored: [outSize] });
  };
  for (const [index, { channels, residuals }] of stages.entries()) {
    convolution(`stages.${index}.into`, stages[index - 1]?.channels ?? inputChannels, channels);
    for (let residual = 0; residual < residuals; residual++)
      convolution(`stages.${index}.residuals.${residual}`, channels, channels);
  }
  return specs;
}

export function judgeSpecs(config: JudgeConfig, vocabulary: number): ParameterSpecs {
  const { width, embedding } = config;
  const specs: ParameterSpecs = new Map();
  const vector = (path: string, length: number) => specs.set(path, { stored: [length] });
  const norm = (path: string, length: number) => {
    vector(`${path}.weight`, length);
    vector(`${path}.bias`, length);
  };
  const dense = (path: string, inSize: number, outSize: number) => {
    for (const [name, spec] of linearSpecs(path, inSize, outSize)) specs.set(name, spec);
  };
  const blocks = (path: string, count: number) => {
    for (let index = 0; index < count; index++) {
      norm(`${path}.${index}.norm1`, width);
      norm(`${path}.${index}.norm2`, width);
      dense(`${path}.${index}.qkv`, width, 3 * width);
      dense(`${path}.${index}.out`, width, width);
      dense(`${path}.${index}.up`, width, 4 * width);
      dense(`${path}.${index}.down`, 4 * width, width);
    }
  };
  for (const [name, spec] of stageSpecs(config.stages)) specs.set(name, spec);
  blocks('space', config.spaceBlocks);
  dense('frame_pool', 2 * width, width);
  norm('frame_norm', width);
  dense('frame_embedding', width, embedding);
  specs.set('time_position', { stored: [config.frames.length, width] });
  blocks('time', config.timeBlocks);
  dense('video_pool', 2 * width, width);
  norm('video_norm', width);
  dense('video_embedding', width, embedding);
  for (const [name, values] of Object.entries(config.labels)) dense(`heads.${name}`, width, values.length);
  specs.set('tokens.weight', { stored: [vocabulary, width] });
  specs.set('text_position', { stored: [config.maxTextTokens, width] });
  blocks('text', config.textBlocks);
  norm('text_norm', width);
  dense('text_embedding', width, embedding);
  specs.set('log_scale', { stored: [] });
  return specs;
}
