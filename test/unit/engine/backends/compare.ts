import '@tensorflow/tfjs-backend-cpu/dist/index.js';
import { expect } from 'vitest';
import { findOpenVino } from '../../../../main/engine/backends/lazy/executors/openvino/locate.ts';
import { lazyBackend, useLazyBackend } from '../../../../main/engine/backends/lazy/use.ts';
import { selectBackend } from '../../../../main/engine/backends/select.ts';
import { findTensorFlow } from '../../../../main/engine/backends/tensorflow/load.ts';
import * as tf from '../../../../main/engine/backends/tf.ts';
import type { DeviceName } from '../../../../shared/domain/engine.ts';
import { cudaOnProcessor } from './c-interface.ts';
import { type Case, evaluate, randomValues, relativeError } from './outcomes.ts';
import { verifyGraph } from './verify-graph.ts';

/** What is tested: the devices that can be chosen, and the CUDA executor on the processor. */
export type TestedDevice = DeviceName | 'cuda-on-processor';

/**
 * How far a device may be from plain TensorFlow.js: WebGPU leaves the precision of sines and exponentials to
 * the driver; in bfloat16 the scores of an attention, up to a hundred here, are half a unit apart.
 */
const tolerances: Partial<Record<TestedDevice, number>> = { webgpu: 5e-4, openvino: 6e-2 };

/**
 * The devices to test: ONNX Runtime on the processor, the CUDA executor there as well, TensorFlow and
 * OpenVINO (in float32: bfloat16 tells no mistake from rounding) where they are installed, what is chosen
 * here by itself, and those that MOTIF_TEST_DEVICES names.
 */
export async function testDevices(): Promise<TestedDevice[]> {
  const { chosen } = await selectBackend();
  const named = (process.env.MOTIF_TEST_DEVICES?.split(',') ?? []) as DeviceName[];
  const installed: DeviceName[] = [
    ...(findTensorFlow() ? (['tensorflow'] as const) : []),
    ...((await findOpenVino()) ? (['openvino-f32'] as const) : []),
  ];
  return [...new Set<TestedDevice>(['onnxruntime', 'cuda-on-processor', chosen as DeviceName, ...installed, ...named])];
}

/**
 * Runs a case on plain TensorFlow.js and on another backend, and expects the same shapes, values and
 * gradients.
 */
export async function expectAgreement(test: Case, device: TestedDevice): Promise<void> {
  await tf.setBackend('cpu');
  const expected = await evaluate(test);
  await useDevice(device);
  const found = await evaluate(test);
  const tolerance = tolerances[device] ?? test.tolerance ?? 2e-5;
  expect(found.outputs.map(({ shape, dtype }) => ({ shape, dtype }))).toEqual(
    expected.outputs.map(({ shape, dtype }) => ({ shape, dtype })),
  );
  for (const [index, { values }] of expected.outputs.entries())
    expect(relativeError(found.outputs[index]!.values, values), `output ${index}`).toBeLessThan(tolerance);
  if (test.gradient === 'adjoint') await expectAdjoint(test);
  for (const [index, values] of expected.gradients.entries())
    expect(relativeError(found.gradients[index]!, values), `gradient ${index}`).toBeLessThan(tolerance);
}

async function expectAdjoint({ shapes, run }: Case): Promise<void> {
  const x = tf.tensor(randomValues(tf.util.sizeFromShape(shapes[0]!), 1), shapes[0]!);
  const value = (input: tf.Tensor) => {
    const output = run(input) as tf.Tensor;
    return tf.sum(tf.mul(output, tf.tensor(randomValues(output.size, 101), output.shape))) as tf.Scalar;
  };
  const [forward] = await value(x).data();
  const [backward] = await tf.sum(tf.mul(tf.grad(value)(x), x)).data();
  expect(backward).toBeCloseTo(forward!, 4);
}

let inUse: string | undefined;
export async function useDevice(device: TestedDevice): Promise<void> {
  if (inUse !== device)
    await (device === 'cuda-on-processor' ? useLazyBackend(cudaOnProcessor()) : selectBackend({ device }));
  else await tf.setBackend(device === 'tensorflow' ? 'tensorflow' : 'lazy');
  const lazy = lazyBackend();
  if (lazy) lazy.computation.inspect = verifyGraph;
  inUse = device;
}
