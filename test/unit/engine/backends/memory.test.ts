import { beforeEach, describe, expect, it, test, vi } from 'vitest';
import { layerNorm } from '../../../../main/engine/backends/fused.ts';
import { LazyBackend } from '../../../../main/engine/backends/lazy/backend.ts';
import type { Executor } from '../../../../main/engine/backends/lazy/executors/executor.ts';
import { createCpuExecutor } from '../../../../main/engine/backends/lazy/executors/onnxruntime/cpu.ts';
import { findOpenVino } from '../../../../main/engine/backends/lazy/executors/openvino/locate.ts';
import { ProgramCache } from '../../../../main/engine/backends/lazy/program-cache.ts';
import { lazyBackend, useLazyBackend } from '../../../../main/engine/backends/lazy/use.ts';
import { lowRankLinear } from '../../../../main/engine/backends/low-rank-linear.ts';
import { selectBackend } from '../../../../main/engine/backends/select.ts';
import * as tf from '../../../../main/engine/backends/tf.ts';
import { traced } from '../../../../main/engine/backends/traced.ts';
import { useDevice } from './compare.ts';
import { randomValues } from './outcomes.ts';

const random = (shape: number[], seed: number) => tf.tensor(randomValues(tf.util.sizeFromShape(shape), seed), shape);

/** A frozen two-layer network with a low-rank change of rank 2 in each layer, and its AdamW step. */
function loraTraining() {
  const frozen = [random([32, 64], 1), random([64, 32], 2)] as tf.Tensor2D[];
  type Weights = { down: tf.Tensor; up: tf.Tensor }[];
  type State = { weights: Weights; moments: Weights; variances: Weights };
  const zeros = (): Weights =>
    frozen.map(({ shape: [rows, columns] }) => ({ down: tf.zeros([rows!, 2]), up: tf.zeros([2, columns!]) }));
  const state = (): State => ({
    weights: frozen.map(({ shape: [rows, columns] }, index) => ({
      down: random([rows!, 2], index + 5),
      up: tf.zeros([2, columns!]),
    })),
    moments: zeros(),
    variances: zeros(),
  });
  const step = traced(
    ({
      weights,
      moments,
      variances,
      x,
      target,
      rate,
    }: State & { x: tf.Tensor; target: tf.Tensor; rate: tf.Tensor }) => {
      const flat = weights.flatMap(({ down, up }) => [down, up]);
      const { value: loss, grads } = tf.valueAndGrads((...values: tf.Tensor[]) => {
        const layer = (input: tf.Tensor, index: number) =>
          lowRankLinear(
            layerNorm(input),
            frozen[index]!,
            undefined,
            values[2 * index] as tf.Tensor2D,
            values[2 * index + 1] as tf.Tensor2D,
          );
        return tf.mean(tf.squaredDifference(layer(tf.relu(layer(x, 0)), 1), target)) as tf.Scalar;
      })(flat);
      const moved = (old: Weights, change: (value: tf.Tensor, gradient: tf.Tensor) => tf.Tensor): Weights =>
        old.map(({ down, up }, index) => ({
          down: change(down, grads[2 * index]!),
          up: change(up, grads[2 * index + 1]!),
        }));
      const first = moved(moments, (value, gradient) => tf.add(tf.mul(value, 0.9), tf.mul(gradient, 0.1)));
      const second = moved(variances, (value, gradient) =>
        tf.add(tf.mul(value, 0.99), tf.mul(tf.square(gradient), 0.01)),
      );
      const next = weights.map(({ down, up }, index) => {
        const direction = (name: 'down' | 'up') =>
          tf.div(first[index]![name], tf.add(tf.sqrt(second[index]![name]), 1e-8));
        return { down: tf.sub(down, tf.mul(direction('down'), rate)), up: tf.sub(up, tf.mul(direction('up'), rate)) };
      });
      return { loss, state: { weights: next, moments: first, variances: second } };
    },
  );
  return { step, state: state(), frozen };
}

const openVino = await findOpenVino();
if (!openVino) console.log('OpenVINO is not on this machine: what needs its library was skipped.');
const devices = ['onnxruntime', 'cuda-on-processor', ...(openVino ? (['openvino-f32'] as const) : [])] as const;

