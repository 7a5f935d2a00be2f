/**
 * Operations worth computing in one piece: GELU, norms, rotary embedding and attention.
 *
 * Every function works on every backend and is differentiable. A backend that has kernels of its own for them (fused-names.ts) runs
 * those, with hand-written gradients; any other composes them of plain operations.
 */
import { fusedKernels } from './fused-names.ts';
import * as tf from './tf.ts';

type KernelName = keyof typeof fusedKernels;

/** Whether the backend that computes now has a kernel of its own. */
const has = (kernel: KernelName) => Boolean(tf.getKernel(fusedKernels[kernel], tf.getBackend()));

function run<T extends tf.Tensor | tf.Tensor[]>(kernel: KernelName, inputs: tf.NamedTensorMap, attributes: object): T {
  return tf.engine().runKernel(fusedKernels[kernel], inputs, attributes as tf.NamedAttrMap) as T;
}

/** Gaussian error linear unit, exact (`erf`, PyTorch's default) or by its tanh approximation. x [...] -> [...] */
export function gelu(x: tf.Tensor, approximate: 'none' | 'tanh' = 'none'): tf.Tensor {
  if (has('gelu')) return run('gelu', { x }, { approximate });
  return tf.tidy(() => tf.mul(x, geluGate(x, approximate)));
}

/** The share of x that passes: Phi(x), or its tanh approximation. */
function geluGate(x: tf.Tensor, approximate: 'none' | 'tanh'): tf.Tensor {
  if (approximate === 'none') return tf.mul(0.5, tf.add(1, tf.erf(tf.mul(x, Math.SQRT1_2))));
  // 0.5 (1 + tanh u) = sigmoid(2 u), u = sqrt(2 / pi) (x + 0.044715 x^3)
  return tf.sigmoid(
    tf.mul(x, tf.add(2 * Math.sqrt(2 / Math.PI), tf.mul(2 * Math.sqrt(2 / Math.PI) * 0.044715, tf.square(x)))),
  );
}

/** Normalises the last axis to mean 0 and variance 1. x [..., size], scale and bias [size] -> [..., size] */
export function layerNorm(x: tf.Tensor, scale?: tf.Tensor, bias?: tf.Tensor, epsilon = 1e-6): tf.Tensor {
  return tf.tidy(() =>
    affine(
      has('layerNorm') ? run<tf.Tensor[]>('layerNorm', { x }, { epsilon })[0]! : plainLayerNorm(x, epsilon),
      scale,
      bias,
    ),
  );
}

function plainLayerNorm(x: tf.Tensor, epsilon: number): tf.Tensor {
  const centred = tf.sub(x, tf.mean(x, -1, true));
  return tf.mul(centred, tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), epsilon)));
}

/** Divides the last axis by its root mean square. x [..., size], scale [size] -> [..., size] */
export function rmsNorm(x: tf.Tensor, scale?: tf.Tensor, epsilon = 1e-6): tf.Tensor {
  return tf.tidy(() => {
    if (!has('rmsNorm')) return affine(plainRmsNorm(x, epsilon), scale);
    return run<tf.Tensor[]>('rmsNorm', { x, scale: scale ?? tf.ones([x.shape.at(-1)!]) }, { epsilon })[0]!;
  });
}

function plainRmsNorm(x: tf.Tensor, epsilon: number): tf.Tensor {
  return tf.mul(x, tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), epsilon)));
}

function affine(normal: tf.Tensor, scale?: tf.Tensor, bias?: tf.Tensor): tf.Tensor {
  const scaled = scale ? tf.mul(normal, scale) : normal;
  return bias ? tf.add(scaled, bias) : scaled;
}

/**
 * Rotary position embedding: turns each pair of channels (2 i, 2 i + 1) of every head by the angle of its token.
 * x [batch, tokens, heads * headSize], cos and sin [tokens, headSize / 2] -> as x. No gradient flows to cos and sin.
 * The pairs are interleaved, as in Wan (RoFormer, arXiv 2104.09864).
 */
export function rotary(x: tf.Tensor, cos: tf.Tensor, sin: tf.Tensor, { heads }: { heads: number }): tf.Tensor {
  const [batch, tokens, width] = x.shape as [number, number, number];
  const half = width / heads / 2;
  if (!Number.isInteger(half) || cos.shape[0] !== tokens || cos.shape[1] !== half || sin.shape[1] !== half)
    throw new Error(
      `rotary: x [${x.shape}] in ${heads} heads needs cos and sin of [${tokens}, ${half}], found [${cos.shape}] and [${sin.shape}]`,
    );
  if (has('rotary')) return run('rotary', { x, cos, sin }, { heads });
  return tf.tidy(() => {
    const pairs = tf.reshape(x, [batch, tokens, heads, half, 2]);
    const [even, odd] = tf.split(pairs, 2, 4) as [tf.Tensor, tf.Tensor]; // each [batch, tokens, heads, half, 1]
    const c = tf.reshape(cos, [1, tokens, 1, half, 1]);
    const s = tf.reshape(sin, [1, tokens, 1, half, 1]);
    const turned = tf.concat([tf.sub(tf.mul(even, c), tf.mul(odd, s)), tf.add(tf.mul(odd, c), tf.mul(even, s))], 4);
    return tf.reshape(turned, x.shape);
  });
}

