import { z } from 'zod';

/** How many characters each kind of text may have: in the field that it is written into, and in whatever is sent. */
export const textLimits = {
  /** Several times what a text encoder reads. */
  prompt: 2000,
  name: 200,
  tag: 60,
  notes: 20_000,
  search: 300,
  /** An id, the beginning of one, or a name. */
  reference: 300,
  path: 4096,
} as const;

/** Refused as in 'A prompt has at most 2,000 characters.' */
const atMost = (what: string, limit: number) =>
  z.string().max(limit, `${what} has at most ${limit.toLocaleString('en')} characters.`);

export const promptText = atMost('A prompt', textLimits.prompt);
export const nameText = atMost('A name', textLimits.name);
export const searchText = atMost('A search', textLimits.search);
export const referenceText = atMost('An id or name', textLimits.reference);
export const tagText = atMost('A tag', textLimits.tag);
export const notesText = atMost('A note', textLimits.notes);
export const pathText = atMost('A path', textLimits.path);
