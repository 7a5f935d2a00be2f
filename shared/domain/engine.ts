import { z } from 'zod';
import { rawFrames } from './clip.ts';
import { conceptCaption, conceptMetrics, sliders } from './concept.ts';
import { editSettings, mostConcepts } from './edit.ts';
import { loraDialect } from './export.ts';
import { progress } from './job.ts';
import { modelInfo } from './model.ts';
import { recipe } from './recipe.ts';

/**
 * What the engine can be asked. Pixels never travel in a message: frames are files (RawFrames), paths are
 * absolute.
 */

/** `auto`, or a device of the engine's own list (main/engine/backends/select.ts), which refuses others by name. */
export const deviceName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'A device has a name such as auto or cpu.');
export type DeviceName = z.infer<typeof deviceName>;

export const deviceReport = z.object({
  chosen: z.string(),
  description: z.string(),
  threads: z.int().positive(),
  /** The device, the hardware and the threads by their names: times that were measured under the same one can be compared. */
  machine: z.string(),
  /** Measured rate of a float32 matrix product, in GFLOP/s; null when not measured. */
  matMulGflops: z.number().nullable(),
  /**
   * What may be taken of the device's own memory: what was free when this was asked, with what was taken already, or a limit. Null where it
   * computes in the machine's memory, or where that cannot be told.
   */
  memoryBytes: z.number().nullable(),
  /** Best first. */
  candidates: z.array(z.object({ name: z.string(), label: z.string(), available: z.boolean(), reason: z.string() })),
});
export type DeviceReport = z.infer<typeof deviceReport>;

/** A library that computes, taken into Motif's own folder from a file or folder of the user's. */
export const installLibraryRequest = z.object({ name: z.enum(['openvino', 'cuda']), source: z.string() });
export type LibraryName = z.infer<typeof installLibraryRequest>['name'];
export const libraryInstalled = z.object({ version: z.string(), folder: z.string() });

export const learnRequest = z.object({
  model: z.string(),
  clips: z.array(z.object({ frames: rawFrames, caption: conceptCaption })).min(1),
  recipe,
  /**
   * Checkpoints, prior clips and samples live here while learning; starting again with the same folder
   * resumes exactly.
   */
  workDirectory: z.string(),
  /** The finished concept file, written beside and renamed. */
  conceptFile: z.string(),
});
export type LearnRequest = z.infer<typeof learnRequest>;

/** The name of a stage of learning: `identity`, `motion`, or what else a method calls it. */
const stageName = z.string().min(1).max(40);

export const lossPoint = z.object({
  stage: stageName,
  step: z.int(),
  loss: z.number(),
  learningRate: z.number(),
});
export type LossPoint = z.infer<typeof lossPoint>;

export const learnResult = z.object({
  conceptFile: z.string(),
  /** The largest of what was learned; 0 where nothing is of low rank. */
  rank: z.int().nonnegative(),
  directionStrengths: z.array(z.number()),
  losses: z.array(lossPoint),
  metrics: conceptMetrics,
});
export type LearnResult = z.infer<typeof learnResult>;

/**
 * One edit or plain generation. Without a concept the base model answers, by words alone; without source
 * frames fidelity must be 0.
 */
export const generateRequest = z.object({
  model: z.string(),
  conceptFile: z.string().nullable(),
  /** The concepts that act beside it: the files of the settings' `others`, with their gains, in their order. */
  others: z
    .array(z.object({ file: z.string(), sliders }))
    .max(mostConcepts - 1)
    .optional(),
  /** The clip that fidelity starts from, and whose size the result has; null: `size`. */
  source: rawFrames.nullable(),
  size: z.object({ width: z.int(), height: z.int(), frameCount: z.int() }).nullable(),
  settings: editSettings,
  /** One picture of the result's size that it begins with, decoded from the settings' `firstFrame`. */
  firstFrame: rawFrames.optional(),
  output: z.string(),
  /** Where the clip's own pictures go as they come out of the autoencoder, for finishing. */
  baseOutput: z.string().optional(),
});
export type GenerateRequest = z.infer<typeof generateRequest>;

