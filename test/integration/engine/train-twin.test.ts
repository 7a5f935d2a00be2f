import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { selectBackend } from '../../../main/engine/backends/select.ts';
import * as tf from '../../../main/engine/backends/tf.ts';
import { Random } from '../../../main/engine/nn/random.ts';
import { trainTwin } from '../../../main/engine/training/twin/train-twin.ts';
import type { RawFrames } from '../../../shared/domain/clip.ts';
import type { EngineEvent } from '../../../shared/domain/engine.ts';
import { type TrainTwinRequest, twinTraining } from '../../../shared/domain/twin.ts';

/** A random network of six frames a chunk, and a small random judge. */
const micro = fileURLToPath(new URL('../../golden/vidtwin/full', import.meta.url));
const judge = fileURLToPath(new URL('../../../resources/models/motif-judge', import.meta.url));

let folder: string;
let clips: RawFrames[];

beforeAll(async () => {
  await selectBackend({ device: 'onnxruntime', threads: 1 });
  folder = await mkdtemp(join(tmpdir(), 'motif-twin-training-'));
  clips = await Promise.all([1, 2, 3].map((seed) => writeMoving(seed, 8, 32, 24)));
});
afterAll(() => rm(folder, { recursive: true }));

/** A square of one colour that moves over another. */
async function writeMoving(seed: number, frameCount: number, width: number, height: number): Promise<RawFrames> {
  const random = new Random(seed);
  const [back, front] = [random.integers(3, 256), random.integers(3, 256)];
  const data = new Uint8Array(frameCount * height * width * 3);
  for (let frame = 0; frame < frameCount; frame++)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const isInside = y >= 6 && y < 16 && x >= 2 + 2 * frame && x < 12 + 2 * frame;
        data.set(isInside ? front : back, ((frame * height + y) * width + x) * 3);
      }
  const file = join(folder, `clip-${seed}.rgb`);
  await writeFile(file, data);
  return { file, frameCount, width, height, rate: { numerator: 8, denominator: 1 } };
}

function requestIn(name: string, training: object = {}, changes: Partial<TrainTwinRequest> = {}): TrainTwinRequest {
  return {
    from: micro,
    preset: 'tiny',
    ablation: 'full',
    judge,
    clips,
    validation: [],
    training: twinTraining.parse({ steps: 10, batchSize: 2, checkpointEvery: 3, adversarialFrom: 0.3, ...training }),
    workDirectory: join(folder, `${name}.work`),
    output: join(folder, name),
    ...changes,
  };
}

const weightsOf = (name: string) => readFile(join(folder, name, 'model.safetensors'));

test('learns its clips: the loss falls, and what is decoded comes closer', { timeout: 120_000 }, async () => {
  const clip = clips.slice(0, 1);
  const alone = { adversarial: 0, dropDynamics: 0, dropStructure: 0, learningRate: 5e-3 };
  const few = await trainTwin(requestIn('few', { ...alone, steps: 1 }, { clips: clip, validation: clip }));
  const many = await trainTwin(requestIn('many', { ...alone, steps: 120 }, { clips: clip, validation: clip }));
  expect(many.finalLoss).toBeLessThan(few.finalLoss / 2);
  expect(many.measured!.psnr).toBeGreaterThan(few.measured!.psnr + 4);
  expect(many.measured).toMatchObject({
    clips: 1,
    psnrStructure: expect.any(Number),
    psnrDynamics: expect.any(Number),
  });
});

test('stopped in any phase and begun again, it ends in the same bytes', { timeout: 120_000 }, async () => {
  await trainTwin(requestIn('whole'));
  const expected = await weightsOf('whole');
  for (const stopAt of [2, 5, 8]) {
    const stop = new AbortController();
    const onEvent = (event: EngineEvent) => {
      if (event.type === 'loss' && event.point.step === stopAt) stop.abort();
    };
    const request = requestIn(`stopped-${stopAt}`);
    await expect(trainTwin(request, { signal: stop.signal, onEvent })).rejects.toMatchObject({ code: 'cancelled' });
    const seen: number[] = [];
    await trainTwin(request, { onEvent: (event) => event.type === 'loss' && seen.push(event.point.step) });
    expect(seen[0]).toBe(stopAt + 1);
    expect(await weightsOf(`stopped-${stopAt}`)).toEqual(expected);
  }
});

test('killed between checkpoints, it ends in the same bytes too', { timeout: 120_000 }, async () => {
  const request = requestIn('killed');
  const kill = (event: EngineEvent) => {
    if (event.type === 'loss' && event.point.step === 5) throw new Error('killed');
  };
  await expect(trainTwin(request, { onEvent: kill })).rejects.toThrow('killed');
  const seen: number[] = [];
  await trainTwin(request, { onEvent: (event) => event.type === 'loss' && seen.push(event.point.step) });
  expect(seen[0]).toBe(4); // from the checkpoint after step 3
  expect(await weightsOf('killed')).toEqual(await weightsOf('whole'));
});

test('the discriminator begins to learn at its share of the steps, and counts a twentieth later', async () => {
  await trainTwin(requestIn('phases', { steps: 20, adversarialFrom: 0.5 }));
  const [head, ...rows] = (await readFile(join(folder, 'phases/losses.csv'), 'utf8')).trim().split('\n');
  const column = (name: string) => rows.map((row) => row.split(',')[head!.split(',').indexOf(name)]);
  expect(column('discriminator').findIndex(Boolean)).toBe(10);
  expect(column('adversarial').findIndex(Boolean)).toBe(11);
});

test('a fresh network of any ablation can be begun, and says in its configuration what it is', async () => {
  for (const ablation of ['no-disentanglement', 'no-averaging'] as const) {
    const request = requestIn(ablation, { steps: 1, batchSize: 1, adversarial: 0 }, { from: null, ablation });
    const long = await writeMoving(9, 16, 32, 32);
    await trainTwin({ ...request, clips: [long] });
    const config = JSON.parse(await readFile(join(folder, ablation, 'config.json'), 'utf8'));
    expect(config).toMatchObject({ method: 'VidTwin', name: 'tiny', disentangle: ablation === 'no-averaging' });
    expect(config.training).toMatchObject({ steps: 1, ablation, clips: 1 });
  }
});

test('what cannot be trained is refused with a reason', async () => {
  const short = { ...clips[0]!, frameCount: 5 };
  await expect(trainTwin(requestIn('short', {}, { clips: [short] }))).rejects.toMatchObject({
    code: 'invalid-input',
    message: expect.stringContaining('6 frames'),
  });
  await expect(trainTwin(requestIn('whole'))).rejects.toMatchObject({ code: 'conflict' });
  const other = requestIn('other', { steps: 11 }, { workDirectory: join(folder, 'whole.work') });
  await expect(trainTwin(other)).rejects.toMatchObject({ code: 'conflict' });
  const cut = await writeMoving(4, 8, 32, 24);
  await writeFile(cut.file, (await readFile(cut.file)).subarray(0, 1000));
  await expect(trainTwin(requestIn('cut', {}, { clips: [cut] }))).rejects.toMatchObject({ code: 'damaged-file' });
  await cp(micro, join(folder, 'broken'), { recursive: true });
  await writeFile(join(folder, 'broken/model.safetensors'), 'nothing');
  const broken = requestIn('from-broken', {}, { from: join(folder, 'broken') });
  await expect(trainTwin(broken)).rejects.toMatchObject({ code: 'damaged-file' });
});

test('training leaves no tensor behind', async () => {
  const before = tf.memory().numTensors;
  await trainTwin(requestIn('tidy', { steps: 4 }));
  expect(tf.memory().numTensors).toBe(before);
});
