import { beforeAll, describe, expect, it } from 'vitest';
import { freshTokens, markPrompt, specialTokens, tokenHooks } from '../../../../main/engine/adapters/tokens.ts';
import * as tf from '../../../../main/engine/backends/tf.ts';
import { stage } from '../../../../main/engine/methods/method.ts';
import { Random } from '../../../../main/engine/nn/random.ts';
import { adamW, biasCorrections, clipGlobalNorm } from '../../../../main/engine/training/adamw.ts';
import { drawBatch, type StageData } from '../../../../main/engine/training/batches.ts';
import {
  addNoise,
  debiasedLoss,
  drawNoiseLevels,
  predictedClean,
} from '../../../../main/engine/training/flow-matching.ts';
import { Rate } from '../../../../main/engine/training/rate.ts';
import { learningRateFactor } from '../../../../main/engine/training/schedule.ts';
import { ownTokens } from '../../../../shared/domain/concept.ts';
import { toyBank, toyRecipe } from './toy.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('the optimiser', () => {
  it('moves as torch.optim.AdamW does on clipped gradients of x^3', () => {
    const options = { beta1: 0.9, beta2: 0.99, weightDecay: 0.01 };
    const optimiser = adamW(options);
    let parameters: Record<string, tf.Tensor> = { x: tf.tensor1d([0.5, -1, 2]) };
    let state = optimiser.init(parameters);
    // From PyTorch 2.15: AdamW([x], lr=0.1, betas=(0.9, 0.99), weight_decay=0.01) after clip_grad_norm_([x], 0.05).
    const expected = [
      [0.3995003402233124, -1.0989999771118164, 1.8980000019073486],
      [0.3015521764755249, -1.197640299797058, 1.7961604595184326],
      [0.20882964134216309, -1.2959301471710205, 1.6945785284042358],
    ];
    for (const [index, values] of expected.entries()) {
      const { gradients } = clipGlobalNorm({ x: tf.mul(3, tf.square(parameters.x!)) }, 0.05);
      const [correction1, correction2] = biasCorrections(options, index + 1).map((value) => tf.scalar(value));
      const rates = { learningRate: { x: tf.scalar(0.1) }, correction1: correction1!, correction2: correction2! };
      ({ parameters, state } = optimiser.update(parameters, gradients, state, rates));
      for (const [i, value] of parameters.x!.dataSync().entries()) expect(value).toBeCloseTo(values[i]!, 5);
    }
  });

  it('scales gradients down together, and never up', () => {
    const gradients = { a: tf.tensor1d([3]), b: tf.tensor1d([4]) };
    const clipped = clipGlobalNorm(gradients, 1);
    expect(clipped.norm.dataSync()[0]).toBeCloseTo(5);
    expect(clipped.gradients.b!.dataSync()[0]).toBeCloseTo(0.8);
    expect(clipGlobalNorm(gradients, 10).gradients.b!.dataSync()[0]).toBe(4);
  });

  it('warms up linearly and then stays', () => {
    const warm = { schedule: 'warmup', warmupSteps: 4 } as const;
    expect([1, 2, 4, 9].map((step) => learningRateFactor(warm, step))).toEqual([0.25, 0.5, 1, 1]);
    expect(learningRateFactor({ schedule: 'constant', warmupSteps: 4 }, 1)).toBe(1);
  });
});

describe('flow matching', () => {
  it('recovers the clean latents from the true velocity', () => {
    const [clean, noise, level] = [tf.tensor1d([1, 2]), tf.tensor1d([-1, 3]), tf.scalar(0.3)];
    const again = predictedClean(addNoise(clean, noise, level), tf.sub(noise, clean), level);
    expect([...again.dataSync()].map((value) => Math.round(value * 1e5) / 1e5)).toEqual([1, 2]);
  });

  it('draws coarse levels by their density: a share of s - sin(pi s) / (2 pi) lies below s', () => {
    const levels = drawNoiseLevels(new Random(1), 4000, { distribution: 'coarse', shift: 1 });
    for (const s of [0.2, 0.5, 0.8]) {
      const share = levels.filter((level) => level < s).length / levels.length;
      expect(Math.abs(share - (s - Math.sin(Math.PI * s) / (2 * Math.PI)))).toBeLessThan(0.02);
    }
    expect(Math.min(...levels)).toBeGreaterThan(0);
    expect(Math.max(...levels)).toBeLessThan(1);
  });

  it('draws levels between 0 and 1 that a shift moves towards noise', () => {
    const draw = (shift: number) =>
      drawNoiseLevels(new Random(1), 2000, { distribution: 'logit-normal', shift }).sort((a, b) => a - b);
    for (const levels of [draw(1), draw(3)]) expect(levels[0]! > 0 && levels.at(-1)! < 1).toBe(true);
    expect(draw(1)[1000]).toBeCloseTo(0.5, 1);
    expect(draw(3)[1000]).toBeCloseTo(0.75, 1);
  });
});

