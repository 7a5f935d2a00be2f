import { z } from 'zod';
import type { Concept } from '../../shared/domain/concept.ts';
import type { Edit } from '../../shared/domain/edit.ts';
import type { HostCommand } from '../../shared/domain/host-command.ts';
import type { ItemReference } from '../../shared/domain/library.ts';
import { ComposeState } from '../features/compose/compose.svelte.ts';
import { ReenactState } from '../features/compose/reenact.svelte.ts';
import { EditState } from '../features/edit/edit.svelte.ts';
import { FirstFrameState } from '../features/edit/first-frame.svelte.ts';
import { LearnState } from '../features/learn/learn.svelte.ts';
import { LibraryState } from '../features/library/library.svelte.ts';
import { TrashState } from '../features/library/trash.svelte.ts';
import { VersionsState } from '../features/library/versions.svelte.ts';
import { LooksState } from '../features/looks/looks.svelte.ts';
import { ClipViewState } from '../features/player/clip-view.svelte.ts';
import { Finisher } from '../features/player/finisher.ts';
import { FrameStore } from '../features/player/frame-store.ts';
import { PlayerState } from '../features/player/player.svelte.ts';
import { ExportState } from '../features/queue/export.svelte.ts';
import { QueueState } from '../features/queue/queue.svelte.ts';
import { SettingsState } from '../features/settings/settings.svelte.ts';
import { isText } from '../features/shell/keys.ts';
import { PanelsState } from '../features/shell/panels.svelte.ts';
import { StudiesState } from '../features/study/studies.svelte.ts';
import type { Host } from '../host/host.ts';
import { text } from '../text/en.ts';
import { Connection } from './connection.svelte.ts';
import type { DialogName, InspectorTab } from './dialogs.ts';
import { Files } from './files.ts';
import { Notices } from './notices.svelte.ts';

/** Everything that the window knows, wired in one place. */
export class Editor {
  readonly host: Host;
  readonly notices = new Notices();
  readonly connection: Connection;
  readonly files: Files;
  readonly queue: QueueState;
  readonly library: LibraryState;
  readonly trash: TrashState;
  readonly panels = new PanelsState();
  readonly versions: VersionsState;
  readonly player = new PlayerState();
  readonly frames = new FrameStore();
  readonly finisher = new Finisher();
  readonly edit: EditState;
  readonly firstFrame: FirstFrameState;
  readonly looks: LooksState;
  readonly learn: LearnState;
  readonly compose: ComposeState;
  readonly reenact: ReenactState;
  readonly clipView: ClipViewState;
  readonly settings: SettingsState;
  readonly exporting: ExportState;
  readonly studies: StudiesState;

  inspector = $state<InspectorTab>('looks');
  dialog = $state<DialogName | null>(null);
  /** What the details dialog is about. */
  described = $state.raw<ItemReference | null>(null);

  /** Whether the user has chosen what to see: nothing that is loaded late takes it away. */
  #wasChosen = false;

