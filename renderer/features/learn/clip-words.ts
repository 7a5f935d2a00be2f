import type { Clip } from '../../../shared/domain/clip.ts';

/** Where what was written and marked for a clip is kept until it is learned, and after. */
export function draftKey(clipId: string): string {
  return `motif.words.${clipId}`;
}

export function readDraft(clipId: string): Record<string, unknown> {
  return JSON.parse(localStorage.getItem(draftKey(clipId)) ?? '{}') as Record<string, unknown>;
}

/** A clip's words: those kept when it was left, or lines of its notes that carry the marks. */
export function wordsOfClip({ id, notes }: Pick<Clip, 'id' | 'notes'>): { looks: string; motion: string } {
  const { looks, motion } = readDraft(id);
  const lines = notes.split('\n');
  return {
    looks: typeof looks === 'string' ? looks : (lines.find((line) => line.includes('[v]')) ?? ''),
    motion: typeof motion === 'string' ? motion : (lines.find((line) => line.includes('[u]')) ?? ''),
  };
}

/** What captions say around their tokens, 'in [u] motion': its meaning is learned with the token. */
export const wordsWithTokens = 'motion';

/** 'it burns', '[u]' at its end -> 'it burns [u] ': in place of what is chosen, with spaces around it. */
export function insertWord(text: string, word: string, from: number, to: number): string {
  const before = text.slice(0, from);
  const after = text.slice(to);
  return `${before}${/\S$/.test(before) ? ' ' : ''}${word}${/^\s/.test(after) ? '' : ' '}${after}`;
}
