import type {
  BackgroundKind,
  CameraKind,
  HatKind,
  HeldKind,
  LightKind,
  MotionKind,
  SubjectKind,
} from './vocabulary.ts';

/** The words for everything in a scene. The first of each list is the plainest. */
export const nouns: Record<SubjectKind, readonly string[]> = {
  man: ['man', 'guy', 'gentleman'],
  woman: ['woman', 'lady'],
  boy: ['boy', 'young boy', 'little boy'],
  girl: ['girl', 'young girl', 'little girl'],
  robot: ['robot', 'android'],
  dog: ['dog', 'puppy', 'hound'],
  cat: ['cat', 'kitten'],
  bird: ['bird', 'songbird'],
  fish: ['fish', 'goldfish'],
  car: ['car', 'automobile'],
  boat: ['boat', 'sailing boat', 'sailboat'],
  balloon: ['balloon', 'hot air balloon'],
  bonfire: ['bonfire', 'campfire', 'fire'],
  candle: ['candle', 'burning candle', 'lit candle'],
  'ocean waves': ['ocean waves', 'sea waves', 'waves of the sea'],
  waterfall: ['waterfall', 'cascade'],
  flag: ['flag', 'banner'],
  tree: ['tree', 'lone tree'],
  smoke: ['smoke', 'a column of smoke', 'a plume of smoke'],
  clouds: ['clouds', 'drifting clouds', 'white clouds'],
  flower: ['flower', 'blossom'],
  rain: ['rain', 'falling rain', 'a shower of rain'],
};

/** Nouns that stand without an article. */
export const uncounted: readonly SubjectKind[] = ['ocean waves', 'smoke', 'clouds', 'rain'];
export const plurals: readonly SubjectKind[] = ['ocean waves', 'clouds'];

export const pronouns: Record<SubjectKind, string> = {
  man: 'he',
  woman: 'she',
  boy: 'he',
  girl: 'she',
  robot: 'it',
  dog: 'it',
  cat: 'it',
  bird: 'it',
  fish: 'it',
  car: 'it',
  boat: 'it',
  balloon: 'it',
  bonfire: 'it',
  candle: 'it',
  'ocean waves': 'they',
  waterfall: 'it',
  flag: 'it',
  tree: 'it',
  smoke: 'it',
  clouds: 'they',
  flower: 'it',
  rain: 'it',
};

export const backgroundPhrases: Record<BackgroundKind, readonly string[]> = {
  park: ['in a park', 'in the park', 'in a green park'],
  beach: ['on a beach', 'at the beach', 'on a sandy beach', 'by the sea'],
  street: ['on a street', 'in the street', 'on a town street'],
  room: ['in a room', 'in a living room', 'inside a room', 'indoors in a room'],
  forest: ['in a forest', 'in the woods', 'among the trees of a forest'],
  desert: ['in a desert', 'in the desert', 'among sand dunes in a desert'],
  snow: ['in the snow', 'in a snowy landscape', 'on snow'],
  mountains: ['in the mountains', 'in front of mountains', 'with mountains behind'],
  stage: ['on a stage', 'on stage', 'on a theatre stage'],
  'city at night': ['in a city at night', 'in the city at night', 'in a big city by night'],
  'plain wall': ['in front of a plain wall', 'against a plain wall', 'before a bare wall'],
};

/**
 * The first edition's words for light. Those of the second are in looks.json: they tell dusk, moonlight and mist from sunset,
 * night and fog.
 */
export const firstLightPhrases: Partial<Record<LightKind, readonly string[]>> = {
  day: ['in daylight', 'by day', 'on a bright day', 'in bright daylight'],
  sunset: ['at sunset', 'at dusk', 'in the evening sun', 'in golden sunset light'],
  night: ['at night', 'by night', 'in moonlight', 'in the dark of night'],
  neon: ['in neon light', 'lit by neon', 'under neon lights', 'in pink and blue neon light'],
  fog: ['in fog', 'in the mist', 'on a foggy day', 'in thick fog'],
};

export const heldPhrases: Record<Exclude<HeldKind, 'none'>, readonly string[]> = {
  glass: ['a glass', 'a drinking glass', 'a glass of juice'],
  ball: ['a ball', 'a small ball'],
  book: ['a book', 'an open book'],
  phone: ['a phone', 'a mobile phone', 'a smartphone'],
  umbrella: ['an umbrella', 'an open umbrella'],
  flower: ['a flower', 'a single flower'],
};
export const holdingWords = ['holding', 'with', 'carrying'] as const;

