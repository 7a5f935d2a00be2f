import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hooksOf } from '../../../../main/engine/adapters/additions.ts';
import { freshWeights, kindOf } from '../../../../main/engine/adapters/parts.ts';
import type { ConceptShape } from '../../../../main/engine/adapters/set-and-sequence.ts';
import { selectBackend } from '../../../../main/engine/backends/select.ts';
import * as tf from '../../../../main/engine/backends/tf.ts';
import { type StagePlan, trainedNames } from '../../../../main/engine/methods/method.ts';
import { methodOf } from '../../../../main/engine/methods/registry.ts';
import type { WanPipeline } from '../../../../main/engine/models/wan/pipeline.ts';
import { timeFeatures, wanTransformer } from '../../../../main/engine/models/wan/transformer.ts';
import type { Hooks } from '../../../../main/engine/nn/hooks.ts';
import { Random } from '../../../../main/engine/nn/random.ts';
import { readTrainingState, writeTrainingState } from '../../../../main/engine/training/checkpoint.ts';
import { sortHeads } from '../../../../main/engine/training/heads.ts';
import { train } from '../../../../main/engine/training/train.ts';
import {
  type LearningMethod,
  methodName,
  plannedStages,
  plannedSteps,
  recipe,
} from '../../../../shared/domain/recipe.ts';
import { dispose, microRun, numbers, openMicroModel } from './micro.ts';

let pipeline: WanPipeline;
let folder: string;
beforeAll(async () => {
  await selectBackend({ device: 'onnxruntime', threads: 1 });
  pipeline = await openMicroModel();
  folder = await mkdtemp(join(tmpdir(), 'motif-methods-'));
});
afterAll(async () => {
  await pipeline.dispose();
  await rm(folder, { recursive: true });
});

/** The micro model's prediction for fixed inputs. */
async function forward(hooks?: Hooks): Promise<Float32Array> {
  const { transformerConfig: config } = pipeline;
  const parameters = await pipeline.transformer();
  const random = new Random('inputs');
  const latents = tf.tensor(random.normals(config.in_channels * 32), [1, config.in_channels, 2, 4, 4]);
  const text = tf.tensor(random.normals(3 * config.text_dim), [1, 3, config.text_dim]);
  return (await wanTransformer(
    config,
    parameters,
    { latents, text, timestep: timeFeatures(config, [400]) },
    { hooks },
  ).data()) as Float32Array;
}

const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Of those that differ in their recipes' defaults alone, the first. */
const distinct = methodName.options.filter(
  (name, index, all) => all.findIndex((other) => methodOf({ method: other }) === methodOf({ method: name })) === index,
);

