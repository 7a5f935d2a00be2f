import type { Clip } from '../../../shared/domain/clip.ts';
import type { Concept } from '../../../shared/domain/concept.ts';
import type { Edit } from '../../../shared/domain/edit.ts';
import { importOutput } from '../../../shared/domain/job-input.ts';
import { type ItemLabels, type ItemQuery, type ItemReference, sampleTag } from '../../../shared/domain/library.ts';
import { type AppErrorShape, toErrorShape } from '../../../shared/ipc/result.ts';
import type { CallValue, Services } from '../../app/connection.svelte.ts';
import type { Files } from '../../app/files.ts';
import type { Notices } from '../../app/notices.svelte.ts';
import type { Host } from '../../host/host.ts';
import { text } from '../../text/en.ts';
import { fillTemplate } from '../queue/name-template.ts';

/** A file on its way to the services, before it is a job of the queue. */
export interface Arrival {
  id: number;
  name: string;
  share: number;
  error: AppErrorShape | null;
  cancel(): void;
}

/** What is chosen in each list, and which list is on screen. */
interface Shown {
  shownKind: 'clip' | 'concept';
  clipId: string | null;
  conceptId: string | null;
  editId: string | null;
}

/** Uploads of many files: the disk gains nothing from more at once. */
const arrivalsAtOnce = 2;

/** Clips, concepts and the edits of what is chosen, as the library has them; kept up to date by its events. */
export class LibraryState {
  clips = $state.raw<Clip[]>([]);
  concepts = $state.raw<Concept[]>([]);
  edits = $state.raw<Edit[]>([]);
  /** Also those that the search leaves out. */
  allClips = $state.raw<Clip[]>([]);
  allConcepts = $state.raw<Concept[]>([]);
  arrivals = $state.raw<Arrival[]>([]);
  isLoaded = $state(false);

  searchText = $state('');
  order = $state<NonNullable<ItemQuery['order']>>('newest');
  /** Only what carries it is listed; null: everything. */
  tag = $state<string | null>(null);
  /** A LoRA file that was dropped: it becomes a concept once its clip and words are named. */
  lora = $state.raw<{ path: string; name: string } | null>(null);
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

  readonly #connection: Services;
  readonly #notices: Notices;
  readonly #host: Host;
  readonly #files: Files;
  readonly #waiting: (() => void)[] = [];
  #followed: string | null = null;
  /** Jobs that import what was dropped here: the clip is on the stage as soon as it is there. */
  readonly #imports = new Set<string>();
  #nextArrival = 1;
  #active = 0;

  constructor(connection: Services, notices: Notices, host: Host, files: Files) {
    this.#connection = connection;
    this.#notices = notices;
    this.#host = host;
    this.#files = files;
    connection.on('job.changed', ({ job }) => {
      if (job.state === 'done' && this.#imports.delete(job.id)) void this.#showClip(job.output);
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
      this.clips = await this.#connection.call['clips.list'](this.#query());
      const isWhole = this.searchText === '' && this.tag === null;
      this.allClips = isWhole ? this.clips : await this.#connection.call['clips.list']({});
      if (this.clip === null) this.clipId = this.clips[0]?.id ?? null;
    });
  }

  async loadConcepts(): Promise<void> {
    await this.#notices.attempt(async () => {
      this.concepts = await this.#connection.call['concepts.list'](this.#query());
      const isWhole = this.searchText === '' && this.tag === null;
      this.allConcepts = isWhole ? this.concepts : await this.#connection.call['concepts.list']({});
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

  /** Sends each file to the services and makes an import job of it; one that is refused says why in its place. */
  importFiles(files: File[]): void {
    this.shownKind = 'clip';
    for (const file of files) void this.#importFile(file);
  }

  dismissArrival(id: number): void {
    this.arrivals = this.arrivals.filter((arrival) => arrival.id !== id);
  }

  async label(item: ItemReference, labels: ItemLabels): Promise<void> {
    await this.#notices.attempt(async () => {
      const request = { reference: item.id, labels };
      if (item.kind === 'clip') await this.#connection.call['clips.label'](request);
      else if (item.kind === 'concept') await this.#connection.call['concepts.label'](request);
      else await this.#connection.call['edits.label'](request);
    });
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

  /** The dropped LoRA file becomes a concept of that clip. Answers whether it did. */
  async importLora(clipId: string, caption: { static: string; dynamic: string }, name: string): Promise<boolean> {
    const file = this.lora?.path;
    if (file === undefined) return false;
    const concept = await this.#notices.attempt(() =>
      this.#connection.call['concepts.importLora']({ file, clipId, caption, name: name.trim() || undefined }),
    );
    if (!concept) return false;
    this.lora = null;
    await this.loadConcepts();
    this.shownKind = 'concept';
    await this.chooseConcept(concept.id);
    return true;
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

  async #importFile(file: File): Promise<void> {
    const controller = new AbortController();
    const id = this.#nextArrival++;
    this.arrivals = [
      ...this.arrivals,
      { id, name: file.name, share: 0, error: null, cancel: () => controller.abort() },
    ];
    if (this.#active >= arrivalsAtOnce) await new Promise<void>((go) => this.#waiting.push(go));
    this.#active++;
    try {
      const onProgress = (share: number) => this.#changeArrival(id, { share });
      const path = await this.#host.pathOf(file, { onProgress, signal: controller.signal });
      await this.#takeOver(path, file.name);
      this.dismissArrival(id);
    } catch (thrown) {
      const error = toErrorShape(thrown);
      if (error.code === 'cancelled') this.dismissArrival(id);
      else this.#changeArrival(id, { error });
    } finally {
      this.#active--;
      this.#waiting.shift()?.();
    }
  }

  /** Videos become clips by a job of the queue, `.motif` files concepts at once; a LoRA is asked about first. */
  async #takeOver(path: string, fileName: string): Promise<void> {
    const name = nameOf(fileName);
    if (/\.motif$/i.test(fileName)) {
      await this.#showImported(await this.#connection.call['concepts.importFile']({ file: path }));
    } else if (/\.safetensors$/i.test(fileName)) this.lora = { path, name };
    else this.#imports.add((await this.#connection.call['jobs.enqueue']({ kind: 'import', path, name })).id);
  }

  async #showImported({ concept: { id, name }, duplicate }: CallValue<'concepts.importFile'>): Promise<void> {
    await this.loadConcepts();
    this.shownKind = 'concept';
    await this.chooseConcept(id);
    this.#notices.tell(duplicate ? text.library.importedBefore(name) : text.library.imported(name));
  }

  async #showClip(output: unknown): Promise<void> {
    const { data } = importOutput.safeParse(output);
    if (!data) return;
    await this.loadClips();
    if (this.shownKind === 'clip') this.chooseClip(data.clipId);
  }

  #changeArrival(id: number, change: Partial<Arrival>): void {
    this.arrivals = this.arrivals.map((arrival) => (arrival.id === id ? { ...arrival, ...change } : arrival));
  }
}

const isOwn = ({ tags }: { tags: string[] }) => !tags.includes(sampleTag);

const keyOf = ({ conceptId, sourceClipId }: Edit) =>
  conceptId === null ? `clip ${sourceClipId}` : `concept ${conceptId}`;

/** 'dance_01.mov' -> 'dance_01'. */
function nameOf(fileName: string): string {
  return fileName.replace(/\.[^.]+$/, '') || fileName;
}
