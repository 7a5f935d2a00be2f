import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { EngineEvent, LearnRequest, LearnResult } from '../../../shared/domain/engine.ts';
import { AppError } from '../../../shared/ipc/result.ts';
import { conceptLayers } from '../adapters/concept-values.ts';
import { orderDirections } from '../adapters/directions.ts';
import {
  type ConceptShape,
  type ConceptValues,
  conceptSizes,
  freshConcept,
  sum,
} from '../adapters/set-and-sequence.ts';
import { targetLayers } from '../adapters/target-layers.ts';
import { freshTokens, type TokenEmbeddings } from '../adapters/tokens.ts';
import * as tf from '../backends/tf.ts';
import { type ConceptFile, writeConcept } from '../formats/concept.ts';
import { type Pictures, writeRawFrames } from '../formats/raw-frames.ts';
import type { WanPipeline } from '../models/wan/pipeline.ts';
import { timeFeatures } from '../models/wan/transformer.ts';
import { Random } from '../nn/random.ts';
import type { ConceptSampler, SampledConcept } from '../sampling/concept-sampler.ts';
import { schedulerConfigSchema } from '../sampling/scheduler-config.ts';
import { conceptCaptions, tokenNames } from './captions.ts';
import { readTrainingState, type TrainingState, writeTrainingState } from './checkpoint.ts';
import type { NoiseLevels } from './flow-matching.ts';
import { learnableModel } from './learnable-model.ts';
import { planStages, type StagePlan } from './plan.ts';
import { encodeTexts, type Prepared, prepare, stageData } from './prepare.ts';
import { Rate } from './rate.ts';
import { freshState, train } from './train.ts';
import { makeFolderOf, openWorkFolder, requestHash, requireSpace } from './work-folder.ts';

export interface LearnModel {
  pipeline: WanPipeline;
  sampler: ConceptSampler;
  name: string;
  fingerprint: string;
}

export interface LearnOptions {
  signal?: AbortSignal;
  onEvent?(event: EngineEvent): void;
}

/**
 * Learns a concept from one clip or several (Set-and-Sequence, or plain LoRA), and writes its file. Goes on exactly where an unfinished
 * run of the same request in the same folder stands. Throws `cancelled` after saving a checkpoint, `conflict` for a folder of another
 * request, `out-of-space`, and `invalid-input` for clips that the model cannot take.
 */
