import { z } from 'zod';
import { type Caption, type CaptionOptions, caption, showsColours, wordsOf } from './caption.ts';
import { createRandom } from './random.ts';
import { type Scene, type Subject, sampleSubject, tempoRange } from './scene.ts';
import {
  backgroundKinds,
  backgroundsOf,
  cameraKinds,
  colourNames,
  filmKinds,
  filmsOf,
  hatKinds,
  heldKinds,
  isElement,
  isFigure,
  isPerson,
  lightKinds,
  lightsOf,
  type MotionKind,
  motionKinds,
  motionsOf,
  type SubjectKind,
  seasonKinds,
  seasonsOf,
  styleKinds,
  stylesOf,
  subjectKinds,
} from './vocabulary.ts';

/**
 * One thing that is different in the edited scene; all of them concern the first subject or the whole
 * picture.
 */
export const changeSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('shirt'), to: z.enum(colourNames) }),
  z.object({ kind: z.literal('hat'), to: z.enum(hatKinds) }),
  z.object({ kind: z.literal('held'), to: z.enum(heldKinds) }),
  z.object({ kind: z.literal('background'), to: z.enum(backgroundKinds) }),
  z.object({ kind: z.literal('light'), to: z.enum(lightKinds) }),
  z.object({ kind: z.literal('style'), to: z.enum(styleKinds) }),
  z.object({ kind: z.literal('season'), to: z.enum(seasonKinds) }),
  z.object({ kind: z.literal('film'), to: z.enum(filmKinds) }),
  z.object({ kind: z.literal('camera'), to: z.enum(cameraKinds) }),
  /** Another subject doing the same motion. */
  z.object({ kind: z.literal('subject'), to: z.enum(subjectKinds) }),
  /** Another motion by the same subject. */
  z.object({ kind: z.literal('motion'), to: z.enum(motionKinds) }),
]);
export type Change = z.infer<typeof changeSchema>;
export type ChangeKind = Change['kind'];
export const changeKinds = changeSchema.options.map((option) => option.shape.kind.value) as readonly ChangeKind[];

/** The words that an edit takes out of a caption and those that it puts in. */
export interface WordChange {
  removed: string[];
  added: string[];
}

export interface EditedScene {
  scene: Scene;
  before: Caption;
  after: Caption;
  changed: { static: WordChange; dynamic: WordChange };
}

/** The values that a change of this kind can take in this scene, without the present one. */
export function possibleValues(scene: Scene, kind: ChangeKind): string[] {
  const subject = scene.subjects[0]!;
  const others = scene.subjects.slice(1);
  const { edition } = scene;
  const kinds = scene.subjects.map((each) => each.kind);
  switch (kind) {
    case 'shirt':
      return isPerson(subject.kind) && showsColours(scene)
        ? colourNames.filter((name) => name !== subject.clothes.shirt)
        : [];
    case 'hat':
      return isPerson(subject.kind) ? hatKinds.filter((name) => name !== subject.clothes.hat) : [];
    case 'held':
      return isFigure(subject.kind) ? heldKinds.filter((name) => name !== subject.held) : [];
    case 'background':
      return backgroundKinds.filter(
        (name) =>
          name !== scene.background.kind &&
          scene.subjects.every((each) => backgroundsOf[each.kind].includes(name)) &&
          lightsOf(name, edition, kinds).includes(scene.light.kind) &&
          seasonsOf(name, edition).includes(scene.season),
      );
    case 'light':
      return lightsOf(scene.background.kind, edition, kinds).filter((name) => name !== scene.light.kind);
    case 'style':
      return stylesOf(edition).filter((name) => name !== scene.style.kind);
    case 'season':
      return seasonsOf(scene.background.kind, edition).filter((name) => name !== scene.season);
    case 'film':
      return filmsOf(edition).filter((name) => name !== scene.film);
    case 'camera':
      return cameraKinds.filter((name) => name !== scene.camera.kind);
    case 'subject':
      return subjectKinds.filter(
        (name) =>
          name !== subject.kind &&
          !isElement(subject.kind) &&
          !isElement(name) &&
          motionsOf[name].includes(subject.motion.kind) &&
          backgroundsOf[name].includes(scene.background.kind) &&
          others.every((other) => other.kind !== name),
      );
    case 'motion':
      return motionsOf[subject.kind].filter((name) => name !== subject.motion.kind);
    default:
      return kind satisfies never;
  }
}