describe('levels of a model whose other transformer has the high noise', () => {
  it('stay below the boundary, as densely as without one there', () => {
    const levels = { distribution: 'uniform', shift: 12 } as const;
    const below = drawNoiseLevels(new Random(1), 4000, { ...levels, below: 0.875 });
    expect(Math.max(...below)).toBeLessThan(0.875);
    const all = drawNoiseLevels(new Random(2), 12_000, levels).filter((level) => level < 0.875);
    const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;
    expect(Math.abs(median(below) - median(all))).toBeLessThan(0.02);
  });
});

describe('the error without appearance', () => {
  it('is that of frames against the anchor: what all frames share weighs (sqrt(2) - 1)^2 of what it does in the whole', () => {
    const [clean, noise] = [tf.zeros([1, 1, 3, 1, 1]), tf.zeros([1, 1, 3, 1, 1])];
    const weight = tf.ones([1, 1, 1, 1, 1]);
    const anchor = tf.tensor([0, 1, 0], [1, 1, 3, 1, 1]);
    const loss = (...error: number[]) =>
      debiasedLoss(tf.tensor(error, [1, 1, 3, 1, 1]), { clean, noise, weight, anchor }).dataSync()[0];
    expect(loss(2, 2, 2)).toBeCloseTo(4 * (Math.SQRT2 - 1) ** 2, 5);
    expect(loss(1, 0, 0)).toBeCloseTo(2 / 3, 5);
    expect(loss(0, 1, 0)).toBeCloseTo((2 + (Math.SQRT2 - 1) ** 2) / 3, 5);
  });
});

describe('a batch', () => {
  const example = (value: number, text: number, frames = 1) => ({
    latents: new Float32Array(frames).fill(value),
    shape: [1, frames, 1, 1],
    text,
  });
  const data: StageData = {
    concept: [[example(1, 0)], [example(2, 1)]],
    stitched: [example(3, 0)],
    prior: [example(9, 3), example(9, 3, 2)],
  };
  const draw = (changes: Parameters<typeof toyRecipe>[0], seed = 1, dropout = 0) => {
    const recipe = toyRecipe(changes);
    const plan = stage(
      { ...recipe, batchSize: 8 },
      { label: 'any', steps: 1, trains: {}, dropout: { 'concept.residual': dropout } },
    );
    return drawBatch(new Random(seed), data, toyBank(), {
      recipe,
      plan,
      noiseLevels: { distribution: 'uniform', shift: 1 },
      timeFeatures: (levels) => tf.tensor2d([...levels], [levels.length, 1]),
      kind: 'pictures',
      weightShapes: { 'concept.residual': [2, 50] },
    });
  };
  const maskOf = ({ masks }: ReturnType<typeof draw>) => masks['concept.residual'];
  const rows = (tensor: tf.Tensor) => [...tensor.dataSync()];

  it('has its share of prior examples, weighted, and only of the shape of the others', () => {
    const batch = draw({ priorShare: 0.25, priorWeight: 0.5 });
    expect(rows(batch.clean).slice(6)).toEqual([9, 9]);
    expect(rows(batch.clean).slice(0, 6)).not.toContain(9);
    expect(rows(batch.weight)).toEqual([1, 1, 1, 1, 1, 1, 0.5, 0.5]);
  });

  it('has stitched clips as often as the recipe says', () => {
    expect(rows(draw({ stitchedShare: 0 }).clean)).not.toContain(3);
    expect(rows(draw({ stitchedShare: 1 }).clean).filter((value) => value === 3)).toHaveLength(6);
  });

  it('drops whole prompts for guidance, and single tokens', () => {
    const all = draw({ promptDropout: 1 });
    expect(new Set(tf.argMax(all.choice as tf.Tensor2D, 1).dataSync())).toEqual(new Set([2]));
    expect(rows(draw({ promptDropout: 0, textTokenDropout: 1 }).kept)).toEqual(new Array(16).fill(0));
    const off = draw({ textTokenDropout: 1, regularisers: { textTokenMasking: false } });
    expect(rows(off.kept)).toEqual(new Array(16).fill(1));
  });

  it('masks the weights of B with the given probability, rescaled if asked', () => {
    const share = (batch: ReturnType<typeof draw>) => rows(maskOf(batch)!).filter((value) => value === 0).length / 100;
    expect(maskOf(draw({}))).toBeUndefined();
    expect(share(draw({}, 1, 0.8))).toBeGreaterThan(0.65);
    expect(share(draw({}, 1, 0.8))).toBeLessThan(0.92);
    expect(new Set(rows(maskOf(draw({ dropoutRescale: true }, 1, 0.75))!))).toEqual(new Set([0, 4]));
  });

  it('is the same for the same seed', () => {
    expect(rows(draw({}, 5).noise)).toEqual(rows(draw({}, 5).noise));
    expect(rows(draw({}, 5).noise)).not.toEqual(rows(draw({}, 6).noise));
  });
});

