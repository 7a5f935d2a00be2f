import type { ConceptCaption } from '../../../shared/domain/concept.ts';
import { type Attributes, attributes, caption } from '../../world/caption.ts';
import { type Change, changeKinds, editScene, sampleChange } from '../../world/edit.ts';
import { renderEdit } from '../../world/edit-mask.ts';
import type { RenderOptions } from '../../world/render.ts';
import { type Scene, sampleScene } from '../../world/scene.ts';
import type { Edition } from '../../world/vocabulary.ts';
import type { Pictures } from '../formats/raw-frames.ts';
import type { Judge, Judgement } from '../models/judge/judge.ts';
import { captionTexts } from '../training/captions.ts';
import { breathe, picturesOf, renderPictures } from './scenes.ts';

/** The tokens that a concept is learned under. */
const tokens = { identityToken: '[v]', motionToken: '[u]' };

/** A prompt of a scene: with the learned tokens, and in plain words for whoever does not know them. */
interface ScenePrompt {
  learned: string;
  plain: string;
  /** The judge's unit vector of the plain words. */
  text: Float32Array;
}

/** One true edit of a scene. */
export interface TrueEdit {
  change: Change;
  prompt: ScenePrompt;
  before: Attributes;
  after: Attributes;
  /** The re-rendered scene. */
  target: Pictures;
  /** Where it may differ from the source: non-zero in [frames, height, width]. */
  mask: Uint8Array;
}

/** What a test seed gives to measure a concept on. */
export interface ConceptScene {
  seed: number;
  /** What the concept is learned with. */
  caption: ConceptCaption;
  prompt: ScenePrompt;
  source: Pictures;
  /** What the judge sees in the source. */
  seen: Judgement;
  edits: TrueEdit[];
}

/** Renders the scene of a seed, and plans one edit of every kind that fits it (a tree has no shirt). */
export async function conceptScene(
  seed: number,
  edition: Edition,
  options: RenderOptions,
  judge: Judge,
): Promise<ConceptScene> {
  const scene = sampleScene(seed, { edition });
  const source = await renderPictures(scene, options);
  const edits: TrueEdit[] = [];
  for (const kind of changeKinds) {
    const change = sampleChange(scene, kind);
    if (change) edits.push(await trueEdit(scene, change, options, judge));
  }
  return {
    seed,
    caption: caption(scene, tokens),
    prompt: await scenePrompt(captionTexts(caption(scene, tokens)).full, captionTexts(caption(scene)).full, judge),
    source,
    seen: await judge.look(source),
    edits,
  };
}

async function trueEdit(scene: Scene, change: Change, options: RenderOptions, judge: Judge): Promise<TrueEdit> {
  const learned = captionTexts(editScene(scene, change, tokens).after).full;
  const plain = editScene(scene, change);
  const { target, mask } = renderEdit(scene, change, options);
  await breathe();
  return {
    change,
    prompt: await scenePrompt(learned, captionTexts(plain.after).full, judge),
    before: attributes(scene),
    after: attributes(plain.scene),
    target: picturesOf(target.frames, options),
    mask,
  };
}

async function scenePrompt(learned: string, plain: string, judge: Judge): Promise<ScenePrompt> {
  const [text] = await judge.read([plain]);
  return { learned, plain, text: text! };
}
