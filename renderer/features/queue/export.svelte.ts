import type { Edit } from '../../../shared/domain/edit.ts';
import { enlargement } from '../../../shared/domain/engine.ts';
import {
  type ExportPreset,
  type ExportSettings,
  exportPreset,
  exportPresets,
  type LoraDialect,
} from '../../../shared/domain/export.ts';
import type { Job } from '../../../shared/domain/job.ts';
import { exportOutput } from '../../../shared/domain/job-input.ts';
import type { Rational } from '../../../shared/domain/time.ts';
import { type AppErrorShape, toErrorShape } from '../../../shared/ipc/result.ts';
import type { Services } from '../../app/connection.svelte.ts';
import type { Files } from '../../app/files.ts';
import type { Notices } from '../../app/notices.svelte.ts';
import type { Host } from '../../host/host.ts';
import { text } from '../../text/en.ts';
import type { LibraryState } from '../library/library.svelte.ts';
import { windowFrameCount } from '../player/source-frames.ts';
import type { SettingsState } from '../settings/settings.svelte.ts';
import { ExportPace, type PacedExport } from './export-pace.ts';
import { fileName, fillTemplate, numberDuplicates } from './name-template.ts';
import type { QueueState } from './queue.svelte.ts';

/** A way to write a result: one of the built-in ones, or one that the user put together and named. */
export interface Form {
  name: string;
  settings: Partial<ExportSettings> & { preset: ExportPreset };
  own: boolean;
}

/** What is to be exported, in which forms and under which names: everything chosen times every form. */
export class ExportState {
  /** Results that can be chosen, the chosen concept's or everybody's. */
  candidates = $state.raw<Edit[]>([]);
  everyConcept = $state(false);
  editIds = $state.raw<string[]>([]);
  formNames = $state.raw<string[]>([exportPresets.h264.label]);
  lora = $state.raw<LoraDialect[]>([]);
  template = $state('{concept} {edit}');
  folder = $state('');
  overwrite = $state<ExportSettings['overwrite']>('number');
  width = $state<number | null>(null);
  quality = $state<number | null>(null);
  withSound = $state(false);
  /** Edits as changes to their clips, at the clips' own size and rate, as they are set; otherwise the model's own pictures. */
  finished = $state(true);
  /** Where there are only the model's own pictures, these are enlarged by super-resolution. */
  superResolution = $state(false);
  /** Finished over all of the clip's file instead of what the model saw of it. */
  wholeLength = $state(false);
  /** Which of a clip's sounds, from 1; null for the one that its author marked. */
  soundTrack = $state<number | null>(null);
  target = $state.raw<{ freeBytes: number; taken: string[] } | null>(null);
  targetError = $state.raw<AppErrorShape | null>(null);
  /** The jobs of the last export, until all have ended and been told of. */
  batch = $state.raw<string[]>(JSON.parse(localStorage.getItem(batchKey) ?? '[]') as string[]);

  readonly #connection: Services;
  readonly #notices: Notices;
  readonly #library: LibraryState;
  readonly #settings: SettingsState;
  readonly #queue: QueueState;
  readonly #files: Files;
  readonly #host: Host;
  readonly #pace = new ExportPace(localStorage);
  #isTold = this.batch.length === 0;

