import { expect, it } from 'vitest';
import { keepsActivations, learningBytes, type ModelInfo } from '../../../shared/domain/model.ts';

const model: ModelInfo = {
  name: 'm',
  directory: '/m',
  license: 'x',
  sizeBytes: 1,
  parameters: 1e6,
  sizes: [[128, 128]],
  frameCount: 17,
  rate: { numerator: 8, denominator: 1 },
  layers: 8,
  activationsPerToken: 45_000,
  temporalStride: 4,
  spatialStride: 16,
  learnsBelow: null,
  vocabulary: null,
};

const memory = 16e9;

it('estimates the memory of a learning by its larger stage', () => {
  const small = learningBytes(model, { batchSize: 1, batchSizeMotion: 1 }, memory);
  expect(learningBytes(model, { batchSize: 5, batchSizeMotion: 1 }, memory)).toBe(small); // one clip is five latent frames
  expect(learningBytes(model, { batchSize: 6, batchSizeMotion: 1 }, memory)).toBeGreaterThan(small);
});

it('knows that activations which are too many are computed again instead of being kept', () => {
  const batchSize = Math.ceil((0.4 * memory) / 4 / (64 * model.activationsPerToken)) + 1;
  expect(keepsActivations(batchSize * 64 * model.activationsPerToken, memory)).toBe(false);
  const below = learningBytes(model, { batchSize: batchSize - 2, batchSizeMotion: 1 }, memory);
  expect(learningBytes(model, { batchSize, batchSizeMotion: 1 }, memory)).toBeLessThan(below);
});
