import { beforeAll, describe, expect, it } from 'vitest';
import { hooksOf } from '../../../../main/engine/adapters/additions.ts';
import type { PartTensors } from '../../../../main/engine/adapters/part-kind.ts';
import { kindOf } from '../../../../main/engine/adapters/parts.ts';
import {
  type ConceptShape,
  conceptSizes,
  freshConcept,
  lowRankAdditions,
  mixCoefficients,
} from '../../../../main/engine/adapters/set-and-sequence.ts';
import { targetLayers } from '../../../../main/engine/adapters/target-layers.ts';
import * as tf from '../../../../main/engine/backends/tf.ts';
import { linear } from '../../../../main/engine/nn/linear.ts';
import { linearLayers } from '../../../../main/engine/nn/linear-layers.ts';
import { Random } from '../../../../main/engine/nn/random.ts';
import { difference, randomConcept, toyModel, toyShape, values } from './toy.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const hooksWith = (shape: ConceptShape, tensors: PartTensors) =>
  hooksOf([kindOf({ kind: 'basis', shape }).add(tensors)]);

for (const side of ['output', 'input'] as const) {
  describe(`a concept whose basis is on the ${side} side`, () => {
    const shape = toyShape(side);

    it('leaves the model unchanged when fresh', () => {
      const { forward, input } = toyModel();
      const fresh = freshConcept(shape, new Random(1));
      const { basis, coefficients } = fresh;
      const base = forward(input);
      expect(difference(base, forward(input, hooksWith(shape, { basis, coefficients })))).toBe(0);
      expect(difference(base, forward(input, hooksWith(shape, fresh)))).toBe(0);
    });

    it('adds A1 B1 to the weight, read the way round that the side says', () => {
      const { parameters, input } = toyModel();
      const { basis, coefficients } = randomConcept(shape);
      const hooks = hooksOf([lowRankAdditions(shape, basis, coefficients)]);
      const [m] = conceptSizes(shape).basisSizes;
      const [n] = conceptSizes(shape).coefficientSizes;
      const product = tf.matMul(tf.slice(basis, [0, 0], [m!, 2]), tf.slice(coefficients, [0, 0], [2, n!])); // [m, n]
      const change = side === 'output' ? tf.transpose(product) : product; // [in, out]
      const expected = linear({ weight: tf.add(parameters.first.weight, change) }, input);
      expect(difference(hooks.linear!('first', parameters.first, input), expected)).toBeLessThan(1e-5);
    });

    it('without B2 is as with a B2 of zeros', () => {
      const { forward, input } = toyModel();
      const { basis, coefficients, residual } = randomConcept(shape);
      const silent = { basis, coefficients, residual: tf.zerosLike(residual) };
      expect(
        difference(forward(input, hooksWith(shape, { basis, coefficients })), forward(input, hooksWith(shape, silent))),
      ).toBe(0);
    });

    it('lets gradients reach all three matrices', () => {
      const { forward, input } = toyModel();
      const { basis, coefficients, residual } = randomConcept(shape);
      const gradients = tf.grads((a, b, c) =>
        tf.sum(forward(input, hooksWith(shape, { basis: a!, coefficients: b!, residual: c! }))),
      )([basis, coefficients, residual]);
      for (const gradient of gradients) expect(tf.max(tf.abs(gradient)).dataSync()[0]).toBeGreaterThan(0);
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