/** `base` is null where nothing was started from. */
export const generateResult = z.object({
  frames: rawFrames,
  base: rawFrames.nullable().default(null),
  seconds: z.number(),
});
export type GenerateResult = z.infer<typeof generateResult>;

export const exportLoraRequest = z.object({
  model: z.string(),
  conceptFile: z.string(),
  sliders,
  dialect: loraDialect,
  output: z.string(),
});
export type ExportLoraRequest = z.infer<typeof exportLoraRequest>;

export const loraReport = z.object({
  file: z.string(),
  dialect: loraDialect,
  rank: z.int(),
  layers: z.int(),
});
export type LoraReport = z.infer<typeof loraReport>;

/** A LoRA file of any dialect becomes a concept whose motion residual is zero. */
export const importLoraRequest = z.object({
  model: z.string(),
  file: z.string(),
  caption: conceptCaption,
  conceptFile: z.string(),
});
export type ImportLoraRequest = z.infer<typeof importLoraRequest>;

export const importedLora = loraReport.extend({
  /** Importance of each direction, largest first. */
  directionStrengths: z.array(z.number()),
  /** PEFT keeps alpha in a second file, which was not there: it was taken to be the rank. */
  alphaMissing: z.boolean(),
});
export type ImportedLora = z.infer<typeof importedLora>;

/**
 * Who or what one concept is with how another moves, put together without learning. Names are for messages.
 */
const mixed = z.object({ file: z.string(), name: z.string() });
export const mixRequest = z.object({ model: z.string(), identity: mixed, motion: mixed, conceptFile: z.string() });
export type MixRequest = z.infer<typeof mixRequest>;

/** Pictures four times as wide and high, by the super-resolution whose weights lie in a folder. */
export const enlargeRequest = z.object({ weights: z.string(), frames: rawFrames, output: z.string() });
export type EnlargeRequest = z.infer<typeof enlargeRequest>;

/** How many times wider and higher those are. */
export const enlargement = 4;

/** Whether a concept file from elsewhere can be used: by itself, and with a model where there is one. */
export const checkConceptRequest = z.object({ file: z.string(), model: z.string().nullable() });
export type CheckConceptRequest = z.infer<typeof checkConceptRequest>;

/** What a concept file says of itself. */
export const conceptFacts = z.object({
  rank: z.int().nonnegative(),
  directionStrengths: z.array(z.number()),
  captions: z.array(conceptCaption).min(1),
  recipe,
  /** The name of the model that it was learned on. */
  model: z.string(),
});
export type ConceptFacts = z.infer<typeof conceptFacts>;

export const engineEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('progress'), progress }),
  z.object({ type: z.literal('loss'), point: lossPoint }),
  z.object({ type: z.literal('sample'), stage: stageName, step: z.int(), frames: rawFrames }),
  /** What is done otherwise than was asked for, and why. */
  z.object({ type: z.literal('remark'), text: z.string() }),
  z.object({ type: z.literal('checkpoint'), stage: z.string(), step: z.int() }),
]);
export type EngineEvent = z.infer<typeof engineEvent>;

export const gatherRequest = z.object({
  /** A transformer's file, or a folder that holds some (ComfyUI's `models`, one of Wan's own repositories). */
  source: z.string(),
  /** Models are written into this folder; the weights stay where they are. */
  folder: z.string(),
  /** In place of what is found: files, and the folder of a tokenizer. */
  vae: z.string().optional(),
  textEncoder: z.string().optional(),
  tokenizer: z.string().optional(),
});
export type GatherRequest = z.infer<typeof gatherRequest>;

export const gatherResult = z.object({
  /** Folders in diffusers' layout. */
  models: z.array(z.string()),
  /** Files that may have been meant, and why they were left out. */
  refused: z.array(z.object({ file: z.string(), reason: z.string() })),
});
export type GatherResult = z.infer<typeof gatherResult>;

export const describeModelRequest = z.object({ model: z.string() });
export { modelInfo };