  readonly defaultFolder = $derived.by(
    () => this.#settings.values.exportFolder ?? (this.#settings.folder ? `${this.#settings.folder}/exports` : ''),
  );
  readonly wholeFolder = $derived((this.folder.trim() || this.defaultFolder).replace(/(?<=.)[/\\]+$/, ''));
  readonly forms = $derived.by<Form[]>(() => [
    ...exportPreset.options.map((preset) => ({
      name: exportPresets[preset].label,
      settings: { preset },
      own: false,
    })),
    ...this.#settings.values.exportPresets.map(({ name, settings }) => ({ name, settings, own: true })),
  ]);
  /** The results that can be chosen, under the concept or clip that each is of. */
  readonly groups = $derived.by(() => {
    const groups = new Map<string, Edit[]>();
    for (const edit of this.candidates) {
      const subject = this.subjectOf(edit);
      groups.set(subject, [...(groups.get(subject) ?? []), edit]);
    }
    return [...groups].map(([subject, edits]) => ({ subject, edits }));
  });
  readonly edits = $derived(this.candidates.filter(({ id }) => this.editIds.includes(id)));
  /** Each file that will be written. */
  readonly files = $derived.by(() => {
    const chosen = this.forms.filter(({ name }) => this.formNames.includes(name));
    const videos = this.edits.flatMap((edit) =>
      chosen.map((form) => ({ edit, form, dialect: null, name: this.#nameOf(edit, form) })),
    );
    const concept = this.#library.concept?.name ?? '';
    const weights = (this.#library.shownKind === 'concept' ? this.lora : []).map((dialect) => ({
      edit: null,
      form: null,
      dialect,
      name: `${fillTemplate('{concept}', { concept })} ${dialect}.safetensors`,
    }));
    return numberDuplicates([...videos, ...weights]);
  });
  /** An upper bound of what the videos will take. */
  readonly neededBytes = $derived(
    this.files.reduce((bytes, { edit, form }) => {
      if (!edit) return bytes;
      const { width, height, frameCount } = this.madeOf(edit, form);
      return bytes + width * height * frameCount * exportPresets[form.settings.preset].bytesPerPixel;
    }, 0),
  );
  /** What the videos will take, by what the last ones took. */
  readonly neededSeconds = $derived.by(() =>
    this.#pace.secondsOf(this.files.flatMap(({ edit, form }) => (edit ? [this.#pacedOf(edit, form)] : []))),
  );
  /** Whether any of them has only the model's own pictures. */
  readonly hasModelPictures = $derived.by(() => this.edits.some((edit) => !this.#isFinished(edit)));
  readonly fits = $derived(this.target === null || this.target.freeBytes > this.neededBytes);
  readonly batchJobs = $derived.by(() => this.batch.flatMap((id) => this.#queue.byId(id) ?? []));

  constructor(parts: {
    connection: Services;
    notices: Notices;
    library: LibraryState;
    settings: SettingsState;
    queue: QueueState;
    files: Files;
    host: Host;
    onReport(): void;
  }) {
    this.#connection = parts.connection;
    this.#notices = parts.notices;
    this.#library = parts.library;
    this.#settings = parts.settings;
    this.#queue = parts.queue;
    this.#files = parts.files;
    this.#host = parts.host;
    parts.queue.whenLoaded(() => void this.#tellWhenDone(parts.onReport));
    parts.queue.whenDone((job) => {
      this.#pace.end(job);
      void this.#tellWhenDone(parts.onReport);
    });
  }

  /** Starts with the result on screen. */
  open(): void {
    this.editIds = this.#library.editId ? [this.#library.editId] : this.#library.edits.slice(-1).map(({ id }) => id);
    this.folder = '';
    this.everyConcept = false;
    this.candidates = this.#library.edits;
  }

  async showEveryConcept(every: boolean): Promise<void> {
    this.everyConcept = every;
    if (!every) {
      this.candidates = this.#library.edits;
      return;
    }
    await this.#notices.attempt(async () => {
      this.candidates = await this.#connection.call['edits.list']({ order: 'newest' });
    });
  }

  /** Asks after the folder's disk, and which names are taken there. */
  async inspect(signal: AbortSignal): Promise<void> {
    const names = this.files.map(({ name }) => name);
    const folder = this.wholeFolder;
    if (folder === '') return;
    try {
      const target = await this.#connection.call['exports.inspect']({ folder, names });
      if (signal.aborted) return;
      this.target = target;
      this.targetError = null;
    } catch (thrown) {
      if (!signal.aborted) this.targetError = toErrorShape(thrown);
    }
  }

  /** Keeps the chosen form with width, quality and sound under a name of the user's. */
  async keepForm(name: string): Promise<void> {
    const base = this.forms.find((form) => this.formNames.includes(form.name));
    if (!base || name.trim() === '') return;
    const own = { name: name.trim(), settings: { ...this.#common(), ...this.#chosen(base) } };
    const others = this.#settings.values.exportPresets.filter((form) => form.name !== own.name);
    await this.#settings.change({ exportPresets: [...others, own] });
    this.formNames = [own.name];
  }

  async forgetForm(name: string): Promise<void> {
    this.formNames = this.formNames.filter((chosen) => chosen !== name);
    await this.#settings.change({
      exportPresets: this.#settings.values.exportPresets.filter((form) => form.name !== name),
    });
  }

  /** What a preset of the user's own holds, in words. */
  partsOf({ settings: { preset, width, crf, audio } }: Form): string {
    const { parts } = text.exporting;
    return [
      exportPresets[preset].label,
      width !== undefined && parts.width(width),
      crf !== undefined && parts.quality(crf),
      audio === 'original' && parts.sound,
    ]
      .filter(Boolean)
      .join(', ');
  }

  /** Puts one job per file into the queue. Answers whether all were taken. */
  async start(): Promise<boolean> {
    const { concept, shownKind } = this.#library;
    const jobs: string[] = [];
    this.#host.allowNotifications();
    const done = await this.#notices.attempt(async () => {
      for (const { edit, form, dialect, name } of this.files) {
        const output = `${this.wholeFolder}/${name}`;
        const request = edit
          ? ({
              what: 'edit',
              editId: edit.id,
              finish: this.finished ? undefined : false,
              length: this.#isWhole(edit) && this.#isFinished(edit) ? 'source' : 'range',
              settings: {
                ...this.#common(),
                ...this.#chosen(form),
                overwrite: this.overwrite,
                ...(this.#isEnlarged(edit) ? { superResolution: true } : {}),
              },
              output,
            } as const)
          : shownKind === 'concept' && concept && dialect
            ? ({ what: 'lora', conceptId: concept.id, dialect, overwrite: this.overwrite, output } as const)
            : null;
        if (!request) continue;
        const { id } = await this.#connection.call['jobs.enqueue']({ kind: 'export', request });
        if (edit) this.#pace.begin(id, this.#pacedOf(edit, form));
        jobs.push(id);
      }
      return true;
    });
    this.#keepBatch(jobs);
    return done ?? false;
  }

  /** What an ended job of the batch wrote. */
  outputOf(job: Job): { file: string; sizeBytes: number; notes: string[] } | null {
    return exportOutput.safeParse(job.output).data ?? null;
  }

  #common(): Pick<ExportSettings, 'audio' | 'sound' | 'overwrite'> {
    const sound = this.withSound && this.soundTrack !== null ? { sound: this.soundTrack } : {};
    return { audio: this.withSound ? 'original' : 'none', ...sound, overwrite: this.overwrite };
  }

  /** A built-in form takes width and quality from the fields; one of the user's has its own. */
  #chosen({ own, settings }: Form): Form['settings'] {
    if (own) return settings;
    return { ...settings, width: this.width ?? undefined, crf: this.quality ?? undefined };
  }

  #keepBatch(jobs: string[]): void {
    this.batch = jobs;
    this.#isTold = jobs.length === 0;
    localStorage.setItem(batchKey, JSON.stringify(jobs));
  }