describe('special tokens', () => {
  const vocabulary = { idOf: (token: string) => (token === '[v]' ? 7 : undefined) };

  it('are found in captions, [v1] being [v], and are the own ones of each clip of a joint concept', () => {
    expect(specialTokens('a [v] person and a [v2] dog in [u1] and [u] motion')).toEqual(['v', 'v2', 'u']);
    expect(ownTokens('a [v] dog in [u] motion beside [v1]', 1)).toBe('a [v2] dog in [u2] motion beside [v1]');
    expect(ownTokens('a [v] dog', 0)).toBe('a [v] dog');
  });

  it('become one marker each in a prompt, unknown ones staying as written', () => {
    expect(markPrompt('a [v] dog, [u2] and [v9]', ['v', 'u2'], vocabulary)).toEqual({
      text: 'a [v] dog, [v] and [v9]',
      names: ['v', 'u2'],
    });
    expect(() => markPrompt('a [v] dog', ['v'], { idOf: () => undefined })).toThrow('vocabulary');
  });

  it('take the rows of their own embeddings, and gradients reach only those', () => {
    const base = tf.ones([2, 3, 2]);
    const ids = [
      [1, 7, 7],
      [7, 2, 3],
    ];
    const embed = (embeddings: tf.Tensor2D) =>
      tokenHooks([['v', 'u'], ['u']], ['v', 'u'], embeddings, vocabulary).embedTokens!(ids, base);
    const embeddings = tf.tensor2d([2, 3, 4, 5], [2, 2]);
    expect(embed(embeddings).arraySync()).toEqual([
      [
        [1, 1],
        [2, 3],
        [4, 5],
      ],
      [
        [4, 5],
        [1, 1],
        [1, 1],
      ],
    ]);
    const gradient = tf.grad((x) => tf.sum(embed(x as tf.Tensor2D)))(embeddings);
    expect([...gradient.dataSync()]).toEqual([1, 1, 2, 2]);
  });

  it('start at zeros, but for the further ones of a joint concept, which must differ', () => {
    const random = new Random(1);
    const { values } = freshTokens(['v', 'u', 'v2'], 4, 3, (count) => random.normals(count));
    expect([...values.subarray(0, 8)]).toEqual(new Array(8).fill(0));
    expect(Math.hypot(...values.subarray(8))).toBeCloseTo(3, 5);
  });
});

it('the rate of progress and the time left follow the last steps', () => {
  const rate = new Rate(2);
  expect(rate.pace(30)).toEqual({ perSecond: null, etaSeconds: null });
  for (const now of [0, 5000, 6000, 7000]) rate.tick(now);
  expect(rate.pace(30)).toEqual({ perSecond: 1, etaSeconds: 30 });
});
