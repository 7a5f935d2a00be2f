import { z } from 'zod';
import { createRandom, type Random } from './random.ts';
import {
  type BackgroundKind,
  backgroundKinds,
  backgroundsOf,
  type CameraKind,
  cameraKinds,
  coatNames,
  colourNames,
  type Edition,
  editions,
  type FilmKind,
  filmKinds,
  filmsOf,
  hatKinds,
  heldKinds,
  isFigure,
  isPerson,
  type LightKind,
  lightKinds,
  lightsOf,
  type MotionKind,
  motionKinds,
  motionsOf,
  patternKinds,
  type SeasonKind,
  type StyleKind,
  type SubjectKind,
  seasonKinds,
  seasonsOf,
  styleKinds,
  stylesOf,
  subjectKinds,
} from './vocabulary.ts';

const unit = z.number().min(0).max(1);
const signed = z.number().min(-1).max(1);

/** What makes one individual of a kind; no caption names any of it. All in 0..1, 0.5 is average. */
const identitySchema = z.object({
  size: unit,
  build: unit,
  limbs: unit,
  head: unit,
  skin: unit,
  hair: unit,
  hairStyle: z.number().int().min(0).max(5),
  eyes: unit,
  brows: unit,
  nose: unit,
  mouth: unit,
  beard: unit,
  tint: unit,
  detail: z.number().int().nonnegative(),
});
export type Identity = z.infer<typeof identitySchema>;

/** A personal way of moving. */
const motionSchema = z.object({
  kind: z.enum(motionKinds),
  /** Cycles per second. */
  tempo: z.number().min(0.2).max(3),
  /** 1 is average. */
  amplitude: z.number().min(0.3).max(1.6),
  /** How much the left and the right, or the going and the coming, differ. */
  asymmetry: signed,
  /** Where in its cycle the clip starts. */
  phase: unit,
  /** Which of the ways to dance, to wave, ... */
  variation: z.number().int().min(0).max(7),
  /** Where a travelling subject starts and ends (after two seconds), in half widths of the frame. */
  path: z.object({ from: signed, to: signed, lift: signed }),
  /** The direction a standing subject faces, in radians; 0 looks at the camera, positive to the right. */
  facing: z.number().min(-1.6).max(1.6),
});
export type Motion = z.infer<typeof motionSchema>;

const clothesSchema = z.object({
  shirt: z.enum(colourNames),
  pattern: z.enum(patternKinds),
  trousers: z.enum(colourNames),
  cut: z.enum(['trousers', 'shorts', 'skirt']),
  sleeves: z.enum(['long', 'short']),
  hat: z.enum(hatKinds),
  hatColour: z.enum(colourNames),
  glasses: z.boolean(),
});
export type Clothes = z.infer<typeof clothesSchema>;

const subjectSchema = z.object({
  kind: z.enum(subjectKinds),
  identity: identitySchema,
  motion: motionSchema,
  /** Worn by people; vehicles, flags, flowers and robots take `shirt` as their colour. */
  clothes: clothesSchema,
  coat: z.enum(coatNames),
  held: z.enum(heldKinds),
  /** Horizontal place in half widths of the frame. */
  place: signed,
  /** 0 stands close to the camera, 1 further back. */
  distance: unit,
});
export type Subject = z.infer<typeof subjectSchema>;

/** Everything that a clip shows, as plain data: the same scene gives the same pixels. */
export const sceneSchema = z.object({
  seed: z.number().int().nonnegative(),
  edition: z.literal(editions),
  subjects: z.array(subjectSchema).min(1).max(2),
  background: z.object({ kind: z.enum(backgroundKinds), horizon: unit, tint: unit, detail: z.number().int() }),
  light: z.object({ kind: z.enum(lightKinds), side: signed, strength: unit }),
  camera: z.object({ kind: z.enum(cameraKinds), amount: unit }),
  style: z.object({ kind: z.enum(styleKinds), strength: unit }),
  season: z.enum(seasonKinds),
  film: z.enum(filmKinds),
});
export type Scene = z.infer<typeof sceneSchema>;

