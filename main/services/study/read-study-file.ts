import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { studyFile } from '../../../shared/domain/study.ts';
import { AppError } from '../../../shared/ipc/result.ts';
import type { Material, MaterialClip } from './material.ts';

/** The name of the file that describes a folder of edits. */
export const studyFileName = 'study.json';

/**
 * Reads what `study.json` says of a folder. Throws `invalid-input` for what it says wrongly, and `not-found`
 * with the files that are missing.
 */
export function readStudyFile(folder: string): Material {
  const file = join(folder, studyFileName);
  const refuse = (reason: string, hint?: string) =>
    new AppError('invalid-input', `${file} describes no study: ${reason}`, hint === undefined ? {} : { hint });
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw refuse(`it is no JSON (${(cause as Error).message}).`);
  }
  const parsed = studyFile.safeParse(content);
  if (!parsed.success) throw refuse(z.prettifyError(parsed.error));
  const { scenes, methods: labels, first } = parsed.data;
  const found = [...new Set(scenes.flatMap(({ edits }) => edits.flatMap(({ clips }) => Object.keys(clips))))];
  const unknown = [...Object.keys(labels), ...(first === undefined ? [] : [first])].find(
    (name) => !found.includes(name),
  );
  if (unknown !== undefined) throw refuse(`no edit has a clip of "${unknown}".`, `There are ${found.join(', ')}.`);
  requireOneOfEach(
    scenes.map(({ name }) => name),
    (name) => refuse(`two scenes are called "${name}".`),
  );

  const missing: string[] = [];
  const clipOf = ({ file, measures }: Pick<MaterialClip, 'file' | 'measures'>): MaterialClip => {
    const path = resolve(folder, file);
    if (!existsSync(path)) missing.push(file);
    return { file: path, sheet: null, measures };
  };
  const read = scenes.map((scene) => {
    requireOneOfEach(
      scene.edits.map(({ name }) => name),
      (name) => refuse(`two edits of "${scene.name}" are called "${name}".`),
    );
    return {
      name: scene.name,
      words: scene.words,
      source: clipOf({ file: scene.source, measures: null }),
      edits: scene.edits.map(({ name, words, clips }) => ({
        name,
        words,
        clips: new Map(Object.entries(clips).map(([method, clip]) => [method, clipOf(clip)])),
      })),
    };
  });
  if (missing.length > 0) {
    const named = missing.slice(0, 5).join(', ');
    throw new AppError('not-found', `${missing.length} files of ${file} are not there: ${named}.`, {
      hint: `Files are named from ${folder}.`,
    });
  }
  const ordered = [...new Set([...Object.keys(labels), ...found])];
  return {
    first: first ?? ordered[0]!,
    methods: ordered.map((name) => ({ name, label: labels[name] ?? name })),
    scenes: read,
    notes: [],
  };
}

function requireOneOfEach(names: readonly string[], refuse: (name: string) => Error): void {
  const twice = names.find((name, place) => names.indexOf(name) !== place);
  if (twice !== undefined) throw refuse(twice);
}
