import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { RawFrames } from '../../../shared/domain/clip.ts';
import { type EditSettings, editSettings } from '../../../shared/domain/edit.ts';
import {
  type LearningCost,
  type TableClip,
  type TablePart,
  tablePart,
  type Way,
} from '../../../shared/domain/evaluation-table.ts';
import type { Recipe } from '../../../shared/domain/recipe.ts';
import { startSettings } from '../../../shared/domain/strength.ts';
import type { Rational } from '../../../shared/domain/time.ts';
import type { EngineCallOptions } from '../../../shared/ipc/engine-contract.ts';
import { AppError } from '../../../shared/ipc/result.ts';
import { type Pictures, readRawFrames } from '../formats/raw-frames.ts';
import { methodOf } from '../methods/registry.ts';
import { generateClip } from '../sampling/generate-clip.ts';
import type { OpenModel } from '../sampling/open-model.ts';
import { mixConcepts } from '../training/mix-concepts.ts';
import type { ConceptScene, ScenePrompt, TrueEdit } from './concept-scene.ts';
import { finishEdit } from './finish-edit.ts';
import { nameOfContent, readKept, writePart } from './folder.ts';
import { writeFrameSheet } from './frame-sheet.ts';
import { type LearnedConcept, learnOnce } from './learned-concept.ts';
import { learned as asLearned } from './measure-method.ts';
import { settingsOfClip } from './methods.ts';
import { withinPart } from './progress.ts';
import { writeStrip } from './strip.ts';
import { truthRow } from './summarise-table.ts';
import { type MeasuredScene, measureClip } from './table-clip.ts';
import type { PlannedMethod } from './table-plan.ts';

/** What all parts of a table share. */
export interface TableRun {
  model: OpenModel;
  /** The model's folder, and that of the evaluation. */
  directory: string;
  folder: string;
  ways: readonly Way[];
  noiseSeeds: readonly number[];
  /** Whether concepts stay for other tables; else each goes once its clips are measured. */
  keepsConcepts: boolean;
  /** Sampling steps of each clip. */
  steps: number;
  /** Whether clips that were not kept whole are made again. */
  remakesClips: boolean;
  /** Says how far the whole table is. */
  whole(): string;
}

/** A rendered scene, and for a mix the one that gives the motion. */
export interface PreparedScene {
  name: string;
  measured: MeasuredScene;
  source: RawFrames;
  /** The source coded and decoded, which finishing compares edits with. */
  coded: Pictures;
  motion: { scene: ConceptScene; source: RawFrames } | null;
}

/** A row on a scene: without a recipe the model itself. */
export interface PartPlan {
  method: PlannedMethod;
  /** With its steps at equal processor time and its seed. */
  recipe: Recipe | null;
  learningSeed: number;
}

/** The measured truth of a scene's edits: what a perfect method would reach. */
export async function truthPart(run: TableRun, { name, measured, source }: PreparedScene): Promise<TablePart> {
  const clips: TableClip[] = [];
  for (const edit of measured.scene.edits) {
    const shown = await show(run, name, truthRow, `${edit.kind} ${edit.to}`, edit.target, source.rate);
    const made = { way: 'noise' as const, noiseSeed: null, seconds: null, ...shown };
    clips.push(await measureClip(measured, edit, edit.target, made));
  }
  return { scene: name, row: truthRow, learningSeed: 0, learned: null, refused: null, clips, finished: true };
}

/**
 * Learns what a row learns of a scene, makes every edit in every way with every noise seed, and measures each
 * clip. Clips that an earlier run left in `file` are taken over. A method that refuses the scene gives a part
 * with its reason.
 */
