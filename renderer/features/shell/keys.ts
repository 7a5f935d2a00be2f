import type { CompareMode } from '../player/player.svelte.ts';
import type { ShellContext } from './context.ts';

const modes: CompareMode[] = ['source', 'wipe', 'side', 'difference'];

/** Runs what a key stands for. Answers whether it stood for anything. */
export function runKey(shell: ShellContext, event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey) return runCommand(shell, event);
  if (event.altKey || shell.dialog !== null) return false;
  const { player, edit, library, looks } = shell;
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
    i: () => shell.setRange((range) => range.setIn()),
    o: () => shell.setRange((range) => range.setOut()),
    '[': () => chooseResult(shell, -1),
    ']': () => chooseResult(shell, 1),
    e: () => {
      const isClip = library.shownKind === 'clip';
      shell.inspector = isClip ? 'looks' : 'edit';
      if (!shell.panels.isOpen('right')) shell.panels.toggle('right');
      requestAnimationFrame(() => document.getElementById(isClip ? 'look-words' : 'prompt')?.focus());
    },
    r: () => {
      if (library.shownKind === 'clip') void looks.keep();
      else if (library.concept) void edit.render();
    },
    v: () => {
      if (library.shownKind === 'clip') void (looks.draft.isOn && looks.makeVariants());
      else if (library.concept) void shell.renderVariations();
    },
    m: () => {
      player.finished = !player.finished;
    },
    '5': () => {
      player.grid = !player.grid;
    },
    q: () => shell.panels.toggle('bottom'),
    f: () => void document.getElementById('stage')?.requestFullscreen(),
    '?': () => {
      shell.dialog = 'shortcuts';
    },
  };
  const mode = modes[Number(event.key) - 1];
  if (mode) player.compareIn(mode);
  const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  action?.();
  return mode !== undefined || action !== undefined;
}

/** Nothing is opened or taken back behind a dialog. */
function runCommand(shell: ShellContext, { key, shiftKey }: KeyboardEvent): boolean {
  if (shell.dialog !== null) return false;
  const commands: Record<string, () => void> = {
    z: () => (shiftKey ? shell.undoable.redo() : shell.undoable.undo()),
    f: () => {
      if (!shell.panels.isOpen('left')) shell.panels.toggle('left');
      requestAnimationFrame(() => document.getElementById('library-search')?.focus());
    },
    o: () => document.getElementById('file-picker')?.click(),
    e: () => shell.canExport && shell.openExport(),
    ',': () => {
      shell.dialog = 'settings';
    },
  };
  const command = commands[key.toLowerCase()];
  command?.();
  return command !== undefined;
}

function chooseResult(shell: ShellContext, direction: 1 | -1): void {
  const { library } = shell;
  const at = library.edits.findIndex(({ id }) => id === library.editId);
  const next = library.edits[at + direction];
  if (next) shell.restore(next);
}

/** Text with an undo of its own: every field but the prompt and the sliders. */
export function isText(target: EventTarget | null): boolean {
  return isTyping(target) && !(target as HTMLElement).matches('input[type="range"], #prompt, #look-words');
}

/** What a focused button, box or heading of more does with the space bar is its own. */
export function hasOwnSpace(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && target.matches('button, summary, a[href], input, [role="tab"], [role="menuitem"]')
  );
}

/** Fields and menus keep their own keys. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target.closest('[role="menu"]')) return true;
  return target.matches('textarea, select, input:not([type="checkbox"]):not([type="file"])');
}
