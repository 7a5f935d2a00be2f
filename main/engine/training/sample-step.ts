import { attention, gelu, layerNorm } from '../backends/fused.ts';
import { lowRankLinear } from '../backends/low-rank-linear.ts';
import * as tf from '../backends/tf.ts';
import { traced } from '../backends/traced.ts';
import { adamW, biasCorrections, type Tensors } from './adamw.ts';

const [rows, width, heads, rank] = [2, 64, 2, 8];
/** As many as fit one tile of a graphics processor, as a small clip has, and an odd number of them. */
const tokenCounts = [48, 320, 131];
const options = { beta1: 0.9, beta2: 0.99, weightDecay: 0.01 };
const learningRate = 1e-3;

/** What one small step of training gave, by the learned matrices' names. */
interface SampleStep {
  gradients: Record<string, Float32Array>;
  /**
   * The largest relative error of AdamW's moments and of the new weights against the same arithmetic in 64 bits on the device's own
   * gradients: about 1e-7 where they stay float32, 4e-3 where anything passes through bfloat16.
   */
  optimiserError: number;
}

/**
 * A step like those that learn a concept (norm, low-rank linear layers on frozen weights, attention, GELU, AdamW), on fixed numbers, in one
 * program on whatever computes now. Comparing two devices' answers tells whether both can be trusted.
 */
async function sampleStep(tokens: number): Promise<SampleStep> {
  const random = (shape: number[], seed: number, scale: number) => tf.tensor(values(shape, seed, scale), shape);
  const names = ['qDown', 'qUp', 'outDown', 'outUp'];
  const shapeOf = (name: string) => (name.endsWith('Down') ? [width, rank] : [rank, width]);
  const named = (scale: number, first: number): Tensors =>
    Object.fromEntries(names.map((name, index) => [name, random(shapeOf(name), first + index, scale)]));
  const inputs = {
    x: random([rows, tokens, width], 1, 1),
    target: random([rows, tokens, width], 2, 1),
    weights: { q: random([width, width], 3, 0.15), out: random([width, width], 4, 0.15) },
    parameters: named(0.2, 10),
    first: named(1e-3, 20),
    second: Object.fromEntries(
      names.map((name, index) => [
        name,
        tf.tensor(values(shapeOf(name), 30 + index, 1e-5).map(Math.abs), shapeOf(name)),
      ]),
    ) as Tensors,
    rates: {
      learningRate: Object.fromEntries(names.map((name) => [name, tf.scalar(learningRate)])) as Tensors,
      correction1: tf.scalar(biasCorrections(options, 5)[0]),
      correction2: tf.scalar(biasCorrections(options, 5)[1]),
    },
  };
  const step = traced((given: typeof inputs) => {
    const loss = (...parameters: tf.Tensor[]) => {
      const [qDown, qUp, outDown, outUp] = parameters as tf.Tensor2D[];
      const { q, out } = given.weights as Record<'q' | 'out', tf.Tensor2D>;
      const normed = layerNorm(given.x);
      const queries = lowRankLinear(normed, q, undefined, qDown!, qUp!);
      const mixed = attention(queries, normed, normed, { heads });
      const answer = lowRankLinear(gelu(mixed, 'tanh'), out, undefined, outDown!, outUp!);
      return tf.mean(tf.square(tf.sub(tf.add(answer, given.x), given.target))) as tf.Scalar;
    };
    const gradients = tf.grads(loss)(names.map((name) => given.parameters[name]!));
    const byName = Object.fromEntries(names.map((name, index) => [name, gradients[index]!]));
    const { parameters, state } = adamW(options).update(given.parameters, byName, given, given.rates);
    return { gradients: byName, parameters, ...state };
  });
  const results = await step.run(inputs);
  const read = async (tensors: Tensors) =>
    Object.fromEntries(
      await Promise.all(
        Object.entries(tensors).map(async ([name, tensor]) => [name, Float32Array.from(await tensor.data())] as const),
      ),
    );
  const [gradients, parameters, first, second, before, firstBefore, secondBefore] = await Promise.all(
    [
      results.gradients,
      results.parameters,
      results.first,
      results.second,
      inputs.parameters,
      inputs.first,
      inputs.second,
    ].map(read),
  );
  step.dispose();
  tf.dispose([inputs, results] as unknown as tf.TensorContainer);

  let optimiserError = 0;
  const [correction1, correction2] = biasCorrections(options, 5);
  for (const name of names) {
    for (let i = 0; i < gradients![name]!.length; i++) {
      const gradient = gradients![name]![i]!;
      const m = options.beta1 * firstBefore![name]![i]! + (1 - options.beta1) * gradient;
      const v = options.beta2 * secondBefore![name]![i]! + (1 - options.beta2) * gradient ** 2;
      const direction = m / correction1 / (Math.sqrt(v / correction2) + 1e-8);
      const weight = before![name]![i]! * (1 - learningRate * options.weightDecay) - learningRate * direction;
      // Relative to the size of what was added up: a sum that nearly cancels is not less exact for that.
      const scale1 = Math.abs(options.beta1 * firstBefore![name]![i]!) + Math.abs((1 - options.beta1) * gradient);
      const scale = Math.abs(before![name]![i]!) + learningRate * Math.abs(direction);
      optimiserError = Math.max(
        optimiserError,
        Math.abs(first![name]![i]! - m) / (scale1 + 1e-12),
        Math.abs(second![name]![i]! - v) / (v + 1e-15),
        Math.abs(parameters![name]![i]! - weight) / (scale + 1e-12),
      );
    }
  }
  return { gradients: gradients!, optimiserError };
}

