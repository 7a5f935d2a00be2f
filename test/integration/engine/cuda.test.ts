import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { useLazyBackend } from '../../../main/engine/backends/lazy/use.ts';
import { selectBackend } from '../../../main/engine/backends/select.ts';
import * as tf from '../../../main/engine/backends/tf.ts';
import { openVideoModel } from '../../../main/engine/models/registry.ts';
import { createConceptSampler } from '../../../main/engine/sampling/concept-sampler.ts';
import { generateClip } from '../../../main/engine/sampling/generate-clip.ts';
import { learnConcept } from '../../../main/engine/training/learn.ts';
import { generateRequest } from '../../../shared/domain/engine.ts';
import { cudaOnProcessor } from '../../unit/engine/backends/c-interface.ts';
import { learnRequest, temporaryFolder, tinyModel } from './tiny-model.ts';

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => rm(folder, { recursive: true }));

/** Learns a concept in a few steps and makes an edit with it, on what computes now. */
async function learnAndEdit(name: string) {
  const before = tf.memory().numTensors;
  const pipeline = await openVideoModel(tinyModel);
  const sampler = createConceptSampler(pipeline);
  const fingerprint = await pipeline.fingerprint();
  const model = { pipeline, sampler, name: pipeline.name, fingerprint, memoryBytes: () => 64e9 };
  const request = await learnRequest(folder);
  const conceptFile = join(folder, `${name}.safetensors`);
  const { losses } = await learnConcept(model, { ...request, workDirectory: join(folder, name), conceptFile });
  const output = join(folder, `${name}.rgb`);
  await generateClip(
    model,
    generateRequest.parse({
      model: tinyModel,
      conceptFile,
      source: request.clips[0]!.frames,
      size: null,
      settings: { prompt: 'a [v] dog in the snow runs in [u] motion', steps: 3, seed: 1 },
      output,
    }),
  );
  sampler.dispose();
  await pipeline.dispose();
  return {
    losses: losses.map(({ loss }) => loss),
    frames: await readFile(output),
    left: tf.memory().numTensors - before,
  };
}

it('the CUDA executor learns and edits as the executor for the processor does', async () => {
  await selectBackend({ device: 'onnxruntime' });
  const expected = await learnAndEdit('expected');
  await useLazyBackend(cudaOnProcessor());
  const found = await learnAndEdit('found');
  expect(found.losses.length).toBe(12);
  for (const [step, loss] of found.losses.entries()) expect(loss / expected.losses[step]!).toBeCloseTo(1, 3);
  const differences = found.frames.map((value, index) => Math.abs(value - expected.frames[index]!));
  expect(found.frames.length).toBe(5 * 32 * 32 * 3);
  expect(Math.max(...differences)).toBeLessThanOrEqual(2); // of 255
  expect(found.left).toBe(expected.left);
});
