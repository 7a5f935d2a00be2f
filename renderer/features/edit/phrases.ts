/** Phrases that the embedded model was trained on, by what they change. The first of a list stands for all its wordings. */
export interface PhraseGroup {
  id: 'background' | 'light' | 'weather' | 'season' | 'style' | 'film' | 'camera' | 'clothing' | 'object';
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
      ['at sunset', 'at dusk', 'in the evening sun', 'as the sun sets', 'in golden sunset light'],
      ['at night', 'by night', 'in the dark of night'],
      ['in neon light', 'lit by neon', 'under neon lights', 'in pink and blue neon light'],
      ['in golden hour light', 'at golden hour', 'in warm low sunlight', 'in the last light of the day'],
      ['at dawn', 'at daybreak', 'at sunrise', 'in the first light of the day'],
      ['in the blue hour', 'at blue hour', 'in deep blue twilight'],
      ['in moonlight', 'by the light of the moon', 'under a full moon', 'on a moonlit night'],
      ['under an overcast sky', 'on an overcast day', 'under grey clouds'],
      ['in harsh noon sun', 'in the glare of midday', 'under the hard midday sun'],
      ['in firelight', 'lit by a fire', 'by the light of a fire'],
      ['in candlelight', 'by candlelight', 'lit by candles'],
      ['in a spotlight', 'lit by a single spotlight', 'under a spotlight'],
      ['underwater', 'under water', 'below the surface of the sea'],
    ],
  },
  {
    id: 'weather',
    place: 'looks',
    options: [
      ['in fog', 'on a foggy day', 'in thick fog'],
      ['in the snow', 'in a snowy landscape', 'on snow'],
      ['in the rain', 'on a rainy day', 'in pouring rain'],
      ['in a storm', 'in a thunderstorm', 'under a stormy sky'],
      ['in falling snow', 'as snow is falling', 'in a snowfall'],
      ['in the mist', 'in morning mist', 'in a thin mist'],
      ['in a dust storm', 'in clouds of dust', 'in dusty air'],
    ],
  },
  {
    id: 'season',
    place: 'looks',
    options: [
      ['in spring', 'in the spring', 'on a spring day'],
      ['in a dry summer', 'in summer', 'in the heat of summer'],
      ['in autumn', 'in the fall', 'on an autumn day'],
      ['in winter', 'under snow', 'deep in snow'],
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
    id: 'film',
    place: 'looks',
    options: [
      ['in black and white', 'shot on black and white film', 'monochrome'],
      ['in sepia', 'sepia toned', 'in sepia tones'],
      ['shot on faded film', 'with faded colours', 'in washed out colours'],
      ['bleach bypass', 'with a bleach bypass look'],
      ['in teal and orange', 'graded in teal and orange'],
      ['cross-processed', 'with cross-processed colours'],
      ['high key', 'in high key'],
      ['low key', 'in low key'],
      ['in infrared', 'shot on infrared film'],
      ['day for night', 'shot day for night'],
      ['as grainy old film', 'on scratched old film'],
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
