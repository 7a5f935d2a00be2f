import type { Clip } from '../../../shared/domain/clip.ts';
import type { Edit, EditSettings } from '../../../shared/domain/edit.ts';
import { generateOutput } from '../../../shared/domain/job-input.ts';
import { type Look, nothingSaid, seenMark } from '../../../shared/domain/look.ts';
import { fromErrorShape } from '../../../shared/ipc/result.ts';
import type { Services } from '../../app/connection.svelte.ts';
import type { Notices } from '../../app/notices.svelte.ts';
import { Preview } from '../../app/preview.svelte.ts';
import type { LibraryState } from '../library/library.svelte.ts';
import type { QueueState } from '../queue/queue.svelte.ts';
import { type LookChange, LookDraft } from './look-draft.svelte.ts';
import { LookList } from './look-list.svelte.ts';
import { type LookPicture, LookTiles } from './look-tiles.svelte.ts';
import { LookVariants } from './look-variants.svelte.ts';

const fullMilliseconds = 500;

type Library = Pick<LibraryState, 'clip' | 'clipById' | 'edit' | 'editId' | 'edits' | 'loadClips' | 'loadEdits'>;
type Queue = Pick<QueueState, 'open' | 'whenDone'>;

/**
 * Looks of the chosen clip: tiles that fill by themselves, the one on the stage with its words and strength, and
 * its variants.
 */
export class LooksState {
  readonly list: LookList;
  readonly tiles: LookTiles;
  readonly draft: LookDraft;
  /** What is on the stage, if not a kept edit. */
  readonly preview: Preview<LookPicture>;
  readonly variants: LookVariants;

