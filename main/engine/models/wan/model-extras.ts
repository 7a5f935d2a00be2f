import { join } from 'node:path';
import { z } from 'zod';
import { readJson } from '../../formats/diffusers.ts';

const size = z.object({ width: z.int().positive(), height: z.int().positive() });

/**
 * `motif.json` beside `model_index.json`: what a model needs beyond the diffusers layout. A checkpoint without one is a published Wan
 * model, and the defaults are what Wan's authors recommend.
 */
const modelExtrasSchema = z.object({
  version: z.literal(1).default(1),
  frameRate: z.number().positive().default(16),
  frames: z.int().positive().default(81),
  /** Sizes that the model was trained on. */
  sizes: z
    .array(size)
    .min(1)
    .default([
      { width: 832, height: 480 },
      { width: 480, height: 832 },
    ]),
  /** Prompts are cut or padded to this many tokens, whose embeddings are zero past the end of the prompt. */
  maxTextTokens: z.int().positive().default(512),
  captionParts: z.object({ separator: z.string() }).default({ separator: ' ' }),
  conceptTokens: z
    .object({ identity: z.array(z.string()), motion: z.array(z.string()) })
    .default({ identity: [], motion: [] }),
  /** Present when the transformer takes its previous prediction of the clean latents as further channels. */
  selfConditioning: z
    .object({ prediction: z.literal('x0'), trainingProbability: z.number().min(0).max(1).default(0.5) })
    .optional(),
  /** Which edition of the procedural world's words the model was trained on; a model that was not is measured on the first. */
  worldEdition: z.literal([1, 2]).default(1),
  sampling: z
    .object({ steps: z.int().positive(), guidance: z.number().min(1), flowShift: z.number().positive().optional() })
    .default({ steps: 50, guidance: 5 }),
});

export type ModelExtras = z.infer<typeof modelExtrasSchema>;

/** Reads `motif.json` of a model directory, or answers the defaults where there is none. */
export async function readModelExtras(directory: string): Promise<ModelExtras> {
  try {
    return await readJson(join(directory, 'motif.json'), modelExtrasSchema);
  } catch (error) {
    if ((error as { code?: string }).code === 'not-found') return modelExtrasSchema.parse({});
    throw error;
  }
}
