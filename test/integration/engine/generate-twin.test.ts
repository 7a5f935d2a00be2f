import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as tf from '../../../main/engine/backends/tf.ts';
import { openSafetensors } from '../../../main/engine/formats/safetensors.ts';
import { type TensorToWrite, writeSafetensors } from '../../../main/engine/formats/safetensors-write.ts';
import { createEngine } from '../../../main/engine/index.ts';
import { type GenerateTwinRequest, generateTwinRequest } from '../../../shared/domain/twin.ts';
import type { Engine } from '../../../shared/ipc/engine-contract.ts';
import { temporaryFolder, tinyModel } from './tiny-model.ts';

/** Random networks: a twin of six frames a chunk, and a generator of its latents. */
const golden = (name: string) => fileURLToPath(new URL(`../../golden/${name}`, import.meta.url));
const [twin, generator] = [golden('vidtwin/full'), golden('twin-generator')];

let engine: Engine;
let folder: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  engine = await createEngine({ threads: 1, device: 'onnxruntime' });
});
afterAll(async () => {
  await engine.dispose();
  await rm(folder, { recursive: true });
});

let count = 0;
async function generate(changes: Partial<GenerateTwinRequest> = {}, options = {}) {
  const output = join(folder, `${count++}.rgb`);
  const prompt = 'a dog on a beach';
  const request = generateTwinRequest.parse({
    model: tinyModel,
    twin,
    generator,
    prompt,
    steps: 3,
    ...changes,
    output,
  });
  const frames = await engine.generateTwin(request, options);
  return { frames, bytes: await readFile(output) };
}

test('words, seed, guidance and steps each make another clip, and the same ones the same', async () => {
  const first = await generate();
  expect(first.frames).toMatchObject({ frameCount: 6, width: 12, height: 20, rate: { numerator: 8, denominator: 1 } });
  expect(first.bytes).toHaveLength(6 * 12 * 20 * 3);
  expect((await generate()).bytes.equals(first.bytes)).toBe(true);
  for (const other of [{ prompt: 'snow' }, { seed: 2 }, { guidance: 1 }, { steps: 4 }, { negativePrompt: 'snow' }])
    expect((await generate(other)).bytes.equals(first.bytes), JSON.stringify(other)).toBe(false);
});

test('without guidance what is led away from does not count', async () => {
  const [one, other] = [await generate({ guidance: 1 }), await generate({ guidance: 1, negativePrompt: 'snow' })];
  const apart = one.bytes.reduce((most, value, i) => Math.max(most, Math.abs(value - other.bytes[i]!)), 0);
  expect(apart).toBeLessThanOrEqual(1); // a rounding that falls the other way
});

test('any size can be made', async () => {
  const { frames, bytes } = await generate({ size: { width: 25, height: 16 } });
  expect(frames).toMatchObject({ width: 25, height: 16 });
  expect(bytes).toHaveLength(6 * 25 * 16 * 3);
});

test('for a twin with kinds of cells', async () => {
  const { frames, bytes } = await generate({
    twin: golden('vidtwin/direct'),
    generator: golden('twin-generator-common'),
  });
  expect(frames).toMatchObject({ frameCount: 6, width: 12, height: 20 });
  expect(new Set(bytes).size).toBeGreaterThan(16);
});

test('a folder without a generator, one of another twin and one of another text encoder are refused', async () => {
  await expect(generate({ generator: join(twin, 'generator') })).rejects.toMatchObject({
    code: 'not-found',
    hint: expect.stringContaining('--generator'),
  });
  await expect(generate({ twin: golden('vidtwin/no-q-former') })).rejects.toMatchObject({
    code: 'invalid-input',
    message: expect.stringContaining('other weights'),
  });
  const wide = join(folder, 'wide');
  await cp(generator, wide, { recursive: true });
  const config = JSON.parse(await readFile(join(wide, 'config.json'), 'utf8'));
  await writeFile(join(wide, 'config.json'), JSON.stringify({ ...config, text_width: 25 }));
  await expect(generate({ generator: wide })).rejects.toMatchObject({ code: 'damaged-file' });
  await widenText(join(wide, 'model.safetensors'));
  await expect(generate({ generator: wide })).rejects.toMatchObject({
    code: 'invalid-input',
    hint: expect.stringContaining('--model'),
  });
});

/** As if it had been trained on words of 25 numbers. */
async function widenText(file: string): Promise<void> {
  const source = await openSafetensors(file);
  const tensors: TensorToWrite[] = [];
  for (const name of source.names()) {
    const { shape } = source.info(name);
    const values = await source.readFloats(name);
    if (name !== 'text_in.weight') tensors.push({ name, shape, type: 'F32', values });
    else tensors.push({ name, shape: [shape[0]!, 25], type: 'F32', values: new Float32Array(25 * shape[0]!) });
  }
  await source.close();
  await writeSafetensors(file, tensors);
}

test('it tells how far it is, can be stopped, and leaves nothing behind', async () => {
  await generate();
  const before = tf.memory().numTensors;
  const seen: string[] = [];
  const stop = new AbortController();
  const onEvent = (event: { type: string; progress?: { phase: string; done: number } }) => {
    if (event.progress) seen.push(`${event.progress.phase} ${event.progress.done}`);
  };
  await generate({}, { onEvent });
  expect(seen).toEqual(['sample 1', 'sample 2', 'sample 3', 'decode 1']);
  const stopped = generate({}, { signal: stop.signal, onEvent: () => stop.abort() });
  await expect(stopped).rejects.toMatchObject({ code: 'cancelled' });
  expect(tf.memory().numTensors).toBe(before);
});

test('the weights that come along hear of light, colour and place', async () => {
  const shipped = (name: string) => fileURLToPath(new URL(`../../../resources/models/${name}`, import.meta.url));
  const folders = {
    model: shipped('motif-tiny'),
    twin: shipped('motif-twin'),
    generator: shipped('motif-twin/generator'),
  };
  const meanOf = async (prompt: string) => {
    const sums = [0, 0, 0];
    for (const seed of [1, 2]) {
      const { bytes } = await generate({ ...folders, prompt, steps: 8, seed });
      for (const [index, byte] of bytes.entries()) sums[index % 3]! += byte / (bytes.length / 3) / 2;
    }
    return sums as [red: number, green: number, blue: number];
  };
  const night = await meanOf('a man in a city by night, he is walking');
  const snow = await meanOf('a man in a snowy landscape in daylight, he is walking');
  const desert = await meanOf('a man in the desert in the evening sun, he is walking');
  const brightness = ([red, green, blue]: typeof night) => (red + green + blue) / 3;
  expect(brightness(snow)).toBeGreaterThan(brightness(night) + 40);
  expect(desert[0] - desert[2]).toBeGreaterThan(snow[0] - snow[2] + 30); // warmer
});