export const hatPhrases: Record<Exclude<HatKind, 'none'>, readonly string[]> = {
  cap: ['a cap', 'a baseball cap'],
  hat: ['a hat', 'a brimmed hat'],
  beanie: ['a beanie', 'a woolly beanie'],
};

export const shirtNouns = ['shirt', 't-shirt', 'top'] as const;
export const glassesPhrases = ['glasses', 'a pair of glasses', 'spectacles'] as const;

/** [she is ..., she ..., they ...] */
export const verbs: Record<MotionKind, readonly (readonly [string, string, string])[]> = {
  walk: [
    ['walking', 'walks', 'walk'],
    ['strolling', 'strolls', 'stroll'],
  ],
  run: [
    ['running', 'runs', 'run'],
    ['jogging', 'jogs', 'jog'],
  ],
  wave: [['waving', 'waves', 'wave']],
  jump: [
    ['jumping', 'jumps', 'jump'],
    ['leaping', 'leaps', 'leap'],
  ],
  dance: [['dancing', 'dances', 'dance']],
  nod: [['nodding', 'nods', 'nod']],
  turn: [
    ['turning', 'turns', 'turn'],
    ['turning from side to side', 'turns from side to side', 'turn from side to side'],
  ],
  sit: [
    ['sitting down', 'sits down', 'sit down'],
    ['taking a seat', 'takes a seat', 'take a seat'],
  ],
  bounce: [
    ['bouncing', 'bounces', 'bounce'],
    ['bobbing up and down', 'bobs up and down', 'bob up and down'],
  ],
  sway: [
    ['swaying', 'sways', 'sway'],
    ['rocking to and fro', 'rocks to and fro', 'rock to and fro'],
  ],
  flicker: [
    ['flickering', 'flickers', 'flicker'],
    ['burning', 'burns', 'burn'],
  ],
  flow: [
    ['flowing', 'flows', 'flow'],
    ['streaming', 'streams', 'stream'],
  ],
  swim: [['swimming', 'swims', 'swim']],
  fly: [
    ['flying', 'flies', 'fly'],
    ['soaring', 'soars', 'soar'],
  ],
  spin: [
    ['spinning', 'spins', 'spin'],
    ['twirling around', 'twirls around', 'twirl around'],
  ],
  drive: [
    ['driving', 'drives', 'drive'],
    ['driving past', 'drives past', 'drive past'],
  ],
  sail: [
    ['sailing', 'sails', 'sail'],
    ['gliding over the water', 'glides over the water', 'glide over the water'],
  ],
  open: [
    ['opening', 'opens', 'open'],
    ['blooming', 'blooms', 'bloom'],
  ],
  fall: [
    ['falling', 'falls', 'fall'],
    ['pouring down', 'pours down', 'pour down'],
  ],
};

export const slowWords = ['slowly', 'gently', 'calmly'] as const;
export const quickWords = ['quickly', 'fast', 'briskly'] as const;
export const wideWords = ['energetically', 'with big movements'] as const;
export const narrowWords = ['softly', 'with small movements'] as const;

/** A camera after a verb ("as the camera zooms in"), and alone ("the camera zooms in"). */
export const cameraPhrases: Record<CameraKind, readonly string[]> = {
  still: ['the camera is still', 'the camera does not move', 'the camera stays fixed'],
  'zoom in': ['the camera zooms in', 'the camera moves closer', 'the view zooms in'],
  'zoom out': ['the camera zooms out', 'the camera moves back', 'the view zooms out'],
  'pan left': ['the camera pans left', 'the camera pans to the left', 'the view turns left'],
  'pan right': ['the camera pans right', 'the camera pans to the right', 'the view turns right'],
  shake: ['the camera shakes', 'the handheld camera shakes', 'the view trembles'],
};

/** The words that join phrases. */
export const joiningWords = [
  'a',
  'an',
  'and',
  'in',
  'as',
  'while',
  'is',
  'are',
  'wearing',
  'dressed',
  'the',
  'style',
  'motion',
  'together',
  'both',
  'with',
  'of',
  'person',
] as const;
export const clothNouns = { trousers: ['trousers', 'pants'], shorts: ['shorts'], skirt: ['skirt'] } as const;
