import type { RawFrames } from '../../../shared/domain/clip.ts';
import type { Concept } from '../../../shared/domain/concept.ts';
import { type Edit, type EditSettings, editSettings } from '../../../shared/domain/edit.ts';
import type { Job } from '../../../shared/domain/job.ts';
import { generateInput, generateOutput } from '../../../shared/domain/job-input.ts';
import { planEditSeconds, timedOn } from '../../../shared/domain/time-plan.ts';
import { editedFrames } from '../../../shared/domain/work.ts';
import { fromErrorShape } from '../../../shared/ipc/result.ts';
import type { Services } from '../../app/connection.svelte.ts';
import type { Notices } from '../../app/notices.svelte.ts';
import { Preview } from '../../app/preview.svelte.ts';
import type { LibraryState } from '../library/library.svelte.ts';
import type { QueueState } from '../queue/queue.svelte.ts';
import type { SettingsState } from '../settings/settings.svelte.ts';
import { DirectionEnds } from './direction-ends.svelte.ts';
import { type DraftChange, EditDraft, startOf } from './edit-draft.svelte.ts';
import { type CopiedSettings, type PasteParts, pasted } from './paste.ts';

const fullMilliseconds = 1200;
const variationCount = 4;

type Library = Pick<
  LibraryState,
  'allConcepts' | 'concept' | 'conceptId' | 'edit' | 'editId' | 'edits' | 'loadEdits' | 'sourceClip'
>;
type Queue = Pick<QueueState, 'open' | 'running' | 'whenDone'>;

interface EditParts {
  connection: Services;
  notices: Notices;
  library: Library;
  queue: Queue;
  settings: Pick<SettingsState, 'device' | 'modelOf'>;
}

/** Edits of the chosen concept: the one that is being written, its preview, and what is rendered of it. */
export class EditState {
  readonly draft: EditDraft;
  readonly preview: Preview<{ frames: RawFrames; base: RawFrames | null }>;
  readonly ends: DirectionEnds;
  copied = $state.raw<CopiedSettings | null>(null);

