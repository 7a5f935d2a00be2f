import { existsSync, readdirSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { DeviceReport } from '../../../shared/domain/engine.ts';
import { AppError } from '../../../shared/ipc/result.ts';
import { cuda } from './cuda-device.ts';
import {
  bfloat16Gain,
  type Device,
  onnxRuntime,
  type Precision,
  type SelectOptions,
  type Setup,
  testNarrowed,
} from './device.ts';
import { runtimeVersion } from './lazy/executors/onnxruntime/native-session.ts';
import { createWebGpuExecutor } from './lazy/executors/onnxruntime/webgpu.ts';
import { createOpenVinoExecutor } from './lazy/executors/openvino/executor.ts';
import { findOpenVino } from './lazy/executors/openvino/locate.ts';
import { rewritesNamed } from './lazy/rewrites.ts';
import { useLazyBackend } from './lazy/use.ts';
import { measureMatMulRate } from './matmul-rate.ts';
import { findTensorFlow, useTensorFlow } from './tensorflow/load.ts';
import * as tf from './tf.ts';
import { graphicsName, openWatched, processorName, trustDevice } from './trust.ts';
import { computesFloat16Weights } from './weights.ts';

const useWebGpuWithout = async (without: readonly string[], float16Weights = false) =>
  (await useLazyBackend(createWebGpuExecutor({ without, float16Weights }))).executor.name;

/** WebGPU as far as a self-test found it right, in words what was found. */
async function useTrustedWebGpu(setup: Setup): Promise<string> {
  const { selfTest, cacheFolder: folder } = setup;
  if (!selfTest) return useWebGpuWithout([]);
  const about = ['webgpu', runtimeVersion(), graphicsName(), processorName()];
  const {
    trusted,
    reason,
    without = [],
    float16Weights,
  } = await trustDevice({ about, folder }, async () => {
    const found = await testNarrowed(() => selfTest('f32', () => onnxRuntime.use(setup)), useWebGpuWithout);
    await useWebGpuWithout(found.without);
    return { ...found, float16Weights: await computesFloat16Weights() };
  });
  if (!trusted) throw new Error(reason);
  return `${await useWebGpuWithout(without, float16Weights)}; ${reason}`;
}

const webGpu: Device = {
  name: 'webgpu',
  label: 'WebGPU',
  loads: async () => `webgpu ${graphicsName()}`,
  because:
    'it computes on the graphics processor, more than twice as fast as this processor does, and a small step of training came out the same on both',
  use: useTrustedWebGpu,
  async useIfBest(setup) {
    if (!hasGraphicsProcessor()) throw new Error('no graphics processor was found');
    // A software adapter passes for a device, but computes on the processor, slower than ONNX Runtime does
    // there.
    await onnxRuntime.use(setup);
    const processorRate = await measureMatMulRate();
    await useWebGpuWithout([]);
    const rate = await measureMatMulRate();
    if (rate < 2 * processorRate)
      throw new Error(`its ${Math.round(rate)} GFLOP/s are not twice the processor's ${Math.round(processorRate)}`);
    if (!setup.selfTest) throw new Error('only used when asked for, or after a test that was not made here');
    return useTrustedWebGpu(setup);
  },
};

/** What `use` makes compute, once a self-test found it right; without one, as it is. */
async function useTested(
  about: readonly string[],
  precision: Precision,
  setup: Setup,
  use: () => Promise<string>,
): Promise<string> {
  const { selfTest, cacheFolder: folder } = setup;
  const description = await use();
  if (!selfTest) return description;
  const test = () => selfTest(precision, () => onnxRuntime.use(setup));
  const { trusted, reason } = await trustDevice({ about, folder }, test);
  if (!trusted) throw new Error(reason);
  return `${await use()}; ${reason}`;
}

async function openVinoLibrary(folder: string | undefined) {
  const found = await findOpenVino(process.env, folder);
  if (!found) throw new Error('its library was not found; `motif doctor --install openvino` says how to get it');
  return found;
}

async function openOpenVino(precision: Precision, { threads, cacheFolder, openVinoFolder }: Setup) {
  const found = await openVinoLibrary(openVinoFolder);
  const cacheDirectory = cacheFolder && join(cacheFolder, 'openvino');
  return { found, executor: createOpenVinoExecutor({ library: found.path, precision, threads, cacheDirectory }) };
}

async function useOpenVino(precision: Precision, setup: Setup): Promise<string> {
  const { found, executor } = await openOpenVino(precision, setup);
  await useLazyBackend(executor);
  return `${executor.name}, from ${found.where}`;
}

async function useTestedOpenVino(precision: Precision, setup: Setup): Promise<string> {
  const { executor } = await openOpenVino(precision, setup);
  const { version } = executor;
  executor.dispose();
  return useTested(['openvino', version, precision, processorName()], precision, setup, () =>
    useOpenVino(precision, setup),
  );
}

/**
 * Uses OpenVINO where it is at least `gain` times as fast in this precision as something else that computes,
 * and right.
 */
async function useOpenVinoIfFaster(
  precision: Precision,
  setup: Setup,
  { gain, than, use }: { gain: number; than: string; use: () => Promise<unknown> },
): Promise<string> {
  const { executor } = await openOpenVino(precision, setup);
  const { version, hasBf16 } = executor;
  executor.dispose();
  if (precision === 'bf16' && !hasBf16)
    throw new Error('without bfloat16 in the processor it is not faster than in float32');
  const { selfTest } = setup;
  if (!selfTest) throw new Error('only used when asked for, or after a test that was not made here');
  const about = ['openvino', version, precision, processorName(), 'speed'];
  const { trusted, reason } = await trustDevice({ about, folder: setup.cacheFolder }, async () => {
    await use();
    const otherRate = await measureMatMulRate();
    await useOpenVino(precision, setup);
    const rate = await measureMatMulRate();
    if (rate < gain * otherRate)
      throw new Error(
        `its ${Math.round(rate)} GFLOP/s are less than ${gain} times the ${Math.round(otherRate)} of ${than}`,
      );
    return selfTest(precision, () => onnxRuntime.use(setup));
  });
  if (!trusted) throw new Error(reason);
  return `${await useOpenVino(precision, setup)}; ${reason}`;
}

/**
 * Products hardly slower than ONNX Runtime's are enough: what lies between them made whole steps 1.2 times as
 * fast where both were alike.
 */
const float32Gain = 0.8;

/** Where OpenVINO lies, and since when: another one is watched again. */
async function openVinoFile({ openVinoFolder }: Setup): Promise<string> {
  const { path } = await openVinoLibrary(openVinoFolder);
  return `${path} ${statSync(path).mtimeMs}`;
}

const openVino: Device = {
  name: 'openvino',
  label: 'OpenVINO',
  loads: openVinoFile,
  because:
    'it was found, this processor is faster in bfloat16 than in float32, and a small step of training came out the same as with ONNX Runtime',
  use: (setup) => useTestedOpenVino('bf16', setup),
  useIfBest: (setup) =>
    useOpenVinoIfFaster('bf16', setup, { gain: bfloat16Gain, than: 'float32', use: () => useOpenVino('f32', setup) }),
};

const openVinoFloat32: Device = {
  name: 'openvino-f32',
  label: 'OpenVINO, 32-bit',
  loads: openVinoFile,
  because:
    'it was found, it fuses more than ONNX Runtime, whose matrix products are hardly faster here, and a small step of training came out the same on both',
  use: (setup) => useTestedOpenVino('f32', setup),
  useIfBest: (setup) =>
    useOpenVinoIfFaster('f32', setup, { gain: float32Gain, than: 'ONNX Runtime', use: () => onnxRuntime.use(setup) }),
};

const tensorFlow: Device = {
  name: 'tensorflow',
  label: 'TensorFlow',
  loads: async () => `tensorflow ${graphicsName()}`,
  because: 'it is installed and computes on the graphics processor through CUDA',
  async use(setup) {
    const { package: name, version, gpu } = await useTensorFlow();
    const about = ['tensorflow', name, version, gpu ? graphicsName() : processorName()];
    // Graphics processors multiply in TF32, which is rougher than float32.
    return useTested(about, gpu ? 'bf16' : 'f32', setup, async () => {
      await useTensorFlow();
      return `TensorFlow through ${name} ${version} on ${gpu ? 'the graphics processor (CUDA)' : 'the processor'}`;
    });
  },
  async useIfBest(setup) {
    const found = findTensorFlow();
    if (!found) throw new Error('neither @tensorflow/tfjs-node-gpu nor @tensorflow/tfjs-node is installed');
    if (!found.name.endsWith('gpu')) throw new Error('on the processor it is slower than ONNX Runtime');
    const description = await tensorFlow.use(setup);
    if (!(await useTensorFlow()).gpu) throw new Error('it found no CUDA device, and on the processor it is slower');
    return description;
  },
};

const plain: Device = {
  name: 'cpu',
  label: 'Plain JavaScript',
  onRequest: async () => 'plain TensorFlow.js on one thread: a reference for tests, very slow',
  async use() {
    await import('@tensorflow/tfjs-backend-cpu/dist/index.js');
    await tf.setBackend('cpu');
    return 'plain TensorFlow.js on one thread: a reference for tests, very slow';
  },
};

/** Best first. */
const devices: readonly Device[] = [cuda, tensorFlow, webGpu, openVino, openVinoFloat32, onnxRuntime, plain];

/**
 * A cheap look that costs no driver's start: Windows and macOS always have one, Linux shows it among its
 * devices.
 */
function hasGraphicsProcessor(): boolean {
  if (process.platform !== 'linux') return true;
  if (['/dev/nvidia0', '/dev/dxg', '/dev/kfd'].some(existsSync)) return true;
  return existsSync('/dev/dri') && readdirSync('/dev/dri').some((name) => name.startsWith('renderD'));
}

/** What is known before anything is measured. */
type ChosenDevice = Omit<DeviceReport, 'memoryBytes'>;

/**
 * Chooses what computes: the device asked for, or the best that works. Tensors made before do not outlive the
 * change. Throws AppError where the device asked for does not work, with the reason.
 */
export async function selectBackend({ device = 'auto', threads, ...rest }: SelectOptions = {}): Promise<ChosenDevice> {
  rewritesNamed(process.env.MOTIF_REWRITES || undefined); // a wrong name is no device's fault
  const setup = { ...rest, threads: threads ?? availableParallelism() };
  const candidates: DeviceReport['candidates'] = [];
  const report = ({ name, label }: Device, available: boolean, reason: string) =>
    candidates.push({ name, label, available, reason });
  let chosen: { name: string; description: string } | undefined;
  for (const each of devices) {
    const { name, because, loads, use, useIfBest, onRequest } = each;
    const attempt = device === 'auto' ? useIfBest : name === device ? use : undefined;
    if (device === 'auto' && onRequest)
      await onRequest(setup).then(
        (what) => report(each, true, `only used when asked for: ${what}`),
        (error) => report(each, false, error instanceof Error ? error.message : String(error)),
      );
    else if (chosen)
      report(
        each,
        true,
        `not tried, since ${chosen.name} works and ${device === 'auto' ? 'is preferred' : 'was asked for'}`,
      );
    else if (!attempt) report(each, true, 'not asked for');
    else
      try {
        const open = () => attempt(setup);
        const about = loads && [await loads(setup), process.versions.electron ?? '', process.version];
        const description = await (about ? openWatched({ about, folder: setup.cacheFolder }, open) : open());
        chosen = { name, description };
        report(each, true, (device === 'auto' && because) || 'asked for');
      } catch (error) {
        report(each, false, error instanceof Error ? error.message : String(error));
      }
  }
  if (!chosen) {
    const reasons = candidates.filter(({ available }) => !available).map(({ name, reason }) => `${name}: ${reason}`);
    throw new AppError(
      'invalid-input',
      `The device "${device}" cannot be used (${reasons.join('; ') || 'this version does not have it'}).`,
      {
        hint: `Choose "auto" to use the best device that works here, or one of: ${devices.map(({ name }) => name).join(', ')}.`,
      },
    );
  }
  return {
    chosen: chosen.name,
    description: chosen.description,
    threads: setup.threads,
    machine: [chosen.name, processorName(), graphicsName(), `${setup.threads} threads`].join(', '),
    matMulGflops: null,
    candidates,
  };
}
