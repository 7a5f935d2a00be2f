import { z } from 'zod';
import * as tf from '../../backends/tf.ts';
import type { LinearLayer } from '../../nn/linear-layers.ts';
import type { PartKind } from '../part-kind.ts';
import { requireLayers, targetLayer } from '../target-layers.ts';

const denseShape = z.object({ layers: z.array(targetLayer).min(1) });
export type DenseShape = { layers: readonly LinearLayer[] };

/** Whole weights: W' = W + D in every layer, all D [in, out] one after the other in `delta`. */
export const dense: PartKind<DenseShape> = {
  shape: denseShape,
  requireFit: ({ layers }, model) => requireLayers(layers, model.layers),
  tensors: ({ layers }) => ({ delta: [sizes(layers).reduce((total, size) => total + size, 0)] }),
  fresh: (shape) => ({ delta: tf.zeros(dense.tensors(shape).delta!) }),
  add({ layers }, { delta }) {
    const flat = tf.split(delta!, sizes(layers));
    const changes = layers.map(({ path, inSize, outSize }, index): [string, tf.Tensor2D] => [
      path,
      tf.reshape(flat[index]!, [inSize, outSize]),
    ]);
    return { dense: new Map(changes) };
  },
  mix: (_, { delta }, __, own) => ({ delta: own === 1 ? delta! : delta!.map((value) => own * value) }),
  linearIn: ['delta'],
};

const sizes = (layers: readonly LinearLayer[]) => layers.map(({ inSize, outSize }) => inSize * outSize);
