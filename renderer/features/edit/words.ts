/** A prompt in pieces, for marking what differs from the concept's own caption. */
export interface PromptPiece {
  text: string;
  /** `token`: [v] or [u]; `changed`: not in the caption at this place. */
  kind: 'same' | 'changed' | 'token';
}

const tokenPattern = /^\[[vu]\d*\]$/;

/** Words, tokens and the spaces between them. */
function split(text: string): string[] {
  return text.match(/\[[vu]\d*\]|\s+|[^\s[]+|\[/g) ?? [];
}

/** Compares word by word (longest common subsequence). Spaces between two changed words count as changed, so that marks run through. */
export function markChanges(prompt: string, caption: string): PromptPiece[] {
  const pieces = split(prompt);
  const words = pieces.filter((piece) => piece.trim() !== '');
  const kept = commonWords(
    words,
    split(caption).filter((piece) => piece.trim() !== ''),
  );
  let at = -1;
  const kinds = pieces.map((piece): PromptPiece['kind'] | 'space' => {
    if (piece.trim() === '') return 'space';
    at++;
    if (tokenPattern.test(piece)) return 'token';
    return kept.has(at) ? 'same' : 'changed';
  });
  const merged: PromptPiece[] = [];
  pieces.forEach((text, index) => {
    const kind = kinds[index]!;
    const between = kinds[index - 1] === 'changed' && kinds[index + 1] === 'changed';
    const shown = kind === 'space' ? (between ? 'changed' : 'same') : kind;
    const last = merged.at(-1);
    if (last?.kind === shown && shown !== 'token') last.text += text;
    else merged.push({ text, kind: shown });
  });
  return merged;
}

/** A piece of which the model was taught every word, or one word that it was not. */
export type TaughtPiece = PromptPiece & { isUnknown: boolean };

/** The same pieces, cut where a word of `unknown` (in lower case) stands. */
export function markUnknown(pieces: readonly PromptPiece[], unknown: ReadonlySet<string>): TaughtPiece[] {
  return pieces.flatMap(({ text, kind }): TaughtPiece[] => {
    if (kind === 'token') return [{ text, kind, isUnknown: false }];
    return text
      .split(wordPattern)
      .filter((part) => part !== '')
      .map((part) => ({ text: part, kind, isUnknown: unknown.has(part.toLowerCase()) }));
  });
}

/** As `wordsOf` of the vocabulary cuts them. */
const wordPattern = /([\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*)/u;

/** Each token of a prompt once, in the order of the text. */
export function tokensOf(prompt: string): string[] {
  return [...new Set(prompt.match(/\[[vu]\d*\]/g))];
}

export function countChanges(prompt: string, caption: string): number {
  return markChanges(prompt, caption)
    .filter(({ kind }) => kind === 'changed')
    .reduce((count, { text }) => count + text.trim().split(/\s+/).length, 0);
}

/** Which positions of `words` belong to a longest common subsequence with `others`. */
function commonWords(words: readonly string[], others: readonly string[]): Set<number> {
  const lengths = Array.from({ length: words.length + 1 }, () => new Uint16Array(others.length + 1));
  for (let i = words.length - 1; i >= 0; i--) {
    for (let j = others.length - 1; j >= 0; j--) {
      lengths[i]![j] =
        words[i] === others[j] ? lengths[i + 1]![j + 1]! + 1 : Math.max(lengths[i + 1]![j]!, lengths[i]![j + 1]!);
    }
  }
  const kept = new Set<number>();
  for (let i = 0, j = 0; i < words.length && j < others.length; ) {
    if (words[i] === others[j]) {
      kept.add(i);
      i++;
      j++;
    } else if (lengths[i + 1]![j]! >= lengths[i]![j + 1]!) i++;
    else j++;
  }
  return kept;
}
