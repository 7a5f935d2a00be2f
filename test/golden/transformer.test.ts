import { describe, expect, test } from 'vitest';
import * as tf from '../../main/engine/backends/tf.ts';
import { timeFeatures, wanTransformer } from '../../main/engine/models/wan/transformer.ts';
import { linear } from '../../main/engine/nn/linear.ts';
import { disposeTree } from '../../main/engine/nn/tree.ts';
import { loadTransformer } from './components.ts';
import { expectGolden, onEachBackend, openCase } from './golden.ts';

async function run(folder: string, name: string, options: Parameters<typeof wanTransformer>[3] = {}) {
  const { config, parameters } = await loadTransformer(folder);
  const { latents, text, timestep, flow } = await openCase(name);
  const features = timeFeatures(config, Array.from(await timestep!.data()));
  const found = wanTransformer(config, parameters, { latents: latents!, text: text!, timestep: features }, options);
  await expectGolden(found, flow!);
  tf.dispose([latents!, text!, timestep!, flow!, features, found]);
  disposeTree(parameters);
}

onEachBackend(() => {
  describe('the transformer answers as in diffusers', () => {
    test('two clips with their own prompts and noise levels', () => run('model/transformer', 'transformer'));
    test('a single frame', () => run('model/transformer', 'transformer-one-frame'));
    test('self-conditioned, five frames, weights in five files', () => run('self', 'transformer-self'));
    test('patches of two frames and two rows, no norm before cross-attention', () =>
      run('patches', 'transformer-patches'));
    test('with its blocks recomputed', () => run('model/transformer', 'transformer', { recompute: true }));
  });

  test('every linear layer goes through the hook under its diffusers path', async () => {
    const seen: string[] = [];
    await run('model/transformer', 'transformer-one-frame', {
      hooks: {
        linear(path, base, x) {
          seen.push(path);
          return linear(base, x);
        },
      },
    });
    const block = (index: number) =>
      ['attn1', 'attn2']
        .flatMap((name) => ['to_q', 'to_k', 'to_v', 'to_out.0'].map((layer) => `${name}.${layer}`))
        .concat('ffn.net.0.proj', 'ffn.net.2')
        .map((layer) => `blocks.${index}.${layer}`);
    const embedder = 'condition_embedder';
    expect(seen.sort()).toEqual(
      [
        ...block(0),
        ...block(1),
        `${embedder}.time_embedder.linear_1`,
        `${embedder}.time_embedder.linear_2`,
        `${embedder}.time_proj`,
        `${embedder}.text_embedder.linear_1`,
        `${embedder}.text_embedder.linear_2`,
        'patch_embedding',
        'proj_out',
      ].sort(),
    );
  });

  test('a forward pass leaves nothing behind', async () => {
    const before = tf.memory().numTensors;
    await run('model/transformer', 'transformer-one-frame');
    expect(tf.memory().numTensors).toBe(before);
  });
});
