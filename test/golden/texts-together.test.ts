import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { selectBackend } from '../../main/engine/backends/select.ts';
import * as tf from '../../main/engine/backends/tf.ts';
import { openWanPipeline, type WanPipeline } from '../../main/engine/models/wan/pipeline.ts';
import { createConceptSampler } from '../../main/engine/sampling/concept-sampler.ts';
import { golden } from './golden.ts';

let model: WanPipeline;
beforeAll(async () => {
  await selectBackend({ device: 'onnxruntime' });
  model = await openWanPipeline(golden('model'));
});
afterAll(() => model.dispose());

test('a prompt is encoded to the same bits whatever is encoded with it', async () => {
  const prompts = ['a dog', 'a person in a blue jacket is dancing in the snow, far away from the city at night'];
  const together = (await model.encodeText(prompts)) as tf.Tensor3D;
  for (const [index, prompt] of prompts.entries()) {
    const alone = await model.encodeText([prompt]);
    expect(await tf.slice(together, [index, 0, 0], [1, -1, -1]).data()).toEqual(await alone.data());
  }
});

test('what a clip needs of texts is encoded in one go where the encoder is streamed, and only what is not known', async () => {
  const streamed = { ...model, streamsText: true };
  const encode = vi.spyOn(streamed, 'encodeText');
  const sampler = createConceptSampler(streamed);
  const size = [1, 4, 4] as const;
  const latents = tf.zeros([1, model.latentChannels, ...size]);
  const edit = (prompt: string) =>
    sampler.sample({
      ...{ concept: null, prompts: [prompt], negativePrompt: 'blurred', guidance: 3, steps: 2, seeds: [1], size },
      source: { latents, key: 'zeros', fidelity: 0.5, prompt: 'a dog by day', by: 'flow-edit' },
    });
  const first = await edit('a dog at night');
  const second = await edit('a cat at night');
  const again = await edit('a dog at night');
  expect(encode.mock.calls.map(([prompts]) => prompts)).toEqual([
    ['a dog at night', 'blurred', 'a dog by day'],
    ['a cat at night'],
  ]);
  expect(await again.data()).toEqual(await first.data());
  expect(await second.data()).not.toEqual(await first.data());

  // Each of several gets its own words, and one twice.
  encode.mockClear();
  const [words, seeds] = [
    ['a red hat', 'a dog at night', 'a red hat'],
    [1, 2, 1],
  ];
  const several = await sampler.sample({ concept: null, prompts: words, guidance: 1, steps: 2, seeds, size });
  expect(encode.mock.calls.map(([prompts]) => prompts)).toEqual([['a red hat']]);
  const values = (await several.data()) as Float32Array;
  const third = values.length / 3;
  expect(values.slice(2 * third)).toEqual(values.slice(0, third));
  expect(values.slice(third, 2 * third)).not.toEqual(values.slice(0, third));
  sampler.dispose();
});
