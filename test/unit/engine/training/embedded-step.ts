import { fileURLToPath } from 'node:url';
import { freshWeights } from '../../../../main/engine/adapters/parts.ts';
import type { LazyBackend } from '../../../../main/engine/backends/lazy/backend.ts';
import { createCpuExecutor } from '../../../../main/engine/backends/lazy/executors/onnxruntime/cpu.ts';
import { useLazyBackend } from '../../../../main/engine/backends/lazy/use.ts';
import * as tf from '../../../../main/engine/backends/tf.ts';
import { dataKinds, trainedNames } from '../../../../main/engine/methods/method.ts';
import { methodOf } from '../../../../main/engine/methods/registry.ts';
import { wanShape } from '../../../../main/engine/models/wan/denoiser.ts';
import { openWanPipeline, type WanPipeline } from '../../../../main/engine/models/wan/pipeline.ts';
import { timeFeatures } from '../../../../main/engine/models/wan/transformer.ts';
import { Random } from '../../../../main/engine/nn/random.ts';
import { adamW, type Tensors } from '../../../../main/engine/training/adamw.ts';
import { drawBatch } from '../../../../main/engine/training/batches.ts';
import { learnableModel } from '../../../../main/engine/training/learnable-model.ts';
import { conceptStep } from '../../../../main/engine/training/step.ts';
import { recipe } from '../../../../shared/domain/recipe.ts';

/** Graphs are recorded as for the processor, or, `plain`, all of standard operations as for OpenVINO; nothing is computed. */
export async function useRecording({ plain }: { plain: boolean }): Promise<LazyBackend> {
  const executor = createCpuExecutor({ threads: 1 });
  const none = Object.fromEntries(Object.keys(executor.capabilities).map((name) => [name, false]));
  return useLazyBackend({
    ...executor,
    ...(plain && { capabilities: none as unknown as typeof executor.capabilities }),
    compile: (_, __, outputs) => ({
      run: () =>
        outputs.map((type) =>
          executor.upload(new Float32Array(type.shape.reduce((size, side) => size * side, 1)), type),
        ),
      dispose() {},
    }),
  });
}

export const openEmbedded = (): Promise<WanPipeline> =>
  openWanPipeline(fileURLToPath(new URL('../../../../resources/models/motif-tiny', import.meta.url)));

/** A step of the default recipe's stage number `index` on the embedded model, with self-conditioning or without. */
export async function runEmbeddedStep(
  pipeline: WanPipeline,
  index: number,
  { conditioned = true, activationBytes = 64e9 } = {},
): Promise<void> {
  const defaults = recipe.parse({});
  const method = methodOf(defaults);
  const plan = method.stages(defaults, { moving: true, tokensLearn: true })[index]!;
  const [kind] = dataKinds(plan);
  const { transformerConfig: config, extras, textEncoderConfig } = pipeline;
  const captions = ['a [v] person, in a park is dancing in [u] motion'];
  const model = await learnableModel(pipeline, captions, ['v', 'u'], activationBytes);
  const parts = method.parts(wanShape(config), defaults);
  const random = new Random(1);
  const weights: Tensors = { ...freshWeights(parts, random), 'words.rows': tf.zeros([2, textEncoderConfig.d_model]) };
  const names = trainedNames(plan);
  const frames = kind === 'pictures' ? 1 : 5;
  const example = { latents: new Float32Array(config.out_channels * frames * 256), text: 0 };
  const bank = {
    learned: 1,
    encoded: tf.zeros([1, extras.maxTextTokens, config.text_dim]) as tf.Tensor3D,
    lengths: [16, 0],
    empty: 1,
  };
  const batch = drawBatch(
    random,
    { concept: [[{ ...example, shape: [config.out_channels, frames, 16, 16] }]], stitched: [], prior: [] },
    bank,
    {
      recipe: defaults,
      plan,
      noiseLevels: { distribution: 'uniform', shift: 1 },
      timeFeatures: (levels) => timeFeatures(config, [...levels]),
      kind: kind!,
      weightShapes: Object.fromEntries(Object.entries(weights).map(([name, { shape }]) => [name, shape])),
    },
  );
  await conceptStep(model, { parts, plan, optimiser: defaults, gradientClip: 1 }, conditioned).run({
    weights,
    moments: adamW(defaults).init(Object.fromEntries(names.map((name) => [name, weights[name]!]))),
    batch,
    rates: {
      learningRate: Object.fromEntries(names.map((name) => [name, tf.scalar(1e-4)])),
      correction1: tf.scalar(0.1),
      correction2: tf.scalar(0.1),
    },
  });
}
