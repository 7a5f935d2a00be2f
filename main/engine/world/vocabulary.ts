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

const indoors: readonly BackgroundKind[] = ['room', 'stage', 'plain wall'];
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

export const lightKinds = ['day', 'sunset', 'night', 'neon', 'fog'] as const;
export type LightKind = (typeof lightKinds)[number];

/** A city at night is never lit by the sun. */
export function lightsOf(background: BackgroundKind): readonly LightKind[] {
  return background === 'city at night' ? ['night', 'neon', 'fog'] : lightKinds;
}

export const cameraKinds = ['still', 'zoom in', 'zoom out', 'pan left', 'pan right', 'shake'] as const;
export type CameraKind = (typeof cameraKinds)[number];

export const styleKinds = ['photo', '3D animation', 'watercolour', 'pencil', 'pixel art', 'comic'] as const;
export type StyleKind = (typeof styleKinds)[number];

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
