import * as tf from '../../main/engine/backends/tf.ts';
import { schedulerConfigSchema } from '../../main/engine/models/scheduler-config.ts';
import { openWanPipeline } from '../../main/engine/models/wan/pipeline.ts';
import { createSampler } from '../../main/engine/sampling/sampler.ts';
import { latentShape } from './latents.ts';
import type { TaskWork } from './task.ts';

/** Sampling with guidance from cached text, and decoding: an edit, or with few steps a slider preview. */
export async function samplingTask(model: string, steps: number): Promise<TaskWork> {
  const pipeline = await openWanPipeline(model);
  const sampler = createSampler({
    denoiser: await pipeline.denoiser(),
    scheduler: schedulerConfigSchema.parse(pipeline.schedulerConfig),
  });
  const text = await pipeline.encodeText(['a [v] person in a park is dancing in [u] motion']);
  const negative = await pipeline.encodeText(['']);
  await pipeline.textEncoderWeights.release();
  const [, , ...size] = latentShape(pipeline);
  return {
    note: `${steps} steps`,
    async work() {
      const latents = await sampler.generate({
        text,
        negative,
        guidance: 5,
        steps,
        seeds: [1],
        size: size as [number, number, number],
      });
      await pipeline.decodeFrames(latents);
      tf.dispose(latents);
    },
  };
}
