import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { AppError } from '../../../shared/ipc/result.ts';
import { bfloat16Gain, type Device, onnxRuntime, type Setup, testNarrowed } from './device.ts';
import { loadOnnxRuntime } from './lazy/executors/cuda/binding.ts';
import { type CudaPrecision, createCudaExecutor } from './lazy/executors/cuda/executor.ts';
import { type FoundProvider, findProvider } from './lazy/executors/cuda/locate.ts';
import { cudaTrouble, driverMissing, hasDriver, loadCuda } from './lazy/executors/cuda/nvidia.ts';
import { runtimeVersion } from './lazy/executors/onnxruntime/native-session.ts';
import { useLazyBackend } from './lazy/use.ts';
import { measureMatMulRate } from './matmul-rate.ts';
import { graphicsName, mayPass, processorName, trustDevice } from './trust.ts';

/** ONNX Runtime with its CUDA provider. Throws where a part of all that it needs is missing, in words what and how to get it. */
async function cudaLibrary({ cudaFolder }: Setup): Promise<FoundProvider> {
  if (!(process.platform === 'linux' || process.platform === 'win32') || process.arch !== 'x64')
    throw new Error('CUDA is for 64-bit PCs with Linux or Windows');
  if (!hasDriver()) throw new Error(driverMissing);
  const found = await findProvider(process.env, cudaFolder);
  if (!found)
    throw new Error(
      "NVIDIA's driver is there, but ONNX Runtime's CUDA provider is not; `motif doctor --install cuda` says how to get it",
    );
  return found;
}

/** From the most exact to the roughest. */
const cudaPrecisions: readonly CudaPrecision[] = ['f32', 'tf32', 'bf16', 'f16'];

/** How much of the device's memory may be taken; null for all there is. */
function cudaMemoryLimit(): number | null {
  const { MOTIF_CUDA_MEMORY: text } = process.env;
  if (!text) return null;
  const gigabytes = Number(text);
  if (!(gigabytes > 0))
    throw new AppError('invalid-input', `MOTIF_CUDA_MEMORY is "${text}", which is no number of gigabytes.`, {
      hint: 'Set it to a number such as 8, or not at all.',
    });
  return Math.floor(gigabytes * 1e9);
}

async function useCuda(
  { path, where }: FoundProvider,
  precision: CudaPrecision,
  without: readonly string[],
  { threads }: Setup,
): Promise<string> {
  const memoryLimitBytes = cudaMemoryLimit();
  const executor = createCudaExecutor({ library: path, precision, without, memoryLimitBytes, threads });
  await useLazyBackend(executor);
  const limit = memoryLimitBytes === null ? '' : `, at most ${memoryLimitBytes / 1e9} GB of its memory`;
  return `${executor.name}${limit}, from ${where}`;
}

type Use = (precision: CudaPrecision, without: readonly string[]) => Promise<string>;

/**
 * Makes `use` compute in the precision that is fastest here, of those that the self-test found right, which is remembered. Throws where
 * float32 itself is wrong.
 */
export async function useFastestRight(
  about: readonly string[],
  setup: Setup,
  use: Use,
  measure: () => Promise<number> = measureMatMulRate,
): Promise<string> {
  const { selfTest, cacheFolder: folder } = setup;
  const plain = await use('f32', []); // what cannot be opened now says nothing about how it computes
  if (!selfTest) return plain;
  const verdict = await trustDevice({ about, folder }, async () => {
    let best: { precision: CudaPrecision; rate: number; reason: string; without: string[] } | undefined;
    for (const precision of cudaPrecisions)
      try {
        await use(precision, []);
        const rate = await measure();
        if (best && rate < bfloat16Gain * best.rate) continue;
        const found = await testNarrowed(
          () => selfTest(precision === 'f32' ? 'f32' : 'bf16', () => onnxRuntime.use(setup)),
          (without) => use(precision, without),
        );
        best = { precision, rate, ...found };
      } catch (error) {
        if (!best || mayPass(error)) throw error; // rougher ones may be beyond the device
      }
    const { precision, reason, without } = best!;
    return { precision, reason, without };
  });
  if (!verdict.trusted) throw new Error(verdict.reason);
  const precision = cudaPrecisions.find((name) => name === verdict.precision) ?? 'f32';
  return `${await use(precision, verdict.without ?? [])}; ${verdict.reason}`;
}

async function useTrustedCuda(setup: Setup): Promise<string> {
  const found = await cudaLibrary(setup);
  await loadCuda([dirname(found.path)]);
  const { version } = loadOnnxRuntime(found.path);
  if (version !== runtimeVersion())
    throw new Error(
      `${found.path} is ONNX Runtime ${version}; with what computes on the processor ${runtimeVersion()} is needed`,
    );
  const about = ['cuda', version, graphicsName(), processorName()];
  try {
    return await useFastestRight(about, setup, (precision, without) => useCuda(found, precision, without, setup));
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new Error(cudaTrouble(error instanceof Error ? error.message : String(error)), { cause: error });
  }
}

export const cuda: Device = {
  name: 'cuda',
  label: 'CUDA',
  async loads(setup) {
    const { path } = await cudaLibrary(setup);
    return `${path} ${statSync(path).mtimeMs} ${graphicsName()}`;
  },
  because:
    "it computes on NVIDIA's graphics processor, in the precision that is fastest there, and a small step of training came out the same as on the processor",
  use: useTrustedCuda,
  async useIfBest(setup) {
    if (!setup.selfTest) throw new Error('only used when asked for, or after a test that was not made here');
    return useTrustedCuda(setup);
  },
};