/** How far a device's gradients may be from the reference's, by the precision of its matrix products. */
const gradientLimits = { bf16: 2e-2, f32: 1e-5 };
const optimiserLimit = 1e-6;

/**
 * Compares what computes now with a reference, which `useReference` makes compute afterwards, on the sample step. Answers what was found,
 * for people; throws where the two disagree.
 */
export async function compareSampleSteps(
  precision: 'bf16' | 'f32',
  useReference: () => Promise<unknown>,
): Promise<string> {
  const tested: SampleStep[] = [];
  for (const tokens of tokenCounts) tested.push(await sampleStep(tokens));
  await useReference();
  let difference = 0;
  for (const [index, tokens] of tokenCounts.entries())
    difference = Math.max(difference, gradientDifference(await sampleStep(tokens), tested[index]!));
  if (!(difference <= gradientLimits[precision]))
    throw new Error(
      `its gradients differ by ${difference.toPrecision(2)} from the reference's, more than ${gradientLimits[precision]}`,
    );
  const optimiserError = Math.max(...tested.map((step) => step.optimiserError));
  if (!(optimiserError <= optimiserLimit))
    throw new Error(`it does not keep weights and moments in float32: an error of ${optimiserError.toPrecision(2)}`);
  return `tested here: gradients within ${difference.toPrecision(1)}, weights and moments in float32`;
}

/** Length of the difference of two steps' gradients, relative to the first's. */
function gradientDifference(reference: SampleStep, other: SampleStep): number {
  let [difference, length] = [0, 0];
  for (const [name, wanted] of Object.entries(reference.gradients)) {
    for (let i = 0; i < wanted.length; i++) {
      difference += (wanted[i]! - other.gradients[name]![i]!) ** 2;
      length += wanted[i]! ** 2;
    }
  }
  return Math.sqrt(difference / length);
}

/** Numbers in -scale..scale that are the same everywhere: a linear congruential generator. */
function values(shape: readonly number[], seed: number, scale: number): Float32Array {
  let state = seed * 7919 + 17;
  return Float32Array.from({ length: shape.reduce((product, size) => product * size, 1) }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return scale * (state / 2 ** 31 - 1);
  });
}
