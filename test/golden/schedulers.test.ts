import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import * as tf from '../../main/engine/backends/tf.ts';
import { schedulerConfigSchema } from '../../main/engine/models/scheduler-config.ts';
import { noiseSchedule } from '../../main/engine/sampling/noise-schedule.ts';
import { advance, solverSteps, startState, stepWeights } from '../../main/engine/sampling/solver.ts';
import { expectGolden, golden, onEachBackend, openCase } from './golden.ts';

const configs: Record<string, unknown> = JSON.parse(readFileSync(golden('schedulers.json'), 'utf8'));

onEachBackend(() => {
  describe.each(Object.keys(configs))('the scheduler %s', (name) => {
    test.each([1, 2, 5, 12])('takes %i steps as in diffusers', async (steps) => {
      const config = schedulerConfigSchema.parse(configs[name]);
      const tensors = await openCase('schedulers');
      const { sigmas, timesteps } = noiseSchedule(config, steps);
      await expectGolden(tf.tensor1d(sigmas), tensors[`${name}.${steps}.sigmas`]!);
      await expectGolden(tf.tensor1d(timesteps), tensors[`${name}.${steps}.timesteps`]!);

      const reference = tensors[`${name}.${steps}.trajectory`]!; // [steps + 1, 1, 2, 3]
      const samples = tf.unstack(reference);
      let state = startState(config, samples[0]!);
      for (const [index, step] of solverSteps(config, sigmas).entries()) {
        const flow = tf.add(tf.sin(tf.mul(state.sample, 2)), 0.001 * timesteps[index]!);
        ({ state } = advance(state, flow, stepWeights(step)));
        await expectGolden(state.sample, samples[index + 1]!);
      }
    });
  });

  test('a scheduler that Wan does not use is refused with a reason', () => {
    const karras = { ...(configs.unipc as object), use_karras_sigmas: true };
    expect(() => schedulerConfigSchema.parse(karras)).toThrow('does not occur with Wan');
  });
});
