import { z } from 'zod';
import type { RawFrames } from './clip.ts';
import { rational, toNumber } from './time.ts';

/** What the editor must know of a text-to-video model to prepare clips for it. */
export const modelInfo = z.object({
  name: z.string(),
  directory: z.string(),
  license: z.string(),
  sizeBytes: z.int().nonnegative(),
  parameters: z.int().nonnegative(),
  /** Those that are held in memory: a large text encoder is read layer by layer. Null: all. */
  heldParameters: z.int().nonnegative().nullable().default(null),
  /** [width, height] pairs that the model was trained on. */
  sizes: z.array(z.tuple([z.int().positive(), z.int().positive()])).min(1),
  frameCount: z.int().positive(),
  rate: rational,
  layers: z.int().positive().default(1),
  /** About how many values the backward pass needs of each token, of all blocks together. */
  activationsPerToken: z.number().nonnegative().default(0),
  /** Frames come as 1 + k * temporalStride; sides as multiples of spatialStride. */
  temporalStride: z.int().positive(),
  spatialStride: z.int().positive(),
  /** Of a model with two transformers: the part of the noise below which concepts are learned and act; null where it is all of it. */
  learnsBelow: z.number().positive().max(1).nullable().default(null),
  /** Whether a clip goes on from a given first picture: never, where one is given, or always (image to video). */
  firstFrame: z.enum(['none', 'optional', 'required']).default('none'),
  /** The words that it was taught, in lower case; null where it knows about all of them, as large models do. */
  vocabulary: z.array(z.string()).nullable().default(null),
});
export type ModelInfo = z.infer<typeof modelInfo>;

/** What is to be known of a model before it is fetched. */
export const remoteModel = z.object({
  /** As its card names it; `unknown` where it does not. */
  license: z.string(),
  sizeBytes: z.number().nonnegative(),
  files: z.int().nonnegative(),
  /** The server that it comes from. */
  from: z.string(),
});
export type RemoteModel = z.infer<typeof remoteModel>;

/** Whether frames are as a model takes them: of one of its sizes, at its rate, so many as it can have. */
export function takesFrames(model: ModelInfo, { width, height, rate, frameCount }: Omit<RawFrames, 'file'>): boolean {
  const isSize = model.sizes.some((size) => size[0] === width && size[1] === height);
  return isSize && toNumber(rate) === toNumber(model.rate) && (frameCount - 1) % model.temporalStride === 0;
}

/** Of the free memory, the part that activations may take; their gradients take about as much again at most. */
const activationShare = 0.4;

/** Whether so many 32-bit values are kept for the backward pass with so much memory free; else blocks are computed again in it. */
export function keepsActivations(values: number, memoryBytes: number): boolean {
  return 4 * values <= activationShare * memoryBytes;
}

/** What a model takes while it generates: its weights in 32 bits, and half of that for what it computes. */
export function runningBytes({ parameters, heldParameters }: ModelInfo): number {
  return (heldParameters ?? parameters) * 4 * 1.5;
}
