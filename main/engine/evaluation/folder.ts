import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { AppError } from '../../../shared/ipc/result.ts';
import { writeWhole } from '../../files/place.ts';

const version = 1;
const settingsFile = z.looseObject({ version: z.number() });

/**
 * Opens the folder of an evaluation, making it if need be. Throws `conflict` when it holds parts that were
 * measured with other settings, or by a version of the program that measured otherwise: their means would be
 * of nothing.
 */
export async function openEvaluationFolder(folder: string, settings: Record<string, unknown>): Promise<void> {
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'settings.json');
  const wanted = { version, ...settings };
  const found = await readKept(file, settingsFile);
  if (!found) return writePart(file, wanted);
  if (found.version !== version)
    throw new AppError(
      'conflict',
      `${folder} holds an evaluation of version ${found.version}, and this program measures by version ${version}.`,
      { hint: 'Choose another folder with --output, or delete this one.' },
    );
  if (canonical(found) === canonical(wanted)) return;
  const changed = Object.keys({ ...found, ...wanted }).filter(
    (name) => canonical(found[name]) !== canonical((wanted as Record<string, unknown>)[name]),
  );
  throw new AppError('conflict', `${folder} holds an evaluation with other settings: ${changed.join(', ')} differ.`, {
    hint: 'Choose another folder with --output, or delete this one.',
  });
}

/** A part that an earlier run finished; undefined when it is not there or not whole. */
export async function readKept<T>(file: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return undefined; // of an older version or damaged: measured again
  }
}

/** A part that an earlier run finished, or made now and written. */
export async function keptOr<T>(
  file: string,
  schema: z.ZodType<T>,
  make: () => Promise<T>,
): Promise<{ value: T; isKept: boolean }> {
  const kept = await readKept(file, schema);
  if (kept !== undefined) return { value: kept, isKept: true };
  const value = await make();
  await writePart(file, value);
  return { value, isKept: false };
}

export function writePart(file: string, value: unknown): Promise<void> {
  return writeWhole(file, `${JSON.stringify(value, null, 1)}\n`);
}

/** A short name that only the same content has, in whatever order its keys are. */
export function nameOfContent(value: unknown): string {
  return createHash('sha256').update(canonical(value)).digest('hex').slice(0, 16);
}

/** The same text for the same content, in whatever order the keys are. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner) =>
    inner && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
