import { z } from 'zod';
import { AppError } from '../ipc/result.ts';
import { type EditSettings, editSettings } from './edit.ts';
import { startStrength, strengthSettings } from './strength.ts';
import { promptText } from './text.ts';

/** Stands in a look's words for what is seen in the clip. */
export const seenMark = '{seen}';
/** What is seen where nobody said so. */
export const nothingSaid = 'a photograph';

/**
 * A look: words for what a clip shows and words for what it should show, whose difference is made to any
 * clip. Where they hold `{seen}`, the words for what is seen in the clip take its place.
 */
export const lookInput = z.strictObject({
  name: z.string().trim().min(1, 'A look needs a name.').max(60, 'At most 60 characters.'),
  /** What the clip shows. */
  from: promptText.trim().min(1, 'Say what the clip shows.'),
  /** What it should show. */
  to: promptText.trim().min(1, 'Say what the clip should show.'),
  /** 0 to 1: how far the clip is led away from itself. */
  strength: z.number().min(0).max(1).default(startStrength),
  /** As an edit's: 1 changes all that looks alike in one place in one way. */
  keepDetail: z.number().min(0).max(1).default(1),
  /** As an edit's: how much of the change is made, and how much colour it has. */
  amount: editSettings.shape.amount,
  colour: editSettings.shape.colour,
});
export type LookInput = z.infer<typeof lookInput>;

/** What the looks that come with the program change, in the order in which they are offered. */
export const lookGroup = z.enum(['light', 'weather', 'season', 'film']);
export type LookGroup = z.infer<typeof lookGroup>;

export const look = lookInput.extend({
  id: z.string(),
  /** Looks of one's own have none. */
  group: lookGroup.optional(),
});
export type Look = z.infer<typeof look>;

export const groupOf = ({ group }: Look): LookGroup | 'own' => group ?? 'own';

/** Whether a look's group, name or words hold each of these words. */
export function saysLook(look: Look, words: string): boolean {
  const said = `${groupOf(look)} ${look.name} ${look.to}`.toLowerCase();
  return words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => said.includes(word));
}

/** A look in a file of its own, for another library. */
const lookFile = z.strictObject({ format: z.literal('motif-look'), version: z.literal(1), ...lookInput.shape });

export function writeLookFile({ name, from, to, strength, keepDetail, amount, colour }: LookInput): string {
  const graded = { ...(amount !== 1 && { amount }), ...(colour !== 1 && { colour }) };
  const content = { format: 'motif-look', version: 1, name, from, to, strength, keepDetail, ...graded };
  return `${JSON.stringify(content, null, 2)}\n`;
}

/** Throws `invalid-input` for text that is no look, with the first thing that is wrong with it. */
export function readLookFile(text: string, file: string): LookInput {
  const refuse = (reason: string) =>
    new AppError('invalid-input', `${file} is not a look: ${reason}`, {
      hint: 'A look is a small JSON file with format "motif-look", a name, and the texts "from" and "to". Save one to see an example.',
    });
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw refuse('it is not JSON.');
  }
  const parsed = lookFile.safeParse(content);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw refuse(`${issue!.message}${issue!.path.length > 0 ? ` (at ${issue!.path.join('.')})` : ''}`);
  }
  const { format: _, version: __, ...input } = parsed.data;
  requireEffect(input.from, input.to);
  return input;
}

/** Throws `invalid-input` for words that say the same before and after. */
export function requireEffect(from: string, to: string): void {
  const plain = (words: string) => words.trim().toLowerCase().replaceAll(/\s+/g, ' ');
  if (plain(from) !== plain(to)) return;
  throw new AppError('invalid-input', 'This look changes nothing: both descriptions say the same.', {
    hint: 'Say in the second one what should be different, for example "at sunset" instead of "by day".',
  });
}

/** The settings of an edit that gives a clip a look. */
export function lookSettings(
  {
    from,
    to,
    keepDetail,
    amount,
    colour,
    strength: own,
  }: Pick<Look, 'from' | 'to' | 'strength' | 'keepDetail'> & Partial<Pick<Look, 'amount' | 'colour'>>,
  { seen = '', strength = own }: { seen?: string; strength?: number } = {},
): EditSettings {
  const said = seen.trim() || nothingSaid;
  return editSettings.parse({
    shown: from.replaceAll(seenMark, said),
    prompt: to.replaceAll(seenMark, said),
    keepDetail,
    amount,
    colour,
    ...strengthSettings(strength),
  });
}

