import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type ConceptFile,
  checkConceptModel,
  readConcept,
  writeConcept,
} from '../../../../main/engine/formats/concept.ts';
import { writeSafetensors } from '../../../../main/engine/formats/safetensors-write.ts';
import { recipe } from '../../../../shared/domain/recipe.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'motif-concept-'));
});
afterAll(() => rm(folder, { recursive: true }));

const concept: Extract<ConceptFile, { version: 1 }> = {
  version: 1,
  rank: 2,
  basisSide: 'output',
  directionStrengths: [2, 1],
  captions: [{ static: 'a [v] person', dynamic: 'is dancing in [u] motion' }],
  recipe: recipe.parse({ rank: 2 }),
  model: { name: 'motif-tiny', fingerprint: 'abc' },
  layers: [
    {
      path: 'blocks.0.attn1.to_q',
      basis: Float32Array.of(1, 2, 3, 4, 5, 6), // [3, 2]
      coefficients: Float32Array.of(1, 2, 3, 4), // [2, 2]
      residual: Float32Array.of(5, 6, 7, 8),
    },
  ],
  tokens: { v: Float32Array.of(0, 1), u: Float32Array.of(2, 3) },
};

const several: Extract<ConceptFile, { version: 2 }> = {
  version: 2,
  rank: 1,
  directionStrengths: [],
  captions: concept.captions,
  recipe: concept.recipe,
  model: concept.model,
  appearance: [0.5, -1],
  stages: [{ label: 'identity', steps: 3, trains: { look: ['basis'] } }],
  parts: {
    look: {
      kind: 'basis',
      shape: { rank: 1 },
      slider: 'identity',
      tensors: { basis: { shape: [2, 1], values: Float32Array.of(1, 2) } },
    },
    motion: {
      kind: 'basis',
      shape: {},
      tensors: { basis: { shape: [1, 3], values: Float32Array.of(3, 4, 5) } },
    },
  },
  tokens: { v: Float32Array.of(0, 1) },
};

describe('a concept file', () => {
  it('comes back as it was written', async () => {
    const file = join(folder, 'concept.safetensors');
    await writeConcept(file, concept);
    expect(await readConcept(file)).toEqual(concept);
  });

  it('of several parts comes back as it was written', async () => {
    const file = join(folder, 'parts.safetensors');
    await writeConcept(file, several);
    expect(await readConcept(file)).toEqual(several);
  });

  it('of several parts is damaged where a tensor belongs to none of them, or holds what is no number', async () => {
    const file = join(folder, 'stray.safetensors');
    const { parts, tokens: _, ...metadata } = several;
    const { tensors: __, ...look } = parts.look!;
    const described = { motif_concept: JSON.stringify({ ...metadata, parts: { look } }) };
    const tensor = (name: string, value: number) => ({ name, shape: [1], values: Float32Array.of(value) });
    await writeSafetensors(file, [tensor('other/basis', 1)], described);
    await expect(readConcept(file)).rejects.toThrow('"other/basis" belongs to no concept');
    await writeSafetensors(file, [tensor('look/basis', Number.NaN)], described);
    await expect(readConcept(file)).rejects.toMatchObject({ code: 'damaged-file' });
    const infinite = { ...look, tensors: { basis: { shape: [1], values: Float32Array.of(70_000) } } };
    await expect(writeConcept(file, { ...several, parts: { infinite } })).rejects.toMatchObject({
      code: 'invalid-input',
    });
  });

  it('is told apart from any other safetensors file', async () => {
    const file = join(folder, 'other.safetensors');
    await writeSafetensors(file, [{ name: 'x', shape: [1], values: Float32Array.of(1) }]);
    await expect(readConcept(file)).rejects.toMatchObject({ code: 'invalid-input' });
  });

  it('of a newer version asks for an update', async () => {
    const file = join(folder, 'newer.safetensors');
    await writeSafetensors(file, [], { motif_concept: JSON.stringify({ version: 3 }) });
    await expect(readConcept(file)).rejects.toThrow('newer version');
  });

  it('whose matrices contradict its rank is damaged', async () => {
    const file = join(folder, 'rank.safetensors');
    await writeConcept(file, concept);
    await writeConcept(file, { ...concept, rank: 1, directionStrengths: [2] });
    await expect(readConcept(file)).resolves.toMatchObject({ rank: 1 });
    const { layers: _, tokens: __, ...metadata } = concept;
    await writeSafetensors(
      file,
      ['basis', 'coefficients', 'residual'].map((name) => ({
        name: `${name}.blocks.0.attn1.to_q`,
        shape: [3, 3],
        values: new Float32Array(9),
      })),
      { motif_concept: JSON.stringify(metadata) },
    );
    await expect(readConcept(file)).rejects.toMatchObject({ code: 'damaged-file' });
  });

  it('that holds what is no number is damaged, and is not written', async () => {
    const file = join(folder, 'infinite.safetensors');
    const [layer] = concept.layers;
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, 70_000]) {
      const layers = [{ ...layer!, residual: Float32Array.of(5, 6, 7, value) }];
      await expect(writeConcept(file, { ...concept, layers })).rejects.toMatchObject({ code: 'invalid-input' });
    }
    const { layers: _, tokens: __, ...metadata } = concept;
    const tensors = {
      basis: layer!.basis,
      coefficients: layer!.coefficients,
      residual: Float32Array.of(1, 2, Number.NaN, 4),
    };
    await writeSafetensors(
      file,
      Object.entries(tensors).map(([name, values]) => ({
        name: `${name}.blocks.0.attn1.to_q`,
        shape: name === 'basis' ? [3, 2] : [2, 2],
        values,
      })),
      { motif_concept: JSON.stringify(metadata) },
    );
    await expect(readConcept(file)).rejects.toThrow(/residual.*NaN/);
  });

  it('of another model is refused by name', () => {
    expect(() => checkConceptModel('a.safetensors', concept, { name: 'wan', fingerprint: 'x' })).toThrow('motif-tiny');
    expect(() => checkConceptModel('a.safetensors', concept, { name: 'motif-tiny', fingerprint: 'x' })).toThrow(
      'other weights',
    );
    expect(() => checkConceptModel('a.safetensors', concept, concept.model)).not.toThrow();
  });
});
