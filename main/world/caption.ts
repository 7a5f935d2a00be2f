import {
  backgroundPhrases,
  cameraPhrases,
  clothNouns,
  firstLightPhrases,
  glassesPhrases,
  hatPhrases,
  heldPhrases,
  holdingWords,
  joiningWords,
  narrowWords,
  nouns,
  plurals,
  pronouns,
  quickWords,
  shirtNouns,
  slowWords,
  uncounted,
  verbs,
  wideWords,
} from './grammar.ts';
import { film as filmLooks, light as lightLooks, season as seasonPhrases, style as stylePhrases } from './looks.ts';
import { createRandom } from './random.ts';
import { type Scene, type Subject, tempoRange } from './scene.ts';
import { coatNames, colourNames, isElement, isPerson, patternKinds } from './vocabulary.ts';

/** What is to be seen, and what happens: the two parts that Set-and-Sequence learns separately. */
export interface Caption {
  static: string;
  dynamic: string;
}

export interface CaptionOptions {
  /** Which of the wordings: 0 names everything, the others leave a detail out now and then. */
  variant?: number;
  /** Put before the first subject's noun, such as `[v]`. */
  identityToken?: string;
  /** Names the first subject's way of moving ("in [u] motion"). */
  motionToken?: string;
}

/** The judge's labels, by canonical name; what a scene does not have is `none`, a colour that its film or ink hides `unseen`. */
export interface Attributes {
  subject: string;
  shirtColour: string;
  pattern: string;
  hat: string;
  glasses: string;
  heldObject: string;
  /** The main colour of what is not a person. */
  colour: string;
  background: string;
  light: string;
  style: string;
  season: string;
  film: string;
  motion: string;
  camera: string;
  secondSubject: string;
  secondMotion: string;
}

export function attributes(scene: Scene): Attributes {
  const [first, second] = scene.subjects as [Subject, Subject?];
  const person = isPerson(first.kind);
  const seen = showsColours(scene);
  return {
    subject: first.kind,
    shirtColour: !person ? 'none' : seen ? first.clothes.shirt : 'unseen',
    pattern: person ? first.clothes.pattern : 'none',
    hat: person ? first.clothes.hat : 'none',
    glasses: person && first.clothes.glasses ? 'glasses' : 'none',
    heldObject: first.held,
    colour: seen ? (colourOf(first) ?? 'none') : 'unseen',
    background: scene.background.kind,
    light: scene.light.kind,
    style: scene.style.kind,
    season: scene.season,
    film: scene.film,
    motion: first.motion.kind,
    camera: scene.camera.kind,
    secondSubject: second?.kind ?? 'none',
    secondMotion: second?.motion.kind ?? 'none',
  };
}

/** Whether colours can be told apart in the picture. */
export function showsColours({ film, style }: Scene): boolean {
  return style.kind !== 'ink' && !['black and white', 'sepia', 'infrared', 'day for night'].includes(film);
}

/** The colour that a caption may name for what wears no shirt. */
function colourOf(subject: Subject): string | null {
  switch (subject.kind) {
    case 'dog':
    case 'cat':
    case 'bird':
    case 'fish':
      return subject.coat;
    case 'robot':
    case 'car':
    case 'boat':
    case 'balloon':
    case 'flag':
    case 'flower':
      return subject.clothes.shirt;
    default:
      return null;
  }
}

/** Choices by slot: the same slot and variant choose alike in every scene of a seed, so that an edit changes few words. */
type Choose = <T>(slot: string, list: readonly T[]) => T;

/** Describes a scene in words. */
export function caption(scene: Scene, options: CaptionOptions = {}): Caption {
  const variant = options.variant ?? 0;
  const roll = (slot: string) => createRandom(scene.seed, `caption-${variant}-${slot}`).next();
  const choose: Choose = (slot, list) => list[Math.floor(roll(slot) * list.length)]!;
  /** Whether to mention a detail; the first wording mentions all. */
  const mention = (slot: string, share: number) => variant === 0 || roll(`mention ${slot}`) < share;
  return {
    static: staticPart(scene, options, choose, mention),
    dynamic: dynamicPart(scene, options, choose, mention),
  };
}

type Mention = (slot: string, share: number) => boolean;

