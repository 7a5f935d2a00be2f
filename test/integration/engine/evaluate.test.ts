import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import * as tf from '../../../main/engine/backends/tf.ts';
import { createEngine } from '../../../main/engine/index.ts';
import type { EngineEvent } from '../../../shared/domain/engine.ts';
import {
  evaluateConceptRequest,
  evaluateModelRequest,
  type MethodMeasures,
  methodMeasures,
  sceneMeasures,
} from '../../../shared/domain/evaluation.ts';
import { evaluateFinishRequest } from '../../../shared/domain/evaluation-finish.ts';
import { recipe } from '../../../shared/domain/recipe.ts';
import type { Engine } from '../../../shared/ipc/engine-contract.ts';

const golden = resolve(import.meta.dirname, '../../golden');
const size = { width: 32, height: 32, frameCount: 5 };
let engine: Engine;
let folder: string;
beforeAll(async () => {
  engine = await createEngine({ threads: 2 });
  folder = await mkdtemp(join(tmpdir(), 'motif-evaluation-'));
});
afterAll(async () => {
  await engine.dispose();
  await rm(folder, { recursive: true });
});

const common = (name: string) => ({
  model: join(golden, 'model'),
  judge: join(golden, 'judge'),
  size,
  sampling: { steps: 2, guidance: 2, seed: 1 },
  outputFolder: join(folder, name),
});

const modelRequest = (changes: object = {}) =>
  evaluateModelRequest.parse({
    ...common('model'),
    seeds: [0, 10, 20],
    worldClips: 2,
    prompts: 2,
    lookPrompts: 0,
    realClips: [],
    ...changes,
  });

/** How learning goes is tested elsewhere. */
const quick = { rank: 2, stepsIdentity: 1, stepsMotion: 0, batchSize: 2, regularisers: { priorPreservation: false } };
const conceptRequest = (changes: object = {}) =>
  evaluateConceptRequest.parse({
    ...common('concept'),
    sampling: { steps: 1, guidance: 1, seed: 1 },
    seeds: [10],
    recipe: recipe.parse(quick),
    gains: [0, 1],
    withLora: true,
    ...changes,
  });

test('a model is measured, and again without computing anything twice', async () => {
  const first = await engine.evaluateModel(modelRequest());
  expect(first.takenOver).toBe(0);
  expect(first.autoencoder).toHaveLength(1);
  expect(first.autoencoder[0]!.psnr.count).toBe(2);
  expect(first.textToVideo).toMatchObject({ prompts: 2, frechet: expect.any(Number) });
  expect(first.textToVideo!.attributes.map(({ name }) => name)).toContain('light');
  const again = await engine.evaluateModel(modelRequest({ worldClips: 3 }));
  expect(again.takenOver).toBe(4);
  expect(again.autoencoder[0]!.clips.slice(0, 2)).toEqual(first.autoencoder[0]!.clips);
  expect(again.textToVideo).toEqual(first.textToVideo);
  expect(again.looks).toEqual(first.looks);
});

test('every look is asked for on scenes that are plain but for it, and told by itself', async () => {
  const only = { prompts: 0, worldClips: 0, outputFolder: join(folder, 'looks') };
  const { looks, sheet, textToVideo } = await engine.evaluateModel(modelRequest({ ...only, lookPrompts: 2 }));
  expect(textToVideo).toBeNull();
  // This judge has words for two lights alone; the others are not made.
  expect(looks).toMatchObject([
    { attribute: 'light', value: 'day', prompts: 2 },
    { attribute: 'light', value: 'night', prompts: 2 },
  ]);
  expect(sheet.map(({ label }) => label)).toEqual(['light: day', 'light: night']);
});

test('an evaluation leaves no tensor behind', async () => {
  await engine.evaluateModel(modelRequest({ outputFolder: join(folder, 'leak-1') }));
  const before = tf.memory().numTensors;
  await engine.evaluateModel(modelRequest({ outputFolder: join(folder, 'leak-2') }));
  expect(tf.memory().numTensors).toBe(before);
});

