import { createContext } from 'svelte';
import type { Dialogs } from '../../app/dialogs.ts';
import type { Notices } from '../../app/notices.svelte.ts';
import type { Host } from '../../host/host.ts';
import type { StudiesState } from './studies.svelte.ts';

/** What the components of this feature take from the window. */
export interface StudyContext extends Dialogs {
  readonly studies: StudiesState;
  readonly host: Pick<Host, 'chooseFolder'>;
  readonly notices: Pick<Notices, 'tell'>;
}

export const [useStudies, provideStudies] = createContext<StudyContext>();
