import type { Clip } from '../../../shared/domain/clip.ts';
import type { Concept } from '../../../shared/domain/concept.ts';
import type { Edit } from '../../../shared/domain/edit.ts';
import { type ItemLabels, type ItemQuery, type ItemReference, sampleTag } from '../../../shared/domain/library.ts';
import type { CallValue, Services } from '../../app/connection.svelte.ts';
import type { Files } from '../../app/files.ts';
import type { Notices } from '../../app/notices.svelte.ts';
import type { Host } from '../../host/host.ts';
import { text } from '../../text/en.ts';
import { fillTemplate } from '../queue/name-template.ts';
import { Arrivals } from './arrivals.svelte.ts';

/** What is chosen in each list, and which list is on screen. */
interface Shown {
  shownKind: 'clip' | 'concept';
  clipId: string | null;
  conceptId: string | null;
  editId: string | null;
}

/** Clips, concepts and the edits of what is chosen, as the library has them; kept up to date by its events. */
export class LibraryState {
  clips = $state.raw<Clip[]>([]);
  concepts = $state.raw<Concept[]>([]);
  edits = $state.raw<Edit[]>([]);
  /** Also those that the search leaves out. */
  allClips = $state.raw<Clip[]>([]);
  allConcepts = $state.raw<Concept[]>([]);
  isLoaded = $state(false);

  searchText = $state('');
  order = $state<NonNullable<ItemQuery['order']>>('newest');
  /** Only what carries it is listed; null: everything. */
  tag = $state<string | null>(null);
  shownKind = $state<'clip' | 'concept'>('clip');
  clipId = $state<string | null>(null);
  conceptId = $state<string | null>(null);
  editId = $state<string | null>(null);

  /** Of the list on screen. */
  readonly tags = $derived(
    [...new Set((this.shownKind === 'clip' ? this.allClips : this.allConcepts).flatMap(({ tags }) => tags))].sort(),
  );
  readonly clip = $derived(this.allClips.find(({ id }) => id === this.clipId) ?? null);
  readonly concept = $derived(this.allConcepts.find(({ id }) => id === this.conceptId) ?? null);
  readonly edit = $derived(this.edits.find(({ id }) => id === this.editId) ?? null);
  /** Whose edits are listed: the concept on screen, or the clip, by words alone. */
  readonly subject = $derived.by(() => {
    const { shownKind, clipId, conceptId } = this;
    if (shownKind === 'clip') return clipId === null ? null : { key: `clip ${clipId}`, of: { clipId } };
    return conceptId === null ? null : { key: `concept ${conceptId}`, of: { conceptId } };
  });
  /** The clip that the chosen concept was learned from. */
  readonly sourceClip = $derived(this.#sourceOf(this.concept));

  /** Files on their way into it. */
  readonly arrivals: Arrivals;

  readonly #connection: Services;
  readonly #notices: Notices;
  readonly #files: Pick<Files, 'action'>;
  #followed: string | null = null;

  constructor(connection: Services, notices: Notices, host: Pick<Host, 'pathOf'>, files: Pick<Files, 'action'>) {
    this.#connection = connection;
    this.#notices = notices;
    this.#files = files;
    this.arrivals = new Arrivals(connection, notices, host, {
      onClip: (clipId) => void this.#showClip(clipId),
      onConcept: (imported) => this.#showImported(imported),
      onLearned: (conceptId) => this.#showConcept(conceptId),
    });
    connection.on('library.changed', ({ kind }) => {
      if (kind === 'clip') void this.loadClips();
      else if (kind === 'concept') void this.loadConcepts();
      else void this.loadEdits();
    });
    connection.on('concept.opened', (opened) => void this.#showImported(opened));
  }

  /**
   * `place`: what was on screen before a reload; otherwise a library opens on the last concept that was learned in it, else on its
   * newest clip, else on the first sample. `wasChosen` tells whether the user has gone somewhere while it was loaded, and stays there.
   */
  async loadAll(place: Shown | null, wasChosen: () => boolean): Promise<void> {
    await Promise.all([this.loadClips(), this.loadConcepts()]);
    if (!this.isLoaded && !wasChosen()) {
      this.shownKind = place?.shownKind ?? (this.concepts.some(isOwn) ? 'concept' : 'clip');
      const first = this.clips.find(({ id }) => id === place?.clipId) ?? this.clips.find(isOwn) ?? this.clips.at(-1);
      this.clipId = first?.id ?? null;
    }
    const known = this.concepts.find(({ id }) => id === place?.conceptId) ?? this.concepts[0];
    if (this.conceptId === null && known) await this.chooseConcept(known.id);
    else await this.loadEdits();
    if (place && this.edits.some(({ id }) => id === place.editId)) this.editId = place.editId;
    this.#followed = this.subject?.key ?? null;
    this.isLoaded = true;
  }

  async loadClips(): Promise<void> {
    await this.#notices.attempt(async () => {
      const listed = await this.#listed((query) => this.#connection.call['clips.list'](query));
      if (listed === null) return;
      this.clips = listed.shown;
      this.allClips = listed.all;
      if (this.clip === null) this.clipId = this.clips[0]?.id ?? null;
    });
  }

