import { beforeEach, describe, expect, test } from 'vitest';
import type { TensorType } from '../../../../main/engine/backends/lazy/executors/executor.ts';
import { createCpuExecutor } from '../../../../main/engine/backends/lazy/executors/onnxruntime/cpu.ts';
import { lazyBackend, useLazyBackend } from '../../../../main/engine/backends/lazy/use.ts';
import * as tf from '../../../../main/engine/backends/tf.ts';
import {
  compactWeight,
  computesFloat16Weights,
  quantise,
  streamedWeight,
  WeightArrays,
  weightForms,
} from '../../../../main/engine/backends/weights.ts';
import { decodeFloat16, encodeFloat16 } from '../../../../main/engine/formats/half.ts';
import { testDevices, useDevice } from './compare.ts';
import { randomValues, relativeError } from './outcomes.ts';

const [rows, columns] = [48, 40];
const values = randomValues(rows * columns, 7, [-0.5, 0.5]);
const x = randomValues(3 * rows, 8);

/** What the weights are once they are expanded. */
const expanded = {
  float16: () => {
    const wide = new Float32Array(values.length);
    decodeFloat16(encodeFloat16(values), wide);
    return wide;
  },
  int8: () => {
    const { quantised, scale } = quantise(values, columns);
    return Float32Array.from(quantised, (value, index) => Math.fround(value * scale[index % columns]!));
  },
};

/** x W and its gradient in x, of |x W|^2. */
async function product(weight: tf.Tensor): Promise<Float32Array[]> {
  const input = tf.tensor2d(x, [3, rows]);
  const loss = (given: tf.Tensor) =>
    tf.sum(tf.square(tf.matMul(given as tf.Tensor2D, weight as tf.Tensor2D))) as tf.Scalar;
  const results = [tf.matMul(input, weight as tf.Tensor2D), tf.grad(loss)(input)];
  const read = await Promise.all(results.map(async (tensor) => Float32Array.from(await tensor.data())));
  tf.dispose([input, ...results]);
  return read;
}

describe.each((await testDevices()).filter((device) => device !== 'tensorflow' && device !== 'cpu'))(
  'on %s',
  (device) => {
    beforeEach(() => useDevice(device));

    test.each(['float16', 'int8'] as const)(
      'weights in %s compute as what they stand for, in less memory',
      async (form) => {
        if (!weightForms().includes(form)) return;
        const whole = tf.tensor2d(expanded[form](), [rows, columns]);
        const expected = await product(whole);
        whole.dispose();
        const before = lazyBackend()!.memory().usedBytes;
        const weight = compactWeight(values, [rows, columns], form);
        const held = lazyBackend()!.memory().usedBytes - before;
        expect(held).toBe(form === 'float16' ? 2 * values.length : values.length + 4 * columns);
        for (const [index, found] of (await product(weight)).entries())
          expect(relativeError(found, expected[index]!)).toBeLessThan(device.startsWith('openvino') ? 2e-2 : 1e-6);
        expect(await weight.data()).toEqual(expanded[form]());
        expect(lazyBackend()!.memory().usedBytes - before).toBe(held);
        weight.dispose();
        expect(lazyBackend()!.memory().usedBytes).toBe(before);
      },
    );

    test('streamed weights are read for each program, compute to the bit as those in memory, and their array is used again', async () => {
      const whole = tf.tensor2d(values, [rows, columns]);
      const expected = await product(whole);
      whole.dispose();
      const before = lazyBackend()!.memory().usedBytes;
      const targets: Float32Array[] = [];
      const weight = streamedWeight(
        [rows, columns],
        async (target) => {
          targets.push(target);
          target.set(values);
        },
        new WeightArrays(),
      );
      expect(await product(weight)).toEqual(expected);
      expect(await product(weight)).toEqual(expected);
      expect(targets.length).toBeGreaterThan(1);
      expect(new Set(targets).size).toBe(1);
      expect(lazyBackend()!.memory().usedBytes).toBe(before);
      weight.dispose();
    });

    test('a file that can no longer be read fails what needs it, and nothing else', async () => {
      const before = lazyBackend()!.memory().usedBytes;
      const arrays = new WeightArrays();
      const good = streamedWeight([rows, columns], async (target) => target.set(values), arrays);
      const bad = streamedWeight([rows, columns], () => Promise.reject(new Error('the disk is gone')), arrays);
      await expect(tf.tidy(() => tf.add(good, bad)).data()).rejects.toThrow('the disk is gone');
      const sum = tf.tidy(() => tf.add(good, 1));
      expect((await sum.data())[5]).toBeCloseTo(values[5]! + 1, device.startsWith('openvino') ? 1 : 6);
      tf.dispose([good, bad, sum]);
      // What failed is forgotten with its tensor.
      expect(lazyBackend()!.memory().usedBytes - before).toBeLessThanOrEqual(0);
    });
  },
);

