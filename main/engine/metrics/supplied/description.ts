import { z } from 'zod';

const fileName = z.string().min(1).max(1000);
const portName = z.string().min(1).max(200);
const threeNumbers = z.tuple([z.number(), z.number(), z.number()]);
const side = z.int().min(8).max(2048);

/** Pictures of values 0 to 1, less `mean`, over `deviation`: float32 [1, 3, size, size] in RGB. */
const normalised = {
  mean: threeNumbers.default([0.5, 0.5, 0.5]),
  deviation: threeNumbers
    .refine((values) => values.every((value) => value > 0), 'must be above 0')
    .default([0.5, 0.5, 0.5]),
};

/** A network that makes a vector of a picture: its shorter side becomes `shorterSide` (bicubic), of which the middle is read. */
const pictureNetwork = z.strictObject({
  file: fileName,
  input: portName,
  /** [1, values], or [1, tokens, values] of which the first is the class token. */
  output: portName,
  size: side,
  shorterSide: side.optional(),
  ...normalised,
});
export type PictureNetwork = z.infer<typeof pictureNetwork>;

/** A network that makes a vector of words, from whole numbers [1, length]. */
const textNetwork = z.strictObject({
  file: fileName,
  input: portName,
  output: portName,
  /** tokenizer.json of the model. */
  tokenizer: fileName,
  length: z.int().min(2).max(1024).default(77),
  /** The token that fills up to the length: 0 in OpenAI's CLIP, 49407 in others. */
  padding: z.int().nonnegative().default(0),
  /** An input that is 1 at tokens and 0 at padding, where there is one. */
  mask: portName.optional(),
});
export type TextNetwork = z.infer<typeof textNetwork>;

/**
 * A detector of faces in the form of SCRFD: for each stride, two anchors a cell, with scores [cells, 1], distances to the box's sides
 * [cells, 4] and to five points [cells, 10] in strides.
 */
const faceDetector = z.strictObject({
  file: fileName,
  input: portName,
  size: side,
  ...normalised,
  strides: z.array(z.int().min(1).max(256)).min(1).max(8).default([8, 16, 32]),
  scores: z.array(portName),
  boxes: z.array(portName),
  points: z.array(portName),
  threshold: z.number().min(0).max(1).default(0.5),
});
export type FaceDetector = z.infer<typeof faceDetector>;

/** A network that makes a vector of a clip: float32 [1, 3, frames, size, size]. */
const clipNetwork = z.strictObject({
  file: fileName,
  input: portName,
  output: portName,
  frames: z.int().min(2).max(128).default(16),
  size: side,
  ...normalised,
});
export type ClipNetwork = z.infer<typeof clipNetwork>;

/**
 * A network that tells how far apart two pictures are: both float32 [1, 3, height, width], made `size` wide and high where that is said, and else as large as
 * they are.
 */
const pairNetwork = z.strictObject({
  file: fileName,
  inputs: z.tuple([portName, portName]),
  /** One number. */
  output: portName,
  size: side.optional(),
  ...normalised,
});
export type PairNetwork = z.infer<typeof pairNetwork>;

const name = z.string().min(1).max(80);

/** What a file of a user's is: the content of a JSON file beside it. Names of files are relative to it. */
export const metricDescription = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('clip'), name, image: pictureNetwork, text: textNetwork }),
  z.strictObject({ kind: z.literal('dino'), name, image: pictureNetwork }),
  z
    .strictObject({ kind: z.literal('arcface'), name, detector: faceDetector, face: pictureNetwork })
    .refine(
      ({ detector: { strides, scores, boxes, points } }) =>
        [scores, boxes, points].every(({ length }) => length === strides.length),
      'scores, boxes and points need one name for each stride',
    ),
  z.strictObject({ kind: z.literal('i3d'), name, clip: clipNetwork }),
  z.strictObject({ kind: z.literal('lpips'), name, pair: pairNetwork }),
]);
export type MetricDescription = z.infer<typeof metricDescription>;
