import type { Recipe } from '../../../shared/domain/recipe.ts';
import * as tf from '../backends/tf.ts';
import type { DataKind, StagePlan } from '../methods/method.ts';
import type { Random } from '../nn/random.ts';
import { drawNoiseLevels, type NoiseLevels } from './flow-matching.ts';
import type { Batch } from './step.ts';

/**
 * Latents [channels, frames, height, width], which text describes them, and what else they are conditioned
 * on.
 */
type Example = {
  latents: Float32Array;
  shape: readonly number[];
  text: number;
  /** How its pictures look. */
  appearances?: readonly Float32Array[];
};

/** What a stage learns from. */
export type StageData = {
  /** One list per clip of the concept: its pictures, or the clip itself. */
  concept: Example[][];
  /** Clips of a joint concept side by side. */
  stitched: Example[];
  /** Sampled from the base model. */
  prior: Example[];
};

/** The encoded texts of a run: learned captions come first and are not in `encoded`. */
export type TextBank = {
  learned: number;
  /** [texts, tokens, width] */
  encoded: tf.Tensor3D;
  /** How many tokens of each text count, learned ones first. */
  lengths: number[];
  /** Index of the empty prompt. */
  empty: number;
};

export type BatchOptions = {
  recipe: Recipe;
  plan: StagePlan;
  /** What the batch is drawn from. */
  kind: DataKind;
  noiseLevels: NoiseLevels;
  /** Levels (0 to 1) -> features for the model [batch, features]. */
  timeFeatures(levels: readonly number[]): tf.Tensor;
  /** Shapes of the weights, on which dropout masks lie. */
  weightShapes: Readonly<Record<string, readonly number[]>>;
  /** Of which weights only some numbers act in this stage, in every step the same. */
  fixedMasks?: Readonly<Record<string, Float32Array>>;
};

/** Draws one batch. The caller owns its tensors, but for `texts`, which is the bank's. */
export function drawBatch(random: Random, data: StageData, bank: TextBank, options: BatchOptions): Batch {
  const { recipe, plan, weightShapes, fixedMasks = {} } = options;
  const rows = drawExamples(random, data, options);
  const count = rows.length;
  const size = rows[0]!.example.latents.length;
  const shape = [count, ...rows[0]!.example.shape] as [number, number, number, number, number];
  const clean = new Float32Array(count * size);
  for (const [row, { example }] of rows.entries()) clean.set(example.latents, row * size);
  const { noiseLevels } = options;
  const levels = drawNoiseLevels(random, count, plan.coarse ? { ...noiseLevels, distribution: 'coarse' } : noiseLevels);

  const texts = bank.learned + bank.encoded.shape[0];
  const tokens = bank.encoded.shape[1];
  const choice = new Float32Array(count * texts);
  const kept = new Float32Array(count * tokens).fill(1);
  for (const [row, { example }] of rows.entries()) {
    const text = random.uniform() < recipe.promptDropout ? bank.empty : example.text;
    choice[row * texts + text] = 1;
    if (!recipe.regularisers.textTokenMasking) continue;
    for (let token = 0; token < bank.lengths[text]!; token++)
      if (random.uniform() < recipe.textTokenDropout) kept[row * tokens + token] = 0;
  }
  return {
    clean: tf.tensor5d(clean, shape),
    noise: tf.tensor5d(random.normals(clean.length), shape),
    level: tf.tensor(levels, [count, 1, 1, 1, 1]),
    timestep: options.timeFeatures(levels),
    texts: bank.encoded,
    choice: tf.tensor2d(choice, [count, texts]),
    kept: tf.tensor3d(kept, [count, tokens, 1]),
    weight: tf.tensor(
      rows.map(({ weight }) => weight),
      [count, 1, 1, 1, 1],
    ),
    ...(plan.blankAppearance === null ? {} : { appearance: drawAppearances(random, rows, plan.blankAppearance) }),
    ...(plan.debiased > 0 && shape[2] > 1 ? { anchor: drawAnchors(random, count, shape[2]) } : {}),
    masks: Object.fromEntries([
      ...Object.entries(fixedMasks).map(([name, mask]) => [name, tf.tensor(mask, [...weightShapes[name]!])] as const),
      ...Object.entries(plan.dropout).flatMap(([name, probability]) => {
        const shape = [...weightShapes[name]!];
        if (probability === 0) return [];
        return [[name, tf.tensor(dropoutMask(random, shape, probability, recipe.dropoutRescale), shape)] as const];
      }),
    ]),
  };
}

