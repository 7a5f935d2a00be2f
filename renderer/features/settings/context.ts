import { createContext } from 'svelte';
import type { Dialogs } from '../../app/dialogs.ts';
import type { Host } from '../../host/host.ts';
import type { QueueState } from '../queue/queue.svelte.ts';
import type { SettingsState } from './settings.svelte.ts';

/** What the components of this feature take from the window. */
export interface SettingsContext extends Dialogs {
  readonly settings: SettingsState;
  readonly queue: Pick<QueueState, 'act' | 'downloads'>;
  readonly host: Pick<Host, 'chooseFolder'>;
}

export const [useSettings, provideSettings] = createContext<SettingsContext>();
