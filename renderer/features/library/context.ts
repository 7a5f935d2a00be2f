import { createContext } from 'svelte';
import type { ItemReference } from '../../../shared/domain/library.ts';
import type { Dialogs } from '../../app/dialogs.ts';
import type { ExportState } from '../queue/export.svelte.ts';
import type { QueueState } from '../queue/queue.svelte.ts';
import type { SettingsState } from '../settings/settings.svelte.ts';
import type { LibraryState } from './library.svelte.ts';
import type { TrashState } from './trash.svelte.ts';
import type { VersionsState } from './versions.svelte.ts';

/** What the components of this feature take from the window. */
export interface LibraryContext extends Dialogs {
  readonly library: LibraryState;
  readonly trash: TrashState;
  readonly versions: VersionsState;
  readonly queue: Pick<QueueState, 'act' | 'imports'>;
  readonly exporting: Pick<ExportState, 'defaultFolder'>;
  readonly settings: Pick<SettingsState, 'values'>;
  /** What the dialog of details is about. */
  readonly described: ItemReference | null;
  describe(item: ItemReference): void;
  showKind(kind: LibraryState['shownKind']): void;
}

export const [useLibrary, provideLibrary] = createContext<LibraryContext>();
