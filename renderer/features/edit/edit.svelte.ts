import type { RawFrames } from '../../../shared/domain/clip.ts';
import { type Concept, hasOwnClip, learnedPrompt, promptTogether } from '../../../shared/domain/concept.ts';
import {
  type Edit,
  type EditSettings,
  editSettings,
  finishingOf,
  isFinishingOnly,
} from '../../../shared/domain/edit.ts';
import { amend, type History, record, redo, startHistory, undo } from '../../../shared/domain/history.ts';
import type { Job } from '../../../shared/domain/job.ts';
import { generateInput, generateOutput } from '../../../shared/domain/job-input.ts';
import { guidanceFor, startSettings, startStrength, strengthSettings } from '../../../shared/domain/strength.ts';
import { usualFor } from '../../../shared/domain/things.ts';
import { type AppErrorShape, fromErrorShape, toErrorShape } from '../../../shared/ipc/result.ts';
import type { Services } from '../../app/connection.svelte.ts';
import type { Notices } from '../../app/notices.svelte.ts';
import type { LibraryState } from '../library/library.svelte.ts';
import type { QueueState } from '../queue/queue.svelte.ts';
import { besideAdded, besideRemoved, canActBeside } from './beside.ts';
import { DirectionEnds, directionRange } from './direction-ends.svelte.ts';

/** The first change asks for a preview at once; while more follow, and while words are typed, the last one does, after so long. */
const settleMilliseconds = 120;
/** When nothing moved for so long after a preview, the full result follows in its place. */
const fullMilliseconds = 1200;
const variationCount = 4;

/** Which of the copied settings others take over. */
export interface PasteParts {
  words: boolean;
  gains: boolean;
  sampling: boolean;
}

/** The words and gains of the chosen concept's next result, with undo, previews and rendering. Kept per concept across reloads. */
export class EditState {
  /** `full`: with all its steps, as a result would be. */
  preview = $state.raw<{ frames: RawFrames; base: RawFrames | null; full: boolean } | null>(null);
  previewing = $state(false);
  previewError = $state.raw<AppErrorShape | null>(null);
  /** With the concept that they were copied from: directions belong to it alone. */
  copied = $state.raw<{ conceptId: string; settings: EditSettings } | null>(null);

  /** Settings that do not follow the words any more. */
  readonly #chosen = new Set<'lock' | 'part'>();
  #history = $state.raw<History<EditSettings>>(startHistory(editSettings.parse({ prompt: '' })));
  #stored: EditSettings | null = null;
  /** Whether the change that is going on is made in another window. */
  #isOthers = false;
  #conceptId: string | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #changedAt = Number.NEGATIVE_INFINITY;
  #asking: AbortController | null = null;
  /** Jobs whose results are waited for here. */
  readonly #asked = new Set<string>();

