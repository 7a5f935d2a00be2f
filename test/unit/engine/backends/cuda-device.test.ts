import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import AdmZip from 'adm-zip';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { useFastestRight } from '../../../../main/engine/backends/cuda-device.ts';
import { cardMemory } from '../../../../main/engine/backends/lazy/executors/cuda/driver.ts';
import type { CudaPrecision } from '../../../../main/engine/backends/lazy/executors/cuda/executor.ts';
import { installCuda } from '../../../../main/engine/backends/lazy/executors/cuda/install.ts';
import { findProvider } from '../../../../main/engine/backends/lazy/executors/cuda/locate.ts';
import { cudaTrouble, hasDriver } from '../../../../main/engine/backends/lazy/executors/cuda/nvidia.ts';
import { lazyBackend, useLazyBackend } from '../../../../main/engine/backends/lazy/use.ts';
import { selectBackend } from '../../../../main/engine/backends/select.ts';
import { compareSampleSteps } from '../../../../main/engine/training/sample-step.ts';
import { cudaOnProcessor } from './c-interface.ts';

const windows = process.platform === 'win32';
const canHaveCuda = (process.platform === 'linux' || windows) && process.arch === 'x64';
const named = (name: string) => (windows ? `${name}.dll` : `lib${name}.so`);
const [runtime, provider, bridge] = [
  windows ? 'onnxruntime.dll' : 'libonnxruntime.so.1.30.0',
  named('onnxruntime_providers_cuda'),
  named('onnxruntime_providers_shared'),
];
let folder: string;
const names = ['PATH', 'MOTIF_CUDA', 'MOTIF_OPENVINO'];
const before = names.map((name) => [name, process.env[name]] as const);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'motif-cuda-'));
  delete process.env.MOTIF_CUDA;
});
afterEach(() => {
  for (const [name, value] of before) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  rmSync(folder, { recursive: true, force: true });
});

const target = () => join(folder, 'installed');
/** A small stand-in for a library: not one, but with the text by which its version is told. */
const library = (version: string) => Buffer.from(`\x7fELF\0\0${version}\0and more\0`);

/** A wheel with the files of onnxruntime-gpu, and some that are not needed. */
function writeWheel(name: string, versions: Record<string, string>): string {
  const zip = new AdmZip();
  for (const [file, version] of Object.entries(versions)) zip.addFile(`onnxruntime/capi/${file}`, library(version));
  zip.addFile(`onnxruntime/capi/${named('onnxruntime_providers_tensorrt')}`, library('1.30.0'));
  zip.addFile('onnxruntime/__init__.py', Buffer.from('import os'));
  zip.addFile('onnxruntime/LICENSE', Buffer.from('MIT'));
  zip.addFile('onnxruntime/ThirdPartyNotices.txt', Buffer.from('others'));
  const path = join(folder, name);
  zip.writeZip(path);
  return path;
}
const whole = (version: string) => ({ [runtime]: version, [provider]: version, [bridge]: 'none' });

describe('installing CUDA', () => {
  it('takes the three libraries and the licences out of a wheel, and finds them', async () => {
    const wheel = writeWheel('onnxruntime_gpu-1.30.0-any.whl', whole('1.30.0'));
    expect(await installCuda(wheel, target(), '1.30.0')).toEqual({ version: '1.30.0', folder: target() });
    expect(readdirSync(target()).sort()).toEqual([runtime, provider, bridge, 'licences'].sort());
    expect(readdirSync(join(target(), 'licences')).sort()).toEqual(['LICENSE', 'ThirdPartyNotices.txt']);
    expect(readFileSync(join(target(), provider))).toEqual(library('1.30.0'));
    expect(await findProvider({}, target())).toEqual({ path: join(target(), runtime), where: "Motif's own copy" });
    expect(readdirSync(folder).sort()).toEqual(['installed', 'onnxruntime_gpu-1.30.0-any.whl']);
  });

  it.skipIf(windows)('takes them out of a folder, with links, in place of an earlier copy', async () => {
    const source = join(folder, 'unpacked', 'lib');
    mkdirSync(source, { recursive: true });
    for (const name of [runtime, provider, bridge]) writeFileSync(join(source, name), library('1.31.0'));
    symlinkSync(runtime, join(source, 'libonnxruntime.so'));
    mkdirSync(target());
    writeFileSync(join(target(), 'old'), '');
    await installCuda(join(folder, 'unpacked'), target(), '1.31.0');
    expect(readdirSync(target()).sort()).toEqual(['libonnxruntime.so', runtime, provider, bridge].sort());
    expect((await findProvider({ MOTIF_CUDA: target() }))?.path).toBe(join(target(), runtime));
  });

  it('leaves what was there when the source does not fit, and says what to name', async () => {
    mkdirSync(target());
    writeFileSync(join(target(), 'old'), '');
    mkdirSync(join(folder, 'empty'));
    writeFileSync(join(folder, 'text.whl'), 'no archive');
    writeFileSync(join(folder, 'some.txt'), 'text');
    const damaged = writeWheel('damaged.whl', whole('1.30.0'));
    const bytes = readFileSync(damaged);
    bytes[30 + 'onnxruntime/capi/'.length + runtime.length + 8]! ^= 255; // within the first file's data
    writeFileSync(damaged, bytes);
    for (const [source, reason] of [
      [join(folder, 'nowhere'), /does not exist/],
      [join(folder, 'empty'), /CUDA provider for this system is not in it/],
      [join(folder, 'text.whl'), /It is damaged/],
      [damaged, /in it is damaged/],
      [join(folder, 'some.txt'), /neither a folder nor/],
      [writeWheel('half.whl', { [runtime]: '1.30.0', [bridge]: '' }), /for this system is not in it/],
      [writeWheel('older.whl', whole('1.29.1')), /is not of version 1\.30\.0, which Motif computes with/],
      [
        writeWheel('mixed.whl', { ...whole('1.30.0'), [provider]: '1.29.1' }),
        /providers_cuda\S+ is not of version 1\.30\.0/,
      ],
    ] as const)
      await expect(installCuda(source, target(), '1.30.0'), source).rejects.toMatchObject({
        code: 'invalid-input',
        message: expect.stringMatching(reason),
        hint: expect.stringMatching(/onnxruntime-gpu==1\.30\.0/),
      });
    expect(readdirSync(target())).toEqual(['old']);
    expect(readdirSync(folder).filter((name) => /partial|unpacked/.test(name))).toEqual([]);
  });
});

