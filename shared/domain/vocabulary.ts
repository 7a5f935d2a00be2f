/** The words of a text, in lower case and without marks of punctuation; `[v]` and `{seen}` are none. */
export function wordsOf(text: string): string[] {
  const plain = text.toLowerCase().replaceAll(/\[[^\]]*\]|\{[^}]*\}/g, ' ');
  return plain.match(/[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*/gu) ?? [];
}

/** A word that a model was never shown, with the known one that is spelt most like it, if any is. */
export interface UnknownWord {
  word: string;
  nearest: string | null;
}

/** The words of a text that are not in a vocabulary, each once, in the order of the text. */
export function unknownWords(text: string, vocabulary: readonly string[]): UnknownWord[] {
  const known = new Set(vocabulary);
  const missing = new Set(wordsOf(text).filter((word) => !known.has(word)));
  return [...missing].map((word) => ({ word, nearest: nearestWord(word, vocabulary) }));
}

/** The text with another word everywhere in the place of one. */
export function replaceWord(text: string, word: string, other: string): string {
  const letters = word.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return text.replaceAll(new RegExp(`(?<![\\p{L}\\p{N}])${letters}(?![\\p{L}\\p{N}])`, 'giu'), () => other);
}

/** Within a third of the word's letters; the first of equals. */
function nearestWord(word: string, vocabulary: readonly string[]): string | null {
  let best: string | null = null;
  let least = Math.floor(word.length / 3) + 1;
  for (const other of vocabulary) {
    if (Math.abs(other.length - word.length) >= least) continue;
    const distance = editDistance(word, other);
    if (distance < least) [best, least] = [other, distance];
  }
  return best;
}

/** Letters put in, left out, changed, and neighbours that changed places (optimal string alignment). */
function editDistance(one: string, other: string): number {
  let before: number[] = [];
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let i = 1; i <= one.length; i++) {
    const next = [i];
    for (let j = 1; j <= other.length; j++) {
      const changed = row[j - 1]! + (one[i - 1] === other[j - 1] ? 0 : 1);
      const isSwapped = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      const swapped = isSwapped ? before[j - 2]! + 1 : Number.POSITIVE_INFINITY;
      next.push(Math.min(changed, swapped, row[j]! + 1, next[j - 1]! + 1));
    }
    before = row;
    row = next;
  }
  return row.at(-1)!;
}
