import { z } from 'zod';
import { rational } from './time.ts';

/**
 * Model-ready pictures on disk: uint8 RGB, [frameCount, height, width, 3], row-major, no header.
 * The file's size must be exactly frameCount * height * width * 3 bytes.
 */
export const rawFrames = z.object({
  file: z.string(),
  frameCount: z.int().positive(),
  width: z.int().positive(),
  height: z.int().positive(),
  rate: rational,
});
export type RawFrames = z.infer<typeof rawFrames>;

/** A rectangle of the displayed (rotated, square-pixel) picture, in pixels. */
export const cropRectangle = z.object({
  left: z.int().nonnegative(),
  top: z.int().nonnegative(),
  width: z.int().positive(),
  height: z.int().positive(),
});
export type CropRectangle = z.infer<typeof cropRectangle>;

/** What the source file is, as probed; sizes are as displayed (rotation and pixel aspect applied). */
const clipSource = z.object({
  /** Absolute; null for a clip that came with a concept, of whose file there are only the facts below. */
  path: z.string().nullable(),
  name: z.string(),
  sha256: z.string(),
  sizeBytes: z.int().nonnegative(),
  container: z.string(),
  codec: z.string(),
  width: z.int().positive(),
  height: z.int().positive(),
  rate: rational,
  frameCount: z.int().positive(),
  durationSeconds: z.number().nonnegative(),
  hasAudio: z.boolean(),
});

/** One imported clip of the library. `from`/`to` are the trimmed range in source seconds. */
export const clip = z.object({
  id: z.string(),
  name: z.string(),
  source: clipSource,
  fromSeconds: z.number().nonnegative(),
  toSeconds: z.number().positive(),
  crop: cropRectangle.nullable(),
  fit: z.enum(['crop', 'pad']),
  frames: rawFrames,
  warnings: z.array(z.string()),
  tags: z.array(z.string()).default([]),
  notes: z.string().default(''),
  /** What is seen in it, in words; empty where nobody said so. */
  seen: z.string().default(''),
  createdAt: z.string(),
});
export type Clip = z.infer<typeof clip>;
