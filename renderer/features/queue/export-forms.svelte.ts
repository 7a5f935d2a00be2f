import { type ExportPreset, type ExportSettings, exportPreset, exportPresets } from '../../../shared/domain/export.ts';
import { text } from '../../text/en.ts';
import type { SettingsState } from '../settings/settings.svelte.ts';

/** A way to write a result: one of the built-in ones, or one that the user put together and named. */
export interface Form {
  name: string;
  settings: Partial<ExportSettings> & { preset: ExportPreset };
  own: boolean;
}

/** In which ways results are written: those that are chosen, and what is set for all of them. */
export class ExportForms {
  names = $state.raw<string[]>([exportPresets.h264.label]);
  overwrite = $state<ExportSettings['overwrite']>('number');
  width = $state<number | null>(null);
  quality = $state<number | null>(null);
  withSound = $state(false);
  /** Which of a clip's sounds, from 1; null for the one that its author marked. */
  soundTrack = $state<number | null>(null);

  readonly #settings: Pick<SettingsState, 'values' | 'change'>;

  readonly all = $derived.by<Form[]>(() => [
    ...exportPreset.options.map((preset) => ({
      name: exportPresets[preset].label,
      settings: { preset },
      own: false,
    })),
    ...this.#settings.values.exportPresets.map(({ name, settings }) => ({ name, settings, own: true })),
  ]);
  readonly chosen = $derived(this.all.filter(({ name }) => this.names.includes(name)));

  constructor(settings: Pick<SettingsState, 'values' | 'change'>) {
    this.#settings = settings;
  }

  /** Keeps the chosen form with width, quality and sound under a name of the user's. */
  async keep(name: string): Promise<void> {
    const [base] = this.chosen;
    if (!base || name.trim() === '') return;
    const own = { name: name.trim(), settings: this.settingsOf(base) };
    await this.#settings.change({ exportPresets: [...this.#ownBut(own.name), own] });
    this.names = [own.name];
  }

  async forget(name: string): Promise<void> {
    this.names = this.names.filter((chosen) => chosen !== name);
    await this.#settings.change({ exportPresets: this.#ownBut(name) });
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

  /** Of the pictures that are written in a form; null: as they are. A form of the user's own has its own. */
  widthOf({ own, settings }: Form): number | null {
    return own ? (settings.width ?? null) : this.width;
  }

  /** How a file is written. A built-in form takes width and quality from the fields; one of the user's has its own. */
  settingsOf({ own, settings }: Form) {
    const sound = this.withSound && this.soundTrack !== null ? { sound: this.soundTrack } : {};
    const common = { audio: this.withSound ? 'original' : 'none', ...sound, overwrite: this.overwrite } as const;
    if (own) return { ...common, ...settings };
    return { ...common, ...settings, width: this.width ?? undefined, crf: this.quality ?? undefined };
  }

  #ownBut(name: string) {
    return this.#settings.values.exportPresets.filter((form) => form.name !== name);
  }
}
