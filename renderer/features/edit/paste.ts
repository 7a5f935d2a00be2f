import type { Concept } from '../../../shared/domain/concept.ts';
import { type EditSettings, finishingOf } from '../../../shared/domain/edit.ts';
import { startOf } from './edit-draft.svelte.ts';

/** Settings with the concept that they were copied from: directions belong to it alone. */
export interface CopiedSettings {
  conceptId: string;
  /** What the concept was learned on: others may take no first frame. */
  model: string;
  settings: EditSettings;
}

/** Which of the copied settings others take over. */
export interface PasteParts {
  words: boolean;
  gains: boolean;
  sampling: boolean;
}

/** A new edit of a concept with the chosen parts of what was copied. */
export function pasted(
  { conceptId, model, settings }: CopiedSettings,
  concept: Concept,
  parts: PasteParts,
): EditSettings {
  const { prompt, others, sliders, part, fidelity, fidelityStart, firstFrame, ...rest } = settings;
  const { steps, guidance, seed, negativePrompt } = rest;
  const beside = others.filter((other) => other.conceptId !== concept.id);
  const { recolour, ...finishing } = finishingOf(rest);
  const directions = conceptId === concept.id ? sliders.directions : {};
  return {
    ...startOf(concept),
    ...(parts.words && { prompt, others: beside, recolour }),
    ...(parts.gains && {
      sliders: { ...sliders, directions },
      part,
      fidelity,
      fidelityStart,
      firstFrame: model === concept.model ? firstFrame : null,
      ...finishing,
    }),
    ...(parts.sampling && { steps, guidance, seed, negativePrompt }),
  };
}