/** Attributes that the caller fixes; the seed decides all others. */
export interface SceneOptions {
  /** Whose words the scene is drawn from; the first unless told otherwise. */
  edition?: Edition;
  subject?: SubjectKind;
  second?: SubjectKind | 'none';
  motion?: MotionKind;
  background?: BackgroundKind;
  light?: LightKind;
  camera?: CameraKind;
  style?: StyleKind;
  season?: SeasonKind;
  film?: FilmKind;
}

/** How often each subject is drawn; people are what the editor is mostly used for. */
const subjectWeights: Record<SubjectKind, number> = {
  man: 13,
  woman: 13,
  boy: 11,
  girl: 11,
  robot: 5,
  dog: 5,
  cat: 5,
  bird: 4,
  fish: 4,
  car: 4,
  boat: 3,
  balloon: 3,
  bonfire: 2.5,
  candle: 2,
  'ocean waves': 2,
  waterfall: 2,
  flag: 2,
  tree: 2,
  smoke: 1.5,
  clouds: 1.5,
  flower: 2,
  rain: 1.5,
};

const companions: readonly SubjectKind[] = ['man', 'woman', 'boy', 'girl', 'robot', 'dog', 'cat'];

/** Draws the scene of a seed. Every attribute has a random stream of its own, so that fixing one changes no other. */
export function sampleScene(seed: number, options: SceneOptions = {}): Scene {
  const { edition = 1 } = options;
  const stream = (name: string) => createRandom(seed, name);
  const kind = options.subject ?? sampleSubjectKind(stream('subject'), options);
  const background = options.background ?? stream('background').pick(backgroundsOf[kind]);
  const first = sampleSubject(seed, 'first', kind, options.motion);
  const subjects = [first];
  const pair = stream('pair');
  const paired = pair.chance(0.16) && companions.includes(kind) && first.motion.kind !== 'spin';
  const second = options.second ?? (paired ? pair.pick(companions) : 'none');
  if (second !== 'none') {
    const together = pair.chance(0.5) && motionsOf[second].includes(first.motion.kind);
    const other = sampleSubject(seed, 'second', second, together ? first.motion.kind : undefined);
    spread(first, -1);
    spread(other, 1);
    subjects.push(other);
  }
  const place = stream('scenery');
  const light = stream('light');
  const style = stream('style');
  const camera = stream('camera');
  const kinds = subjects.map((subject) => subject.kind);
  return {
    seed,
    edition,
    subjects,
    background: { kind: background, horizon: place.next(), tint: place.next(), detail: place.index(1_000_000) },
    light: {
      kind: options.light ?? pickLight(light, lightsOf(background, edition, kinds), edition),
      side: (light.chance(0.5) ? 1 : -1) * light.range(0.4, 1),
      strength: light.next(),
    },
    camera: { kind: options.camera ?? camera.pick(cameraKinds), amount: camera.next() },
    // Half of all clips are photographs: that is what editors bring.
    style: {
      kind: options.style ?? (style.chance(0.4) ? 'photo' : style.pick(stylesOf(edition))),
      strength: style.next(),
    },
    season: options.season ?? pickLook(stream('season'), seasonsOf(background, edition), 0.5),
    film: options.film ?? pickLook(stream('film'), filmsOf(edition), 0.7),
  };
}

/** The second edition has so many lights that plain daylight, the first of the list, would be rare. */
function pickLight(random: Random, lights: readonly LightKind[], edition: Edition): LightKind {
  return edition === 1 ? random.pick(lights) : pickLook(random, lights, 0.15);
}

/** The first of the list with this probability, else any. */
function pickLook<T>(random: Random, kinds: readonly T[], plain: number): T {
  return random.chance(plain) ? kinds[0]! : random.pick(kinds);
}

function sampleSubjectKind(random: Random, options: SceneOptions): SubjectKind {
  const fits = subjectKinds.filter(
    (kind) =>
      (!options.motion || motionsOf[kind].includes(options.motion)) &&
      (!options.background || backgroundsOf[kind].includes(options.background)),
  );
  let rest = random.next() * fits.reduce((sum, kind) => sum + subjectWeights[kind], 0);
  for (const kind of fits) {
    rest -= subjectWeights[kind];
    if (rest < 0) return kind;
  }
  return fits.at(-1) ?? 'man';
}

