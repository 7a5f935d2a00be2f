import { beforeAll, describe, expect, it } from 'vitest';
import { conceptFileOf, partsOfFile } from '../../../../main/engine/adapters/concept-parts.ts';
import { kindOf, type LearnedPart } from '../../../../main/engine/adapters/parts.ts';
import * as tf from '../../../../main/engine/backends/tf.ts';
import type { ConceptFile } from '../../../../main/engine/formats/concept.ts';
import type { ModelShape } from '../../../../main/engine/models/video-model.ts';
import { recipe } from '../../../../shared/domain/recipe.ts';
import { randomConcept, toyShape, values } from './toy.ts';

beforeAll(() => tf.setBackend('cpu'));

const shape = toyShape('output');
const model: ModelShape = { layers: shape.layers, blocks: [], width: 4, latentChannels: 3 };
const described = {
  directionStrengths: [2, 1],
  captions: [{ static: 'a [v] dog', dynamic: 'is running in [u] motion' }],
  recipe: recipe.parse({}),
  model: { name: 'toy', fingerprint: 'x' },
  stages: [{ label: 'identity' }],
  tokens: {},
  appearance: new Float32Array(6),
};
const part = (seed: string): LearnedPart => ({
  part: { kind: 'basis', shape },
  values: values(randomConcept(shape, seed)),
});

describe('the file of a concept', () => {
  it('is of version 1 where a basis is all there is, and holds it', () => {
    const parts = { concept: part('one') };
    const file = conceptFileOf(parts, described);
    expect(file).toMatchObject({ version: 1, rank: 2, basisSide: 'output' });
    expect(partsOfFile(file, model)).toEqual(parts);
  });

  it('is of version 2 for anything else, with the stages as they were planned', () => {
    const parts = {
      look: { ...part('a'), part: { ...part('a').part, slider: 'identity' as const } },
      motion: part('b'),
    };
    const file = conceptFileOf(parts, described);
    expect(file).toMatchObject({ version: 2, rank: 2, stages: [{ label: 'identity' }] });
    expect(partsOfFile(JSON.parse(JSON.stringify(file, arrays), typed) as ConceptFile, model)).toEqual(parts);
  });

  it('is refused where its parts do not fit: another model, another kind, other tensors', () => {
    const file = conceptFileOf({ look: part('a') }, described) as Extract<ConceptFile, { version: 2 }>;
    const { look } = file.parts;
    expect(() => partsOfFile(file, { ...model, layers: shape.layers.slice(1) })).toThrow('"first" does not fit');
    const unknown = { ...file, parts: { look: { ...look!, kind: 'spell' } } };
    expect(() => partsOfFile(unknown, model)).toThrow('"spell"');
    const misshapen = { ...file, parts: { look: { ...look!, shape: { rank: 2 } } } };
    expect(() => partsOfFile(misshapen, model)).toThrow('"look" is damaged');
    const { residual: _, ...tensors } = look!.tensors;
    expect(() => partsOfFile({ ...file, parts: { look: { ...look!, tensors } } }, model)).toThrow('look/residual');
  });
});

describe('bottlenecks in a file', () => {
  const bottlenecks = { paths: ['blocks.0.attn2'], width: 4, hidden: 2, appearance: 6, place: 'normed' as const };
  const described6 = { ...described, appearance: Float32Array.of(1, 2, 3, 4, 5, 6) };
  const place = { ...model, blocks: ['blocks.0'] };
  const learned = () => {
    const part = { kind: 'bottleneck' as const, shape: bottlenecks, slider: 'motion' as const };
    const values = Object.entries(kindOf(part).tensors()).map(([name, shape]) => [
      name,
      new Float32Array(shape.reduce((a, b) => a * b)).fill(0.5),
    ]);
    return { part, values: Object.fromEntries(values) as Record<string, Float32Array> };
  };

  it('carry the appearance of their pictures, and come back', () => {
    const parts = { motion: learned() };
    const file = conceptFileOf(parts, described6);
    expect(file).toMatchObject({ version: 2, rank: 0, appearance: [1, 2, 3, 4, 5, 6] });
    expect(partsOfFile(file, place)).toEqual(parts);
  });

  it('are refused by a model of another width, depth or number of channels', () => {
    const file = conceptFileOf({ motion: learned() }, described6);
    expect(() => partsOfFile(file, { ...place, width: 8 })).toThrow('does not fit');
    expect(() => partsOfFile(file, { ...place, blocks: [] })).toThrow('"blocks.0.attn2" does not fit');
    expect(() => partsOfFile(file, { ...place, latentChannels: 4 })).toThrow('does not fit');
  });

  it('follow their slider, and the gain of the appearance', () => {
    const { part, values } = learned();
    const mixed = kindOf(part).mix(values, { identity: 3, motion: 2, appearance: 0 });
    expect([...new Set(mixed['up.weight'])]).toEqual([1]);
    expect([...new Set(mixed['up.bias'])]).toEqual([1]);
    expect([...new Set(mixed['cond.weight'])]).toEqual([0]);
    expect([...new Set(mixed['cond.bias'])]).toEqual([0]);
    expect(mixed['down.weight']).toBe(values['down.weight']);
  });
});

/** Through JSON and back, as a file's description goes. */
const arrays = (_: string, value: unknown) => (value instanceof Float32Array ? { floats: [...value] } : value);
const typed = (_: string, value: unknown) =>
  typeof value === 'object' && value !== null && 'floats' in value
    ? Float32Array.from(value.floats as number[])
    : value;
