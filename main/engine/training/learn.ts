import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { EngineEvent, LearnRequest, LearnResult, LossPoint } from '../../../shared/domain/engine.ts';
import { AppError } from '../../../shared/ipc/result.ts';
import { conceptLayers } from '../adapters/concept-values.ts';
import { orderDirections } from '../adapters/directions.ts';
import { type ConceptShape, conceptSizes, sum } from '../adapters/set-and-sequence.ts';
import { linearLayers, targetLayers } from '../adapters/target-layers.ts';
import * as tf from '../backends/tf.ts';
import { writeConcept } from '../formats/concept.ts';
import { writeRawFrames } from '../formats/raw-frames.ts';
import type { WanPipeline } from '../models/wan/pipeline.ts';
import { timeFeatures } from '../models/wan/transformer.ts';
import { transformerSpecs } from '../models/wan/transformer-config.ts';
import type { ConceptSampler } from '../sampling/concept-sampler.ts';
import { schedulerConfigOf } from '../sampling/scheduler-config.ts';
import { conceptCaptions, tokenNames } from './captions.ts';
import { readTrainingState, type TrainingState, writeTrainingState } from './checkpoint.ts';
import { conceptOf, freshRun, startTokens, tokensByName } from './concept-state.ts';
import type { NoiseLevels } from './flow-matching.ts';
import { freeMemory } from './free-memory.ts';
import { learnableModel } from './learnable-model.ts';
import { planStages } from './plan.ts';
import { encodeTexts, prepare, stageData } from './prepare.ts';
import { Rate } from './rate.ts';
import { measureConcept, reconstruct } from './reconstruct.ts';
import { type TrainingRun, train } from './train.ts';
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
 * run of the same request in the same folder stands. A file `keep` in that folder ends it early, with what it has. Throws `cancelled` after saving a checkpoint, `conflict` for a folder of another
 * request, `out-of-space`, and `invalid-input` for clips that the model cannot take.
 */
export async function learnConcept(
  { pipeline, sampler, name, fingerprint }: LearnModel,
  request: LearnRequest,
  { signal, onEvent = () => {} }: LearnOptions = {},
): Promise<LearnResult> {
  const startedAt = performance.now();
  const { recipe, clips, conceptFile, workDirectory } = request;
  const shape = conceptShape(pipeline, request);
  await makeFolderOf(conceptFile);
  const folder = await openWorkFolder(workDirectory, await requestHash(request, fingerprint), freeMemory());
  await requireSpace(workDirectory, neededBytes(shape, request));

  const report = progressReporter(onEvent);
  const prepared = await prepare(pipeline, request, folder.prepared, {
    sampler,
    signal,
    onProgress: (phase, done, total, unit) => report({ phase, done, total, unit }),
  });
  const captions = conceptCaptions(clips.map(({ caption }) => caption));
  const trainTokens = recipe.tokenLearningRate > 0 && (await holdsTextEncoder(pipeline));
  const start = startTokens(tokenNames(captions), pipeline.textEncoderConfig.d_model, recipe.seed);
  const moving = prepared.clips.some(({ clip }) => clip.shape[1]! > 1);
  const plans = planStages(recipe, moving);
  const rates = plans.map(() => new Rate());
  const sampling = { pipeline, sampler, prepared, seed: recipe.seed, signal };
  let state: TrainingState | undefined;

  let steps = 0;
  const onStep: TrainingRun['onStep'] = async (point, now) => {
    steps++;
    const plan = plans[now.stage]!;
    const rate = rates[now.stage]!;
    rate.tick(performance.now());
    onEvent({ type: 'loss', point });
    report({
      phase: point.stage,
      done: point.step,
      total: plan.steps,
      unit: 'steps',
      perSecond: rate.perSecond(),
      etaSeconds: rate.etaSeconds(plan.steps - point.step),
      loss: point.loss,
      learningRate: point.learningRate,
    });
    if (recipe.sampleEvery === 0 || point.step % recipe.sampleEvery !== 0) return;
    await mkdir(folder.samples, { recursive: true });
    const file = join(folder.samples, `${point.stage}-${String(point.step).padStart(5, '0')}.rgb`);
    const pictures = await reconstruct(0, plan.data, { ...sampling, concept: await conceptOf(shape, now, start) });
    const frames = await writeRawFrames(file, pictures, clips[0]!.frames.rate);
    onEvent({ type: 'sample', stage: point.stage, step: point.step, frames });
  };

  try {
    state = (await readTrainingState(folder.checkpoint)) ?? freshRun(shape, start, recipe.seed, trainTokens);
    state = await train(
      {
        shape,
        recipe,
        plans,
        async stageOf({ data }) {
          const { bank, learned } = await encodeTexts(pipeline, { prepared, data }, start, trainTokens, signal);
          const model = await learnableModel(pipeline, learned, start.names, folder.memoryBytes);
          return { model, bank, data: stageData(prepared, data) };
        },
        trainTokens,
        noiseLevels: noiseLevels(pipeline),
        timeFeatures: (levels) =>
          timeFeatures(
            pipeline.transformerConfig,
            levels.map((level) => 1000 * level),
          ),
        signal,
        isEnough: () => existsSync(folder.keep),
        onStep,
        async save(now) {
          await writeTrainingState(folder.checkpoint, now);
          onEvent({ type: 'checkpoint', stage: plans[now.stage]?.label ?? 'done', step: now.step });
        },
      },
      state,
    );
    const concept = await conceptOf(shape, state, start);
    const { values, strengths } = orderDirections(shape, concept.values);
    const metrics = await measureConcept(request, state, {
      ...sampling,
      concept,
      onStep: (done, total) => report({ phase: 'measure', done, total, unit: 'steps' }),
    });
    await writeConcept(conceptFile, {
      version: 1,
      rank: shape.rank,
      basisSide: shape.basisSide,
      directionStrengths: strengths,
      captions,
      recipe,
      model: { name, fingerprint },
      layers: conceptLayers(shape, values),
      tokens: tokensByName(concept.tokens),
    });
    return {
      conceptFile,
      rank: shape.rank,
      directionStrengths: strengths,
      losses: state.losses,
      metrics: {
        ...metrics,
        seconds: (performance.now() - startedAt) / 1000,
        steps,
        stepsIdentity: stepsDone(state, 'identity'),
        stepsMotion: stepsDone(state, 'motion'),
      },
    };
  } finally {
    if (state) tf.dispose([state.weights, state.moments] as unknown as tf.TensorContainer);
  }
}

