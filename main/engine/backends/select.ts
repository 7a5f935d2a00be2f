import { availableParallelism } from 'node:os';
import type { DeviceName, DeviceReport } from '../../../shared/domain/engine.ts';
import { AppError } from '../../../shared/ipc/result.ts';
import { createCpuExecutor } from './lazy/executors/onnxruntime/cpu.ts';
import { createOpenVinoExecutor } from './lazy/executors/openvino/executor.ts';
import { findOpenVino } from './lazy/executors/openvino/locate.ts';
import { useLazyBackend } from './lazy/use.ts';
import * as tf from './tf.ts';

export interface SelectOptions {
  device?: DeviceName;
  /** Threads of the processor to compute with; all unless given. */
  threads?: number;
}

interface Device {
  name: Exclude<DeviceName, 'auto'>;
  /** Makes it the backend that computes and describes it to people; throws an Error with the reason where it cannot. */
  use(threads: number): Promise<string>;
  /** Whether it may be chosen without being asked for, best first. */
  automatic: boolean;
}

const devices: Device[] = [
  {
    name: 'onnxruntime',
    automatic: true,
    async use(threads) {
      const backend = await useLazyBackend(createCpuExecutor({ threads }));
      return backend.executor.name;
    },
  },
  { name: 'openvino', automatic: false, use: (threads) => useOpenVino('bf16', threads) },
  { name: 'openvino-f32', automatic: false, use: (threads) => useOpenVino('f32', threads) },
  {
    name: 'cpu',
    automatic: false,
    async use() {
      await import('@tensorflow/tfjs-backend-cpu/dist/index.js');
      await tf.setBackend('cpu');
      return 'plain TensorFlow.js, one thread: a reference for tests, very slow';
    },
  },
];

async function useOpenVino(precision: 'bf16' | 'f32', threads: number): Promise<string> {
  const found = await findOpenVino();
  if (!found) throw new Error('its library was not found (MOTIF_OPENVINO names its folder)');
  const backend = await useLazyBackend(createOpenVinoExecutor({ library: found.path, precision, threads }));
  return `${backend.executor.name}, from ${found.where}`;
}

/**
 * Chooses what computes: the device asked for, or the best that works. Tensors made before do not outlive the change.
 * Throws AppError where the device asked for does not work, with the reason.
 */
export async function selectBackend({ device = 'auto', threads }: SelectOptions = {}): Promise<DeviceReport> {
  const count = threads ?? availableParallelism();
  const candidates: DeviceReport['candidates'] = [];
  let chosen: { name: string; description: string } | undefined;
  for (const { name, automatic, use } of devices) {
    if (device === 'auto' ? !automatic : name !== device) {
      candidates.push({ name, available: true, reason: 'only used when asked for' });
      continue;
    }
    if (chosen) {
      candidates.push({ name, available: true, reason: `not needed: ${chosen.name} comes first` });
      continue;
    }
    try {
      const description = await use(count);
      chosen = { name, description };
      candidates.push({ name, available: true, reason: device === 'auto' ? 'the best that works here' : 'asked for' });
    } catch (error) {
      candidates.push({ name, available: false, reason: error instanceof Error ? error.message : String(error) });
    }
  }
  if (!chosen) {
    const reason = candidates.find(({ name }) => name === device)?.reason ?? 'this version does not have it';
    throw new AppError('invalid-input', `The device "${device}" cannot be used: ${reason}`, {
      hint: 'Choose "auto" to use the best device that works here.',
    });
  }
  return { chosen: chosen.name, description: chosen.description, threads: count, matMulGflops: null, candidates };
}

/** Rate of a float32 matrix product of 1024 x 1024 on the backend that computes now, in GFLOP/s. */
export async function measureMatMulRate(): Promise<number> {
  const size = 1024;
  const repeats = 4;
  const a = tf.ones([size, size]);
  const product = () => {
    const chain = tf.tidy(() => {
      let x: tf.Tensor = a;
      for (let index = 0; index < repeats; index++) x = tf.matMul(x, a);
      return tf.sum(x);
    });
    return chain.data().finally(() => chain.dispose());
  };
  await product(); // compiles
  let fastest = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 3; round++) {
    const start = performance.now();
    await product();
    fastest = Math.min(fastest, performance.now() - start);
  }
  a.dispose();
  return (repeats * 2 * size ** 3) / fastest / 1e6;
}