/** The change as it was found: all that looks alike in one place in one way. */
export const asChanged = { keepDetail: 1, amount: 1, colour: 1 };

/** A look that is said of a clip by day, before the camera; `film` is how it is developed, behind it. */
const sceneLook =
  (group: LookGroup) =>
  (id: string, phrase: string, strength: number, film?: string): Look => ({
    id,
    group,
    name: nameOf(id, phrase),
    from: `${seenMark} by day, the camera is still`,
    to: [`${seenMark} ${phrase}`, 'the camera is still', ...(film ? [film] : [])].join(', '),
    strength,
    ...asChanged,
  });

/** A way of developing film, which comes last. */
const filmLook = (id: string, phrase: string, strength: number): Look => ({
  id,
  group: 'film',
  name: nameOf(id, phrase),
  from: `${seenMark}, the camera is still`,
  to: `${seenMark}, the camera is still, ${phrase}`,
  strength,
  ...asChanged,
});

/** A hyphen stays where the phrase has it too: "Cross-processed", "Golden hour". */
function nameOf(id: string, phrase: string): string {
  const words = phrase.includes(id) ? id : id.replaceAll('-', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

const [light, weather, season] = [sceneLook('light'), sceneLook('weather'), sceneLook('season')];

/**
 * The looks that come with the program, in their order, each with the words and the strength at which real
 * clips looked best (test/studies): of most lights and weathers the model draws more with several words than
 * with one. They begin with the same step, so that what the model says of the clip itself is computed once
 * for all whose first words are alike. The model's styles are left out: drawn from the shapes of its world,
 * they take photographs to pieces.
 */
export const standardLooks: readonly Look[] = [
  light('sunset', 'at sunset, in golden hour light, in firelight', 0.75),
  light('night', 'late at night, in moonlight', 0.75, 'day for night, low key'),
  weather('snow', 'in the snow by day, in winter', 0.75),
  weather('fog', 'in thick fog, in morning mist', 0.75, 'in washed out colours'),
  light('neon', 'in neon light', 0.7),
  light('golden-hour', 'in golden hour light', 0.7),
  light('dawn', 'at dawn, at daybreak, in the first light of the day', 0.75),
  light('blue-hour', 'in the blue hour', 0.7),
  light('moonlight', 'in moonlight, on a moonlit night, in the blue hour', 0.75),
  light('overcast', 'under an overcast sky', 0.7),
  light('harsh-noon', 'in harsh noon sun', 0.7),
  light('firelight', 'in firelight', 0.7),
  light('candlelight', 'in candlelight', 0.7),
  light('spotlight', 'in a spotlight, under a spotlight, late at night', 0.75, 'low key'),
  light('underwater', 'underwater', 0.7),
  weather('rain', 'in pouring rain, on a rainy day, under grey clouds', 0.8),
  weather('storm', 'in a storm, in a thunderstorm, under a stormy sky', 0.8, 'low key'),
  weather('snowfall', 'in a flurry of snowflakes, in the snow by day, in winter', 0.8),
  weather('mist', 'in the mist', 0.7),
  weather('dust', 'in a dust storm, in clouds of dust, in golden hour light', 0.8),
  season('spring', 'in spring', 0.7),
  season('summer', 'in a dry summer, in the heat of summer, in golden hour light', 0.75),
  season('autumn', 'in autumn', 0.7),
  season('winter', 'in winter', 0.7),
  // The model leaves a tint, which no black-and-white film has.
  { ...filmLook('black-and-white', 'in black and white, monochrome, shot on black and white film', 0.75), colour: 0 },
  // Brown over what is left of the clip's own colours.
  { ...filmLook('sepia', 'in sepia, sepia toned, as grainy old film', 0.75), colour: 0.6 },
  filmLook('faded', 'shot on faded film', 0.7),
  filmLook('bleach-bypass', 'bleach bypass', 0.7),
  filmLook('teal-and-orange', 'in teal and orange', 0.7),
  filmLook('cross-processed', 'cross-processed', 0.7),
  filmLook('high-key', 'high key', 0.7),
  filmLook('low-key', 'low key', 0.7),
  filmLook('infrared', 'in infrared', 0.7),
  filmLook('day-for-night', 'day for night', 0.7),
  filmLook('old-film', 'as grainy old film', 0.7),
];

/** What is shown first of all: in the demo, and where looks are measured. */
export const firstLooks = standardLooks.slice(0, 5);
