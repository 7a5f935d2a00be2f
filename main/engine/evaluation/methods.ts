import { type EditSettings, editSettings, reconstructionGuidance, usualDetail } from '../../../shared/domain/edit.ts';
import type { EvaluateConceptRequest, MethodName, UsedSampling } from '../../../shared/domain/evaluation.ts';
import { lookSettings } from '../../../shared/domain/look.ts';
import type { Recipe } from '../../../shared/domain/recipe.ts';
import { startSettings, startStrength } from '../../../shared/domain/strength.ts';
import { usualFor } from '../../../shared/domain/things.ts';
import type { WantedClip } from './measure-method.ts';

/** A way to make clips of a scene; without a recipe it is the base model, which knows the scene by plain words only. */
export interface Method {
  name: Exclude<MethodName, 'truth' | 'autoencoder'>;
  recipe: Recipe | null;
}

/** In the order in which they are measured: what needs no learning comes first. */
export function methodsOf({ recipe, withLora }: EvaluateConceptRequest): Method[] {
  const lora: Recipe = { ...recipe, method: 'lora', rank: 8 };
  const same = recipe.method === 'lora' && recipe.rank === 8;
  return [
    { name: 'base', recipe: null },
    { name: 'words', recipe: null },
    ...(withLora && !same ? [{ name: 'lora' as const, recipe: lora }] : []),
    { name: 'concept', recipe },
  ];
}

/**
 * The settings by which a method makes a clip. Edits begin as the editor's do, by words alone as strongly as a look does; what was learned shows in
 * what comes back from pure noise. A guidance that was asked for holds for all. `shown`: the scene's plain caption.
 */
export function settingsOfClip(
  { name, recipe }: Method,
  { task, prompt, sliders }: WantedClip,
  shown: string,
  sampling: UsedSampling,
  askedGuidance: number | null,
): EditSettings {
  const { steps, seed } = sampling;
  if (name === 'words') {
    const look = lookSettings({ from: shown, to: prompt.plain, strength: startStrength, keepDetail: usualDetail });
    const { lock, recolour } = usualFor(shown, prompt.plain);
    return { ...look, lock, recolour, guidance: askedGuidance ?? look.guidance, steps, seed };
  }
  if (!recipe) return editSettings.parse({ prompt: prompt.plain, ...sampling });
  const begins =
    task === 'edit'
      ? { ...startSettings(true), ...usualFor(shown, prompt.plain) }
      : { guidance: reconstructionGuidance };
  const guidance = askedGuidance ?? begins.guidance;
  return editSettings.parse({ prompt: prompt.learned, ...sampling, ...begins, guidance, sliders });
}
