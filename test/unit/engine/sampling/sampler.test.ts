import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { selectBackend } from '../../../../main/engine/backends/select.ts';
import * as tf from '../../../../main/engine/backends/tf.ts';
import { schedulerConfigSchema } from '../../../../main/engine/models/scheduler-config.ts';
import { linear } from '../../../../main/engine/nn/linear.ts';
import { createSampler, type Sampler } from '../../../../main/engine/sampling/sampler.ts';
import { toyDenoiser } from '../models/toy-transformer.ts';

const unipc = schedulerConfigSchema.parse({
  _class_name: 'UniPCMultistepScheduler',
  prediction_type: 'flow_prediction',
  use_flow_sigmas: true,
  flow_shift: 2,
});
const euler = schedulerConfigSchema.parse({ _class_name: 'FlowMatchEulerDiscreteScheduler' });
const size = [2, 2, 4] as const;
type Adapter = { gain: tf.Tensor };

describe.each(['cpu', 'onnxruntime'] as const)('the sampler on %s', (device) => {
  let sampler: Sampler<Adapter>;
  let text: tf.Tensor;
  let negative: tf.Tensor;
  let source: tf.Tensor;

  function make(scheduler = unipc) {
    return createSampler<Adapter>({
      denoiser: toyDenoiser(),
      scheduler,
      hooks: ({ gain }) => ({ linear: (_, base, x) => tf.mul(linear(base, x), gain) }),
    });
  }

  beforeAll(async () => {
    await selectBackend({ device });
    text = tf.randomNormal([1, 3, 5], 0, 1, 'float32', 1);
    negative = tf.randomNormal([1, 3, 5], 0, 1, 'float32', 2);
    source = tf.randomNormal([1, 2, ...size], 0, 1, 'float32', 3);
    sampler = make();
  });

  const values = async (clip: Promise<tf.Tensor>) => Array.from(await (await clip).data());
  const common = { steps: 4, size, seeds: [7] };
  const distance = (a: number[], b: number[]) => Math.hypot(...a.map((value, index) => value - b[index]!));

  test('the same seed gives the same clip and another seed another', async () => {
    const first = await values(sampler.generate({ ...common, text }));
    expect(await values(sampler.generate({ ...common, text }))).toEqual(first);
    expect(await values(sampler.generate({ ...common, text, seeds: [8] }))).not.toEqual(first);
  });

  test('guidance needs negative prompts and moves the clip away from them', async () => {
    const plain = await values(sampler.generate({ ...common, text }));
    const guided = await values(sampler.generate({ ...common, text, negative, guidance: 3 }));
    expect(distance(plain, guided)).toBeGreaterThan(0.01);
    expect(await values(sampler.generate({ ...common, text, negative, guidance: 1 }))).toEqual(plain);
    await expect(sampler.generate({ ...common, text, guidance: 3 })).rejects.toThrow('negative prompts of [1,3,5]');
  });

  test('guidance compares the prompts under its own adapter', async () => {
    const exact = make(euler);
    const [adapter, guidingAdapter] = [1, 0.5].map((gain) => ({ gain: tf.scalar(gain) }));
    const once = { steps: 1, size, seeds: [7] };
    const own = await exact.generate({ ...once, text, adapter: adapter! });
    const [wanted, unwanted] = await Promise.all(
      [text, negative].map((words) => exact.generate({ ...once, text: words, adapter: guidingAdapter! })),
    );
    const expected = await values(Promise.resolve(tf.add(own, tf.mul(2, tf.sub(wanted!, unwanted!)))));
    const guidance = { negative, guidance: 3, adapter: adapter!, guidingAdapter: guidingAdapter! };
    const guided = await values(exact.generate({ ...once, text, ...guidance }));
    expect(distance(guided, expected)).toBeLessThan(1e-5 * Math.hypot(...expected));
    expect(distance(guided, await values(Promise.resolve(own)))).toBeGreaterThan(0.01);
    exact.dispose();
  });

  test('fidelity 1 gives the source back, 0 ignores it, and more is nearer', async () => {
    const original = Array.from(await source.data());
    const at = (fidelity: number) =>
      values(sampler.generate({ ...common, text, source: { latents: source, fidelity } }));
    const clips = [await at(0), await at(0.5), await at(0.75), await at(1)];
    expect(clips[0]).toEqual(await values(sampler.generate({ ...common, text })));
    expect(clips[3]).toEqual(original);
    const distances = clips.map((clip) => distance(clip, original));
    expect(distances).toEqual(distances.toSorted((a, b) => b - a));
    await expect(at(1.5)).rejects.toThrow('fidelity lies between 0 and 1');
  });

  test('what inversion finds leads back to the source', async () => {
    const exact = make(euler);
    const run = { text, steps: 40, fidelity: 0.5 };
    const inverted = await exact.invert(source, run);
    const original = Array.from(await source.data());
    const start = { latents: inverted, fidelity: 0.5, inverted: true };
    const back = await values(exact.generate({ ...run, size, seeds: [7], source: start }));
    const noised = await values(
      exact.generate({ ...run, size, seeds: [7], source: { latents: source, fidelity: 0.5 } }),
    );
    expect(distance(back, original)).toBeLessThan(0.25 * distance(noised, original));
    exact.dispose();
  });

  test('FlowEdit leaves a clip as it is under its own words, and moves it less with more fidelity', async () => {
    const original = Array.from(await source.data());
    const run = { steps: 8, seeds: [7] };
    const under = (words: tf.Tensor, fidelity: number) =>
      values(sampler.flowEdit(source, { ...run, text: words, fidelity, sourcePrompt: { text } }));
    expect(await under(text, 0)).toEqual(original);
    const clips = [await under(negative, 0), await under(negative, 0.5), await under(negative, 0.9)];
    const distances = clips.map((clip) => distance(clip, original));
    expect(distances[2]).toBeGreaterThan(0);
    expect(distances).toEqual(distances.toSorted((a, b) => b - a));
    expect(await under(negative, 1)).toEqual(original);
    expect(await under(negative, 0.5)).toEqual(clips[1]);
  });

  test('FlowEdit takes over what an earlier run computed of the clip, also of one that was stopped', async () => {
    const run = { steps: 8, seeds: [7], fidelity: 0.25, sourcePrompt: { text } };
    const alone = await values(sampler.flowEdit(source, { ...run, text: negative }));
    const sourceFlows: (tf.Tensor | undefined)[] = [];
    const stopped = new AbortController();
    const onStep = (done: number) => done === 3 && stopped.abort();
    await expect(
      sampler.flowEdit(source, { ...run, text, sourceFlows, onStep, signal: stopped.signal }),
    ).rejects.toThrow();
    expect(sourceFlows.filter(Boolean)).toHaveLength(3);
    for (const _ of ['the rest', 'all'])
      expect(await values(sampler.flowEdit(source, { ...run, text: negative, sourceFlows }))).toEqual(alone);
    expect(sourceFlows.filter(Boolean)).toHaveLength(6);
    tf.dispose(sourceFlows);
  });

  test('one step of FlowEdit is the difference of both flows under the same noise', async () => {
    const exact = make(euler);
    const first = await exact.flowEdit(source, {
      steps: 1,
      seeds: [7],
      text: negative,
      fidelity: 0,
      sourcePrompt: { text },
    });
    // From pure noise one Euler step of each flow, of which the noise falls out.
    const [wanted, shown] = await Promise.all(
      [negative, text].map((words) => exact.generate({ text: words, steps: 1, size, seeds: [7] })),
    );
    const expected = await values(Promise.resolve(tf.add(source, tf.sub(wanted!, shown!))));
    expect(distance(await values(Promise.resolve(first)), expected)).toBeLessThan(1e-5);
    exact.dispose();
  });

  test('FlowEdit is guided away from the negative prompt, and by a third from what the clip shows', async () => {
    const exact = make(euler);
    const words = tf.randomNormal([1, 3, 5], 0, 1, 'float32', 4);
    const run = { steps: 1, seeds: [7], text: words, fidelity: 0, sourcePrompt: { text } };
    const plain = await exact.flowEdit(source, run);
    const [wanted, unwanted, shown] = (await Promise.all(
      [words, negative, text].map((prompt) => exact.generate({ text: prompt, steps: 1, size, seeds: [7] })),
    )) as [tf.Tensor, tf.Tensor, tf.Tensor];
    const guide = tf.add(tf.mul(2, tf.sub(wanted, unwanted)), tf.sub(wanted, shown));
    const expected = await values(Promise.resolve(tf.add(plain, guide)));
    const guided = await values(exact.flowEdit(source, { ...run, negative, guidance: 4 }));
    expect(distance(guided, expected)).toBeLessThan(1e-5 * Math.hypot(...expected));
    // Its last steps go without.
    const last = { ...run, steps: 8, fidelity: 0.8 };
    const unguided = await values(exact.flowEdit(source, last));
    expect(await values(exact.flowEdit(source, { ...last, negative, guidance: 4 }))).toEqual(unguided);
    exact.dispose();
  });

  test("an adapter's tensors count at every run, although the step is recorded once", async () => {
    const at = async (gain: number) => {
      const adapter = { gain: tf.scalar(gain) };
      const clip = await values(sampler.generate({ ...common, text, adapter }));
      adapter.gain.dispose();
      return clip;
    };
    const [one, half, oneAgain] = [await at(1), await at(0.5), await at(1)];
    expect(distance(one, await values(sampler.generate({ ...common, text })))).toBeLessThan(1e-4);
    expect(distance(one, half)).toBeGreaterThan(0.01);
    expect(oneAgain).toEqual(one);
  });

  test('two clips in one batch are those that each would be alone', async () => {
    const both = await values(sampler.generate({ ...common, text: tf.concat([text, negative]), seeds: [7, 8] }));
    const first = await values(sampler.generate({ ...common, text }));
    const second = await values(sampler.generate({ ...common, text: negative, seeds: [8] }));
    expect(distance(both, [...first, ...second])).toBeLessThan(1e-4);
    await expect(sampler.generate({ ...common, text: tf.concat([text, negative]) })).rejects.toThrow(
      'expected 2 seeds',
    );
  });

  describe('leaves nothing behind', () => {
    let before: number;
    beforeEach(() => {
      before = tf.memory().numTensors;
    });

    test('after a run with progress', async () => {
      const seen: [number, number, number[]][] = [];
      const clip = await sampler.generate({
        ...common,
        text,
        negative,
        guidance: 2,
        onStep: (done, total, prediction) => seen.push([done, total, prediction.shape]),
      });
      clip.dispose();
      expect(seen).toEqual([1, 2, 3, 4].map((done) => [done, 4, [1, 2, ...size]]));
      expect(tf.memory().numTensors).toBe(before);
    });

    test('when stopped between steps, and the next run is as good as new', async () => {
      const stop = new AbortController();
      const stopped = sampler.generate({ ...common, text, signal: stop.signal, onStep: () => stop.abort() });
      await expect(stopped).rejects.toMatchObject({ name: 'AbortError' });
      await expect(sampler.invert(source, { text, steps: 4, fidelity: 0, signal: stop.signal })).rejects.toThrow();
      expect(tf.memory().numTensors).toBe(before);
      const clip = await sampler.generate({ ...common, text });
      expect((await clip.data()).every(Number.isFinite)).toBe(true);
      clip.dispose();
    });
  });
});
