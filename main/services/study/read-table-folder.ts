import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { z } from 'zod';
import {
  evaluateTableResult,
  shownScene,
  type TableClip,
  type TablePart,
  tableName,
  tablePart,
  type Way,
} from '../../../shared/domain/evaluation-table.ts';
import { AppError } from '../../../shared/ipc/result.ts';
import type { Material, MaterialClip, MaterialScene } from './material.ts';

/** The rows of Set-and-Sequence's table 3, ours first. */
const papersRows = ['set-and-sequence', 'dreammix', 'lora-1', 'lora-8', 'two-stage'];
/** What a table measures that is no method. */
const truthRow = 'truth';

export const isTableFolder = (folder: string) => existsSync(join(folder, 'parts'));

/**
 * Reads what `evaluate table2` (or another table) has measured so far and kept whole. Throws `not-found` where
 * no clips were kept.
 */
export function readTableFolder(folder: string, way: Way, wanted: readonly string[] | null): Material {
  const parts = partsOf(folder);
  const rows = [...new Set(parts.map(({ row }) => row))].filter((row) => row !== truthRow);
  const papers = papersRows.filter((row) => rows.includes(row));
  const chosen = wanted ?? (papers.length > 1 ? papers : rows.toSorted());
  const scenes = new Map<string, MaterialScene>();
  let without = 0;
  for (const { scene: name, row, clips } of parts) {
    if (!chosen.includes(row)) continue;
    const own = clips.filter((clip) => clip.way === way);
    without += Number(own.length > 0 && own.every(({ frames }) => frames === null));
    for (const clip of own) {
      const scene = clip.frames && (scenes.get(name) ?? readScene(folder, name));
      if (!scene) continue;
      scenes.set(name, scene);
      scene.edits.find((edit) => edit.name === nameOf(clip))?.clips.set(row, clipOf(folder, clip));
    }
  }
  if (scenes.size === 0)
    throw new AppError(
      'not-found',
      `${folder} holds no whole clips of ${chosen.join(', ')} made in the way "${way}".`,
      {
        hint: 'Run the table again with --clips, which makes those that an earlier version did not keep, or choose another way.',
      },
    );
  const labels = labelsOf(folder);
  const notes = [`Clips of ${folder}, made in the way "${way}".`];
  if (without > 0)
    notes.push(
      `${without} parts were measured before tables kept whole clips, and are not compared: run the table again with --clips.`,
    );
  return {
    first: chosen.includes(papersRows[0]!) ? papersRows[0]! : chosen[0]!,
    methods: chosen.map((name) => ({ name, label: labels.get(name) ?? name })),
    scenes: [...scenes.values()],
    notes,
  };
}

const nameOf = ({ kind, to }: Pick<TableClip, 'kind' | 'to'>) => `${kind}: ${to}`;

/** The newest part of each row and scene with its first learning seed: tables that share a folder may have several. */
function partsOf(folder: string): TablePart[] {
  const newest = new Map<string, { at: number; part: TablePart }>();
  for (const name of readdirSync(join(folder, 'parts')).filter((name) => name.endsWith('.json'))) {
    const file = join(folder, 'parts', name);
    const part = readJson(file, tablePart);
    if (!part || part.learningSeed > 1) continue;
    const at = statSync(file).mtimeMs;
    const key = `${part.scene} ${part.row}`;
    if ((newest.get(key)?.at ?? 0) <= at) newest.set(key, { at, part });
  }
  return [...newest.values()].map(({ part }) => part);
}

function readScene(folder: string, name: string): MaterialScene | null {
  const shown = readJson(join(folder, 'scenes', `${name}.json`), shownScene);
  if (!shown) return null;
  const file = join(folder, shown.source.file);
  return {
    name,
    words: shown.words,
    source: { file, sheet: { ...shown.source, file }, measures: null },
    edits: shown.edits.map((edit) => ({ name: nameOf(edit), words: edit.words, clips: new Map() })),
  };
}

/** Its measures are those that the design of the study names for each question. */
function clipOf(folder: string, clip: TableClip): MaterialClip {
  const file = join(folder, clip.frames!.file);
  const { subjectIdentity: identity, motionAgreement: motion, textAgreement: words, mse } = clip;
  return { file, sheet: { ...clip.frames!, file }, measures: { identity, motion, words, overall: -mse } };
}

/** What rows are called where a table's report was written. */
function labelsOf(folder: string): Map<string, string> {
  const planned = evaluateTableResult.pick({ planned: true });
  const labels = tableName.options.flatMap((table) => {
    const file = join(folder, table, 'table.json');
    const result = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { result?: unknown }).result : null;
    return (planned.safeParse(result).data?.planned ?? []).map(({ row, label }) => [row, label] as const);
  });
  return new Map(labels);
}

/** Undefined for what is not there, damaged, or of another version. */
function readJson<T>(file: string, schema: z.ZodType<T>): T | undefined {
  try {
    return schema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
}
