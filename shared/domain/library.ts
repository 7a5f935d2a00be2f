import { z } from 'zod';
import { appErrorShape } from '../ipc/result.ts';
import { nameText, notesText, referenceText, searchText, tagText } from './text.ts';

/** Things of the library that a user names, finds, throws away and gets back. */
export const itemKind = z.enum(['clip', 'concept', 'edit']);
export type ItemKind = z.infer<typeof itemKind>;

export const itemReference = z.object({ kind: itemKind, id: referenceText });
export type ItemReference = z.infer<typeof itemReference>;

/** The tag of what came with the program, so that one's own things go first and the samples can be filtered out. */
export const sampleTag = 'sample';

/** What a user may write on any item. */
export const itemLabels = z.object({
  name: nameText.trim().min(1).optional(),
  tags: z.array(tagText.trim().min(1)).max(50).optional(),
  notes: notesText.optional(),
});
export type ItemLabels = z.infer<typeof itemLabels>;

/** Which items a list holds: all that carry the tag and match every word of the text. */
export const itemQuery = z.object({
  text: searchText.default(''),
  tag: tagText.optional(),
  order: z.enum(['newest', 'oldest', 'name']).default('newest'),
});
export type ItemQuery = z.input<typeof itemQuery>;

/** One found item; `snippet` marks the words found with U+0002 (start) and U+0003 (end). */
export const searchHit = z.object({ kind: itemKind, id: z.string(), name: z.string(), snippet: z.string() });
export type SearchHit = z.infer<typeof searchHit>;

/** One act of deleting: what went together comes back together. */
export const deletion = z.object({
  id: z.string(),
  title: z.string(),
  items: z.array(itemReference),
  deletedAt: z.string(),
});
export type Deletion = z.infer<typeof deletion>;

/** Who may write the library now: only one program at a time does. */
export const lockHolder = z.object({
  pid: z.int(),
  host: z.string(),
  program: z.string(),
  since: z.string(),
});
export type LockHolder = z.infer<typeof lockHolder>;

export const libraryStatus = z.object({
  folder: z.string(),
  access: z.enum(['write', 'read']),
  /** Set when access is 'read' because another program writes. */
  holder: lockHolder.nullable(),
  /** Set when access is 'read' because the disk is full or the folder must not be written. */
  obstacle: appErrorShape.nullable(),
});
export type LibraryStatus = z.infer<typeof libraryStatus>;
