import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { EngineEvent, LearnRequest, LearnResult, LossPoint } from '../../../shared/domain/engine.ts';
import type { EngineCallOptions } from '../../../shared/ipc/engine-contract.ts';
import { AppError } from '../../../shared/ipc/result.ts';
import { appearanceOf, meanAppearance } from '../adapters/appearance.ts';
import { conceptFileOf } from '../adapters/concept-parts.ts';
import { countNumbers, kindOf, type LearnedPart, type Parts } from '../adapters/parts.ts';
import { sum } from '../adapters/set-and-sequence.ts';
import type { TokenEmbeddings } from '../adapters/tokens.ts';
import * as tf from '../backends/tf.ts';
import { writeConcept } from '../formats/concept.ts';
import { writeRawFrames } from '../formats/raw-frames.ts';
import { dataKinds } from '../methods/method.ts';
import { methodOf } from '../methods/registry.ts';
import { noiseShift, schedulerConfigOf } from '../models/scheduler-config.ts';
import type { VideoModel } from '../models/video-model.ts';
import { encodePrompts } from '../sampling/concept-sampler.ts';
import { holdWeights, type OpenModel } from '../sampling/open-model.ts';
import { conceptCaptions, tokenNames } from './captions.ts';
import { readTrainingState, type TrainingState, writeTrainingState } from './checkpoint.ts';
import { conceptOf, freshRun, startTokens, tokensByName, tokensOf } from './concept-state.ts';
import { fitToMemory } from './fit-to-memory.ts';
import type { NoiseLevels } from './flow-matching.ts';
import { headMasks, type SortedHeads, sortHeads } from './heads.ts';
import { learnableModel } from './learnable-model.ts';
import { encodeTexts, type Prepared, prepare, stageData } from './prepare.ts';
import { Rate } from './rate.ts';
import { measureConcept, reconstruct } from './reconstruct.ts';
import { type TrainingRun, train } from './train.ts';
import { makeFolderOf, openWorkFolder, requestHash, requireMemory, requireSpace } from './work-folder.ts';

/**
 * Learns a concept from one clip or several by the recipe's method, and writes its file. Goes on exactly
 * where an unfinished run of the same request in the same folder stands. A file `keep` in that folder ends
 * it early, with what it has. Throws `cancelled` after saving a checkpoint, `conflict` for a folder of
 * another request, `out-of-space`, `out-of-memory`, and `invalid-input` for clips that the model or the
 * method cannot take.
 */