/** Two subjects stand beside each other and travel less. */
function spread(subject: Subject, side: number): void {
  subject.place = side * (0.42 + 0.12 * Math.abs(subject.place));
  subject.distance = 0.55 + 0.45 * subject.distance;
  const { path } = subject.motion;
  subject.motion.path = { from: path.from * 0.25, to: path.to * 0.25, lift: path.lift };
}

/** One subject of a kind, with its own way of moving. `role` separates the random streams of two subjects. */
export function sampleSubject(seed: number, role: string, kind: SubjectKind, motion?: MotionKind): Subject {
  const chosen = motion ?? createRandom(seed, `${role}-motion`).pick(motionsOf[kind]);
  const place = createRandom(seed, `${role}-place`);
  const held = createRandom(seed, `${role}-held`);
  const carries = isFigure(kind) && held.chance(0.45);
  return {
    kind,
    identity: sampleIdentity(createRandom(seed, `${role}-identity`)),
    motion: sampleMotion(createRandom(seed, `${role}-manner`), chosen),
    clothes: sampleClothes(createRandom(seed, `${role}-clothes`), kind),
    coat: createRandom(seed, `${role}-coat`).pick(coatNames),
    held: carries ? held.pick(heldKinds.slice(1)) : 'none',
    place: place.range(-0.3, 0.3),
    distance: sampleDistance(place, kind, chosen),
  };
}

/** Small movements are seen from close by, large ones with the whole body in the frame. */
function sampleDistance(random: Random, kind: SubjectKind, motion: MotionKind): number {
  const share = random.next();
  if (!isFigure(kind)) return share;
  if (motion === 'nod') return 0.4 * share;
  if (motion === 'wave' || motion === 'turn' || motion === 'sway' || motion === 'dance')
    return 0.1 + 0.9 * Math.sqrt(share);
  return 0.55 + 0.45 * share;
}

function sampleIdentity(random: Random): Identity {
  return {
    size: random.next(),
    build: random.next(),
    limbs: random.next(),
    head: random.next(),
    skin: random.next(),
    hair: random.next(),
    hairStyle: random.index(6),
    eyes: random.next(),
    brows: random.next(),
    nose: random.next(),
    mouth: random.next(),
    beard: random.next(),
    tint: random.next(),
    detail: random.index(1_000_000),
  };
}

/** Tempos that stay legible at 8 frames per second, in cycles per second. */
const tempos: Partial<Record<MotionKind, readonly [number, number]>> = {
  walk: [0.8, 1.3],
  run: [1.3, 1.9],
  wave: [0.9, 2],
  jump: [0.6, 1.1],
  dance: [0.6, 1.5],
  nod: [0.7, 1.6],
  turn: [0.35, 0.6],
  sit: [0.6, 1.4],
  bounce: [0.9, 1.8],
  sway: [0.4, 1],
  spin: [0.35, 0.8],
  open: [0.5, 1.1],
};

export function tempoRange(kind: MotionKind): readonly [slowest: number, fastest: number] {
  return tempos[kind] ?? [0.5, 1.3];
}

function sampleMotion(random: Random, kind: MotionKind): Motion {
  const [slowest, fastest] = tempoRange(kind);
  const direction = random.chance(0.5) ? 1 : -1;
  return {
    kind,
    tempo: random.range(slowest, fastest),
    amplitude: random.range(0.65, 1.35),
    asymmetry: random.range(-1, 1),
    phase: random.next(),
    variation: random.index(8),
    path: {
      from: -direction * random.range(0.25, 0.6),
      to: direction * random.range(0.25, 0.6),
      lift: random.range(-1, 1),
    },
    facing: random.range(-0.7, 0.7),
  };
}

function sampleClothes(random: Random, kind: SubjectKind): Clothes {
  const skirted = random.chance(0.4) && (kind === 'woman' || kind === 'girl');
  const hat = random.chance(0.35) ? random.pick(hatKinds.slice(1)) : 'none';
  return {
    shirt: random.pick(colourNames),
    pattern: random.chance(0.5) ? 'plain' : random.pick(patternKinds),
    trousers: random.pick(colourNames),
    cut: skirted ? 'skirt' : random.chance(0.25) ? 'shorts' : 'trousers',
    sleeves: random.chance(0.5) ? 'long' : 'short',
    hat: isPerson(kind) ? hat : 'none',
    hatColour: random.pick(colourNames),
    glasses: random.chance(0.25) && isPerson(kind),
  };
}
