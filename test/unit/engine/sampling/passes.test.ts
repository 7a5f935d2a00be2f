import { afterAll, beforeAll, expect, it } from 'vitest';
import { selectBackend } from '../../../../main/engine/backends/select.ts';
import * as tf from '../../../../main/engine/backends/tf.ts';
import { schedulerConfigSchema } from '../../../../main/engine/models/scheduler-config.ts';
import { linear } from '../../../../main/engine/nn/linear.ts';
import { createSampler } from '../../../../main/engine/sampling/sampler.ts';
import { passesOf } from '../../../../shared/domain/sampling-plan.ts';
import { toyDenoiser } from '../models/toy-transformer.ts';

// Where nothing is recorded every pass is called.
beforeAll(() => selectBackend({ device: 'cpu' }));
afterAll(() => selectBackend({ device: 'onnxruntime' }));

it.each([1, 2, 5])(
  'the passes that are planned are those that the sampler makes, in their order (shift %i)',
  async (shift) => {
    const scheduler = schedulerConfigSchema.parse({
      _class_name: 'UniPCMultistepScheduler',
      prediction_type: 'flow_prediction',
      use_flow_sigmas: true,
      flow_shift: shift,
    });
    const prompts: number[] = [];
    const denoiser = toyDenoiser();
    const sampler = createSampler<{ gain: tf.Tensor }>({
      denoiser: {
        ...denoiser,
        denoise(inputs, options) {
          prompts.push(inputs.latents.shape[0]!);
          return denoiser.denoise(inputs, options);
        },
      },
      scheduler,
      hooks: ({ gain }) => ({ linear: (_, base, x) => tf.mul(linear(base, x), gain) }),
    });
    const [text, negative, sourceText] = [1, 2, 3].map((seed) => tf.randomNormal([1, 3, 5], 0, 1, 'float32', seed));
    const latents = tf.randomNormal([1, 2, 2, 2, 4], 0, 1, 'float32', 4);
    const [adapter, guidingAdapter] = [{ gain: tf.scalar(1) }, { gain: tf.scalar(0.5) }];
    const made = async (work: () => Promise<tf.Tensor>) => {
      prompts.splice(0);
      (await work()).dispose();
      return [...prompts];
    };
    const steps = 9;
    for (const guidance of [1, 4])
      for (const fidelity of [0, 0.35]) {
        const prompt = { text: text!, ...(guidance > 1 ? { negative: negative! } : {}), guidance, adapter };
        const planned = (fidelityStart: 'noise' | 'inversion' | 'flow-edit', part = 1, hasConcept = true) =>
          passesOf({ fidelity, fidelityStart, guidance, part, steps }, shift, hasConcept);
        const size = [2, 2, 4] as const;
        const from = { latents, fidelity };
        const generated = await made(() => sampler.generate({ ...prompt, steps, seeds: [7], size, source: from }));
        expect(planned('noise')).toEqual(generated);
        if (fidelity === 0) continue;
        const inverted = await made(() => sampler.invert(latents, { text: sourceText!, steps, fidelity }));
        expect(planned('inversion')).toEqual([...inverted, ...generated]);
        const edit = { ...prompt, steps, seeds: [7], fidelity, sourcePrompt: { text: sourceText!, adapter } };
        expect(planned('flow-edit')).toEqual(await made(() => sampler.flowEdit(latents, { ...edit, guidingAdapter })));
        expect(planned('flow-edit', 0.5)).toEqual(await made(() => sampler.flowEdit(latents, edit)));
      }
    sampler.dispose();
  },
);
