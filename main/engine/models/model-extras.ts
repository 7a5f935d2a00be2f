import { join } from 'node:path';
import { z } from 'zod';
import { parseRational } from '../../../shared/domain/time.ts';
import { readJson } from '../formats/diffusers.ts';

const side = z.int().positive().max(16_384);
const size = z.object({ width: side, height: side });
const tokenNames = z.array(z.string().max(100)).max(1000);

/**
 * `motif.json` beside `model_index.json`: what a model needs beyond the diffusers layout. A checkpoint
 * without one is a published Wan model, and the defaults are what Wan's authors recommend.
 */
const modelExtrasSchema = z.object({
  version: z.literal(1).default(1),
  frameRate: z.number().min(0.1).max(1000).refine(isFraction, 'has too many digits').default(16),
  frames: z.int().positive().max(100_000).default(81),
  /** Sizes that the model was trained on. */
  sizes: z
    .array(size)
    .min(1)
    .max(1000)
    .default([
      { width: 832, height: 480 },
      { width: 480, height: 832 },
    ]),
  /** Prompts are cut or padded to this many tokens, whose embeddings are zero past the end of the prompt. */
  maxTextTokens: z.int().positive().max(16_384).default(512),
  captionParts: z.object({ separator: z.string().max(100) }).default({ separator: ' ' }),
  conceptTokens: z.object({ identity: tokenNames, motion: tokenNames }).default({ identity: [], motion: [] }),
  /** Present when the transformer takes its previous prediction of the clean latents as further channels. */
  selfConditioning: z
    .object({ prediction: z.literal('x0'), trainingProbability: z.number().min(0).max(1).default(0.5) })
    .optional(),
  /**
   * Which edition of the procedural world's words the model was trained on; a model that was not is measured
   * on the first.
   */
  worldEdition: z.literal([1, 2]).default(1),
  sampling: z
    .object({
      steps: z.int().positive().max(1000),
      guidance: z.number().min(1).max(1000),
      flowShift: z.number().positive().optional(),
    })
    .default({ steps: 50, guidance: 5 }),
});

export type ModelExtras = z.infer<typeof modelExtrasSchema>;

function isFraction(rate: number): boolean {
  try {
    return parseRational(String(rate)).numerator > 0;
  } catch {
    return false;
  }
}

/** Reads `motif.json` of a model directory, or answers the defaults where there is none. */
export async function readModelExtras(directory: string): Promise<ModelExtras> {
  try {
    return await readJson(join(directory, 'motif.json'), modelExtrasSchema);
  } catch (error) {
    if ((error as { code?: string }).code === 'not-found') return modelExtrasSchema.parse({});
    throw error;
  }
}
