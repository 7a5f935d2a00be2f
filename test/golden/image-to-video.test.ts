import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { selectBackend } from '../../main/engine/backends/select.ts';
import * as tf from '../../main/engine/backends/tf.ts';
import { readJson } from '../../main/engine/formats/diffusers.ts';
import { openSafetensors } from '../../main/engine/formats/safetensors.ts';
import { type TensorToWrite, writeSafetensors } from '../../main/engine/formats/safetensors-write.ts';
import { createEngine } from '../../main/engine/index.ts';
import { clipPixels, openClipVision } from '../../main/engine/models/clip-vision/clip-vision.ts';
import { clipProcessorConfigSchema } from '../../main/engine/models/clip-vision/clip-vision-config.ts';
import { openVideoModel } from '../../main/engine/models/registry.ts';
import { schedulerConfigOf } from '../../main/engine/models/scheduler-config.ts';
import { createSampler } from '../../main/engine/sampling/sampler.ts';
import { generateRequest, learnRequest } from '../../shared/domain/engine.ts';
import { expectGolden, golden, onEachBackend, openCase } from './golden.ts';

const { prompts }: { prompts: string[] } = JSON.parse(readFileSync(golden('text.json'), 'utf8'));
const cases = ['image', 'image-pair'] as const;

/** The golden model with the parts of each case in place of its own. */
const root = mkdtempSync(join(tmpdir(), 'motif-image-'));
for (const name of cases) {
  cpSync(golden('model'), join(root, name), { recursive: true });
  cpSync(golden(name), join(root, name), { recursive: true });
}
afterAll(() => rmSync(root, { recursive: true }));

async function pictureOf(values: tf.Tensor) {
  return { data: Uint8Array.from(await values.data()), width: 32, height: 16, count: 1 };
}

onEachBackend(() => {
  test.each(cases)(
    'a clip goes on from a picture as with diffusers, from prompt, picture and noise: %s',
    async (name) => {
      const { picture, latents, beside, image, result } = await openCase(`${name}/sampled`);
      const model = await openVideoModel(join(root, name));
      expect(model.firstFrame).toBe('required');
      const firstFrame = await model.encodeFirstFrame(await pictureOf(picture!), 9);
      if (!('beside' in firstFrame)) throw new Error('the picture stands beside the clip');
      await expectGolden(firstFrame.beside, beside!);
      expect(firstFrame.image === undefined).toBe(image === undefined);
      if (image) await expectGolden(firstFrame.image!, image);
      const sampler = createSampler({
        denoiser: await model.denoiser(),
        highNoise: model.highNoise && { from: model.highNoise.from, denoiser: await model.highNoise.denoiser() },
        scheduler: schedulerConfigOf(model),
      });
      const made = await sampler.generate({
        text: await model.encodeText([prompts[0]!]),
        negative: await model.encodeText(['a cat']),
        guidance: 3,
        steps: 4,
        size: [3, 2, 4],
        seeds: [0],
        noise: latents!,
        firstFrame,
      });
      await expectGolden(made, result!);
      sampler.dispose();
      await model.dispose();
    },
  );
});

test("CLIP's pictures are those of transformers", async () => {
  const { picture, pixels } = await openCase('image/sampled');
  const config = await readJson(golden('image/image_processor/preprocessor_config.json'), clipProcessorConfigSchema);
  const found = clipPixels(config, await pictureOf(picture!));
  const expected = await pixels!.data();
  const largest = Math.max(...found.map((value, index) => Math.abs(value - expected[index]!)));
  expect(found.length).toBe(3 * 20 * 20);
  expect(largest).toBeLessThan(1e-5); // a value that is rounded the other way is off by 0.015
});

test('an image encoder under the names of older versions of transformers is the same', async () => {
  const { picture, image } = await openCase('image/sampled');
  const folder = join(root, 'older');
  mkdirSync(folder);
  cpSync(golden('image/image_encoder/config.json'), join(folder, 'config.json'));
  const source = await openSafetensors(golden('image/image_encoder/model.safetensors'));
  const tensors = source.names().map((name): TensorToWrite => {
    const { shape } = source.info(name);
    return { name: `vision_model.${name}`, shape, type: 'F32', values: () => source.readFloats(name) };
  });
  const positions = { name: 'vision_model.embeddings.position_ids', shape: [1, 10], type: 'F32' as const };
  tensors.push({ ...positions, values: async () => new Float32Array(10) });
  await writeSafetensors(join(folder, 'model.safetensors'), tensors);
  await source.close();
  const encoder = await openClipVision(folder, golden('image/image_processor'));
  expect(encoder).toMatchObject({ width: 18, tokens: 10 });
  await expectGolden(await encoder.encode(await pictureOf(picture!)), image!);
});

