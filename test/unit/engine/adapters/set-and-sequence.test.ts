import { beforeAll, describe, expect, it } from 'vitest';
import {
  conceptHooks,
  conceptSizes,
  freshConcept,
  identityAdapter,
  mixCoefficients,
  motionAdapter,
} from '../../../../main/engine/adapters/set-and-sequence.ts';
import { linearLayers, targetLayers } from '../../../../main/engine/adapters/target-layers.ts';
import * as tf from '../../../../main/engine/backends/tf.ts';
import { linear } from '../../../../main/engine/nn/linear.ts';
import { Random } from '../../../../main/engine/nn/random.ts';
import { difference, randomConcept, toyModel, toyShape, values } from './toy.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

for (const side of ['output', 'input'] as const) {
  describe(`a concept whose basis is on the ${side} side`, () => {
    const shape = toyShape(side);

    it('leaves the model unchanged when fresh', () => {
      const { forward, input } = toyModel();
      const fresh = freshConcept(shape, new Random(1));
      const base = forward(input);
      expect(difference(base, forward(input, identityAdapter(shape, fresh)))).toBe(0);
      expect(difference(base, forward(input, motionAdapter(shape, fresh)))).toBe(0);
    });

    it('adds A1 B1 to the weight, read the way round that the side says', () => {
      const { parameters, input } = toyModel();
      const { basis, coefficients } = randomConcept(shape);
      const hooks = conceptHooks(shape, basis, coefficients);
      const [m] = conceptSizes(shape).basisSizes;
      const [n] = conceptSizes(shape).coefficientSizes;
      const product = tf.matMul(tf.slice(basis, [0, 0], [m!, 2]), tf.slice(coefficients, [0, 0], [2, n!])); // [m, n]
      const change = side === 'output' ? tf.transpose(product) : product; // [in, out]
      const expected = linear({ weight: tf.add(parameters.first.weight, change) }, input);
      expect(difference(hooks.linear!('first', parameters.first, input), expected)).toBeLessThan(1e-5);
    });

    it('is stage I exactly when B2 is zero', () => {
      const { forward, input } = toyModel();
      const weights = { ...randomConcept(shape) };
      weights.residual = tf.zerosLike(weights.residual);
      expect(
        difference(forward(input, identityAdapter(shape, weights)), forward(input, motionAdapter(shape, weights))),
      ).toBe(0);
    });

    it('trains A1 and B1 in stage I, and B2 alone in stage II', () => {
      const { forward, input } = toyModel();
      const weights = randomConcept(shape);
      const first = tf.grads((basis, coefficients) =>
        tf.sum(
          forward(
            input,
            identityAdapter(shape, { basis: basis as tf.Tensor2D, coefficients: coefficients as tf.Tensor2D }),
          ),
        ),
      )([weights.basis, weights.coefficients]);
      for (const gradient of first) expect(tf.max(tf.abs(gradient)).dataSync()[0]).toBeGreaterThan(0);
      expect(Object.keys(identityAdapter(shape, weights).trainable)).toEqual(['basis', 'coefficients']);
      expect(Object.keys(motionAdapter(shape, weights).trainable)).toEqual(['residual']);
    });
  });
}

it('mixes linearly in the gains', () => {
  const { coefficients, residual } = values(randomConcept(toyShape('output')));
  const at = (identity: number, motion: number) => mixCoefficients({ coefficients, residual }, 2, { identity, motion });
  expect(at(1, 0)).toEqual(coefficients);
  expect(at(0, 1)).toEqual(residual);
  at(0.25, 3).forEach((value, i) => void expect(value).toBeCloseTo(0.25 * coefficients[i]! + 3 * residual[i]!, 5));
});

it('gives each direction its own gain', () => {
  const concept = values(randomConcept(toyShape('output')));
  const mixed = mixCoefficients(concept, 2, { identity: 1, motion: 0, directions: { 1: 0 } });
  const half = mixed.length / 2;
  expect(mixed.subarray(0, half)).toEqual(concept.coefficients.subarray(0, half));
  expect(Math.max(...mixed.subarray(half).map(Math.abs))).toBe(0);
});

it('refuses a direction that the concept does not have', () => {
  const concept = values(randomConcept(toyShape('output')));
  expect(() => mixCoefficients(concept, 2, { identity: 1, motion: 1, directions: { 2: 1 } })).toThrow('direction 2');
});

it('keeps a masked weight of B from acting and from learning', () => {
  const { forward, input } = toyModel();
  const shape = toyShape('output');
  const weights = randomConcept(shape);
  const mask = tf.tensor2d(new Random(3).mask(weights.coefficients.size, 0.5), weights.coefficients.shape);
  const gradient = tf.grad((coefficients) =>
    tf.sum(forward(input, identityAdapter(shape, { ...weights, coefficients: coefficients as tf.Tensor2D }, mask))),
  )(weights.coefficients);
  expect(tf.max(tf.abs(tf.mul(gradient, tf.sub(1, mask)))).dataSync()[0]).toBe(0);
  const kept = { ...weights, coefficients: tf.mul(weights.coefficients, mask) as tf.Tensor2D };
  expect(
    difference(forward(input, identityAdapter(shape, weights, mask)), forward(input, identityAdapter(shape, kept))),
  ).toBe(0);
});

it('finds target layers by the end of their name and names an ending that none has', () => {
  const specs = new Map([
    ['blocks.0.attn1.to_q.weight', { stored: [4, 3], axes: [1, 0] }],
    ['blocks.0.attn1.to_q.bias', { stored: [4] }],
    ['blocks.0.norm.weight', { stored: [4] }],
  ]);
  const layers = linearLayers(specs);
  expect(targetLayers(layers, ['attn1.to_q'])).toEqual([{ path: 'blocks.0.attn1.to_q', inSize: 3, outSize: 4 }]);
  expect(() => targetLayers(layers, ['norm'])).toThrow('"norm"');
});