function article(phrase: string): string {
  return `${/^[aeiou]/.test(phrase) ? 'an' : 'a'} ${phrase}`;
}

function staticPart(scene: Scene, options: CaptionOptions, choose: Choose, mention: Mention): string {
  const who = scene.subjects
    .map((subject, i) => subjectPhrase(subject, i, i === 0 ? options.identityToken : undefined, choose, mention))
    .join(' and ');
  const where = mention('background', 0.9) ? choose('background', backgroundPhrases[scene.background.kind]) : '';
  // Daylight and photographs go without saying: over all wordings of the second edition they stay unnamed a third of the time.
  const share = (plain: boolean) => (plain && scene.edition > 1 ? 0.5 : 0.85);
  const light = mention('light', share(scene.light.kind === 'day')) ? lightPhrase(scene, choose) : '';
  const season =
    scene.season !== 'none' && mention('season', 0.85) ? choose('season', seasonPhrases[scene.season]) : '';
  const photo = scene.style.kind === 'photo';
  const style = mention('style', share(photo)) ? stylePhrases[scene.style.kind] : null;
  const film = scene.film !== 'none' && mention('film', 0.9) ? filmLooks[scene.film] : null;
  const join = (parts: string[], by: string) => parts.filter(Boolean).join(by);
  const setting = join([where, season, light], ' ');
  const filmed = film ? choose('film', film.after) : '';
  const after = join([style ? choose('style after', style.after) : '', filmed], ', ');
  // "a sepia photo of ...", but "a watercolour of ..., in sepia".
  const opening = photo && film ? film.before : style?.before;
  const before = opening ? `${choose('style before', opening)} ` : '';
  const closing = photo ? '' : filmed;
  switch (choose('order', [0, 0, 1, 2, 3, 4])) {
    case 0:
      return join([who, setting, after], ', ');
    case 1:
      return `${before}${join([join([who, setting], ' '), closing], ', ')}`;
    case 2:
      return join([after, who, join([where, season], ' '), light], ', ');
    case 3:
      return join([setting, who, after], ', ');
    default:
      return `${before}${join([who, light, join([where, season], ' '), closing], ', ')}`;
  }
}

function lightPhrase({ edition, light, background }: Scene, choose: Choose): string {
  // "in a city at night, at night" would say it twice.
  if (background.kind === 'city at night' && light.kind === 'night') return '';
  return choose('light', (edition === 1 && firstLightPhrases[light.kind]) || lightLooks[light.kind].phrases);
}

function subjectPhrase(
  subject: Subject,
  index: number,
  token: string | undefined,
  choose: Choose,
  mention: Mention,
): string {
  const slot = (name: string) => `${index} ${name}`;
  const noun = choose(slot('noun'), nouns[subject.kind]);
  const colour = mention(slot('colour'), 0.85) ? colourOf(subject) : null;
  const named = [token, colour, noun].filter(Boolean).join(' ');
  const held =
    subject.held !== 'none' && mention(slot('held'), 0.9)
      ? `${choose(slot('holding'), holdingWords)} ${choose(slot('held'), heldPhrases[subject.held])}`
      : '';
  if (!isPerson(subject.kind)) {
    const bare = uncounted.includes(subject.kind) ? named : article(named);
    return held ? `${bare} ${held}` : bare;
  }
  const { clothes } = subject;
  const worn: string[] = [];
  if (mention(slot('shirt'), 0.95)) {
    const pattern = clothes.pattern === 'plain' ? '' : `${clothes.pattern} `;
    worn.push(article(`${clothes.shirt} ${pattern}${choose(slot('shirt'), shirtNouns)}`));
  }
  // Trousers are named seldom even in the full wording: they are a detail.
  if (choose(slot('trousers'), [true, false, false])) {
    const cloth = `${clothes.trousers} ${choose(slot('cut'), clothNouns[clothes.cut])}`;
    worn.push(clothes.cut === 'skirt' ? article(cloth) : cloth);
  }
  if (clothes.hat !== 'none' && mention(slot('hat'), 0.85)) worn.push(choose(slot('hat'), hatPhrases[clothes.hat]));
  if (clothes.glasses && mention(slot('glasses'), 0.8)) worn.push(choose(slot('glasses'), glassesPhrases));
  const list = worn.length > 1 ? `${worn.slice(0, -1).join(', ')} and ${worn.at(-1)}` : (worn[0] ?? '');
  const dressed = list ? ` ${choose(slot('wearing'), ['in', 'wearing', 'in', 'dressed in'])} ${list}` : '';
  return `${article(named)}${dressed}${held ? (dressed ? `, ${held}` : ` ${held}`) : ''}`;
}