/** Draws a change of a kind for a scene; null where the kind does not fit (a tree has no shirt). */
export function sampleChange(scene: Scene, kind: ChangeKind): Change | null {
  const values = possibleValues(scene, kind);
  if (values.length === 0) return null;
  return changeSchema.parse({ kind, to: createRandom(scene.seed, `change ${kind}`).pick(values) });
}

/**
 * The same scene with one thing changed, or several in their order, its caption, and which words say so.
 * Tokens in `options` name the learned subject and its motion: another subject is no longer [v], another
 * motion no longer [u]. Throws a RangeError for a change that does not fit the scene (see `possibleValues`).
 */
export function editScene(scene: Scene, change: Change | readonly Change[], options: CaptionOptions = {}): EditedScene {
  const changes = [change].flat() as Change[];
  const edited = structuredClone(scene);
  for (const each of changes) {
    const values = possibleValues(edited, each.kind);
    if (!values.includes(each.to)) {
      throw new RangeError(
        `${each.kind} cannot become "${each.to}" in this scene; possible: ${values.join(', ') || 'nothing'}`,
      );
    }
    apply(edited, each);
  }
  const replaces = (kind: ChangeKind) => changes.some((each) => each.kind === kind);
  const before = caption(scene, options);
  const after = caption(edited, {
    ...options,
    identityToken: replaces('subject') ? undefined : options.identityToken,
    motionToken: replaces('motion') ? undefined : options.motionToken,
  });
  return {
    scene: edited,
    before,
    after,
    changed: {
      static: compareWords(before.static, after.static),
      dynamic: compareWords(before.dynamic, after.dynamic),
    },
  };
}

function apply(scene: Scene, change: Change): void {
  const subject = scene.subjects[0]!;
  switch (change.kind) {
    case 'shirt':
      subject.clothes.shirt = change.to;
      return;
    case 'hat':
      subject.clothes.hat = change.to;
      return;
    case 'held':
      subject.held = change.to;
      return;
    case 'background':
      scene.background.kind = change.to;
      return;
    case 'light':
      scene.light.kind = change.to;
      return;
    case 'style':
      scene.style.kind = change.to;
      return;
    case 'season':
      scene.season = change.to;
      return;
    case 'film':
      scene.film = change.to;
      return;
    case 'camera':
      scene.camera.kind = change.to;
      return;
    case 'subject':
      scene.subjects[0] = replaceSubject(scene.seed, subject, change.to);
      return;
    case 'motion':
      subject.motion.tempo = sameTempo(subject, change.to);
      subject.motion.kind = change.to;
      return;
    default:
      change satisfies never;
  }
}

/** Another individual at the same place, dressed alike where it can be, moving in the same personal way. */
function replaceSubject(seed: number, old: Subject, kind: SubjectKind): Subject {
  const fresh = sampleSubject(seed, `replaced by ${kind}`, kind, old.motion.kind);
  const person = isPerson(kind);
  const skirted = old.clothes.cut === 'skirt' && (kind === 'woman' || kind === 'girl');
  return {
    ...old,
    kind,
    identity: fresh.identity,
    coat: fresh.coat,
    clothes: {
      ...old.clothes,
      hat: person ? old.clothes.hat : 'none',
      glasses: person && old.clothes.glasses,
      cut: old.clothes.cut === 'skirt' && !skirted ? 'trousers' : old.clothes.cut,
    },
    held: isFigure(kind) ? old.held : 'none',
  };
}

/** Whoever walks slowly dances slowly too: the tempo keeps its place within what is usual for the motion. */
function sameTempo(subject: Subject, to: MotionKind): number {
  const [oldSlowest, oldFastest] = tempoRange(subject.motion.kind);
  const [slowest, fastest] = tempoRange(to);
  const pace = Math.min(1, Math.max(0, (subject.motion.tempo - oldSlowest) / (oldFastest - oldSlowest)));
  return slowest + pace * (fastest - slowest);
}

/** The difference of two texts in words, by their longest common subsequence. */
export function compareWords(before: string, after: string): WordChange {
  const a = wordsOf(before);
  const b = wordsOf(after);
  // longest[i][j]: length of the longest common subsequence of a[i..] and b[j..]
  const longest = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      longest[i]![j] = a[i] === b[j] ? longest[i + 1]![j + 1]! + 1 : Math.max(longest[i + 1]![j]!, longest[i]![j + 1]!);
    }
  }
  const change: WordChange = { removed: [], added: [] };
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      i++;
      j++;
    } else if (j >= b.length || (i < a.length && longest[i + 1]![j]! >= longest[i]![j + 1]!)) {
      change.removed.push(a[i++]!);
    } else change.added.push(b[j++]!);
  }
  return change;
}
