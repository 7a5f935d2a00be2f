import * as tf from '../../backends/tf.ts';
import { type Perceptual, perceptualDistance } from '../../models/judge/perceptual.ts';
import { type DiscriminatorParameters, discriminate, hingeLoss } from '../../models/vidtwin/patch-discriminator.ts';
import type { TwinConfig } from '../../models/vidtwin/twin-config.ts';
import {
  type Twin,
  twinDecodeHidden,
  twinDivergence,
  twinMoments,
  twinPixels,
} from '../../models/vidtwin/twin-network.ts';
import type { TwinParameters } from '../../models/vidtwin/twin-parameters.ts';
import { treeFromEntries } from '../../nn/tree.ts';
import type { Tensors } from '../adamw.ts';

/** Everything about one step that comes from its clips and its seed. */
export type TwinBatch = {
  /** [batch, 3, frames, height, width] in -1..1 */
  clips: tf.Tensor;
  /** Standard normal numbers of the latents' shapes; zeros give the means. */
  noise: Twin<tf.Tensor>;
  /** 0 where a clip must do without that latent [batch, 1, 1, 1]. */
  keep: { structure: tf.Tensor; dynamics: tf.Tensor };
  /** One row for each frame that the perceptual and adversarial terms look at, with a 1 at its place [looked at, frames]. */
  looked: tf.Tensor;
};

/** How much each term counts. The L1 term counts 1. */
interface TwinWeights {
  perceptual: number;
  /** Of the adversarial term, beside the balance that is found in every step. */
  adversarial: number;
  /** Of the divergence summed over a clip's latents, divided by the numbers of a frame. */
  divergence: number;
}

export interface TwinObjective {
  config: TwinConfig;
  perceptual: Perceptual;
  weights: TwinWeights;
  /** Compute each block again for its gradients, instead of keeping its activations. */
  recompute?: boolean;
}

/** From which terms a step takes gradients; the adversarial ones come late. */
export interface TwinPhase {
  /** The discriminator learns. */
  judges: boolean;
  /** Its opinion counts for the network too. */
  isJudged: boolean;
}

export type TwinGradients = {
  gradients: Tensors;
  /** Of the discriminator, where it learns. */
  judging: Tensors;
  /** Scalars. */
  terms: { loss: tf.Tensor; l1: tf.Tensor; perceptual: tf.Tensor; divergence: tf.Tensor };
  adversarial: { network?: tf.Tensor; balance?: tf.Tensor; discriminator?: tf.Tensor };
};

/** The last layer, at which the adversarial term is balanced against the others, as in the reference. */
const lastWeight = 'patch_out.weight';
const lastBias = 'patch_out.bias';
const largestBalance = 1e4;

/**
 * Loss and gradients of one step (arXiv 2412.17726, section 3.3): L1 + a perceptual + b balance adversarial + c divergence, where the balance is
 * the length of the gradient of the other terms at the last layer by that of the adversarial one's, at most 10^4. Sums over a frame's numbers
 * in the reference are means here. weights and judge by name.
 */
