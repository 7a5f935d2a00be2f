import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterAll, describe, expect, it, test } from 'vitest';
import { createCudaExecutor } from '../../../../main/engine/backends/lazy/executors/cuda/executor.ts';
import type { Executor, TensorType } from '../../../../main/engine/backends/lazy/executors/executor.ts';
import { encodeModel } from '../../../../main/engine/backends/lazy/onnx-encoder.ts';
import { lazyBackend, useLazyBackend } from '../../../../main/engine/backends/lazy/use.ts';
import { selectBackend } from '../../../../main/engine/backends/select.ts';
import * as tf from '../../../../main/engine/backends/tf.ts';
import { createEngine } from '../../../../main/engine/index.ts';
import { compareSampleSteps } from '../../../../main/engine/training/sample-step.ts';
import { editSettings } from '../../../../shared/domain/edit.ts';
import type { EngineEvent } from '../../../../shared/domain/engine.ts';
import { AppError } from '../../../../shared/ipc/result.ts';
import { temporaryFolder, tinyModel } from '../../../integration/engine/tiny-model.ts';
import { cudaOnProcessor, packagedLibrary } from './c-interface.ts';

const mebibyte = 2 ** 20;
const useOnnxRuntime = () => selectBackend({ device: 'onnxruntime' });
afterAll(useOnnxRuntime);

const vector = (length: number): TensorType => ({ type: 'float32', shape: [length] });
/** o0 = i0 + i1 */
const addition = (length: number) =>
  encodeModel({
    nodes: [{ op: 'Add', domain: '', inputs: ['i0', 'i1'], outputs: ['o0'], attributes: {} }],
    inputs: ['i0', 'i1'].map((name) => ({ name, ...vector(length) })),
    outputs: [{ name: 'o0', ...vector(length) }],
    literals: [],
  });

/** Waits until what was begun before in an executor has ended, and answers what its arena holds. */
async function settledMemory(executor: Executor) {
  await new Promise((resolve) => setTimeout(resolve, 50));
  return executor.memory();
}

describe('the CUDA executor on the processor', () => {
  it('computes a step of training as the executor for the processor does', async () => {
    await useLazyBackend(cudaOnProcessor());
    expect(await compareSampleSteps('f32', useOnnxRuntime)).toMatch(/gradients within/);
  });

  it('computes it in float16 products as well', async () => {
    await useLazyBackend(cudaOnProcessor({ precision: 'f16' }));
    expect(await compareSampleSteps('bf16', useOnnxRuntime)).toMatch(/weights and moments in float32/);
  });

  it('keeps products in float16 exact where float16 itself has no numbers', async () => {
    await useLazyBackend(cudaOnProcessor({ precision: 'f16' }));
    const values = tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3]);
    for (const scale of [1e-12, 1, 1e12]) {
      const product = tf.tidy(() => tf.div(tf.matMul(tf.mul(values, scale), values, false, true), scale));
      const found = await product.data();
      for (const [index, expected] of [14, 32, 32, 77].entries()) expect(found[index]! / expected).toBeCloseTo(1, 2);
      product.dispose();
    }
    const nothing = tf.tidy(() => tf.matMul(tf.zerosLike(values), values, false, true));
    expect(Array.from(await nothing.data())).toEqual([0, 0, 0, 0]);
    tf.dispose([values, nothing]);
  });

  it('leaves the event loop free while it compiles and runs', async () => {
    await useLazyBackend(cudaOnProcessor());
    const x = tf.randomNormal([1024, 1024]) as tf.Tensor2D;
    const product = tf.tidy(() => {
      let result: tf.Tensor2D = x;
      for (let index = 0; index < 12; index++) result = tf.matMul(result, x);
      return tf.max(result);
    });
    await x.data();
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    const started = performance.now();
    await product.data();
    const elapsed = performance.now() - started;
    delay.disable();
    expect(elapsed).toBeGreaterThan(50); // 26 GFLOP
    expect(delay.max / 1e6).toBeLessThan(elapsed / 2);
    tf.dispose([x, product]);
  });

  it('holds the same memory after many runs, and none of it when its values are gone', async () => {
    const executor = cudaOnProcessor();
    const length = 2 ** 18;
    const program = executor.compile(addition(length), [vector(length), vector(length)], [vector(length)]);
    const weight = executor.upload(new Float32Array(length).fill(1), vector(length));
    const run = async (value: number) => {
      const input = executor.upload(new Float32Array(length).fill(value), vector(length));
      const [sum] = await program.run([input, weight]);
      const result = await executor.download(sum!, vector(length));
      for (const buffer of [input, sum!]) executor.release(buffer);
      return result[length - 1];
    };
    expect(await run(1)).toBe(2);
    const early = executor.memory();
    for (let index = 0; index < 100; index++) expect(await run(index)).toBe(index + 1);
    const late = executor.memory();
    expect(late).toEqual(early);
    expect(late.usedBytes).toBe(length * 4);
    executor.release(weight);
    executor.release(weight); // a second time is none
    executor.trim();
    program.dispose();
    expect(await settledMemory(executor)).toEqual({ usedBytes: 0, keptBytes: 0 });
    executor.dispose();
  });

  it('takes and gives back values of every type, and none at all', async () => {
    const executor = cudaOnProcessor();
    for (const [type, values] of [
      ['float32', Float32Array.of(1.5, -2)],
      ['int32', Int32Array.of(7, -7, 2 ** 31 - 1)],
      ['bool', Uint8Array.of(1, 0, 1)],
      ['float32', new Float32Array(0)],
    ] as const) {
      const buffer = executor.upload(values, { type, shape: [values.length] });
      expect(await executor.download(buffer, { type, shape: [1, values.length] })).toEqual(values);
      executor.release(buffer);
    }
    executor.dispose();
  });

  it('keeps what a run reads until the run has ended, although it was released meanwhile', async () => {
    const executor = cudaOnProcessor();
    const length = 2 ** 22;
    const program = executor.compile(addition(length), [vector(length), vector(length)], [vector(length)]);
    const inputs = [1, 2].map((value) => executor.upload(new Float32Array(length).fill(value), vector(length)));
    const running = program.run(inputs);
    await new Promise((resolve) => setTimeout(resolve, 1));
    for (const buffer of inputs) executor.release(buffer);
    const other = executor.upload(new Float32Array(length).fill(9), vector(length)); // wants such memory
    const [sum] = await running;
    const values = await executor.download(sum!, vector(length));
    expect([values[0], values[length - 1]]).toEqual([3, 3]);
    for (const buffer of [sum!, other]) executor.release(buffer);
    expect(executor.memory().usedBytes).toBe(0);
    executor.dispose();
  });
});