describe.each(distinct)('%s', { timeout: 90_000 }, (method: LearningMethod) => {
  it('changes nothing when fresh', async () => {
    const { parts } = microRun(pipeline, { method });
    const weights = freshWeights(parts, new Random(1));
    const additions = Object.entries(parts).map(([name, part]) => {
      const kind = kindOf(part);
      const tensors = Object.keys(kind.tensors()).map((tensor) => [tensor, weights[`${name}.${tensor}`]!]);
      return kind.add(Object.fromEntries(tensors));
    });
    expect(await forward(hooksOf(additions))).toEqual(await forward());
  });

  it('moves in each stage what that stage trains, and nothing else', async () => {
    const { plans } = microRun(pipeline, { method });
    for (const [index, plan] of plans.entries()) {
      const steps = { stepsIdentity: 2, stepsMotion: 2 };
      const { run, fresh } = microRun(pipeline, { method, ...steps, learningRate: 0.01, tokenLearningRate: 0.01 });
      const state = fresh();
      const before = await numbers(state);
      // What is zero until another stage has trained it would hide a gradient.
      const random = new Random('start');
      for (const [name, tensor] of Object.entries(state.weights)) {
        state.weights[name] = tf.tensor(
          random.normals(tensor.size).map((value) => 0.1 * value),
          tensor.shape,
        );
        tensor.dispose();
      }
      const start = await numbers(state);
      // Where parts learn from different data, enough steps for both.
      const count = plan.trainsFrom ? 6 : 2;
      run.plans = run.plans.map((each, at) => ({ ...each, steps: at === index ? count : 0 }));
      const after = await numbers(await train(run, state));
      expect(Object.keys(after)).toEqual(Object.keys(before));
      for (const [name, values] of Object.entries(after)) {
        if (trainedNames(plan).includes(name)) expect(values, name).not.toEqual(start[name]);
        else expect(values, name).toEqual(start[name]);
      }
      dispose(state);
    }
  });

  it('overfits one clip', async () => {
    const input = {
      method,
      stepsIdentity: 60,
      stepsMotion: 60,
      learningRate: 0.03,
      tokenLearningRate: 0.3,
      promptDropout: 0,
      gradientClip: 1,
      regularisers: { priorPreservation: false, coefficientDropout: false, textTokenMasking: false },
    };
    /** Mean loss of each stage over the same noise and levels, learning nothing. */
    const lossesFrom = async (weights: Record<string, number[]> | undefined) => {
      const { run, losses, fresh, plans } = microRun(pipeline, input);
      const state = fresh();
      for (const [name, values] of Object.entries(weights ?? {})) {
        const { shape } = state.weights[name]!;
        state.weights[name]!.dispose();
        state.weights[name] = tf.tensor(values, shape);
      }
      const still = ({ rates }: StagePlan) => Object.fromEntries(Object.keys(rates).map((part) => [part, 0]));
      run.plans = plans.map((plan) => ({ ...plan, steps: 15, rates: still(plan) }));
      dispose(await train(run, state));
      return plans.map(({ label }) => mean(losses.filter(({ stage }) => stage === label).map(({ loss }) => loss)));
    };
    const before = await lossesFrom(undefined);
    const { run, fresh } = microRun(pipeline, input);
    const state = await train(run, fresh());
    const after = await lossesFrom(await numbers(state));
    dispose(state);
    // Words alone move the micro model, whose weights are random, only a little.
    for (const [index, { label, trains }] of run.plans.entries()) {
      const wordsAlone = Object.keys(trains).join() === 'words';
      expect(after[index]! / before[index]!, label).toBeLessThan(wordsAlone ? 0.999 : 0.8);
    }
  });

  it('goes on to the bit where it was stopped, in each stage', async () => {
    const steps = { stepsIdentity: 3, stepsMotion: 3 };
    const whole = microRun(pipeline, { method, ...steps });
    const expected = await numbers(await train(whole.run, whole.fresh()));
    const all = whole.losses.length;
    for (let stopAt = 2; stopAt < all; stopAt += 3) {
      const file = join(folder, `${method}-${stopAt}.safetensors`);
      const controller = new AbortController();
      let done = 0;
      const stopped = microRun(
        pipeline,
        { method, ...steps },
        {
          signal: controller.signal,
          save: (state) => writeTrainingState(file, state),
          onStep: () => {
            if (++done === stopAt) controller.abort();
          },
        },
      );
      await expect(train(stopped.run, stopped.fresh())).rejects.toMatchObject({ code: 'cancelled' });
      const resumed = microRun(pipeline, { method, ...steps });
      const state = (await readTrainingState(file))!;
      expect(state.losses).toHaveLength(stopAt);
      expect(await numbers(await train(resumed.run, state))).toEqual(expected);
    }
  });
});

describe('parts that learn from different data', () => {
  it('learn in turn: what does not learn in a step stays, and its moments with it', async () => {
    const steps = 8;
    const { run, fresh, losses } = microRun(pipeline, { method: 'dualreal', stepsMotion: steps, learningRate: 0.01 });
    const moved: string[] = [];
    const state = fresh();
    let before = await numbers(state);
    run.onStep = async ({ stage, loss }, now) => {
      losses.push({ stage, loss });
      const after = await numbers(now);
      const changed = (part: string) =>
        Object.keys(after).some((name) => name.startsWith(part) && `${after[name]}` !== `${before[name]}`);
      moved.push(['identity', 'motion'].filter(changed).join());
      before = after;
    };
    dispose(await train(run, state));
    // Each step moves one of the two.
    expect([...new Set(moved)].sort()).toEqual(['identity', 'motion']);
    expect(losses).toHaveLength(steps);
  });

  it('are corrected by how often they have learned: the first step of each is as long as the rate', async () => {
    const rate = 0.01;
    const input = {
      method: 'dualreal',
      stepsMotion: 8,
      learningRate: rate,
      weightDecay: 0,
      gradientClip: 1e9,
    } as const;
    const { run, fresh } = microRun(pipeline, input);
    const state = fresh();
    const first = new Map<string, number>();
    run.onStep = async (_, now) => {
      const after = await numbers(now);
      for (const part of ['identity', 'motion']) {
        // It starts at zero, so that its first update is the rate itself, by Adam's corrected moments.
        const largest = Math.max(...after[`${part}.up.weight`]!.map(Math.abs));
        if (largest > 0 && !first.has(part)) first.set(part, largest);
      }
    };
    dispose(await train(run, state));
    for (const part of ['identity', 'motion']) expect(first.get(part), part).toBeCloseTo(rate, 4);
  });
});

