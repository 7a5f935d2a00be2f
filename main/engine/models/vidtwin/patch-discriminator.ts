import { layerNorm } from '../../backends/fused.ts';
import * as tf from '../../backends/tf.ts';
import { convolve2d, type PictureConvolution } from '../../nn/conv.ts';
import type { ParameterSpecs } from '../../nn/parameters.ts';
import type { Norm } from './twin-parameters.ts';

/** What tells real pictures from made ones, patch by patch; only training has it (Isola et al., arXiv 1611.07004). */
export type DiscriminatorParameters = {
  first: PictureConvolution;
  convs: { [index: string]: PictureConvolution };
  norms: { [index: string]: Norm };
  last: PictureConvolution;
};

/** Strides of the convolutions between the first, which halves, and the last. */
const strides = [2, 2, 1];
const normEpsilon = 1e-5;

/** 4 x 4 convolutions: 3 -> c, 2 c, 4 c, 8 c, 1 channels. */
export function discriminatorSpecs(channels: number): ParameterSpecs {
  const specs: ParameterSpecs = new Map();
  const convolution = (path: string, inSize: number, outSize: number) => {
    specs.set(`${path}.weight`, { stored: [outSize, inSize, 4, 4], axes: [2, 3, 1, 0] });
    specs.set(`${path}.bias`, { stored: [outSize] });
  };
  convolution('first', 3, channels);
  for (const index of strides.keys()) {
    convolution(`convs.${index}`, channels * 2 ** index, channels * 2 ** (index + 1));
    for (const name of ['weight', 'bias'])
      specs.set(`norms.${index}.${name}`, { stored: [channels * 2 ** (index + 1)] });
  }
  convolution('last', channels * 2 ** strides.length, 1);
  return specs;
}

/** Pictures smaller than this have no patch that it could look at. */
export const smallestJudged = 24;

/** frames [n, 3, height, width] in -1..1 -> a logit for each patch [n, 1, rows, columns], above 0 where it looks real */
export function discriminate(parameters: DiscriminatorParameters, frames: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    let x = tf.leakyRelu(convolve2d(parameters.first, tf.transpose(frames, [0, 2, 3, 1]), 2), 0.2);
    for (const [index, stride] of strides.entries()) {
      const { weight, bias } = parameters.norms[index]!;
      x = tf.leakyRelu(layerNorm(convolve2d(parameters.convs[index]!, x, stride), weight, bias, normEpsilon), 0.2);
    }
    return tf.transpose(convolve2d(parameters.last, x), [0, 3, 1, 2]);
  });
}

/** What it learns by: -> scalar, ½ (mean of max(0, 1 - real) + mean of max(0, 1 + made)) */
export function hingeLoss(real: tf.Tensor, made: tf.Tensor): tf.Scalar {
  return tf.tidy(
    () => tf.mul(0.5, tf.add(tf.mean(tf.relu(tf.sub(1, real))), tf.mean(tf.relu(tf.add(1, made))))) as tf.Scalar,
  );
}
