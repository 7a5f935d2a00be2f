import { cp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createEngine } from '../../../main/engine/index.ts';
import type { EvaluateTwinRequest, WordedRow } from '../../../shared/domain/evaluation-twin.ts';
import type { Engine } from '../../../shared/ipc/engine-contract.ts';
import { writeStandIns } from '../../unit/engine/metrics/stand-ins.ts';
import { temporaryFolder, tinyModel } from './tiny-model.ts';

const golden = (name: string) => fileURLToPath(new URL(`../../golden/${name}`, import.meta.url));

let engine: Engine;
let folder: string;
let model: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  model = join(folder, 'small');
  await cp(tinyModel, model, { recursive: true });
  const extras = { frameRate: 8, frames: 5, sizes: [{ width: 32, height: 32 }] };
  await writeFile(join(model, 'motif.json'), JSON.stringify(extras));
  engine = await createEngine({ threads: 1, device: 'onnxruntime' });
});
afterAll(async () => {
  await engine.dispose();
  await rm(folder, { recursive: true });
});

const request = (changes: Partial<EvaluateTwinRequest> = {}): EvaluateTwinRequest => ({
  model,
  judge: golden('judge'),
  metrics: null,
  size: null,
  steps: null,
  twins: [golden('vidtwin/full'), golden('vidtwin/no-disentanglement')],
  autoencoders: [golden('magvit')],
  seeds: [0, 10],
  realClips: [],
  curve: [0.01, 0.5],
  learnedClips: 2,
  pairs: 1,
  words: 0,
  outputFolder: join(folder, 'measured'),
  ...changes,
});

test('every way of coding has a row, a cosine transform at each rate of a network, and what was measured is taken over', async () => {
  const first = await engine.evaluateTwin(request());
  const ways = first.rows.map(({ way }) => way);
  expect(ways.slice(0, 2)).toEqual(['micro, full', 'micro, no-disentanglement']);
  expect(ways).toContain('autoencoder of small');
  const causal = first.rows.find(({ way }) => way === 'autoencoder magvit')!;
  // Two latent frames of 8 x 8 places and three channels for five frames of 32 x 32.
  expect(causal).toMatchObject({ kind: 'autoencoder', clips: 2, rate: { mean: 384 / 15_360 } });
  expect(ways.filter((way) => way.startsWith('DCT'))).toHaveLength(4);
  const of = (way: string) => first.rows.find((row) => row.way === way)!;
  const [little, much] = [of('DCT, 1.00 %'), of('DCT, 50.00 %')];
  expect(much.psnr.mean!).toBeGreaterThan(little.psnr.mean! + 3);
  expect(much.perceptual.mean!).toBeLessThan(little.perceptual.mean!);
  expect(much.ssim.mean!).toBeGreaterThan(little.ssim.mean!);
  expect(much.frechet!).toBeLessThan(little.frechet!);
  expect(much).toMatchObject({ lpips: { count: 0 }, frechetVideo: null });
  expect(of('micro, full')).toMatchObject({ clips: 2, psnrStructure: { count: 2 }, psnrDynamics: { count: 2 } });
  expect(of('micro, no-disentanglement')).toMatchObject({ clips: 2, psnrStructure: { count: 0 } });
  expect(first.reenacted).toMatchObject([{ twin: 'micro, full', pairs: 1 }]);
  expect(first.takenOver).toBe(0);

  const again = await engine.evaluateTwin(request());
  expect(again.takenOver).toBe(2);
  expect(again.rows).toEqual(first.rows);
});

test('clips of words are judged beside the scenes, where a network has a generator', async () => {
  const twin = join(folder, 'worded');
  await cp(golden('vidtwin/direct'), twin, { recursive: true });
  await cp(golden('twin-generator-common'), join(twin, 'generator'), { recursive: true });
  const asked = { twins: [twin], autoencoders: [], seeds: [0], pairs: 0, outputFolder: join(folder, 'words') };
  const { worded, sheet } = await engine.evaluateTwin(request({ ...asked, words: 2 }));
  expect(worded.map(({ way }) => way)).toEqual(['rendered truth', 'small', 'micro']);
  const [truth, , made] = worded as [WordedRow, WordedRow, WordedRow];
  expect(truth).toMatchObject({ clips: 2, frechet: null, seconds: { count: 0 } });
  expect(made).toMatchObject({ clips: 2, seconds: { count: 1 } });
  expect(made.frechet).toBeGreaterThan(0);
  expect(sheet.filter(({ group }) => group === 'of words')).toHaveLength(6);
  expect((await engine.evaluateTwin(request({ ...asked, words: 2 }))).worded).toEqual(worded);
  expect((await engine.evaluateTwin(request())).worded).toEqual([]);
});

test('all clips can have one size, as a network needs that takes no other', async () => {
  const asked = { autoencoders: [], seeds: [0], pairs: 1, outputFolder: join(folder, 'sized') };
  const size = { width: 24, height: 16, frameCount: 9 };
  const { rows, sheet } = await engine.evaluateTwin(request({ ...asked, twins: [golden('vidtwin/full')], size }));
  expect(rows[0]).toMatchObject({ clips: 1 });
  for (const { frames } of sheet) expect(frames).toMatchObject({ width: 24, height: 16, frameCount: 6 });
  const whole = request({ ...asked, twins: [golden('vidtwin/no-move')], outputFolder: join(folder, 'whole') });
  await expect(engine.evaluateTwin(whole)).rejects.toMatchObject({ message: /12 x 20 alone/ });
});

test("a user's own networks measure too", async () => {
  const metrics = join(folder, 'networks');
  await writeStandIns(metrics);
  const { rows, supplied } = await engine.evaluateTwin(request({ metrics, outputFolder: join(folder, 'supplied') }));
  expect(supplied.map(({ kind }) => kind)).toContain('lpips');
  const of = (way: string) => rows.find((row) => row.way === way)!;
  const [little, much] = [of('DCT, 1.00 %'), of('DCT, 50.00 %')];
  // The stand-in for LPIPS is the mean square, in units of half the range.
  expect(much.lpips.count).toBe(2);
  expect(much.lpips.mean!).toBeLessThan(little.lpips.mean!);
  expect(much.frechetVideo!).toBeLessThan(little.frechetVideo!);
});

test('a folder of another network is refused', async () => {
  const other = request({ twins: [golden('vidtwin/no-averaging')] });
  await expect(engine.evaluateTwin(other)).rejects.toMatchObject({ code: 'conflict' });
});

test('seeds that a training may have seen are refused', async () => {
  const seen = request({ seeds: [3], outputFolder: join(folder, 'seen') });
  await expect(engine.evaluateTwin(seen)).rejects.toMatchObject({ code: 'invalid-input' });
});
