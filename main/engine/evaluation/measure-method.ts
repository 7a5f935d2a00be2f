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
import type { ChangeKind } from '../world/edit.ts';
import type { ConceptScene, TrueEdit } from './concept-scene.ts';
import {
  agreementOf,
  attributeOfChange,
  coherenceOf,
  identityOf,
  keptAttributes,
  namesIt,
  preservationOf,
} from './judging.ts';

interface Sliders {
  identity: number;
  motion: number;
}

/** How a method makes a clip. `name` says which one, for the file that it may be kept in. */
export type MakeClip = (
  name: string,
  prompt: { learned: string; plain: string },
  sliders: Sliders,
) => Promise<{ pictures: Pictures; seconds: number }>;

/** Which slider a user would turn down for an edit that replaces what it stands for. */
const replacedBy: Partial<Record<ChangeKind, keyof Sliders>> = { subject: 'identity', motion: 'motion' };

/** Reconstructs a scene by a method, makes every true edit of it and, for `gains`, moves both sliders (a method without sliders has none). */
export async function measureMethod(
  method: MethodName,
  scene: ConceptScene,
  judge: Judge,
  make: MakeClip,
  gains: readonly number[],
): Promise<Omit<MethodMeasures, 'learnSeconds'>> {
  const learned = { identity: 1, motion: 1 };
  const first = await make('reconstruction', scene.prompt, learned);
  const seen = await judge.look(first.pictures);
  const reconstruction = measureReconstruction(scene, judge, first.pictures, seen, first.seconds);
  const edits: EditMeasures[] = [];
  for (const edit of scene.edits) {
    const { pictures, seconds } = await make(`edit ${edit.change.kind}`, edit.prompt, learned);
    edits.push(await measureEdit(edit, pictures, seconds, scene, judge));
    const slider = replacedBy[edit.change.kind];
    if (gains.length === 0 || !slider) continue;
    const without = await make(`edit ${edit.change.kind}, ${slider} 0`, edit.prompt, { ...learned, [slider]: 0 });
    const measures = await measureEdit(edit, without.pictures, without.seconds, scene, judge);
    edits.push({ ...measures, variant: `${slider} gain 0` });
  }
  const sliders: SliderPoint[] = [];
  for (const slider of ['identity', 'motion'] as const) {
    for (const gain of gains) {
      const asLearned = gain === 1;
      const { pictures } = asLearned
        ? first
        : await make(`${slider} ${gain}`, scene.prompt, { ...learned, [slider]: gain });
      sliders.push(sliderPoint(slider, gain, pictures, asLearned ? seen : await judge.look(pictures), scene));
    }
  }
  return { method, reconstruction, edits, sliders };
}

/** The source coded and decoded by the model's autoencoder alone: how close a concept can come. */
export async function measureAutoencoder(scene: ConceptScene, judge: Judge, coded: Pictures): Promise<MethodMeasures> {
  const reconstruction = measureReconstruction(scene, judge, coded, await judge.look(coded), null);
  return { method: 'autoencoder', learnSeconds: null, reconstruction, edits: [], sliders: [] };
}

function measureReconstruction(
  scene: ConceptScene,
  judge: Judge,
  pictures: Pictures,
  seen: Judgement,
  seconds: number | null,
): ReconstructionMeasures {
  return {
    mse: meanSquaredError(pictures.data, scene.source.data),
    identity: identityOf(seen, scene.seen),
    textAgreement: agreementOf(seen, scene.prompt.text),
    temporalCoherence: coherenceOf(seen),
    preservation: preservationOf(seen, scene.seen, keptInReconstruction(scene, judge)),
    seconds,
  };
}

/** The re-rendered edits themselves: what a perfect method would reach under this judge. */
export async function measureTruth(scene: ConceptScene, judge: Judge): Promise<MethodMeasures> {
  const edits: EditMeasures[] = [];
  for (const edit of scene.edits) edits.push(await measureEdit(edit, edit.target, null, scene, judge));
  return { method: 'truth', learnSeconds: null, reconstruction: null, edits, sliders: [] };
}

async function measureEdit(
  { change, prompt, before, after, target, mask }: TrueEdit,
  pictures: Pictures,
  seconds: number | null,
  scene: ConceptScene,
  judge: Judge,
): Promise<EditMeasures> {
  const seen = await judge.look(pictures);
  const outside = mask.map((value) => (value === 0 ? 255 : 0));
  const errorWithin = (where: Uint8Array) => {
    const error = meanSquaredError(pictures.data, target.data, where);
    return Number.isNaN(error) ? null : error;
  };
  return {
    kind: change.kind,
    to: change.to,
    variant: null,
    success: namesIt(seen, judge.labels, attributeOfChange[change.kind], change.to),
    preservation: preservationOf(seen, scene.seen, keptAttributes(before, after, judge.labels)),
    mse: meanSquaredError(pictures.data, target.data),
    mseInside: errorWithin(mask),
    mseOutside: errorWithin(outside),
    identity: identityOf(seen, scene.seen),
    textAgreement: agreementOf(seen, prompt.text),
    temporalCoherence: coherenceOf(seen),
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
  seen: Judgement,
  { source, seen: sourceSeen }: ConceptScene,
): SliderPoint {
  const motion = motionAgainstSource(pictures.data, source.data, source);
  return {
    slider,
    gain,
    identity: identityOf(seen, sourceSeen),
    mse: meanSquaredError(pictures.data, source.data),
    motionAmount: motion.amount,
    motionAgreement: motion.agreement,
  };
}
