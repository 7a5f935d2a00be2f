import { type EditSettings, editSettings, isFinishingOnly } from '../../../shared/domain/edit.ts';
import { type Look, lookSettings, nothingSaid } from '../../../shared/domain/look.ts';
import { startStrength, strengthOf, strengthSettings } from '../../../shared/domain/strength.ts';
import { usualFor } from '../../../shared/domain/things.ts';
import { Draft } from '../../app/draft.svelte.ts';

interface WrittenLook {
  /** The look that the words come from, as long as they are its own. */
  lookId: string | null;
  strength: number;
  settings: EditSettings;
}
const nothing: WrittenLook = { lookId: null, strength: startStrength, settings: editSettings.parse({ prompt: '' }) };

/**
 * How a draft changed: by a slider, by words that are being typed, in its finishing alone, which needs no
 * rendering, or to what it was before and after.
 */
export type LookChange = 'moved' | 'typing' | 'finishing' | 'jump';

/** The words and strength of the look that a clip is given, with undo. */
export class LookDraft {
  /** Whether a look is on the stage at all, and not the clip alone. */
  isOn = $state(false);

  readonly #draft = new Draft(nothing);
  /** Settings that do not follow the words any more. */
  readonly #chosen = new Set<'lock' | 'recolour'>();
  /** What the clip shows, in words. */
  readonly #seen: () => string;
  readonly #onChange: (how: LookChange) => void;

  readonly settings = $derived.by(() => this.#draft.value.settings);
  readonly strength = $derived.by(() => this.#draft.value.strength);
  /** The look whose words these are, unless they were changed since. */
  readonly lookId = $derived.by(() => this.#draft.value.lookId);
  readonly canUndo = $derived.by(() => this.#draft.canUndo);
  readonly canRedo = $derived.by(() => this.#draft.canRedo);

  constructor(seen: () => string, onChange: (how: LookChange) => void) {
    this.#seen = seen;
    this.#onChange = onChange;
  }

  /** Another clip: nothing is written, and the clip is alone on the stage. */
  clear(): void {
    this.isOn = false;
    this.#chosen.clear();
    this.#draft.start(nothing);
  }

  settingsOf(look: Look): EditSettings {
    return lookSettings(look, { seen: this.#seen(), strength: look.strength });
  }

  /** A look as it is. */
  choose(look: Look): void {
    this.isOn = true;
    this.#draft.record({ lookId: look.id, strength: look.strength, settings: this.settingsOf(look) });
  }

  /** Settings of something that was rendered. */
  take(settings: EditSettings, lookId: string | null): void {
    this.isOn = true;
    this.#draft.record({ lookId, strength: strengthOf(settings), settings });
  }

  /** The words for what the clip should become, and for what it shows, as they are typed. */
  write(patch: { prompt?: string; shown?: string }): void {
    const { settings: before, strength } = this.#toWrite();
    const settings = { ...before, ...patch };
    // Words that change things alone lock the rest, and those of a colour recolour a thing, until that is set by hand.
    const { lock, recolour } = usualFor(settings.shown, settings.prompt);
    if (!this.#chosen.has('lock')) settings.lock = lock;
    if (!this.#chosen.has('recolour')) settings.recolour = recolour;
    this.#amend({ lookId: null, strength, settings });
    this.#onChange('typing');
  }

  /** The words that a phrase is put into: those on the stage, or those for the clip as it is. */
  get promptToWrite(): string {
    return this.#toWrite().settings.prompt;
  }

  /** Fidelity and guidance together. */
  setStrength(strength: number): void {
    this.#amend({ ...this.#draft.value, strength, settings: { ...this.settings, ...strengthSettings(strength) } });
    this.#onChange('moved');
  }

  /** A change in the middle of a slider's movement: many make one step of undo. */
  adjust(patch: Partial<EditSettings>): void {
    for (const name of ['lock', 'recolour'] as const) if (patch[name] !== undefined) this.#chosen.add(name);
    this.#amend({ ...this.#draft.value, settings: { ...this.settings, ...patch } });
    this.#onChange(isFinishingOnly(patch) ? 'finishing' : 'moved');
  }

  /** The movement is over. */
  settle(): void {
    this.#draft.settle();
  }

  undo(): void {
    this.#draft.undo();
    this.#onChange('jump');
  }

  redo(): void {
    this.#draft.redo();
    this.#onChange('jump');
  }

  /** The same words and strength have become a look of their own. */
  named(lookId: string): void {
    this.#draft.replace({ ...this.#draft.value, lookId });
  }

  #amend(written: WrittenLook): void {
    this.isOn = true;
    this.#draft.amend(written);
  }

  /** Where somebody writes words of their own before any look was chosen, these are for the clip as it is. */
  #toWrite(): WrittenLook {
    if (this.isOn) return this.#draft.value;
    const shown = `${this.#seen() || nothingSaid} by day, the camera is still`;
    const settings = editSettings.parse({ prompt: shown, shown, ...strengthSettings(startStrength) });
    return { lookId: null, strength: startStrength, settings };
  }
}
