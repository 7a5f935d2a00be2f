import type { TableClip, Way } from '../../../shared/domain/evaluation-table.ts';
import { type Pictures, pictureAt } from '../formats/raw-frames.ts';
import { compareMotion, flowsOf } from '../metrics/motion.ts';
import { meanSquaredError } from '../metrics/mse.ts';
import type { FlowField } from '../metrics/optical-flow.ts';
import type { SeenClip, SuppliedMetrics } from '../metrics/supplied/supplied-metrics.ts';
import type { Judge, Judgement } from '../models/judge/judge.ts';
import type { ConceptScene, TrueEdit } from './concept-scene.ts';
import { agreementOf, identityOf } from './judging.ts';
import { measureJudged } from './measure-method.ts';
import { cropTo } from './subject-crop.ts';

/** A scene with what all measurements of its clips have in common. */
export interface MeasuredScene {
  scene: ConceptScene;
  judge: Judge;
  /** What the judge sees in the source's crops around the subject. */
  subject: Judgement;
  /** The clip that gives the motion: the source, or the other one of a mix. */
  flows: FlowField[] | null;
  /** What the judge sees in the other one of a mix. */
  other: Judgement | null;
  /** A user's own networks, and what they see in the source. */
  supplied: { metrics: SuppliedMetrics; source: SeenClip } | null;
}

/** Prepares the measurements of a scene; `other` gives the motion of a mix. */
export async function measuredScene(
  scene: ConceptScene,
  other: ConceptScene | null,
  judge: Judge,
  metrics: SuppliedMetrics | null = null,
): Promise<MeasuredScene> {
  const moving = (other ?? scene).source;
  return {
    scene,
    judge,
    subject: await judge.assess(cropTo(scene.source, scene.subject)),
    flows: moving.count > 1 ? flowsOf(moving.data, moving) : null,
    other: other?.judgement ?? null,
    supplied: metrics && { metrics, source: metrics.see(scene.source) },
  };
}

/** The frames that are assessed alone for the agreement with the text: every second, as the judge does. */
const assessedStride = 2;

/** Measures a clip that a way has made of an edit. */
export async function measureClip(
  { scene, judge, subject, flows, other, supplied }: MeasuredScene,
  edit: TrueEdit,
  pictures: Pictures,
  made: Pick<TableClip, 'noiseSeed' | 'seconds' | 'strip' | 'frames'> & { way: Way },
): Promise<TableClip> {
  const judgement = await judge.assess(pictures);
  const replaced = edit.changes.some(({ kind }) => kind === 'subject');
  const cropped = replaced ? null : await judge.assess(cropTo(pictures, edit.subject));
  const agreements: number[] = [];
  for (let frame = 0; frame < pictures.count; frame += assessedStride)
    agreements.push(agreementOf(await judge.assess(pictureAt(pictures, frame)), edit.prompt.text));
  const motion = flows && compareMotion(flowsOf(pictures.data, pictures), flows);
  const { seconds, ...rest } = made;
  return {
    ...measureJudged(edit, pictures, judgement, seconds, scene, judge),
    ...rest,
    mseToSource: meanSquaredError(pictures.data, scene.source.data),
    subjectIdentity: cropped && identityOf(cropped, subject),
    frameTextAgreement: agreements.reduce((sum, value) => sum + value, 0) / agreements.length,
    motionAmount: motion?.amount ?? null,
    motionAgreement: motion?.agreement ?? null,
    likeOther: other && identityOf(judgement, other),
    ...(supplied && suppliedOf(supplied, pictures, edit.prompt.plain)),
  };
}

function suppliedOf({ metrics, source }: NonNullable<MeasuredScene['supplied']>, pictures: Pictures, words: string) {
  const features = metrics.featuresOf(pictures);
  return {
    supplied: metrics.measure(pictures, source, words),
    // As text: a thousand numbers of JSON are five times as long.
    ...(features && {
      videoFeatures: Buffer.from(features.buffer, features.byteOffset, features.byteLength).toString('base64'),
    }),
  };
}

/** The vector of a clip as it is kept. */
export function featuresOfText(text: string): Float32Array {
  return new Float32Array(Uint8Array.from(Buffer.from(text, 'base64')).buffer);
}
