import { z } from 'zod';
import { rawFrames } from './clip.ts';
import { editMeasures, evaluationSize, usedSampling } from './evaluation.ts';
import { frameSheet } from './frame-sheet.ts';

/**
 * The tables of the papers (Set-and-Sequence's 1, 2 and ablation; DreamVideo's 1 and 5) and a wide one of our
 * own, on scenes whose truth is known.
 */
export const tableName = z.enum([
  'table1',
  'table2',
  'ablation',
  'dreamvideo',
  'dreamvideo-subjects',
  'dreamvideo-motions',
  'wide',
]);
export type TableName = z.infer<typeof tableName>;

/**
 * How clips of an edit are made: from pure noise as the papers do, by the editor's defaults as sampled, and
 * those as the editor finishes them.
 */
const way = z.enum(['noise', 'editor', 'finished']);
export type Way = z.infer<typeof way>;

export const evaluateTableRequest = z.object({
  table: tableName,
  model: z.string(),
  /** The judge's folder. */
  judge: z.string(),
  /** Null: the first size that the model was trained on. */
  size: evaluationSize.nullable(),
  /** Null: the editor's. */
  steps: z.int().positive().nullable(),
  /**
   * Two scenes, few rows, one learning seed, one of noise, a sixteenth of the processor time: what the tables look like, and
   * little more.
   */
  fast: z.boolean(),
  /** Nothing new is begun after so many hours; what is finished is reported. */
  hours: z.number().positive().max(10_000).nullable(),
  /** Overrides of what the table plans; null: as it plans. */
  rows: z.array(z.string()).min(1).nullable(),
  scenes: z.int().positive().nullable(),
  learningSeeds: z.int().positive().max(20).nullable(),
  noiseSeeds: z.int().positive().max(20).nullable(),
  /** Of the processor time that the default recipe takes. */
  effort: z.number().positive().max(10).nullable(),
  /**
   * Makes clips again that are shown and were measured before tables kept them whole; what was learned is taken over where it is
   * still there.
   */
  clips: z.boolean().default(false),
  /** A folder with a user's own networks and their descriptions (docs/metrics.md); null: none. */
  metrics: z.string().nullable().default(null),
  /**
   * Finished parts, concepts and costs, which tables share; starting again with the same folder and settings
   * goes on.
   */
  outputFolder: z.string(),
});
export type EvaluateTableRequest = z.infer<typeof evaluateTableRequest>;

/** What a user's own networks measure of a clip (main/engine/metrics/supplied), of those that were given. */
const suppliedMeasures = z.object({
  /** The words and each frame, by CLIP. */
  clipText: z.number().optional(),
  /** Frames and those of the source, by CLIP, and by DINO. */
  clipImage: z.number().optional(),
  dinoImage: z.number().optional(),
  /** Each frame and the next, by CLIP. */
  clipCoherence: z.number().optional(),
  /** Faces in corresponding frames, by ArcFace, where both have one (null: none have), and the share of such frames. */
  faceIdentity: z.number().nullable().optional(),
  faceShare: z.number().optional(),
});
export type SuppliedMeasures = z.infer<typeof suppliedMeasures>;

/** A network of a user's that measured, and its files. */
export const suppliedMetric = z.object({
  kind: z.enum(['clip', 'dino', 'arcface', 'i3d', 'lpips']),
  name: z.string(),
  files: z.array(z.object({ file: z.string(), sha256: z.string() })),
  /** SHA-256 of how it is used. */
  settings: z.string(),
});
export type SuppliedMetric = z.infer<typeof suppliedMetric>;

/** Clips to be measured by a user's own networks alone, each against what it was made of. Words have no special tokens. */
export const measureClipsRequest = z.object({
  metrics: z.string(),
  clips: z.array(z.object({ name: z.string(), made: rawFrames, source: rawFrames, words: z.string() })).min(1),
});
export type MeasureClipsRequest = z.infer<typeof measureClipsRequest>;

export const measureClipsResult = z.object({
  supplied: z.array(suppliedMetric),
  clips: z.array(z.object({ name: z.string(), measures: suppliedMeasures })),
  frechetVideo: z.number().nullable(),
});
export type MeasureClipsResult = z.infer<typeof measureClipsResult>;

/** What is measured of one clip. `mse` is against the re-rendered edit: the true error. */
const tableClip = editMeasures.omit({ variant: true, finished: true }).extend({
  way,
  /** Null for what was not sampled. */
  noiseSeed: z.int().nullable(),
  /** The papers' MSE: against the source, of corresponding frames. */
  mseToSource: z.number(),
  /** ID of the subject's crop; null where the subject is another. */
  subjectIdentity: z.number().nullable(),
  /** C-T frame by frame: the mean of the cosines of the text and each frame, looked at alone. */
  frameTextAgreement: z.number(),
  /** Optical flow against the clip that gave the motion; null for clips of one frame. */
  motionAmount: z.number().nullable(),
  motionAgreement: z.number().nullable(),
  /**
   * Mixes: the cosine of the mean frame vectors of the clip and of the one that gave the motion alone, whose
   * looks should not come along.
   */
  likeOther: z.number().nullable(),
  supplied: suppliedMeasures.optional(),
  /** Of a network for clips: float32 in base64. */
  videoFeatures: z.string().optional(),
  /** A few frames side by side as WebP, below the folder; null where none was kept. */
  strip: z.string().nullable(),
  /** All of its frames, for whoever compares by eye; the file is below the folder. Null where none were kept. */
  frames: frameSheet.nullable().default(null),
});
export type TableClip = z.infer<typeof tableClip>;