export async function learnConcept(
  { pipeline, sampler, name, fingerprint }: LearnModel,
  request: LearnRequest,
  { signal, onEvent = () => {} }: LearnOptions = {},
): Promise<LearnResult> {
  const startedAt = performance.now();
  const { recipe } = request;
  const shape = await conceptShape(pipeline, request);
  await makeFolderOf(request.conceptFile);
  const folder = await openWorkFolder(request.workDirectory, await requestHash(request, fingerprint));
  await requireSpace(request.workDirectory, neededBytes(shape, request));

  const report = progressReporter(onEvent);
  const prepared = await prepare(pipeline, request, folder.prepared, {
    sampler,
    signal,
    onProgress: (phase, done, total, unit) => report({ phase, done, total, unit }),
  });
  const captions = conceptCaptions(request.clips.map(({ caption }) => caption));
  const trainTokens = recipe.tokenLearningRate > 0;
  const start = await startTokens(pipeline, tokenNames(captions), prepared, recipe.seed);
  const { bank, learned } = await encodeTexts(pipeline, prepared, start, trainTokens, signal);
  const model = await learnableModel(pipeline, learned, start.names);
  const plans = planStages(
    recipe,
    prepared.clips.some(({ clip }) => clip.shape[1]! > 1),
  );
  let state: TrainingState | undefined;
  try {
    state = (await readTrainingState(folder.checkpoint)) ?? freshRun(shape, start, recipe.seed, trainTokens);
    const rates = plans.map(() => new Rate());
    state = await train(
      {
        model,
        shape,
        recipe,
        plans,
        dataOf: (plan) => stageData(prepared, plan.data),
        bank,
        trainTokens,
        noiseLevels: noiseLevels(pipeline),
        timeFeatures: (levels) =>
          timeFeatures(
            pipeline.transformerConfig,
            levels.map((level) => 1000 * level),
          ),
        signal,
        async onStep(point, now) {
          const rate = rates[now.stage]!;
          rate.tick(performance.now());
          onEvent({ type: 'loss', point });
          const total = plans[now.stage]!.steps;
          report({
            phase: point.stage,
            done: point.step,
            total,
            unit: 'steps',
            perSecond: rate.perSecond(),
            etaSeconds: rate.etaSeconds(total - point.step),
            loss: point.loss,
            learningRate: point.learningRate,
          });
          if (recipe.sampleEvery > 0 && point.step % recipe.sampleEvery === 0) {
            await mkdir(folder.samples, { recursive: true });
            const file = join(folder.samples, `${point.stage}-${String(point.step).padStart(5, '0')}.rgb`);
            const concept = await sampledConcept(shape, now, start);
            const pictures = await sampleClip(
              pipeline,
              sampler,
              concept,
              prepared,
              plans[now.stage]!,
              recipe.seed,
              signal,
            );
            const frames = await writeRawFrames(file, pictures, request.clips[0]!.frames.rate);
            onEvent({ type: 'sample', stage: point.stage, step: point.step, frames });
          }
        },
        async save(now) {
          await writeTrainingState(folder.checkpoint, now);
          onEvent({ type: 'checkpoint', stage: plans[now.stage]?.label ?? 'done', step: now.step });
        },
      },
      state,
    );
    const { concept, tokens } = await valuesOf(state);
    const ordered = orderDirections(shape, concept);
    const file: ConceptFile = {
      version: 1,
      rank: shape.rank,
      basisSide: shape.basisSide,
      directionStrengths: ordered.strengths,
      captions,
      recipe,
      model: { name, fingerprint },
      layers: conceptLayers(shape, ordered.values),
      tokens: tokensByName(start.names, tokens ?? start.values),
    };
    await writeConcept(request.conceptFile, file);
    return {
      conceptFile: request.conceptFile,
      rank: shape.rank,
      directionStrengths: ordered.strengths,
      losses: state.losses,
      metrics: {
        ...finalLosses(state),
        seconds: (performance.now() - startedAt) / 1000,
      },
    };
  } finally {
    bank.encoded.dispose();
    if (state) tf.dispose([state.weights, state.moments] as unknown as tf.TensorContainer);
  }
}

async function conceptShape(pipeline: WanPipeline, { recipe }: LearnRequest): Promise<ConceptShape> {
  try {
    const layers = targetLayers(await pipeline.transformer(), recipe.targetLayers);
    return { layers, rank: recipe.rank, basisSide: recipe.basisSide };
  } catch (error) {
    if (error instanceof RangeError) throw new AppError('invalid-input', error.message, { cause: error });
    throw error;
  }
}

function freshRun(shape: ConceptShape, start: TokenEmbeddings, seed: number, trainTokens: boolean): TrainingState {
  const weights = freshConcept(shape, new Random(`${seed}/weights`));
  if (!trainTokens) return freshState(weights);
  const width = start.values.length / start.names.length;
  return freshState({ ...weights, tokens: tf.tensor2d(start.values, [start.names.length, width]) });
}

/** The special tokens' embeddings before learning. */
async function startTokens(
  pipeline: WanPipeline,
  names: string[],
  prepared: Prepared,
  seed: number,
): Promise<TokenEmbeddings> {
  const random = new Random(`${seed}/tokens`);
  const width = pipeline.textEncoderConfig.d_model;
  const joint = names.length > 2;
  // Only a joint concept needs to know how long the vocabulary's words are; T5's are of about unit variance.
  return freshTokens(names, width, joint && prepared.clips.length > 0 ? Math.sqrt(width) : 0, (count) =>
    random.normals(count),
  );
}

