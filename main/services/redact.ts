import { basename, dirname, extname } from 'node:path';
import { readSettings } from '../library/settings.ts';
import { listTrash } from '../library/trash.ts';
import type { ServiceParts } from './parts.ts';

const gap = '…';
/** Shorter names are words that any text has. */
const shortestSecret = 3;

/**
 * Takes out what is nobody else's business: every name, word and path that the library knows, whatever
 * stands in quotes (messages put names there), and everything from the beginning of a path on to the end of
 * its line, since where a path with spaces ends nobody can tell. Paths of the program itself stay, for its
 * stack traces.
 */
export class Redactor {
  readonly #secrets: string[];
  readonly #programFolder: string;

  constructor(secrets: readonly string[], programFolder: string) {
    const written = secrets.flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)]);
    const long = [...new Set(written)].filter((secret) => secret.length >= shortestSecret);
    this.#secrets = long.sort((one, other) => other.length - one.length);
    this.#programFolder = programFolder;
  }

  text(text: string): string {
    return unquoted(this.#unnamed(text));
  }

  /** Every text in it. */
  value(value: unknown): unknown {
    return JSON.parse(
      JSON.stringify(
        value ?? null,
        this.#replacer((text) => this.text(text)),
      ),
    );
  }

  /**
   * Line by line, as LogFile writes them: a message, in which line breaks are written out, and perhaps
   * details as JSON.
   */
  log(text: string): string {
    const message = (words: string) => words.split('\\n').map(unquoted).join('\\n');
    const line = (whole: string) => {
      const [, words = '', details = ''] = /^(.*?) (\{.*\})$/.exec(whole) ?? [];
      try {
        return `${message(words)} ${JSON.stringify(JSON.parse(details), this.#replacer(unquoted))}`;
      } catch {
        return message(whole); // no details, or a brace in the message
      }
    };
    return this.#unnamed(text).split('\n').map(line).join('\n');
  }

  #unnamed(text: string): string {
    const own = text.replaceAll(`file://${this.#programFolder}`, '<motif>').replaceAll(this.#programFolder, '<motif>');
    return this.#secrets.reduce((rest, secret) => rest.replaceAll(secret, gap), own);
  }

  #replacer(clean: (text: string) => string): (key: string, value: unknown) => unknown {
    return (_key, value) => (typeof value === 'string' ? clean(value) : value instanceof Set ? [...value] : value);
  }
}

function unquoted(text: string): string {
  return text
    .replaceAll(/(["'“`]).*?(["'”`])/g, (_quoted, open: string, close: string) => `${open}${gap}${close}`)
    .replaceAll(/(?<![\w<>.)])(?:file:\/\/|[A-Za-z]:[\\/]|\\\\|\/(?=[^\s/]))[^\n]*/g, gap);
}

/** Everything in the library that a person wrote or named, and the names of files that it came from. */
export function secretsOf({ clips, concepts, edits, looks, queue, library }: SecretParts): string[] {
  const ofPath = (path: string) => [path, basename(path), basename(path, extname(path)), dirname(path)];
  const { folder } = library.status();
  const { exportFolder, modelDirectories, exportPresets } = readSettings(library);
  return [
    ...clips
      .list()
      .flatMap(({ id, name, source, tags, notes, seen }) => [
        ...[id, name, seen, ...tags, notes],
        ...(source.path === null ? [source.name] : ofPath(source.path)),
      ]),
    ...concepts
      .list()
      .flatMap(({ id, name, tags, notes, captions, directionNames }) => [
        ...[id, name, notes, ...tags, ...Object.values(directionNames)],
        ...captions.flatMap((caption) => [caption.static, caption.dynamic]),
      ]),
    ...edits
      .list()
      .flatMap(({ id, name, tags, notes, settings: made }) => [id, name, notes, ...tags, made.prompt, made.shown]),
    ...looks.list().flatMap(({ look, isOwn }) => (isOwn ? [look.name, look.from, look.to] : [])),
    ...listTrash(library).flatMap(({ title, items }) => [title, ...items.map(({ id }) => id)]),
    ...queue.list().flatMap(({ title, input, output }) => [title, ...textsIn(input), ...textsIn(output)]),
    ...[folder, ...modelDirectories, ...(exportFolder === null ? [] : [exportFolder])].flatMap(ofPath),
    ...exportPresets.map(({ name }) => name),
  ].filter((secret) => !ordinary.has(secret));
}

type SecretParts = Pick<ServiceParts, 'clips' | 'concepts' | 'edits' | 'looks' | 'queue' | 'library'>;

/** What a job's request says without anybody having named it. */
const ordinary = new Set(['edit', 'clip', 'lora', 'crop', 'pad', 'import', 'export', 'motif', 'reuse', 'keep-both']);

/** Only texts under keys that hold names, words and paths: a recipe's choices are no secret. */
function textsIn(value: unknown): string[] {
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    if (typeof inner !== 'string') return textsIn(inner);
    if (!/path|file|name|static|dynamic|prompt|output|repository|id$/i.test(key)) return [];
    return /path|file|output/i.test(key) ? [inner, basename(inner), basename(inner, extname(inner))] : [inner];
  });
}
