import { z } from 'zod';
import { brush } from './brush.ts';
import { type Clip, type RawFrames, rawFrames } from './clip.ts';
import { recolour } from './colour-words.ts';
import { sliders } from './concept.ts';
import { pathText, promptText } from './text.ts';

/** How much of the clip's detail a finished edit keeps if nothing is said: local changes come through, and what a model draws in fades (test/studies). */
export const usualDetail = 0.75;

/** So many concepts act together at most: memory and time grow with each. */
export const mostConcepts = 4;

/** A further concept that acts in an edit, at gains of its own. In the prompt its tokens are numbered on. */
const otherConcept = z.object({
  conceptId: z.string(),
  /** Null: the newest when the edit is asked for. */
  conceptVersion: z.int().positive().nullable().default(null),
  sliders: sliders.prefault({}),
});
export type OtherConcept = z.infer<typeof otherConcept>;

export const firstFrame = z.object({ path: pathText, hash: z.string().max(64).default('') });
export type FirstFrame = z.infer<typeof firstFrame>;

/** Everything that makes a result again to the byte: the same settings twice give the same frames. */
export const editSettings = z.object({
  prompt: promptText,
  negativePrompt: promptText.default(''),
  /** What the clip shows, which FlowEdit compares the prompt with; empty: the concept's own words. */
  shown: promptText.default(''),
  /** How much of the concept acts: 0 edits by words alone, 1 by all that was learned. */
  part: z.number().min(0).max(1).default(1),
  sliders: sliders.prefault({}),
  /** Concepts that act beside the edit's own: after one of one clip, the next one's tokens are `[v2]` and `[u2]`. */
  others: z
    .array(otherConcept)
    .max(mostConcepts - 1, `at most ${mostConcepts} concepts act together`)
    .default([]),
  /** Classifier-free guidance, 1 for none; FlowEdit leads away from the negative prompt and, for a third, from what the clip shows. */
  guidance: z.number().min(0).max(30).default(4),
  steps: z.int().min(1).max(200).default(24),
  seed: z.int().nonnegative().default(1),
  /** 0 starts from pure noise; towards 1 ever closer to the clip itself. */
  fidelity: z.number().min(0).max(1).default(0),
  /**
   * How the clip is started from: noised with the seed's noise, run backwards along the flow under the concept's own words, or moved
   * along the difference between the flow under the new words and that under its own (FlowEdit, arXiv 2412.08629), which changes most
   * where the words do and least elsewhere (test/studies).
   */
  fidelityStart: z.enum(['noise', 'inversion', 'flow-edit']).default('flow-edit'),
  /**
   * A picture that the clip begins with and goes on from, from noise alone; models that take one only. Its path is absolute, or one of the
   * library (`pictures/...`). The hash of its file is found when the edit is asked for, so that another picture of the same name is another edit.
   */
  firstFrame: firstFrame.nullable().default(null),
  /** Works at twice the model's size: things are followed better, and it takes about four times as long. */
  fine: z.boolean().default(false),
  /**
   * Edits all of the clip's file, window by window, each from its own pictures: what is changed in things follows them through the file,
   * and it takes as many times as long. Otherwise what the model saw is edited, and its change of colours alone is carried on.
   */
  whole: z.boolean().default(false),
  /** Whether the change is made to the clip itself, at its own size and rate; else the model's own pictures are the result. */
  finish: z.boolean().default(true),
  /**
   * In a finished picture, 1 changes all that looks alike in one place in one way, 1/2 follows the edit into small places, and towards 0
   * its own pictures come in where they show something else (shared/finish).
   */
  keepDetail: z.number().min(0).max(1).default(usualDetail),
  /** In a finished picture, how much of the change is made: 0 none of it, 1 all, more exaggerates it. */
  amount: z.number().min(0).max(1.5).default(1),
  /** In a finished picture, how much colour what is changed has: 0 is black and white, 1 as the change makes it. */
  colour: z.number().min(0).max(2).default(1),
  /** In a finished picture, places that the edit changes little stay the clip's own, to the bit. */
  lock: z.boolean().default(false),
  /** In a finished picture, where the words change the colour of a thing alone: that thing changes as a whole, and nothing else does. */
  recolour: recolour.nullable().default(null),
  /** Where a finished picture changes or stays the clip's own whatever the edit says, painted by hand. */
  brush: brush.default([]),
});
export type EditSettings = z.infer<typeof editSettings>;
export type EditSettingsInput = z.input<typeof editSettings>;

/** The settings of finishing, which needs nothing of the model. */
export type Finishing = Pick<EditSettings, 'keepDetail' | 'amount' | 'colour' | 'lock' | 'recolour' | 'brush'>;

export function finishingOf({ keepDetail, amount, colour, lock, recolour, brush }: Finishing): Finishing {
  return { keepDetail, amount, colour, lock, recolour, brush };
}

/** Whether a change of settings leaves the model's own pictures as they are. */
export function isFinishingOnly(patch: Partial<EditSettings>): boolean {
  const names: readonly string[] = [
    'finish',
    'keepDetail',
    'amount',
    'colour',
    'lock',
    'recolour',
    'brush',
  ] satisfies (keyof EditSettings)[];
  return Object.keys(patch).every((name) => names.includes(name));
}

function withoutFinishing(settings: EditSettings) {
  const { finish, keepDetail, amount, colour, lock, recolour, brush, ...rendered } = settings;
  return rendered;
}

/** The settings that decide the model's own pictures: what finishing does with them is left out, and what is as it always was. */
export function renderedBy(
  settings: EditSettings,
): Omit<Partial<EditSettings>, 'firstFrame'> & { firstFrame?: string } {
  const rendered = withoutFinishing(settings);
  const { shown, part, fine, whole, firstFrame, others, ...always } = rendered;
  const unusual = {
    ...(part !== 1 && { part }),
    ...(fine && { fine }),
    ...(whole && { whole }),
    ...(others.length > 0 && { others }),
  };
  const picture = firstFrame && { firstFrame: firstFrame.hash };
  return { ...always, ...picture, ...(shown !== '' && { shown }), ...unusual };
}

/**
 * The guidance with which a concept's own words give its clip back: none. They say nothing new that would need emphasis, and more pushes
 * clips that are unlike the model's own out of shape (test/studies).
 */
export const reconstructionGuidance = 1;

export const edit = z.object({
  id: z.string(),
  name: z.string(),
  /** Null: made by words alone. */
  conceptId: z.string().nullable(),
  conceptVersion: z.int().positive().nullable(),
  /** The name of the model that made it; null where that is the concept's. */
  model: z.string().nullable().default(null),
  /** The clip that gave the size and, with fidelity above 0, the starting latents; null when only a size was asked for. */
  sourceClipId: z.string().nullable(),
  /** The edit that this one is a version of. */
  parentId: z.string().nullable().default(null),
  /** What is stored is read, whatever its length. */
  settings: editSettings.extend({ prompt: z.string(), negativePrompt: z.string().default('') }),
  frames: rawFrames,
  /** The clip as it comes out of the model's autoencoder: what `frames` differ from by the edit alone. Null where it started from noise. */
  base: rawFrames.nullable().default(null),
  starred: z.boolean().default(false),
  tags: z.array(z.string()).default([]),
  notes: z.string().default(''),
  seconds: z.number().nullable(),
  createdAt: z.string(),
});
export type Edit = z.infer<typeof edit>;

/** Whether an edit's frames are of all of its clip's file, from its beginning, and not of the range that the model saw. */
export function coversFile(frames: RawFrames, clip: Pick<Clip, 'frames'>): boolean {
  return frames.frameCount > clip.frames.frameCount;
}
