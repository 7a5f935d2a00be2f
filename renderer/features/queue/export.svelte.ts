import type { Edit } from '../../../shared/domain/edit.ts';
import type { ExportPreset, ExportSettings, LoraDialect } from '../../../shared/domain/export.ts';
import type { Connection } from '../../app/connection.svelte.ts';
import type { Notices } from '../../app/notices.svelte.ts';
import type { LibraryState } from '../library/library.svelte.ts';
import type { SettingsState } from '../settings/settings.svelte.ts';
import { fillTemplate } from './name-template.ts';

/** What is to be exported, in which forms and under which names: everything chosen times every form. */
export class ExportState {
  editIds = $state.raw<string[]>([]);
  presets = $state.raw<ExportPreset[]>(['h264']);
  lora = $state.raw<LoraDialect[]>([]);
  template = $state('{concept} {edit}');
  folder = $state('');
  overwrite = $state<ExportSettings['overwrite']>('number');
  width = $state<number | null>(null);
  withSound = $state(false);

  readonly #connection: Connection;
  readonly #notices: Notices;
  readonly #library: LibraryState;
  readonly #settings: SettingsState;

  readonly defaultFolder = $derived.by(
    () => this.#settings.values.exportFolder ?? (this.#settings.folder ? `${this.#settings.folder}/exports` : ''),
  );
  readonly edits = $derived.by(() => this.#library.edits.filter(({ id }) => this.editIds.includes(id)));
  /** Each file that will be written. */
  readonly files = $derived.by(() => [
    ...this.edits.flatMap((edit) =>
      this.presets.map((preset) => ({ edit, preset, dialect: null, name: this.#nameOf(edit, preset) })),
    ),
    ...this.lora.map((dialect) => ({
      edit: null,
      preset: null,
      dialect,
      name: `${fillTemplate('{concept}', { concept: this.#library.concept?.name ?? '' })} ${dialect}.safetensors`,
    })),
  ]);

  constructor(connection: Connection, notices: Notices, library: LibraryState, settings: SettingsState) {
    this.#connection = connection;
    this.#notices = notices;
    this.#library = library;
    this.#settings = settings;
  }

  /** Starts with the result on screen. */
  open(): void {
    this.editIds = this.#library.editId ? [this.#library.editId] : this.#library.edits.slice(-1).map(({ id }) => id);
    this.folder = '';
  }

  /** Puts one job per file into the queue. Answers whether all were taken. */
  async start(): Promise<boolean> {
    const { concept } = this.#library;
    const folder = (this.folder.trim() || this.defaultFolder).replace(/[/\\]+$/, '');
    const settings = { audio: this.withSound ? 'original' : 'none', overwrite: this.overwrite } as const;
    const done = await this.#notices.attempt(async () => {
      for (const { edit, preset, dialect, name } of this.files) {
        const output = `${folder}/${name}`;
        if (edit) {
          const size = this.width === null ? {} : { width: this.width };
          const request = {
            what: 'edit',
            editId: edit.id,
            settings: { ...settings, ...size, preset },
            output,
          } as const;
          await this.#connection.call('jobs.enqueue', { kind: 'export', request });
        } else if (concept) {
          const request = { what: 'lora', conceptId: concept.id, dialect, overwrite: this.overwrite, output } as const;
          await this.#connection.call('jobs.enqueue', { kind: 'export', request });
        }
      }
      return true;
    });
    return done ?? false;
  }

  #nameOf(edit: Edit, preset: ExportPreset): string {
    const number = this.#library.edits.indexOf(edit) + 1;
    const name = fillTemplate(this.template, {
      concept: this.#library.concept?.name ?? '',
      edit: `edit ${number}`,
      words: edit.settings.prompt,
      seed: String(edit.settings.seed),
      preset,
      date: new Date().toISOString().slice(0, 10),
    });
    return `${name}${extensions[preset]}`;
  }
}

/** Several presets share an ending: their names differ then. */
const extensions: Record<ExportPreset, string> = {
  h264: '.mp4',
  h265: ' h265.mp4',
  av1: ' av1.mp4',
  prores: '.mov',
  gif: '.gif',
  png: '',
};
