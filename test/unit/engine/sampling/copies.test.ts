import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCpuExecutor } from '../../../../main/engine/backends/lazy/executors/onnxruntime/cpu.ts';
import type { DeviceBuffer } from '../../../../main/engine/backends/lazy/graph.ts';
import { useLazyBackend } from '../../../../main/engine/backends/lazy/use.ts';
import { selectBackend } from '../../../../main/engine/backends/select.ts';
import * as tf from '../../../../main/engine/backends/tf.ts';
import { schedulerConfigSchema } from '../../../../main/engine/models/scheduler-config.ts';
import { createSampler } from '../../../../main/engine/sampling/sampler.ts';
import { toyDenoiser } from '../models/toy-transformer.ts';

const size = [2, 8, 8] as const;
const latentBytes = 4 * 2 * 2 * 8 * 8;

/** What went between the host and the executor, and how often something was compiled or run. */
const traffic = { uploads: [] as number[], downloads: 0, compiled: 0, runs: 0 };
/** Buffers that runs gave back, and the large ones among inputs that no run gave back and that were not there at the start. */
const produced = new WeakSet<DeviceBuffer>();
const known = new WeakSet<DeviceBuffer>();
let strangers = 0;

/** What has gone since it was last asked. */
function sinceLast() {
  const { uploads, ...counts } = traffic;
  Object.assign(traffic, { uploads: [], downloads: 0, compiled: 0, runs: 0 });
  return { ...counts, uploads, uploaded: uploads.reduce((sum, bytes) => sum + bytes, 0) };
}

beforeAll(async () => {
  const executor = createCpuExecutor({ threads: 1 });
  await useLazyBackend({
    ...executor,
    upload(values, type) {
      traffic.uploads.push(values.byteLength);
      const buffer = executor.upload(values, type);
      known.add(buffer);
      return buffer;
    },
    download(buffer, type) {
      traffic.downloads++;
      return executor.download(buffer, type);
    },
    compile(...model) {
      traffic.compiled++;
      const program = executor.compile(...model);
      return {
        ...program,
        async run(inputs) {
          traffic.runs++;
          for (const input of inputs) if (!produced.has(input) && !known.has(input)) strangers++;
          const outputs = await program.run(inputs);
          for (const output of outputs) produced.add(output);
          return outputs;
        },
      };
    },
  });
});
afterAll(() => selectBackend({ device: 'onnxruntime' }));

const random = (shape: number[], seed: number) => tf.randomNormal(shape, 0, 1, 'float32', seed);

function makeSampler() {
  const scheduler = schedulerConfigSchema.parse({
    _class_name: 'UniPCMultistepScheduler',
    prediction_type: 'flow_prediction',
    use_flow_sigmas: true,
    flow_shift: 2,
  });
  return createSampler({ denoiser: toyDenoiser(), scheduler });
}

test('between the steps of a guided run only its noise level goes to the executor, and nothing comes back', async () => {
  const [sampler, text, negative] = [makeSampler(), random([1, 3, 5], 1), random([1, 3, 5], 2)];
  const steps: ReturnType<typeof sinceLast>[] = [];
  sinceLast();
  const onStep = () => void steps.push(sinceLast());
  const clip = await sampler.generate({ text, negative, guidance: 3, steps: 6, size, seeds: [7], onStep });
  expect(steps).toHaveLength(6);
  expect(steps[0]!.compiled).toBeGreaterThan(0);
  for (const step of steps.slice(1)) {
    expect(step).toMatchObject({ downloads: 0, compiled: 0, runs: 2 }); // the guided flow, both prompts in one batch; the solver
    expect(step.uploads).toHaveLength(2); // features of the noise level; the solver's numbers
    expect(step.uploaded).toBeLessThan(latentBytes / 4);
  }
  expect(strangers).toBe(0);
  await clip.data();
  expect(sinceLast().downloads).toBe(1);
  tf.dispose([text, negative, clip]);
  sampler.dispose();
});

test('FlowEdit sends each step its noise, once for both flows, and reads nothing', async () => {
  const [sampler, text, shown] = [makeSampler(), random([1, 3, 5], 1), random([1, 3, 5], 2)];
  const source = random([1, 2, ...size], 3);
  const steps: ReturnType<typeof sinceLast>[] = [];
  sinceLast();
  const onStep = () => void steps.push(sinceLast());
  const clip = await sampler.flowEdit(source, {
    text,
    sourcePrompt: { text: shown },
    steps: 6,
    fidelity: 0,
    seeds: [7],
    onStep,
  });
  expect(steps).toHaveLength(6);
  for (const step of steps.slice(3)) {
    expect(step).toMatchObject({ downloads: 0, compiled: 0 });
    expect(step.uploads.filter((bytes) => bytes >= latentBytes)).toEqual([latentBytes]);
  }
  tf.dispose([text, shown, source, clip]);
  sampler.dispose();
});