export function twinGradients(
  objective: TwinObjective,
  { judges, isJudged }: TwinPhase,
  weights: Tensors,
  judge: Tensors,
  batch: TwinBatch,
): TwinGradients {
  const { config, perceptual } = objective;
  const [, , , height, width] = batch.clips.shape as [number, number, number, number, number];
  const scale = objective.weights.divergence / (3 * height * width);
  const real = pick(batch.clips, batch.looked);

  type Inside = Omit<ReturnType<typeof forward>, 'divergence'>;
  const forward = (given: Tensors) => {
    const parameters = treeFromEntries(Object.entries(given)) as TwinParameters;
    const moments = twinMoments(config, parameters, batch.clips, objective);
    const drawn = (name: 'structure' | 'dynamics') => {
      const { mean, logVariance } = moments[name]!;
      return tf.add(mean, tf.mul(batch.noise[name]!, tf.exp(tf.mul(logVariance, 0.5))));
    };
    const latents = { structure: drawn('structure'), ...(moments.dynamics ? { dynamics: drawn('dynamics') } : {}) };
    const decoded = twinDecodeHidden(config, parameters, latents, [height, width], batch.keep, objective);
    return { ...decoded, direct: parameters.direct, divergence: twinDivergence(moments) };
  };
  const pixels = (weight: tf.Tensor, bias: tf.Tensor, { hidden, patches, direct }: Inside) =>
    twinPixels(
      config,
      { patch_out: { weight: weight as tf.Tensor2D, bias: bias as tf.Tensor1D }, ...(direct ? { direct } : {}) },
      hidden,
      [height, width],
      patches,
    );
  const plainTerms = (made: tf.Tensor, divergence: tf.Tensor) => {
    const l1 = tf.mean(tf.abs(tf.sub(made, batch.clips)));
    const seen = perceptualDistance(perceptual, pick(made, batch.looked), real);
    const loss = tf.addN([l1, tf.mul(seen, objective.weights.perceptual), tf.mul(divergence, scale)]);
    return { loss, l1, perceptual: seen, divergence };
  };
  const discriminator = (given: Tensors) => treeFromEntries(Object.entries(given)) as DiscriminatorParameters;
  const opinion = (made: tf.Tensor) => tf.neg(tf.mean(discriminate(discriminator(judge), pick(made, batch.looked))));

  const adversarial: TwinGradients['adversarial'] = {};
  if (isJudged) {
    const { divergence, ...made } = forward(weights);
    const lengthOf = (loss: (made: tf.Tensor) => tf.Tensor) =>
      tf.norm(tf.grad((last) => loss(pixels(last, weights[lastBias]!, made)))(weights[lastWeight]!));
    const own = lengthOf((pictures) => plainTerms(pictures, divergence).loss);
    const others = lengthOf(opinion);
    adversarial.balance = tf.minimum(tf.div(own, tf.add(others, 1e-4)), largestBalance);
  }

  const names = Object.keys(weights);
  /** What comes out beside the loss: kept until the gradients are there, and then handed on in the caller's scope. */
  const aside: Record<string, tf.Tensor> = {};
  const { grads } = tf.valueAndGrads((...values: tf.Tensor[]) => {
    const given = Object.fromEntries(names.map((name, index) => [name, values[index]!]));
    const { divergence, ...inside } = forward(given);
    const made = pixels(given[lastWeight]!, given[lastBias]!, inside);
    const terms = plainTerms(made, divergence);
    if (judges) aside.looked = tf.keep(pick(made, batch.looked));
    if (adversarial.balance) {
      aside.network = tf.keep(opinion(made));
      const share = tf.mul(adversarial.balance, objective.weights.adversarial);
      terms.loss = tf.add(terms.loss, tf.mul(share, aside.network));
    }
    for (const [name, term] of Object.entries(terms)) aside[name] = tf.keep(term);
    return terms.loss as tf.Scalar;
  })(names.map((name) => weights[name]!));
  const handOn = (name: string) => {
    const copy = tf.clone(aside[name]!);
    aside[name]!.dispose();
    return copy;
  };
  const [loss, l1, seen, divergence] = ['loss', 'l1', 'perceptual', 'divergence'].map(handOn);
  const terms = { loss: loss!, l1: l1!, perceptual: seen!, divergence: divergence! };
  if (aside.network) adversarial.network = handOn('network');

  const judging: Tensors = {};
  if (judges) {
    const looked = handOn('looked');
    const judgeNames = Object.keys(judge);
    const learned = tf.valueAndGrads((...values: tf.Tensor[]) => {
      const given = discriminator(Object.fromEntries(judgeNames.map((name, index) => [name, values[index]!])));
      return hingeLoss(discriminate(given, real), discriminate(given, looked));
    })(judgeNames.map((name) => judge[name]!));
    adversarial.discriminator = learned.value;
    for (const [index, name] of judgeNames.entries()) judging[name] = learned.grads[index]!;
  }
  const gradients = Object.fromEntries(names.map((name, index) => [name, grads[index]!]));
  return { gradients, judging, terms, adversarial };
}

/** clips [batch, 3, frames, height, width], looked [k, frames] of ones and zeros -> [batch * k, 3, height, width] */
function pick(clips: tf.Tensor, looked: tf.Tensor): tf.Tensor {
  const [batch, channels, frames, height, width] = clips.shape as [number, number, number, number, number];
  const [count] = looked.shape as [number];
  const first = tf.reshape(tf.transpose(clips, [2, 0, 1, 3, 4]), [frames, batch * channels * height * width]);
  return tf.reshape(tf.matMul(looked, first), [count * batch, channels, height, width]);
}