function dynamicPart(scene: Scene, options: CaptionOptions, choose: Choose, mention: Mention): string {
  const [first, second] = scene.subjects as [Subject, Subject?];
  const moving = clause(first, 0, choose, mention, options.motionToken, Boolean(second));
  const other = second
    ? ` ${choose('meanwhile', ['while', 'as', 'and'])} ${clause(second, 1, choose, mention, undefined, true)}`
    : '';
  const still = scene.camera.kind === 'still';
  const camera = (still ? choose('still', [true, false]) : mention('camera', 0.92))
    ? choose('camera', cameraPhrases[scene.camera.kind])
    : '';
  const action = `${moving}${other}`;
  if (!camera) return action;
  switch (choose('camera order', [0, 0, 1, 2])) {
    case 0:
      return still ? `${action}, ${camera}` : `${action}, as ${camera}`;
    case 1:
      return `${camera} while ${action}`;
    default:
      return `${action}, ${camera}`;
  }
}

/** "she is dancing slowly"; with two subjects the noun instead of the pronoun. */
function clause(
  subject: Subject,
  index: number,
  choose: Choose,
  mention: Mention,
  token: string | undefined,
  named: boolean,
): string {
  const slot = (name: string) => `${index} ${name}`;
  const { kind, motion } = subject;
  const who = named || choose(slot('who'), [true, false, false, false]) ? `the ${nouns[kind][0]}` : pronouns[kind];
  const plural = plurals.includes(kind);
  const verb = choose(slot('verb'), verbs[motion.kind]);
  const manner = token ? `in ${token} motion` : mention(slot('manner'), 0.7) ? mannerWord(subject, slot, choose) : '';
  const said = choose(slot('tense'), [0, 0, 1])
    ? `${who} ${plural ? verb[2] : verb[1]}`
    : `${who} ${plural ? 'are' : 'is'} ${verb[0]}`;
  return manner ? `${said} ${manner}` : said;
}

function mannerWord(subject: Subject, slot: (name: string) => string, choose: Choose): string {
  const { motion, kind } = subject;
  const [slowest, fastest] = tempoRange(motion.kind);
  const pace = (motion.tempo - slowest) / (fastest - slowest);
  if (pace < 0.28) return choose(slot('slow'), slowWords);
  if (pace > 0.72) return choose(slot('quick'), quickWords);
  if (isElement(kind)) return '';
  if (motion.amplitude > 1.18) return choose(slot('wide'), wideWords);
  if (motion.amplitude < 0.8) return choose(slot('narrow'), narrowWords);
  return '';
}

/** Every word that a caption can contain, in lower case and sorted: the tokenizer is trained on them. */
export function captionWords(): string[] {
  const phrases: string[] = [
    ...[nouns, backgroundPhrases, firstLightPhrases, seasonPhrases, heldPhrases, hatPhrases, cameraPhrases].flatMap(
      (table) => Object.values(table).flat(),
    ),
    ...Object.values(lightLooks).flatMap(({ phrases }) => phrases),
    ...[stylePhrases, filmLooks].flatMap(Object.values).flatMap(({ after, before }) => [...after, ...before]),
    ...Object.values(verbs).flat(2),
    ...Object.values(pronouns),
    ...Object.values(clothNouns).flat(),
    ...[holdingWords, shirtNouns, glassesPhrases, slowWords, quickWords, wideWords, narrowWords, joiningWords].flat(),
    ...[colourNames, coatNames, patternKinds].flat(),
  ];
  return [...new Set(phrases.flatMap(wordsOf))].sort();
}

/** The words of a text, without punctuation. */
export function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/\[[a-z]\]|[a-z0-9][a-z0-9-]*/g) ?? [];
}
