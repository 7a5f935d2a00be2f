import type { ConceptCaption } from '../../../shared/domain/concept.ts';
import { type EditSettingsInput, reconstructionGuidance } from '../../../shared/domain/edit.ts';
import { startSettings } from '../../../shared/domain/strength.ts';
import { usualFor } from '../../../shared/domain/things.ts';

/** One video of the demo besides the source. */
export interface PlannedVideo {
  /** Its file in the demo's folder, without `.mp4`. */
  name: string;
  label: string;
  settings: EditSettingsInput;
}

export interface DemoEdit {
  name: string;
  label: string;
  prompt: string;
}

/** Five positions of a slider: off, half, as learned, and beyond. */
const gains = [0, 0.5, 1, 1.25, 1.5];

/** The prompt that a concept was learned with: both parts of its caption, joined as in the model's own training. */
export function promptOf(caption: ConceptCaption): string {
  return [caption.static, caption.dynamic].filter(Boolean).join(' ');
}

/** Reconstruction, edits and both sliders, in the order of the contact sheet. */
export function planVideos(
  caption: ConceptCaption,
  edits: DemoEdit[],
  sampling: { steps?: number; seed: number },
): PlannedVideo[] {
  const prompt = promptOf(caption);
  const asLearned = { prompt, guidance: reconstructionGuidance, ...sampling };
  const slider = (which: 'identity' | 'motion'): PlannedVideo[] =>
    gains.map((gain) => ({
      name: `${which}-${gain.toFixed(2)}`,
      label: `${which} ${gain.toFixed(2)}`,
      settings: { ...asLearned, sliders: { [which]: gain } },
    }));
  return [
    { name: 'reconstruction', label: 'reconstruction', settings: asLearned },
    ...edits.map(({ name, label, prompt: wanted }) => ({
      name,
      label,
      settings: { prompt: wanted, ...usualFor(prompt, wanted), ...startSettings(true), ...sampling },
    })),
    ...slider('identity'),
    ...slider('motion'),
  ];
}

/** What is changed in a clip of which nothing is known but its caption: the light and the medium, which any picture has. */
export function generalEdits(caption: ConceptCaption): DemoEdit[] {
  const change = (words: string) => promptOf({ ...caption, static: `${caption.static}, ${words}` });
  return [
    { name: 'edit-night', label: 'edit: at night', prompt: change('at night') },
    { name: 'edit-watercolour', label: 'edit: watercolour', prompt: change('as a watercolour painting') },
  ];
}