test.each(devices)('200 training steps on %s learn, compile once and keep memory constant', async (device) => {
  await useDevice(device);
  const backend = lazyBackend()!;
  const start = tf.memory().numTensors;
  const { step, state: initial, frozen } = loraTraining();
  const [x, target] = [random([64, 32], 3), random([64, 32], 4)];
  let state = initial;
  const losses: number[] = [];
  const marks: { tensors: number; used: number; kept: number; resident: number }[] = [];
  const compiled = backend.computation.programs.compiled;
  for (let index = 0; index < 200; index++) {
    const rate = tf.scalar(0.01 * (1 - index / 200));
    const next = await step.run({ ...state, x, target, rate });
    losses.push((await next.loss.data())[0]!);
    tf.dispose([next.loss, rate, state.weights, state.moments, state.variances] as tf.TensorContainer);
    state = next.state;
    if (index === 50 || index === 199) {
      const { usedBytes: used, keptBytes: kept } = backend.memory();
      marks.push({ tensors: tf.memory().numTensors, used, kept, resident: process.memoryUsage().rss });
    }
  }
  expect(losses[199]).toBeLessThan(0.5 * losses[0]!);
  expect(backend.computation.programs.compiled - compiled).toBe(1);
  const [early, late] = marks as [(typeof marks)[0], (typeof marks)[0]];
  expect(late.tensors).toBe(early.tensors);
  expect(late.used).toBe(early.used);
  expect(late.kept).toBe(early.kept);
  expect(late.resident - early.resident).toBeLessThan(40 * 2 ** 20);
  tf.dispose([state.weights, state.moments, state.variances, x, target, frozen] as tf.TensorContainer);
  step.dispose();
  expect(tf.memory().numTensors).toBe(start);
});

test('disposing of tensors frees their memory, computed or not', async () => {
  await useDevice('onnxruntime');
  const backend = lazyBackend()!;
  const before = { ...backend.memory(), tensors: tf.memory().numTensors };
  const x = random([100, 100], 1);
  const read = tf.matMul(x as tf.Tensor2D, x as tf.Tensor2D);
  await read.data();
  const unread = tf.mul(read, 2);
  expect(backend.memory().usedBytes - before.usedBytes).toBe(2 * 100 * 100 * 4 + 4); // and the number 2
  tf.dispose([x, read, unread]);
  const after = backend.memory();
  expect(after.usedBytes).toBe(before.usedBytes);
  expect(after.pending).toBe(before.pending);
  expect(tf.memory().numTensors).toBe(before.tensors);
});

test('reading one value computes every pending one, so that graphs do not grow', async () => {
  await useDevice('onnxruntime');
  const backend = lazyBackend()!;
  const x = random([4], 1);
  const [a, b] = [tf.mul(x, 2), tf.exp(x)];
  await a.data();
  const compiled = backend.computation.programs.compiled;
  expect(backend.memory().pending).toBe(0);
  await b.data();
  expect(backend.computation.programs.compiled).toBe(compiled);
  tf.dispose([x, a, b]);
});

test('what was read stays as it was although its tensor is gone and its memory is wanted', async () => {
  await useDevice('onnxruntime');
  const x = random([1000], 1);
  const doubled = tf.mul(x, 2);
  const values = await doubled.data();
  const copy = Float32Array.from(values);
  doubled.dispose();
  for (let round = 0; round < 5; round++) await tf.tidy(() => tf.add(x, round)).data();
  expect(values).toEqual(copy);
});

/** An executor that refuses models with a Sin in them, to compile or to run. */
function failing(when: 'compile' | 'run'): Executor {
  const executor = createCpuExecutor({ threads: 1 });
  const compile: Executor['compile'] = (model, ...types) => {
    const bad = Buffer.from(model).includes('Sin');
    if (bad && when === 'compile') throw new Error('this device has no Sin');
    const program = executor.compile(model, ...types);
    return bad
      ? {
          ...program,
          run: () => {
            throw new Error('out of memory in Sin');
          },
        }
      : program;
  };
  return { ...executor, compile };
}

test.each(['compile', 'run'] as const)('a graph that fails to %s fails its own reads alone', async (when) => {
  await useLazyBackend(failing(when));
  const x = random([5], 1);
  const bad = tf.sin(x);
  const good = tf.mul(x, 2);
  await expect(bad.data()).rejects.toThrow('Sin');
  expect((await good.data())[0]).toBeCloseTo(2 * (await x.data())[0]!);
  expect(() => bad.dataSync()).toThrow('Sin');
  const later = tf.add(good, 1);
  expect((await later.data()).length).toBe(5);
  const alsoBad = tf.sin(later);
  const unrelated = tf.sub(later, 1);
  expect(Array.from(await unrelated.data())).toEqual(Array.from(await good.data()));
  await expect(alsoBad.data()).rejects.toThrow('Sin');
  tf.dispose([x, bad, good, later, alsoBad, unrelated]);
  expect(lazyBackend()!.memory()).toMatchObject({ usedBytes: 0, pending: 0 });
  await selectBackend({ device: 'onnxruntime' });
});

