import * as tf from '../backends/tf.ts';
import type { SchedulerConfig, UniPcConfig } from '../models/scheduler-config.ts';

/**
 * Every solver here is a linear multistep method in the predictions of the clean latents:
 * a step first corrects the current sample, then predicts the next one, both as weighted sums of tensors at hand.
 */
export interface SolverStep {
  sigma: number;
  /** Corrected sample = sample * x + last * (corrected sample of the step before) + sum of predictions[j] * m[j]; m[0] is the newest. */
  correct: { sample: number; last: number; predictions: number[] };
  /** Next sample = sample * corrected + sum of predictions[j] * m[j]. */
  predict: { sample: number; predictions: number[] };
}

/** The weights of every step down these noise levels. Each `predictions` has `historyLength(config)` entries. */
export function solverSteps(config: SchedulerConfig, sigmas: readonly number[]): SolverStep[] {
  return config._class_name === 'UniPCMultistepScheduler' ? uniPcSteps(config, sigmas) : eulerSteps(sigmas);
}

/** How many predictions of the clean latents a step looks at, its own included. */
function historyLength(config: SchedulerConfig): number {
  return config._class_name === 'UniPCMultistepScheduler' ? config.solver_order + 1 : 1;
}

/** x' = x + (sigma' - sigma) * flow, with flow = (x - m) / sigma */
function eulerSteps(sigmas: readonly number[]): SolverStep[] {
  return sigmas.slice(0, -1).map((sigma, index) => {
    const ratio = sigmas[index + 1]! / sigma;
    return {
      sigma,
      correct: { sample: 1, last: 0, predictions: [0] },
      predict: { sample: ratio, predictions: [1 - ratio] },
    };
  });
}

/** UniPC (arXiv 2302.04867, algorithms 5 and 6) with B(h) = h or e^h - 1, predicting clean data. */
function uniPcSteps(config: UniPcConfig, sigmas: readonly number[]): SolverStep[] {
  const count = sigmas.length - 1;
  let previousOrder = 0;
  return Array.from({ length: count }, (_, index) => {
    const corrects = index > 0 && !config.disable_corrector.includes(index - 1);
    const correct = corrects
      ? corrector(config, sigmas, index, previousOrder)
      : { sample: 1, last: 0, predictions: new Array<number>(config.solver_order + 1).fill(0) };
    const wanted = config.lower_order_final ? Math.min(config.solver_order, count - index) : config.solver_order;
    const order = Math.min(wanted, index + 1);
    previousOrder = order;
    return { sigma: sigmas[index]!, correct, predict: predictor(config, sigmas, index, order) };
  });
}

/** Half the logarithm of the signal-to-noise ratio. */
const lambda = (sigma: number) => Math.log(1 - sigma) - Math.log(sigma);

/** From sigmas[index] to sigmas[index + 1]; m[0] is the prediction at sigmas[index], m[j] that at sigmas[index - j]. */
function predictor(config: UniPcConfig, sigmas: readonly number[], index: number, order: number) {
  const [from, to] = [sigmas[index]!, sigmas[index + 1]!];
  const interval = stepInterval(config, from, to);
  const ratios = Array.from(
    { length: order - 1 },
    (_, i) => (lambda(sigmas[index - i - 1]!) - lambda(from)) / interval.h,
  );
  const weights = order === 2 ? [0.5] : solve(orderConditions(interval, ratios, order - 1));
  const predictions = new Array<number>(config.solver_order + 1).fill(0);
  predictions[0] = -(1 - to) * interval.phi1;
  ratios.forEach((ratio, i) => {
    const weight = (-(1 - to) * interval.scale * weights[i]!) / ratio;
    predictions[i + 1]! += weight;
    predictions[0]! -= weight;
  });
  return { sample: to / from, predictions };
}

/** The step from sigmas[index - 1] to sigmas[index] again, now knowing the prediction there: m[0]; m[1] is that at index - 1. */
function corrector(config: UniPcConfig, sigmas: readonly number[], index: number, order: number) {
  const [from, to] = [sigmas[index - 1]!, sigmas[index]!];
  const interval = stepInterval(config, from, to);
  const ratios = Array.from(
    { length: order - 1 },
    (_, i) => (lambda(sigmas[index - i - 2]!) - lambda(from)) / interval.h,
  );
  const weights = order === 1 ? [0.5] : solve(orderConditions(interval, [...ratios, 1], order));
  const predictions = new Array<number>(config.solver_order + 1).fill(0);
  predictions[1] = -(1 - to) * interval.phi1;
  [...ratios, 1].forEach((ratio, i) => {
    const weight = (-(1 - to) * interval.scale * weights[i]!) / ratio;
    predictions[i < order - 1 ? i + 2 : 0]! += weight;
    predictions[1]! -= weight;
  });
  return { sample: 0, last: to / from, predictions };
}