export async function evaluatePart(
  run: TableRun,
  scene: PreparedScene,
  plan: PartPlan,
  file: string,
  { signal, onEvent }: EngineCallOptions,
): Promise<TablePart> {
  const { method, recipe, learningSeed } = plan;
  const optionsFor = (phase: string): EngineCallOptions => ({
    signal,
    onEvent: withinPart(onEvent, (progress) => ({
      phase: `${scene.name}, ${method.row}: ${phase}, ${progress.phase}`,
      message: run.whole(),
    })),
  });
  const kept = await keptPart(file, run.remakesClips);
  const part: TablePart = kept ?? {
    scene: scene.name,
    row: method.row,
    learningSeed,
    learned: null,
    refused: null,
    clips: [],
    finished: false,
  };
  if (part.finished) return part;
  let concept: LearnedConcept | null = null;
  try {
    concept = recipe && (await conceptOf(run, scene, recipe, optionsFor));
  } catch (error) {
    if (!(error instanceof AppError) || !['invalid-input', 'out-of-memory'].includes(error.code)) throw error;
    const refused = { ...part, refused: error.message, finished: true };
    await writePart(file, refused);
    return refused;
  }
  part.learned = concept?.cost ?? null;
  for (const edit of scene.measured.scene.edits) {
    for (const noiseSeed of run.noiseSeeds) {
      for (const way of run.ways) {
        const isMade = part.clips.some((clip) => isOf(clip, edit) && clip.noiseSeed === noiseSeed && clip.way === way);
        // A finished clip is made of the one that the editor samples.
        if (isMade || way === 'finished') continue;
        signal?.throwIfAborted();
        const made = { edit, noiseSeed, way, conceptFile: concept?.conceptFile ?? null };
        part.clips.push(...(await makeClip(run, scene, plan, made, optionsFor(`${edit.kind}, ${way}`))));
        await writePart(file, part);
      }
    }
  }
  const finished = { ...part, finished: true };
  await writePart(file, finished);
  if (concept && !run.keepsConcepts) await rm(concept.conceptFile, { force: true });
  return finished;
}

/** What an earlier run left of a part; to make clips again that were not kept whole, it is unfinished without them. */
export async function keptPart(file: string, remakesClips: boolean): Promise<TablePart | undefined> {
  const part = await readKept(file, tablePart);
  if (!part || !remakesClips) return part;
  const clips = part.clips.filter(({ strip, frames }) => strip === null || frames !== null);
  return clips.length === part.clips.length ? part : { ...part, clips, finished: false };
}

const isOf = (clip: TableClip, { kind, to }: TrueEdit) => clip.kind === kind && clip.to === to;

/** What a row learns of a scene, or puts together of what it learns of two. */
async function conceptOf(
  { model, directory, folder }: TableRun,
  { measured, source, motion }: PreparedScene,
  recipe: Recipe,
  optionsFor: (phase: string) => EngineCallOptions,
): Promise<LearnedConcept> {
  const learn = ({ caption, seed }: ConceptScene, frames: RawFrames, phase: string) => {
    const { checkpointEvery: _, sampleEvery: __, ...learned } = recipe;
    const stem = join(folder, 'concepts', nameOfContent({ seed, caption, learned }));
    return learnOnce(model, { directory, recipe, caption, source: frames, stem }, optionsFor(phase));
  };
  const own = await learn(measured.scene, source, 'learning');
  if (!motion) return own;
  const other = await learn(motion.scene, motion.source, 'learning the motion');
  const conceptFile = own.conceptFile.replace(/\.safetensors$/, `-mix-${motion.scene.seed}.safetensors`);
  const named = (file: string, name: string) => ({ file, name });
  await mixConcepts(model, {
    model: directory,
    identity: named(own.conceptFile, 'the identity'),
    motion: named(other.conceptFile, 'the motion'),
    conceptFile,
  });
  return { conceptFile, cost: both(own.cost, other.cost) };
}

const both = (a: LearningCost, b: LearningCost): LearningCost => ({
  seconds: a.seconds + b.seconds,
  processorSeconds: a.processorSeconds + b.processorSeconds,
  peakBytes: Math.max(a.peakBytes, b.peakBytes),
  steps: [...a.steps, ...b.steps],
  curves: [...a.curves, ...b.curves],
});