  constructor(host: Host) {
    this.host = host;
    this.connection = new Connection(host);
    const { connection, notices } = this;
    this.queue = new QueueState(connection, notices, host);
    this.files = new Files(connection, host);
    this.library = new LibraryState(connection, notices, host, this.files);
    this.trash = new TrashState(connection, notices);
    this.studies = new StudiesState(connection, notices);
    this.versions = new VersionsState(connection, notices);
    this.settings = new SettingsState(connection, notices, this.files, this.queue);
    const { library, queue, settings } = this;
    this.edit = new EditState({ connection, notices, library, queue, settings });
    this.firstFrame = new FirstFrameState(connection, notices, host, this.edit.draft);
    this.looks = new LooksState(connection, notices, this.library, this.queue);
    this.learn = new LearnState({
      connection,
      notices,
      library: this.library,
      player: this.player,
      queue: this.queue,
      settings: this.settings,
      onLearned: (conceptId, title) => this.#tellLearned(conceptId, title),
    });
    this.compose = new ComposeState(connection, notices, this.library, this.learn);
    this.reenact = new ReenactState(connection, notices, this.library);
    this.clipView = new ClipViewState(connection, this.reenact);
    this.exporting = new ExportState({
      connection,
      notices,
      library: this.library,
      settings: this.settings,
      queue: this.queue,
      files: this.files,
      host,
      onReport: () => {
        this.dialog = 'report';
      },
    });
    host.onCommand((command) => this.run(command));
    connection.whenOpen(() => void this.#load());
  }

  /** What is on screen, for the same window after a reload. */
  keepPlace(): void {
    if (!this.library.isLoaded) return;
    const { shownKind, clipId, conceptId, editId } = this.library;
    const { inspector, player } = this;
    const place: Place = { shownKind, clipId, conceptId, editId, inspector, compare: player.compare };
    sessionStorage.setItem(placeKey, JSON.stringify(place));
  }

  async #load(): Promise<void> {
    const isFirst = !this.library.isLoaded;
    const place = isFirst ? readPlace() : null;
    await this.library.loadAll(place, () => this.#wasChosen);
    if (!isFirst || this.#wasChosen) return;
    this.inspector = place?.inspector ?? (this.library.shownKind === 'concept' ? 'edit' : 'looks');
    if (place) this.player.compare = place.compare;
  }

  /** What undo and redo change: the look or the cut of a clip, or the words and gains of a concept. */
  readonly undoable = $derived.by(() => {
    if (this.library.shownKind === 'concept') return this.edit.draft;
    const { draft } = this.looks;
    return this.inspector === 'looks' && (draft.canUndo || draft.canRedo) ? draft : this.learn;
  });

  /** What the system's menu asks for. Nothing is opened over a dialog. */
  run(command: HostCommand): void {
    if (command === 'undo' || command === 'redo') this.#takeBack(command);
    else if (this.dialog !== null) return;
    else if (command === 'import') document.getElementById('file-picker')?.click();
    else if (command !== 'export') this.dialog = command;
    else if (this.canExport) void this.openExport();
  }

  /** Text that is being typed has its own undo, but for the prompt. */
  #takeBack(command: 'undo' | 'redo'): void {
    const field = document.activeElement;
    if (field instanceof HTMLElement && isText(field)) document.execCommand(command);
    else this.undoable[command]();
  }

  /** The range of what is on screen: that of a clip is a step of undo. */
  setRange(change: (player: PlayerState) => void): void {
    change(this.player);
    if (this.library.shownKind === 'clip') this.learn.recordCut();
  }

  /** A concept can always go out, a clip once a look of it is on the stage or kept. */
  readonly canExport = $derived.by(() => {
    const { shownKind, concept, edits } = this.library;
    return shownKind === 'concept' ? concept !== null : edits.length > 0 || this.looks.draft.isOn;
  });

  /** A look on the stage that is not kept yet is kept for it. */
  async openExport(): Promise<void> {
    if (this.library.shownKind === 'clip' && this.looks.draft.isOn && this.library.editId === null)
      await this.looks.keepNow();
    this.exporting.wholeLength = this.player.wholeLength;
    this.exporting.open();
    this.dialog = 'export';
  }

  /** A kept edit on the stage, of the clip or of the concept that is on screen. */
  restore(edit: Edit): void {
    if (edit.conceptId === null) this.looks.restore(edit);
    else this.edit.restore(edit);
  }

  /** Shows them side by side as they come. */
  async renderVariations(): Promise<void> {
    this.player.grid = true;
    await this.edit.renderVariations();
  }

  /** What was just asked for, in its place among the rest; a dialog that asked for it is done. */
  showQueue(): void {
    this.dialog = null;
    this.panels.toggle('bottom', true);
  }

  describe(item: ItemReference): void {
    this.described = item;
    this.dialog = 'details';
  }

  showKind(kind: 'clip' | 'concept'): void {
    this.#wasChosen = true;
    this.#putOnStage(kind);
    if (kind === 'clip' && this.inspector !== 'learn') this.inspector = 'looks';
    else if (kind === 'concept' && this.inspector !== 'compose') this.inspector = 'edit';
  }

  /** What a tab is about comes on the stage with it: a concept to edit, or the clip; from a concept to that which it was learned from. */
  showTab(tab: InspectorTab): void {
    const { library } = this;
    this.#wasChosen = true;
    this.inspector = tab;
    if (tab === 'edit') this.#putOnStage('concept');
    else if (tab !== 'compose' && library.shownKind === 'concept') {
      if (library.sourceClip) library.clipId = library.sourceClip.id;
      this.#putOnStage('clip');
    }
  }

  /** Its words and its clip, ready to become its next version. */
  learnAgain(concept: Concept): void {
    this.showTab('learn');
    this.learn.open(this.library.clip);
    this.learn.takeUp(concept);
  }

  /** What came on the stage by itself, such as a clip that was dropped or a concept that was opened, has its panel. */
  matchPanel(kind: 'clip' | 'concept'): void {
    if (kind === 'clip' && this.inspector === 'edit') this.inspector = 'looks';
    else if (kind === 'concept' && (this.inspector === 'looks' || this.inspector === 'learn')) this.inspector = 'edit';
  }

  #putOnStage(kind: 'clip' | 'concept'): void {
    const { library } = this;
    library.shownKind = kind;
    if (library.tag !== null && !library.tags.includes(library.tag)) void library.filter(null);
  }

  /** Who waits for it is shown it; who does something else may go to it. */
  #tellLearned(conceptId: string, title: string): void {
    const show = () => void this.showConcept(conceptId);
    const waits = this.inspector === 'learn' && this.dialog === null;
    this.notices.tell(text.queue.done(title), waits ? undefined : { label: text.action.show, run: show });
    if (waits) show();
  }

  /** A concept that was just made, ready to be edited. */
  async showConcept(conceptId: string): Promise<void> {
    if (this.inspector === 'compose') this.inspector = 'edit';
    await this.library.loadConcepts();
    await this.library.chooseConcept(conceptId);
    this.showKind('concept');
  }
}

const placeKey = 'motif.place';
const place = z.object({
  shownKind: z.enum(['clip', 'concept']),
  clipId: z.string().nullable(),
  conceptId: z.string().nullable(),
  editId: z.string().nullable(),
  inspector: z.enum(['looks', 'learn', 'edit', 'compose']),
  compare: z.enum(['source', 'wipe', 'side', 'difference']),
});
type Place = z.infer<typeof place>;

function readPlace(): Place | null {
  return place.safeParse(JSON.parse(sessionStorage.getItem(placeKey) ?? 'null')).data ?? null;
}
