import { z } from 'zod';
import { rational } from './time.ts';

/** What the editor must know of a text-to-video model to prepare clips for it. */
export const modelInfo = z.object({
  name: z.string(),
  directory: z.string(),
  license: z.string(),
  sizeBytes: z.int().nonnegative(),
  parameters: z.int().nonnegative(),
  /** [width, height] pairs that the model was trained on. */
  sizes: z.array(z.tuple([z.int().positive(), z.int().positive()])).min(1),
  frameCount: z.int().positive(),
  rate: rational,
  /** Frames come as 1 + k * temporalStride; sides as multiples of spatialStride. */
  temporalStride: z.int().positive(),
  spatialStride: z.int().positive(),
});
export type ModelInfo = z.infer<typeof modelInfo>;
