import type { ConceptCaption } from '../../../shared/domain/concept.ts';
import { ownTokens } from '../../../shared/domain/concept.ts';
import type { Connection } from '../../app/connection.svelte.ts';
import type { Notices } from '../../app/notices.svelte.ts';
import { wordsOfClip } from '../learn/clip-words.ts';
import type { LearnState } from '../learn/learn.svelte.ts';
import type { LibraryState } from '../library/library.svelte.ts';

/** One clip of what is to be learned together. */
export interface Part {
  clipId: string;
  /** The concept or clip that it was chosen as. */
  itemId: string;
  name: string;
  caption: ConceptCaption;
}

/** Concepts and clips that are to become one concept, each with its own words and tokens. */
export class ComposeState {
  name = $state('');
  /** Ids of concepts and clips, in the order in which they were chosen: it decides their tokens. */
  chosen = $state.raw<string[]>([]);
  /** Words that were changed here, by item and clip. */
  #words = $state.raw<Record<string, ConceptCaption>>({});

  readonly parts = $derived.by<Part[]>(() =>
    this.chosen
      .flatMap((id) => this.#partsOf(id))
      .map((part) => ({ ...part, caption: this.#words[key(part)] ?? part.caption })),
  );
  readonly isReady = $derived(
    this.parts.length > 1 &&
      this.parts.every(({ caption }) => /\[v\d*\]/.test(caption.static) && /\[u\d*\]/.test(caption.dynamic)),
  );

  /** The first chosen concept: what it was learned on learns them all. */
  readonly concept = $derived.by(() => this.#library.allConcepts.find(({ id }) => this.chosen.includes(id)) ?? null);

  readonly #connection: Connection;
  readonly #notices: Notices;
  readonly #library: LibraryState;
  readonly #learn: LearnState;

  constructor(connection: Connection, notices: Notices, library: LibraryState, learn: LearnState) {
    this.#connection = connection;
    this.#notices = notices;
    this.#library = library;
    this.#learn = learn;
  }

  choose(id: string, chosen: boolean): void {
    this.chosen = chosen ? [...this.chosen, id] : this.chosen.filter((other) => other !== id);
  }

  setWords(part: Part, change: Partial<ConceptCaption>): void {
    this.#words = { ...this.#words, [key(part)]: { ...part.caption, ...change } };
  }

  /** `[v2] [u2]` for the second part. */
  tokensOf(index: number): string {
    return ownTokens('[v] [u]', index);
  }

  /** Answers whether it is in the queue. */
  async start(): Promise<boolean> {
    const { concept } = this;
    const done = await this.#notices.attempt(async () => {
      await this.#connection.call['jobs.enqueue']({
        kind: 'learn',
        name: this.name.trim() || this.parts.map(({ name }) => name).join(' + '),
        clips: this.parts.map(({ clipId, caption }) => ({
          clipId,
          caption: { static: caption.static.trim(), dynamic: caption.dynamic.trim() },
        })),
        recipe: this.#learn.recipe,
        model: concept?.model ?? this.#learn.model?.name ?? null,
      });
      return true;
    });
    if (done) {
      this.chosen = [];
      this.name = '';
    }
    return done ?? false;
  }

  #partsOf(id: string): Part[] {
    const concept = this.#library.allConcepts.find((known) => known.id === id);
    if (concept) {
      const { clipIds, captions, name } = concept;
      return clipIds.map((clipId, index) => ({ clipId, itemId: id, name, caption: captions[index]! }));
    }
    const clip = this.#library.clipById(id);
    if (!clip) return [];
    const { looks, motion } = wordsOfClip(clip);
    return [{ clipId: id, itemId: id, name: clip.name, caption: { static: looks, dynamic: motion } }];
  }
}

function key({ itemId, clipId }: Part): string {
  return `${itemId} ${clipId}`;
}