test.each(['compile', 'run'] as const)(
  'what is kept for later is given back where memory lacks to %s',
  async (when) => {
    const executor = createCpuExecutor({ threads: 1 });
    let attempts = 0;
    const lacking = () => {
      attempts++;
      if (executor.memory().keptBytes > 0) throw new Error('std::bad_alloc');
    };
    await useLazyBackend({
      ...executor,
      compile(model, ...types) {
        const isLarge = Buffer.from(model).includes('Sin');
        if (isLarge && when === 'compile') lacking();
        const program = executor.compile(model, ...types);
        const run: typeof program.run = (inputs) => {
          if (isLarge && when === 'run') lacking();
          return program.run(inputs);
        };
        return { ...program, run };
      },
    });
    const x = random([1000], 1);
    const unwanted = tf.mul(x, 2);
    const used = tf.sum(unwanted); // read instead of it, so that its memory can be used again
    await used.data();
    unwanted.dispose();
    expect(executor.memory().keptBytes).toBe(4000);
    const large = tf.sin(x);
    expect((await large.data())[3]).toBeCloseTo(Math.sin((await x.data())[3]!), 5);
    expect(attempts).toBe(2);
    tf.dispose([x, used, large]);
    await selectBackend({ device: 'onnxruntime' });
  },
);

describe('the cache of compiled programs', () => {
  const told: string[] = [];
  const executor = {
    compile: (model: Uint8Array) => ({
      run: () => [],
      rest: () => told.push(`${model[0]} rests`),
      dispose: () => told.push(`${model[0]} goes`),
    }),
  } as unknown as Executor;
  const segment = (index: number, workingBytes = 0) => ({
    signature: `${index}`,
    inputs: [],
    outputs: [],
    workingBytes,
    encode: () => Uint8Array.of(index),
  });
  beforeEach(() => told.splice(0));

  it('gives programs up, the oldest first, when there are too many', () => {
    const cache = new ProgramCache(executor, { limit: 2 });
    for (const index of [1, 2, 1, 3]) cache.get(segment(index));
    expect(told).toEqual(['2 goes']);
    expect(cache.compiled).toBe(3);
    expect(cache.size).toBe(2);
  });

  it('lays those to rest that nobody has used for a while, where all together hold too much', () => {
    let now = 0;
    const cache = new ProgramCache(executor, { restingLimit: 3000, now: () => now });
    const use = (index: number, bytes: number, seconds: number) => {
      now += seconds * 1000;
      cache.get(segment(index, bytes));
    };
    use(1, 600, 0);
    use(2, 600, 1); // too much, but the first is in use
    expect(told).toEqual([]);
    use(2, 600, 20);
    use(3, 300, 1);
    expect(told).toEqual(['1 rests']);
    use(1, 600, 1); // wakes up; the second was used a moment ago
    expect(told).toEqual(['1 rests']);
    use(4, 100, 30);
    expect(told).toEqual(['1 rests', '2 rests']);
    expect(cache.compiled).toBe(4);
  });
});

test('what a program holds between runs follows from its graph: the most that is alive at once', async () => {
  const backend = await useLazyBackend(createCpuExecutor({ threads: 1 }));
  const x = tf.ones([1000]);
  const planned = vi.spyOn(backend.computation.programs, 'get');
  const result = tf.tidy(() => {
    const [a, b] = [tf.sin(x), tf.cos(x)];
    return tf.sum(tf.exp(tf.mul(a, b)));
  });
  await result.data();
  expect(planned.mock.calls.map(([{ workingBytes }]) => workingBytes)).toEqual([12_000]);
  tf.dispose([x, result]);
});

test('tensors of another backend move over when they are used', async () => {
  await tf.setBackend('cpu');
  const x = tf.tensor1d([1, 2, 3]);
  await useDevice('onnxruntime');
  expect(Array.from(await tf.mul(x, 2).data())).toEqual([2, 4, 6]);
  expect(tf.backend()).toBeInstanceOf(LazyBackend);
});
