import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { selectBackend } from '../../main/engine/backends/select.ts';
import * as tf from '../../main/engine/backends/tf.ts';
import { gatherModels, openVideoModel } from '../../main/engine/models/registry.ts';
import { golden } from './golden.ts';

const sentences = JSON.parse(readFileSync(golden('files/files.json'), 'utf8')).sentences as {
  prompts: string[];
  ids: number[][];
};
let folder: string;

beforeAll(async () => {
  await selectBackend({ device: 'onnxruntime' });
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'motif-gather-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const models = () => join(folder, 'library');

/** A file of test/golden/files in a folder, under another name if one is given. */
function put(name: string, at: string, as = name): string {
  mkdirSync(join(folder, at), { recursive: true });
  copyFileSync(golden(`files/${name}`), join(folder, at, as));
  return join(folder, at, as);
}

/** ComfyUI's folder of models with these transformers; the tiny ones have heads that no shape tells. */
function comfy(...transformers: string[]): string {
  mkdirSync(join(folder, 'models/diffusion_models'), { recursive: true });
  for (const name of transformers) put(name, 'models/diffusion_models');
  writeFileSync(join(folder, 'models/diffusion_models/config.json'), '{"num_heads": 1}');
  put('wan_2.1_vae.safetensors', 'models/vae');
  put('wan2.2_vae.safetensors', 'models/vae');
  put('umt5_fp16.safetensors', 'models/text_encoders');
  return join(folder, 'models');
}

/** Text, one prediction and decoded frames of a model. */
async function used(directory: string) {
  const model = await openVideoModel(directory);
  const text = await model.encodeText(['a dog runs on the beach']);
  const denoiser = await model.denoiser();
  const latents = tf.fill([1, model.latentChannels, 1, 4, 4], 0.5);
  const flow = denoiser.denoise({ latents, timestep: model.timeFeatures([500]), text });
  const pictures = await model.decodeFrames(latents);
  const values = { text: await text.data(), flow: await flow.data(), pictures: pictures.data };
  tf.dispose([text, latents, flow]);
  await model.dispose();
  return values;
}

test('a ComfyUI folder of models becomes a model of each transformer, with the parts that fit it, and computes as closely as each is rounded', async () => {
  const source = comfy('wan_fp16.safetensors', 'wan_fp8_scaled.safetensors', 'wan_q8_0.gguf');
  const { models: made, refused } = await gatherModels({ source, folder: models() });
  expect(made.map((path) => path.slice(models().length + 1))).toEqual(['wan_fp16', 'wan_fp8_scaled', 'wan_q8_0']);
  expect(refused).toEqual([]);
  const [half, eight, packed] = await Promise.all(made.map(used));
  expect(half!.flow.every(Number.isFinite)).toBe(true);
  for (const rounded of [eight!, packed!]) {
    expect(rounded.text).toEqual(half!.text);
    expect(rounded.pictures).toEqual(half!.pictures);
    const error =
      Math.hypot(...rounded.flow.map((value, index) => value - half!.flow[index]!)) / Math.hypot(...half!.flow);
    expect(error).toBeGreaterThan(0);
    expect(error).toBeLessThan(0.1);
  }
});

test('weights stay where they are: what is written are small files', async () => {
  const source = comfy('wan_fp16.safetensors');
  const { models: made } = await gatherModels({ source, folder: models() });
  const written = readdirSync(made[0]!, { recursive: true }).map(String).sort();
  expect(written.filter((name) => /\.(safetensors|pth|gguf)$/.test(name))).toEqual([]);
  expect(written).toContain(join('transformer', 'weights.json'));
});

test('pointing at one file adds that one, wherever in the folder it is linked from', async () => {
  comfy('wan_fp16.safetensors');
  const elsewhere = put('wan_bf16.safetensors', 'elsewhere');
  symlinkSync(elsewhere, join(folder, 'models/diffusion_models/linked.safetensors'));
  const { models: made } = await gatherModels({
    source: join(folder, 'models/diffusion_models/linked.safetensors'),
    folder: models(),
  });
  expect(made).toEqual([join(models(), 'linked')]);
  expect((await used(made[0]!)).flow.every(Number.isFinite)).toBe(true);
});

test("a folder as Wan's own repositories are laid out is added with its pickled parts and its tokenizer", async () => {
  put('wan_fp16.safetensors', 'Wan2.1-T2V', 'diffusion_pytorch_model.safetensors');
  put('Wan2.1_VAE.pth', 'Wan2.1-T2V');
  put('models_t5_umt5-enc-bf16.pth', 'Wan2.1-T2V');
  writeFileSync(join(folder, 'Wan2.1-T2V/config.json'), '{"model_type": "t2v", "num_heads": 1}');
  const tokenizer = join(folder, 'Wan2.1-T2V/google/umt5-xxl');
  mkdirSync(tokenizer, { recursive: true });
  for (const name of ['tokenizer.json', 'tokenizer_config.json'])
    copyFileSync(golden(`model/tokenizer/${name}`), join(tokenizer, name));
  const { models: made } = await gatherModels({ source: join(folder, 'Wan2.1-T2V'), folder: models() });
  expect(made).toEqual([join(models(), 'Wan2.1-T2V')]);
  expect((await used(made[0]!)).pictures.length).toBe(32 * 32 * 3);
});

test("a folder beside ComfyUI's own is looked into itself, and one of ComfyUI's adds what is in it", async () => {
  comfy('wan_fp16.safetensors');
  put('wan_bf16.safetensors', 'models/Wan2.1-T2V', 'beside.safetensors');
  await expect(gatherModels({ source: join(folder, 'models/Wan2.1-T2V'), folder: models() })).rejects.toMatchObject({
    message: expect.stringContaining('128 channels'),
  });
  put('wan_fp8_scaled.safetensors', 'models/diffusion_models/wan', 'within.safetensors');
  copyFileSync(
    join(folder, 'models/diffusion_models/config.json'),
    join(folder, 'models/diffusion_models/wan/config.json'),
  );
  const { models: made } = await gatherModels({
    source: join(folder, 'models/diffusion_models/wan'),
    folder: models(),
  });
  expect(made).toEqual([join(models(), 'within')]);
});

test.each(['umt5_fp16.safetensors', 'umt5-q8_0.gguf'])(
  'the tokenizer in %s reads prompts as SentencePiece does',
  async (name) => {
    const transformer = put('wan_fp16.safetensors', 'flat');
    writeFileSync(join(folder, 'flat/config.json'), '{"num_heads": 1}');
    put('Wan2.1_VAE.pth', 'flat');
    put(name, 'flat');
    const { models: made } = await gatherModels({ source: transformer, folder: models() });
    const model = await openVideoModel(made[0]!);
    const { ids, lengths } = model.tokenize(sentences.prompts);
    expect(ids.map((row, index) => row.slice(0, lengths[index]))).toEqual(sentences.ids);
    await model.dispose();
  },
);

test("Wan 2.2's pair of files becomes one model with two transformers, and half of a pair is refused", async () => {
  const source = comfy();
  put('wan_fp16.safetensors', 'models/diffusion_models', 'wan2.2_t2v_high_noise_14B.safetensors');
  await expect(gatherModels({ source, folder: models() })).rejects.toMatchObject({
    message: expect.stringContaining('partner for low noise is missing'),
  });
  const low = put('wan_bf16.safetensors', 'models/diffusion_models', 'wan2.2_t2v_low_noise_14B.safetensors');
  for (const pointedAt of [source, low]) {
    const { models: made } = await gatherModels({ source: pointedAt, folder: models() });
    expect(made).toEqual([join(models(), 'wan2.2_t2v_14B')]);
    const model = await openVideoModel(made[0]!);
    expect(model.highNoise?.from).toBe(0.875);
    const [first, second] = [await model.denoiser(), await model.highNoise!.denoiser()];
    const inputs = {
      latents: tf.ones([1, 16, 1, 2, 2]),
      timestep: model.timeFeatures([900]),
      text: await model.encodeText(['a dog']),
    };
    const [low, high] = [first, second].map(({ denoise }) => denoise(inputs).dataSync());
    expect(low).not.toEqual(high); // they are rounded differently, and so are other tensors
    await model.dispose();
    rmSync(made[0]!, { recursive: true });
  }
});

test('what is missing or does not fit is said, with where to put it', async () => {
  const transformer = put('wan_fp16.safetensors', 'alone');
  await expect(gatherModels({ source: transformer, folder: models() })).rejects.toMatchObject({
    code: 'invalid-input',
    message: expect.stringContaining('128 channels'),
  });
  writeFileSync(join(folder, 'alone/config.json'), '{"num_heads": 1}');
  const wrong = put('wan2.2_vae.safetensors', 'alone');
  await expect(gatherModels({ source: transformer, folder: models() })).rejects.toMatchObject({
    message: 'An autoencoder of 16 channels is missing: wan2.2_vae.safetensors has 48.',
    hint: expect.stringContaining('--vae'),
  });
  await expect(gatherModels({ source: wrong, folder: models() })).rejects.toMatchObject({
    message: expect.stringContaining('is an autoencoder, not a transformer'),
  });
  const vae = put('Wan2.1_VAE.pth', 'other');
  const textEncoder = put('models_t5_umt5-enc-bf16.pth', 'other');
  await expect(gatherModels({ source: transformer, folder: models(), vae, textEncoder })).rejects.toMatchObject({
    hint: expect.stringContaining('--tokenizer'),
  });
  const tokenizer = golden('model/tokenizer');
  const { models: made } = await gatherModels({ source: transformer, folder: models(), vae, textEncoder, tokenizer });
  expect(made).toHaveLength(1);
  await expect(
    gatherModels({ source: transformer, folder: models(), vae, textEncoder, tokenizer }),
  ).rejects.toMatchObject({ code: 'conflict', hint: expect.stringContaining('motif models remove') });
});

test('a file that was moved or replaced since is named when the model is opened', async () => {
  const source = comfy('wan_fp16.safetensors');
  const { models: made } = await gatherModels({ source, folder: models() });
  const file = join(source, 'diffusion_models/wan_fp16.safetensors');
  put('wan_fp8_scaled.safetensors', 'models/diffusion_models', 'wan_fp16.safetensors');
  const opened = await openVideoModel(made[0]!);
  await expect(opened.denoiser()).rejects.toMatchObject({ code: 'conflict', message: expect.stringContaining(file) });
  rmSync(file);
  await expect(opened.denoiser()).rejects.toMatchObject({
    code: 'not-found',
    hint: expect.stringContaining('Put the file back'),
  });
  await opened.dispose();
});
