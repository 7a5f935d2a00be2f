import type { Concept } from '../../../shared/domain/concept.ts';
import type { Edit } from '../../../shared/domain/edit.ts';
import { exportPresets, type LoraDialect } from '../../../shared/domain/export.ts';
import { type AppErrorShape, toErrorShape } from '../../../shared/ipc/result.ts';
import type { Services } from '../../app/connection.svelte.ts';
import type { Files } from '../../app/files.ts';
import type { Notices } from '../../app/notices.svelte.ts';
import type { Host } from '../../host/host.ts';
import type { LibraryState } from '../library/library.svelte.ts';
import type { SettingsState } from '../settings/settings.svelte.ts';
import { ExportBatch } from './export-batch.svelte.ts';
import { ExportForms, type Form } from './export-forms.svelte.ts';
import { ExportPace, type PacedExport } from './export-pace.ts';
import { type Pictures, picturesOf } from './export-pictures.ts';
import { fileName, fillTemplate, numberDuplicates } from './name-template.ts';
import type { QueueState } from './queue.svelte.ts';

/** What an export needs of the window. */
interface ExportParts {
  connection: Services;
  notices: Notices;
  library: Pick<LibraryState, 'allConcepts' | 'clipById' | 'concept' | 'editId' | 'edits' | 'shownKind'>;
  settings: Pick<SettingsState, 'values' | 'change' | 'folder'>;
  queue: Pick<QueueState, 'byId' | 'whenLoaded' | 'whenDone'>;
  files: Pick<Files, 'action'>;
  host: Pick<Host, 'notify' | 'allowNotifications'>;
  onReport(): void;
}

/** A file of an export: a result in one form, or the weights of the concept on screen. */
type Video = { edit: Edit; form: Form; name: string };
type Weights = { edit: null; concept: Concept; dialect: LoraDialect; name: string };

/** What is to be exported, in which forms and under which names: everything chosen times every form. */
export class ExportState {
  /** Results that can be chosen, the chosen concept's or everybody's. */
  candidates = $state.raw<Edit[]>([]);
  everyConcept = $state(false);
  editIds = $state.raw<string[]>([]);
  lora = $state.raw<LoraDialect[]>([]);
  template = $state('{concept} {edit}');
  folder = $state('');
  /** Edits as changes to their clips, at the clips' own size and rate, as they are set; otherwise the model's own pictures. */
  finished = $state(true);
  /** Where there are only the model's own pictures, these are enlarged by super-resolution. */
  superResolution = $state(false);
  /** Finished over all of the clip's file instead of what the model saw of it. */
  wholeLength = $state(false);
  target = $state.raw<{ freeBytes: number; taken: string[] } | null>(null);
  targetError = $state.raw<AppErrorShape | null>(null);

  readonly forms: ExportForms;
  readonly batch: ExportBatch;

  readonly #parts: ExportParts;
  readonly #pace = new ExportPace(localStorage);