  /** Jobs that render results of the chosen concept. */
  readonly rendering = $derived.by(() =>
    this.#queue.open.filter(
      ({ kind, input }) =>
        kind === 'generate' && generateInput.safeParse(input).data?.conceptId === this.#library.conceptId,
    ),
  );
  /** The chosen result and those that differ from it by their seed only; all results where there is no other. */
  readonly variations = $derived.by(() => {
    const { edit, edits } = this.#library;
    const key = edit ? withoutSeed(edit.settings) : null;
    const same = edits.filter(({ settings }) => withoutSeed(settings) === key);
    return same.length > 1 ? same : edits;
  });
  /** What else the engine is doing: a preview waits for its end. */
  readonly waitsFor = $derived.by(() => this.#queue.running.find(usesEngine)?.title ?? null);
  /** How long the next result will take, for the button. */
  readonly expectedSeconds = $derived.by(() => this.#expectedSeconds());

  /** Jobs whose results are waited for here. */
  readonly #asked = new Set<string>();
  readonly #connection: Services;
  readonly #notices: Notices;
  readonly #library: Library;
  readonly #queue: Queue;
  readonly #settings: EditParts['settings'];

  constructor({ connection, notices, library, queue, settings }: EditParts) {
    this.#connection = connection;
    this.#notices = notices;
    this.#library = library;
    this.#queue = queue;
    this.#settings = settings;
    this.draft = new EditDraft(
      () => library.allConcepts,
      (how) => this.#follow(how),
    );
    this.preview = new Preview({
      render: (full, signal) => this.#render(full, signal),
      fullMilliseconds,
      onRest: () => this.ends.makeSoon(),
    });
    this.ends = new DirectionEnds(connection, {
      concept: () => library.concept,
      startOf,
      isBusy: () => this.waitsFor !== null,
    });
    // What is in the queue comes before pictures beside sliders.
    connection.on('job.changed', ({ job }) => {
      if (usesEngine(job) && job.state === 'running') this.ends.stop();
    });
    queue.whenDone((job) => {
      if (usesEngine(job)) this.ends.makeSoon();
      if (job.kind !== 'generate') return;
      if (job.state === 'failed' && job.error) notices.fail(fromErrorShape(job.error));
      const editId = generateOutput.safeParse(job.output).data?.editId;
      if (job.state === 'done' && editId) void this.#showResult(editId, this.#asked.delete(job.id));
    });
  }

  open(concept: Concept | null): void {
    if (!this.draft.open(concept)) return;
    this.ends.clear();
    this.#dropPreview();
  }

  /** Brings a result's words, gains and seed back. */
  restore(edit: Edit): void {
    this.#library.editId = edit.id;
    this.#dropPreview();
    this.draft.restore(edit.settings);
  }

  /** Puts the full result into the queue; it takes the preview's place when it is done. */
  async render(settings: EditSettings = this.draft.settings): Promise<void> {
    this.draft.settle();
    const { concept } = this.#library;
    if (!concept) return;
    this.#stopAsking();
    const job = await this.#notices.attempt(() =>
      this.#connection.call['jobs.enqueue']({
        kind: 'generate',
        conceptId: concept.id,
        settings,
        parentId: this.#library.editId,
      }),
    );
    if (job) this.#asked.add(job.id);
  }

  /** The same settings with the next seeds. */
  async renderVariations(): Promise<void> {
    const { settings } = this.draft;
    for (let offset = 1; offset <= variationCount; offset++) {
      await this.render({ ...settings, seed: settings.seed + offset });
    }
  }

  /** These settings on this concept, started from other clips. */
  async applyTo(clipIds: readonly string[]): Promise<void> {
    const { concept } = this.#library;
    if (!concept) return;
    this.draft.settle();
    const { settings } = this.draft;
    for (const sourceClipId of clipIds) {
      const request = { kind: 'generate', conceptId: concept.id, sourceClipId, settings } as const;
      await this.#connection.call['jobs.enqueue'](request);
    }
  }

  copy(): void {
    const { settings, acting } = this.draft;
    const [own] = acting;
    if (own) this.copied = { conceptId: own.id, model: own.model, settings };
  }

  /** All of the copied settings on the chosen concept. */
  pasteHere(): void {
    const { concept } = this.#library;
    if (concept && this.copied)
      this.draft.change(pasted(this.copied, concept, { words: true, gains: true, sampling: true }));
  }

  /** The copied settings on other concepts, and on this concept started from other clips: one result each. */
  async paste(targets: { conceptIds: string[]; clipIds: string[] }, parts: PasteParts): Promise<void> {
    const { copied } = this;
    if (copied === null) return;
    const { concept, allConcepts } = this.#library;
    const others = allConcepts.filter(({ id }) => targets.conceptIds.includes(id));
    const requests = [
      ...others.map((other) => ({ conceptId: other.id, settings: pasted(copied, other, parts) })),
      ...targets.clipIds.flatMap((sourceClipId) =>
        concept ? [{ conceptId: concept.id, sourceClipId, settings: pasted(copied, concept, parts) }] : [],
      ),
    ];
    await this.#notices.attempt(async () => {
      for (const request of requests) await this.#connection.call['jobs.enqueue']({ kind: 'generate', ...request });
    });
  }

  #expectedSeconds(): number | null {
    const { concept, sourceClip, edits, allConcepts } = this.#library;
    const model = this.#settings.modelOf(concept);
    if (!concept || !sourceClip || !model) return null;
    const { settings, acting } = this.draft;
    const rank = acting.reduce((sum, each) => sum + each.rank, 0);
    const asked = { settings, frames: editedFrames(sourceClip, settings), rank };
    const timed = timedOn(allConcepts, (each) => this.#settings.modelOf(each));
    const made = edits.findLast(({ seconds }) => seconds !== null);
    const last = made ? { settings: made.settings, frames: made.frames, rank, seconds: made.seconds! } : null;
    return planEditSeconds(model, asked, { device: this.#settings.device, timed, last });
  }

  #render(full: boolean, signal: AbortSignal): Promise<{ frames: RawFrames; base: RawFrames | null }> | null {
    const { conceptId, settings } = this.draft;
    if (conceptId === null || settings.prompt.trim() === '') return null;
    return this.#connection.call['edits.preview']({ conceptId, settings, full }, { signal });
  }

  /** The stage follows the draft. Finishing is done in the window: nothing has to be computed for it. */
  #follow(how: DraftChange): void {
    if (how === 'finishing' && this.#keepPicture()) return;
    this.ends.stop();
    this.preview.soon(how === 'typing');
  }

  /** What is on the stage is finished in another way. False: nothing is there. */
  #keepPicture(): boolean {
    const shown = this.preview.shown ?? this.#library.edit;
    if (!shown) return false;
    this.preview.shown ??= { frames: shown.frames, base: shown.base, full: true };
    return true;
  }

  /**
   * A result that another window asked for, or one before a reload, does not take the place of what is looked at
   * here.
   */
  async #showResult(editId: string, isAsked: boolean): Promise<void> {
    await this.#library.loadEdits();
    if (!this.#library.edits.some(({ id }) => id === editId)) return;
    if (!isAsked && this.#library.editId !== null) return;
    this.#library.editId = editId;
    this.#dropPreview();
  }

  #stopAsking(): void {
    this.preview.stop();
    this.ends.stop();
  }

  #dropPreview(): void {
    this.preview.clear();
    this.ends.makeSoon();
  }
}

function usesEngine({ kind }: Job): boolean {
  return kind === 'learn' || kind === 'generate';
}

/** Variations differ in nothing but the seed. */
function withoutSeed(settings: EditSettings): string {
  return JSON.stringify({ ...editSettings.parse(settings), seed: 0 });
}
