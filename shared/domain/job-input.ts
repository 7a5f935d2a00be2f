import { z } from 'zod';
import { cropRectangle } from './clip.ts';
import { conceptCaption, sliders } from './concept.ts';
import { editSettings } from './edit.ts';
import { exportLength, exportSettings, loraDialect } from './export.ts';
import { recipe } from './recipe.ts';
import { nameText, pathText, promptText, referenceText } from './text.ts';

/** What each kind of job is asked, and what it answers when it is done. Ids are full ids: names are resolved before a job is made. */

export const importInput = z.object({
  path: pathText.min(1),
  name: nameText.min(1).optional(),
  fromSeconds: z.number().nonnegative().optional(),
  toSeconds: z.number().positive().optional(),
  crop: cropRectangle.optional(),
  fit: z.enum(['crop', 'pad']).default('crop'),
  /** What is seen in it, in words. */
  seen: promptText.default(''),
  /** The model whose size and rate the frames are made for; null is the embedded one. */
  model: pathText.nullable().default(null),
  /** What to do with a clip whose content, range and crop are in the library already. */
  duplicates: z.enum(['reuse', 'keep-both']).default('reuse'),
});
export type ImportInput = z.infer<typeof importInput>;

export const importOutput = z.object({
  clipId: z.string(),
  duplicate: z.boolean(),
  /** Whether clips of this file, which was not where it had been, know its new place now. */
  relinked: z.boolean().default(false),
});
export type ImportOutput = z.infer<typeof importOutput>;

export const learnInput = z.object({
  name: nameText.min(1).optional(),
  /** Learn a new version of this concept instead of a new concept. */
  conceptId: referenceText.optional(),
  clips: z
    .array(z.object({ clipId: referenceText, caption: conceptCaption }))
    .min(1)
    .max(64),
  recipe: recipe.prefault({}),
  model: pathText.nullable().default(null),
});
export type LearnInput = z.infer<typeof learnInput>;

export const learnOutput = z.object({ conceptId: z.string(), version: z.int().positive() });
export type LearnOutput = z.infer<typeof learnOutput>;

export const generateInput = z.object({
  /** null: by words alone, on the clip to start from. */
  conceptId: referenceText.nullable().default(null),
  /** null: the newest version when the job is made. */
  conceptVersion: z.int().positive().nullable().default(null),
  settings: editSettings,
  /** The clip to start from and to take the size of; null: the concept's first clip. */
  sourceClipId: referenceText.nullable().default(null),
  /** By words alone: the model that makes it; null: the one chosen in the settings. */
  model: pathText.nullable().default(null),
  parentId: referenceText.nullable().default(null),
  name: nameText.min(1).optional(),
  /** Answer an edit of the library that was made with exactly these settings instead of computing it again. */
  reuse: z.boolean().default(true),
});
export type GenerateInput = z.infer<typeof generateInput>;

export const generateOutput = z.object({ editId: z.string(), reused: z.boolean() });
export type GenerateOutput = z.infer<typeof generateOutput>;

export const exportInput = z.discriminatedUnion('what', [
  z.object({
    what: z.literal('edit'),
    editId: referenceText,
    /** The edit's change made to the clip itself, or the model's own pictures; by default as the edit says. */
    finish: z.boolean().optional(),
    length: exportLength.default('range'),
    settings: exportSettings.prefault({}),
    /** Absolute path of the file (or of the folder, for a PNG sequence); null: in the library's exports folder. */
    output: pathText.nullable().default(null),
  }),
  z.object({
    what: z.literal('clip'),
    clipId: referenceText,
    settings: exportSettings.prefault({}),
    output: pathText.nullable().default(null),
  }),
  z.object({
    what: z.literal('lora'),
    conceptId: referenceText,
    conceptVersion: z.int().positive().nullable().default(null),
    sliders: sliders.prefault({}),
    dialect: loraDialect.default('comfyui'),
    overwrite: exportSettings.shape.overwrite,
    output: pathText.nullable().default(null),
  }),
]);
export type ExportInput = z.infer<typeof exportInput>;

export const exportOutput = z.object({
  file: z.string(),
  sizeBytes: z.int().nonnegative(),
  notes: z.array(z.string()).default([]),
});
export type ExportOutput = z.infer<typeof exportOutput>;

export const downloadInput = z.object({
  /** Of the Hugging Face Hub: `Wan-AI/Wan2.1-T2V-1.3B-Diffusers`. */
  repository: z
    .string()
    .trim()
    .max(200)
    .regex(/^[\w.-]+\/[\w.-]+$/, 'A name looks like Wan-AI/Wan2.1-T2V-1.3B-Diffusers.')
    .refine((name) => !name.includes('..'), 'A name has no "..".'),
  /** A branch, a tag or a commit. */
  revision: z
    .string()
    .max(200)
    .regex(/^[\w.-]+$/)
    .default('main'),
});
export type DownloadInput = z.infer<typeof downloadInput>;

/** A path of the library. */
export const downloadOutput = z.object({ directory: z.string() });
export type DownloadOutput = z.infer<typeof downloadOutput>;

/** The input of each kind of job, as a caller may write it (defaults left out). */
export const jobInputs = {
  import: importInput,
  learn: learnInput,
  generate: generateInput,
  export: exportInput,
  download: downloadInput,
} as const;

export const jobOutputs = {
  import: importOutput,
  learn: learnOutput,
  generate: generateOutput,
  export: exportOutput,
  download: downloadOutput,
} as const;
