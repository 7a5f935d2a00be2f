import { type Concept, hasOwnClip, learnedPrompt, promptTogether } from '../../../shared/domain/concept.ts';
import { type EditSettings, editSettings, type FirstFrame, isFinishingOnly } from '../../../shared/domain/edit.ts';
import { guidanceFor, startSettings, startStrength, strengthSettings } from '../../../shared/domain/strength.ts';
import { type UsualSettings, usualFor } from '../../../shared/domain/things.ts';
import { Draft } from '../../app/draft.svelte.ts';
import { besideAdded, besideRemoved, canActBeside } from './beside.ts';
import { directionRange } from './direction-ends.svelte.ts';

/** How a draft changed: in steps, by words that are being typed, or in its finishing alone, which needs no rendering. */
export type DraftChange = 'step' | 'typing' | 'finishing';

/** The words and gains of the next result of a concept: with undo, kept across reloads, the same in all windows. */
export class EditDraft {
  readonly #draft = new Draft(editSettings.parse({ prompt: '' }));
  /** Settings that do not follow the words any more. */
  readonly #chosen = new Set<keyof UsualSettings>();
  #concept = $state.raw<Concept | null>(null);
  readonly #allConcepts: () => readonly Concept[];
  readonly #onChange: (how: DraftChange) => void;

  readonly settings = $derived.by(() => this.#draft.value);
  readonly canUndo = $derived.by(() => this.#draft.canUndo);
  readonly canRedo = $derived.by(() => this.#draft.canRedo);
  readonly conceptId = $derived.by(() => this.#concept?.id ?? null);
  /** What the prompt is compared with, and begins as. */
  readonly caption = $derived.by(() => promptTogether(this.acting));
  /** The concept, and those that act beside it. */
  readonly acting = $derived.by(() => {
    const all = this.#allConcepts();
    const others = this.settings.others.flatMap(({ conceptId }) => all.find(({ id }) => id === conceptId) ?? []);
    return this.#concept ? [this.#concept, ...others] : [];
  });

  constructor(allConcepts: () => readonly Concept[], onChange: (how: DraftChange) => void) {
    this.#allConcepts = allConcepts;
    this.#onChange = onChange;
    addEventListener('storage', ({ key, newValue }) => {
      if (this.#concept && key === keyOf(this.#concept)) this.#takeOver(newValue);
    });
  }

  /** Takes up a concept where it was left, or with its own caption. False: it is open, or there is none. */
  open(concept: Concept | null): boolean {
    if (concept === null) return false;
    const isOpen = concept.id === this.#concept?.id;
    this.#concept = concept;
    if (isOpen) return false;
    this.#chosen.clear();
    this.#draft.start(read(localStorage.getItem(keyOf(concept))) ?? startOf(concept));
    return true;
  }

  /** A change that is one step of undo. */
  change(patch: Partial<EditSettings>): void {
    this.#draft.record({ ...this.settings, ...this.#withUsual(patch) });
    this.#changed('step');
  }

  /** A change in the middle of typing or of a slider's movement: many make one step. */
  adjust(patch: Partial<EditSettings>): void {
    this.#draft.amend({ ...this.settings, ...this.#withUsual(patch) });
    const isTyping = patch.prompt !== undefined || patch.negativePrompt !== undefined;
    this.#changed(isFinishingOnly(patch) ? 'finishing' : isTyping ? 'typing' : 'step');
  }

  /** The movement is over. */
  settle(): void {
    this.#draft.settle();
  }

  undo(): void {
    this.#draft.undo();
    this.#changed('step');
  }

  redo(): void {
    this.#draft.redo();
    this.#changed('step');
  }

  /** The settings of a result that is there: nothing has to be rendered for them. */
  restore(settings: EditSettings): void {
    this.#draft.record(settings);
    this.#keep();
  }

  /** Lets one more concept act. */
  addBeside(added: Concept): void {
    if (canActBeside([added], this.acting).length > 0) this.change(besideAdded(this.settings, this.acting, added));
  }

  /** Takes one of the others away. */
  removeBeside(place: number): void {
    const { others } = this.settings;
    const isKnown = this.acting.length === others.length + 1;
    // One that is gone has no words that could be found in the prompt.
    if (isKnown) this.change(besideRemoved(this.settings, this.acting, place + 1));
    else this.change({ others: others.filter((_, index) => index !== place) });
  }

  setDirection(index: number, gain: number): void {
    const directions: Record<string, number> = { ...this.settings.sliders.directions, [index]: gain };
    if (gain === directionRange.neutral) delete directions[index];
    this.adjust({ sliders: { ...this.settings.sliders, directions } });
  }

  /** A clip made anew from pure noise, or the clip itself led as far as the usual strength does. */
  startFromNoise(isOn: boolean): void {
    this.change(isOn ? fromNoise : { ...strengthSettings(startStrength), firstFrame: null });
  }

  /** The picture that the clip begins with and goes on from, which it does from noise alone; null: none any more. */
  beginWith(firstFrame: FirstFrame | null): void {
    this.change({ firstFrame, ...(firstFrame && fromNoise) });
  }

  /** A fidelity of one's own; guidance follows as long as it is the one that goes with the fidelity. */
  setFidelity(fidelity: number): void {
    const { fidelity: before, guidance } = this.settings;
    this.change({
      fidelity,
      ...(guidance === guidanceFor(before) && { guidance: guidanceFor(fidelity) }),
      ...(fidelity > 0 && { firstFrame: null }),
    });
  }

  /** With words come the settings that are usual for what they change, but for those that were chosen by hand. */
  #withUsual(patch: Partial<EditSettings>): Partial<EditSettings> {
    for (const name of ['lock', 'part', 'recolour'] as const) if (patch[name] !== undefined) this.#chosen.add(name);
    if (patch.prompt === undefined) return patch;
    const usual: Partial<EditSettings> = usualFor(this.settings.shown || this.caption, patch.prompt);
    for (const name of this.#chosen) delete usual[name];
    return { ...usual, ...patch };
  }

  /** Two windows on one concept show the same, and either can take back what the other did. */
  #takeOver(draft: string | null): void {
    const settings = read(draft);
    if (!settings || JSON.stringify(settings) === JSON.stringify(this.settings)) return;
    this.#draft.amend(settings, true);
    this.#onChange('step');
  }

  #changed(how: DraftChange): void {
    this.#keep();
    this.#onChange(how);
  }

  #keep(): void {
    if (this.#concept) localStorage.setItem(keyOf(this.#concept), JSON.stringify(this.settings));
  }
}

/** What makes an edit a clip from pure noise. */
const fromNoise = { fidelity: 0, whole: false, guidance: guidanceFor(0) };

/** What an edit of a concept begins with. */
export function startOf(concept: Concept): EditSettings {
  return editSettings.parse({ prompt: learnedPrompt(concept.captions), ...startSettings(hasOwnClip(concept)) });
}

function read(kept: string | null): EditSettings | undefined {
  return editSettings.safeParse(JSON.parse(kept ?? 'null')).data;
}

function keyOf({ id }: Concept): string {
  return `motif.draft.${id}`;
}
