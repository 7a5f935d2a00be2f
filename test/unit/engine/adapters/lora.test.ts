import { beforeAll, describe, expect, it } from 'vitest';
import { hooksOf } from '../../../../main/engine/adapters/additions.ts';
import { bakeLora, conceptFromLora } from '../../../../main/engine/adapters/lora.ts';
import {
  type ConceptShape,
  type ConceptValues,
  lowRankAdditions,
} from '../../../../main/engine/adapters/set-and-sequence.ts';
import * as tf from '../../../../main/engine/backends/tf.ts';
import type { LoraLayer } from '../../../../main/engine/formats/lora.ts';
import { linear } from '../../../../main/engine/nn/linear.ts';
import { difference, randomConcept, toyModel, toyShape, values } from './toy.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** The toy model with the LoRA added to its weights, as any other program would do it. */
function merged(lora: LoraLayer[]) {
  const { parameters, input } = toyModel();
  const weight = (index: number) => {
    const { path, rank, inSize, outSize, down, up } = lora[index]!;
    const change = tf.matMul(tf.tensor2d(up, [outSize, rank]), tf.tensor2d(down, [rank, inSize])); // [out, in]
    return { weight: tf.add(parameters[path as 'first' | 'second'].weight, tf.transpose(change)) as tf.Tensor2D };
  };
  return linear(weight(1), tf.tanh(linear(weight(0), input)));
}

function withConcept(shape: ConceptShape, concept: ConceptValues) {
  const { forward, input } = toyModel();
  const basis = tf.tensor2d(concept.basis, [concept.basis.length / shape.rank, shape.rank]);
  const coefficients = tf.tensor2d(concept.coefficients, [shape.rank, concept.coefficients.length / shape.rank]);
  return forward(input, hooksOf([lowRankAdditions(shape, basis, coefficients)]));
}

describe('a slider setting baked into a plain LoRA', () => {
  for (const side of ['output', 'input'] as const) {
    it(`acts exactly as the adapter with a basis on the ${side} side`, () => {
      const shape = toyShape(side);
      const concept = values(randomConcept(shape));
      const lora = bakeLora(shape, concept, { identity: 0.5, motion: 1.5, directions: { 1: 2 } });
      expect(lora.map((layer) => layer.rank)).toEqual([2, 2]);
      const [gain, motion] = [[0.5, 1], 1.5];
      const width = concept.coefficients.length / 2;
      const coefficients = concept.coefficients.map(
        (value, i) => value * gain[Math.floor(i / width)]! + motion * concept.residual[i]!,
      );
      expect(difference(merged(lora), withConcept(shape, { ...concept, coefficients }))).toBeLessThan(1e-5);
    });
  }

  it('comes back as a concept that acts the same', () => {
    const shape = toyShape('input');
    const lora = bakeLora(shape, values(randomConcept(shape)), { identity: 1, motion: 1 });
    const again = conceptFromLora(lora, shape.layers);
    expect(difference(merged(lora), withConcept(again.shape, again.values))).toBeLessThan(1e-5);
  });
});

describe('a LoRA as a concept', () => {
  const shape = toyShape('output');

  it('may have layers of different ranks', () => {
    const lora = bakeLora(shape, values(randomConcept(shape)), { identity: 1, motion: 0 });
    const [narrow] = bakeLora(toyShape('output', 1), values(randomConcept(toyShape('output', 1))), {
      identity: 1,
      motion: 0,
    });
    const mixed = [narrow!, lora[1]!];
    const concept = conceptFromLora(mixed, shape.layers);
    expect(concept.shape.rank).toBe(2);
    expect(difference(merged(mixed), withConcept(concept.shape, concept.values))).toBeLessThan(1e-5);
  });

  it('is refused by a model with other layers or other sizes', () => {
    const lora = bakeLora(shape, values(randomConcept(shape)), { identity: 1, motion: 0 });
    expect(() => conceptFromLora(lora, shape.layers.slice(1))).toThrow('no layer "first"');
    expect(() => conceptFromLora(lora, [{ ...shape.layers[0]!, inSize: 7 }, shape.layers[1]!])).toThrow('4 x 7');
  });
});
