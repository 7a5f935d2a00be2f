import { freshWeights } from '../../main/engine/adapters/parts.ts';
import * as tf from '../../main/engine/backends/tf.ts';
import { trainedNames } from '../../main/engine/methods/method.ts';
import { methodOf } from '../../main/engine/methods/registry.ts';
import { wanShape } from '../../main/engine/models/wan/denoiser.ts';
import { openWanPipeline } from '../../main/engine/models/wan/pipeline.ts';
import { type TransformerParameters, timeFeatures, wanTransformer } from '../../main/engine/models/wan/transformer.ts';
import {
  activationsOf,
  type TransformerConfig,
  transformerConfigSchema,
  transformerSpecs,
} from '../../main/engine/models/wan/transformer-config.ts';
import { Random } from '../../main/engine/nn/random.ts';
import { treeFromEntries } from '../../main/engine/nn/tree.ts';
import { adamW } from '../../main/engine/training/adamw.ts';
import { freeMemory } from '../../main/engine/training/free-memory.ts';
import { learnableModel, needsRecomputation } from '../../main/engine/training/learnable-model.ts';
import { conceptStep, type StepInputs, type TrainableModel } from '../../main/engine/training/step.ts';
import { recipe } from '../../shared/domain/recipe.ts';
import { latentShape } from './latents.ts';
import type { TaskWork } from './task.ts';

type Stage = 'identity' | 'motion';

interface Work {
  config: TransformerConfig;
  parameters: TransformerParameters;
  stage: Stage;
  rank: number;
  batch: number;
  /** Latent frames, height and width. */
  size: number[];
  textTokens: number;
  /** Captions whose tokens learn through the text encoder, before one that does not. */
  learned?: {
    captions: number;
    tokens: number;
    width: number;
    encodeLearned: TrainableModel['encodeLearned'];
  };
}

/** The reference transformer, 384 wide, with a LoRA of rank 8 on every linear layer; 6 layers and 4 x 512 tokens unless it shall grow. */
export async function referenceStepTask({
  layers = 6,
  tokens = 512,
  batch = 4,
}: {
  layers?: number;
  tokens?: number;
  batch?: number;
} = {}): Promise<TaskWork> {
  const config = transformerConfigSchema.parse({
    num_layers: layers,
    num_attention_heads: 6,
    attention_head_dim: 64,
    ffn_dim: 1536,
    freq_dim: 256,
    in_channels: 16,
    out_channels: 16,
    text_dim: 384,
    rope_max_seq_len: 256,
  });
  const parameters = randomParameters(config);
  const frames = Math.floor(tokens / 64);
  return {
    ...(await stepTask({
      config,
      parameters,
      stage: 'identity',
      rank: 8,
      batch,
      size: [frames, 16, 16],
      textTokens: 64,
    })),
    note: `${layers} layers, batch ${batch}, ${64 * frames} tokens`,
  };
}

/** One step of a stage on the model's own transformer: pictures in stage I, clips in stage II. */
export async function conceptStepTask(model: string, stage: Stage, rank: number, batch: number): Promise<TaskWork> {
  const pipeline = await openWanPipeline(model);
  const [, , ...size] = latentShape(pipeline, stage === 'identity' ? 1 : undefined);
  return stepTask({
    config: pipeline.transformerConfig,
    parameters: await pipeline.transformer(),
    stage,
    rank,
    batch,
    size,
    textTokens: pipeline.extras.maxTextTokens,
  });
}

/** Stage II of several concepts learned together: each has two captions with tokens of its own, which learn too. */
export async function jointStepTask(model: string, rank: number, batch: number, concepts: number): Promise<TaskWork> {
  const pipeline = await openWanPipeline(model);
  const [, , ...size] = latentShape(pipeline);
  const names = Array.from({ length: concepts }, (_, index) => [`v${index + 1}`, `u${index + 1}`]).flat();
  const captions = Array.from({ length: concepts }, (_, index) => [
    `a [v${index + 1}] person in a blue jacket, in a park`,
    `a [v${index + 1}] person in a blue jacket, in a park is dancing in [u${index + 1}] motion, as the camera zooms in`,
  ]).flat();
  const { encodeLearned } = await learnableModel(pipeline, captions, names, freeMemory());
  return {
    ...(await stepTask({
      config: pipeline.transformerConfig,
      parameters: await pipeline.transformer(),
      stage: 'motion',
      rank,
      batch,
      size,
      textTokens: pipeline.extras.maxTextTokens,
      learned: {
        captions: captions.length,
        tokens: names.length,
        width: pipeline.textEncoderConfig.d_model,
        encodeLearned,
      },
    })),
    note: `${concepts} concepts, ${captions.length} captions`,
  };
}

