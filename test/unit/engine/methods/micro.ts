import { fileURLToPath } from 'node:url';
import { appearanceOf } from '../../../../main/engine/adapters/appearance.ts';
import * as tf from '../../../../main/engine/backends/tf.ts';
import { type DataKind, tokenRows, trainedNames } from '../../../../main/engine/methods/method.ts';
import { methodOf } from '../../../../main/engine/methods/registry.ts';
import { wanShape } from '../../../../main/engine/models/wan/denoiser.ts';
import { openWanPipeline, type WanPipeline } from '../../../../main/engine/models/wan/pipeline.ts';
import { timeFeatures } from '../../../../main/engine/models/wan/transformer.ts';
import { Random } from '../../../../main/engine/nn/random.ts';
import { encodePrompts } from '../../../../main/engine/sampling/concept-sampler.ts';
import type { StageData } from '../../../../main/engine/training/batches.ts';
import type { TrainingState } from '../../../../main/engine/training/checkpoint.ts';
import { freshRun, startTokens } from '../../../../main/engine/training/concept-state.ts';
import { headMasks, sortHeads } from '../../../../main/engine/training/heads.ts';
import { learnableModel } from '../../../../main/engine/training/learnable-model.ts';
import type { TrainingRun } from '../../../../main/engine/training/train.ts';
import { type RecipeInput, recipe } from '../../../../shared/domain/recipe.ts';

export const openMicroModel = () => openWanPipeline(fileURLToPath(new URL('../../../golden/model', import.meta.url)));

const captions: Record<DataKind, string> = {
  pictures: 'a [v] dog on the beach',
  clips: 'a [v] dog on the beach runs in [u] motion',
};

/** A clip of smooth latents [4, 2, 4, 4], and its two frames as pictures. */
function microData(channels: number): Record<DataKind, StageData> {
  const random = new Random('micro clip');
  const plane = () => random.normals(channels).map((value) => 1.5 * value);
  const frames = [plane(), plane()];
  const latents = (of: Float32Array[]) =>
    Float32Array.from({ length: channels * of.length * 16 }, (_, index) => {
      const [channel, frame] = [Math.floor(index / (16 * of.length)), Math.floor(index / 16) % of.length];
      return of[frame]![channel]!;
    });
  const example = (of: Float32Array[]) => {
    const appearances = of.map((frame) => appearanceOf({ values: latents([frame]), shape: [channels, 1, 4, 4] }));
    return { latents: latents(of), shape: [channels, of.length, 4, 4], text: 0, appearances };
  };
  const data = (examples: StageData['prior']) => ({ concept: [examples], stitched: [], prior: [] });
  return { pictures: data(frames.map((frame) => example([frame]))), clips: data([example(frames)]) };
}

/** A run of a method on the micro model, with what it reports. */
export function microRun(pipeline: WanPipeline, input: RecipeInput, changes: Partial<TrainingRun> = {}) {
  const asked = recipe.parse({ rank: 2, batchSize: 2, batchSizeMotion: 2, checkpointEvery: 2, ...input });
  const method = methodOf(asked);
  const { transformerConfig: config, textEncoderConfig, tokenizer: _ } = pipeline;
  const parts = method.parts(wanShape(config), asked);
  const plans = method.stages(asked, { moving: true, tokensLearn: asked.tokenLearningRate > 0 });
  const start = startTokens(['v', 'u'], textEncoderConfig.d_model, asked.seed);
  const data = microData(config.out_channels);
  const losses: { stage: string; loss: number }[] = [];
  const run: TrainingRun = {
    parts,
    recipe: asked,
    plans,
    async stageOf(plan, kind, weights) {
      const learned = plan.trains.words ? [captions[kind]] : [];
      const rows = weights[tokenRows];
      const tokens = { names: start.names, values: rows ? ((await rows.data()) as Float32Array) : start.values };
      const others = [...(learned.length > 0 ? [] : [captions[kind]]), ''];
      const encoded = await encodePrompts(pipeline, others, tokens);
      const bank = { learned: learned.length, encoded, lengths: [8, 0], empty: 1 };
      return { model: await learnableModel(pipeline, learned, start.names, 64e9), bank, data: data[kind] };
    },
    async masksOf(plan) {
      if (plan.heads === null) return {};
      const texts = await encodePrompts(pipeline, [captions.clips], start);
      const [clip] = data.clips.concept[0]!;
      const latents = { values: clip!.latents, shape: [...clip!.shape] };
      const sorted = await sortHeads(await pipeline.denoiser(), [latents], texts).finally(() => texts.dispose());
      return headMasks(parts, plan, sorted);
    },
    noiseLevels: { distribution: 'uniform', shift: 1 },
    timeFeatures: (levels) =>
      timeFeatures(
        config,
        levels.map((level) => 1000 * level),
      ),
    isEnough: () => false,
    onStep: ({ stage, loss }) => void losses.push({ stage, loss }),
    save: async () => {},
    ...changes,
  };
  const trainsTokens = plans.some((plan) => trainedNames(plan).includes(tokenRows));
  return { run, losses, plans, parts, fresh: () => freshRun(parts, start, asked.seed, trainsTokens) };
}

/** All weights as plain numbers. */
export async function numbers({ weights }: TrainingState): Promise<Record<string, number[]>> {
  const read: Record<string, number[]> = {};
  for (const [name, tensor] of Object.entries(weights)) read[name] = Array.from(await tensor.data());
  return read;
}

export const dispose = (state: TrainingState) =>
  tf.dispose([state.weights, state.moments] as unknown as tf.TensorContainer);