describe('the choice of CUDA', () => {
  it('is not made where there is no driver, with the reason in words', async () => {
    if (canHaveCuda && hasDriver()) return; // what else is missing is told then
    process.env.MOTIF_OPENVINO = folder; // where none is
    const { chosen, candidates } = await selectBackend({ selfTest: compareSampleSteps });
    expect(chosen).not.toBe('cuda');
    expect(candidates.find(({ name }) => name === 'cuda')).toMatchObject({
      name: 'cuda',
      available: false,
      reason: expect.stringMatching(canHaveCuda ? /^NVIDIA's driver \(\S+\) was not found: version 580/ : /64-bit PCs/),
    });
    await expect(selectBackend({ device: 'cuda' })).rejects.toMatchObject({ code: 'invalid-input' });
  });

  const compiler = process.platform === 'linux' && canHaveCuda && !spawnSync('cc', ['--version']).error;
  it.skipIf(!compiler || hasDriver())('says what else is missing where there is a driver', async () => {
    const source = join(folder, 'driver.c');
    writeFileSync(source, 'int cuInit(unsigned flags) { return 100; }');
    const driver = join(folder, 'libcuda.so.1');
    execFileSync('cc', ['-shared', '-fPIC', '-Wl,-soname,libcuda.so.1', '-o', driver, source]);
    const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
    const held = koffi.load(driver, { global: true }); // from now on there is one by this name
    process.env.PATH = folder; // where no Python is
    const reasonOf = async (cudaFolder: string) =>
      selectBackend({ device: 'cuda', cudaFolder }).then(
        () => 'none',
        (error: Error) => error.message,
      );
    expect(await reasonOf(target())).toMatch(/ONNX Runtime's CUDA provider is not; `motif doctor --install cuda`/);
    await installCuda(writeWheel('fits.whl', whole('1.30.0')), target(), '1.30.0');
    expect(await reasonOf(target())).toMatch(
      /linked with was not found: .*cuBLAS \(libcublas\.so\.13\).*or by: pip install .*nvidia-cublas .*nvidia-cudnn-cu13/,
    );
    held.unload();
  });

  it.skipIf(!compiler)("reads a card's memory through its driver, in the context that is there", () => {
    const source = join(folder, 'memory.c');
    writeFileSync(
      source,
      `#include <stddef.h>
       static int entered, retained;
       int cuInit(unsigned flags) { return flags; }
       int cuDeviceGet(int *device, int ordinal) { *device = 40 + ordinal; return 0; }
       int cuDevicePrimaryCtxRetain(void **context, int device) {
         retained++; *context = (void *)(size_t)(100 + device); return device == 49 ? 2 : 0; }
       int cuDevicePrimaryCtxRelease_v2(int device) { retained--; return 0; }
       int cuCtxPushCurrent_v2(void *context) { entered = (int)(size_t)context; return 0; }
       int cuCtxPopCurrent_v2(void **context) { entered = 0; return 0; }
       int cuMemGetInfo_v2(size_t *free, size_t *total) {
         *free = 10000000000 * retained; *total = 24000000000; return entered == 141 ? 0 : 999; }`,
    );
    const driver = join(folder, 'libmemory.so');
    execFileSync('cc', ['-shared', '-fPIC', '-o', driver, source]);
    // Asked twice, each time the context is given back.
    for (let round = 0; round < 2; round++) expect(cardMemory(1, driver)).toEqual({ free: 10e9, total: 24e9 });
    expect(() => cardMemory(2, driver)).toThrow("NVIDIA's driver fails in cuMemGetInfo_v2 (999)");
    expect(() => cardMemory(9, driver)).toThrow("NVIDIA's driver fails in cuDevicePrimaryCtxRetain (2)");
    expect(() => cardMemory(0, join(folder, 'none.so'))).toThrow();
  });

  it('tells in plain words what CUDA says of its devices', () => {
    const failure = (code: number, words: string) =>
      `Parse Failed to parse provider option "device_id": CUDA failure ${code}: ${words} ; GPU=-1 ; hostname=vm ; file=/x/cuda.cc`;
    expect(cudaTrouble(failure(100, 'no CUDA-capable device is detected'))).toBe(
      'CUDA found no graphics processor that it can use (no CUDA-capable device is detected)',
    );
    expect(cudaTrouble(failure(35, 'CUDA driver version is insufficient for CUDA runtime version'))).toMatch(
      /driver is too old or does not fit: version 580 or newer is needed/,
    );
    expect(cudaTrouble(failure(46, 'all CUDA-capable devices are busy or unavailable'))).toMatch(
      /could not begin: all .*46/,
    );
    expect(cudaTrouble('its gradients differ')).toBe('its gradients differ');
  });
});

describe('the precision of CUDA', () => {
  const setup = { threads: 2 };
  /** The CUDA executor on the processor, and what was asked of it. */
  function onProcessor() {
    const asked: string[] = [];
    const use = async (precision: CudaPrecision, without: readonly string[]) => {
      asked.push([precision, ...without].join(' without '));
      const executor = cudaOnProcessor({ precision, without });
      return (await useLazyBackend(executor)).executor.name;
    };
    return { asked, use };
  }
  /** Products at these rates, in the order of asking. */
  const ratesOf =
    (...rates: number[]) =>
    async () =>
      rates.shift()!;

  it('is the fastest, each rougher one only for a gain, found once and remembered', async () => {
    const options = { ...setup, selfTest: compareSampleSteps, cacheFolder: folder };
    const first = onProcessor();
    // TF32 gains too little, the processor has no products in bfloat16, float16 is twice as fast.
    const description = await useFastestRight(['one'], options, first.use, ratesOf(10, 11, 20, 20));
    expect(description).toMatch(/through its C interface, products in float16; tested here: gradients within/);
    const asked = first.asked.filter((words) => !words.includes('without')); // in bfloat16 nothing helps
    expect(asked).toEqual(['f32', 'f32', 'f32', 'tf32', 'bf16', 'bf16', 'f16', 'f16', 'f16']);
    expect(lazyBackend()!.executor.products).toBe('float16');
    const again = onProcessor();
    expect(await useFastestRight(['one'], options, again.use, ratesOf())).toBe(description);
    expect(again.asked).toEqual(['f32', 'f16']);
  });

  it('leaves a fused operation to plain ones where the device computes it wrongly', async () => {
    const { use } = onProcessor();
    const selfTest = async () => {
      if (lazyBackend()!.executor.capabilities.multiHeadAttention) throw new Error('its gradients differ');
      return 'tested here';
    };
    const description = await useFastestRight(
      ['two'],
      { ...setup, selfTest, cacheFolder: folder },
      use,
      ratesOf(10, 10, 10, 10),
    );
    expect(description).toMatch(/tested here, without multiHeadAttention$/);
    expect(lazyBackend()!.executor.capabilities).toMatchObject({ multiHeadAttention: false, rotaryEmbedding: true });
  });

  it('is none where float32 is wrong, which is remembered, but not where memory was short just then', async () => {
    const { use } = onProcessor();
    let tests = 0;
    const failing = (message: string) => ({
      ...setup,
      cacheFolder: folder,
      selfTest: async () => {
        tests++;
        throw new Error(message);
      },
    });
    for (let round = 0; round < 2; round++)
      await expect(useFastestRight(['three'], failing('its gradients differ'), use, ratesOf(10))).rejects.toThrow(
        'gradients differ',
      );
    expect(tests).toBe(4); // once, with each operation left out in turn
    for (let round = 0; round < 2; round++)
      await expect(
        useFastestRight(['four'], failing('CUDA failure 2: out of memory'), use, ratesOf(10)),
      ).rejects.toThrow('out of memory');
    expect(tests).toBe(6);
  });

  it('is not judged by a device that could not be opened', async () => {
    const refusing = async () => {
      throw new Error('CUDA failure 100: no CUDA-capable device is detected');
    };
    const options = { ...setup, selfTest: compareSampleSteps, cacheFolder: folder };
    await expect(useFastestRight(['five'], options, refusing)).rejects.toThrow(/failure 100/);
    expect(readdirSync(folder)).not.toContain('self-tests.json');
  });
});
