import { z } from 'zod';
import { evaluationCommon, sheetRow, statistic, usedSampling } from './evaluation.ts';

/** What the engine measures of finishing, on true edits of rendered scenes that are larger and smoother in time than the model's. */

export const evaluateFinishRequest = z.object({
  ...evaluationCommon,
  /** How much of the clip's detail finished pictures keep, each as a row of its own. */
  details: z.array(z.number().min(0).max(1)).min(1),
});
export type EvaluateFinishRequest = z.infer<typeof evaluateFinishRequest>;

/** `perfect`: the re-rendered edit, coded and decoded, so that finishing alone is judged; `words`: what the model makes of the words. */
const finishedEdit = z.enum(['perfect', 'words']);

const identified = {
  edit: finishedEdit,
  /** Null: nothing is finished, the edit is enlarged. */
  keepDetail: z.number().nullable(),
};

/** One edit of one scene, finished in one way. Errors are mean squares of values from 0 to 1; null where there is no such place or time. */
const finishMeasures = z.object({
  ...identified,
  kind: z.string(),
  to: z.string(),
  /** Against the re-rendered edit at the model's frames, where it may change the picture and where it must not. */
  mseInside: z.number().nullable(),
  mseOutside: z.number().nullable(),
  /** Gradient energy as a share of the truth's: 1 is as sharp. */
  sharpnessInside: z.number().nullable(),
  sharpnessOutside: z.number().nullable(),
  /** Error of the whole picture between the model's frames, as a share of that at them. */
  between: z.number().nullable(),
  /** Mean square of the error's change from frame to frame. */
  flicker: z.number().nullable(),
  /** Whether the judge names what was asked for, and the share of other names that stayed, at the model's size; null for perfect edits. */
  success: z.boolean().nullable(),
  preservation: z.number().nullable(),
  /** To finish a picture; null where nothing was finished. */
  secondsPerPicture: z.number().nullable(),
});
export type FinishMeasures = z.infer<typeof finishMeasures>;

/** Everything measured of one scene: the content of its JSON file. */
export const finishScene = z.object({ seed: z.int(), edits: z.array(finishMeasures), sheet: z.array(sheetRow) });
export type FinishScene = z.infer<typeof finishScene>;

/** Means over a scene's edits, then over scenes; of one kind of edit or of all. */
const finishSummary = z.object({
  ...identified,
  /** Null: of all kinds. */
  kind: z.string().nullable(),
  edits: z.int(),
  mseInside: statistic,
  mseOutside: statistic,
  sharpnessInside: statistic,
  sharpnessOutside: statistic,
  between: statistic,
  flicker: statistic,
  success: statistic,
  preservation: statistic,
  secondsPerPicture: statistic,
});
export type FinishSummary = z.infer<typeof finishSummary>;

export const evaluateFinishResult = z.object({
  rows: z.array(finishSummary),
  /** Of the pictures that were finished. */
  size: z.object({ width: z.int(), height: z.int() }),
  sampling: usedSampling,
  sheet: z.array(sheetRow),
  seconds: z.number(),
  takenOver: z.int(),
});
export type EvaluateFinishResult = z.infer<typeof evaluateFinishResult>;
