/** Phrases that the embedded model was trained on, by what they change. The first of a list stands for all its wordings. */
export interface PhraseGroup {
  id: 'background' | 'light' | 'weather' | 'style' | 'camera' | 'clothing' | 'object';
  /** Where a phrase goes when the prompt has none of its group: before everything, into the looks, or at the end. */
  place: 'first' | 'looks' | 'last';
  options: readonly (readonly string[])[];
}

export const phraseGroups: readonly PhraseGroup[] = [
  {
    id: 'background',
    place: 'looks',
    options: [
      ['in a park', 'in the park', 'in a green park'],
      ['on a beach', 'at the beach', 'on a sandy beach', 'by the sea'],
      ['on a street', 'in the street', 'on a town street'],
      ['in a room', 'in a living room', 'inside a room', 'indoors in a room'],
      ['in a forest', 'in the woods', 'among the trees of a forest'],
      ['in a desert', 'in the desert', 'among sand dunes in a desert'],
      ['in the mountains', 'in front of mountains', 'with mountains behind'],
      ['on a stage', 'on stage', 'on a theatre stage'],
      ['in a city at night', 'in the city at night', 'in a big city by night'],
      ['in front of a plain wall', 'against a plain wall', 'before a bare wall'],
    ],
  },
  {
    id: 'light',
    place: 'looks',
    options: [
      ['in daylight', 'by day', 'on a bright day', 'in bright daylight'],
      ['at sunset', 'at dusk', 'in the evening sun', 'in golden sunset light'],
      ['at night', 'by night', 'in moonlight', 'in the dark of night'],
      ['in neon light', 'lit by neon', 'under neon lights', 'in pink and blue neon light'],
    ],
  },
  {
    id: 'weather',
    place: 'looks',
    options: [
      ['in fog', 'in the mist', 'on a foggy day', 'in thick fog'],
      ['in the snow', 'in a snowy landscape', 'on snow'],
    ],
  },
  {
    id: 'style',
    place: 'first',
    options: [
      ['a photograph of', 'a photo of', 'a realistic video of'],
      ['a 3D animation of', 'an animated 3D film of'],
      ['a watercolour painting of', 'a watercolour of'],
      ['a pencil drawing of', 'a pencil sketch of'],
      ['pixel art of', 'a pixel art picture of'],
      ['a comic of', 'a comic book drawing of'],
    ],
  },
  {
    id: 'camera',
    place: 'last',
    options: [
      ['the camera is still'],
      ['the camera pans', 'the view pans'],
      ['the camera zooms in', 'the view zooms in'],
      ['the camera zooms out', 'the view zooms out'],
    ],
  },
  {
    id: 'clothing',
    place: 'looks',
    options: [
      ['wearing a red shirt'],
      ['wearing a blue shirt'],
      ['wearing a green shirt'],
      ['wearing a white shirt'],
      ['wearing a black shirt'],
      ['wearing a hat'],
      ['wearing glasses'],
    ],
  },
  {
    id: 'object',
    place: 'looks',
    options: [
      ['holding a ball'],
      ['holding a book'],
      ['holding a phone'],
      ['holding an umbrella'],
      ['holding a flower'],
      ['holding a glass'],
    ],
  },
];

/** Puts a phrase into a prompt: in place of the one of its group that is there, else where such phrases stand. */
export function insertPhrase(prompt: string, group: PhraseGroup, phrase: string): string {
  const present = group.options
    .flat()
    .sort((a, b) => b.length - a.length)
    .find((wording) => wholeWords(wording).test(prompt));
  if (present !== undefined) return prompt.replace(wholeWords(present), phrase);
  if (group.place === 'first') return `${phrase} ${prompt.replace(/^photo, /, '')}`;
  if (group.place === 'last') return `${prompt.replace(/[,.\s]+$/, '')}, ${phrase}`;
  // The looks end where the motion begins.
  const motion = /,?\s+\b(he|she|it|they|is|are)\b[^,]*\[u\d*\]/.exec(prompt);
  if (motion === null) return `${prompt.replace(/[,.\s]+$/, '')}, ${phrase}`;
  return `${prompt.slice(0, motion.index)}, ${phrase}${prompt.slice(motion.index)}`;
}

function wholeWords(phrase: string): RegExp {
  return new RegExp(`(?<![\\w-])${phrase.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?![\\w-])`, 'i');
}
