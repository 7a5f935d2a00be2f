import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { loadImage } from '@napi-rs/canvas';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as tf from '../../../main/engine/backends/tf.ts';
import { createEngine } from '../../../main/engine/index.ts';
import {
  evaluateTableRequest,
  evaluateTableResult,
  shownScene,
  type TablePart,
  tablePart,
} from '../../../shared/domain/evaluation-table.ts';
import type { Engine } from '../../../shared/ipc/engine-contract.ts';
import { writeStandIns } from '../../unit/engine/metrics/stand-ins.ts';

const golden = resolve(import.meta.dirname, '../../golden');
let engine: Engine;
let folder: string;
beforeAll(async () => {
  engine = await createEngine({ threads: 2 });
  folder = await mkdtemp(join(tmpdir(), 'motif-table-'));
}, 60_000);
afterAll(async () => {
  await engine.dispose();
  await rm(folder, { recursive: true });
});

/** The micro model, at a size and in a number of steps that a test can wait for. */
const request = (changes: object = {}) =>
  evaluateTableRequest.parse({
    table: 'table2',
    model: join(golden, 'model'),
    judge: join(golden, 'judge'),
    size: { width: 32, height: 32, frameCount: 5 },
    steps: 1,
    fast: true,
    hours: null,
    rows: ['base', 'two-stage', 'dreamvideo'],
    scenes: 1,
    learningSeeds: null,
    noiseSeeds: 1,
    effort: 0.002,
    outputFolder: join(folder, 'tables'),
    ...changes,
  });

test('a table is measured at equal processor time; stopped, it goes on, and another table takes its parts over', {
  timeout: 240_000,
}, async () => {
  const stop = new AbortController();
  const phases: string[] = [];
  const stopped = engine.evaluateTable(request(), {
    signal: stop.signal,
    onEvent(event) {
      if (event.type !== 'progress') return;
      phases.push(event.progress.phase);
      if (/(two-stage|dreamvideo): \w.*noise, sample/.test(event.progress.phase)) stop.abort();
    },
  });
  await expect(stopped).rejects.toMatchObject({ code: 'cancelled' });
  expect(phases).toEqual(expect.arrayContaining([expect.stringMatching(/^timing two-stage: /)]));
  const before = await readdir(join(folder, 'tables/parts'));
  expect(before.filter((name) => /truth|base/.test(name))).toHaveLength(2);

  const again: string[] = [];
  const result = await engine.evaluateTable(request(), {
    onEvent: (event) => event.type === 'progress' && again.push(event.progress.phase),
  });
  expect(again.filter((phase) => phase.startsWith('timing'))).toEqual([]);
  // The default recipe and two rows were timed, the truth and the model itself measured.
  expect(result).toMatchObject({ takenOver: 5, unfinished: 0, first: 'dreamvideo' });
  expect(evaluateTableResult.parse(result)).toEqual(result);
  expect(result.rows.map(({ row, way }) => `${row} ${way}`)).toEqual(
    ['noise', 'editor', 'finished'].flatMap((way) =>
      ['truth', 'base', 'two-stage', 'dreamvideo'].map((row) => `${row} ${way}`),
    ),
  );
  const [truth, , learned] = result.rows;
  expect(truth!.cells.trueError!.interval).toMatchObject({ mean: 0, scenes: 1 });
  expect(truth!.cells.mseToSource!.interval!.mean).toBeGreaterThan(0);
  expect(learned!.clips).toBe(3);
  expect(learned!.cells.processorSeconds!.interval!.mean).toBeGreaterThan(0);
  expect(learned!.cells.memory!.interval!.mean).toBeGreaterThan(1e7);
  // One scene tells nothing apart.
  expect(new Set(result.comparisons.map(({ better }) => better))).toEqual(new Set([null]));
  expect(result.parts.flatMap(({ clips }) => clips.map(({ kind }) => kind))).toContain('shirt + background');
  const strips = result.parts.flatMap(({ clips }) => clips.flatMap(({ strip }) => strip ?? []));
  for (const strip of strips)
    expect((await readFile(join(folder, 'tables', strip))).subarray(8, 12).toString()).toBe('WEBP');

  // Whole clips lie there for whoever compares by eye, with their scene's source and words.
  const sheets = result.parts.flatMap(({ clips }) => clips.flatMap(({ frames }) => frames ?? []));
  expect(sheets).toHaveLength(strips.length);
  const scene = shownScene.parse(
    JSON.parse(await readFile(join(folder, 'tables/scenes', `${result.parts[0]!.scene}.json`), 'utf8')),
  );
  expect(scene.words).not.toContain('[');
  expect(scene.edits.map(({ kind }) => kind)).toContain('shirt + background');
  for (const sheet of [scene.source, ...sheets]) {
    const { width, height } = await loadImage(await readFile(join(folder, 'tables', sheet.file)));
    expect({ ...sheet, file: '', width, height }).toMatchObject({ frameCount: 5, columns: 3, width: 96, height: 64 });
  }

  // Measured before clips were kept whole, they are made again when that is asked for, and measure the same.
  const parts = join(folder, 'tables/parts');
  const file = join(parts, (await readdir(parts)).find((name) => name.includes('-two-stage-'))!);
  const whole = tablePart.parse(JSON.parse(await readFile(file, 'utf8')));
  await writeFile(file, JSON.stringify({ ...whole, clips: whole.clips.map((clip) => ({ ...clip, frames: null })) }));
  expect(await engine.evaluateTable(request({ clips: true }))).toMatchObject({ takenOver: 6, unfinished: 0 });
  const untimed = ({ clips }: TablePart) => clips.map((clip) => ({ ...clip, seconds: null }));
  const remade = tablePart.parse(JSON.parse(await readFile(file, 'utf8')));
  expect(untimed(remade)).toEqual(untimed(whole));
  expect(remade.learned).toEqual(whole.learned);

  const other = await engine.evaluateTable(request({ table: 'table1', rows: ['base', 'two-stage'] }));
  expect(other).toMatchObject({ takenOver: 5, unfinished: 0 });
});

