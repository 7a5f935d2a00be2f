import type { Editor } from '../../app/editor.svelte.ts';
import type { CompareMode } from '../player/player.svelte.ts';

const modes: CompareMode[] = ['source', 'wipe', 'side', 'difference'];

/** Runs what a key stands for. Answers whether it stood for anything. */
export function runKey(editor: Editor, event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey) return runCommand(editor, event);
  if (event.altKey || editor.dialog !== null) return false;
  const { player, edit, library, looks } = editor;
  const steps = event.shiftKey ? 10 : 1;
  const actions: Record<string, () => void> = {
    ' ': () => player.toggle(),
    j: () => player.shuttle(-1),
    k: () => player.stop(),
    l: () => player.shuttle(1),
    ArrowLeft: () => player.step(-steps),
    ArrowRight: () => player.step(steps),
    Home: () => player.step(-player.frame),
    End: () => player.step(player.frameCount),
    i: () => editor.setRange((range) => range.setIn()),
    o: () => editor.setRange((range) => range.setOut()),
    '[': () => chooseResult(editor, -1),
    ']': () => chooseResult(editor, 1),
    e: () => {
      const isClip = library.shownKind === 'clip';
      editor.inspector = isClip ? 'looks' : 'edit';
      if (!editor.panels.isOpen('right')) editor.panels.toggle('right');
      requestAnimationFrame(() => document.getElementById(isClip ? 'look-words' : 'prompt')?.focus());
    },
    r: () => {
      if (library.shownKind === 'clip') void looks.keep();
      else if (library.concept) void edit.render();
    },
    v: () => {
      if (library.shownKind === 'clip') void (looks.isOn && looks.makeVariants());
      else if (library.concept) void editor.renderVariations();
    },
    m: () => {
      player.finished = !player.finished;
    },
    '5': () => {
      player.grid = !player.grid;
    },
    q: () => editor.panels.toggle('bottom'),
    f: () => void document.getElementById('stage')?.requestFullscreen(),
    '?': () => {
      editor.dialog = 'shortcuts';
    },
  };
  const mode = modes[Number(event.key) - 1];
  if (mode) player.compareIn(mode);
  const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  action?.();
  return mode !== undefined || action !== undefined;
}

function runCommand(editor: Editor, { key, shiftKey }: KeyboardEvent): boolean {
  const commands: Record<string, () => void> = {
    z: () => (shiftKey ? editor.undoable.redo() : editor.undoable.undo()),
    f: () => {
      if (!editor.panels.isOpen('left')) editor.panels.toggle('left');
      requestAnimationFrame(() => document.getElementById('library-search')?.focus());
    },
    o: () => document.getElementById('file-picker')?.click(),
    e: () => editor.canExport && editor.openExport(),
    ',': () => {
      editor.dialog = 'settings';
    },
  };
  const command = commands[key.toLowerCase()];
  command?.();
  return command !== undefined;
}

function chooseResult(editor: Editor, direction: 1 | -1): void {
  const { library } = editor;
  const at = library.edits.findIndex(({ id }) => id === library.editId);
  const next = library.edits[at + direction];
  if (next) editor.restore(next);
}

/** Text with an undo of its own: every field but the prompt and the sliders. */
export function isText(target: EventTarget | null): boolean {
  return isTyping(target) && !(target as HTMLElement).matches('input[type="range"], #prompt, #look-words');
}

/** Fields and menus keep their own keys. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target.closest('[role="menu"]')) return true;
  return target.matches('textarea, select, input:not([type="checkbox"]):not([type="file"])');
}
