import { z } from 'zod';
import type { RawFrames } from './clip.ts';
import { rational, toNumber } from './time.ts';
import { type WeightForm, type WeightSize, weightBytes, weightForm } from './weight-form.ts';

/** Matrices that each token of one kind passes through in a forward pass, all layers together. */
const passed = z.object({
  /** Their numbers: each is one multiplication for each token. */
  numbers: z.number().nonnegative(),
  /** Rows and columns of those in the blocks, added up: what a change of rank 1 has. */
  sides: z.number().nonnegative(),
});
/** Multiplications for each pixel: of a clip's first frame, which is coded alone, and of any other. */
const coded = z.object({ first: z.number().nonnegative(), next: z.number().nonnegative() });

/** What the arithmetic of an autoencoder comes to. */
const codingWork = z.object({ encode: coded, decode: coded });
export type CodingWork = z.infer<typeof codingWork>;

/** What the arithmetic of a model comes to (`work.ts`). */
const modelWork = z.object({
  /** Of the clip's tokens, and of the prompt's. */
  clip: passed,
  prompt: passed,
  /** A prompt has so many, whatever its length. */
  promptTokens: z.int().positive(),
  /** Of a token. */
  width: z.int().positive(),
  coding: codingWork,
  /** As clips are sampled where nobody says otherwise; `shift` is that of the noise levels. */
  sampling: z.object({ steps: z.int().positive(), guidance: z.number(), shift: z.number().positive() }),
});

/** Bytes for each pixel of a tile, and for each pixel of each frame of a chunk, of which it has at most `chunkPixels` where one latent frame has fewer. */
const decodingMemory = z.object({
  perPixel: z.number().nonnegative(),
  perFramePixel: z.number().nonnegative(),
  chunkPixels: z.int().positive(),
});
export type DecodingMemory = z.infer<typeof decodingMemory>;

/** What the editor must know of a text-to-video model to prepare clips for it. */
export const modelInfo = z.object({
  name: z.string(),
  directory: z.string(),
  license: z.string(),
  sizeBytes: z.int().nonnegative(),
  parameters: z.int().nonnegative(),
  /** Those that are held in memory: a large text encoder is read layer by layer. Null: all. */
  heldParameters: z.int().nonnegative().nullable().default(null),
  /** Those among them that are matrices of the transformer's blocks. */
  blockParameters: z.int().nonnegative().default(0),
  /** How what computes now can hold these, the preferred form first. */
  weightForms: z.array(weightForm).min(1).default(['float32']),
  /** Numbers that a concept has for each direction of its basis, in all layers that can learn: the basis, and coefficients for identity and motion. */
  numbersPerRank: z.int().nonnegative().default(0),
  /** [width, height] pairs that the model was trained on. */
  sizes: z.array(z.tuple([z.int().positive(), z.int().positive()])).min(1),
  frameCount: z.int().positive(),
  rate: rational,
  layers: z.int().positive().default(1),
  /** About how many values the backward pass needs of each token, of all blocks together. */
  activationsPerToken: z.number().nonnegative().default(0),
  work: modelWork,
  /** What decoding takes in memory; null where nothing is known of that. */
  decoding: decodingMemory.nullable().default(null),
  /** Frames come as 1 + k * temporalStride; sides as multiples of spatialStride. */
  temporalStride: z.int().positive(),
  spatialStride: z.int().positive(),
  /** Of a model with two transformers: the part of the noise below which concepts are learned and act; null where it is all of it. */
  learnsBelow: z.number().positive().max(1).nullable().default(null),
  /** Whether it takes its own previous prediction. */
  selfConditioning: z.boolean().default(false),
  /** Whether a clip goes on from a given first picture: never, where one is given, or always (image to video). */
  firstFrame: z.enum(['none', 'optional', 'required']).default('none'),
  /** The words that it was taught, in lower case; null where it knows about all of them, as large models do. */
  vocabulary: z.array(z.string()).nullable().default(null),
});
export type ModelInfo = z.infer<typeof modelInfo>;

/** What is to be known of a model before it is fetched. */
export const remoteModel = z.object({
  /** As its card names it; `unknown` where it does not. */
  license: z.string(),
  sizeBytes: z.number().nonnegative(),
  files: z.int().nonnegative(),
  /** The server that it comes from. */
  from: z.string(),
});
export type RemoteModel = z.infer<typeof remoteModel>;

/** Whether frames are as a model takes them: of one of its sizes, at its rate, so many as it can have. */
export function takesFrames(model: ModelInfo, { width, height, rate, frameCount }: Omit<RawFrames, 'file'>): boolean {
  const isSize = model.sizes.some((size) => size[0] === width && size[1] === height);
  return isSize && toNumber(rate) === toNumber(model.rate) && (frameCount - 1) % model.temporalStride === 0;
}

/** Of the memory that there is, the part that a plan fills. */
export const usedShare = 0.9;
/** Node, the program and the runtime, before any weight. */
export const processBytes = 150e6;

export function weightSizeOf({
  parameters,
  heldParameters,
  blockParameters,
  layers,
  weightForms,
}: ModelInfo): WeightSize {
  const otherParameters = (heldParameters ?? parameters) - blockParameters;
  return { blockParameters, otherParameters, layers, forms: weightForms };
}

export interface RunningPlan {
  /** How the weights of the blocks are held. */
  form: WeightForm;
  /** What the model takes while it generates, in bytes. */
  bytes: number;
  fits: boolean;
}

/** Tokens of a clip of a model's length and largest size, and of a picture of it. */
export function largestTokens({ sizes, frameCount, temporalStride, spatialStride }: ModelInfo) {
  const picture = Math.max(...sizes.map(([width, height]) => (width * height) / spatialStride ** 2));
  return { picture, clip: picture * ((frameCount - 1) / temporalStride + 1) };
}

/** Under the prompt, the negative one, and what the clip shows. */
const promptsAtOnce = 3;
/** Of the values of a block that a backward pass would need, those that are alive at once without one. */
const aliveShare = 0.5;

/** Bytes that decoding a clip takes: of one tile, all that its convolutions remember and what they make of one chunk. */
function decodingBytes({ decoding, temporalStride }: ModelInfo, pixels: number, latentFrames: number): number {
  if (!decoding) return 0;
  const { perPixel, perFramePixel, chunkPixels } = decoding;
  const tile = Math.min(pixels, chunkPixels / temporalStride);
  const frames =
    Math.min(latentFrames, Math.max(1, Math.floor(chunkPixels / (tile * temporalStride)))) * temporalStride;
  return tile * (perPixel + frames * perFramePixel);
}

/**
 * How a model generates with so much memory: with its weights in float32, else in fewer bits, else streamed. `tokens` are those of a clip and
 * of a picture of it, unless given of its largest size.
 */
export function planRunning(model: ModelInfo, memoryBytes: number, tokens = largestTokens(model)): RunningPlan {
  const size = weightSizeOf(model);
  const sampling = 4 * aliveShare * promptsAtOnce * tokens.clip * (model.activationsPerToken / model.layers);
  // What is sampled is decoded afterwards.
  const decoding = decodingBytes(model, tokens.picture * model.spatialStride ** 2, tokens.clip / tokens.picture);
  const working = Math.max(sampling, decoding);
  const plans = size.forms.map((form): RunningPlan => {
    const bytes = processBytes + weightBytes(size, form) + working;
    return { form, bytes, fits: bytes <= usedShare * memoryBytes };
  });
  return plans.find(({ fits }) => fits) ?? plans.at(-1)!;
}
