import { colourOf, type Recolour, recolourOf } from './colour-words.ts';
import { wordsOf } from './vocabulary.ts';

const listed = (...words: string[]) => new Set(words.join(' ').split(' '));

/** What people wear and hold, in the words that they are asked for with. */
const things = listed(
  'shirt t-shirt tshirt blouse top polo hoodie sweater jumper pullover cardigan jacket coat blazer suit vest dress skirt gown',
  'trousers pants jeans shorts leggings socks shoes boots gloves mittens scarf tie hat cap beanie helmet hood crown glasses',
  'sunglasses mask bag backpack handbag umbrella ball balloon book phone flower flowers glass cup mug bottle clothes outfit',
  'uniform collar sleeves hair',
);
/** What a thing is like, beside its colour. */
const qualities = listed(
  'light dark bright pale plain',
  'striped checked dotted floral patterned leather denim woollen knitted silk straw baseball small big large long short',
);
/** What joins a thing to whoever has it. */
const links = listed(
  'a an the his her their its with without in and of wearing wears holding holds carrying carries dressed has having',
);

/** A quality belongs to a thing that comes so few words after it. */
const reach = 3;

/**
 * Whether words change only what is worn or held: then the rest of a picture is to stay as it is, while a change of light, place or style
 * is one of all of it.
 */
export function changesThings(before: string, after: string): boolean {
  const texts = [wordsOf(before), wordsOf(after)] as const;
  const changed = texts.map((words, side) => {
    const others = new Set(texts[1 - side]);
    return words.flatMap((word, at) =>
      others.has(word) ? [] : [{ word, following: words.slice(at + 1, at + 1 + reach) }],
    );
  });
  const all = changed.flat();
  const isOfThing = ({ word, following }: (typeof all)[number]) =>
    things.has(word) || ((colourOf(word) || qualities.has(word)) && following.some((next) => things.has(next)));
  return all.some(isOfThing) && all.every((change) => isOfThing(change) || links.has(change.word));
}

/** Settings that follow an edit's words until they are set by hand. */
export interface UsualSettings {
  lock: boolean;
  part: number;
  recolour: Recolour | null;
}

/**
 * How an edit begins by what its words change. Where that is a thing alone the rest is locked, and a quarter of the concept stays out,
 * which resists new words (test/studies). Where it is a colour alone, the thing that has it is recoloured as a whole.
 */
export function usualFor(before: string, after: string): UsualSettings {
  const isOfThings = changesThings(before, after);
  return { lock: isOfThings, part: isOfThings ? 0.75 : 1, recolour: recolourOf(before, after) };
}