  async loadConcepts(): Promise<void> {
    await this.#notices.attempt(async () => {
      const listed = await this.#listed((query) => this.#connection.call['concepts.list'](query));
      if (listed === null) return;
      this.concepts = listed.shown;
      this.allConcepts = listed.all;
      if (!this.isLoaded || this.concept !== null) return;
      // Another window may have deleted it.
      this.#chooseNoConcept();
      if (this.concepts[0]) await this.chooseConcept(this.concepts[0].id);
    });
  }

  async loadEdits(): Promise<void> {
    const { subject } = this;
    if (subject === null) {
      this.edits = [];
      return;
    }
    await this.#notices.attempt(async () => {
      const edits = await this.#connection.call['edits.list']({ ...subject.of, order: 'oldest' });
      if (this.subject?.key === subject.key) this.edits = edits;
    });
  }

  /** What is on screen has changed: its edits are listed, and none of them is chosen. */
  follow(): void {
    const key = this.subject?.key ?? null;
    if (!this.isLoaded || key === this.#followed) return;
    this.#followed = key;
    if (this.edits.some((edit) => keyOf(edit) === key)) return;
    this.edits = [];
    this.editId = null;
    void this.loadEdits();
  }

  async search(words: string): Promise<void> {
    this.searchText = words;
    await Promise.all([this.loadClips(), this.loadConcepts()]);
  }

  async sort(order: NonNullable<ItemQuery['order']>): Promise<void> {
    this.order = order;
    await Promise.all([this.loadClips(), this.loadConcepts()]);
  }

  async filter(tag: string | null): Promise<void> {
    this.tag = tag;
    await Promise.all([this.loadClips(), this.loadConcepts()]);
  }

  chooseClip(id: string): void {
    this.clipId = id;
    this.shownKind = 'clip';
  }

  async chooseConcept(id: string): Promise<void> {
    if (this.conceptId !== id) this.edits = [];
    this.conceptId = id;
    this.editId = null;
    await this.loadEdits();
    if (this.shownKind === 'concept') this.editId = this.edits.at(-1)?.id ?? null;
  }

  importFiles(files: File[]): void {
    this.shownKind = 'clip';
    for (const file of files) void this.arrivals.take(file);
  }

  /** Whether they could be written; if not, it is told why. */
  async label(item: ItemReference, labels: ItemLabels): Promise<boolean> {
    const written = await this.#notices.attempt(async () => {
      const request = { reference: item.id, labels };
      if (item.kind === 'clip') await this.#connection.call['clips.label'](request);
      else if (item.kind === 'concept') await this.#connection.call['concepts.label'](request);
      else await this.#connection.call['edits.label'](request);
      return true;
    });
    return written ?? false;
  }

  async duplicate(conceptId: string): Promise<void> {
    await this.#notices.attempt(() => this.#connection.call['concepts.duplicate']({ reference: conceptId }));
  }

  /** Writes the newest version of a concept into the folder of exports, as a `.motif` file. */
  async exportConcept({ id, name }: Concept, folder: string): Promise<void> {
    await this.#notices.attempt(async () => {
      const target = `${folder}/${fillTemplate('{name}', { name })}.motif`;
      const { file } = await this.#connection.call['concepts.exportFile']({ reference: id, target });
      this.#notices.tell(text.exporting.done(file), await this.#files.action(file));
    });
  }

  async star(edit: Edit): Promise<void> {
    await this.#notices.attempt(() =>
      this.#connection.call['edits.label']({ reference: edit.id, labels: { starred: !edit.starred } }),
    );
  }

  /** Nothing asks: what was deleted can be had back. */
  async remove(item: ItemReference, name: string): Promise<void> {
    await this.#notices.attempt(async () => {
      const { id } = await this.#connection.call['library.delete']({ items: [item] });
      if (this.clipId === item.id) this.clipId = this.clips.find((clip) => clip.id !== item.id)?.id ?? null;
      if (this.conceptId === item.id) this.#chooseNoConcept();
      if (this.editId === item.id) this.editId = null;
      const restore = () =>
        void this.#notices.attempt(() => this.#connection.call['library.restore']({ deletionId: id }));
      this.#notices.tell(text.library.deleted(name), { label: text.action.undo, run: restore });
    });
  }

  #chooseNoConcept(): void {
    this.conceptId = null;
    this.editId = null;
    this.edits = [];
  }

  async renameDirection(index: number, name: string): Promise<void> {
    const { concept } = this;
    if (!concept) return;
    const directionNames = { ...concept.directionNames, [index]: name };
    await this.#notices.attempt(() =>
      this.#connection.call['concepts.label']({ reference: concept.id, labels: { directionNames } }),
    );
  }

  clipById(id: string): Clip | null {
    return this.allClips.find((clip) => clip.id === id) ?? null;
  }

  #sourceOf(concept: Concept | null): Clip | null {
    return concept ? this.clipById(concept.clipIds[0]!) : null;
  }

  #query(): ItemQuery {
    return { text: this.searchText, order: this.order, tag: this.tag ?? undefined };
  }

  /** What is searched for, and everything; null where something else is searched for meanwhile. */
  async #listed<T>(list: (query: ItemQuery) => Promise<T[]>): Promise<{ shown: T[]; all: T[] } | null> {
    const query = this.#query();
    const shown = await list(query);
    const isWhole = query.text === '' && query.tag === undefined;
    const all = isWhole ? shown : await list({});
    return JSON.stringify(query) === JSON.stringify(this.#query()) ? { shown, all } : null;
  }

  async #showImported({ concept: { id, name }, duplicate }: CallValue<'concepts.importFile'>): Promise<void> {
    await this.#showConcept(id);
    this.#notices.tell(duplicate ? text.library.importedBefore(name) : text.library.imported(name));
  }

  async #showConcept(id: string): Promise<void> {
    await this.loadConcepts();
    this.shownKind = 'concept';
    await this.chooseConcept(id);
  }

  async #showClip(id: string): Promise<void> {
    await this.loadClips();
    if (this.shownKind === 'clip') this.chooseClip(id);
  }
}

const isOwn = ({ tags }: { tags: string[] }) => !tags.includes(sampleTag);

const keyOf = ({ conceptId, sourceClipId }: Edit) =>
  conceptId === null ? `clip ${sourceClipId}` : `concept ${conceptId}`;