/** Of a stage, in this run and those that it goes on from. */
function stepsDone({ losses }: TrainingState, stage: LossPoint['stage']): number {
  return losses.findLast((point) => point.stage === stage)?.step ?? 0;
}

function conceptShape(pipeline: WanPipeline, { recipe }: LearnRequest): ConceptShape {
  try {
    const layers = targetLayers(linearLayers(transformerSpecs(pipeline.transformerConfig)), recipe.targetLayers);
    return { layers, rank: recipe.rank, basisSide: recipe.basisSide };
  } catch (error) {
    if (error instanceof RangeError) throw new AppError('invalid-input', error.message, { cause: error });
    throw error;
  }
}

/** Tokens learn only where the text encoder fits into memory; elsewhere they stay as they start, which works too (method.md). */
async function holdsTextEncoder(pipeline: WanPipeline): Promise<boolean> {
  try {
    await pipeline.textEncoder();
    return true;
  } catch (error) {
    if (error instanceof AppError && error.code === 'out-of-memory') return false;
    throw error;
  }
}

/** How training draws noise levels: as densely as the sampler's shifted schedule visits them. */
function noiseLevels(pipeline: WanPipeline): NoiseLevels {
  const scheduler = schedulerConfigOf(pipeline);
  const shift = scheduler._class_name === 'UniPCMultistepScheduler' ? scheduler.flow_shift : scheduler.shift;
  return { distribution: 'uniform', shift };
}

/** Two checkpoints (the old one stays until the new one is whole), the latents, and the concept itself, with room to spare. */
function neededBytes(shape: ConceptShape, { clips, recipe }: LearnRequest): number {
  const { basisSizes, coefficientSizes } = conceptSizes(shape);
  const weights = 4 * shape.rank * (sum(basisSizes) + 2 * sum(coefficientSizes));
  const pixels = sum(clips.map(({ frames }) => frames.frameCount * frames.width * frames.height));
  return 20e6 + 8 * weights + 4 * pixels * (2 + recipe.priorClips);
}

function progressReporter(onEvent: (event: EngineEvent) => void) {
  type Progress = Extract<EngineEvent, { type: 'progress' }>['progress'];
  return (progress: Partial<Progress> & Pick<Progress, 'phase' | 'done' | 'total' | 'unit'>) =>
    onEvent({ type: 'progress', progress: { perSecond: null, etaSeconds: null, ...progress } });
}