  readonly chosen = $derived.by(() => this.list.find(this.draft.lookId));
  readonly rendering = $derived.by(() => this.#queue.open.filter(({ id }) => this.#asked.has(id)));

  #clipId: string | null = null;
  readonly #asked = new Set<string>();
  readonly #whenKept: (() => void)[] = [];
  readonly #connection: Services;
  readonly #notices: Notices;
  readonly #library: Library;
  readonly #queue: Queue;

  constructor(connection: Services, notices: Notices, library: Library, queue: Queue) {
    this.#connection = connection;
    this.#notices = notices;
    this.#library = library;
    this.#queue = queue;
    this.draft = new LookDraft(
      () => library.clip?.seen ?? '',
      (how) => this.#follow(how),
    );
    this.preview = new Preview({
      render: (full, signal) => this.#renderDraft(full, signal),
      fullMilliseconds,
      onBegin: () => this.tiles.pause(),
      onShown: () => {
        library.editId = null;
      },
      onRest: () => void this.tiles.fill(),
    });
    this.tiles = new LookTiles(
      (settings, signal) => this.#render(settings, true, signal),
      () => this.preview.isWorking,
    );
    this.variants = new LookVariants((settings, signal) => this.#render(settings, true, signal));
    this.list = new LookList(connection, notices, () => this.#begin());
    queue.whenDone((job) => {
      if (job.kind !== 'generate' || !this.#asked.delete(job.id)) return;
      if (job.state === 'failed' && job.error) notices.fail(fromErrorShape(job.error));
      const editId = generateOutput.safeParse(job.output).data?.editId;
      const shown = job.state === 'done' && editId ? this.#showKept(editId) : Promise.resolve();
      void shown.finally(() => {
        for (const resolve of this.#whenKept.splice(0)) resolve();
      });
    });
  }

  /** Another clip was chosen: its tiles begin to fill. */
  open(clip: Clip | null): void {
    const id = clip?.id ?? null;
    if (id === this.#clipId) return;
    this.#clipId = id;
    this.preview.clear();
    this.tiles.pause();
    this.variants.clear();
    this.draft.open(id);
    if (this.draft.isOn && this.#library.edit?.sourceClipId !== id) this.#again();
    this.#begin();
  }

  /** A tile was clicked: its look is on the stage. */
  choose(look: Look): void {
    const tile = this.tiles.all.find((other) => other.look.id === look.id);
    this.draft.choose(look);
    this.#put(tile?.picture ?? null);
  }

  /** The clip alone on the stage again. */
  leave(): void {
    this.#stopAsking();
    this.draft.show(false);
    this.preview.shown = null;
    this.#library.editId = null;
    void this.tiles.fill();
  }

  /** A kept edit on the stage, with its words and strength. */
  restore(edit: Edit): void {
    this.#library.editId = edit.id;
    this.#stopAsking();
    this.preview.shown = null;
    this.draft.take(edit.settings, null);
    void this.tiles.fill();
  }

  /** What the clip shows, kept with it: the tiles are made anew with these words. */
  async say(seen: string): Promise<void> {
    const { clip } = this.#library;
    if (!clip || seen.trim() === clip.seen) return;
    await this.#notices.attempt(() =>
      this.#connection.call['clips.label']({ reference: clip.id, labels: { seen: seen.trim() } }),
    );
    await this.#library.loadClips();
    this.#begin();
  }

  /** A strip of strengths and seeds around what is on the stage. */
  async makeVariants(): Promise<void> {
    this.tiles.pause();
    const { settings, strength } = this.draft;
    const isOver = await this.variants.make({ settings, strength }).catch((thrown: unknown) => {
      this.#notices.fail(thrown);
      return true;
    });
    if (isOver) void this.tiles.fill();
  }

  chooseVariant(picture: LookPicture): void {
    this.draft.take(picture.settings, this.draft.lookId);
    this.#put(picture);
  }

  /** What is on the stage becomes an edit of the library, at once where it was made in full already. */
  async keep(): Promise<void> {
    const { clip } = this.#library;
    if (!clip || !this.draft.isOn) return;
    this.draft.settle();
    await this.#enqueue(clip.id, this.draft.settings, this.chosen?.look.name);
  }

  /** The same, and waits for it. */
  async keepNow(): Promise<void> {
    await this.keep();
    if (this.#asked.size > 0) await new Promise<void>((resolve) => this.#whenKept.push(resolve));
  }

  /** The look on the stage, for other clips: an edit of each. */
  async applyTo(clipIds: readonly string[]): Promise<void> {
    const { settings } = this.draft;
    const name = this.chosen?.look.name ?? this.#library.edit?.name;
    const own = this.#library.clip?.seen || nothingSaid;
    for (const clipId of clipIds) {
      const said = this.#library.clipById(clipId)?.seen || nothingSaid;
      const [prompt, shown] = [settings.prompt, settings.shown].map((words) => words.replaceAll(own, said));
      await this.#enqueue(clipId, { ...settings, prompt: prompt!, shown: shown! }, name, false);
    }
  }

  /** The words and strength on the stage as a look of one's own; what is said of the clip becomes the mark for it. */
  async save(name: string): Promise<boolean> {
    const said = this.#library.clip?.seen || nothingSaid;
    const { settings, strength } = this.draft;
    const { shown, prompt, keepDetail, amount, colour } = settings;
    const [from, to] = [shown, prompt].map((words) => words.replaceAll(said, seenMark));
    const saved = await this.list.add({ name, from: from!, to: to!, strength, keepDetail, amount, colour });
    if (!saved) return false;
    await this.list.load();
    this.draft.named(saved.id);
    return true;
  }

  /** The tiles anew, since the clip, the words for what is seen in it, or the list of looks have changed. */
  #begin(): void {
    const clipId = this.#clipId;
    if (clipId === null) return;
    this.tiles.set(this.list.all.map((known) => ({ ...known, clipId, settings: this.draft.settingsOf(known.look) })));
  }

  async #render(settings: EditSettings, full: boolean, signal: AbortSignal): Promise<LookPicture> {
    const request = { conceptId: null, sourceClipId: this.#clipId!, settings, full };
    const { frames, base } = await this.#connection.call['edits.preview'](request, { signal });
    return { frames, base, settings };
  }

  #renderDraft(full: boolean, signal: AbortSignal): Promise<LookPicture> | null {
    const { settings } = this.draft;
    if (this.#clipId === null || settings.prompt.trim() === '' || settings.shown.trim() === '') return null;
    return this.#render(settings, full, signal);
  }

  /** The stage follows the draft. Finishing is done in the window: nothing has to be computed for it. */
  #follow(how: LookChange): void {
    if (how === 'finishing') this.#keepPicture();
    else if (how !== 'jump') {
      this.variants.stop();
      this.preview.soon(how === 'typing');
    } else if (this.draft.canUndo) this.#again();
    else this.leave();
  }

  /** A picture that is there already, or the one that is to be made of the draft. */
  #put(picture: LookPicture | null): void {
    this.#stopAsking();
    this.variants.clear();
    this.draft.show(true);
    this.#library.editId = null;
    this.preview.shown = picture && { ...picture, full: true };
    this.preview.error = null;
    if (picture) void this.tiles.fill();
    else this.preview.now();
  }

  /** What is to be made of the draft; until it is there, what is on the stage stays. */
  #again(): void {
    const { shown } = this.preview;
    const kept = this.#library.edit;
    const stays = shown ?? (kept?.sourceClipId === this.#clipId ? { ...kept, full: true } : null);
    this.#put(null);
    if (stays)
      this.preview.shown = { frames: stays.frames, base: stays.base, settings: stays.settings, full: stays.full };
  }

  #keepPicture(): void {
    const shown = this.preview.shown ?? this.#library.edit;
    if (!shown) return;
    // A kept edit that is finished in another way is one that is not kept yet.
    const { frames, base } = shown;
    const settings = { ...shown.settings, ...this.draft.settings };
    this.preview.shown = { frames, base, settings, full: this.preview.shown?.full ?? true };
    this.#library.editId = null;
  }

  async #enqueue(sourceClipId: string, settings: EditSettings, name: string | undefined, waits = true): Promise<void> {
    const parentId = waits ? this.#library.editId : null;
    const request = { kind: 'generate', sourceClipId, settings, name, parentId } as const;
    const job = await this.#notices.attempt(() => this.#connection.call['jobs.enqueue'](request));
    if (job && waits) this.#asked.add(job.id);
  }

  async #showKept(editId: string): Promise<void> {
    await this.#library.loadEdits();
    const kept = this.#library.edits.find(({ id }) => id === editId);
    if (!kept || JSON.stringify(kept.settings) !== JSON.stringify(this.draft.settings)) return;
    this.#library.editId = editId;
    this.preview.shown = null;
  }

  #stopAsking(): void {
    this.preview.stop();
    this.variants.stop();
  }
}
