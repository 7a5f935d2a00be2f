import type { Clip } from '../../../shared/domain/clip.ts';
import { type Edit, type EditSettings, editSettings, isFinishingOnly } from '../../../shared/domain/edit.ts';
import { amend, type History, record, redo, startHistory, undo } from '../../../shared/domain/history.ts';
import { generateOutput } from '../../../shared/domain/job-input.ts';
import { type Look, type LookInput, lookSettings, nothingSaid, seenMark } from '../../../shared/domain/look.ts';
import { startStrength, strengthOf, strengthSettings } from '../../../shared/domain/strength.ts';
import { changesThings } from '../../../shared/domain/things.ts';
import { type AppErrorShape, fromErrorShape, toErrorShape } from '../../../shared/ipc/result.ts';
import type { Services } from '../../app/connection.svelte.ts';
import type { Notices } from '../../app/notices.svelte.ts';
import type { LibraryState } from '../library/library.svelte.ts';
import type { QueueState } from '../queue/queue.svelte.ts';
import { LookList } from './look-list.svelte.ts';
import { type LookPicture, LookTiles } from './look-tiles.svelte.ts';
import { LookVariants } from './look-variants.svelte.ts';

/** The first change asks for a preview at once; while more follow, and while words are typed, the last one does, after so long. */
const settleMilliseconds = 120;
/** When nothing moved for so long after a preview, the full result follows in its place. */
const fullMilliseconds = 500;
/** Looks of the chosen clip: tiles that fill by themselves, the one on the stage with its words and strength, and its variants. */
export class LooksState {
  readonly list: LookList;
  readonly tiles: LookTiles;
  readonly variants: LookVariants;
  /** The look whose words are on the stage, unless they were changed since. */
  chosenId = $state<string | null>(null);
  strength = $state(startStrength);
  /** What is on the stage, if not a kept edit. */
  preview = $state.raw<(LookPicture & { full: boolean }) | null>(null);
  previewing = $state(false);
  previewError = $state.raw<AppErrorShape | null>(null);
  /** Whether a look is on the stage at all, and not the clip alone. */
  isOn = $state(false);

  #isLockChosen = false;
  #history = $state.raw<History<Draft>>(startHistory(emptyDraft));
  #stored: Draft | null = null;
  #clipId: string | null = null;
  #asking: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #changedAt = Number.NEGATIVE_INFINITY;
  readonly #asked = new Set<string>();
  readonly #whenKept: (() => void)[] = [];

