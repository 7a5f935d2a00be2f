import { z } from 'zod';
import { type EditSettings, editSettings, isFinishingOnly } from '../../../shared/domain/edit.ts';
import { type Look, lookSettings, nothingSaid } from '../../../shared/domain/look.ts';
import { startStrength, strengthOf, strengthSettings } from '../../../shared/domain/strength.ts';
import { usualFor } from '../../../shared/domain/things.ts';
import { Draft } from '../../app/draft.svelte.ts';

const writtenLook = z.object({
  /** The look that the words come from, as long as they are its own. */
  lookId: z.string().nullable(),
  strength: z.number(),
  settings: editSettings,
});
type WrittenLook = z.infer<typeof writtenLook>;

/** Kept for each clip, so that a reload or a look at another clip loses nothing. */
const keptLook = z.object({ isOn: z.boolean(), written: writtenLook });
type KeptLook = z.infer<typeof keptLook>;
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

  #clipId: string | null = null;
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

  /** Another clip: its look is taken up where it was left; before the first one, the clip is alone on the stage. */
  open(clipId: string | null): void {
    this.#clipId = clipId;
    const kept = clipId === null ? null : read(localStorage.getItem(keyOf(clipId)));
    this.#chosen.clear();
    this.#draft.start(kept?.written ?? nothing);
    this.isOn = kept?.isOn ?? false;
  }

  /** The clip alone on the stage, or the look again. */
  show(isOn: boolean): void {
    this.isOn = isOn;
    this.#keep();
  }

  settingsOf(look: Look): EditSettings {
    return lookSettings(look, { seen: this.#seen(), strength: look.strength });
  }

  /** A look as it is. */
  choose(look: Look): void {
    this.isOn = true;
    this.#draft.record({ lookId: look.id, strength: look.strength, settings: this.settingsOf(look) });
    this.#keep();
  }

  /** Settings of something that was rendered. */
  take(settings: EditSettings, lookId: string | null): void {
    this.isOn = true;
    this.#draft.record({ lookId, strength: strengthOf(settings), settings });
    this.#keep();
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
    this.#jump(() => this.#draft.undo());
  }

  redo(): void {
    this.#jump(() => this.#draft.redo());
  }

  /** The same words and strength have become a look of their own. */
  named(lookId: string): void {
    this.#draft.replace({ ...this.#draft.value, lookId });
    this.#keep();
  }

  /** To what was before or after; where finishing alone differs, nothing has to be rendered for it. */
  #jump(move: () => void): void {
    const before = this.settings;
    move();
    const after = this.settings;
    const names = Object.keys(after) as (keyof EditSettings)[];
    const changed = names.filter((name) => JSON.stringify(after[name]) !== JSON.stringify(before[name]));
    const isFinishing = changed.length > 0 && isFinishingOnly(Object.fromEntries(changed.map((name) => [name, true])));
    this.#keep();
    this.#onChange(isFinishing && this.isOn ? 'finishing' : 'jump');
  }

  #keep(): void {
    if (this.#clipId === null) return;
    const kept: KeptLook = { isOn: this.isOn, written: this.#draft.value };
    localStorage.setItem(keyOf(this.#clipId), JSON.stringify(kept));
  }

  #amend(written: WrittenLook): void {
    this.isOn = true;
    this.#draft.amend(written);
    this.#keep();
  }

  /** Where somebody writes words of their own before any look was chosen, these are for the clip as it is. */
  #toWrite(): WrittenLook {
    if (this.isOn) return this.#draft.value;
    const shown = `${this.#seen() || nothingSaid} by day, the camera is still`;
    const settings = editSettings.parse({ prompt: shown, shown, ...strengthSettings(startStrength) });
    return { lookId: null, strength: startStrength, settings };
  }
}

function read(kept: string | null): KeptLook | undefined {
  return keptLook.safeParse(JSON.parse(kept ?? 'null')).data;
}

const keyOf = (clipId: string) => `motif.look.${clipId}`;
