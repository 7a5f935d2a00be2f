import { createContext } from 'svelte';
import type { InspectorTab } from '../../app/dialogs.ts';
import type { Notices } from '../../app/notices.svelte.ts';
import type { EditDraft } from '../edit/edit-draft.svelte.ts';
import type { LearnState } from '../learn/learn.svelte.ts';
import type { LibraryState } from '../library/library.svelte.ts';
import type { FrameStore } from '../player/frame-store.ts';
import type { SettingsState } from '../settings/settings.svelte.ts';
import type { ComposeState } from './compose.svelte.ts';
import type { ReenactState } from './reenact.svelte.ts';

/** What the components of this feature take from the window. */
export interface ComposeContext {
  readonly compose: ComposeState;
  readonly reenact: ReenactState;
  readonly edit: { readonly draft: Pick<EditDraft, 'addBeside'> };
  readonly library: Pick<LibraryState, 'allClips' | 'allConcepts'>;
  readonly learn: Pick<LearnState, 'model' | 'recipe'>;
  readonly settings: Pick<SettingsState, 'modelOf'>;
  readonly frames: Pick<FrameStore, 'load'>;
  readonly notices: Pick<Notices, 'fail'>;
  showTab(tab: InspectorTab): void;
  showConcept(conceptId: string): Promise<void>;
}

export const [useCompose, provideCompose] = createContext<ComposeContext>();
