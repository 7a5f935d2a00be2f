import { provideCompose } from '../features/compose/context.ts';
import { provideEdit } from '../features/edit/context.ts';
import { provideLearn } from '../features/learn/context.ts';
import { provideLibrary } from '../features/library/context.ts';
import { provideLooks } from '../features/looks/context.ts';
import { providePlayer } from '../features/player/context.ts';
import { provideQueue } from '../features/queue/context.ts';
import { provideSettings } from '../features/settings/context.ts';
import { provideShell } from '../features/shell/context.ts';
import { provideStudies } from '../features/study/context.ts';
import type { Editor } from './editor.svelte.ts';

/** Each feature gets of the window what its context names, and no more. */
export function provideContexts(editor: Editor): Editor {
  provideCompose(editor);
  provideEdit(editor);
  provideLearn(editor);
  provideLibrary(editor);
  provideLooks(editor);
  providePlayer(editor);
  provideQueue(editor);
  provideSettings(editor);
  provideShell(editor);
  provideStudies(editor);
  return editor;
}
