import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openWeights, readModelIndex, writeModelDirectory } from '../../../../main/engine/formats/diffusers.ts';
import { writeSafetensors } from '../../../../main/engine/formats/safetensors-write.ts';

const folder = mkdtempSync(join(tmpdir(), 'motif-directories-'));
afterAll(() => rmSync(folder, { recursive: true }));

function made(name: string): string {
  mkdirSync(join(folder, name));
  return join(folder, name);
}

const tensor = { name: 'a', shape: [1], values: Float32Array.from([3]) };

test('a folder without model_index.json is no model, and the message says which file to look for', async () => {
  await expect(readModelIndex(folder)).rejects.toMatchObject({
    code: 'not-found',
    hint: expect.stringContaining('model_index.json'),
  });
});

test('an index that is no JSON is a damaged file', async () => {
  const directory = made('damaged');
  writeFileSync(join(directory, 'model_index.json'), '{"_class_name": ');
  await expect(readModelIndex(directory)).rejects.toMatchObject({ code: 'damaged-file' });
});

test('weights are found under every name that diffusers and transformers give them', async () => {
  for (const name of ['diffusion_pytorch_model', 'model', 'diffusion_pytorch_model.fp16']) {
    const directory = made(name);
    await writeSafetensors(join(directory, `${name}.safetensors`), [tensor]);
    const source = await openWeights(directory);
    expect(await source.readFloats('a')).toEqual(Float32Array.from([3]));
    await source.close();
  }
  const sharded = made('sharded');
  await writeSafetensors(join(sharded, 'one.safetensors'), [tensor]);
  writeFileSync(
    join(sharded, 'model.safetensors.index.json'),
    JSON.stringify({ weight_map: { a: 'one.safetensors' } }),
  );
  const source = await openWeights(sharded);
  expect(source.names()).toEqual(['a']);
  await source.close();
});

test('pickled weights are refused with the way out', async () => {
  const directory = made('pickled');
  writeFileSync(join(directory, 'pytorch_model.bin'), '');
  await expect(openWeights(directory)).rejects.toMatchObject({ hint: expect.stringContaining('safe_serialization') });
});

test('a directory appears whole or not at all', async () => {
  const directory = join(folder, 'written');
  const component = { name: 'part', config: '{"eps": 1.0}', tensors: [tensor] };
  const broken = { ...component, tensors: [{ ...tensor, shape: [2] }] };
  const before = readdirSync(folder);
  await expect(writeModelDirectory(directory, { index: '{}', components: [broken] })).rejects.toThrow('tensor "a"');
  expect(readdirSync(folder)).toEqual(before);
  await writeModelDirectory(directory, { index: '{"_class_name": "X"}', components: [component] });
  expect(await readModelIndex(directory)).toEqual({ _class_name: 'X' });
  await expect(writeModelDirectory(directory, { index: '{}', components: [] })).rejects.toMatchObject({
    code: 'conflict',
  });
});
