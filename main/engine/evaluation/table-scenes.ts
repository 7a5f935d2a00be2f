import { type Change, type ChangeKind, editScene, possibleValues, sampleChange } from '../../world/edit.ts';
import type { RenderOptions } from '../../world/render.ts';
import { type Scene, type SceneOptions, sampleScene } from '../../world/scene.ts';
import { type Edition, isElement, motionsOf } from '../../world/vocabulary.ts';
import type { Judge } from '../models/judge/judge.ts';
import { Random } from '../nn/random.ts';
import { type ConceptScene, editedScene, fittingChanges, mixedScene } from './concept-scene.ts';

/**
 * Scenes of people as in Set-and-Sequence's tables; the first test seeds, whatever they show; pairs of scenes
 * to be mixed.
 */
export type SceneSet = 'people' | 'wide' | 'mixes' | 'subjects' | 'motions';

/** A scene of a table. */
export interface TableScene {
  name: string;
  scene: Scene;
  /** Its edits, each of one change or several; none for a mix. */
  edits: Change[][];
  /** For a mix: the scene that gives the motion. */
  motion: Scene | null;
}

/** Five people and a pair, each of the first test seed at which that person has empty hands and no hat. */
const people: readonly { seed: number; options: SceneOptions }[] = [
  { seed: 0, options: { subject: 'man', motion: 'dance', second: 'none' } },
  { seed: 60, options: { subject: 'woman', motion: 'walk', second: 'none' } },
  { seed: 70, options: { subject: 'boy', motion: 'wave', second: 'none' } },
  { seed: 160, options: { subject: 'girl', motion: 'dance', second: 'none' } },
  { seed: 170, options: { subject: 'man', motion: 'jump', second: 'none' } },
  { seed: 190, options: { subject: 'woman', motion: 'dance', second: 'man' } },
];

const wideScenes = 30;
const mixCount = 24;

/** The scenes of a set, in the words of an edition. */
export function tableScenes(set: SceneSet, edition: Edition): TableScene[] {
  switch (set) {
    case 'people':
      return people.map(({ seed, options }) => {
        const scene = sampleScene(seed, { ...options, style: 'photo', edition });
        return { name: nameOf(seed), scene, edits: paperEdits(scene), motion: null };
      });
    case 'wide':
      return Array.from({ length: wideScenes }, (_, index) => {
        const scene = sampleScene(10 * index, { edition });
        return { name: `wide-${nameOf(10 * index)}`, scene, edits: fittingChanges(scene), motion: null };
      });
    case 'mixes':
      return mixes(edition);
    case 'subjects':
      return subjects(edition);
    case 'motions':
      return motions(edition);
    default:
      return set satisfies never;
  }
}

/** Renders a scene of a table with the truth of its edits. */
export function renderTableScene(
  { scene, edits, motion }: TableScene,
  options: RenderOptions,
  judge: Judge,
): Promise<ConceptScene> {
  return motion ? mixedScene(scene, motion, options, judge) : editedScene(scene, edits, options, judge);
}

/**
 * Shirt and background together, and a glass in the hand, as in the paper; another light, which the embedded
 * model can do.
 */
function paperEdits(scene: Scene): Change[][] {
  const shirt = sampleChange(scene, 'shirt')!;
  const background = sampleChange(editScene(scene, shirt).scene, 'background')!;
  const light = sampleChange(scene, 'light')!;
  return [[shirt, background], [{ kind: 'held', to: 'glass' }], [light]];
}

/**
 * Pairs of test seeds: of every two, one has the same kind of subject in both. The second one's motion is new
 * to the first and possible for it.
 */
function mixes(edition: Edition): TableScene[] {
  const pairs: TableScene[] = [];
  for (let seed = 0; pairs.length < mixCount; seed += 10) {
    const scene = sampleScene(seed, { second: 'none', edition });
    const [own] = scene.subjects;
    if (isElement(own!.kind)) continue;
    const alike = pairs.length % 2 === 0;
    for (let other = seed + 10; ; other += 10) {
      const motion = sampleScene(other, { second: 'none', edition, ...(alike && { subject: own!.kind }) });
      const [moving] = motion.subjects;
      const fits = motionsOf[own!.kind].includes(moving!.motion.kind) && moving!.motion.kind !== own!.motion.kind;
      if (!fits || (!alike && moving!.kind === own!.kind)) continue;
      pairs.push({ name: `mix-${nameOf(seed)}-${nameOf(other)}`, scene, edits: [], motion });
      break;
    }
  }
  return pairs;
}

const subjectCount = 12;
const subjectPrompts = 8;

/** Subjects of the first test seeds, each to be seen doing other things at other places. */
function subjects(edition: Edition): TableScene[] {
  const found: TableScene[] = [];
  for (let seed = 0; found.length < subjectCount; seed += 10) {
    const scene = sampleScene(seed, { second: 'none', edition });
    if (isElement(scene.subjects[0]!.kind)) continue;
    const edits = drawEdits(scene, ['motion', 'background'], subjectPrompts);
    found.push({ name: `subject-${nameOf(seed)}`, scene, edits, motion: null });
  }
  return found;
}

const learnedMotions = ['walk', 'run', 'wave', 'jump', 'dance', 'nod', 'turn', 'sit', 'bounce', 'sway'] as const;
const motionPrompts = 6;

/** Ten motions of people, each to be done by others at other places. */
function motions(edition: Edition): TableScene[] {
  return learnedMotions.map((motion, index) => {
    const seed = 10 * index;
    const subject = people[index % people.length]!.options.subject!;
    const scene = sampleScene(seed, { subject, motion, second: 'none', style: 'photo', edition });
    const edits = drawEdits(scene, ['subject', 'background'], motionPrompts);
    return { name: `motion-${motion}-${nameOf(seed)}`, scene, edits, motion: null };
  });
}

/**
 * So many edits that change these kinds together, no two alike, drawn by the scene's seed; fewer where it
 * knows no more.
 */
function drawEdits(scene: Scene, kinds: readonly ChangeKind[], count: number): Change[][] {
  const combinations = kinds.reduce<Change[][]>(
    (all, kind) =>
      all.flatMap((changes) =>
        possibleValues(editScene(scene, changes).scene, kind).map((to) => [...changes, { kind, to } as Change]),
      ),
    [[]],
  );
  return new Random(`prompts of ${scene.seed}`).shuffle(combinations).slice(0, count);
}

const nameOf = (seed: number) => `seed-${String(seed).padStart(6, '0')}`;
