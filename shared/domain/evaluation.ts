import { z } from 'zod';
import { rawFrames } from './clip.ts';
import { conceptCaption } from './concept.ts';
import { recipe } from './recipe.ts';

/** What the engine measures of a model and of learned concepts, on scenes of the world whose truth is known. */

/** Mean and standard deviation over `count` values; both null where there was none. */
export const statistic = z.object({
  mean: z.number().nullable(),
  deviation: z.number().nullable(),
  count: z.int().nonnegative(),
});
export type Statistic = z.infer<typeof statistic>;

/** A row of a contact sheet; rows of one group belong on one sheet. */
export const sheetRow = z.object({ group: z.string(), label: z.string(), note: z.string(), frames: rawFrames });
export type SheetRow = z.infer<typeof sheetRow>;

export const evaluationSize = z.object({
  width: z.int().positive(),
  height: z.int().positive(),
  frameCount: z.int().positive(),
});
export type EvaluationSize = z.infer<typeof evaluationSize>;

export const usedSampling = z.object({
  steps: z.int().positive(),
  guidance: z.number().min(0),
  seed: z.int().nonnegative(),
});
export type UsedSampling = z.infer<typeof usedSampling>;

export const evaluationCommon = {
  model: z.string(),
  /** The judge's folder. */
  judge: z.string(),
  /** Test seeds (`seed % 10 == 0`), in the order in which they are worked through. */
  seeds: z.array(z.int().nonnegative()).min(1),
  /** Null: the sizes that the model was trained on. */
  size: evaluationSize.nullable(),
  /** Null: the model's own steps and guidance for text to video, the editor's for concepts. */
  sampling: z.object({
    steps: z.int().positive().nullable(),
    guidance: z.number().min(0).nullable(),
    seed: z.int().nonnegative(),
  }),
  /** Finished parts are kept here as JSON files; starting again with the same folder and settings goes on. */
  outputFolder: z.string(),
};

export const evaluateModelRequest = z.object({
  ...evaluationCommon,
  /** How many of the seeds the autoencoder is measured on. */
  worldClips: z.int().nonnegative(),
  /** How many of the seeds become prompts of text to video. */
  prompts: z.int().nonnegative(),
  /** How many of the seeds become prompts of each light, season, style and film that the model's edition of the world has. */
  lookPrompts: z.int().nonnegative(),
  realClips: z.array(z.object({ name: z.string(), frames: rawFrames })),
});
export type EvaluateModelRequest = z.infer<typeof evaluateModelRequest>;

/** How close an autoencoder's reconstruction of one clip is. */
export const reconstructedClip = z.object({
  name: z.string(),
  mse: z.number(),
  /** Null for a clip that came back without any error. */
  psnr: z.number().nullable(),
  ssim: z.number(),
  gradientDistance: z.number(),
  judgeDistance: z.number(),
  encodeSeconds: z.number(),
  decodeSeconds: z.number(),
});
export type ReconstructedClip = z.infer<typeof reconstructedClip>;

const autoencoderSummary = z.object({
  set: z.enum(['world', 'real']),
  clips: z.array(reconstructedClip),
  psnr: statistic,
  ssim: statistic,
  /** Ours, multi-scale: 0 for equal edges, 1 for unrelated ones. */
  gradientDistance: statistic,
  /** Ours: 1 minus the mean cosine of the judge's embeddings of corresponding frames. */
  judgeDistance: statistic,
});
export type AutoencoderSummary = z.infer<typeof autoencoderSummary>;

/** The attributes of a scene that are looks; they are also the kinds of edit that change one. */
export const lookAttributes = ['light', 'season', 'style', 'film'] as const;
export type LookAttribute = (typeof lookAttributes)[number];

/** How often the judge names a look that a prompt asked for, in the model's clips and in the rendered truth. */
const namedLook = z.object({
  attribute: z.enum(lookAttributes),
  value: z.string(),
  prompts: z.int(),
  generated: z.number(),
  rendered: z.number(),
});
export type NamedLook = z.infer<typeof namedLook>;

const textToVideoSummary = z.object({
  prompts: z.int(),
  /** Per attribute: how often the judge names what the prompt said, in the model's clips and in the rendered truth. */
  attributes: z.array(z.object({ name: z.string(), prompts: z.int(), generated: z.number(), rendered: z.number() })),
  generatedMean: z.number().nullable(),
  renderedMean: z.number().nullable(),
  /** C-T: cosine of the judge's embeddings of clip and prompt. */
  textAgreement: z.object({ generated: statistic, rendered: statistic }),
  temporalCoherence: z.object({ generated: statistic, rendered: statistic }),
  /** Fréchet distance over the judge's features to the rendered clips of the same prompts; null with fewer than 2 prompts. */
  frechet: z.number().nullable(),
  /** The same between those rendered clips and as many rendered ones of other test seeds: what sampling alone costs. */
  frechetFloor: z.number().nullable(),
  secondsPerClip: statistic,
});
export type TextToVideoSummary = z.infer<typeof textToVideoSummary>;

export const evaluateModelResult = z.object({
  autoencoder: z.array(autoencoderSummary),
  textToVideo: textToVideoSummary.nullable(),
  /** In the world's order; empty where no look was asked for. */
  looks: z.array(namedLook),
  sampling: usedSampling,
  sheet: z.array(sheetRow),
  /** Wall time of this run, without what an earlier one had finished. */
  seconds: z.number(),
  takenOver: z.int(),
});
export type EvaluateModelResult = z.infer<typeof evaluateModelResult>;

