import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freshWeights } from '../../../../main/engine/adapters/parts.ts';
import { createCpuExecutor } from '../../../../main/engine/backends/lazy/executors/onnxruntime/cpu.ts';
import { lazyBackend, useLazyBackend } from '../../../../main/engine/backends/lazy/use.ts';
import { selectBackend } from '../../../../main/engine/backends/select.ts';
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

let pipeline: WanPipeline;

/** Everything is written out in standard operations, as for OpenVINO, which makes the largest graphs; nothing is computed. */
beforeAll(async () => {
  const executor = createCpuExecutor({ threads: 1 });
  const none = Object.fromEntries(Object.keys(executor.capabilities).map((name) => [name, false]));
  await useLazyBackend({
    ...executor,
    capabilities: none as unknown as typeof executor.capabilities,
    compile: (_, __, outputs) => ({
      run: () =>
        outputs.map((type) =>
          executor.upload(new Float32Array(type.shape.reduce((size, side) => size * side, 1)), type),
        ),
      dispose() {},
    }),
  });
  const directory = new URL('../../../../resources/models/motif-tiny', import.meta.url);
  pipeline = await openWanPipeline(fileURLToPath(directory));
});
afterAll(async () => {
  await pipeline.dispose();
  await selectBackend({ device: 'onnxruntime' });
});

it.each([0, 1])('a step of the default recipe on the embedded model is one program (stage %i)', async (index) => {
  const defaults = recipe.parse({});
  const method = methodOf(defaults);
  const plan = method.stages(defaults, { moving: true, tokensLearn: true })[index]!;
  const [kind] = dataKinds(plan);
  const { transformerConfig: config, extras, textEncoderConfig } = pipeline;
  const captions = ['a [v] person, in a park is dancing in [u] motion'];
  const model = await learnableModel(pipeline, captions, ['v', 'u'], 64e9);
  expect(model.selfConditioned).toBe(true);
  const parts = method.parts(wanShape(config), defaults);
  const random = new Random(1);
  const weights: Tensors = { ...freshWeights(parts, random), 'words.rows': tf.zeros([2, textEncoderConfig.d_model]) };
  const names = trainedNames(plan);
  const frames = kind === 'pictures' ? 1 : 5;
  const example = { latents: new Float32Array(config.out_channels * frames * 256), text: 0 };
  const shapeOfExample = [config.out_channels, frames, 16, 16];
  const bank = {
    learned: 1,
    encoded: tf.zeros([1, extras.maxTextTokens, config.text_dim]) as tf.Tensor3D,
    lengths: [16, 0],
    empty: 1,
  };
  const batch = drawBatch(
    random,
    { concept: [[{ ...example, shape: shapeOfExample }]], stitched: [], prior: [] },
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
  const before = lazyBackend()!.computation.programs.compiled;
  await conceptStep(model, { parts, plan, optimiser: defaults, gradientClip: 1 }, true).run({
    weights,
    moments: adamW(defaults).init(Object.fromEntries(names.map((name) => [name, weights[name]!]))),
    batch,
    rates: {
      learningRate: Object.fromEntries(names.map((name) => [name, tf.scalar(1e-4)])),
      correction1: tf.scalar(0.1),
      correction2: tf.scalar(0.1),
    },
  });
  expect(lazyBackend()!.computation.programs.compiled - before).toBe(1);
});