/** How training draws noise levels: as evenly over the sampler's shifted schedule as sampling visits them. */
function noiseLevels(pipeline: WanPipeline): NoiseLevels {
  const scheduler = schedulerConfigSchema.parse(pipeline.schedulerConfig);
  const shift = scheduler._class_name === 'UniPCMultistepScheduler' ? scheduler.flow_shift : scheduler.shift;
  return { distribution: 'uniform', shift };
}

async function valuesOf({ weights }: TrainingState): Promise<{ concept: ConceptValues; tokens?: Float32Array }> {
  const read = async (name: string) => (await weights[name]!.data()) as Float32Array;
  const concept = {
    basis: await read('basis'),
    coefficients: await read('coefficients'),
    residual: await read('residual'),
  };
  return weights.tokens ? { concept, tokens: await read('tokens') } : { concept };
}

function tokensByName(names: string[], values: Float32Array): Record<string, Float32Array> {
  const width = values.length / names.length;
  return Object.fromEntries(names.map((name, index) => [name, values.slice(index * width, (index + 1) * width)]));
}

/** Means over the last tenth of each stage, since single losses depend on their noise level. */
function finalLosses({ losses }: TrainingState) {
  const last = (stage: string) => {
    const points = losses.filter((point) => point.stage === stage);
    const tail = points.slice(-Math.max(1, Math.floor(points.length / 10)));
    return tail.length > 0 ? tail.reduce((total, { loss }) => total + loss, 0) / tail.length : undefined;
  };
  return { finalLossIdentity: last('identity'), finalLossMotion: last('motion') };
}

async function sampledConcept(
  shape: ConceptShape,
  state: TrainingState,
  start: TokenEmbeddings,
): Promise<SampledConcept> {
  const { concept, tokens } = await valuesOf(state);
  return {
    shape,
    values: concept,
    tokens: { names: start.names, values: tokens ?? start.values },
    gains: { identity: 1, motion: 1 },
  };
}

/** What the first clip's caption gives so far: a picture in stage I, a clip in stage II. */
async function sampleClip(
  pipeline: WanPipeline,
  sampler: ConceptSampler,
  concept: SampledConcept,
  { clips, captions }: Prepared,
  { data }: StagePlan,
  seed: number,
  signal?: AbortSignal,
): Promise<Pictures> {
  const { clip, pictures } = clips[0]!;
  const { guidance, steps } = pipeline.extras.sampling;
  const latents = await sampler.sample({
    concept,
    prompts: [data === 'pictures' ? captions.clips[0]!.static : captions.clips[0]!.full],
    guidance,
    steps,
    seeds: [seed],
    size: (data === 'pictures' ? pictures[0]! : clip).shape.slice(1) as [number, number, number],
    signal,
  });
  return pipeline.decodeFrames(latents, { signal }).finally(() => latents.dispose());
}

/** Two checkpoints (the old one stays until the new one is whole), the latents, and the concept itself, with room to spare. */
function neededBytes(shape: ConceptShape, { clips, recipe }: LearnRequest): number {
  const { basisSizes, coefficientSizes } = conceptSizes(shape);
  const weights = 4 * shape.rank * (sum(basisSizes) + 2 * sum(coefficientSizes));
  const frames = clips.reduce(
    (total, clip) => total + clip.frames.frameCount * clip.frames.width * clip.frames.height,
    0,
  );
  return 20e6 + 8 * weights + 4 * frames * (2 + recipe.priorClips);
}

function progressReporter(onEvent: (event: EngineEvent) => void) {
  type Progress = Extract<EngineEvent, { type: 'progress' }>['progress'];
  return (progress: Partial<Progress> & Pick<Progress, 'phase' | 'done' | 'total' | 'unit'>) =>
    onEvent({ type: 'progress', progress: { perSecond: null, etaSeconds: null, ...progress } });
}