describe('heads', () => {
  it('learn apart: no column of the look and of the motion belongs to the same head', async () => {
    const input = { method: 'follow-your-motion', stepsIdentity: 3, stepsMotion: 3, learningRate: 0.05 } as const;
    const { run, fresh, parts } = microRun(pipeline, input);
    const learned = await numbers(await train(run, fresh()));
    const { layers, rank } = parts.look!.shape as ConceptShape;
    const width = layers.reduce((sum, { outSize }) => sum + outSize, 0);
    const heads = pipeline.transformerConfig.num_attention_heads;
    /** Which heads of each layer have moved: `3.1` is the second head of the fourth layer. */
    const moved = (name: string) => {
      const values = learned[`${name}.coefficients`]!;
      const found = new Set<string>();
      let column = 0;
      for (const [layer, { outSize }] of layers.entries())
        for (let own = 0; own < outSize; own++, column++)
          for (let row = 0; row < rank; row++)
            if (values[row * width + column] !== 0) found.add(`${layer}.${Math.floor((own * heads) / outSize)}`);
      return found;
    };
    const [look, motion] = [moved('look'), moved('motion')];
    expect([...look].filter((head) => motion.has(head))).toEqual([]);
    expect(look.size + motion.size).toBe(layers.length * heads);
    expect(look.size).toBe(motion.size);
    // Queries, keys and values of a head go together.
    for (const head of look)
      expect(look.has(`${3 * Math.floor(Number.parseInt(head, 10) / 3)}.${head.split('.')[1]}`)).toBe(true);
  });

  it('are divided by whether they look within frames or at the same place across them', async () => {
    const width = 4;
    /** Two frames of two places; the first head's keys are alike within a frame, the second's across frames. */
    const denoise = ({ latents }: { latents: tf.Tensor }, { hooks }: { hooks?: Hooks } = {}) => {
      const at = (frame: number, place: number) => [frame ? 5 : -5, 0, place ? 5 : -5, 0];
      const tokens = [0, 1].flatMap((frame) => [0, 1].map((place) => at(frame, place)));
      const x = tf.tensor([tokens], [1, 4, width]);
      hooks!.attention!('blocks.0.attn1', x, x, 2);
      return latents;
    };
    const denoiser = {
      denoise,
      selfConditioning: false,
      firstFrame: 'none' as const,
      latentChannels: 1,
      timeFeatures: () => tf.zeros([1, 2]) as tf.Tensor2D,
    };
    const clip = { values: new Float32Array(4), shape: [1, 2, 1, 2] };
    const tensors = tf.memory().numTensors;
    const texts = tf.zeros([2, 1, 1]) as tf.Tensor3D;
    const sorted = await sortHeads(denoiser, [clip, clip], texts);
    texts.dispose();
    expect(sorted).toEqual(new Map([['blocks.0.attn1', [true, false]]]));
    expect(tf.memory().numTensors).toBe(tensors);
  });
});

describe('recipes', () => {
  it("begin with their method's own numbers, and keep what is said", () => {
    expect(recipe.parse({})).toMatchObject({ method: 'set-and-sequence', rank: 64 });
    expect(recipe.parse({ method: 'lora-8' })).toMatchObject({ rank: 8, regularisers: { priorPreservation: true } });
    expect(recipe.parse({ method: 'lora-8', rank: undefined, stepsMotion: 5 })).toMatchObject({
      rank: 8,
      stepsMotion: 5,
    });
    const given = recipe.parse({ method: 'two-stage', regularisers: { selfConditioning: true } });
    expect(given.regularisers).toMatchObject({ selfConditioning: true, textTokenMasking: false });
    expect(recipe.parse(given)).toEqual(given);
    expect(() => recipe.parse('lora')).toThrow('recipe');
    expect(() => recipe.parse({ method: 'magic' })).toThrow('method');
  });
});

describe.each(methodName.options)('what is told of the stages of %s before it learns', (method) => {
  it('is what it does on a clip of several frames', () => {
    const asked = recipe.parse({ method, stepsIdentity: 11, stepsMotion: 22 });
    const stages = methodOf(asked).stages(asked, { moving: true, tokensLearn: true });
    const told = stages.map(({ label, steps, pictureShare }) => ({ label, steps, pictureShare }));
    expect(plannedStages(asked)).toEqual(told);
    expect(plannedSteps(asked)).toEqual(told.map(({ label, steps }) => ({ label, steps })));
  });
});

describe('methods that cannot work', () => {
  it('say why: words that cannot learn', () => {
    const asked = recipe.parse({ method: 'textual-inversion' });
    expect(() => methodOf(asked).stages(asked, { moving: true, tokensLearn: false })).toThrow('tokens cannot learn');
  });

  it.each(['newmove', 'motion-director', 'dualreal', 'follow-your-motion'] as const)(
    'say why: a single picture has no motion (%s)',
    (method) => {
      const asked = recipe.parse({ method });
      expect(() => methodOf(asked).stages(asked, { moving: false, tokensLearn: true })).toThrow('single frame');
    },
  );

  it('say why: layers that leave the look or the motion without any', () => {
    expect(() => microRun(pipeline, { method: 'motion-director', targetLayers: ['attn1.to_q'] })).toThrow('attn1');
  });
});

it('a mixed method learns from pictures and clips in the share of its recipe', () => {
  const shareOf = (pictureShare?: number, moving = true) => {
    const asked = recipe.parse({ method: 'dreammix', pictureShare });
    return methodOf(asked).stages(asked, { moving, tokensLearn: true })[0]!.pictureShare;
  };
  expect([shareOf(), shareOf(0.35), shareOf(0.35, false)]).toEqual([0.5, 0.35, 1]);
});
