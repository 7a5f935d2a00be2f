import { z } from 'zod';
import { wordsOf } from './vocabulary.ts';

const colourName = z.enum([
  'red',
  'orange',
  'yellow',
  'green',
  'turquoise',
  'blue',
  'purple',
  'pink',
  'brown',
  'white',
  'grey',
  'black',
]);
export type ColourName = z.infer<typeof colourName>;

/** Other words for them. */
const synonyms: Readonly<Record<string, ColourName>> = {
  gray: 'grey',
  silver: 'grey',
  violet: 'purple',
  lilac: 'purple',
  golden: 'yellow',
  gold: 'yellow',
  cyan: 'turquoise',
  teal: 'turquoise',
  navy: 'blue',
  crimson: 'red',
  maroon: 'red',
  beige: 'brown',
  tan: 'brown',
};

/** A thing that is to have another colour: the words for the old one, where there is one, and for the new one. */
export const recolour = z.object({ from: colourName.nullable(), to: colourName });
export type Recolour = z.infer<typeof recolour>;

const articles = new Set(['a', 'an', 'the']);

/** The colour that a word names, if it is one. */
export function colourOf(word: string): ColourName | null {
  const known = colourName.safeParse(word);
  return known.success ? known.data : (synonyms[word] ?? null);
}

/**
 * The change of colour that words ask for, where they ask for nothing else: "a red car" and "a blue car", or "a car" and "a blue car".
 * Null where other words change too, or several colours do.
 */
export function recolourOf(before: string, after: string): Recolour | null {
  const [old, wanted] = [wordsOf(before), wordsOf(after)].map((words) => words.filter((word) => !articles.has(word)));
  const added = without(wanted!, old!);
  const removed = without(old!, wanted!);
  if (added.length !== 1 || removed.length > 1) return null;
  const to = colourOf(added[0]!);
  const from = removed.length === 0 ? null : colourOf(removed[0]!);
  if (to === null || (removed.length > 0 && from === null) || from === to) return null;
  return { from, to };
}

/** The words that are not among others, each of which takes one of them away. */
function without(words: readonly string[], others: readonly string[]): string[] {
  const left = [...others];
  return words.filter((word) => {
    const at = left.indexOf(word);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}
