import { z } from 'zod';
import { rawFrames } from './clip.ts';
import { evaluationSize, sheetRow, statistic } from './evaluation.ts';
import { suppliedMetric } from './evaluation-table.ts';

/** Autoencoders with two latents measured side by side with others at known rates (VidTwin, arXiv 2412.17726, table 1). */

export const evaluateTwinRequest = z.object({
  /** The model whose autoencoder is measured beside. */
  model: z.string(),
  judge: z.string(),
  /** A user's own networks (docs/metrics.md), of which those for LPIPS and FVD measure. */
  metrics: z.string().nullable().default(null),
  /** Folders of the twins. */
  twins: z.array(z.string()).min(1).max(20),
  /** Folders of other autoencoders, measured beside: a causal one, or the model's with fewer channels. */
  autoencoders: z.array(z.string()).max(20).default([]),
  /** Of all clips; null: those of the model, by turns, and for real ones that which fits best. */
  size: evaluationSize.nullable().default(null),
  /** Of each clip of words; null: as many as a twin's generator takes where nothing is said. */
  steps: z.int().positive().nullable().default(null),
  /** Test seeds of the world. */
  seeds: z.array(z.int().nonnegative()).min(1),
  realClips: z.array(z.object({ name: z.string(), frames: rawFrames })),
  /** Rates of the discrete cosine transform's curve, in numbers for each number of the pixels; the twins' own rates come besides. */
  curve: z.array(z.number().positive().max(1)),
  /** Scenes whose energy says which coefficients the transform keeps. */
  learnedClips: z.int().positive().max(1000),
  /** How many pairs of test scenes are reenacted. */
  pairs: z.int().nonnegative(),
  /** How many captions of test scenes are made into clips, where a twin has a generator beside it. */
  words: z.int().nonnegative().max(1000).default(0),
  outputFolder: z.string(),
});
export type EvaluateTwinRequest = z.infer<typeof evaluateTwinRequest>;

const codedBy = z.enum(['twin', 'autoencoder', 'cosine']);

/** What a Fréchet distance is taken over: the judge's features, and those of a user's network for clips where there is one. */
const clipFeatures = z.object({ judge: z.array(z.number()), video: z.array(z.number()).nullable() });
export type ClipFeatures = z.infer<typeof clipFeatures>;

/** One clip through one way of coding it. Frames that all ways code are measured alone. */
const codedClip = z.object({
  way: z.string(),
  kind: codedBy,
  /** Numbers of the code for each number of the pixels. */
  rate: z.number(),
  psnr: z.number().nullable(),
  ssim: z.number(),
  /** Ours, by the judge's features: not comparable with LPIPS. */
  perceptual: z.number(),
  /** Null without a network of the user's. */
  lpips: z.number().nullable(),
  /** Of the clip that came back, for Fréchet distances. */
  features: clipFeatures,
  /** Decoded from one latent alone, in dB. */
  psnrStructure: z.number().nullable(),
  psnrDynamics: z.number().nullable(),
  encodeSeconds: z.number(),
  decodeSeconds: z.number(),
});
export type CodedClip = z.infer<typeof codedClip>;

/** The content of one clip's JSON file. */
export const codedClips = z.object({
  name: z.string(),
  features: clipFeatures,
  coded: z.array(codedClip),
  sheet: z.array(sheetRow),
});

/** The structure of one test scene with the dynamics of another. */
const reenactedPair = z.object({
  twin: z.string(),
  structure: z.string(),
  dynamics: z.string(),
  /** Cosine of the optical flows with those of each of the two: 1 moves the same way. */
  agreementWithDynamics: z.number(),
  agreementWithStructure: z.number(),
  /** Whether the judge names the subject of each of the two; null where it has no word for it, or both have one. */
  namedAsStructure: z.boolean().nullable(),
  namedAsDynamics: z.boolean().nullable(),
});
export type ReenactedPair = z.infer<typeof reenactedPair>;
export const reenactedPairs = z.object({ pairs: z.array(reenactedPair), sheet: z.array(sheetRow) });

const codedRow = z.object({
  way: z.string(),
  kind: codedBy,
  set: z.enum(['world', 'real']),
  clips: z.int(),
  rate: statistic,
  psnr: statistic,
  ssim: statistic,
  perceptual: statistic,
  lpips: statistic,
  /** Of all clips that came back to the clips themselves, by the judge's features and by a user's network for clips; null for fewer than two. */
  frechet: z.number().nullable(),
  frechetVideo: z.number().nullable(),
  psnrStructure: statistic,
  psnrDynamics: statistic,
  encodeSeconds: statistic,
  decodeSeconds: statistic,
});
export type CodedRow = z.infer<typeof codedRow>;

const reenactedRow = z.object({
  twin: z.string(),
  pairs: z.int(),
  agreementWithDynamics: statistic,
  agreementWithStructure: statistic,
  namedAsStructure: statistic,
  namedAsDynamics: statistic,
});
export type ReenactedRow = z.infer<typeof reenactedRow>;

/** Clips of words alone, judged beside the scenes whose captions they are. */
const wordedRow = z.object({
  way: z.string(),
  clips: z.int(),
  /** Share of the attributes in the caption that the judge names in the clip, and of the subjects. */
  named: statistic,
  subject: statistic,
  /** Cosine of words and clip by the judge. */
  agreement: statistic,
  /** To the scenes, by the judge's features. */
  frechet: z.number().nullable(),
  seconds: statistic,
});
export type WordedRow = z.infer<typeof wordedRow>;

export const evaluateTwinResult = z.object({
  rows: z.array(codedRow),
  reenacted: z.array(reenactedRow),
  worded: z.array(wordedRow),
  twins: z.array(z.object({ name: z.string(), folder: z.string(), parameters: z.int() })),
  supplied: z.array(suppliedMetric),
  sheet: z.array(sheetRow),
  seconds: z.number(),
  takenOver: z.int(),
});
export type EvaluateTwinResult = z.infer<typeof evaluateTwinResult>;
