import type { Concept, ConceptCaption } from '../../../shared/domain/concept.ts';
import { ownTokens } from '../../../shared/domain/concept.ts';
import type { Services } from '../../app/connection.svelte.ts';
import type { Notices } from '../../app/notices.svelte.ts';
import { text } from '../../text/en.ts';
import { canActBeside } from '../edit/beside.ts';
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

/** What a concept brings to a mix. */
type Role = 'identity' | 'motion';

/** Concepts and clips that are to become one concept, each with its own words and tokens. */
export class ComposeState {
  name = $state('');
  /** What was asked for is on its way into the queue. */
  starting = $state(false);
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

  /** Name of a mix, if another than that of its parts. */
  mixName = $state('');
  /** Ids of the concepts whose identity and motion are put together. */
  #mixedIds = $state.raw<Record<Role, string | null>>({ identity: null, motion: null });

  readonly mixed = $derived.by<Record<Role, Concept | null>>(() => {
    const byId = (id: string | null) => this.#library.allConcepts.find((concept) => concept.id === id) ?? null;
    return { identity: byId(this.#mixedIds.identity), motion: byId(this.#mixedIds.motion) };
  });
  readonly canMix = $derived(
    this.mixed.identity !== null && this.mixed.motion !== null && this.mixed.identity !== this.mixed.motion,
  );
  /** What will be seen and what will happen, in the words of the two. */
  readonly mixedWords = $derived(
    [this.mixed.identity?.captions[0]?.static, this.mixed.motion?.captions[0]?.dynamic].filter(Boolean).join(' '),
  );
  readonly mixedName = $derived.by(() => {
    const { identity, motion } = this.mixed;
    return identity && motion ? text.compose.nameOfMix(identity.name, motion.name) : '';
  });

  #togetherIds = $state.raw<Record<'own' | 'beside', string | null>>({ own: null, beside: null });
  /** Two that act together as they are. */
  readonly together = $derived.by(() => {
    const own = this.#library.allConcepts.find(({ id }) => id === this.#togetherIds.own) ?? null;
    const beside = this.besideChoices.find(({ id }) => id === this.#togetherIds.beside) ?? null;
    return { own, beside: own && beside };
  });
  /** Those that can act beside the first; all as long as none is chosen. */
  readonly besideChoices = $derived.by(() => {
    const { allConcepts } = this.#library;
    const own = allConcepts.find(({ id }) => id === this.#togetherIds.own);
    return own ? canActBeside(allConcepts, [own]) : allConcepts;
  });

  readonly #connection: Services;
  readonly #notices: Notices;
  readonly #library: Pick<LibraryState, 'allConcepts' | 'clipById'>;
  readonly #learn: Pick<LearnState, 'model' | 'recipe'>;

  constructor(
    connection: Services,
    notices: Notices,
    library: Pick<LibraryState, 'allConcepts' | 'clipById'>,
    learn: Pick<LearnState, 'model' | 'recipe'>,
  ) {
    this.#connection = connection;
    this.#notices = notices;
    this.#library = library;
    this.#learn = learn;
  }

  setWords(part: Part, change: Partial<ConceptCaption>): void {
    this.#words = { ...this.#words, [key(part)]: { ...part.caption, ...change } };
  }

  choosePart(role: Role, id: string): void {
    this.#mixedIds = { ...this.#mixedIds, [role]: id || null };
  }

  chooseTogether(place: 'own' | 'beside', id: string): void {
    this.#togetherIds = { ...this.#togetherIds, [place]: id || null };
  }

  /** The concept of the two; null where it cannot be made, which is said why. */
  async mix(): Promise<Concept | null> {
    const { identity, motion } = this.mixed;
    if (!identity || !motion) return null;
    const name = this.mixName.trim() || this.mixedName;
    const made = await this.#notices.attempt(() =>
      this.#connection.call['concepts.mix']({ identity: identity.id, motion: motion.id, name }),
    );
    if (made) this.mixName = '';
    return made ?? null;
  }

  /** `[v2] [u2]` for the second part. */
  tokensOf(index: number): string {
    return ownTokens('[v] [u]', index);
  }

  /** Answers whether it is in the queue. */
  async start(): Promise<boolean> {
    const { concept } = this;
    if (this.starting) return false;
    this.starting = true;
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
    this.starting = false;
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
