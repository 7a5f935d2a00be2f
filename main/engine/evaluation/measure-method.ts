import type {
  EditMeasures,
  MethodMeasures,
  MethodName,
  ReconstructionMeasures,
  SliderPoint,
} from '../../../shared/domain/evaluation.ts';
import type { Pictures } from '../formats/raw-frames.ts';
import { motionAgainstSource } from '../metrics/motion.ts';
import { meanSquaredError } from '../metrics/mse.ts';
import type { Judge, Judgement } from '../models/judge/judge.ts';
import type { ConceptScene, TrueEdit } from './concept-scene.ts';
import type { MadeClip } from './finish-edit.ts';
import { agreementOf, coherenceOf, identityOf, keptAttributes, namesAll, preservationOf } from './judging.ts';

interface Sliders {
  identity: number;
  motion: number;
}

/** A clip that a method is to make. */
export interface WantedClip {
  /** Which one, for the file that it may be kept in. */
  name: string;
  task: 'reconstruction' | 'edit' | 'slider';
  prompt: { learned: string; plain: string };
  sliders: Sliders;
}

/** How a method makes a clip. `finished`: the same as a user gets it, where it started from the source. */
export type MakeClip = (wanted: WantedClip) => Promise<MadeClip & { finished: MadeClip | null }>;

/** Which slider a user would turn down for an edit that replaces what it stands for. */
const replacedBy: Readonly<Record<string, keyof Sliders | undefined>> = { subject: 'identity', motion: 'motion' };

export const learned: Sliders = { identity: 1, motion: 1 };

/**
 * Reconstructs a scene by a method, makes every true edit of it and, for `gains`, moves both sliders (a
 * method without sliders has none).
 */
export async function measureMethod(
  method: MethodName,
  scene: ConceptScene,
  judge: Judge,
  make: MakeClip,
  gains: readonly number[],
): Promise<Omit<MethodMeasures, 'learnSeconds'>> {
  const { prompt } = scene;
  const first = await make({ name: 'reconstruction', task: 'reconstruction', prompt, sliders: learned });
  const judgement = await judge.assess(first.pictures);
  const reconstruction = measureReconstruction(scene, judge, first.pictures, judgement, first.seconds);
  const edits = await measureEdits(scene, judge, make, gains.length > 0);
  const sliders: SliderPoint[] = [];
  for (const slider of ['identity', 'motion'] as const) {
    for (const gain of gains) {
      const asLearned = gain === 1;
      const { pictures } = asLearned
        ? first
        : await make({ name: `${slider} ${gain}`, task: 'slider', prompt, sliders: { ...learned, [slider]: gain } });
      sliders.push(sliderPoint(slider, gain, pictures, asLearned ? judgement : await judge.assess(pictures), scene));
    }
  }
  return { method, reconstruction, edits, sliders };
}

/**
 * Makes every true edit of a scene by a method; one with sliders also with that one turned down which stands
 * for what is replaced.
 */
export async function measureEdits(
  scene: ConceptScene,
  judge: Judge,
  make: MakeClip,
  hasSliders: boolean,
): Promise<EditMeasures[]> {
  const edits: EditMeasures[] = [];
  for (const edit of scene.edits) {
    const { prompt, kind } = edit;
    const measure = async (name: string, sliders: Sliders, variant: string | null) => {
      const made = await make({ name, task: 'edit', prompt, sliders });
      edits.push({ ...(await measureEdit(edit, made.pictures, made.seconds, scene, judge)), variant });
      if (!made.finished) return;
      const { pictures, seconds } = made.finished;
      edits.push({ ...(await measureEdit(edit, pictures, seconds, scene, judge)), variant, finished: true });
    };
    await measure(`edit ${kind}`, learned, null);
    const slider = hasSliders ? replacedBy[kind] : undefined;
    if (slider) await measure(`edit ${kind}, ${slider} 0`, { ...learned, [slider]: 0 }, `${slider} gain 0`);
  }
  return edits;
}

/** The source coded and decoded by the model's autoencoder alone: how close a concept can come. */
export async function measureAutoencoder(scene: ConceptScene, judge: Judge, coded: Pictures): Promise<MethodMeasures> {
  const reconstruction = measureReconstruction(scene, judge, coded, await judge.assess(coded), null);
  return { method: 'autoencoder', learnSeconds: null, reconstruction, edits: [], sliders: [] };
}

function measureReconstruction(
  scene: ConceptScene,
  judge: Judge,
  pictures: Pictures,
  judgement: Judgement,
  seconds: number | null,
): ReconstructionMeasures {
  return {
    mse: meanSquaredError(pictures.data, scene.source.data),
    identity: identityOf(judgement, scene.judgement),
    textAgreement: agreementOf(judgement, scene.prompt.text),
    temporalCoherence: coherenceOf(judgement),
    preservation: preservationOf(judgement, scene.judgement, keptInReconstruction(scene, judge)),
    seconds,
  };
}

/** The re-rendered edits themselves: what a perfect method would reach under this judge. */
export async function measureTruth(scene: ConceptScene, judge: Judge): Promise<MethodMeasures> {
  const edits: EditMeasures[] = [];
  for (const edit of scene.edits) edits.push(await measureEdit(edit, edit.target, null, scene, judge));
  return { method: 'truth', learnSeconds: null, reconstruction: null, edits, sliders: [] };
}

export async function measureEdit(
  edit: TrueEdit,
  pictures: Pictures,
  seconds: number | null,
  scene: ConceptScene,
  judge: Judge,
): Promise<EditMeasures> {
  const measured = measureJudged(edit, pictures, await judge.assess(pictures), seconds, scene, judge);
  return { ...measured, variant: null, finished: false };
}

/** Measures an edit that the judge has looked at. */
export function measureJudged(
  { kind, to, wanted, prompt, before, after, target, mask }: TrueEdit,
  pictures: Pictures,
  judgement: Judgement,
  seconds: number | null,
  scene: ConceptScene,
  judge: Judge,
): Omit<EditMeasures, 'variant' | 'finished'> {
  const outside = mask.map((value) => (value === 0 ? 255 : 0));
  const errorWithin = (where: Uint8Array) => {
    const error = meanSquaredError(pictures.data, target.data, where);
    return Number.isNaN(error) ? null : error;
  };
  return {
    kind,
    to,
    success: namesAll(judgement, judge.labels, wanted),
    preservation: preservationOf(judgement, scene.judgement, keptAttributes(before, after, judge.labels)),
    mse: meanSquaredError(pictures.data, target.data),
    mseInside: errorWithin(mask),
    mseOutside: errorWithin(outside),
    identity: identityOf(judgement, scene.judgement),
    textAgreement: agreementOf(judgement, prompt.text),
    temporalCoherence: coherenceOf(judgement),
    seconds,
  };
}

function keptInReconstruction({ edits }: ConceptScene, judge: Judge) {
  const attributes = edits[0]?.before;
  return attributes ? keptAttributes(attributes, attributes, judge.labels) : [];
}

function sliderPoint(
  slider: SliderPoint['slider'],
  gain: number,
  pictures: Pictures,
  judgement: Judgement,
  { source, judgement: sourceJudgement }: ConceptScene,
): SliderPoint {
  const motion = motionAgainstSource(pictures.data, source.data, source);
  return {
    slider,
    gain,
    identity: identityOf(judgement, sourceJudgement),
    mse: meanSquaredError(pictures.data, source.data),
    motionAmount: motion.amount,
    motionAgreement: motion.agreement,
  };
}
