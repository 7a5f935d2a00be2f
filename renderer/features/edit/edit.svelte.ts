import type { RawFrames } from '../../../shared/domain/clip.ts';
import type { Concept } from '../../../shared/domain/concept.ts';
import { type Edit, type EditSettings, editSettings } from '../../../shared/domain/edit.ts';
import { amend, type History, record, redo, startHistory, undo } from '../../../shared/domain/history.ts';
import { generateInput, generateOutput } from '../../../shared/domain/job-input.ts';
import { type AppErrorShape, fromErrorShape, toErrorShape } from '../../../shared/ipc/result.ts';
import type { Connection } from '../../app/connection.svelte.ts';
import type { Notices } from '../../app/notices.svelte.ts';
import type { LibraryState } from '../library/library.svelte.ts';
import type { QueueState } from '../queue/queue.svelte.ts';

/** A slider in motion asks for a preview this long after it last moved. */
const settleMilliseconds = 120;
const variationCount = 4;

/** The ends of a direction's slider; 1 is as learned. */
export const directionRange = { low: -1, neutral: 1, high: 3 } as const;

/** The words and gains of the chosen concept's next result, with undo, previews and rendering. Kept per concept across reloads. */
export class EditState {
  preview = $state.raw<{ frames: RawFrames; seconds: number; cached: boolean } | null>(null);
  previewing = $state(false);
  previewError = $state.raw<AppErrorShape | null>(null);
  /** Previews of both ends of the directions, by their number. */
  directionEnds = $state.raw<Record<number, { low: RawFrames; high: RawFrames }>>({});
  showingEnds = $state(false);
  copied = $state.raw<EditSettings | null>(null);

  #history = $state.raw<History<EditSettings>>(startHistory(editSettings.parse({ prompt: '' })));
  #stored: EditSettings | null = null;
  #conceptId: string | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asking: AbortController | null = null;

