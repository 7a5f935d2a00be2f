import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type CudaOptions, createCudaExecutor } from '../../../../main/engine/backends/lazy/executors/cuda/executor.ts';
import type { Executor } from '../../../../main/engine/backends/lazy/executors/executor.ts';

const packageFolder = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
const folder = join(packageFolder, 'bin/napi-v6', process.platform, process.arch);

/** ONNX Runtime's library as it comes with the npm package: with the same C interface, and the processor as a provider. */
export const packagedLibrary = join(
  folder,
  readdirSync(folder).find((name) => /^(lib)?onnxruntime(\.so\.1|\.1\.dylib|\.dll)$/.test(name))!,
);

/** The CUDA executor on the processor: all of it but the provider. */
export const cudaOnProcessor = (
  options: Partial<Pick<CudaOptions, 'precision' | 'memoryLimitBytes' | 'without' | 'readMemory'>> = {},
): Executor =>
  createCudaExecutor({ library: packagedLibrary, provider: 'cpu', precision: 'f32', threads: 2, ...options });
