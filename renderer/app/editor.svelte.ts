import { getContext, setContext } from 'svelte';
import { EditState } from '../features/edit/edit.svelte.ts';
import { LearnState } from '../features/learn/learn.svelte.ts';
import { LibraryState } from '../features/library/library.svelte.ts';
import { FrameStore } from '../features/player/frame-store.ts';
import { PlayerState } from '../features/player/player.svelte.ts';
import { ExportState } from '../features/queue/export.svelte.ts';
import { QueueState } from '../features/queue/queue.svelte.ts';
import { SettingsState } from '../features/settings/settings.svelte.ts';
import type { Host } from '../host/host.ts';
import { Connection } from './connection.svelte.ts';
import { Notices } from './notices.svelte.ts';

export type InspectorTab = 'learn' | 'edit' | 'compose';
export type DialogName = 'export' | 'queue' | 'settings' | 'shortcuts';

/** Everything that the window knows, wired in one place. */
export class Editor {
  readonly host: Host;
  readonly notices = new Notices();
  readonly connection: Connection;
  readonly queue: QueueState;
  readonly library: LibraryState;
  readonly player = new PlayerState();
  readonly frames = new FrameStore();
  readonly edit: EditState;
  readonly learn: LearnState;
  readonly settings: SettingsState;
  readonly exporting: ExportState;

  inspector = $state<InspectorTab>('learn');
  dialog = $state<DialogName | null>(null);

  constructor(host: Host) {
    this.host = host;
    this.connection = new Connection(host);
    const { connection, notices } = this;
    this.queue = new QueueState(connection, notices);
    this.library = new LibraryState(connection, notices, host);
    this.edit = new EditState(connection, notices, this.library, this.queue);
    this.learn = new LearnState({
      connection,
      notices,
      library: this.library,
      player: this.player,
      queue: this.queue,
      onLearned: (conceptId) => void this.#showConcept(conceptId),
    });
    this.settings = new SettingsState(connection, notices);
    this.exporting = new ExportState(connection, notices, this.library, this.settings);
  }

  openExport(): void {
    this.exporting.open();
    this.dialog = 'export';
  }

  showKind(kind: 'clip' | 'concept'): void {
    this.library.shownKind = kind;
    if (kind === 'clip') this.inspector = 'learn';
    else if (this.inspector === 'learn') this.inspector = 'edit';
  }

  async #showConcept(conceptId: string): Promise<void> {
    await this.library.loadConcepts();
    await this.library.chooseConcept(conceptId);
    this.showKind('concept');
  }
}

const key = Symbol('editor');

export function provideEditor(editor: Editor): Editor {
  return setContext(key, editor);
}

export function useEditor(): Editor {
  return getContext(key);
}