describe('a memory limit', () => {
  it('fails the one computation that is over it, in words, and leaves nothing behind', async () => {
    await useLazyBackend(cudaOnProcessor({ memoryLimitBytes: 64 * mebibyte }));
    const { executor } = lazyBackend()!;
    const x = tf.ones([2 ** 20]); // 4 MiB
    await x.data();
    const before = executor.memory().usedBytes;
    for (let round = 0; round < 3; round++) {
      // 16 Mi numbers, 64 MiB, between two operations.
      const large = tf.tidy(() => tf.sum(tf.exp(tf.mul(tf.reshape(x, [1, 2 ** 20]), tf.ones([16, 1])))));
      const failure = await large.data().catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(AppError);
      expect(failure).toMatchObject({
        code: 'out-of-memory',
        message: expect.stringMatching(/^ONNX Runtime ran out of memory on the processor.*requested bytes of 6\d{7}/),
        hint: expect.stringMatching(/smaller size/),
      });
      large.dispose();
      const small = tf.tidy(() => tf.sum(tf.mul(x, 3)));
      expect((await small.data())[0]).toBe(3 * 2 ** 20);
      small.dispose();
    }
    expect(executor.memory().usedBytes).toBe(before);
    x.dispose();
  });

  it('holds for values that are brought there as well', async () => {
    await useLazyBackend(cudaOnProcessor({ memoryLimitBytes: 8 * mebibyte }));
    expect(() => tf.tensor(new Float32Array(2 ** 22))).toThrow(/ran out of memory/);
    const x = tf.tensor(new Float32Array(2 ** 20).fill(2)); // half of it
    expect((await x.data())[7]).toBe(2);
    x.dispose();
  });

  it('is reached only by what is in use: what is kept for later is given back first', async () => {
    await useLazyBackend(cudaOnProcessor({ memoryLimitBytes: 64 * mebibyte }));
    // Each needs memory of another size, all together more than there is.
    for (let size = 1; size <= 22; size += 3) {
      const x = tf.tensor(new Float32Array((size * mebibyte) / 4).fill(1));
      const sum = tf.tidy(() => tf.sum(tf.add(x, 1)));
      expect((await sum.data())[0]).toBe((size * mebibyte) / 2);
      tf.dispose([x, sum]);
    }
  });
});