describe('weights in float16', () => {
  /** The processor, where a program with such an input answers otherwise. */
  const useChanged = (capable: boolean, answer?: (outputs: readonly TensorType[]) => Float32Array[]) => {
    const executor = createCpuExecutor({ threads: 1 });
    return useLazyBackend({
      ...executor,
      capabilities: { ...executor.capabilities, float16Weights: capable, int8Weights: false },
      compile(model, inputs, outputs) {
        const program = executor.compile(model, inputs, outputs);
        if (!answer || !inputs.some(({ type }) => type === 'float16')) return program;
        return {
          run: () => answer(outputs).map((values, index) => executor.upload(values, outputs[index]!)),
          dispose: () => program.dispose(),
        };
      },
    });
  };
  const failing = (message: string) => () => {
    throw new Error(message);
  };

  test('are found to compute right, whatever the executor says of itself, and are offered where it says so', async () => {
    await useChanged(false);
    expect(await computesFloat16Weights()).toBe(true);
    expect(weightForms()).toEqual(['float32', 'streamed']);
    await useChanged(true);
    expect(weightForms()).toEqual(['float32', 'float16', 'streamed']);
  });

  test('are found not to where a device fails or answers zeros, but no verdict comes of what may pass', async () => {
    await useChanged(true, failing('Program Cast requires f16 but the device does not support it.'));
    expect(await computesFloat16Weights()).toBe(false);
    await useChanged(true, (outputs) => outputs.map(({ shape }) => new Float32Array(shape.reduce((a, b) => a * b, 1))));
    expect(await computesFloat16Weights()).toBe(false);
    await useChanged(true, failing('the device is busy'));
    await expect(computesFloat16Weights()).rejects.toThrow('busy');
  });
});

test('int8 errs by at most half of its step in each column, and a column of zeros stays', () => {
  const given = Float32Array.from(values, (value, index) =>
    index % columns === 3 ? 0 : value * (1 + (index % columns)),
  );
  const { quantised, scale } = quantise(given, columns);
  for (const [index, value] of given.entries()) {
    const step = scale[index % columns]!;
    expect(Math.abs(quantised[index]! * step - value)).toBeLessThanOrEqual(0.5001 * step);
  }
  expect(scale[3]).toBe(0);
  expect(Math.max(...quantised)).toBe(127);
});

test('bfloat16 weights are exact in float16 from 6e-5 on', () => {
  const words = Uint32Array.from({ length: 4096 }, (_, index) => ((0x3880 + 13 * index) & 0x477f) << 16);
  const wide = new Float32Array(words.buffer).filter(
    (value) => Math.abs(value) >= 2 ** -14 && Math.abs(value) < 65_504,
  );
  const back = new Float32Array(wide.length);
  decodeFloat16(encodeFloat16(wide), back);
  expect(wide.length).toBeGreaterThan(1000);
  expect(back).toEqual(wide);
});
