/** The canonical names of everything that a scene can show: the judge's labels. */
export const people = ['man', 'woman', 'boy', 'girl'] as const;
export const animals = ['dog', 'cat', 'bird', 'fish'] as const;
export const vehicles = ['car', 'boat', 'balloon'] as const;
export const elements = [
  'bonfire',
  'candle',
  'ocean waves',
  'waterfall',
  'flag',
  'tree',
  'smoke',
  'clouds',
  'flower',
  'rain',
] as const;
export const subjectKinds = [...people, 'robot', ...animals, ...vehicles, ...elements] as const;
export type SubjectKind = (typeof subjectKinds)[number];

export const motionKinds = [
  'walk',
  'run',
  'wave',
  'jump',
  'dance',
  'nod',
  'turn',
  'sit',
  'bounce',
  'sway',
  'flicker',
  'flow',
  'swim',
  'fly',
  'spin',
  'drive',
  'sail',
  'open',
  'fall',
] as const;
export type MotionKind = (typeof motionKinds)[number];

const figureMotions = ['walk', 'run', 'wave', 'jump', 'dance', 'nod', 'turn', 'sit', 'bounce', 'sway', 'spin'] as const;
const petMotions = ['walk', 'run', 'jump', 'nod', 'turn', 'sit', 'bounce', 'sway'] as const;

/** Which motions each subject knows. */
export const motionsOf: Record<SubjectKind, readonly MotionKind[]> = {
  man: figureMotions,
  woman: figureMotions,
  boy: figureMotions,
  girl: figureMotions,
  robot: figureMotions,
  dog: petMotions,
  cat: petMotions,
  bird: ['fly', 'walk', 'bounce', 'nod'],
  fish: ['swim', 'turn', 'jump'],
  car: ['drive', 'bounce', 'turn'],
  boat: ['sail', 'sway', 'bounce'],
  balloon: ['fly', 'sway', 'spin'],
  bonfire: ['flicker'],
  candle: ['flicker'],
  'ocean waves': ['flow'],
  waterfall: ['flow'],
  flag: ['wave'],
  tree: ['sway'],
  smoke: ['flow'],
  clouds: ['flow'],
  flower: ['open', 'sway'],
  rain: ['fall'],
};

export const backgroundKinds = [
  'park',
  'beach',
  'street',
  'room',
  'forest',
  'desert',
  'snow',
  'mountains',
  'stage',
  'city at night',
  'plain wall',
] as const;
export type BackgroundKind = (typeof backgroundKinds)[number];

export const indoors: readonly BackgroundKind[] = ['room', 'stage', 'plain wall'];
const outdoors = backgroundKinds.filter((kind) => !indoors.includes(kind));
const wild: readonly BackgroundKind[] = ['park', 'beach', 'forest', 'desert', 'snow', 'mountains'];

/** Where each subject can be. */
export const backgroundsOf: Record<SubjectKind, readonly BackgroundKind[]> = {
  man: backgroundKinds,
  woman: backgroundKinds,
  boy: backgroundKinds,
  girl: backgroundKinds,
  robot: backgroundKinds,
  dog: backgroundKinds,
  cat: backgroundKinds,
  bird: backgroundKinds,
  fish: backgroundKinds,
  car: outdoors,
  boat: outdoors.filter((kind) => kind !== 'street'),
  balloon: backgroundKinds,
  bonfire: [...outdoors, 'stage'],
  candle: backgroundKinds,
  'ocean waves': outdoors.filter((kind) => kind !== 'street'),
  waterfall: wild,
  flag: [...outdoors, 'stage'],
  tree: outdoors,
  smoke: backgroundKinds,
  clouds: ['park', 'beach', 'desert', 'snow', 'mountains'],
  flower: backgroundKinds,
  rain: outdoors,
};

/**
 * Which words of light, season, style and film a scene is drawn and described with. The first edition is what the weights that come with
 * Motif were trained on: its scenes and captions never change. The second adds the looks of looks.json. A model says in
 * `motif.json` which it knows.
 */
export const editions = [1, 2] as const;
export type Edition = (typeof editions)[number];

export const lightKinds = [
  'day',
  'sunset',
  'night',
  'neon',
  'fog',
  'dawn',
  'golden hour',
  'blue hour',
  'moonlight',
  'overcast',
  'harsh noon',
  'storm',
  'rain',
  'snowfall',
  'mist',
  'dust',
  'firelight',
  'candlelight',
  'spotlight',
  'underwater',
] as const;
export type LightKind = (typeof lightKinds)[number];