  readonly settings = $derived(this.#history.present);
  readonly canUndo = $derived(this.#history.past.length > 0);
  readonly canRedo = $derived(this.#history.future.length > 0);
  readonly caption = $derived.by(() => captionOf(this.#library.concept));
  /** Jobs that render results of the chosen concept. */
  readonly rendering = $derived.by(() =>
    this.#queue.open.filter(
      ({ kind, input }) =>
        kind === 'generate' && generateInput.safeParse(input).data?.conceptId === this.#library.conceptId,
    ),
  );
  /** What the last results took, for the button. */
  readonly expectedSeconds = $derived.by(() => {
    const known = this.#library.edits.filter(({ seconds }) => seconds !== null).at(-1);
    return known ? (known.seconds! * this.settings.steps) / known.settings.steps : null;
  });

  readonly #connection: Connection;
  readonly #notices: Notices;
  readonly #library: LibraryState;
  readonly #queue: QueueState;

  constructor(connection: Connection, notices: Notices, library: LibraryState, queue: QueueState) {
    this.#connection = connection;
    this.#notices = notices;
    this.#library = library;
    this.#queue = queue;
    queue.whenDone((job) => {
      if (job.kind !== 'generate') return;
      if (job.state === 'failed' && job.error) notices.fail(fromErrorShape(job.error));
      const editId = generateOutput.safeParse(job.output).data?.editId;
      if (job.state === 'done' && editId) void this.#showResult(editId);
    });
  }

  /** Takes up a concept where it was left, or with its own caption. */
  open(concept: Concept | null): void {
    if (concept === null || concept.id === this.#conceptId) return;
    this.#conceptId = concept.id;
    this.#dropPreview();
    this.directionEnds = {};
    const kept = editSettings.safeParse(JSON.parse(localStorage.getItem(draftKey(concept.id)) ?? 'null'));
    this.#history = startHistory(kept.data ?? editSettings.parse({ prompt: captionOf(concept) }));
  }

  /** A change that is one step of undo. */
  change(patch: Partial<EditSettings>): void {
    this.#commitAmended();
    this.#history = record(this.#history, { ...this.settings, ...patch });
    this.#changed();
  }

  /** A change in the middle of typing or of a slider's movement: many make one step. */
  adjust(patch: Partial<EditSettings>): void {
    this.#stored ??= this.settings;
    this.#history = amend(this.#history, { ...this.settings, ...patch });
    this.#changed();
  }

  /** The movement is over. */
  settle(): void {
    this.#commitAmended();
  }

  undo(): void {
    this.#commitAmended();
    this.#history = undo(this.#history);
    this.#changed();
  }

  redo(): void {
    this.#commitAmended();
    this.#history = redo(this.#history);
    this.#changed();
  }

  /** Brings a result's words, gains and seed back. */
  restore(edit: Edit): void {
    this.#library.editId = edit.id;
    this.#dropPreview();
    this.#commitAmended();
    if (JSON.stringify(edit.settings) !== JSON.stringify(this.settings)) {
      this.#history = record(this.#history, edit.settings);
      this.#keepDraft();
    }
  }

  setDirection(index: number, gain: number): void {
    const directions: Record<string, number> = { ...this.settings.sliders.directions, [index]: gain };
    if (gain === directionRange.neutral) delete directions[index];
    this.adjust({ sliders: { ...this.settings.sliders, directions } });
  }

  /** Puts the full result into the queue; it takes the preview's place when it is done. */
  async render(settings: EditSettings = this.settings): Promise<void> {
    this.#commitAmended();
    const { concept } = this.#library;
    if (!concept) return;
    await this.#notices.attempt(() =>
      this.#connection.call('jobs.enqueue', {
        kind: 'generate',
        conceptId: concept.id,
        settings,
        parentId: this.#library.editId,
      }),
    );
  }

  /** The same settings with the next seeds. */
  async renderVariations(): Promise<void> {
    for (let offset = 1; offset <= variationCount; offset++) {
      await this.render({ ...this.settings, seed: this.settings.seed + offset });
    }
  }

  /** Renders previews of both ends of each of the first `count` directions, one after the other. */
  async showDirectionEnds(count: number): Promise<void> {
    const { concept } = this.#library;
    if (!concept || this.showingEnds) return;
    this.showingEnds = true;
    await this.#notices.attempt(async () => {
      const base = { prompt: this.caption };
      for (let index = 0; index < count && this.#library.conceptId === concept.id; index++) {
        const end = async (gain: number) =>
          (
            await this.#connection.call('edits.preview', {
              conceptId: concept.id,
              settings: { ...base, sliders: { directions: { [index]: gain } } },
            })
          ).frames;
        const ends = { low: await end(directionRange.low), high: await end(directionRange.high) };
        this.directionEnds = { ...this.directionEnds, [index]: ends };
      }
    });
    this.showingEnds = false;
  }

  async #showResult(editId: string): Promise<void> {
    await this.#library.loadEdits();
    if (!this.#library.edits.some(({ id }) => id === editId)) return;
    this.#library.editId = editId;
    this.#dropPreview();
  }

  #commitAmended(): void {
    if (this.#stored === null) return;
    const { past, present } = this.#history;
    if (JSON.stringify(this.#stored) !== JSON.stringify(present)) {
      this.#history = record({ past, present: this.#stored, future: [] }, present);
    }
    this.#stored = null;
  }

  #changed(): void {
    this.#keepDraft();
    clearTimeout(this.#timer);
    this.#asking?.abort();
    this.#timer = setTimeout(() => void this.#askPreview(), settleMilliseconds);
  }

  #keepDraft(): void {
    if (this.#conceptId) localStorage.setItem(draftKey(this.#conceptId), JSON.stringify(this.settings));
  }

  #dropPreview(): void {
    clearTimeout(this.#timer);
    this.#asking?.abort();
    this.#asking = null;
    this.preview = null;
    this.previewing = false;
    this.previewError = null;
  }

  async #askPreview(): Promise<void> {
    const conceptId = this.#conceptId;
    if (conceptId === null || this.settings.prompt.trim() === '') return;
    const asking = new AbortController();
    this.#asking = asking;
    this.previewing = true;
    try {
      const preview = await this.#connection.call(
        'edits.preview',
        { conceptId, settings: this.settings },
        { signal: asking.signal },
      );
      if (this.#asking !== asking) return;
      this.preview = preview;
      this.previewError = null;
    } catch (thrown) {
      if (this.#asking !== asking) return;
      const error = toErrorShape(thrown);
      if (error.code !== 'cancelled') this.previewError = error;
    } finally {
      if (this.#asking === asking) {
        this.previewing = false;
        this.#asking = null;
      }
    }
  }
}

/** Both parts of what a concept was learned with, joined as in the model's training. */
function captionOf(concept: Concept | null): string {
  const caption = concept?.captions[0];
  return caption ? [caption.static, caption.dynamic].filter(Boolean).join(' ') : '';
}

function draftKey(conceptId: string): string {
  return `motif.draft.${conceptId}`;
}
