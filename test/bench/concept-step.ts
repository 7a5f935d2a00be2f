import { freshConcept } from '../../main/engine/adapters/set-and-sequence.ts';
import { linearLayers, targetLayers } from '../../main/engine/adapters/target-layers.ts';
import * as tf from '../../main/engine/backends/tf.ts';
import { openWanPipeline } from '../../main/engine/models/wan/pipeline.ts';
import { type TransformerParameters, timeFeatures, wanTransformer } from '../../main/engine/models/wan/transformer.ts';
import {
  type TransformerConfig,
  transformerConfigSchema,
  transformerSpecs,
} from '../../main/engine/models/wan/transformer-config.ts';
import { Random } from '../../main/engine/nn/random.ts';
import { treeFromEntries } from '../../main/engine/nn/tree.ts';
import { adamW, type Tensors } from '../../main/engine/training/adamw.ts';
import { conceptStep, type Stage, type StepInputs, trainedNames } from '../../main/engine/training/step.ts';
import { recipe } from '../../shared/domain/recipe.ts';
import { latentShape } from './latents.ts';
import type { TaskWork } from './task.ts';

interface Work {
  config: TransformerConfig;
  parameters: TransformerParameters;
  stage: Stage;
  rank: number;
  batch: number;
  /** Latent frames, height and width. */
  size: number[];
  textTokens: number;
}

/** The transformer that engine.md's numbers are about: 6 layers x 384, 4 x 512 tokens, LoRA of rank 8 on every linear layer. */
export async function referenceStepTask(): Promise<TaskWork> {
  const config = transformerConfigSchema.parse({
    num_layers: 6,
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
  return stepTask({ config, parameters, stage: 'identity', rank: 8, batch: 4, size: [8, 16, 16], textTokens: 64 });
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

/**
 * Forward, backward, clipping and AdamW, as the peer does them. Self-conditioning's extra pass is left out on both sides; its input
 * channels are there.
 */
async function stepTask({ config, parameters, stage, rank, batch, size, textTokens }: Work): Promise<TaskWork> {
  const defaults = recipe.parse({});
  const shape = {
    layers: targetLayers(linearLayers(transformerSpecs(config)), defaults.targetLayers),
    rank,
    basisSide: defaults.basisSide,
  };
  const selfConditioned = config.in_channels === 2 * config.out_channels;
  const step = conceptStep(
    {
      selfConditioned,
      denoise: (noisy, previous, time, text, hooks) =>
        wanTransformer(
          config,
          parameters,
          { latents: previous ? tf.concat([noisy, previous], 1) : noisy, time, text },
          { hooks },
        ),
    },
    { stage, shape, optimiser: defaults, gradientClip: defaults.gradientClip, trainTokens: false },
    false,
  );
  const random = new Random(1);
  const normals = (...extent: number[]) => tf.tensor(random.normals(extent.reduce((a, b) => a * b)), extent);
  const weights: StepInputs['weights'] = freshConcept(shape, random);
  const names = trainedNames({ stage, trainTokens: false });
  const trained = () => Object.fromEntries(names.map((name) => [name, (weights as Tensors)[name]!]));
  let moments = adamW(defaults).init(trained());
  const clip = [batch, config.out_channels, ...size];
  const times = Array.from({ length: batch }, () => random.uniform());
  const texts = normals(1, textTokens, config.text_dim) as tf.Tensor3D;
  const data = {
    clean: normals(...clip),
    noise: normals(...clip),
    level: tf.tensor(times, [batch, 1, 1, 1, 1]),
    time: timeFeatures(
      config,
      times.map((time) => 1000 * time),
    ),
    texts,
    choice: tf.ones([batch, 1]),
    kept: tf.ones([batch, textTokens, 1]),
    weight: tf.ones([batch, 1, 1, 1, 1]),
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