/** What learning took. Seconds are those of the wall; processor seconds count all threads. */
export const learningCost = z.object({
  seconds: z.number(),
  processorSeconds: z.number(),
  /** The most memory that the process held at the end of a step, whatever else it had open. */
  peakBytes: z.number(),
  steps: z.array(z.object({ label: z.string(), steps: z.int() })),
  /** The loss of each stage, as means over equal parts of its steps in their order. */
  curves: z.array(z.object({ stage: z.string(), losses: z.array(z.number()) })).default([]),
});
export type LearningCost = z.infer<typeof learningCost>;

/**
 * One row on one scene with one learning seed: the content of its JSON file. Refused by the method, it has a
 * reason and no clips.
 */
export const tablePart = z.object({
  scene: z.string(),
  row: z.string(),
  learningSeed: z.int(),
  learned: learningCost.nullable(),
  refused: z.string().nullable(),
  clips: z.array(tableClip),
  finished: z.boolean(),
});
export type TablePart = z.infer<typeof tablePart>;

/** What is shown of a scene beside its clips: the content of `scenes/NAME.json`. */
export const shownScene = z.object({
  name: z.string(),
  /** What is seen in the source. */
  words: z.string(),
  source: frameSheet,
  edits: z.array(z.object({ kind: z.string(), to: z.string(), words: z.string() })),
});
export type ShownScene = z.infer<typeof shownScene>;

const interval = z.object({ mean: z.number(), low: z.number(), high: z.number(), scenes: z.int() });

/** A column's mean with its interval; of shares also how many of how many. */
const cell = z.object({
  interval: interval.nullable(),
  missing: z.int(),
  hits: z.int().optional(),
  of: z.int().optional(),
});
export type TableCell = z.infer<typeof cell>;

const tableRow = z.object({
  row: z.string(),
  label: z.string(),
  way,
  clips: z.int(),
  refused: z.int(),
  /** By the name of the column (`columns` of main/engine/evaluation/table-columns.ts). */
  cells: z.record(z.string(), cell),
});
export type TableRow = z.infer<typeof tableRow>;

/** The paired difference of the table's first method to another row, on the scenes that both have. */
const comparison = z.object({
  way,
  column: z.string(),
  row: z.string(),
  other: z.string(),
  difference: interval.nullable(),
  /**
   * Of the exact sign flips over scenes, and corrected by Holm over the rows of this column and way; null
   * without a scene in common.
   */
  p: z.number().nullable(),
  corrected: z.number().nullable(),
  /** Null: not told apart. */
  better: z.boolean().nullable(),
});
export type Comparison = z.infer<typeof comparison>;

const kindSummary = z.object({
  row: z.string(),
  way,
  kind: z.string(),
  hits: z.int(),
  of: z.int(),
  low: z.number().nullable(),
  high: z.number().nullable(),
});
export type KindCount = z.infer<typeof kindSummary>;

const plannedRow = z.object({
  row: z.string(),
  label: z.string(),
  /** What is learned, and how long its stages take at equal processor time; null where nothing is. */
  stages: z.array(z.object({ label: z.string(), steps: z.int(), processorSecondsPerStep: z.number() })).nullable(),
});
export type PlannedRow = z.infer<typeof plannedRow>;

export const evaluateTableResult = z.object({
  table: tableName,
  version: z.literal(1),
  fast: z.boolean(),
  effort: z.number(),
  /** Processor seconds of the steps of every learning. */
  budget: z.number(),
  sampling: usedSampling.omit({ seed: true }),
  ways: z.array(way),
  /** The row whose differences to the others are drawn. */
  first: z.string(),
  planned: z.array(plannedRow),
  /** Networks of a user's that measured. */
  supplied: z.array(suppliedMetric).default([]),
  scenes: z.array(z.object({ name: z.string(), seed: z.int(), caption: z.string(), strip: z.string().nullable() })),
  learningSeeds: z.array(z.int()),
  noiseSeeds: z.array(z.int()),
  rows: z.array(tableRow),
  comparisons: z.array(comparison),
  kinds: z.array(kindSummary),
  /** Kinds of edits whose success counts in no mean, with the reason. */
  leftOut: z.array(z.object({ kind: z.string(), reason: z.string() })),
  parts: z.array(tablePart),
  /** Parts that were planned and are not there yet. */
  unfinished: z.int(),
  seconds: z.number(),
  takenOver: z.int(),
  /** Names, sizes and times of the weights that were measured. */
  weights: z.string(),
});
export type EvaluateTableResult = z.infer<typeof evaluateTableResult>;