test('real clips are measured by the size they have', async () => {
  const shown = await engine.evaluateModel(modelRequest());
  const source = shown.sheet.find(({ note }) => note === 'original')!.frames;
  const { autoencoder } = await engine.evaluateModel(
    modelRequest({ prompts: 0, realClips: [{ name: 'mine', frames: source }] }),
  );
  const [world, real] = autoencoder;
  expect(real).toMatchObject({ set: 'real', clips: [{ name: 'mine' }] });
  expect(real!.clips[0]!.mse).toBeCloseTo(world!.clips[0]!.mse, 8);
});

test('a concept is measured beside base model, words alone, LoRA and truth; stopped, it goes on', {
  timeout: 120_000,
}, async () => {
  const stop = new AbortController();
  const events: EngineEvent[] = [];
  const stopped = engine.evaluateConcept(conceptRequest(), {
    signal: stop.signal,
    onEvent(event) {
      events.push(event);
      if (event.type === 'progress' && event.progress.phase.includes('concept: learning')) stop.abort();
    },
  });
  await expect(stopped).rejects.toMatchObject({ code: 'cancelled' });
  const parts = join(folder, 'concept/seed-000010');
  expect(await readdir(parts)).toEqual(expect.arrayContaining(['base.json', 'words.json', 'lora.json']));
  const before = await stat(join(parts, 'lora.json'));

  const result = await engine.evaluateConcept(conceptRequest());
  expect((await stat(join(parts, 'lora.json'))).mtimeMs).toBe(before.mtimeMs);
  expect(result.methods.map(({ method, finished }) => (finished ? `${method}, finished` : method))).toEqual([
    'truth',
    'autoencoder',
    'base',
    'words',
    'words, finished',
    'lora',
    'lora, finished',
    'concept',
    'concept, finished',
  ]);
  const [truth, autoencoder, base, words, finished, , , concept] = result.methods;
  expect(truth!.editError.mean).toBe(0);
  expect(truth!.errorOutside.mean).toBe(0);
  expect(autoencoder).toMatchObject({ editError: { mean: null }, learnSeconds: { mean: null } });
  expect(autoencoder!.mse.mean).toBeGreaterThan(0);
  expect(base!.mse.mean).toBeGreaterThan(0);
  expect(concept!.learnSeconds.mean).toBeGreaterThan(0);
  expect(words).toMatchObject({ learnSeconds: { mean: null }, mse: { mean: null }, editError: { count: 1 } });
  // The source's own detail comes back, which this rough autoencoder loses.
  expect(finished!.errorOutside.mean).toBeLessThan(words!.errorOutside.mean!);
  expect(finished!.editSeconds.mean).toBeGreaterThan(words!.editSeconds.mean!);
  expect(result.sliders.map(({ slider, gain }) => `${slider} ${gain}`)).toEqual([
    'identity 0',
    'identity 1',
    'motion 0',
    'motion 1',
  ]);
  expect(result.sheet[0]).toMatchObject({ group: 'seed 10', label: 'source' });
  const labels = result.sheet.map(({ label }) => label);
  const at = labels.indexOf('edit light: words');
  expect(labels.slice(at - 1, at + 2)).toEqual([
    'edit light: base',
    'edit light: words',
    'edit light: words, finished',
  ]);
  const file = JSON.parse(await readFile(join(folder, 'concept/seed-000010.json'), 'utf8'));
  expect(file).toMatchObject({ seed: 10, caption: { static: expect.stringContaining('[v]') } });

  const again = await engine.evaluateConcept(conceptRequest());
  expect(again).toMatchObject({ takenOver: 1, methods: result.methods, sliders: result.sliders });
});