interface WantedClip {
  edit: TrueEdit;
  noiseSeed: number;
  way: Way;
  conceptFile: string | null;
}

/** Samples and measures a clip; one of the editor's also as finished. */
async function makeClip(
  run: TableRun,
  scene: PreparedScene,
  plan: PartPlan,
  { edit, noiseSeed, way, conceptFile }: WantedClip,
  options: EngineCallOptions,
): Promise<TableClip[]> {
  const { measured, source } = scene;
  const settings = settingsOf(run, measured.scene.prompt, plan, edit, way, noiseSeed);
  const { frames, seconds } = await generateClip(
    run.model,
    { model: run.directory, conceptFile, source, size: null, settings, output: join(run.folder, 'clip.rgb') },
    options,
  );
  const pictures = await readRawFrames(frames);
  await rm(frames.file);
  const measure = async (pictures: Pictures, way: Way, seconds: number) => {
    const isShown = noiseSeed === run.noiseSeeds[0] && plan.learningSeed <= 1;
    const clip = `${edit.kind} ${edit.to} ${way}`;
    const shown = isShown
      ? await show(run, scene.name, nameOfContent(plan), clip, pictures, source.rate)
      : { strip: null, frames: null };
    return measureClip(measured, edit, pictures, { way, noiseSeed, seconds, ...shown });
  };
  const clips = [await measure(pictures, way, seconds)];
  if (way === 'editor' && run.ways.includes('finished')) {
    const finished = finishEdit(measured.scene.source, scene.coded, { pictures, seconds }, settings);
    clips.push(await measure(finished.pictures, 'finished', finished.seconds));
  }
  return clips;
}

/**
 * By the papers from pure noise; by the editor's defaults from the clip, whose words are then said in the
 * same way as the edit's.
 */
function settingsOf(
  { steps }: TableRun,
  source: ScenePrompt,
  { method, recipe }: PartPlan,
  edit: TrueEdit,
  way: Way,
  seed: number,
): EditSettings {
  const words = wordsOf(recipe);
  const sliders = { ...asLearned, ...method.sliders };
  const noise = startSettings(false);
  if (way === 'noise') return editSettings.parse({ prompt: edit.prompt[words], ...noise, steps, seed, sliders });
  const wanted = {
    name: edit.kind,
    task: 'edit' as const,
    prompt: { learned: edit.prompt[words], plain: edit.prompt.plain },
    sliders,
  };
  const by = { name: recipe ? ('concept' as const) : ('words' as const), recipe };
  const settings = settingsOfClip(by, wanted, source.plain, { steps, seed, ...noise }, null);
  return recipe ? { ...settings, shown: source[words] } : settings;
}

/** Which tokens a method has learned to read: a motion that is learned under plain words has none. */
function wordsOf(recipe: Recipe | null): 'learned' | 'identityOnly' | 'plain' {
  if (!recipe) return 'plain';
  const stages = methodOf(recipe).stages(recipe, { moving: true, tokensLearn: recipe.tokenLearningRate > 0 });
  return stages.some(({ clipText }) => clipText === 'motion') ? 'identityOnly' : 'learned';
}

/** Keeps a clip for the report and for whoever compares by eye. */
async function show(
  { folder }: TableRun,
  scene: string,
  row: string,
  clip: string,
  pictures: Pictures,
  rate: Rational,
): Promise<Pick<TableClip, 'strip' | 'frames'>> {
  const name = `${row}-${clip.replaceAll(/[^a-z]+/g, '-')}.webp`;
  const [strip, frames] = ['strips', 'frames'].map((kind) => join(kind, scene, name));
  await writeStrip(join(folder, strip!), pictures);
  return { strip: strip!, frames: await writeFrameSheet(join(folder, frames!), pictures, rate, frames!) };
}
