import { z } from 'zod';
import { plannedSteps, recipe } from './recipe.ts';
import { promptText } from './text.ts';

/** What the words of one clip of a concept are: `[v]` marks the identity's token, `[u]` the motion's. */
export const conceptCaption = z.object({
  static: promptText.min(1),
  dynamic: promptText,
});
export type ConceptCaption = z.infer<typeof conceptCaption>;

/** The gains of one slider setting (docs/method.md, "Stylisation"): all 1 and no directions is the concept as learned. */
export const sliders = z.object({
  identity: z.number().min(-4).max(4).default(1),
  motion: z.number().min(-4).max(4).default(1),
  /** Of concepts that are told of a picture's appearance: how much that counts; 1 where nothing is said. */
  appearance: z.number().min(0).max(1.5).optional(),
  /** Gain of the K-th direction of the identity basis (0 = the one that matters most); 1 leaves it as learned. */
  directions: z.record(z.string().regex(/^\d+$/), z.number().min(-8).max(8)).default({}),
});

export const conceptMetrics = z.object({
  reconstructionMse: z.number().optional(),
  reconstructionPsnr: z.number().optional(),
  /** The error that the clip's mean colour makes in the place of every pixel: what is known without knowing its layout. */
  plainMse: z.number().optional(),
  finalLossIdentity: z.number().optional(),
  finalLossMotion: z.number().optional(),
  seconds: z.number().optional(),
  /** Steps that `seconds` were spent on: fewer than the recipe's after a pause, or when it was ended early. */
  steps: z.int().optional(),
  /**
   * Seconds before the first step, of a step of each stage, and after the last, and on which machine: how long the next learning will take
   * there.
   */
  timing: z
    .object({
      machine: z.string().optional(),
      prepare: z.number(),
      identity: z.number().optional(),
      motion: z.number().optional(),
      measure: z.number(),
    })
    .optional(),
  /** Steps that were done of each stage in the end: fewer than the recipe's when it was ended early. */
  stepsIdentity: z.int().optional(),
  stepsMotion: z.int().optional(),
  /** Put together of two others; nothing was learned. */
  isMix: z.boolean().optional(),
});

export type ConceptMetrics = z.infer<typeof conceptMetrics>;

/** One learned concept of the library; every new learning of it is a new version. */
export const concept = z.object({
  id: z.string(),
  name: z.string(),
  version: z.int().positive(),
  clipIds: z.array(z.string()).min(1),
  /** What is stored is read, whatever its length. */
  captions: z.array(conceptCaption.extend({ static: z.string().min(1), dynamic: z.string() })).min(1),
  recipe,
  model: z.string(),
  /** The largest of what was learned; 0 where nothing is of low rank. */
  rank: z.int().nonnegative(),
  /** Importance of each direction of the identity basis, largest first. */
  directionStrengths: z.array(z.number()),
  directionNames: z.record(z.string(), z.string()).default({}),
  metrics: conceptMetrics,
  /** The concept file, relative to the library's folder. */
  file: z.string(),
  tags: z.array(z.string()).default([]),
  notes: z.string().default(''),
  createdAt: z.string(),
});
export type Concept = z.infer<typeof concept>;

/** Whether an edit begins as a change of the concept's clip: of several, and of a mix, which was never seen, there is none to start from. */
export function hasOwnClip({ clipIds, metrics }: Pick<Concept, 'clipIds' | 'metrics'>): boolean {
  return clipIds.length === 1 && !metrics.isMix;
}

/** In the caption of a joint concept's clip number `index` (from 0), `[v]` and `[u]` mean that clip's own: `[v2]`, `[u2]` ... */
export function ownTokens(caption: string, index: number): string {
  if (index === 0) return caption;
  return caption.replaceAll(/\[([vu])(\d*)\]/g, (whole, kind: string, number: string) =>
    number === '' ? `[${kind}${index + 1}]` : whole,
  );
}

/**
 * The same words where a concept acts beside others whose clips come before: after one clip, `[v]` is `[v2]`
 * and `[v2]` is `[v3]`.
 */
export function tokensAfter(words: string, clipsBefore: number): string {
  return words.replaceAll(/\[([vu])(\d*)\]/g, (_, kind: string, number: string) =>
    `[${kind}${clipsBefore + Number(number || 1)}]`.replace(/\[([vu])1\]/, '[$1]'),
  );
}

/** The tokens in a prompt, and which clip of the acting concepts each is of, counted from 1. */
export function tokensIn(words: string): { token: string; clip: number }[] {
  return [...words.matchAll(/\[[vu](\d*)\]/g)].map(([token, number]) => ({ token, clip: Number(number || 1) }));
}

/** A prompt as whoever knows no tokens reads it. */
export function withoutTokens(words: string): string {
  return words.replaceAll(/\[[vu]\d*\] ?/g, '').trim();
}

/** The prompt under which several concepts act together, in their order. */
export function promptTogether(concepts: readonly Pick<Concept, 'captions'>[]): string {
  let clipsBefore = 0;
  const prompts = concepts.map(({ captions }) => {
    const prompt = tokensAfter(learnedPrompt(captions), clipsBefore);
    clipsBefore += captions.length;
    return prompt;
  });
  return prompts.join(' and ');
}

/** The prompt that a concept begins with, joined as in its learning (two clips were also shown side by side). */
export function learnedPrompt(captions: readonly ConceptCaption[]): string {
  const [first = '', second, ...others] = captions.map((caption, index) =>
    ownTokens([caption.static, caption.dynamic].filter(Boolean).join(' '), index),
  );
  if (second === undefined) return first;
  if (others.length === 0) return `${first} on the left, ${second} on the right`;
  return [first, second, ...others].join(' and ');
}

/**
 * Whether a concept gives back what it was learned from, by its own words and from noise; null where that was not measured. One that
 * lost the layout of its clip is no better than the clip's mean colour, so that less than half of the clip's variance is explained. Where
 * that colour's error is not known: 3 dB (half the error) above the 14.4 dB that mean colours come to on the median of nine clips (10.9
 * to 26.7). Concepts that were looked at: a dog at 7.0 and a candle at 12.4 dB had lost their layouts, palms at 21.1 and waves at 24.2 not.
 */
export function givesClipBack({ metrics }: Pick<Concept, 'metrics'>): boolean | null {
  const { reconstructionPsnr, reconstructionMse, plainMse } = metrics;
  if (plainMse !== undefined && reconstructionMse !== undefined) return reconstructionMse <= plainMse / 2;
  return reconstructionPsnr === undefined ? null : reconstructionPsnr >= 17.4;
}

/** The steps that a concept was learned with, where that is known, else those that its recipe asked for. */
export function learnedSteps({ metrics, recipe }: Pick<Concept, 'metrics' | 'recipe'>): {
  identity: number;
  motion: number;
} {
  return {
    identity: metrics.stepsIdentity ?? recipe.stepsIdentity,
    motion: metrics.stepsMotion ?? recipe.stepsMotion,
  };
}

/** The same by stage, in the order of learning. */
export function learnedStages({
  metrics,
  recipe,
}: Pick<Concept, 'metrics' | 'recipe'>): { label: string; steps: number }[] {
  const done: Readonly<Record<string, number | undefined>> = {
    identity: metrics.stepsIdentity,
    motion: metrics.stepsMotion,
  };
  return plannedSteps(recipe).map(({ label, steps }) => ({ label, steps: done[label] ?? steps }));
}