  readonly settings = $derived(this.#history.present);
  readonly canUndo = $derived(this.#history.past.length > 0);
  readonly canRedo = $derived(this.#history.future.length > 0);
  /** The chosen concept, and those that act beside it. */
  readonly acting = $derived.by(() => {
    const { concept, allConcepts } = this.#library;
    const others = this.settings.others.flatMap(
      ({ conceptId }) => allConcepts.find(({ id }) => id === conceptId) ?? [],
    );
    return concept ? [concept, ...others] : [];
  });
  readonly caption = $derived.by(() => promptTogether(this.acting));
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
  /** What the last results took, for the button. */
  readonly expectedSeconds = $derived.by(() => {
    const known = this.#library.edits.filter(({ seconds }) => seconds !== null).at(-1);
    return known ? (known.seconds! * this.settings.steps) / known.settings.steps : null;
  });

  readonly ends: DirectionEnds;
  readonly #connection: Services;
  readonly #notices: Notices;
  readonly #library: LibraryState;
  readonly #queue: QueueState;

  constructor(connection: Services, notices: Notices, library: LibraryState, queue: QueueState) {
    this.#connection = connection;
    this.#notices = notices;
    this.#library = library;
    this.#queue = queue;
    this.ends = new DirectionEnds(connection, {
      concept: () => library.concept,
      startOf,
      isBusy: () => this.waitsFor !== null,
    });
    addEventListener('storage', ({ key, newValue }) => {
      if (this.#conceptId !== null && key === draftKey(this.#conceptId)) this.#takeOver(newValue);
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

  /** Takes up a concept where it was left, or with its own caption. */
  open(concept: Concept | null): void {
    if (concept === null || concept.id === this.#conceptId) return;
    this.#conceptId = concept.id;
    this.#chosen.clear();
    this.ends.clear();
    this.#dropPreview();
    const kept = editSettings.safeParse(JSON.parse(localStorage.getItem(draftKey(concept.id)) ?? 'null'));
    this.#history = startHistory(kept.data ?? startOf(concept));
  }

  /** A change that is one step of undo. */
  change(patch: Partial<EditSettings>): void {
    this.#commitAmended();
    this.#history = record(this.#history, { ...this.settings, ...this.#withUsual(patch) });
    this.#changed();
  }

  /** A change in the middle of typing or of a slider's movement: many make one step. */
  adjust(patch: Partial<EditSettings>): void {
    this.#amend({ ...this.settings, ...this.#withUsual(patch) }, false);
    // Finishing is done in the window: nothing has to be computed for it.
    if (isFinishingOnly(patch) && this.#keepPicture()) this.#keepDraft();
    else this.#changed(patch.prompt !== undefined || patch.negativePrompt !== undefined);
  }

  /** With words come the settings that are usual for what they change, but for those that were chosen by hand. */
  #withUsual(patch: Partial<EditSettings>): Partial<EditSettings> {
    for (const name of ['lock', 'part'] as const) if (patch[name] !== undefined) this.#chosen.add(name);
    if (patch.prompt === undefined) return patch;
    const { lock, part } = usualFor(this.settings.shown || this.caption, patch.prompt);
    return { ...(!this.#chosen.has('lock') && { lock }), ...(!this.#chosen.has('part') && { part }), ...patch };
  }

  /** What is on the stage is finished in another way. False: nothing is there. */
  #keepPicture(): boolean {
    const shown = this.preview ?? this.#library.edit;
    if (!shown) return false;
    this.preview ??= { frames: shown.frames, base: shown.base, full: true };
    return true;
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

  /** Lets one more concept act. */
  addBeside(added: Concept): void {
    if (canActBeside([added], this.acting).length > 0) this.change(besideAdded(this.settings, this.acting, added));
  }

  /** Takes one of the others away. */
  removeBeside(place: number): void {
    const { others } = this.settings;
    const isKnown = this.acting.length === others.length + 1;
    // One that is gone has no words that could be found in the prompt.
    if (isKnown) this.change(besideRemoved(this.settings, this.acting, place + 1));
    else this.change({ others: others.filter((_, index) => index !== place) });
  }

  setDirection(index: number, gain: number): void {
    const directions: Record<string, number> = { ...this.settings.sliders.directions, [index]: gain };
    if (gain === directionRange.neutral) delete directions[index];
    this.adjust({ sliders: { ...this.settings.sliders, directions } });
  }

  /** A clip made anew from pure noise, or the clip itself led as far as the usual strength does. */
  startFromNoise(isOn: boolean): void {
    this.change(isOn ? { fidelity: 0, whole: false, guidance: guidanceFor(0) } : strengthSettings(startStrength));
  }

  /** A fidelity of one's own; guidance follows as long as it is the one that goes with the fidelity. */
  setFidelity(fidelity: number): void {
    const { fidelity: before, guidance } = this.settings;
    this.change({ fidelity, ...(guidance === guidanceFor(before) && { guidance: guidanceFor(fidelity) }) });
  }

  /** Puts the full result into the queue; it takes the preview's place when it is done. */
  async render(settings: EditSettings = this.settings): Promise<void> {
    this.#commitAmended();
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

  /** The copied settings on other concepts, and on this concept started from other clips: one result each. */
  async paste(targets: { conceptIds: string[]; clipIds: string[] }, parts: PasteParts): Promise<void> {
    const { concept, allConcepts } = this.#library;
    const others = allConcepts.filter(({ id }) => targets.conceptIds.includes(id));
    const requests = [
      ...others.map((other) => ({ conceptId: other.id, settings: this.#pasted(other, parts) })),
      ...targets.clipIds.flatMap((sourceClipId) =>
        concept ? [{ conceptId: concept.id, sourceClipId, settings: this.#pasted(concept, parts) }] : [],
      ),
    ];
    await this.#notices.attempt(async () => {
      for (const request of requests) await this.#connection.call['jobs.enqueue']({ kind: 'generate', ...request });
    });
  }

  /** These settings on this concept, started from other clips. */
  async applyTo(clipIds: readonly string[]): Promise<void> {
    const { concept } = this.#library;
    if (!concept) return;
    this.#commitAmended();
    for (const sourceClipId of clipIds) {
      const request = { kind: 'generate', conceptId: concept.id, sourceClipId, settings: this.settings } as const;
      await this.#connection.call['jobs.enqueue'](request);
    }
  }

  copy(): void {
    if (this.#conceptId) this.copied = { conceptId: this.#conceptId, settings: this.settings };
  }

  /** All of the copied settings on the chosen concept. */
  pasteHere(): void {
    const { concept } = this.#library;
    if (concept) this.change(this.#pasted(concept, { words: true, gains: true, sampling: true }));
  }

  /** A new edit of a concept with the chosen parts of what was copied. */
  #pasted(concept: Concept, parts: PasteParts): EditSettings {
    const start = startOf(concept);
    if (!this.copied) return start;
    const { prompt, others, sliders, part, fidelity, fidelityStart, ...rest } = this.copied.settings;
    const { steps, guidance, seed, negativePrompt } = rest;
    const beside = others.filter(({ conceptId }) => conceptId !== concept.id);
    const directions = this.copied.conceptId === concept.id ? sliders.directions : {};
    return {
      ...start,
      ...(parts.words && { prompt, others: beside }),
      ...(parts.gains && {
        sliders: { ...sliders, directions },
        part,
        fidelity,
        fidelityStart,
        ...finishingOf(rest),
      }),
      ...(parts.sampling && { steps, guidance, seed, negativePrompt }),
    };
  }

  /** The same settings with the next seeds. */
  async renderVariations(): Promise<void> {
    for (let offset = 1; offset <= variationCount; offset++) {
      await this.render({ ...this.settings, seed: this.settings.seed + offset });
    }
  }

  #stopAsking(): void {
    clearTimeout(this.#timer);
    this.#asking?.abort();
    this.ends.stop();
  }

  /** A result that another window asked for, or one before a reload, does not take the place of what is looked at here. */
  async #showResult(editId: string, isAsked: boolean): Promise<void> {
    await this.#library.loadEdits();
    if (!this.#library.edits.some(({ id }) => id === editId)) return;
    if (!isAsked && this.#library.editId !== null) return;
    this.#library.editId = editId;
    this.#dropPreview();
  }

  #amend(settings: EditSettings, isOthers: boolean): void {
    if (this.#isOthers !== isOthers) this.#commitAmended();
    this.#isOthers = isOthers;
    this.#stored ??= this.settings;
    this.#history = amend(this.#history, settings);
  }

  /** Two windows on one concept show the same, and either can take back what the other did. */
  #takeOver(draft: string | null): void {
    const { data } = editSettings.safeParse(JSON.parse(draft ?? 'null'));
    if (!data || JSON.stringify(data) === JSON.stringify(this.settings)) return;
    this.#amend(data, true);
    this.#previewSoon();
  }

  #commitAmended(): void {
    if (this.#stored === null) return;
    const { past, present } = this.#history;
    if (JSON.stringify(this.#stored) !== JSON.stringify(present)) {
      this.#history = record({ past, present: this.#stored, future: [] }, present);
    }
    this.#stored = null;
  }

  #changed(isTyping = false): void {
    this.#keepDraft();
    this.#previewSoon(isTyping);
  }

  #previewSoon(isTyping = false): void {
    this.#stopAsking();
    const now = performance.now();
    const isFirst = now - this.#changedAt > settleMilliseconds;
    this.#changedAt = now;
    if (isFirst && !isTyping) void this.#askPreview(false);
    else this.#timer = setTimeout(() => void this.#askPreview(false), settleMilliseconds);
  }

  #keepDraft(): void {
    if (this.#conceptId) localStorage.setItem(draftKey(this.#conceptId), JSON.stringify(this.settings));
  }

  #dropPreview(): void {
    this.#stopAsking();
    this.#asking = null;
    this.preview = null;
    this.previewing = false;
    this.previewError = null;
    this.ends.makeSoon();
  }

  /** First with few steps, then in full. */
  async #askPreview(full: boolean): Promise<void> {
    const conceptId = this.#conceptId;
    if (conceptId === null || this.settings.prompt.trim() === '') return;
    const asking = new AbortController();
    this.#asking = asking;
    this.previewing = true;
    try {
      const preview = await this.#connection.call['edits.preview'](
        { conceptId, settings: this.settings, full },
        { signal: asking.signal },
      );
      if (this.#asking !== asking) return;
      this.preview = { frames: preview.frames, base: preview.base, full };
      this.previewError = null;
      if (full) this.ends.makeSoon();
      else this.#timer = setTimeout(() => void this.#askPreview(true), fullMilliseconds);
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

function usesEngine({ kind }: Job): boolean {
  return kind === 'learn' || kind === 'generate';
}

/** What an edit of a concept begins with. */
function startOf(concept: Concept): EditSettings {
  return editSettings.parse({ prompt: learnedPrompt(concept.captions), ...startSettings(hasOwnClip(concept)) });
}

/** Variations differ in nothing but the seed. */
function withoutSeed(settings: EditSettings): string {
  return JSON.stringify({ ...editSettings.parse(settings), seed: 0 });
}

function draftKey(conceptId: string): string {
  return `motif.draft.${conceptId}`;
}