  readonly draft = $derived(this.#history.present);
  readonly settings = $derived(this.draft.settings);
  readonly canUndo = $derived(this.#history.past.length > 0);
  readonly canRedo = $derived(this.#history.future.length > 0);
  readonly chosen = $derived.by(() => this.list.find(this.chosenId));
  /** What is seen in the clip, as it stands in words. */
  readonly seen = $derived.by(() => this.#library.clip?.seen ?? '');
  readonly rendering = $derived.by(() => this.#queue.open.filter(({ id }) => this.#asked.has(id)));

  readonly #connection: Services;
  readonly #notices: Notices;
  readonly #library: LibraryState;
  readonly #queue: QueueState;

  constructor(connection: Services, notices: Notices, library: LibraryState, queue: QueueState) {
    this.#connection = connection;
    this.#notices = notices;
    this.#library = library;
    this.#queue = queue;
    this.tiles = new LookTiles(
      (settings, signal) => this.#render(settings, true, signal),
      () => this.#asking !== null,
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
    this.#stop();
    this.isOn = false;
    this.chosenId = null;
    this.variants.clear();
    this.#isLockChosen = false;
    this.#history = startHistory(emptyDraft);
    this.#begin();
  }

  /** The tiles anew, since the clip, the words for what is seen in it, or the list of looks have changed. */
  #begin(): void {
    const clipId = this.#clipId;
    if (clipId === null) return;
    this.tiles.set(this.list.all.map((known) => ({ ...known, clipId, settings: this.#draftOf(known.look).settings })));
  }

  async #render(settings: EditSettings, full: boolean, signal: AbortSignal): Promise<LookPicture> {
    const request = { conceptId: null, sourceClipId: this.#clipId!, settings, full };
    const { frames, base } = await this.#connection.call['edits.preview'](request, { signal });
    return { frames, base, settings };
  }

  #draftOf(look: Look, strength = look.strength): Draft {
    return { lookId: look.id, strength, settings: lookSettings(look, { seen: this.seen, strength }) };
  }

  /** A tile was clicked: its look is on the stage. */
  choose(look: Look): void {
    const tile = this.tiles.all.find((other) => other.look.id === look.id);
    this.#commit();
    this.#history = record(this.#history, this.#draftOf(look));
    this.#take(tile?.picture ? { ...tile.picture, full: true } : null);
  }

  /** The words for what the clip should become, and for what it shows, as they are typed. */
  write(patch: { prompt?: string; shown?: string }): void {
    const draft = this.isOn ? this.draft : this.#wordsOnly();
    const settings = { ...draft.settings, ...patch };
    // Words that change things alone lock the rest, until it is locked or not by hand.
    if (!this.#isLockChosen) settings.lock = changesThings(settings.shown, settings.prompt);
    this.#amend({ ...draft, lookId: null, settings });
    this.#changed(true);
  }

  /** The words that a phrase is put into: those on the stage, or those for the clip as it is. */
  get promptToWrite(): string {
    return (this.isOn ? this.draft : this.#wordsOnly()).settings.prompt;
  }

  /** Fidelity and guidance together. */
  setStrength(strength: number): void {
    this.#amend({ ...this.draft, strength, settings: { ...this.settings, ...strengthSettings(strength) } });
    this.#changed();
  }

  /** A change in the middle of a slider's movement: many make one step of undo. */
  adjust(patch: Partial<EditSettings>): void {
    if (patch.lock !== undefined) this.#isLockChosen = true;
    this.#amend({ ...this.draft, settings: { ...this.settings, ...patch } });
    // Finishing is done in the window: nothing has to be computed for it.
    if (isFinishingOnly(patch)) this.#keepPicture();
    else this.#changed();
  }

  settle(): void {
    this.#commit();
  }

  undo(): void {
    this.#commit();
    this.#history = undo(this.#history);
    this.#afterJump();
  }

  redo(): void {
    this.#commit();
    this.#history = redo(this.#history);
    this.#afterJump();
  }

  /** The clip alone on the stage again. */
  leave(): void {
    this.#stopAsking();
    this.isOn = false;
    this.preview = null;
    this.#library.editId = null;
    void this.tiles.fill();
  }

  /** A kept edit on the stage, with its words and strength. */
  restore(edit: Edit): void {
    this.#library.editId = edit.id;
    this.#commit();
    this.#stopAsking();
    this.preview = null;
    this.isOn = true;
    const { settings } = edit;
    this.#history = record(this.#history, { lookId: null, strength: strengthOf(settings), settings });
    this.chosenId = null;
    this.strength = this.draft.strength;
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
    this.#commit();
    const { settings } = picture;
    this.#history = record(this.#history, { lookId: this.draft.lookId, strength: strengthOf(settings), settings });
    this.#take({ ...picture, full: true });
  }

  /** What is on the stage becomes an edit of the library, at once where it was made in full already. */
  async keep(): Promise<void> {
    const { clip } = this.#library;
    if (!clip || !this.isOn) return;
    this.#commit();
    const name = this.chosen?.look.name;
    await this.#enqueue(clip.id, this.settings, name);
  }

  /** The same, and waits for it. */
  async keepNow(): Promise<void> {
    await this.keep();
    if (this.#asked.size > 0) await new Promise<void>((resolve) => this.#whenKept.push(resolve));
  }

  /** The look on the stage, for other clips: an edit of each. */
  async applyTo(clipIds: readonly string[]): Promise<void> {
    const { prompt, shown } = this.settings;
    const name = this.chosen?.look.name ?? this.#library.edit?.name;
    for (const clipId of clipIds) {
      const other = this.#library.clipById(clipId);
      const own = this.#library.clip?.seen || nothingSaid;
      const said = other?.seen || nothingSaid;
      const words = { prompt: prompt.replaceAll(own, said), shown: shown.replaceAll(own, said) };
      await this.#enqueue(clipId, { ...this.settings, ...words }, name, false);
    }
  }

  async #enqueue(sourceClipId: string, settings: EditSettings, name: string | undefined, waits = true): Promise<void> {
    const request = {
      kind: 'generate',
      sourceClipId,
      settings,
      name,
      parentId: waits ? this.#library.editId : null,
    } as const;
    const job = await this.#notices.attempt(() => this.#connection.call['jobs.enqueue'](request));
    if (job && waits) this.#asked.add(job.id);
  }

  /** The words and strength on the stage as a look of one's own; what is said of the clip becomes the mark for it. */
  async save(name: string): Promise<boolean> {
    const said = this.seen || nothingSaid;
    const general = (words: string) => words.replaceAll(said, seenMark);
    const { shown, prompt, keepDetail, amount, colour } = this.settings;
    const words = { from: general(shown), to: general(prompt) };
    const look: LookInput = { name, ...words, strength: this.strength, keepDetail, amount, colour };
    const saved = await this.list.add(look);
    if (!saved) return false;
    await this.list.load();
    this.chosenId = saved.id;
    return true;
  }

  /** Where somebody writes words of their own before any look was chosen. */
  #wordsOnly(): Draft {
    const shown = `${this.seen || nothingSaid} by day, the camera is still`;
    return {
      lookId: null,
      strength: startStrength,
      settings: editSettings.parse({ prompt: shown, shown, ...strengthSettings(startStrength) }),
    };
  }

  #take(picture: (LookPicture & { full: boolean }) | null): void {
    this.#stopAsking();
    this.isOn = true;
    this.variants.clear();
    this.chosenId = this.draft.lookId;
    this.strength = this.draft.strength;
    this.#library.editId = null;
    this.preview = picture;
    this.previewError = null;
    if (!picture) void this.#ask(false);
    else void this.tiles.fill();
  }

  #afterJump(): void {
    if (this.#history.past.length === 0) this.leave();
    else this.#take(null);
  }

  #keepPicture(): void {
    const shown = this.preview ?? this.#library.edit;
    if (!shown) return;
    // A kept edit that is finished in another way is one that is not kept yet.
    const { frames, base } = shown;
    this.preview = {
      frames,
      base,
      settings: { ...shown.settings, ...this.settings },
      full: this.preview?.full ?? true,
    };
    this.#library.editId = null;
  }

  #amend(draft: Draft): void {
    this.#stored ??= this.draft;
    this.#history = amend(this.#history, draft);
    this.chosenId = draft.lookId;
    this.strength = draft.strength;
    this.isOn = true;
  }

  #commit(): void {
    if (this.#stored === null) return;
    const { past, present } = this.#history;
    if (!same(this.#stored, present)) this.#history = record({ past, present: this.#stored, future: [] }, present);
    this.#stored = null;
  }

  #changed(isTyping = false): void {
    this.#stopAsking();
    const now = performance.now();
    const isFirst = now - this.#changedAt > settleMilliseconds;
    this.#changedAt = now;
    if (isFirst && !isTyping) void this.#ask(false);
    else this.#timer = setTimeout(() => void this.#ask(false), settleMilliseconds);
  }

  /** First with few steps, then in full. */
  async #ask(full: boolean): Promise<void> {
    if (this.#clipId === null || this.settings.prompt.trim() === '' || this.settings.shown.trim() === '') return;
    this.tiles.pause();
    const asking = new AbortController();
    this.#asking = asking;
    this.previewing = true;
    try {
      const picture = await this.#render(this.settings, full, asking.signal);
      if (this.#asking !== asking) return;
      this.preview = { ...picture, full };
      this.#library.editId = null;
      this.previewError = null;
      this.#asking = null;
      if (full) void this.tiles.fill();
      else this.#timer = setTimeout(() => void this.#ask(true), fullMilliseconds);
    } catch (thrown) {
      if (this.#asking !== asking) return;
      this.#asking = null;
      const error = toErrorShape(thrown);
      this.previewError = error.code === 'cancelled' ? null : error;
      if (error.code !== 'cancelled') void this.tiles.fill();
    } finally {
      if (this.#asking === null) this.previewing = false;
    }
  }

  async #showKept(editId: string): Promise<void> {
    await this.#library.loadEdits();
    const kept = this.#library.edits.find(({ id }) => id === editId);
    if (!kept || !same(kept.settings, this.settings)) return;
    this.#library.editId = editId;
    this.preview = null;
  }

  #stopAsking(): void {
    clearTimeout(this.#timer);
    this.#asking?.abort();
    this.#asking = null;
    this.variants.stop();
    this.previewing = false;
  }

  #stop(): void {
    this.#stopAsking();
    this.tiles.pause();
    this.preview = null;
    this.previewError = null;
  }
}

interface Draft {
  /** The look that the words come from, as long as they are its own. */
  lookId: string | null;
  strength: number;
  settings: EditSettings;
}
const emptyDraft: Draft = { lookId: null, strength: startStrength, settings: editSettings.parse({ prompt: '' }) };

const same = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);
