import * as tf from '../../../../main/engine/backends/tf.ts';
import { wanDenoiser } from '../../../../main/engine/models/wan/denoiser.ts';
import type { TransformerParameters } from '../../../../main/engine/models/wan/transformer.ts';
import { transformerConfigSchema, transformerSpecs } from '../../../../main/engine/models/wan/transformer-config.ts';
import { Random } from '../../../../main/engine/nn/random.ts';
import { treeFromEntries } from '../../../../main/engine/nn/tree.ts';

/** A self-conditioned transformer of one narrow block with random weights. */
export function toyTransformer(seed = 1) {
  const config = transformerConfigSchema.parse({
    num_attention_heads: 2,
    attention_head_dim: 6,
    in_channels: 4,
    out_channels: 2,
    text_dim: 5,
    freq_dim: 8,
    ffn_dim: 16,
    num_layers: 1,
  });
  const random = new Random(seed);
  const parameters = treeFromEntries(
    [...transformerSpecs(config)].map(([name, { stored, view = stored, axes }]) => {
      const shape = axes ? axes.map((axis) => view[axis]!) : view;
      const size = shape.reduce((product, length) => product * length, 1);
      const scale = name.includes('norm') ? 1 : 0.3;
      return [
        name,
        tf.tensor(
          random.normals(size).map((value) => scale * value),
          shape,
        ),
      ];
    }),
  ) as TransformerParameters;
  return { config, parameters };
}

export function toyDenoiser() {
  const { config, parameters } = toyTransformer();
  return wanDenoiser(config, parameters);
}
