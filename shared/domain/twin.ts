import { z } from 'zod';
import { rawFrames } from './clip.ts';
import { promptText } from './text.ts';
import { rational } from './time.ts';

/** What an autoencoder with two latents, structure and dynamics, can be asked (VidTwin, arXiv 2412.17726). */

/** What must be known of one to bring clips into its form. */
export const twinInfo = z.object({
  folder: z.string(),
  name: z.string(),
  /** Tells one network's latents from another's. */
  fingerprint: z.string(),
  /** Frames of a chunk, and the rate and size of the pictures that it was trained on. */
  frames: z.int().positive(),
  rate: rational,
  width: z.int().positive(),
  height: z.int().positive(),
  /** Sides that are multiples of this need no padding. */
  cell: z.int().positive(),
  parameters: z.int().positive(),
  /** Whether structure and dynamics are apart; only then can clips be reenacted. */
  disentangled: z.boolean(),
});
export type TwinInfo = z.infer<typeof twinInfo>;

/** How strong each latent is when a clip is made of them: 0 leaves it out, 1 is as trained. */
export const largestTwinStrength = 1.5;
const strength = z.number().min(0).max(largestTwinStrength);
export const twinStrengths = z
  .object({ structure: strength.default(1), dynamics: strength.default(1) })
  .refine(({ structure, dynamics }) => structure > 0 || dynamics > 0, {
    message: 'of structure and dynamics, one must be above 0',
  })
  .prefault({});
export type TwinStrengths = z.infer<typeof twinStrengths>;

/** What is looked at: what both latents give, or one alone. */
export const twinView = z.enum(['both', 'structure', 'dynamics']);
export type TwinView = z.infer<typeof twinView>;
/** The same, or the clip as it is. */
export type ClipView = 'source' | TwinView;
export const clipViews: readonly ClipView[] = ['source', ...twinView.options];

/** The strengths for a view: the other latent is left out, and what is shown is there in full if it was at 0. */
export function strengthsOfView(view: TwinView, { structure, dynamics }: TwinStrengths): TwinStrengths {
  if (view === 'structure') return { structure: structure || 1, dynamics: 0 };
  if (view === 'dynamics') return { structure: 0, dynamics: dynamics || 1 };
  return { structure, dynamics };
}

/**
 * Sizes that clips may be brought to, [width, height]: about as many pixels as the network was trained on, in every shape up to 4 : 1 and
 * 1 : 4, both sides multiples of its cell. The trained size comes first, the one to take among equals.
 */
export function twinSizes({ width, height, cell }: Pick<TwinInfo, 'width' | 'height' | 'cell'>): [number, number][] {
  const area = width * height;
  const sizes: [number, number][] = [[width, height]];
  for (let wide = cell; wide <= Math.sqrt(area) * 2; wide += cell) {
    const high = Math.max(cell, Math.round(area / wide / cell) * cell);
    if (high <= Math.sqrt(area) * 2 && (wide !== width || high !== height)) sizes.push([wide, high]);
  }
  return sizes;
}

export const describeTwinRequest = z.object({ twin: z.string() });

/** Clip -> `.twin` file. */
export const encodeTwinRequest = z.object({ twin: z.string(), frames: rawFrames, output: z.string() });
export type EncodeTwinRequest = z.infer<typeof encodeTwinRequest>;

export const encodeTwinResult = z.object({
  file: z.string(),
  sizeBytes: z.int(),
  frameCount: z.int(),
  width: z.int(),
  height: z.int(),
  chunks: z.int(),
  /** Numbers in each latent. */
  structureNumbers: z.int(),
  dynamicsNumbers: z.int(),
  /** Numbers in both for each number of the pixels. */
  rate: z.number(),
  /** Of what is decoded from the file, in dB; null where nothing differs. */
  psnr: z.number().nullable(),
  encodeSeconds: z.number(),
  decodeSeconds: z.number(),
});
export type EncodeTwinResult = z.infer<typeof encodeTwinResult>;

/** `.twin` file -> raw frames. */
export const decodeTwinRequest = z.object({
  twin: z.string(),
  file: z.string(),
  strengths: twinStrengths,
  output: z.string(),
});
export type DecodeTwinRequest = z.infer<typeof decodeTwinRequest>;

/**
 * Cross-reenactment: the structure of one clip with the dynamics of another. The result has the first one's size and rate, and the length of
 * the shorter: the second is cut to the first one's shape and scaled, and the longer one loses its end.
 */
