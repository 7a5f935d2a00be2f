import type { Concept } from '../../../shared/domain/concept.ts';
import { learnedPrompt, promptTogether, tokensAfter } from '../../../shared/domain/concept.ts';
import { type EditSettings, mostConcepts } from '../../../shared/domain/edit.ts';
import { guidanceFor } from '../../../shared/domain/strength.ts';

type Acting = Pick<Concept, 'id' | 'version' | 'model' | 'captions'>;
type Settings = Pick<EditSettings, 'prompt' | 'others' | 'fidelity'>;

/** Those that can act beside the others: of the same model, and none twice. */
export function canActBeside<C extends Acting>(all: readonly C[], acting: readonly Acting[]): C[] {
  const [own] = acting;
  if (!own || acting.length >= mostConcepts) return [];
  return all.filter(({ id, model }) => model === own.model && !acting.some((other) => other.id === id));
}

/**
 * The change that lets one more concept act: its words come to the prompt, under its own tokens. The first one
 * makes the edit a clip from noise, for the edit's own clip shows nobody else.
 */
export function besideAdded(settings: Settings, acting: readonly Acting[], added: Acting): Partial<EditSettings> {
  const words = tokensAfter(learnedPrompt(added.captions), clipsOf(acting));
  const asLearned = settings.prompt === promptTogether(acting);
  return {
    prompt: asLearned ? promptTogether([...acting, added]) : `${settings.prompt.trimEnd()} and ${words}`,
    others: [
      ...settings.others,
      { conceptId: added.id, conceptVersion: added.version, sliders: { identity: 1, motion: 1, directions: {} } },
    ],
    ...(settings.others.length === 0 && { fidelity: 0, whole: false, guidance: guidanceFor(0) }),
  };
}

/** The change that takes the concept at `place` of `acting` (1 or more) away, with its tokens; those behind it move up. */
export function besideRemoved(settings: Settings, acting: readonly Acting[], place: number): Partial<EditSettings> {
  const left = acting.filter((_, index) => index !== place);
  const before = clipsOf(acting.slice(0, place));
  const own = acting[place]!.captions.length;
  const moved = settings.prompt.replaceAll(/ ?\[([vu])(\d*)\]/g, (whole, kind: string, digits: string) => {
    const number = Number(digits || 1);
    if (number <= before) return whole;
    return number <= before + own ? '' : `${whole.startsWith(' ') ? ' ' : ''}[${kind}${number - own}]`;
  });
  return {
    prompt: settings.prompt === promptTogether(acting) ? promptTogether(left) : moved.trim(),
    others: settings.others.filter((_, index) => index !== place - 1),
  };
}

function clipsOf(acting: readonly Acting[]): number {
  return acting.reduce((count, { captions }) => count + captions.length, 0);
}
