import { createContext } from 'svelte';
import type { Edit } from '../../../shared/domain/edit.ts';
import type { Connection } from '../../app/connection.svelte.ts';
import type { Dialogs, InspectorTab } from '../../app/dialogs.ts';
import type { Notices } from '../../app/notices.svelte.ts';
import type { EditState } from '../edit/edit.svelte.ts';
import type { LibraryState } from '../library/library.svelte.ts';
import type { LooksState } from '../looks/looks.svelte.ts';
import type { PlayerState } from '../player/player.svelte.ts';
import type { QueueState } from '../queue/queue.svelte.ts';
import type { SettingsState } from '../settings/settings.svelte.ts';
import type { PanelsState } from './panels.svelte.ts';

/** What can be taken back. */
interface Undoable {
  readonly canUndo: boolean;
  readonly canRedo: boolean;
  undo(): void;
  redo(): void;
}

/** What the bars and edges of the window, and its keys, take from it. */
export interface ShellContext extends Dialogs {
  readonly panels: PanelsState;
  readonly library: Pick<LibraryState, 'clip' | 'clipById' | 'concept' | 'edit' | 'editId' | 'edits' | 'shownKind'>;
  readonly player: PlayerState;
  readonly edit: Pick<EditState, 'render'>;
  readonly looks: Pick<LooksState, 'draft' | 'keep' | 'makeVariants'>;
  readonly queue: Pick<QueueState, 'isPaused' | 'open' | 'pause' | 'running' | 'waiting'>;
  readonly settings: Pick<SettingsState, 'device' | 'engine' | 'obstacle' | 'writer'>;
  readonly connection: Pick<Connection, 'state'>;
  readonly notices: Pick<Notices, 'items' | 'dismiss'>;
  readonly undoable: Undoable;
  readonly canExport: boolean;
  inspector: InspectorTab;
  openExport(): Promise<void>;
  setRange(change: (player: PlayerState) => void): void;
  restore(edit: Edit): void;
  renderVariations(): Promise<void>;
}

export const [useShell, provideShell] = createContext<ShellContext>();