/** Weather that needs the sky above. */
const weathers: readonly LightKind[] = ['storm', 'rain', 'snowfall', 'mist', 'dust'];
/** A city at night is never lit by the sun. */
const cityLights: readonly LightKind[] = [
  'night',
  'neon',
  'fog',
  'moonlight',
  'storm',
  'rain',
  'snowfall',
  'mist',
  'spotlight',
];
/** No rain falls in the rain, and nothing burns under water. */
const unfitLights: Partial<Record<SubjectKind, readonly LightKind[]>> = {
  rain: ['storm', 'rain', 'snowfall', 'underwater'],
  bonfire: ['underwater'],
  candle: ['underwater'],
  smoke: ['underwater'],
};

/** The lights that a place can be in, with these subjects in it. */
export function lightsOf(
  background: BackgroundKind,
  edition: Edition = 1,
  subjects: readonly SubjectKind[] = [],
): readonly LightKind[] {
  const known = edition === 1 ? lightKinds.slice(0, 5) : lightKinds;
  const fits = background === 'city at night' ? known.filter((kind) => cityLights.includes(kind)) : known;
  if (edition === 1) return fits;
  const roofed = indoors.includes(background) ? fits.filter((kind) => !weathers.includes(kind)) : fits;
  return roofed.filter((kind) => subjects.every((subject) => !unfitLights[subject]?.includes(kind)));
}

export const seasonKinds = ['none', 'spring', 'summer', 'autumn', 'winter'] as const;
export type SeasonKind = (typeof seasonKinds)[number];

/** A season is told by leaves and ground, so it needs the open; snow is a place of its own. */
export function seasonsOf(background: BackgroundKind, edition: Edition = 1): readonly SeasonKind[] {
  return edition === 1 || background === 'snow' || indoors.includes(background) ? ['none'] : seasonKinds;
}

export const cameraKinds = ['still', 'zoom in', 'zoom out', 'pan left', 'pan right', 'shake'] as const;
export type CameraKind = (typeof cameraKinds)[number];

export const styleKinds = [
  'photo',
  '3D animation',
  'watercolour',
  'pencil',
  'pixel art',
  'comic',
  'ink',
  'oil',
] as const;
export type StyleKind = (typeof styleKinds)[number];

export function stylesOf(edition: Edition = 1): readonly StyleKind[] {
  return edition === 1 ? styleKinds.slice(0, 6) : styleKinds;
}

/** What is done to the colours of a finished picture, as a film or its print would. */
export const filmKinds = [
  'none',
  'black and white',
  'sepia',
  'faded',
  'bleach bypass',
  'teal and orange',
  'cross-processed',
  'high key',
  'low key',
  'infrared',
  'day for night',
  'old film',
] as const;
export type FilmKind = (typeof filmKinds)[number];

export function filmsOf(edition: Edition = 1): readonly FilmKind[] {
  return edition === 1 ? ['none'] : filmKinds;
}

export const colourNames = ['red', 'orange', 'yellow', 'green', 'blue', 'purple', 'pink', 'white', 'black'] as const;
export type ColourName = (typeof colourNames)[number];

export const patternKinds = ['plain', 'striped', 'dotted', 'checked'] as const;
export type PatternKind = (typeof patternKinds)[number];

export const hatKinds = ['none', 'cap', 'hat', 'beanie'] as const;
export type HatKind = (typeof hatKinds)[number];

export const heldKinds = ['none', 'glass', 'ball', 'book', 'phone', 'umbrella', 'flower'] as const;
export type HeldKind = (typeof heldKinds)[number];

/** Coats of dogs, cats, birds and fish. */
export const coatNames = ['white', 'black', 'brown', 'orange', 'grey', 'golden'] as const;
export type CoatName = (typeof coatNames)[number];

export function isPerson(kind: SubjectKind): boolean {
  return (people as readonly string[]).includes(kind);
}

/** People and the robot share one skeleton, so that each can do the other's motion. */
export function isFigure(kind: SubjectKind): boolean {
  return kind === 'robot' || isPerson(kind);
}

export function isElement(kind: SubjectKind): boolean {
  return (elements as readonly string[]).includes(kind);
}
