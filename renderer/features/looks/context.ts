import { createContext } from 'svelte';
import type { Services } from '../../app/connection.svelte.ts';
import type { Dialogs } from '../../app/dialogs.ts';
import type { Notices } from '../../app/notices.svelte.ts';
import type { EditState } from '../edit/edit.svelte.ts';
import type { LibraryState } from '../library/library.svelte.ts';
import type { Finisher } from '../player/finisher.ts';
import type { FrameStore } from '../player/frame-store.ts';
import type { QueueState } from '../queue/queue.svelte.ts';
import type { SettingsState } from '../settings/settings.svelte.ts';
import type { LooksState } from './looks.svelte.ts';

/** What the components of this feature take from the window. */
export interface LooksContext extends Dialogs {
  readonly looks: LooksState;
  readonly library: Pick<
    LibraryState,
    'allClips' | 'clip' | 'concept' | 'editId' | 'loadClips' | 'shownKind' | 'sourceClip'
  >;
  readonly edit: Pick<EditState, 'applyTo'>;
  readonly settings: Pick<SettingsState, 'learningModel'>;
  readonly connection: Services;
  readonly queue: Pick<QueueState, 'finished'>;
  readonly frames: Pick<FrameStore, 'load'>;
  readonly finisher: Pick<Finisher, 'finish'>;
  readonly notices: Pick<Notices, 'attempt'>;
}

export const [useLooks, provideLooks] = createContext<LooksContext>();
