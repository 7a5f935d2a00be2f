import { z } from 'zod';
import { AppError } from '../../../../shared/ipc/result.ts';
import * as tf from '../../backends/tf.ts';
import type { Linear } from '../../nn/linear.ts';
import type { Random } from '../../nn/random.ts';
import type { Bottleneck } from '../additions.ts';
import { appearanceSize } from '../appearance.ts';
import type { PartKind } from '../part-kind.ts';

/** Bottlenecks of `hidden` beside the sub-layers at `paths`, all of one width; with `appearance` values of a picture as their condition, 0 for none. */
const bottleneckShape = z.object({
  paths: z.array(z.string()).min(1).max(10_000),
  width: z.int().positive(),
  hidden: z.int().positive(),
  appearance: z.int().nonnegative(),
  place: z.enum(['stream', 'normed', 'gated']),
  /** Into so many groups the sub-layers are divided, of which each is weighed by the noise level; where none is said they are not. */
  groups: z.int().positive().optional(),
});
export type BottleneckShape = z.infer<typeof bottleneckShape>;

/**
 * The adapters of DreamVideo (arXiv 2312.04433), L of them with d = width, h = hidden, c = appearance, e [batch, c] how a picture of the subject looks:
 *
 *   f(x) = GELU((x + e W_cond + b_cond) W_down + b_down) W_up + b_up,   W_down [d, h], W_up [h, d], W_cond [c, d]
 *
 * and with `groups` that times 2 sigmoid(t . v + b) of the sub-layer's group, v [d], t [batch, d] of the noise level (DualReal).
 *
 * W_up, b_up, v and b start at zero, the others as PyTorch's linear layers do. The part's slider is a factor on f, the gain of the appearance one on
 * e W_cond + b_cond.
 */
export const bottleneckKind: PartKind<BottleneckShape> = {
  shape: bottleneckShape,
  requireFit({ paths, width, appearance }, model) {
    const places = new Set(
      model.blocks.flatMap((block) => ['attn1', 'attn2', 'ffn'].map((name) => `${block}.${name}`)),
    );
    const strange = paths.find((path) => !places.has(path));
    const size = appearance === 0 || appearance === appearanceSize(model.latentChannels);
    if (strange === undefined && width === model.width && size) return;
    throw new AppError(
      'invalid-input',
      `the concept belongs to another model: what it adds at "${strange ?? paths[0]}" does not fit`,
      { hint: 'Choose the model that it was learned on.' },
    );
  },
  tensors({ paths: { length }, width, hidden, appearance, groups }) {
    return {
      'down.weight': [length, width, hidden],
      'down.bias': [length, hidden],
      'up.weight': [length, hidden, width],
      'up.bias': [length, width],
      ...(appearance > 0 ? { 'cond.weight': [length, appearance, width], 'cond.bias': [length, width] } : {}),
      ...(groups ? { 'level.weight': [groups, width], 'level.bias': [groups] } : {}),
    };
  },
  fresh(shape, random) {
    const { width, appearance } = shape;
    const fanIn: Record<string, number> = { down: width, cond: appearance };
    const fresh = Object.entries(bottleneckKind.tensors(shape)).map(([name, extent]) => {
      const inputs = fanIn[name.split('.')[0]!];
      return [name, inputs === undefined ? tf.zeros(extent) : uniform(extent, 1 / Math.sqrt(inputs), random)];
    });
    return Object.fromEntries(fresh);
  },
  add({ paths, appearance, place, groups }, tensors, given) {
    const of = (name: string) => tf.unstack(tensors[name]!);
    const [downWeights, downBiases] = [of('down.weight'), of('down.bias')];
    const [upWeights, upBiases] = [of('up.weight'), of('up.bias')];
    const shifts = appearance > 0 ? shiftsOf(tensors['cond.weight']!, tensors['cond.bias']!, given) : undefined;
    const levels = groups ? levelsOf(tensors['level.weight']!, tensors['level.bias']!) : [];
    const levelAt = (index: number) => levels[Math.floor((index * levels.length) / paths.length)];
    const branches = paths.map((path, index): [string, Bottleneck] => [
      path,
      {
        down: { weight: downWeights[index] as tf.Tensor2D, bias: downBiases[index] as tf.Tensor1D },
        up: { weight: upWeights[index] as tf.Tensor2D, bias: upBiases[index] as tf.Tensor1D },
        ...(shifts ? { shift: shifts[index]! } : {}),
        ...(levels.length > 0 ? { level: levelAt(index)! } : {}),
        place,
      },
    ]);
    return { branches: new Map(branches) };
  },
  mix(_, values, { appearance = 1 }, own) {
    const gains: Record<string, number> = { up: own, cond: appearance };
    const mixed = Object.entries(values).map(([name, numbers]) => {
      const gain = gains[name.split('.')[0]!] ?? 1;
      return [name, gain === 1 ? numbers : numbers.map((value) => gain * value)];
    });
    return Object.fromEntries(mixed);
  },
  linearIn: ['up.weight', 'up.bias'],
  readsAppearance: ({ appearance }) => appearance > 0,
};

/** e [batch, c], weight [L, c, d], bias [L, d] -> L shifts [batch, 1, d]; without e that of a blank appearance, [1, 1, d]. */
function shiftsOf(weight: tf.Tensor, bias: tf.Tensor, appearance: tf.Tensor | undefined): tf.Tensor[] {
  const [length, , width] = weight.shape as [number, number, number];
  const biases = tf.unstack(tf.reshape(bias, [length, 1, width]));
  if (!appearance) return biases.map((each) => tf.reshape(each, [1, 1, width]));
  return tf.unstack(weight).map((each, index) => {
    const shift = tf.add(tf.matMul(appearance as tf.Tensor2D, each as tf.Tensor2D), biases[index]!); // [batch, d]
    return tf.reshape(shift, [-1, 1, width]);
  });
}

/** weight [groups, d], bias [groups] -> of each group [d, 1] and [1] */
function levelsOf(weight: tf.Tensor, bias: tf.Tensor): Linear[] {
  const [groups, width] = weight.shape as [number, number];
  const weights = tf.split(tf.transpose(weight as tf.Tensor2D), groups, 1) as tf.Tensor2D[];
  const biases = tf.split(bias as tf.Tensor1D, groups) as tf.Tensor1D[];
  // Adam moves every number alike: without the root, wider models would learn faster here.
  return weights.map((each, group) => ({ weight: tf.div(each, Math.sqrt(width)), bias: biases[group]! }));
}

function uniform(shape: number[], limit: number, random: Random): tf.Tensor {
  const size = shape.reduce((product, length) => product * length, 1);
  return tf.tensor(
    Float32Array.from({ length: size }, () => limit * (2 * random.uniform() - 1)),
    shape,
  );
}