export const evaluateConceptRequest = z.object({
  ...evaluationCommon,
  recipe,
  /** Positions of both sliders whose effect is measured. */
  gains: z.array(z.number().min(-4).max(4)),
  /** The plain LoRA of rank 8 as a row beside it. */
  withLora: z.boolean(),
});
export type EvaluateConceptRequest = z.infer<typeof evaluateConceptRequest>;

/**
 * `truth`: the re-rendered edit itself, which tells how far the judge can be trusted; `autoencoder`: the source coded and decoded, which no
 * concept can give back better; `base`: the model from pure noise; `words`: the model leads the source from its caption to the edited one,
 * with nothing learned.
 */
const methodName = z.enum(['truth', 'autoencoder', 'base', 'words', 'concept', 'lora']);
export type MethodName = z.infer<typeof methodName>;

/** What is measured of any clip beside its source. */
const measured = {
  mse: z.number(),
  /** Cosine of the mean frame embeddings of clip and source. */
  identity: z.number(),
  /** C-T */
  textAgreement: z.number(),
  /** TC */
  temporalCoherence: z.number(),
  /** Share of the names that should have stayed as the judge named them in the source. Null where none applies. */
  preservation: z.number().nullable(),
  /** Sampling and decoding, and finishing where that was done; null for the rendered truth. */
  seconds: z.number().nullable(),
};

/** `mse` is against the source. */
const reconstructionMeasures = z.object(measured);
export type ReconstructionMeasures = z.infer<typeof reconstructionMeasures>;

/** `mse` is against the re-rendered edit: the true edit error. */
export const editMeasures = z.object({
  ...measured,
  kind: z.string(),
  to: z.string(),
  /** A slider that was moved for the edit, in words; null with both as learned. Only those count in a method's means. */
  variant: z.string().nullable(),
  /** The change done to the source itself, as a user gets it; false for the model's own pictures. Edits from pure noise are never finished. */
  finished: z.boolean(),
  /** Whether the judge names the new attribute; null where it has no name for it. */
  success: z.boolean().nullable(),
  /** The true edit error where the edit may change the picture, and where it must not; null where there is no such place. */
  mseInside: z.number().nullable(),
  mseOutside: z.number().nullable(),
});
export type EditMeasures = z.infer<typeof editMeasures>;

const sliderPoint = z.object({
  slider: z.enum(['identity', 'motion']),
  gain: z.number(),
  identity: z.number(),
  mse: z.number(),
  /** Optical flow against the source's: how much it moves, and how alike. */
  motionAmount: z.number(),
  motionAgreement: z.number(),
});
export type SliderPoint = z.infer<typeof sliderPoint>;

export const methodMeasures = z.object({
  method: methodName,
  learnSeconds: z.number().nullable(),
  /** Null for the truth, and for words alone, which learn nothing that could be given back. */
  reconstruction: reconstructionMeasures.nullable(),
  edits: z.array(editMeasures),
  sliders: z.array(sliderPoint),
});
export type MethodMeasures = z.infer<typeof methodMeasures>;

/** Everything measured of one scene: the content of its JSON file. */
export const sceneMeasures = z.object({
  seed: z.int(),
  caption: conceptCaption,
  methods: z.array(methodMeasures),
  sheet: z.array(sheetRow),
});
export type SceneMeasures = z.infer<typeof sceneMeasures>;

/** One method over all scenes. Values of edits are means over a scene's kinds of edits, then over scenes. */
const methodSummary = z.object({
  method: methodName,
  /** Of its edits as finished; such a row says nothing of reconstructions. */
  finished: z.boolean(),
  scenes: z.int(),
  mse: statistic,
  psnr: statistic,
  /** Of the reconstruction. */
  identity: statistic,
  /** Of the edits, without those that replace the subject. */
  editIdentity: statistic,
  textAgreement: statistic,
  temporalCoherence: statistic,
  success: statistic,
  preservation: statistic,
  editError: statistic,
  errorInside: statistic,
  errorOutside: statistic,
  learnSeconds: statistic,
  editSeconds: statistic,
});
export type MethodSummary = z.infer<typeof methodSummary>;

const kindSummary = z.object({
  kind: z.string(),
  /** What it changed to, in a summary of one look; null in one of all. */
  to: z.string().nullable(),
  method: methodName,
  finished: z.boolean(),
  edits: z.int(),
  success: statistic,
  preservation: statistic,
  identity: statistic,
  textAgreement: statistic,
  errorInside: statistic,
  errorOutside: statistic,
});
export type KindSummary = z.infer<typeof kindSummary>;

const sliderSummary = z.object({
  slider: z.enum(['identity', 'motion']),
  gain: z.number(),
  identity: statistic,
  mse: statistic,
  motionAmount: statistic,
  motionAgreement: statistic,
});
export type SliderSummary = z.infer<typeof sliderSummary>;

export const evaluateConceptResult = z.object({
  methods: z.array(methodSummary),
  kinds: z.array(kindSummary),
  /** The same of each light, season, style and film alone. */
  looks: z.array(kindSummary),
  sliders: z.array(sliderSummary),
  sampling: usedSampling,
  sheet: z.array(sheetRow),
  seconds: z.number(),
  takenOver: z.int(),
});
export type EvaluateConceptResult = z.infer<typeof evaluateConceptResult>;
