import { z } from 'zod';
import { rawFrames } from './clip.ts';
import { sliders } from './concept.ts';

/** Everything that makes a result again to the byte: the same settings twice give the same frames. */
export const editSettings = z.object({
  prompt: z.string(),
  negativePrompt: z.string().default(''),
  sliders: sliders.prefault({}),
  guidance: z.number().min(0).max(30).default(5),
  steps: z.int().min(1).max(200).default(24),
  seed: z.int().nonnegative().default(1),
  /** 0 starts from pure noise; towards 1 ever closer to the clip's own latents. */
  fidelity: z.number().min(0).max(1).default(0),
  /**
   * How those latents become the start: noised with the seed's noise, or run backwards along the flow under the concept's own words.
   * For equally strong edits inversion leaves more of the rest as it was (test/studies).
   */
  fidelityStart: z.enum(['noise', 'inversion']).default('inversion'),
});
export type EditSettings = z.infer<typeof editSettings>;
export type EditSettingsInput = z.input<typeof editSettings>;

export const edit = z.object({
  id: z.string(),
  name: z.string(),
  conceptId: z.string(),
  conceptVersion: z.int().positive(),
  /** The clip that gave the size and, with fidelity above 0, the starting latents; null when only a size was asked for. */
  sourceClipId: z.string().nullable(),
  /** The edit that this one is a version of. */
  parentId: z.string().nullable().default(null),
  settings: editSettings,
  frames: rawFrames,
  starred: z.boolean().default(false),
  tags: z.array(z.string()).default([]),
  notes: z.string().default(''),
  seconds: z.number().nullable(),
  createdAt: z.string(),
});
export type Edit = z.infer<typeof edit>;
