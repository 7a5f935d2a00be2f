import { beforeAll, expect, it } from 'vitest';
import { hooksOf } from '../../../../main/engine/adapters/additions.ts';
import { partsFollowing } from '../../../../main/engine/adapters/mix.ts';
import { kindOf, type LearnedPart } from '../../../../main/engine/adapters/parts.ts';
import * as tf from '../../../../main/engine/backends/tf.ts';
import { difference, randomConcept, toyModel, toyShape, values } from './toy.ts';

beforeAll(() => tf.setBackend('cpu'));

const learned: LearnedPart = {
  part: { kind: 'basis', shape: toyShape('input') },
  values: values(randomConcept(toyShape('input'))),
};

/** What the toy model answers with these parts at these gains. */
function forward(parts: Readonly<Record<string, LearnedPart>>, gains: { identity: number; motion: number }) {
  const { forward, input } = toyModel();
  const additions = Object.values(parts).map(({ part, values }) => {
    const kind = kindOf(part);
    const shapes = kind.tensors();
    const mixed = Object.entries(kind.mix(values, gains));
    return kind.add(Object.fromEntries(mixed.map(([name, numbers]) => [name, tf.tensor(numbers, shapes[name]!)])));
  });
  return forward(input, hooksOf(additions));
}

it('a basis gives away its identity, or its motion, as a part that acts as it did inside', () => {
  for (const slider of ['identity', 'motion'] as const) {
    const alone = partsFollowing(slider, 'toy', { concept: learned });
    expect(Object.keys(alone)).toEqual([`${slider}-concept`]);
    const gains = { identity: 0, motion: 0, [slider]: 1.5 };
    expect(difference(forward(alone, gains), forward({ concept: learned }, gains))).toBeLessThan(1e-5);
    expect(difference(forward(alone, gains), forward(alone, { identity: 0, motion: 0 }))).toBeGreaterThan(0.1);
  }
});

it('the identity of one and the motion of another act as the sum of both', () => {
  const shape = toyShape('output');
  const other: LearnedPart = { part: { kind: 'basis', shape }, values: values(randomConcept(shape, 'other')) };
  const together = {
    ...partsFollowing('identity', 'a', { concept: learned }),
    ...partsFollowing('motion', 'b', { concept: other }),
  };
  expect(
    difference(forward(together, { identity: 1, motion: 0 }), forward({ learned }, { identity: 1, motion: 0 })),
  ).toBeLessThan(1e-5);
  expect(
    difference(forward(together, { identity: 0, motion: 1 }), forward({ other }, { identity: 0, motion: 1 })),
  ).toBeLessThan(1e-5);
});

it('a concept that has learned no motion has none to give', () => {
  const still = {
    ...learned,
    values: { ...learned.values, residual: new Float32Array(learned.values.residual!.length) },
  };
  expect(() => partsFollowing('motion', 'portrait', { concept: still })).toThrow('"portrait" has no learned motion');
  expect(() => partsFollowing('identity', 'words', {})).toThrow('no learned identity');
});