test('an image encoder whose pictures are of another size is damaged', async () => {
  const processor = join(root, 'processor');
  cpSync(golden('image/image_processor'), processor, { recursive: true });
  const path = join(processor, 'preprocessor_config.json');
  const config = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, JSON.stringify({ ...config, crop_size: { height: 24, width: 24 } }));
  await expect(openClipVision(golden('image/image_encoder'), processor)).rejects.toMatchObject({
    code: 'damaged-file',
    message: expect.stringContaining('20 x 20 pixels that the image encoder takes'),
  });
});

test('a transformer that reads pictures of another width than the encoder writes is damaged', async () => {
  const broken = join(root, 'broken');
  cpSync(join(root, 'image'), broken, { recursive: true });
  const path = join(broken, 'transformer/config.json');
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), image_dim: 20 }));
  await expect(openVideoModel(broken)).rejects.toMatchObject({
    code: 'damaged-file',
    message: expect.stringContaining('reads pictures of 20 channels, the image encoder writes 18'),
  });
});

test('the engine makes a clip of a picture, and says what such a model cannot do', async () => {
  const engine = await createEngine({ device: 'onnxruntime' });
  const model = join(root, 'image');
  const frames = { width: 32, height: 16, rate: { numerator: 8, denominator: 1 } };
  const write = (name: string, frameCount: number, step: number) => {
    const file = join(root, name);
    writeFileSync(
      file,
      Uint8Array.from({ length: frameCount * 32 * 16 * 3 }, (_, index) => (index * step) % 256),
    );
    return { ...frames, file, frameCount };
  };
  const make = (name: string, changes: object = {}) =>
    engine.generate(
      generateRequest.parse({
        model,
        conceptFile: null,
        source: null,
        size: { width: 32, height: 16, frameCount: 5 },
        settings: { prompt: 'a dog', steps: 2 },
        output: join(root, name),
        ...changes,
      }),
    );
  const info = await engine.describeModel({ model });
  expect(info.firstFrame).toBe('required');
  expect(info.heldParameters).toBeLessThan(info.parameters); // the image encoder is let go

  await make('a.rgb', { firstFrame: write('one.rgb', 1, 5) });
  await make('b.rgb', { firstFrame: write('one-again.rgb', 1, 5) });
  await make('c.rgb', { firstFrame: write('other.rgb', 1, 7) });
  const [a, b, c] = ['a.rgb', 'b.rgb', 'c.rgb'].map((name) => readFileSync(join(root, name)));
  expect(a!.length).toBe(5 * 32 * 16 * 3);
  expect(a).toEqual(b);
  expect(a).not.toEqual(c);

  await expect(make('d.rgb')).rejects.toMatchObject({ message: expect.stringContaining('none was given') });
  const source = write('clip.rgb', 5, 3);
  const settings = { prompt: 'a dog', shown: 'a cat', steps: 2, fidelity: 0.5 };
  await expect(make('e.rgb', { source, size: null, settings })).rejects.toMatchObject({
    hint: expect.stringContaining('fidelity of 0'),
  });
  const learning = learnRequest.parse({
    model,
    clips: [{ frames: source, caption: { static: 'a [v] dog', dynamic: 'runs' } }],
    recipe: {},
    workDirectory: join(root, 'work'),
    conceptFile: join(root, 'dog.motif'),
  });
  await expect(engine.learn(learning)).rejects.toMatchObject({
    message: 'image makes clips of a given picture, and concepts are not learned on it.',
  });
  await engine.dispose();
});

test('without its picture, or with one where none is taken, a denoiser throws', async () => {
  await selectBackend({ device: 'onnxruntime' });
  const model = await openVideoModel(join(root, 'image'));
  const denoiser = await model.denoiser();
  const text = await model.encodeText(['a dog']);
  const inputs = { latents: tf.zeros([1, 12, 1, 2, 4]), timestep: model.timeFeatures([500]), text };
  expect(() => denoiser.denoise(inputs)).toThrow('takes a picture, and none was given');
  const pair = await openVideoModel(join(root, 'image-pair'));
  const low = await pair.denoiser();
  expect(() => low.denoise({ ...inputs, image: tf.zeros([1, 10, 18]) })).toThrow('takes no picture, and one was given');
  await model.dispose();
  await pair.dispose();
});