test('parts of a version without words alone and finished edits are measured again, and nothing is learned again', {
  timeout: 120_000,
}, async () => {
  const older = { outputFolder: join(folder, 'older') };
  const result = await engine.evaluateConcept(conceptRequest(older));
  const asOlder = (measures: MethodMeasures) => ({
    ...measures,
    edits: measures.edits.filter((edit) => !edit.finished).map(({ finished: _, ...edit }) => edit),
  });
  const rewrite = async <T>(name: string, content: z.ZodType<T>, change: (content: T) => unknown) => {
    const file = join(older.outputFolder, name);
    await writeFile(file, JSON.stringify(change(content.parse(JSON.parse(await readFile(file, 'utf8'))))));
  };
  const part = z.looseObject({ measures: methodMeasures });
  for (const method of ['base', 'lora', 'concept'])
    await rewrite(`seed-000010/${method}.json`, part, (kept) => ({ ...kept, measures: asOlder(kept.measures) }));
  await rm(join(older.outputFolder, 'seed-000010/words.json'));
  await rewrite('seed-000010.json', sceneMeasures, ({ methods, ...scene }) => ({
    ...scene,
    methods: methods.filter(({ method }) => method !== 'words').map(asOlder),
  }));
  const phases: string[] = [];
  const again = await engine.evaluateConcept(conceptRequest(older), {
    onEvent(event) {
      if (event.type === 'progress') phases.push(event.progress.phase);
    },
  });
  const withoutTime = (summary: object) => ({ ...summary, editSeconds: null });
  expect(again.methods.map(withoutTime)).toEqual(result.methods.map(withoutTime));
  expect(again.kinds).toEqual(result.kinds);
  expect(phases).toEqual(expect.arrayContaining([expect.stringMatching(/^seed 10, words: edit light/)]));
  expect(phases.filter((phase) => phase.includes('learning'))).toEqual([]);
});

test('finishing is measured on perfect edits and on those by words alone; stopped, it goes on', {
  timeout: 120_000,
}, async () => {
  const request = evaluateFinishRequest.parse({
    ...common('finish'),
    sampling: { steps: 1, guidance: null, seed: 1 },
    seeds: [0, 10],
    details: [1, 0.5],
  });
  const stop = new AbortController();
  const stopped = engine.evaluateFinish(request, {
    signal: stop.signal,
    onEvent(event) {
      if (event.type === 'progress' && event.progress.phase.startsWith('seed 10')) stop.abort();
    },
  });
  await expect(stopped).rejects.toMatchObject({ code: 'cancelled' });
  const result = await engine.evaluateFinish(request);
  expect(result).toMatchObject({ takenOver: 1, size: { width: 128, height: 128 } });
  const all = result.rows.filter(({ kind }) => kind === null);
  expect(all.map(({ edit, keepDetail }) => [edit, keepDetail])).toEqual([
    ...[null, 1, 0.5].map((detail) => ['perfect', detail]),
    ...[null, 1, 0.5].map((detail) => ['words', detail]),
  ]);
  const [enlarged, finished, , asMade] = all;
  // The source's own detail comes back, which this rough autoencoder loses.
  expect(finished!.mseOutside.mean).toBeLessThan(0.5 * enlarged!.mseOutside.mean!);
  expect(finished!.sharpnessOutside.mean).toBeCloseTo(1, 1);
  expect(enlarged!.success.mean).toBeNull();
  expect(asMade!.preservation.count).toBe(2);
  expect(result.sheet.some(({ label }) => label.endsWith('words, enlarged'))).toBe(true);
  expect(result.sheet[0]!.frames).toMatchObject({ frameCount: 5, width: 128 });
  const files = await readdir(request.outputFolder);
  expect(files.filter((name) => /source|edited/.test(name))).toEqual([]);
  const again = await engine.evaluateFinish(request);
  expect(again).toMatchObject({ takenOver: 2, rows: result.rows });
  await expect(engine.evaluateFinish({ ...request, details: [1] })).rejects.toMatchObject({ code: 'conflict' });
});

test('seeds of the training, other settings and a missing judge are refused', { timeout: 120_000 }, async () => {
  await expect(engine.evaluateModel(modelRequest({ seeds: [0, 3] }))).rejects.toMatchObject({
    code: 'invalid-input',
    message: expect.stringContaining('Seed 3'),
  });
  await expect(engine.evaluateConcept(conceptRequest({ gains: [0, 2] }))).rejects.toMatchObject({ code: 'conflict' });
  await expect(engine.evaluateModel(modelRequest({ judge: join(folder, 'no-judge') }))).rejects.toMatchObject({
    code: 'not-found',
  });
});