/** A random frame of each row: 1 there, else 0 [rows, 1, frames, 1, 1]. */
function drawAnchors(random: Random, rows: number, frames: number): tf.Tensor {
  const anchors = new Float32Array(rows * frames);
  for (let row = 0; row < rows; row++) anchors[row * frames + random.integer(frames)] = 1;
  return tf.tensor(anchors, [rows, 1, frames, 1, 1]);
}

/** Of a random picture of each row, or blank: -> [rows, values] */
function drawAppearances(random: Random, rows: readonly Row[], blank: number): tf.Tensor2D {
  const appearances = rows.map(({ example: { appearances = [] } }) => {
    if (appearances.length === 0) throw new Error('an example without pictures has no appearance');
    const chosen = appearances[random.integer(appearances.length)]!;
    return random.uniform() < blank ? new Float32Array(chosen.length) : chosen;
  });
  const size = appearances[0]!.length;
  const values = new Float32Array(rows.length * size);
  for (const [row, appearance] of appearances.entries()) values.set(appearance, row * size);
  return tf.tensor2d(values, [rows.length, size]);
}

/** Frees what `drawBatch` made. */
export function disposeBatch({ texts: _, ...own }: Batch): void {
  tf.dispose(own as unknown as tf.TensorContainer);
}

type Row = { example: Example; weight: number };

/** The rows of a batch, all of one shape: that of the first, which is drawn freely. */
function drawExamples(random: Random, data: StageData, { recipe, plan, kind }: BatchOptions): Row[] {
  const batchSize = plan.batchSize[kind];
  const first = drawConcept(random, data, recipe.stitchedShare, () => true);
  const fits = ({ shape }: Example) => `${shape}` === `${first.shape}`;
  const prior = data.prior.filter(fits);
  const priorRows = prior.length > 0 ? Math.min(batchSize - 1, Math.round(batchSize * recipe.priorShare)) : 0;
  const rows: Row[] = [{ example: first, weight: 1 }];
  while (rows.length < batchSize - priorRows)
    rows.push({ example: drawConcept(random, data, recipe.stitchedShare, fits), weight: 1 });
  while (rows.length < batchSize)
    rows.push({ example: prior[random.integer(prior.length)]!, weight: recipe.priorWeight });
  return rows;
}

function drawConcept(random: Random, data: StageData, stitchedShare: number, fits: (e: Example) => boolean): Example {
  const stitched = data.stitched.filter(fits);
  if (stitched.length > 0 && random.uniform() < stitchedShare) return stitched[random.integer(stitched.length)]!;
  const clips = data.concept.map((examples) => examples.filter(fits)).filter((examples) => examples.length > 0);
  const clip = clips[random.integer(clips.length)] ?? stitched;
  return clip[random.integer(clip.length)]!;
}

/**
 * 0 for a dropped weight, else 1, or 1 / (1 - p) when the kept ones make up for the dropped (docs/method.md).
 */
function dropoutMask(random: Random, shape: readonly number[], p: number, rescale: boolean): Float32Array {
  const kept = rescale ? 1 / (1 - p) : 1;
  const limit = (1 - p) * 2 ** 32;
  const mask = new Float32Array(shape.reduce((size, length) => size * length, 1));
  for (let i = 0; i < mask.length; i++) mask[i] = random.uint32() < limit ? kept : 0;
  return mask;
}