describe("a device's own memory", () => {
  const gigabyte = 2 ** 30;

  it('is what is free there, with what the executor has already, or a limit', async () => {
    let free = 3 * gigabyte;
    const readMemory = () => ({ free, total: 8 * gigabyte });
    const executor = cudaOnProcessor({ readMemory });
    const { keptBytes } = executor.memory();
    const before = executor.deviceMemoryBytes!()!;
    expect(before).toBeGreaterThanOrEqual(3 * gigabyte + keptBytes);
    expect(before).toBeLessThan(3.1 * gigabyte);
    const held = executor.upload(new Float32Array(16 * mebibyte), vector(16 * mebibyte));
    free -= 64 * mebibyte; // as a driver tells of what was taken
    expect(executor.deviceMemoryBytes!()! - before).toBe(0);
    free -= gigabyte; // another program took that
    expect(executor.deviceMemoryBytes!()! - before).toBe(-gigabyte);
    executor.release(held);
    executor.dispose();
    const limited = cudaOnProcessor({ readMemory, memoryLimitBytes: gigabyte });
    expect(limited.deviceMemoryBytes!()).toBe(gigabyte);
    limited.dispose();
    expect(limited.deviceMemoryBytes!()).toBe(undefined);
  });

  it('is not there where values lie in the machine’s memory', async () => {
    const executor = cudaOnProcessor();
    expect(executor.deviceMemoryBytes!()).toBe(undefined);
    executor.dispose();
    const engine = await createEngine({ device: 'onnxruntime' });
    expect(await engine.device({})).toMatchObject({ chosen: 'onnxruntime', memoryBytes: null });
    await engine.dispose();
  });

  it('is what is told of the device, and what a model is planned for', async () => {
    const engine = await createEngine({ device: 'onnxruntime' });
    const remarks: string[] = [];
    const generate = async (free: number) => {
      await useLazyBackend(cudaOnProcessor({ readMemory: () => ({ free, total: 8 * gigabyte }) }));
      const { memoryBytes } = await engine.device({});
      expect(memoryBytes! / free).toBeCloseTo(1, 1);
      const settings = editSettings.parse({ prompt: 'a dog', steps: 1, guidance: 1 });
      const size = { width: 32, height: 32, frameCount: 5 };
      const request = {
        model: tinyModel,
        conceptFile: null,
        source: null,
        size,
        settings,
        output: join(folder, 'out'),
      };
      remarks.splice(0);
      const onEvent = (event: EngineEvent) => event.type === 'remark' && remarks.push(event.text);
      await engine.generate(request, { onEvent });
    };
    const folder = await temporaryFolder();
    await generate(0.1 * gigabyte);
    expect(remarks).toEqual([expect.stringContaining('read from disk')]);
    await useOnnxRuntime();
    await engine.dispose();
    await rm(folder, { recursive: true });
  });

  it('is not known where asking fails', async () => {
    const engine = await createEngine({ device: 'onnxruntime' });
    const readMemory = () => {
      throw new Error('no driver');
    };
    await useLazyBackend(cudaOnProcessor({ readMemory }));
    expect(await engine.device({})).toMatchObject({ memoryBytes: null });
    await useOnnxRuntime();
    await engine.dispose();
  });
});

test('what an executor held is free when it is disposed of, and another one takes its place', async () => {
  for (let round = 0; round < 3; round++) {
    // Each holds more than half of what there is.
    await useLazyBackend(cudaOnProcessor({ memoryLimitBytes: 48 * mebibyte }));
    const held = tf.tensor(new Float32Array(7 * mebibyte).fill(round));
    const { executor } = lazyBackend()!;
    expect((await held.data())[0]).toBe(round);
    await useOnnxRuntime();
    held.dispose(); // its memory went with the backend
    expect(executor.memory()).toEqual({ usedBytes: 0, keptBytes: 0 });
    expect(() => executor.upload(new Float32Array(1), vector(1))).toThrow(/was disposed of/);
  }
});

test('an executor without its provider says why', () => {
  expect(() => createCudaExecutor({ library: packagedLibrary, precision: 'f32' })).toThrow(
    /libonnxruntime_providers_shared|onnxruntime_providers_shared\.dll|not enabled/,
  );
});
