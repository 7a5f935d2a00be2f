import { createContext } from 'svelte';
import type { Dialogs } from '../../app/dialogs.ts';
import type { Files } from '../../app/files.ts';
import type { Notices } from '../../app/notices.svelte.ts';
import type { Host } from '../../host/host.ts';
import type { LibraryState } from '../library/library.svelte.ts';
import type { SettingsState } from '../settings/settings.svelte.ts';
import type { PanelsState } from '../shell/panels.svelte.ts';
import type { ExportState } from './export.svelte.ts';
import type { QueueState } from './queue.svelte.ts';

/** What the components of this feature take from the window. */
export interface QueueContext extends Dialogs {
  readonly queue: QueueState;
  readonly exporting: ExportState;
  readonly library: Pick<LibraryState, 'shownKind'>;
  readonly settings: Pick<SettingsState, 'folder'>;
  readonly panels: Pick<PanelsState, 'toggle'>;
  readonly files: Pick<Files, 'action'>;
  readonly notices: Pick<Notices, 'tell'>;
  readonly host: Host;
  showQueue(): void;
}

export const [useQueue, provideQueue] = createContext<QueueContext>();
