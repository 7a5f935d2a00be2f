import { z } from 'zod';
import looks from './looks.json' with { type: 'json' };
import { filmKinds, lightKinds, seasonKinds, styleKinds } from './vocabulary.ts';

/**
 * The words and the numbers of every look, read from looks.json by the world, by the tokenizer and by the training on photographs, so that
 * a word means the same on drawn and on real pictures. Colours are 0..255, gains 1 where a channel stays as it is.
 */
const triple = z.tuple([z.number(), z.number(), z.number()]).readonly();
const phrases = z.array(z.string()).min(1);
const share = z.number().min(0).max(1);

const orbSchema = z.object({
  /** In halves of the side that the light comes from. */
  x: z.number(),
  /** Height in the frame, or above the horizon (`low`). */
  y: z.number().optional(),
  low: z.number().optional(),
  /** 0 draws its glow alone. */
  radius: z.number(),
  colour: triple.optional(),
  halo: triple,
  reach: z.number(),
  alpha: share,
});

const presetSchema = z.object({
  /** The lit side of things and the side turned away. */
  key: triple,
  shade: triple,
  rim: triple,
  rimStrength: z.number(),
  /** The veil in front of what is far away: its colour, and its share close by and at the horizon. */
  haze: triple,
  hazeNear: share,
  hazeFar: share,
  skyTop: triple,
  skyBottom: triple,
  shadowStrength: share,
  /** Horizontal reach of a cast shadow, in heights of the subject. */
  shadowReach: z.number(),
  /** Windows, street lamps and headlights are on. */
  lamps: z.boolean().optional(),
  /** The sun or the moon. */
  orb: orbSchema.optional(),
  stars: z.int().optional(),
  /** How much of the sky clouds cover; a few at random where it is not told. */
  clouds: share.optional(),
  /** The light of a low sun or moon on water. */
  glint: triple.optional(),
  /** How much the ground mirrors. */
  wet: share.optional(),
  /** How much snow lies on the ground. */
  snow: share.optional(),
  /** Candles that stand on the ground. */
  candles: z.int().optional(),
  /** What fills the air. */
  air: z.enum(['rain', 'storm', 'snow', 'dust', 'embers', 'bubbles']).optional(),
  /** Haze that lies on the ground: its share behind the subjects and in front of them. */
  veil: z.object({ colour: triple, behind: share, before: share, drift: z.boolean().optional() }).optional(),
  /** All is dark but for a pool of light; `x` is on the side of the light, `flicker` how much it varies. */
  pool: z
    .object({
      dark: triple,
      x: z.number(),
      y: z.number(),
      radius: z.number(),
      flicker: share.optional(),
      hard: z.boolean().optional(),
    })
    .optional(),
  /** Light that spills into the lens from the side. */
  flare: z.object({ colour: triple, alpha: share, y: z.number().optional(), flicker: share.optional() }).optional(),
  /** A cone of light from above. */
  beam: z.object({ colour: triple, alpha: share }).optional(),
});
export type LightPreset = z.infer<typeof presetSchema>;

const stylePhrasesSchema = z.object({ after: phrases, before: phrases });

const filmSchema = stylePhrasesSchema.extend({
  /** Red, green and blue as sums of red, green and blue, row by row. */
  matrix: z.array(z.number()).length(9),
  /** What 0, 64, 128, 191 and 255 of each channel become afterwards; straight lines between. */
  curves: z.array(z.array(z.number()).length(5)).length(3),
  /** Spread of the noise, and scratches a frame. */
  grain: z.number().optional(),
  scratches: z.int().optional(),
});
export type Film = z.infer<typeof filmSchema>;

const named = <const K extends readonly string[], T extends z.ZodType>(kinds: K, each: T) =>
  z.record(z.enum(kinds as unknown as [K[number], ...K[number][]]), each);
const [, ...seasons] = seasonKinds;
const [, ...films] = filmKinds;

export const { light, season, style, film } = z
  .object({
    light: named(lightKinds, presetSchema.extend({ phrases })),
    season: named(seasons, phrases),
    style: named(styleKinds, stylePhrasesSchema),
    film: named(films, filmSchema),
  })
  .parse(looks);
