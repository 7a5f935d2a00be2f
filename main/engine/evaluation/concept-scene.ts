import type { ConceptCaption } from '../../../shared/domain/concept.ts';
import { type Attributes, attributes, caption } from '../../world/caption.ts';
import { type Change, type ChangeKind, changeKinds, editScene, sampleChange } from '../../world/edit.ts';
import { renderEdit } from '../../world/edit-mask.ts';
import { mixScenes, renderMix } from '../../world/mix.ts';
import { type RenderOptions, render } from '../../world/render.ts';
import { type Scene, sampleScene } from '../../world/scene.ts';
import type { Edition } from '../../world/vocabulary.ts';
import type { Pictures } from '../formats/raw-frames.ts';
import type { Judge, Judgement } from '../models/judge/judge.ts';
import { captionTexts } from '../training/captions.ts';
import { attributeOfChange } from './judging.ts';
import { breathe, picturesOf } from './scenes.ts';
import { type Box, subjectBoxes } from './subject-crop.ts';

/** The tokens that a concept is learned under. */
const tokens = { identityToken: '[v]', motionToken: '[u]' };

/** A prompt of a scene, for whoever knows which tokens. */
export interface ScenePrompt {
  /** With both tokens. */
  learned: string;
  /** With [v] alone, for motions that were learned under plain words. */
  identityOnly: string;
  plain: string;
  /** The judge's unit vector of the plain words. */
  text: Float32Array;
}

/** One true edit of a scene. */
export interface TrueEdit {
  /** What is changed: one kind of change, or several joined by ` + `. */
  kind: string;
  to: string;
  changes: readonly Change[];
  /** What the judge should name. */
  wanted: readonly { attribute: keyof Attributes; value: string }[];
  prompt: ScenePrompt;
  before: Attributes;
  after: Attributes;
  /** The re-rendered scene. */
  target: Pictures;
  /** Where it may differ from the source: non-zero in [frames, height, width]. */
  mask: Uint8Array;
  /** Where the subject is in each of the target's frames. */
  subject: Box[];
}

/** What a test seed gives to measure a concept on. */
export interface ConceptScene {
  seed: number;
  /** What the concept is learned with. */
  caption: ConceptCaption;
  prompt: ScenePrompt;
  source: Pictures;
  /** Where the subject is in each of the source's frames. */
  subject: Box[];
  /** What the judge sees in the source. */
  judgement: Judgement;
  edits: TrueEdit[];
}

/** Renders the scene of a seed, and plans one edit of every kind that fits it (a tree has no shirt). */
export function conceptScene(
  seed: number,
  edition: Edition,
  options: RenderOptions,
  judge: Judge,
): Promise<ConceptScene> {
  const scene = sampleScene(seed, { edition });
  return editedScene(scene, fittingChanges(scene), options, judge);
}

/** One change of every kind that fits a scene. */
export function fittingChanges(scene: Scene): Change[][] {
  return changeKinds.flatMap((kind) => {
    const change = sampleChange(scene, kind);
    return change ? [[change]] : [];
  });
}

/** Renders a scene and its edits, each of which is one change or several at once. */
export async function editedScene(
  scene: Scene,
  edits: readonly (readonly Change[])[],
  options: RenderOptions,
  judge: Judge,
): Promise<ConceptScene> {
  const planned = await unedited(scene, options, judge);
  for (const changes of edits) planned.edits.push(await trueEdit(scene, changes, options, judge));
  return planned;
}

/** Renders a scene, and the truth of its subject moving and filmed as in another as its only edit. */
export async function mixedScene(
  scene: Scene,
  motion: Scene,
  options: RenderOptions,
  judge: Judge,
): Promise<ConceptScene> {
  const planned = await unedited(scene, options, judge);
  const mixed = mixScenes(scene, motion);
  const { target, mask } = renderMix(scene, mixed, options);
  await breathe();
  const to = mixed.subjects[0]!.motion.kind;
  planned.edits.push({
    kind: 'mix',
    to,
    changes: [],
    wanted: [{ attribute: 'motion', value: to }],
    prompt: await promptOf(mixed, judge),
    before: attributes(scene),
    after: attributes(mixed),
    target: picturesOf(target.frames, options),
    mask,
    subject: subjectBoxes(target.masks.subject, options),
  });
  return planned;
}

async function unedited(scene: Scene, options: RenderOptions, judge: Judge): Promise<ConceptScene> {
  const rendered = render(scene, { ...options, masks: true });
  await breathe();
  const source = picturesOf(rendered.frames, options);
  return {
    seed: scene.seed,
    caption: caption(scene, tokens),
    prompt: await promptOf(scene, judge),
    source,
    subject: subjectBoxes(rendered.masks.subject, options),
    judgement: await judge.assess(source),
    edits: [],
  };
}

async function trueEdit(
  scene: Scene,
  changes: readonly Change[],
  options: RenderOptions,
  judge: Judge,
): Promise<TrueEdit> {
  const edited = editScene(scene, changes).scene;
  const { target, mask } = renderEdit(scene, changes, options);
  await breathe();
  const replaces = (kind: ChangeKind) => changes.some((change) => change.kind === kind);
  return {
    kind: changes.map(({ kind }) => kind).join(' + '),
    to: changes.map(({ to }) => to).join(' + '),
    changes,
    wanted: changes.map(({ kind, to }) => ({ attribute: attributeOfChange[kind], value: to })),
    prompt: await promptOf(edited, judge, { identity: !replaces('subject'), motion: !replaces('motion') }),
    before: attributes(scene),
    after: attributes(edited),
    target: picturesOf(target.frames, options),
    mask,
    subject: subjectBoxes(target.masks.subject, options),
  };
}

/** A scene's prompts; another subject is no longer [v], another motion no longer [u]. */
async function promptOf(
  scene: Scene,
  judge: Judge,
  keeps: { identity: boolean; motion: boolean } = { identity: true, motion: true },
): Promise<ScenePrompt> {
  const said = (motion: boolean) =>
    captionTexts(
      caption(scene, {
        ...(keeps.identity && { identityToken: tokens.identityToken }),
        ...(keeps.motion && motion && { motionToken: tokens.motionToken }),
      }),
    ).full;
  const plain = captionTexts(caption(scene)).full;
  const [text] = await judge.embedTexts([plain]);
  return { learned: said(true), identityOnly: said(false), plain, text: text! };
}
