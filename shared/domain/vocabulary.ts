/** The words of a text, in lower case and without marks of punctuation; `[v]` and `{seen}` are none. */
export function wordsOf(text: string): string[] {
  const plain = text.toLowerCase().replaceAll(/\[[^\]]*\]|\{[^}]*\}/g, ' ');
  return plain.match(/[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*/gu) ?? [];
}

/** A word that a model was never shown, with the known one that it is a slip or another ending of, if any is. */
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

/**
 * A slip of the keyboard in every five letters, behind the first one, or a plural. Short words that differ by a letter are different words: a
 * head is no heat. The first of equals.
 */
function nearestWord(word: string, vocabulary: readonly string[]): string | null {
  let best: string | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const other of vocabulary) {
    const slips = Math.floor(Math.max(word.length, other.length) / 5);
    if (other[0] !== word[0] || Math.abs(other.length - word.length) > Math.max(1, slips)) continue;
    const distance = editDistance(word, other);
    if (distance < least && (distance <= slips || isPlural(word, other))) [best, least] = [other, distance];
  }
  return best;
}

/** Whether one of the two is the other with an s; of a word of two letters, `its`, it is none. */
function isPlural(one: string, other: string): boolean {
  return Math.min(one.length, other.length) > 2 && (one === `${other}s` || other === `${one}s`);
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