/**
 * Forward, backward, clipping and AdamW, as the peer does them. Self-conditioning's extra pass is left out on both sides; its input
 * channels are there.
 */
async function stepTask(work: Work): Promise<TaskWork> {
  const { config, parameters, stage, rank, batch, size, textTokens, learned } = work;
  const defaults = recipe.parse({ rank });
  const method = methodOf(defaults);
  const parts = method.parts(wanShape(config), defaults);
  const plans = method.stages(defaults, { moving: true, tokensLearn: learned !== undefined });
  const plan = plans.find(({ label }) => label === stage)!;
  const selfConditioned = config.in_channels === 2 * config.out_channels;
  const activations = (latents: readonly number[]) => activationsOf(config, latents);
  const step = conceptStep(
    {
      selfConditioned,
      denoise: (noisy, previous, timestep, text, hooks) =>
        wanTransformer(
          config,
          parameters,
          { latents: previous ? tf.concat([noisy, previous], 1) : noisy, timestep, text },
          { hooks, recompute: needsRecomputation({ activations }, noisy.shape, freeMemory()) },
        ),
      ...(learned ? { encodeLearned: learned.encodeLearned! } : {}),
    },
    { parts, plan, optimiser: defaults, gradientClip: defaults.gradientClip },
    false,
  );
  const random = new Random(1);
  const normals = (...extent: number[]) => tf.tensor(random.normals(extent.reduce((a, b) => a * b)), extent);
  const weights: StepInputs['weights'] = {
    ...freshWeights(parts, random),
    ...(learned ? { 'words.rows': normals(learned.tokens, learned.width) } : {}),
  };
  const names = trainedNames(plan);
  const trained = () => Object.fromEntries(names.map((name) => [name, weights[name]!]));
  let moments = adamW(defaults).init(trained());
  const clip = [batch, config.out_channels, ...size];
  const times = Array.from({ length: batch }, () => random.uniform());
  const texts = normals(1, textTokens, config.text_dim) as tf.Tensor3D;
  const data = {
    clean: normals(...clip),
    noise: normals(...clip),
    level: tf.tensor(times, [batch, 1, 1, 1, 1]),
    timestep: timeFeatures(
      config,
      times.map((time) => 1000 * time),
    ),
    texts,
    choice: chosen(batch, learned?.captions ?? 0),
    kept: tf.ones([batch, textTokens, 1]),
    weight: tf.ones([batch, 1, 1, 1, 1]),
    masks: {},
  };
  const rates = {
    learningRate: Object.fromEntries(names.map((name) => [name, tf.scalar(1e-4)])),
    correction1: tf.scalar(0.1),
    correction2: tf.scalar(0.01),
  };
  return {
    note: `batch ${batch}, rank ${rank}`,
    async work() {
      const next = await step.run({ weights, moments, batch: data, rates });
      tf.dispose([...Object.values(trained()), ...Object.values(moments.first), ...Object.values(moments.second)]);
      Object.assign(weights, next.trained);
      moments = next.moments;
      await next.loss.data();
      next.loss.dispose();
    },
  };
}

/** Each row has one of the captions that learn, in turn, or the only other text: -> [batch, captions + 1] */
function chosen(batch: number, captions: number): tf.Tensor {
  const rows = Array.from({ length: batch }, (_, row) =>
    Array.from({ length: captions + 1 }, (_, index) => Number(index === (captions > 0 ? row % captions : 0))),
  );
  return tf.tensor2d(rows);
}

/** Weights of the size of a trained model's, so that the arithmetic is that of a real step. */
function randomParameters(config: TransformerConfig): TransformerParameters {
  const random = new Random(2);
  const entries = [...transformerSpecs(config)].map(
    ([name, { stored, view = stored, axes, shape }]): [string, tf.Tensor] => {
      const extent = shape ?? axes?.map((axis) => view[axis]!) ?? view;
      const values = random.normals(extent.reduce((a, b) => a * b)).map((value) => value * 0.02);
      return [name, tf.tensor(name.includes('norm') && name.endsWith('weight') ? values.map(() => 1) : values, extent)];
    },
  );
  return treeFromEntries(entries) as unknown as TransformerParameters;
}
