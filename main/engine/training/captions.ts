import { type ConceptCaption, ownTokens } from '../../../shared/domain/concept.ts';
import { specialTokens } from '../adapters/tokens.ts';

/** The texts of a clip: of its pictures, of itself, and of its motion alone, as an ordinary sentence. */
export type CaptionTexts = { static: string; full: string; motion: string };

/**
 * The words of a mix: what one concept looks like and how another moves. `plain`: the motion was learned
 * without a token, so that its words have none.
 */
export function mixedCaption(identity: ConceptCaption, motion: ConceptCaption, plain: boolean): ConceptCaption {
  return { static: identity.static, dynamic: plain ? classCaption(motion).dynamic : motion.dynamic };
}

/**
 * The static part, both parts together as models' trainings join them, and the dynamic part without special
 * tokens (the static, where there is none).
 */
export function captionTexts(caption: ConceptCaption): CaptionTexts {
  const { static: appearance, dynamic } = classCaption(caption);
  return {
    static: caption.static,
    full: [caption.static, caption.dynamic].filter(Boolean).join(' '),
    motion: dynamic || appearance,
  };
}

/**
 * The captions of a concept with every clip's special tokens named as its own: `[v2]` for the second clip's
 * `[v]`.
 */
export function conceptCaptions(captions: readonly ConceptCaption[]): ConceptCaption[] {
  return captions.map((caption, index) => ({
    static: ownTokens(caption.static, index),
    dynamic: ownTokens(caption.dynamic, index),
  }));
}

/** The names of a concept's special tokens, `v` and `u` first. */
export function tokenNames(captions: readonly ConceptCaption[]): string[] {
  const named = captions.flatMap((caption) => specialTokens(captionTexts(caption).full));
  return [...new Set(['v', 'u', ...named])];
}

/** What two clips side by side show. */
export function stitchedCaption(left: CaptionTexts, right: CaptionTexts): CaptionTexts {
  const join = (a: string, b: string) => `${a} on the left, ${b} on the right`;
  return {
    static: join(left.static, right.static),
    full: join(left.full, right.full),
    motion: join(left.motion, right.motion),
  };
}

/** Without the special tokens: what the class of the concept is called in general. */
function classCaption({ static: appearance, dynamic }: ConceptCaption): ConceptCaption {
  const plain = (text: string) =>
    text
      .replaceAll(/ ?\bin (a |an |the )?\[u\d*\] (motion|style|way|manner)\b/g, '')
      .replaceAll(/\[[vu]\d*\] ?/g, '')
      .replaceAll(/ +/g, ' ')
      .trim();
  return { static: plain(appearance), dynamic: plain(dynamic) };
}

/**
 * Two-part prompts of everyday scenes, as in the paper ("A man in a blue t-shirt. He is walking in a park").
 */
const everyday: ConceptCaption[] = [
  { static: 'a man in a blue shirt, in a park', dynamic: 'is walking' },
  { static: 'a woman in a red shirt, on a beach', dynamic: 'is dancing' },
  { static: 'a dog, in the snow', dynamic: 'is running' },
  { static: 'a girl in a yellow shirt, in a room', dynamic: 'is waving' },
  { static: 'a car, on a street at night', dynamic: 'is driving, as the camera pans' },
  { static: 'a boy in a green shirt, in a forest', dynamic: 'is jumping' },
  { static: 'a cat, in a room', dynamic: 'is turning' },
  { static: 'a man in a white shirt and a hat, on a stage', dynamic: 'is dancing, as the camera zooms in' },
  { static: 'a boat, at sunset', dynamic: 'is sailing' },
  { static: 'a woman in a black shirt, in the mountains', dynamic: 'is running' },
  { static: 'a bird, in a desert', dynamic: 'is flying' },
  { static: 'a man in an orange shirt, in a city at night', dynamic: 'is nodding' },
  { static: 'ocean waves, at sunset', dynamic: 'are flowing' },
  { static: 'a girl in a purple shirt, in a field in fog', dynamic: 'is spinning' },
  { static: 'a bonfire, at night', dynamic: 'is flickering' },
  { static: 'a robot, on a street', dynamic: 'is walking, as the camera zooms out' },
];

/**
 * Prompts of the prior clips (docs/method.md, regulariser 1): every other one is the concept's own caption
 * without its tokens, so that the model keeps what such a thing is in general; the rest are everyday scenes.
 */
export function priorCaptions(captions: readonly ConceptCaption[], count: number): CaptionTexts[] {
  const classes = captions.map(classCaption).filter((caption) => caption.static !== '');
  return Array.from({ length: count }, (_, index) => {
    const own = index % 2 === 0 && classes.length > 0;
    const list = own ? classes : everyday;
    return captionTexts(list[Math.floor(index / 2) % list.length]!);
  });
}
