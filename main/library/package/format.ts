import { z } from 'zod';
import { clip } from '../../../shared/domain/clip.ts';
import { concept } from '../../../shared/domain/concept.ts';
import { lossPoint } from '../../../shared/domain/engine.ts';
import { itemLabels } from '../../../shared/domain/library.ts';
import { maximumRank } from '../../../shared/domain/recipe.ts';

/**
 * A concept as one file, to give away or to keep: `NAME.motif`, an SQLite archive (the documented `sqlar`
 * table, which the sqlite3 program lists and unpacks) with `motif.json`, the concept file, its loss curves,
 * and the frames of the clips it was learned from. Whoever gets one does not know who made it, so nothing in
 * it is believed: what a concept is, is read from its own file; what else is taken over has a schema and a
 * limit, and no path in it is ever opened.
 */
export const packageId = 0x4d4f5443; // "MOTC"
export const packageVersion = 1;

export const manifestName = 'motif.json';
export const conceptName = 'concept.safetensors';
export const lossesName = 'losses.json';
export const clipName = (index: number) => `clips/${index}.rgb`;

const maximumClips = 64;
/** Also SQLite's own limit for one value. */
const maximumValueBytes = 1e9;

export const packageLimits = {
  fileBytes: 4e9,
  /** The parts above and the clips. */
  parts: 3 + maximumClips,
  manifestBytes: 2 ** 20,
  conceptBytes: maximumValueBytes,
  lossesBytes: 16 * 2 ** 20,
  clipBytes: maximumValueBytes,
  /** All clips together, as they lie on the disk afterwards. */
  clipsBytes: 2e9,
  /** A package of the largest size takes half a minute on a slow disk. */
  seconds: 180,
};

const { tags, notes } = itemLabels.required().shape;
const name = z
  .string()
  .transform((text) => text.trim().slice(0, 200).trim())
  .pipe(z.string().min(1));
const side = z.int().positive().max(8192);
const shortText = z.string().max(200);
const moment = z.iso.datetime();

/** The last part of what may be a path of any system. */
const bareName = z
  .string()
  .max(4096)
  .transform((text) => text.split(/[/\\:]/).at(-1)!)
  .pipe(
    z
      .string()
      .min(1)
      .max(255)
      .regex(/^(?!\.\.?$)\P{Cc}+$/u, 'is not a name'),
  );

const givenClip = clip.omit({ id: true }).extend({
  name,
  source: clip.shape.source
    .omit({ path: true })
    .extend({
      name: bareName,
      sha256: z.string().regex(/^[0-9a-f]{64}$/, 'is not a hash'),
      container: shortText,
      codec: shortText,
    })
    // Where a file lies on the giver's disk says nothing of this one.
    .transform((source) => ({ ...source, path: null })),
  frames: clip.shape.frames
    .omit({ file: true })
    .extend({ frameCount: z.int().positive().max(10_000), width: side, height: side }),
  warnings: z.array(z.string().max(1000)).max(50),
  tags,
  notes,
  createdAt: moment,
});

const givenConcept = z.object({
  name,
  tags,
  notes,
  model: bareName,
  directionNames: z.record(
    z
      .string()
      .regex(/^\d{1,3}$/)
      .refine((index) => Number(index) < maximumRank),
    z.string().max(60),
  ),
  metrics: concept.shape.metrics,
});

/** `motif.json`. */
export const manifest = z.object({
  version: z.literal(packageVersion),
  concept: givenConcept,
  clips: z.array(givenClip).min(1).max(maximumClips),
});
export type PackageContent = z.infer<typeof manifest>;

export const lossCurves = z.array(lossPoint).max(100_000);
