import { afterAll, beforeAll, expect, it } from 'vitest';
import { lazyBackend } from '../../../../main/engine/backends/lazy/use.ts';
import { selectBackend } from '../../../../main/engine/backends/select.ts';
import type { WanPipeline } from '../../../../main/engine/models/wan/pipeline.ts';
import { openEmbedded, runEmbeddedStep, useRecording } from './embedded-step.ts';

let pipeline: WanPipeline;

/** Standard operations alone make the largest graphs. */
beforeAll(async () => {
  await useRecording({ plain: true });
  pipeline = await openEmbedded();
});
afterAll(async () => {
  await pipeline.dispose();
  await selectBackend({ device: 'onnxruntime' });
});

it.each([0, 1])('a step of the default recipe on the embedded model is one program (stage %i)', async (index) => {
  expect(pipeline.selfConditioning).toBe(true);
  const before = lazyBackend()!.computation.programs.compiled;
  await runEmbeddedStep(pipeline, index);
  expect(lazyBackend()!.computation.programs.compiled - before).toBe(1);
});