interface Interval {
  h: number;
  /** e^-h - 1 */
  phi1: number;
  /** B(h) */
  scale: number;
}

function stepInterval(config: UniPcConfig, from: number, to: number): Interval {
  const h = lambda(to) - lambda(from);
  const phi1 = Math.expm1(-h);
  return { h, phi1, scale: config.solver_type === 'bh1' ? -h : phi1 };
}

/** The paper's R(h) rho = phi(h) / B(h): `size` rows, each with its right-hand side appended. */
function orderConditions({ h, phi1, scale }: Interval, ratios: readonly number[], size: number): number[][] {
  let phi = phi1 / -h - 1;
  let factorial = 1;
  return Array.from({ length: size }, (_, power) => {
    const row = [...ratios.slice(0, size).map((ratio) => ratio ** power), (phi * factorial) / scale];
    factorial *= power + 2;
    phi = phi / -h - 1 / factorial;
    return row;
  });
}

/** Gaussian elimination with pivoting; each row ends with its right-hand side. */
function solve(rows: number[][]): number[] {
  const size = rows.length;
  for (let column = 0; column < size; column++) {
    const rest = rows.slice(column);
    const pivot = rest.reduce((best, row) => (Math.abs(row[column]!) > Math.abs(best[column]!) ? row : best));
    rows.splice(rows.indexOf(pivot), 1);
    rows.splice(column, 0, pivot);
    for (let row = 0; row < size; row++) {
      if (row === column) continue;
      const factor = rows[row]![column]! / pivot[column]!;
      rows[row] = rows[row]!.map((value, i) => value - factor * pivot[i]!);
    }
  }
  return rows.map((row, index) => row[size]! / row[index]!);
}

/** What a solver carries from step to step. All tensors have the shape of the latents. */
export type SolverState = {
  sample: tf.Tensor;
  /** The corrected sample of the step before. */
  last: tf.Tensor;
  /** Earlier predictions of the clean latents, the newest first: one less than `historyLength`. */
  history: tf.Tensor[];
};

/** The state before the first step. The caller owns it; `sample` stays the caller's. */
export function startState(config: SchedulerConfig, sample: tf.Tensor): SolverState {
  const zeros = () => tf.zeros(sample.shape);
  return { sample: tf.clone(sample), last: zeros(), history: Array.from({ length: historyLength(config) - 1 }, zeros) };
}

/** A step's numbers as one tensor, so that a recorded step serves all of them. */
export function stepWeights({ sigma, correct, predict }: SolverStep): tf.Tensor1D {
  return tf.tensor1d([
    sigma,
    correct.sample,
    correct.last,
    ...correct.predictions,
    predict.sample,
    ...predict.predictions,
  ]);
}

/** One step: predicted flow and state -> next state, and the prediction of the clean latents. The caller owns what comes back. */
export function advance(
  { sample, last, history }: SolverState,
  flow: tf.Tensor,
  weights: tf.Tensor1D,
): { state: SolverState; prediction: tf.Tensor } {
  const [sigma, correctSample, correctLast, ...rest] = tf.split(weights, weights.size) as tf.Tensor[];
  const count = history.length + 1;
  const [correct, [predictSample, ...predict]] = [rest.slice(0, count), rest.slice(count)];
  const prediction = tf.sub(sample, tf.mul(flow, sigma!));
  const known = [prediction, ...history];
  const mixture = (parts: tf.Tensor[]) => tf.addN(parts.map((part, index) => tf.mul(known[index]!, part)));
  const corrected = tf.addN([tf.mul(sample, correctSample!), tf.mul(last, correctLast!), mixture(correct)]);
  const next = tf.add(tf.mul(corrected, predictSample!), mixture(predict));
  const remembered = known.slice(0, -1).map((kept) => tf.clone(kept)); // so that every tensor has one owner
  return { state: { sample: next, last: corrected, history: remembered }, prediction };
}