export interface AttentionOptions {
  heads: number;
  /** Added to the scores before the softmax, [batch or 1, heads or 1, queries, keys]; no gradient flows to it. */
  bias?: tf.Tensor;
  /** What the scores are multiplied by: 1 / sqrt(headSize) unless given (T5: 1). */
  scale?: number;
}

/**
 * Scaled dot-product attention of several heads.
 * q [batch, queries, heads * headSize], k and v [batch, keys, heads * headSize] -> [batch, queries, heads * headSize]
 */
export function attention(q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, options: AttentionOptions): tf.Tensor {
  const { heads, bias } = options;
  const [batch, queries, width] = q.shape as [number, number, number];
  const headSize = width / heads;
  if (!Number.isInteger(headSize) || k.shape[2] !== width || `${k.shape}` !== `${v.shape}`)
    throw new Error(`attention: q [${q.shape}], k [${k.shape}], v [${v.shape}] do not fit ${heads} heads`);
  const scale = options.scale ?? 1 / Math.sqrt(headSize);
  if (has('attention'))
    return bias
      ? run('biasedAttention', { q, k, v, bias }, { heads, scale })
      : run('attention', { q, k, v }, { heads, scale });
  return tf.tidy(() => {
    const scores = tf.mul(tf.matMul(splitHeads(q, heads), splitHeads(k, heads), false, true), scale); // [batch, heads, queries, keys]
    const weights = tf.softmax(bias ? tf.add(scores, bias) : scores);
    const mixed = tf.matMul(weights, splitHeads(v, heads)); // [batch, heads, queries, headSize]
    return tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [batch, queries, width]);
  });
}

/** x [batch, tokens, heads * headSize] -> [batch, heads, tokens, headSize] */
function splitHeads(x: tf.Tensor, heads: number): tf.Tensor {
  const [batch, tokens, width] = x.shape as [number, number, number];
  return tf.transpose(tf.reshape(x, [batch, tokens, heads, width / heads]), [0, 2, 1, 3]);
}

type Gradient = Omit<tf.GradConfig, 'kernelName'>;

const gradients: Partial<Record<KernelName, Gradient>> = {
  gelu: {
    inputsToSave: ['x'],
    gradFunc: (dy, [x], attributes) => ({ x: () => run('geluGradient', { x: x!, dy: dy as tf.Tensor }, attributes) }),
  },
  layerNorm: {
    outputsToSave: [true, true],
    gradFunc: (dy, [normal, inverse]) => ({
      x: () => run('layerNormGradient', { dy: (dy as tf.Tensor[])[0]!, normal: normal!, inverse: inverse! }, {}),
    }),
  },
  rmsNorm: {
    inputsToSave: ['x', 'scale'],
    outputsToSave: [false, true],
    gradFunc: (dy, [x, scale, inverse]) => {
      const inputs = { dy: (dy as tf.Tensor[])[0]!, x: x!, scale: scale!, inverse: inverse! };
      const [dx, dScale] = run<tf.Tensor[]>('rmsNormGradient', inputs, {});
      return { x: () => dx!, scale: () => dScale! };
    },
  },
  rotary: {
    inputsToSave: ['cos', 'sin'],
    gradFunc: (dy, [cos, sin], { heads }) => ({
      x: () => run('rotary', { x: dy as tf.Tensor, cos: cos!, sin: sin! }, { heads, inverse: true }),
      cos: () => tf.fill(cos!.shape, 0),
      sin: () => tf.fill(sin!.shape, 0),
    }),
  },
  attention: {
    inputsToSave: ['q', 'k', 'v'],
    outputsToSave: [true],
    gradFunc: (dy, [q, k, v, output], attributes) =>
      attentionGradients({ q: q!, k: k!, v: v!, output: output!, dy: dy as tf.Tensor }, attributes),
  },
  biasedAttention: {
    inputsToSave: ['q', 'k', 'v', 'bias'],
    outputsToSave: [true],
    gradFunc: (dy, [q, k, v, bias, output], attributes) => ({
      ...attentionGradients({ q: q!, k: k!, v: v!, bias: bias!, output: output!, dy: dy as tf.Tensor }, attributes),
      bias: () => tf.fill(bias!.shape, 0),
    }),
  },
};

function attentionGradients(inputs: tf.NamedTensorMap, attributes: object) {
  const [q, k, v] = run<tf.Tensor[]>('attentionGradient', inputs, attributes);
  return { q: () => q!, k: () => k!, v: () => v! };
}

for (const [kernel, gradient] of Object.entries(gradients))
  tf.registerGradient({ kernelName: fusedKernels[kernel as KernelName], ...gradient });