  /** Once every file of the batch is written or has failed. */
  async #tellWhenDone(onReport: () => void): Promise<void> {
    const jobs = this.batchJobs;
    const isOver = (job: Job) => job.state === 'done' || job.state === 'failed' || job.state === 'cancelled';
    if (this.#isTold || jobs.length === 0 || !jobs.every(isOver)) return;
    this.#isTold = true;
    localStorage.removeItem(batchKey);
    const written = jobs.flatMap((job) => (job.state === 'done' ? (this.outputOf(job) ?? []) : []));
    const [only] = written;
    const message =
      only && jobs.length === 1 ? text.exporting.done(only.file) : text.exporting.ended(written.length, jobs.length);
    const action =
      only && jobs.length === 1 ? await this.#files.action(only.file) : { label: text.exporting.report, run: onReport };
    this.#notices.tell(message, action);
    if (document.hidden) this.#host.notify(text.exporting.title, message);
  }

  /** The concept that an edit is of, or the clip. */
  subjectOf({ conceptId, sourceClipId }: Edit): string {
    if (conceptId !== null) return this.#library.allConcepts.find(({ id }) => id === conceptId)?.name ?? '';
    return sourceClipId === null ? '' : (this.#library.clipById(sourceClipId)?.name ?? '');
  }

  /** Size, rate and length of the pictures that are written. */
  madeOf(edit: Edit, form: Form): { width: number; height: number; rate: Rational; frameCount: number } {
    const own = this.#picturesOf(edit);
    const width = this.#chosen(form).width ?? own.width;
    return { ...own, width, height: Math.round((own.height * width) / own.width) };
  }

  #pacedOf(edit: Edit, form: Form): PacedExport {
    const { width, height, frameCount } = this.madeOf(edit, form);
    const isFinished = this.#isFinished(edit);
    return { preset: form.settings.preset, isFinished, pixels: width * height * frameCount };
  }

  /** The clip's own where the edit is finished. */
  #picturesOf(edit: Edit): { width: number; height: number; rate: Rational; frameCount: number } {
    const clip = this.#clipOf(edit);
    if (!clip || !this.#isFinished(edit)) {
      const { width, height } = edit.frames;
      const times = this.#isEnlarged(edit) ? enlargement : 1;
      return { ...edit.frames, width: times * width, height: times * height };
    }
    const { width, height } = clip.crop ?? clip.source;
    const frameCount = this.#isWhole(edit) ? clip.source.frameCount : windowFrameCount(clip);
    return { width, height, rate: clip.source.rate, frameCount };
  }

  /** An edit of the whole clip goes out as one. */
  #isWhole({ settings }: Edit): boolean {
    return this.wholeLength || settings.whole;
  }

  #clipOf({ sourceClipId }: Edit) {
    return sourceClipId === null ? null : this.#library.clipById(sourceClipId);
  }

  #isFinished(edit: Edit): boolean {
    const path = this.#clipOf(edit)?.source.path ?? null;
    return this.finished && edit.settings.finish && edit.base !== null && path !== null;
  }

  #isEnlarged(edit: Edit): boolean {
    return this.superResolution && !this.#isFinished(edit);
  }

  #nameOf(edit: Edit, form: Form): string {
    const values = {
      concept: this.subjectOf(edit),
      edit: edit.name,
      words: edit.settings.prompt,
      seed: String(edit.settings.seed),
      date: new Date().toISOString().slice(0, 10),
    };
    return fileName(this.template, values, { preset: form.settings.preset, ownName: form.own ? form.name : null });
  }
}

const batchKey = 'motif.batch';
