import { expect, test } from 'vitest';
import { checkpoint } from '../../../../main/engine/backends/checkpoint.ts';
import { lazyBackend } from '../../../../main/engine/backends/lazy/use.ts';
import * as tf from '../../../../main/engine/backends/tf.ts';
import { traced } from '../../../../main/engine/backends/traced.ts';
import { useDevice } from './compare.ts';
import { randomValues, relativeError } from './outcomes.ts';

const random = (shape: number[], seed: number) => tf.tensor(randomValues(tf.util.sizeFromShape(shape), seed), shape);

/** Two-layer network. x [n, 4] -> [n, 3] */
interface Layers {
  first: tf.Tensor;
  second: tf.Tensor;
}
const network = ({ first, second }: Layers, x: tf.Tensor) => tf.matMul(tf.tanh(tf.matMul(x, first)), second);
const makeLayers = (): Layers => ({ first: random([4, 8], 1), second: random([8, 3], 2) });

interface Training {
  weights: Layers;
  x: tf.Tensor;
  target: tf.Tensor;
  rate: tf.Tensor;
}

function descend({ weights, x, target, rate }: Training): { loss: tf.Tensor; weights: Layers } {
  const { value, grads } = tf.valueAndGrads((first: tf.Tensor, second: tf.Tensor) =>
    tf.mean(tf.squaredDifference(network({ first, second }, x), target)),
  )([weights.first, weights.second]);
  return {
    loss: value,
    weights: {
      first: tf.sub(weights.first, tf.mul(grads[0]!, rate)),
      second: tf.sub(weights.second, tf.mul(grads[1]!, rate)),
    },
  };
}

async function train(steps: number, rateAt: (step: number) => number): Promise<number[]> {
  const step = traced(descend);
  const [x, target] = [random([16, 4], 3), random([16, 3], 4)];
  let weights = makeLayers();
  const losses: number[] = [];
  for (let index = 0; index < steps; index++) {
    const rate = tf.scalar(rateAt(index));
    const next = await step.run({ weights, x, target, rate });
    tf.dispose([weights.first, weights.second, rate]);
    weights = next.weights;
    losses.push((await next.loss.data())[0]!);
    next.loss.dispose();
  }
  tf.dispose([weights.first, weights.second, x, target]);
  step.dispose();
  return losses;
}

test('a traced step trains as the plain one does, with one compilation though the rate changes', async () => {
  await tf.setBackend('cpu');
  const expected = await train(10, (step) => 0.1 / (step + 1));
  await useDevice('onnxruntime');
  const backend = lazyBackend()!;
  const before = { compiled: backend.computation.programs.compiled, ...tf.memory() };
  const found = await train(10, (step) => 0.1 / (step + 1));
  expect(relativeError(found, expected)).toBeLessThan(1e-5);
  expect(found[9]).toBeLessThan(found[0]!);
  expect(backend.computation.programs.compiled - before.compiled).toBe(1);
  expect(tf.memory().numTensors).toBe(before.numTensors);
});

test('plain calls do not compile again when a number changes', async () => {
  await useDevice('onnxruntime');
  const backend = lazyBackend()!;
  const x = random([3, 3], 1);
  const read = (factor: number) => tf.tidy(() => tf.sum(tf.mul(tf.add(x, factor), factor / 3))).data();
  await read(1);
  const before = backend.computation.programs.compiled;
  for (let factor = 2; factor < 6; factor++) await read(factor);
  expect(backend.computation.programs.compiled).toBe(before);
  x.dispose();
});

test('a step is recorded once per shapes of its inputs', async () => {
  await useDevice('onnxruntime');
  let calls = 0;
  const step = traced(({ x }: { x: tf.Tensor }) => {
    calls++;
    return { sum: tf.sum(x), x, twice: tf.mul(x, 2), seven: tf.scalar(7) };
  });
  for (const shape of [[2], [3], [2], [3]]) {
    const x = tf.ones(shape);
    const { sum, x: same, twice, seven } = await step.run({ x });
    expect((await sum.data())[0]).toBe(shape[0]);
    expect(Array.from(await same.data())).toEqual(Array(shape[0]).fill(1));
    expect(Array.from(await twice.data())).toEqual(Array(shape[0]).fill(2));
    expect(Array.from(await seven.data())).toEqual([7]);
    tf.dispose([x, sum, same, twice, seven]);
  }
  expect(calls).toBe(2);
  step.dispose();
});

test('reading values while a step is traced is refused with the reason, and the engine works on', async () => {
  await useDevice('onnxruntime');
  const step = traced(({ x }: { x: tf.Tensor }) => ({ y: tf.scalar(tf.sum(x).dataSync()[0]!) }));
  const x = tf.ones([3]);
  await expect(step.run({ x })).rejects.toThrow('read inside a traced step');
  expect(Array.from(await tf.mul(x, 2).data())).toEqual([2, 2, 2]);
});

