import { createContext } from 'svelte';
import type { Concept } from '../../../shared/domain/concept.ts';
import type { Dialogs } from '../../app/dialogs.ts';
import type { LibraryState } from '../library/library.svelte.ts';
import type { SettingsState } from '../settings/settings.svelte.ts';
import type { EditState } from './edit.svelte.ts';
import type { FirstFrameState } from './first-frame.svelte.ts';

/** What the components of this feature take from the window. */
export interface EditContext extends Dialogs {
  readonly edit: EditState;
  readonly firstFrame: FirstFrameState;
  readonly library: Pick<
    LibraryState,
    'concept' | 'edit' | 'sourceClip' | 'allClips' | 'allConcepts' | 'clipById' | 'renameDirection'
  >;
  readonly settings: Pick<SettingsState, 'modelOf'>;
  /** The concept's words and clip, ready to become its next version. */
  learnAgain(concept: Concept): void;
  renderVariations(): Promise<void>;
  showQueue(): void;
}

export const [useEdit, provideEdit] = createContext<EditContext>();