export const reenactRequest = z.object({
  twin: z.string(),
  structure: rawFrames,
  dynamics: rawFrames,
  strengths: twinStrengths,
  output: z.string(),
});
export type ReenactRequest = z.infer<typeof reenactRequest>;

/** A clip of words alone: one chunk of a twin's latents, made by a generator that was trained on them. */
export const generateTwinRequest = z.object({
  /** The model whose text encoder reads the words. */
  model: z.string(),
  twin: z.string(),
  generator: z.string(),
  prompt: promptText,
  negativePrompt: promptText.default(''),
  steps: z.int().min(1).max(200).default(24),
  /** Classifier-free guidance, 1 for none. */
  guidance: z.number().min(0).max(30).default(3),
  seed: z.int().nonnegative().default(1),
  /** In pixels; null: that of the twin's training. */
  size: z
    .object({ width: z.int().positive().max(2048), height: z.int().positive().max(2048) })
    .nullable()
    .default(null),
  output: z.string(),
});
export type GenerateTwinRequest = z.infer<typeof generateTwinRequest>;

/** How a twin is trained; every number has its reason in docs/method.md. */
export const twinTraining = z.object({
  steps: z.int().positive().max(10_000_000).default(2000),
  batchSize: z.int().positive().max(256).default(4),
  /** Null: 1.5e-3 for a batch of 32, and by the square root of the batch for others; a third of that for a network that is trained on. */
  learningRate: z.number().positive().max(1).nullable().default(null),
  seed: z.int().nonnegative().default(1),
  checkpointEvery: z.int().positive().default(50),
  /** How much each term counts beside L1, and from which share of the steps on the discriminator learns; it counts 5 % later. */
  perceptual: z.number().min(0).max(100).default(0.05),
  adversarial: z.number().min(0).max(100).default(0.05),
  adversarialFrom: z.number().min(0).max(1).default(0.6),
  divergence: z.number().min(0).max(100).default(0.001),
  /** Share of clips that must do without one latent; without dynamics four times as many at the start. */
  dropDynamics: z.number().min(0).max(1).default(0.1),
  dropStructure: z.number().min(0).max(1).default(0.05),
  /** Frames of each clip that the perceptual and adversarial terms look at. */
  lookedFrames: z.int().positive().max(64).default(4),
  weightDecay: z.number().min(0).max(1).default(1e-4),
  gradientClip: z.number().positive().default(0.5),
  warmUp: z.number().min(0).max(1).default(0.04),
});
export type TwinTraining = z.infer<typeof twinTraining>;

export const twinPresetName = z.enum(['tiny', 'paper-small', 'paper-base', 'paper-large']);
export const twinAblationName = z.enum(['full', 'no-disentanglement', 'no-averaging', 'no-q-former', 'no-move']);

export const trainTwinRequest = z.object({
  /** A twin's folder whose weights are trained on, or null for a fresh network of a preset. */
  from: z.string().nullable(),
  preset: twinPresetName.default('tiny'),
  ablation: twinAblationName.default('full'),
  /** The judge whose features the perceptual term compares. */
  judge: z.string(),
  clips: z.array(rawFrames).min(1),
  /** Clips that are never trained on, and measured at the end. */
  validation: z.array(rawFrames),
  training: twinTraining,
  /** Checkpoints lie here while it trains; starting again with the same folder resumes exactly. */
  workDirectory: z.string(),
  /** The folder of the new network, written beside and renamed. */
  output: z.string(),
});
export type TrainTwinRequest = z.infer<typeof trainTwinRequest>;

const measuredPsnr = z.object({
  clips: z.int(),
  psnr: z.number(),
  /** Decoded from one latent alone; null where they are not apart. */
  psnrStructure: z.number().nullable(),
  psnrDynamics: z.number().nullable(),
});

export const trainTwinResult = z.object({
  folder: z.string(),
  steps: z.int(),
  seconds: z.number(),
  parameters: z.int(),
  finalLoss: z.number(),
  measured: measuredPsnr.nullable(),
});
export type TrainTwinResult = z.infer<typeof trainTwinResult>;

/** Scenes of the world's training seeds as clips for a twin, or of its validation seeds. */
export const renderTwinClipsRequest = z.object({
  count: z.int().positive().max(100_000),
  split: z.enum(['train', 'validation']),
  frames: z.int().positive(),
  sizes: z.array(z.tuple([z.int().positive(), z.int().positive()])).min(1),
  rate: rational,
  outputFolder: z.string(),
});
export type RenderTwinClipsRequest = z.infer<typeof renderTwinClipsRequest>;
