import { z } from 'zod';
import { rational } from './time.ts';

export const exportPreset = z.enum(['h264', 'h265', 'av1', 'prores', 'gif', 'png']);
export type ExportPreset = z.infer<typeof exportPreset>;

/** For the check of free space, an upper guess. */
export const exportBytesPerPixel: Record<ExportPreset, number> = {
  h264: 0.5,
  h265: 0.4,
  av1: 0.4,
  prores: 3,
  gif: 1.2,
  png: 3.2,
};

/** The range that the model saw, or all of the clip's file, over which light and colour are carried on. */
export const exportLength = z.enum(['range', 'source']);
export type ExportLength = z.infer<typeof exportLength>;

export const exportSettings = z.object({
  preset: exportPreset.default('h264'),
  width: z.int().min(2).max(16384).optional(),
  height: z.int().min(2).max(16384).optional(),
  rate: z.union([rational, z.literal('source')]).optional(),
  audio: z.enum(['original', 'none']).default('none'),
  /** Which of the source's sound streams, counted from 1; the one that its author marked where unset. */
  sound: z.int().min(1).max(99).optional(),
  crf: z.int().min(0).max(63).optional(),
  /** Of the model's own pictures: enlarged four times by super-resolution, then brought to the size that was asked for. */
  superResolution: z.boolean().optional(),
  /** What to do when the file exists. */
  overwrite: z.enum(['refuse', 'replace', 'number']).default('number'),
});
export type ExportSettings = z.infer<typeof exportSettings>;
export type ExportSettingsInput = z.input<typeof exportSettings>;

export const loraDialect = z.enum(['comfyui', 'diffusers', 'kohya']);
export type LoraDialect = z.infer<typeof loraDialect>;
