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
});
export type EditSettings = z.infer<typeof editSettings>;
export type EditSettingsInput = z.input<typeof editSettings>;

export const edit = z.object({
  id: z.string(),
  conceptId: z.string(),
  settings: editSettings,
  frames: rawFrames.nullable(),
  starred: z.boolean().default(false),
  seconds: z.number().nullable(),
  createdAt: z.string(),
});
export type Edit = z.infer<typeof edit>;