  readonly defaultFolder = $derived.by(() => {
    const { values, folder } = this.#parts.settings;
    return values.exportFolder ?? (folder ? `${folder}/exports` : '');
  });
  readonly wholeFolder = $derived((this.folder.trim() || this.defaultFolder).replace(/(?<=.)[/\\]+$/, ''));
  /** The results that can be chosen, under the concept or clip that each is of. */
  readonly groups = $derived.by(() => {
    const groups = new Map<string, Edit[]>();
    for (const edit of this.candidates) {
      const subject = this.#subjectOf(edit);
      groups.set(subject, [...(groups.get(subject) ?? []), edit]);
    }
    return [...groups].map(([subject, edits]) => ({ subject, edits }));
  });
  readonly edits = $derived(this.candidates.filter(({ id }) => this.editIds.includes(id)));
  /** Each file that will be written. */
  readonly files = $derived.by(() => {
    const videos = this.edits.flatMap((edit) =>
      this.forms.chosen.map((form) => ({ edit, form, name: this.#nameOf(edit, form) })),
    );
    const { concept, shownKind } = this.#parts.library;
    const weights =
      shownKind === 'concept' && concept
        ? this.lora.map((dialect) => ({
            edit: null,
            concept,
            dialect,
            name: `${fillTemplate('{concept}', { concept: concept.name })} ${dialect}.safetensors`,
          }))
        : [];
    return numberDuplicates<Video | Weights>([...videos, ...weights]);
  });
  /** An upper bound of what the videos will take. */
  readonly neededBytes = $derived(
    this.files.reduce((bytes, file) => {
      if (!file.edit) return bytes;
      const { width, height, frameCount } = this.madeOf(file.edit, file.form);
      return bytes + width * height * frameCount * exportPresets[file.form.settings.preset].bytesPerPixel;
    }, 0),
  );
  /** What the videos will take, by what the last ones took. */
  readonly neededSeconds = $derived.by(() =>
    this.#pace.secondsOf(this.files.flatMap((file) => (file.edit ? [this.#pacedOf(file.edit, file.form)] : []))),
  );
  /** Whether any of them has only the model's own pictures. */
  readonly hasModelPictures = $derived(this.edits.some((edit) => !this.#picturesOf(edit).isFinished));
  readonly fits = $derived(this.target === null || this.target.freeBytes > this.neededBytes);

  constructor(parts: ExportParts) {
    this.#parts = parts;
    this.forms = new ExportForms(parts.settings);
    this.batch = new ExportBatch(parts);
    parts.queue.whenDone((job) => this.#pace.end(job));
  }

  /** Starts with the result on screen. */
  open(): void {
    const { editId, edits } = this.#parts.library;
    this.editIds = editId ? [editId] : edits.slice(-1).map(({ id }) => id);
    this.folder = '';
    this.everyConcept = false;
    this.candidates = edits;
  }

  async showEveryConcept(every: boolean): Promise<void> {
    const { notices, connection, library } = this.#parts;
    this.everyConcept = every;
    if (!every) {
      this.candidates = library.edits;
      return;
    }
    await notices.attempt(async () => {
      const edits = await connection.call['edits.list']({ order: 'newest' });
      if (this.everyConcept) this.candidates = edits;
    });
  }

  /** Asks after the folder's disk, and which names are taken there. */
  async inspect(signal: AbortSignal): Promise<void> {
    const names = this.files.map(({ name }) => name);
    const folder = this.wholeFolder;
    if (folder === '') return;
    try {
      const target = await this.#parts.connection.call['exports.inspect']({ folder, names });
      if (signal.aborted) return;
      this.target = target;
      this.targetError = null;
    } catch (thrown) {
      if (!signal.aborted) this.targetError = toErrorShape(thrown);
    }
  }

  /** Puts one job per file into the queue. Answers whether all were taken. */
  async start(): Promise<boolean> {
    const { connection, notices, host } = this.#parts;
    const jobs: string[] = [];
    host.allowNotifications();
    const done = await notices.attempt(async () => {
      for (const file of this.files) {
        const { id } = await connection.call['jobs.enqueue']({ kind: 'export', request: this.#requestOf(file) });
        if (file.edit) this.#pace.begin(id, this.#pacedOf(file.edit, file.form));
        jobs.push(id);
      }
      return true;
    });
    this.batch.begin(jobs);
    return done ?? false;
  }

  /** Size, rate and length of the pictures that are written. */
  madeOf(edit: Edit, form: Form): Pictures {
    const own = this.#picturesOf(edit);
    const width = this.forms.widthOf(form) ?? own.width;
    return { ...own, width, height: Math.round((own.height * width) / own.width) };
  }

  #requestOf(file: Video | Weights) {
    const output = `${this.wholeFolder}/${file.name}`;
    const { overwrite } = this.forms;
    if (!file.edit) {
      return { what: 'lora', conceptId: file.concept.id, dialect: file.dialect, overwrite, output } as const;
    }
    const { edit, form } = file;
    const { isFinished, isWhole, isEnlarged } = this.#picturesOf(edit);
    return {
      what: 'edit',
      editId: edit.id,
      finish: this.finished ? undefined : false,
      length: isFinished && isWhole ? 'source' : 'range',
      settings: { ...this.forms.settingsOf(form), overwrite, ...(isEnlarged ? { superResolution: true } : {}) },
      output,
    } as const;
  }

  /** The concept that an edit is of, or the clip. */
  #subjectOf({ conceptId, sourceClipId }: Edit): string {
    const { library } = this.#parts;
    if (conceptId !== null) return library.allConcepts.find(({ id }) => id === conceptId)?.name ?? '';
    return sourceClipId === null ? '' : (library.clipById(sourceClipId)?.name ?? '');
  }

  #picturesOf(edit: Edit): Pictures {
    const clip = edit.sourceClipId === null ? null : this.#parts.library.clipById(edit.sourceClipId);
    return picturesOf(edit, clip, this);
  }

  #pacedOf(edit: Edit, form: Form): PacedExport {
    const { width, height, frameCount, isFinished } = this.madeOf(edit, form);
    return { preset: form.settings.preset, isFinished, pixels: width * height * frameCount };
  }

  #nameOf(edit: Edit, form: Form): string {
    const values = {
      concept: this.#subjectOf(edit),
      edit: edit.name,
      words: edit.settings.prompt,
      seed: String(edit.settings.seed),
      date: new Date().toISOString().slice(0, 10),
    };
    return fileName(this.template, values, { preset: form.settings.preset, ownName: form.own ? form.name : null });
  }
}
