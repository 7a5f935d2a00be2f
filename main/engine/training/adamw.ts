import * as tf from '../backends/tf.ts';

/** Tensors by name; what an optimiser moves and what it remembers have the same names and shapes. */
export type Tensors = Record<string, tf.Tensor>;

export type AdamWState = { first: Tensors; second: Tensors };

export interface AdamWOptions {
  beta1: number;
  beta2: number;
  weightDecay: number;
  epsilon?: number;
}

/** What changes with every step, as tensors, so that a recorded step can be replayed: a learning rate for each parameter's name. */
export type AdamWRates = { learningRate: Tensors; correction1: tf.Tensor; correction2: tf.Tensor };

/** The bias corrections 1 - beta^step of step 1, 2, ... */
export function biasCorrections({ beta1, beta2 }: AdamWOptions, step: number): [number, number] {
  return [1 - beta1 ** step, 1 - beta2 ** step];
}

/** AdamW (Loshchilov and Hutter, arXiv 1711.05101): Adam with the decay of the weights apart from the gradient, as in PyTorch. */
export function adamW({ beta1, beta2, weightDecay, epsilon = 1e-8 }: AdamWOptions) {
  return {
    /** Zero moments for these parameters; the caller owns them. */
    init: (parameters: Tensors): AdamWState => ({
      first: mapTensors(parameters, (value) => tf.zeros(value.shape)),
      second: mapTensors(parameters, (value) => tf.zeros(value.shape)),
    }),

    /** One step. Answers new tensors and frees none. */
    update(parameters: Tensors, gradients: Tensors, state: AdamWState, rates: AdamWRates) {
      const first = mapTensors(gradients, (gradient, name) =>
        tf.add(tf.mul(state.first[name]!, beta1), tf.mul(gradient, 1 - beta1)),
      );
      const second = mapTensors(gradients, (gradient, name) =>
        tf.add(tf.mul(state.second[name]!, beta2), tf.mul(tf.square(gradient), 1 - beta2)),
      );
      const updated = mapTensors(parameters, (value, name) => {
        const rate = rates.learningRate[name]!;
        const direction = tf.div(
          tf.div(first[name]!, rates.correction1),
          tf.add(tf.sqrt(tf.div(second[name]!, rates.correction2)), epsilon),
        );
        const decayed = tf.mul(value, tf.sub(1, tf.mul(rate, weightDecay)));
        return tf.sub(decayed, tf.mul(direction, rate));
      });
      return { parameters: updated, state: { first, second } };
    },
  };
}

/** Scales all gradients down together until their common length is at most `limit`; answers that length too. */
export function clipGlobalNorm(gradients: Tensors, limit: number): { gradients: Tensors; norm: tf.Scalar } {
  const squares = Object.values(gradients).map((gradient) => tf.sum(tf.square(gradient)));
  const norm = tf.sqrt(tf.addN(squares)) as tf.Scalar;
  const scale = tf.minimum(1, tf.div(limit, tf.add(norm, 1e-6)));
  return { gradients: mapTensors(gradients, (gradient) => tf.mul(gradient, scale)), norm };
}

function mapTensors(tensors: Tensors, change: (tensor: tf.Tensor, name: string) => tf.Tensor): Tensors {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, change(tensor, name)]));
}
