import { enlargement } from '../../../../shared/domain/engine.ts';
import * as tf from '../../backends/tf.ts';
import type { ParameterSpecs } from '../../nn/parameters.ts';

const scale = enlargement;
const channels = 64;
const layers = 16;

/** A convolution of 3 x 3, its weight [3, 3, in, out] and bias [out]. */
type Convolution = { weight: tf.Tensor4D; bias: tf.Tensor1D };
/** The slopes of a PReLU [channels]. */
type Slopes = { weight: tf.Tensor1D };
/** One after the other, by their places. */
export type SuperResolutionParameters = { body: Record<string, Convolution | Slopes> };

/** The names of PyTorch's `nn.ModuleList`: convolutions at even places, PReLUs between them. */
export function superResolutionSpecs(): ParameterSpecs {
  const specs: ParameterSpecs = new Map();
  const sizes = [[3, channels], ...Array<number[]>(layers).fill([channels, channels]), [channels, 3 * scale ** 2]];
  for (const [index, [inputs, outputs]] of sizes.entries()) {
    specs.set(`body.${2 * index}.weight`, { stored: [outputs!, inputs!, 3, 3], axes: [2, 3, 1, 0] });
    specs.set(`body.${2 * index}.bias`, { stored: [outputs!] });
    if (index <= layers) specs.set(`body.${2 * index + 1}.weight`, { stored: [outputs!] });
  }
  return specs;
}

/**
 * Real-ESRGAN's compact network (Wang et al., arXiv 2107.10833): a chain of convolutions whose last one gives the pixels of each 4 x 4
 * block, which are added to the picture enlarged by repeating. Pictures [batch, height, width, 3] in 0..1 -> [batch, 4 height, 4 width, 3].
 */
export function superResolution({ body }: SuperResolutionParameters, pictures: tf.Tensor4D): tf.Tensor4D {
  return tf.tidy(() => {
    let x: tf.Tensor4D = pictures;
    for (const layer of Object.values(body))
      x = 'bias' in layer ? tf.add(tf.conv2d(x, layer.weight, 1, 'same'), layer.bias) : prelu(x, layer.weight);
    const [batch, height, width] = pictures.shape;
    // [.., 3 * 16] holds, for each colour, the rows of its block.
    const blocks = tf.reshape(x, [batch, height, width, 3, scale, scale]);
    const spread = tf.reshape(tf.transpose(blocks, [0, 1, 4, 2, 5, 3]), [batch, height * scale, width * scale, 3]);
    const repeated = tf.tile(tf.reshape(pictures, [batch, height, 1, width, 1, 3]), [1, 1, scale, 1, scale, 1]);
    return tf.clipByValue(tf.add(spread, tf.reshape(repeated, spread.shape)), 0, 1) as tf.Tensor4D;
  });
}

function prelu(x: tf.Tensor4D, slopes: tf.Tensor1D): tf.Tensor4D {
  return tf.sub(tf.relu(x), tf.mul(tf.relu(tf.neg(x)), slopes));
}
