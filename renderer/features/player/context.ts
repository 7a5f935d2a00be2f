import { createContext } from 'svelte';
import type { Edit } from '../../../shared/domain/edit.ts';
import type { Services } from '../../app/connection.svelte.ts';
import type { Notices } from '../../app/notices.svelte.ts';
import type { EditState } from '../edit/edit.svelte.ts';
import type { LearnState } from '../learn/learn.svelte.ts';
import type { LibraryState } from '../library/library.svelte.ts';
import type { LooksState } from '../looks/looks.svelte.ts';
import type { QueueState } from '../queue/queue.svelte.ts';
import type { ClipViewState } from './clip-view.svelte.ts';
import type { Finisher } from './finisher.ts';
import type { FrameStore } from './frame-store.ts';
import type { PlayerState } from './player.svelte.ts';

/** What the components of this feature take from the window. */
export interface PlayerContext {
  readonly player: PlayerState;
  /** What the stage shows of a clip. */
  readonly clipView: ClipViewState;
  readonly frames: FrameStore;
  readonly finisher: Finisher;
  readonly library: Pick<
    LibraryState,
    'clip' | 'sourceClip' | 'edit' | 'editId' | 'edits' | 'isLoaded' | 'shownKind' | 'label' | 'remove' | 'star'
  >;
  readonly edit: EditState;
  readonly looks: LooksState;
  readonly learn: LearnState;
  readonly queue: Pick<QueueState, 'act' | 'makeWay' | 'running'>;
  readonly connection: Pick<Services, 'call'>;
  readonly notices: Pick<Notices, 'fail'>;
  /** Changes the range of what is on screen; that of a clip is a step of undo. */
  setRange(change: (player: PlayerState) => void): void;
  /** A kept edit on the stage, with its words. */
  restore(edit: Edit): void;
}

export const [usePlayer, providePlayer] = createContext<PlayerContext>();