export async function learnConcept(
  model: OpenModel,
  request: LearnRequest,
  { signal, onEvent = () => {} }: EngineCallOptions = {},
): Promise<LearnResult> {
  const startedAt = performance.now();
  const { pipeline, sampler, name, fingerprint } = model;
  const { clips, conceptFile, workDirectory } = request;
  if (pipeline.firstFrame === 'required')
    throw new AppError('invalid-input', `${name} makes clips of a given picture, and concepts are not learned on it.`, {
      hint: 'Choose a model for text to video. LoRA files of other programs can be added for this one.',
    });
  const method = methodOf(request.recipe);
  const parts = partsOf(pipeline, request);
  await makeFolderOf(conceptFile);
  const folder = await openWorkFolder(workDirectory, await requestHash(request, fingerprint), model.memoryBytes());
  await requireSpace(workDirectory, neededBytes(parts, request));
  requireMemory(countNumbers(parts), folder.memoryBytes);
  const {
    recipe,
    plan: fitted,
    remarks,
  } = await fitToMemory(pipeline, request, countNumbers(parts), folder.memoryBytes);
  for (const text of remarks) onEvent({ type: 'remark', text });
  await holdWeights(model, fitted.form);

  const tokensLearn = recipe.tokenLearningRate > 0 && (await holdsTextEncoder(pipeline));
  const moving = clips.some(({ frames }) => frames.frameCount > 1);
  const plans = method.stages(recipe, { moving, tokensLearn });

  const report = progressReporter(onEvent);
  const prepared = await prepare(pipeline, request, folder.prepared, {
    sampler,
    signal,
    onProgress: (phase, done, total, unit) => report({ phase, done, total, unit }),
  });
  const captions = conceptCaptions(clips.map(({ caption }) => caption));
  const start = startTokens(tokenNames(captions), pipeline.textWidth, recipe.seed);
  const rates = plans.map(() => new Rate());
  const sampling = { pipeline, sampler, prepared, seed: recipe.seed, signal };
  const appearance = meanAppearance(prepared.clips.flatMap(({ pictures }) => pictures.map(appearanceOf)));
  const conceptAt = (now: TrainingState) => conceptOf(parts, now, start, appearance);
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
      ...rate.pace(plan.steps - point.step),
      loss: point.loss,
      learningRate: point.learningRate,
    });
    if (recipe.sampleEvery === 0 || point.step % recipe.sampleEvery !== 0) return;
    await mkdir(folder.samples, { recursive: true });
    const file = join(folder.samples, `${point.stage}-${String(point.step).padStart(5, '0')}.rgb`);
    const kind = dataKinds(plan).at(-1)!;
    const pictures = await reconstruct(0, kind, { ...sampling, concept: await conceptAt(now) });
    const frames = await writeRawFrames(file, pictures, clips[0]!.frames.rate);
    onEvent({ type: 'sample', stage: point.stage, step: point.step, frames });
  };

  try {
    const trainsTokens = plans.some(({ trains }) => trains.words);
    state = (await readTrainingState(folder.checkpoint)) ?? freshRun(parts, start, recipe.seed, trainsTokens);
    state = await train(
      {
        parts,
        recipe,
        plans,
        async stageOf({ trains, clipText }, data, weights) {
          const tokens = await tokensOf(weights, start);
          const texts = { prepared, data, clipText };
          const { bank, learned } = await encodeTexts(pipeline, texts, tokens, 'words' in trains, {
            signal,
            onLayer: (done, total) => report({ phase: 'text', done, total, unit: 'layers' }),
          });
          const model = await learnableModel(pipeline, learned, start.names, fitted.activationBytes);
          return { model, bank, data: stageData(prepared, data) };
        },
        masksOf: async (plan) =>
          plan.heads === null ? {} : headMasks(parts, plan, await headsOf(pipeline, prepared, start, signal)),
        noiseLevels: noiseLevels(pipeline),
        timeFeatures: (levels) => pipeline.timeFeatures(levels.map((level) => 1000 * level)),
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
    const concept = await conceptAt(state);
    const { ordered, strengths } = inOrder(concept.acting[0]!.parts);
    const metrics = await measureConcept(request, state, {
      ...sampling,
      concept,
      onStep: (done, total) => report({ phase: 'measure', done, total, unit: 'steps' }),
    });
    const described = { directionStrengths: strengths, captions, recipe, model: { name, fingerprint }, stages: plans };
    const file = conceptFileOf(ordered, { ...described, appearance, tokens: tokensByName(concept.tokens) });
    await writeConcept(conceptFile, file);
    return {
      conceptFile,
      rank: file.rank,
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

/** Which heads of the frozen model look within frames of these clips, under their own words. */
async function headsOf(
  pipeline: VideoModel,
  { clips, captions }: Prepared,
  tokens: TokenEmbeddings,
  signal: AbortSignal | undefined,
): Promise<SortedHeads> {
  const words = captions.clips.map(({ full }) => full);
  const texts = await encodePrompts(pipeline, words, tokens, { signal });
  const latents = clips.map(({ clip }) => clip);
  return sortHeads(await pipeline.denoiser(), latents, texts).finally(() => texts.dispose());
}

/** Of a stage, in this run and those that it goes on from. */
function stepsDone({ losses }: TrainingState, stage: LossPoint['stage']): number {
  return losses.findLast((point) => point.stage === stage)?.step ?? 0;
}

/** Parts whose directions can be ordered come in that order, with the strengths of the last such part. */
function inOrder(parts: Readonly<Record<string, LearnedPart>>) {
  const ordered: Record<string, LearnedPart> = {};
  let strengths: number[] = [];
  for (const [name, { part, values }] of Object.entries(parts)) {
    const turned = kindOf(part).order?.(values);
    ordered[name] = { part, values: turned?.values ?? values };
    strengths = turned?.strengths ?? strengths;
  }
  return { ordered, strengths };
}

function partsOf(pipeline: VideoModel, { recipe }: LearnRequest): Parts {
  try {
    return methodOf(recipe).parts(pipeline.shape, recipe);
  } catch (error) {
    if (error instanceof RangeError) throw new AppError('invalid-input', error.message, { cause: error });
    throw error;
  }
}

/**
 * Tokens learn only where the text encoder fits into memory; elsewhere they stay as they start, which works
 * too (docs/method.md).
 */
async function holdsTextEncoder(pipeline: VideoModel): Promise<boolean> {
  try {
    await pipeline.textEncoder();
    return true;
  } catch (error) {
    if (error instanceof AppError && error.code === 'out-of-memory') return false;
    throw error;
  }
}

/** How training draws noise levels: as densely as the sampler's shifted schedule visits them. */
function noiseLevels(pipeline: VideoModel): NoiseLevels {
  const shift = noiseShift(schedulerConfigOf(pipeline));
  return { distribution: 'uniform', shift, ...(pipeline.highNoise ? { below: pipeline.highNoise.from } : {}) };
}

/**
 * Two checkpoints (the old one stays until the new one is whole), the latents, and the concept itself, with
 * room to spare.
 */
function neededBytes(parts: Parts, { clips, recipe }: LearnRequest): number {
  const weights = 4 * countNumbers(parts);
  const pixels = sum(clips.map(({ frames }) => frames.frameCount * frames.width * frames.height));
  return 20e6 + 8 * weights + 4 * pixels * (2 + recipe.priorClips);
}

function progressReporter(onEvent: (event: EngineEvent) => void) {
  type Progress = Extract<EngineEvent, { type: 'progress' }>['progress'];
  return (progress: Partial<Progress> & Pick<Progress, 'phase' | 'done' | 'total' | 'unit'>) =>
    onEvent({ type: 'progress', progress: { perSecond: null, etaSeconds: null, ...progress } });
}
