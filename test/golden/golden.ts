import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect } from 'vitest';
import '@tensorflow/tfjs-backend-cpu/dist/index.js';
import { findOpenVino } from '../../main/engine/backends/lazy/executors/openvino/locate.ts';
import { selectBackend } from '../../main/engine/backends/select.ts';
import * as tf from '../../main/engine/backends/tf.ts';
import { openSafetensors } from '../../main/engine/formats/safetensors.ts';

const openVino = await findOpenVino();
if (!openVino) console.log('OpenVINO is not on this machine: what needs its library was skipped.');

/** Declares the tests once for each backend: plain TensorFlow.js, the one that users have, and OpenVINO where it is installed. */
export function onEachBackend(declare: () => void): void {
  const devices = ['cpu', 'onnxruntime', ...(openVino ? (['openvino-f32'] as const) : [])] as const;
  describe.each(devices)('on %s', (device) => {
    beforeAll(async () => {
      await selectBackend({ device });
    });
    declare();
  });
}

/** A file or folder beside this one. */
export const golden = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** All tensors of a golden file, by name. */
export async function openCase(name: string): Promise<{ [name: string]: tf.Tensor }> {
  const path = golden(`${name}.safetensors`);
  if (!existsSync(path)) throw new Error(`${path} is missing: run make_golden.py`);
  const source = await openSafetensors(path);
  try {
    const tensors: { [name: string]: tf.Tensor } = {};
    for (const key of source.names()) tensors[key] = tf.tensor(await source.readFloats(key), source.info(key).shape);
    return tensors;
  } finally {
    await source.close();
  }
}

/** Length of the difference over length of the reference, and the largest single difference over the largest reference value. */
export function relativeError(found: ArrayLike<number>, reference: ArrayLike<number>): number {
  expect(found.length).toBe(reference.length);
  let [difference, length, worst, largest] = [0, 0, 0, 0];
  for (let i = 0; i < reference.length; i++) {
    const error = Math.abs(found[i]! - reference[i]!);
    difference += error ** 2;
    length += reference[i]! ** 2;
    worst = Math.max(worst, error);
    largest = Math.max(largest, Math.abs(reference[i]!));
  }
  const error = Math.max(Math.sqrt(difference / length), worst / largest);
  return Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
}

/** What the project promises against the reference implementation, in float32. */
const tolerance = 1e-4;

export async function expectGolden(found: tf.Tensor, reference: tf.Tensor): Promise<void> {
  expect(found.shape).toEqual(reference.shape);
  const error = relativeError(await found.data(), await reference.data());
  if (process.env.MOTIF_GOLDEN_ERRORS) console.log(`${expect.getState().currentTestName}: ${error.toExponential(1)}`);
  expect(error).toBeLessThan(tolerance);
}