test('what a step uses besides its inputs is kept until the step is disposed of', async () => {
  await useDevice('onnxruntime');
  const backend = lazyBackend()!;
  const usedBefore = backend.memory().usedBytes;
  const weight = random([50, 50], 1);
  const step = traced(({ x }: { x: tf.Tensor }) => ({ y: tf.matMul(x, weight) }));
  const x = random([2, 50], 2);
  const first = await step.run({ x });
  weight.dispose();
  const second = await step.run({ x });
  expect(Array.from(await second.y.data())).toEqual(Array.from(await first.y.data()));
  tf.dispose([first.y, second.y, x]);
  expect(backend.memory().usedBytes).toBe(usedBefore + 50 * 50 * 4);
  step.dispose();
  expect(backend.memory().usedBytes).toBe(usedBefore);
});

/** `depth` equal layers. */
function deep(depth: number, recompute: boolean | undefined) {
  return (x: tf.Tensor, ...weights: tf.Tensor[]) => {
    let y = x;
    for (let layer = 0; layer < depth; layer++) {
      const block = ({ y, w }: { y: tf.Tensor; w: tf.Tensor }) => tf.tanh(tf.add(tf.matMul(y, w), y));
      const inputs = { y, w: weights[layer]! };
      y = recompute === undefined ? block(inputs) : checkpoint(block, inputs, { recompute });
    }
    return tf.mean(tf.square(y)) as tf.Scalar;
  };
}

test.each([true, false])(
  'blocks share their compiled programs however deep the model is (recompute: %s)',
  async (recompute) => {
    const compiled: number[] = [];
    for (const depth of [3, 7]) {
      const inputs = () => [random([5, 6], 9), ...Array.from({ length: depth }, (_, layer) => random([6, 6], layer))];
      await tf.setBackend('cpu');
      const expected = await Promise.all(
        tf
          .grads(deep(depth, undefined))(inputs())
          .map((gradient) => gradient.data()),
      );
      await useDevice('onnxruntime');
      const backend = lazyBackend()!;
      const before = backend.computation.programs.compiled;
      const step = traced((given: { inputs: tf.Tensor[] }) => ({
        gradients: tf.grads(deep(depth, recompute))(given.inputs),
      }));
      const { gradients } = await step.run({ inputs: inputs() });
      compiled.push(backend.computation.programs.compiled - before);
      for (const [index, gradient] of gradients.entries())
        expect(relativeError(await gradient.data(), expected[index]!)).toBeLessThan(1e-5);
      step.dispose();
    }
    expect(compiled[0]).toBeLessThanOrEqual(6);
    expect(compiled[1]).toBeLessThanOrEqual(1);
  },
);

test('a deep model that keeps its activations is compiled block by block, a shallow one whole', async () => {
  await useDevice('onnxruntime');
  const backend = lazyBackend()!;
  const compiledFor = async (depth: number) => {
    const before = backend.computation.programs.compiled;
    const inputs = [random([2, 2], 9), ...Array.from({ length: depth }, (_, layer) => random([2, 2], layer))];
    const step = traced((given: { inputs: tf.Tensor[] }) => ({
      gradients: tf.grads(deep(depth, false))(given.inputs),
    }));
    const { gradients } = await step.run({ inputs });
    step.dispose();
    tf.dispose([inputs, gradients]);
    return backend.computation.programs.compiled - before;
  };
  expect(await compiledFor(5)).toBe(1);
  const deepFirst = await compiledFor(900);
  expect(deepFirst).toBeGreaterThan(2);
  expect(deepFirst).toBeLessThan(12);
  expect(await compiledFor(950)).toBeLessThanOrEqual(1);
});

test('all programs of a step are compiled before the first of them runs, so that an executor can compile several at once', async () => {
  await useDevice('onnxruntime');
  const { executor } = lazyBackend()!;
  const compile = executor.compile;
  const happened: string[] = [];
  executor.compile = (...given) => {
    happened.push('compile');
    const program = compile.apply(executor, given);
    return {
      run(inputs) {
        happened.push('run');
        return program.run(inputs);
      },
      dispose: () => program.dispose(),
    };
  };
  try {
    // A shape that no other test compiles.
    const inputs = [random([5, 11], 9), ...Array.from({ length: 4 }, (_, layer) => random([11, 11], layer))];
    const step = traced((given: { inputs: tf.Tensor[] }) => ({ gradients: tf.grads(deep(4, true))(given.inputs) }));
    tf.dispose([(await step.run({ inputs })).gradients, inputs]);
    step.dispose();
  } finally {
    executor.compile = compile;
  }
  const firstRun = happened.indexOf('run');
  expect(firstRun).toBeGreaterThan(2);
  expect(happened.slice(firstRun)).not.toContain('compile');
});

test('a run that is aborted between blocks leaves the engine usable and frees what it had computed', async () => {
  await useDevice('onnxruntime');
  const backend = lazyBackend()!;
  const inputs = [random([5, 6], 9), ...Array.from({ length: 4 }, (_, layer) => random([6, 6], layer))];
  const step = traced((given: { inputs: tf.Tensor[] }) => ({ gradients: tf.grads(deep(4, true))(given.inputs) }));
  const first = await step.run({ inputs });
  tf.dispose(first.gradients);
  const used = backend.memory().usedBytes;
  await expect(step.run({ inputs }, AbortSignal.abort(new Error('stopped')))).rejects.toThrow('stopped');
  expect(backend.memory().usedBytes).toBe(used);
  const again = await step.run({ inputs });
  expect((await again.gradients[0]!.data()).every(Number.isFinite)).toBe(true);
});
