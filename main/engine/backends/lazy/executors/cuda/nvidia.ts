import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { pythonPackage } from '../python-package.ts';

/** What ONNX Runtime's CUDA provider is linked with, of CUDA 13 and cuDNN 9, in an order in which each finds those before it. */
interface Library {
  file: string;
  /** For people. */
  name: string;
  /** The package of pip that brings it. */
  package: string;
  /** Where in pip's `nvidia` folder it lies. */
  folder: string;
  /** It computes without, if slower. */
  optional?: true;
}

const onLinux: readonly Library[] = [
  { file: 'libcudart.so.13', name: "CUDA's runtime", package: 'nvidia-cuda-runtime', folder: 'cu13/lib' },
  { file: 'libcublasLt.so.13', name: 'cuBLASLt', package: 'nvidia-cublas', folder: 'cu13/lib' },
  { file: 'libcublas.so.13', name: 'cuBLAS', package: 'nvidia-cublas', folder: 'cu13/lib' },
  { file: 'libcurand.so.10', name: 'cuRAND', package: 'nvidia-curand', folder: 'cu13/lib' },
  { file: 'libnvrtc.so.13', name: 'NVRTC', package: 'nvidia-cuda-nvrtc', folder: 'cu13/lib', optional: true },
  { file: 'libcudnn.so.9', name: 'cuDNN 9', package: 'nvidia-cudnn-cu13', folder: 'cudnn/lib' },
];
const onWindows: readonly Library[] = [
  { file: 'cublasLt64_13.dll', name: 'cuBLASLt', package: 'nvidia-cublas', folder: 'cu13/bin/x86_64' },
  { file: 'cublas64_13.dll', name: 'cuBLAS', package: 'nvidia-cublas', folder: 'cu13/bin/x86_64' },
  { file: 'cudnn64_9.dll', name: 'cuDNN 9', package: 'nvidia-cudnn-cu13', folder: 'cudnn/bin' },
];
const needed = process.platform === 'win32' ? onWindows : onLinux;
export const driverFile = process.platform === 'win32' ? 'nvcuda.dll' : 'libcuda.so.1';
/** The oldest that knows CUDA 13. */
const driverVersion = 580;

/** koffi unloads a library that nothing holds. */
const kept: unknown[] = [];

/** Whether the system finds a library by its name, or it lies at a path; it is loaded then, and stays. */
function loads(library: string): boolean {
  const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
  try {
    kept.push(koffi.load(library, { global: true }));
    return true;
  } catch {
    return false;
  }
}

export const hasDriver = (): boolean => loads(driverFile);

export const driverMissing = `NVIDIA's driver (${driverFile}) was not found: version ${driverVersion} or newer is needed, from nvidia.com or your system's packages`;

/**
 * Loads what the provider is linked with, from where the system looks, from `folders`, from a CUDA toolkit, or from pip's packages in the
 * Python on the path. Throws an Error with what is missing, and how to get it.
 */
export async function loadCuda(folders: readonly string[] = []): Promise<void> {
  const places = [...folders, ...systemFolders()].filter(existsSync);
  let missing = needed.filter((library) => !loadFrom(library, places));
  if (missing.length > 0) {
    const packages = (await pythonPackage('nvidia')).map(({ folder }) => folder);
    missing = missing.filter(
      (library) =>
        !loadFrom(
          library,
          packages.map((folder) => join(folder, library.folder)),
        ),
    );
  }
  const essential = missing.filter(({ optional }) => !optional);
  if (essential.length === 0) return;
  const names = essential.map(({ name, file }) => `${name} (${file})`).join(', ');
  const packages = [...new Set(missing.map((library) => library.package))].join(' ');
  throw new Error(
    `what its provider is linked with was not found: ${names}. It comes with a CUDA toolkit of version 13 and cuDNN 9, or by: pip install ${packages}`,
  );
}

function loadFrom({ file }: Library, folders: readonly string[]): boolean {
  if (loads(file)) return true;
  const folder = folders.find((place) => existsSync(join(place, file)) && loads(join(place, file)));
  if (folder === undefined) return false;
  // On Windows the parts of cuDNN find each other only when they are loaded.
  if (process.platform === 'win32' && file.startsWith('cudnn'))
    for (const part of readdirSync(folder).filter((name) => /^cudnn_\w+64_9\.dll$/.test(name)))
      loads(join(folder, part));
  return true;
}

function systemFolders(): string[] {
  const { LD_LIBRARY_PATH = '', CUDA_PATH, CUDA_HOME } = process.env;
  const toolkits = [CUDA_PATH, CUDA_HOME].filter((folder) => folder !== undefined);
  if (process.platform === 'win32')
    return toolkits.flatMap((folder) => ['bin', 'bin/x64'].map((bin) => join(folder, bin)));
  return [
    ...LD_LIBRARY_PATH.split(delimiter).filter(Boolean),
    ...[...toolkits, '/usr/local/cuda', '/usr/local/cuda-13', '/opt/cuda'].map((folder) => join(folder, 'lib64')),
  ];
}

/** What the CUDA provider says where it finds no device to compute on, in plain words. */
export function cudaTrouble(message: string): string {
  const [, code, words] = /CUDA failure (\d+): ([^;]*)/.exec(message) ?? [];
  if (code === '35' || code === '803')
    return `NVIDIA's driver is too old or does not fit: version ${driverVersion} or newer is needed (CUDA says: ${words!.trim()})`;
  if (code === '100') return `CUDA found no graphics processor that it can use (${words!.trim()})`;
  if (code !== undefined) return `CUDA could not begin: ${words!.trim()} (failure ${code})`;
  return message;
}