test('a mix is measured against its truth, and no time begins nothing and leaves nothing behind', {
  timeout: 240_000,
}, async () => {
  const mixes = { table: 'dreamvideo', outputFolder: join(folder, 'mixes'), rows: ['base', 'dreamvideo'] };
  const none = await engine.evaluateTable(request({ ...mixes, hours: 1e-9 }));
  expect(none).toMatchObject({ unfinished: 3, rows: [], parts: [] });
  const tensors = tf.memory().numTensors;
  const result = await engine.evaluateTable(request(mixes));
  expect(tf.memory().numTensors).toBe(tensors);
  expect(result.rows.map(({ row }) => row)).toEqual(['truth', 'base', 'dreamvideo']);
  const clip = result.parts.find(({ row }) => row === 'dreamvideo')!.clips[0]!;
  expect(clip).toMatchObject({ kind: 'mix', way: 'noise', likeOther: expect.any(Number) });
});

test('with networks of a user, clips are measured by them too, and apart from those that were not', {
  timeout: 120_000,
}, async () => {
  const metrics = join(folder, 'networks');
  await writeStandIns(metrics);
  const base = { outputFolder: join(folder, 'supplied'), rows: ['base'] };
  const plain = await engine.evaluateTable(request(base));
  expect(plain.rows.some(({ cells }) => cells.clipText!.interval)).toBe(false);
  const result = await engine.evaluateTable(request({ ...base, metrics }));
  // The default recipe's time alone is taken over.
  expect(result).toMatchObject({ takenOver: 1, supplied: [{}, { name: 'a stand-in for CLIP' }, {}, {}, {}] });
  expect(evaluateTableResult.parse(result)).toEqual(result);
  for (const { row, cells } of result.rows) {
    for (const column of ['clipText', 'clipImage', 'dinoImage', 'clipCoherence', 'faceShare'])
      expect(cells[column]!.interval?.mean, `${row} ${column}`).toBeGreaterThanOrEqual(0);
    // By these networks the truth is the only one at no distance.
    if (row === 'base') expect(cells.frechetVideo!.interval!.mean).toBeGreaterThan(0);
  }
  expect(await engine.evaluateTable(request({ ...base, metrics }))).toMatchObject({ takenOver: 3 });
  await expect(engine.evaluateTable(request({ ...base, metrics: folder }))).rejects.toMatchObject({
    code: 'not-found',
    message: expect.stringContaining('describes no network'),
  });
});

test('rows that a table does not have, other settings and another version are refused', {
  timeout: 60_000,
}, async () => {
  await expect(engine.evaluateTable(request({ rows: ['gold'] }))).rejects.toMatchObject({
    code: 'invalid-input',
    message: 'table2 has no row "gold".',
  });
  await expect(engine.evaluateTable(request({ steps: 2 }))).rejects.toMatchObject({ code: 'conflict' });
  await writeFile(join(folder, 'tables/settings.json'), '{"version": 7}');
  await expect(engine.evaluateTable(request())).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringContaining('of version 7'),
  });
});
