import { z } from 'zod';
import { rational } from './time.ts';

/**
 * What can be written: its name in lists, the ending of its file (none: a folder), and for the check of free space an
 * upper guess of bytes per pixel. How it is encoded is in `main/media/presets.ts`.
 */
export const exportPresets = {
  h264: { label: 'H.264 (.mp4)', extension: '.mp4', bytesPerPixel: 0.5 },
  h265: { label: 'H.265 (.mp4)', extension: '.mp4', bytesPerPixel: 0.4 },
  av1: { label: 'AV1 (.mp4)', extension: '.mp4', bytesPerPixel: 0.4 },
  prores: { label: 'ProRes (.mov)', extension: '.mov', bytesPerPixel: 3 },
  gif: { label: 'GIF', extension: '.gif', bytesPerPixel: 1.2 },
  png: { label: 'PNG sequence (folder)', extension: '', bytesPerPixel: 3.2 },
} as const;

export type ExportPreset = keyof typeof exportPresets;
export const exportPreset = z.enum(Object.keys(exportPresets) as ExportPreset[]);

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
