import type { ConceptShape } from '../../../../main/engine/adapters/set-and-sequence.ts';
import { lowRankLinear } from '../../../../main/engine/backends/low-rank-linear.ts';
import * as tf from '../../../../main/engine/backends/tf.ts';
import { traced } from '../../../../main/engine/backends/traced.ts';
import type { Hooks } from '../../../../main/engine/nn/hooks.ts';
import { linear } from '../../../../main/engine/nn/linear.ts';
import { adamW, clipGlobalNorm, type Tensors } from '../../../../main/engine/training/adamw.ts';
import { addNoise, predictedClean, velocityLoss } from '../../../../main/engine/training/flow-matching.ts';
import type { ConceptStep, StepInputs, StepOutputs, TrainableModel } from '../../../../main/engine/training/step.ts';
import type { Recipe } from '../../../../shared/domain/recipe.ts';

/**
 * A step of Set-and-Sequence or plain LoRA as the equations stand, knowing nothing of parts and stages: where the residual B2 is among
 * `names`, W' = W + A1 B1 + A1 (B2 * mask), else W' = W + A1 (B1 * mask). The basis is on the output side.
 */
export function referenceStep(
  model: TrainableModel,
  { shape, names, recipe }: { shape: ConceptShape; names: string[]; recipe: Recipe },
  conditioned: boolean,
): ConceptStep {
  const optimiser = adamW(recipe);
  return traced(({ weights, moments, batch, rates }: StepInputs): StepOutputs => {
    const noisy = addNoise(batch.clean, batch.noise, batch.level);
    const hooksOf = (given: Tensors): Hooks => {
      const [mask] = Object.values(batch.masks);
      const masked = (b: tf.Tensor) => (mask ? tf.mul(b, mask) : b);
      const [coefficients, residual] = [given['concept.coefficients']!, given['concept.residual']!];
      const mixed = names.includes('concept.residual') ? tf.add(coefficients, masked(residual)) : masked(coefficients);
      const bases = tf.split(given['concept.basis']!, outSizes(shape), 0);
      const mixtures = tf.split(mixed, inSizes(shape), 1);
      return {
        linear(path, base, x) {
          const index = shape.layers.findIndex((layer) => layer.path === path);
          if (index < 0) return linear(base, x);
          const down = tf.transpose(mixtures[index] as tf.Tensor2D);
          const up = tf.transpose(bases[index] as tf.Tensor2D);
          return lowRankLinear(x, base.weight, base.bias, down, up);
        },
      };
    };
    const predict = (given: Tensors, text: tf.Tensor, previous: tf.Tensor | null) =>
      model.denoise(noisy, previous, batch.timestep, text, hooksOf(given));
    const start = model.selfConditioned ? tf.zerosLike(noisy) : null;
    const detached = tf.customGrad((x) => {
      const text = x as tf.Tensor;
      const value = predictedClean(noisy, predict(weights, text, start), batch.level);
      return { value, gradFunc: () => tf.fill(text.shape, 0) };
    });
    const trainable = names.map((name) => weights[name]!);
    const { value: loss, grads } = tf.valueAndGrads((...values: tf.Tensor[]) => {
      const given: Tensors = { ...weights, ...named(values) };
      const texts = tf.concat([model.encodeLearned!(given['words.rows'] as tf.Tensor2D), batch.texts], 0);
      const [count, tokens, width] = texts.shape as [number, number, number];
      const rows = tf.matMul(batch.choice, tf.reshape(texts, [count, tokens * width]));
      const text = tf.mul(tf.reshape(rows, [batch.choice.shape[0]!, tokens, width]), batch.kept);
      const previous = start && conditioned ? detached(text) : start;
      return velocityLoss(predict(given, text, previous), batch.clean, batch.noise, batch.weight);
    })(trainable);
    const { gradients } = clipGlobalNorm(named(grads), recipe.gradientClip);
    const { parameters, state } = optimiser.update(named(trainable), gradients, moments, rates);
    return { trained: parameters, moments: state, loss };

    function named(values: tf.Tensor[]): Tensors {
      return Object.fromEntries(names.map((name, index) => [name, values[index]!]));
    }
  });
}

const outSizes = ({ layers }: ConceptShape) => layers.map(({ outSize }) => outSize);
const inSizes = ({ layers }: ConceptShape) => layers.map(({ inSize }) => inSize);
