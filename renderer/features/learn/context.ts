import { createContext } from 'svelte';
import type { LibraryState } from '../library/library.svelte.ts';
import type { PlayerState } from '../player/player.svelte.ts';
import type { QueueState } from '../queue/queue.svelte.ts';
import type { SettingsState } from '../settings/settings.svelte.ts';
import type { LearnState } from './learn.svelte.ts';

/** What the components of this feature take from the window. */
export interface LearnContext {
  readonly learn: LearnState;
  readonly library: Pick<LibraryState, 'clip' | 'shownKind'>;
  readonly player: Pick<PlayerState, 'inFrame' | 'outFrame' | 'zoom'>;
  readonly queue: Pick<QueueState, 'act' | 'learning' | 'losses' | 'samples'>;
  readonly settings: Pick<SettingsState, 'isDeviceMemory' | 'memoryBytes' | 'models' | 'theme'>;
  showKind(kind: LibraryState['shownKind']): void;
}

export const [useLearn, provideLearn] = createContext<LearnContext>();
