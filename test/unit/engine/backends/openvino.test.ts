import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { installOpenVino } from '../../../../main/engine/backends/lazy/executors/openvino/install.ts';
import { findOpenVino, isSupportedVersion } from '../../../../main/engine/backends/lazy/executors/openvino/locate.ts';
import { selectBackend } from '../../../../main/engine/backends/select.ts';
import * as tf from '../../../../main/engine/backends/tf.ts';
import type { Verdict } from '../../../../main/engine/backends/trust.ts';
import { compareSampleSteps } from '../../../../main/engine/training/sample-step.ts';
import { speaksOfMemory } from '../../../../main/engine-host/memory.ts';

const installed = await findOpenVino();
const named = process.env.MOTIF_OPENVINO;
const compiler = process.platform === 'linux' && !spawnSync('cc', ['--version']).error;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'motif-openvino-'));
});

afterEach(() => {
  if (named === undefined) delete process.env.MOTIF_OPENVINO;
  else process.env.MOTIF_OPENVINO = named;
  rmSync(folder, { recursive: true, force: true });
});

const target = () => join(folder, 'installed');

function writeLibrary(...places: string[]): string {
  const path = join(folder, ...places);
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'libopenvino_c.so.2600'), 'no library');
  return path;
}

/** A library with the functions of OpenVINO's, of which only the one for the version answers: 2024.6. */
function buildOldLibrary(): string {
  const binding = readFileSync('main/engine/backends/lazy/executors/openvino/binding.ts', 'utf8');
  const names = [...new Set(binding.match(/(?<=')ov_\w+(?=')/g))].filter((name) => name !== 'ov_get_openvino_version');
  const source = join(folder, 'old.c');
  writeFileSync(
    source,
    `typedef struct { const char *number, *description; } version;
     int ov_get_openvino_version(version *v) { v->number = "2024.6.0-17404"; v->description = ""; return 0; }
     ${names.map((name) => `int ${name}(void) { return -1; }`).join('\n')}`,
  );
  execFileSync('cc', ['-shared', '-fPIC', '-o', join(folder, 'libopenvino_c.so.2460'), source]);
  return folder;
}

/** A library whose memory runs out in the first compilation and then in the first run. */
function buildShortOfMemory(): string {
  const source = join(folder, 'short.c');
  writeFileSync(
    source,
    `#include <stdlib.h>
     #include <string.h>
     typedef struct { const char *number, *description; } version;
     typedef struct { long long rank; long long *dims; } shape;
     typedef void *handle;
     static int one, compilations, runs;
     static const char *message = "";
     int ov_get_openvino_version(version *v) { v->number = "2026.4.0-1"; v->description = ""; return 0; }
     const char *ov_get_last_err_msg(void) { return message; }
     const char *ov_get_error_info(int code) { return "unknown"; }
     void ov_free(char *text) { free(text); }
     int ov_core_create(handle *core) { *core = &one; return 0; }
     int ov_core_get_property(handle core, const char *device, const char *key, char **value) { *value = strdup("FP32 BF16"); return 0; }
     int ov_core_read_model_from_memory_buffer(handle core, const char *bytes, size_t length, handle weights, handle *model) { *model = &one; return 0; }
     int ov_core_compile_model_props(handle core, handle model, const char *device, size_t count, void *list, handle *compiled) {
       if (compilations++ == 0) { message = "can't alloc"; return -17; }
       *compiled = &one; return 0;
     }
     int ov_compiled_model_get_property(handle compiled, const char *key, char **value) { *value = strdup(""); return 0; }
     int ov_compiled_model_create_infer_request(handle compiled, handle *request) { *request = &one; return 0; }
     int ov_tensor_create_from_host_ptr(int type, shape extent, void *memory, handle *tensor) { *tensor = memory; return 0; }
     static float *output;
     int ov_infer_request_set_input_tensor_by_index(handle request, size_t index, handle tensor) { return 0; }
     int ov_infer_request_set_output_tensor_by_index(handle request, size_t index, handle tensor) { output = tensor; return 0; }
     int ov_infer_request_infer(handle request) {
       if (runs++ == 0) { message = "Failed to allocate 64 bytes of memory"; return -17; }
       output[0] = 7; return 0;
     }
     void ov_tensor_free(handle tensor) {}
     void ov_model_free(handle model) {}
     void ov_infer_request_free(handle request) {}
     void ov_compiled_model_free(handle compiled) {}
     void ov_core_free(handle core) {}`,
  );
  execFileSync('cc', ['-shared', '-fPIC', '-o', join(folder, 'libopenvino_c.so.2640'), source]);
  return folder;
}

describe('the search for OpenVINO', () => {
  it('prefers the folder that is named, then the own copy, in the layouts of both archives', async () => {
    const archive = writeLibrary('archive', 'runtime', 'lib', 'intel64');
    const wheel = writeLibrary('wheel', 'openvino', 'libs');
    const own = writeLibrary('own');
    const library = 'libopenvino_c.so.2600';
    expect(await findOpenVino({ MOTIF_OPENVINO: join(folder, 'archive') }, own)).toEqual({
      path: join(archive, library),
      where: 'MOTIF_OPENVINO',
    });
    expect((await findOpenVino({ MOTIF_OPENVINO: join(folder, 'wheel') }))?.path).toBe(join(wheel, library));
    expect(await findOpenVino({}, own)).toEqual({ path: join(own, library), where: "Motif's own copy" });
    expect(await findOpenVino({ MOTIF_OPENVINO: join(folder, 'nothing') }, own)).toBeUndefined();
  });

  it('passes over one that its name tells to be too old where there is another', async () => {
    const old = writeLibrary('old');
    renameSync(join(old, 'libopenvino_c.so.2600'), join(old, 'libopenvino_c.so.2460'));
    const newer = writeLibrary('newer');
    expect((await findOpenVino({ LD_LIBRARY_PATH: newer }, old))?.path).toBe(join(newer, 'libopenvino_c.so.2600'));
    expect((await findOpenVino({ MOTIF_OPENVINO: old }))?.path).toMatch(/2460$/);
  });

  it('takes 2025.0 and newer', () => {
    expect(['2024.6.0-17404', '2025.0.0-17942', '2026.4.1-22982', ''].map(isSupportedVersion)).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });
});

describe('the sample step of training', () => {
  const use = (device: 'cpu' | 'onnxruntime') => selectBackend({ device });

  it('is the same on ONNX Runtime as in plain TensorFlow.js', async () => {
    await use('onnxruntime');
    expect(await compareSampleSteps('f32', () => use('cpu'))).toMatch(/weights and moments in float32/);
  });

  it('tells a device that computes something else', async () => {
    const { sqrt } = Math;
    try {
      await use('onnxruntime');
      const wrong = async () => {
        await use('cpu');
        Math.sqrt = (x) => 0.9 * sqrt(x);
      };
      await expect(compareSampleSteps('bf16', wrong)).rejects.toThrow(/gradients differ by 0\.\d+/);
    } finally {
      Math.sqrt = sqrt;
    }
  });
});

describe('installing OpenVINO', () => {
  it('leaves what was there when the source is none', async () => {
    writeLibrary('installed');
    writeFileSync(join(folder, 'text.whl'), 'no archive');
    writeFileSync(join(folder, 'broken.tgz'), 'no archive');
    writeFileSync(join(folder, 'some.txt'), 'text');
    mkdirSync(join(folder, 'empty'));
    for (const [source, reason] of [
      ['nowhere', /does not exist/],
      ['some.txt', /neither a folder nor/],
      ['empty', /no OpenVINO library for this system/],
      ['text.whl', /damaged/],
      ['broken.tgz', /damaged/],
    ] as const)
      await expect(installOpenVino(join(folder, source), target())).rejects.toThrow(reason);
    writeLibrary('bad', 'openvino', 'libs');
    await expect(installOpenVino(join(folder, 'bad'), target())).rejects.toThrow(/does not load/);
    expect(readdirSync(folder).sort()).toEqual(['bad', 'broken.tgz', 'empty', 'installed', 'some.txt', 'text.whl']);
    expect(readdirSync(target())).toEqual(['libopenvino_c.so.2600']);
  });
});

describe('the choice of OpenVINO', () => {
  it('says what to do where it is asked for and not found', async () => {
    process.env.MOTIF_OPENVINO = folder;
    await expect(selectBackend({ device: 'openvino' })).rejects.toThrow(
      /its library was not found; `motif doctor --install/,
    );
  });

  it('falls back where the library does not load', async () => {
    process.env.MOTIF_OPENVINO = writeLibrary('bad');
    const { chosen, candidates } = await selectBackend({ selfTest: compareSampleSteps });
    expect(chosen).not.toBe('openvino');
    expect(candidates.find(({ name }) => name === 'openvino')).toMatchObject({ available: false });
  });

  it('falls back where there is no library', async () => {
    process.env.MOTIF_OPENVINO = folder;
    const { chosen, candidates } = await selectBackend({ selfTest: compareSampleSteps });
    expect(chosen).not.toBe('openvino');
    expect(candidates.find(({ name }) => name === 'openvino')!.reason).toMatch(/not found; `motif doctor --install/);
    expect(candidates.find(({ name }) => name === 'openvino-f32')).toMatchObject({
      available: false,
      reason: expect.stringContaining('not found'),
    });
    expect(candidates.find(({ name }) => name === 'cpu')!.reason).toMatch(/only used when asked for: .*reference/);
    expect(candidates.find(({ name }) => name === chosen)).toMatchObject({
      available: true,
      reason: expect.stringMatching(/^it (comes with Motif|computes on the graphics processor|is installed)/),
    });
  });

  it.skipIf(!compiler)('falls back where the library is too old, and says which version is needed', async () => {
    process.env.MOTIF_OPENVINO = buildOldLibrary();
    const { chosen, candidates } = await selectBackend({ selfTest: compareSampleSteps });
    expect(chosen).not.toBe('openvino');
    expect(candidates.find(({ name }) => name === 'openvino')).toMatchObject({
      available: false,
      reason: expect.stringMatching(/is version 2024\.6\.0-17404; 2025\.0 or newer is needed/),
    });
    await expect(selectBackend({ device: 'openvino-f32' })).rejects.toThrow(/2025\.0 or newer is needed/);
    await expect(installOpenVino(folder, target())).rejects.toThrow(/It is version 2024\.6\.0/);
  });

  it.skipIf(!installed)('falls back where the self-test fails, and remembers it', async () => {
    let tests = 0;
    const selfTest = async () => {
      tests++;
      throw new Error('its gradients are wrong');
    };
    const testsByRun: number[] = [];
    for (let run = 0; run < 2; run++) {
      const { chosen, candidates } = await selectBackend({ cacheFolder: folder, selfTest });
      expect(chosen).not.toMatch(/openvino/);
      for (const device of ['openvino', 'openvino-f32']) {
        const { reason } = candidates.find(({ name }) => name === device)!;
        expect(reason).toMatch(/gradients are wrong|without bfloat16|GFLOP\/s are less than/);
      }
      testsByRun.push(tests);
    }
    expect(testsByRun[1]).toBe(testsByRun[0]);
  });

  it.skipIf(!installed)('is made by itself, with the reason in words, in the precision that is fast here', async () => {
    const { chosen, description, candidates } = await selectBackend({
      cacheFolder: folder,
      selfTest: compareSampleSteps,
    });
    const file = join(folder, 'self-tests.json');
    const remembered: [string, Verdict][] = existsSync(file)
      ? Object.entries(JSON.parse(readFileSync(file, 'utf8')))
      : [];
    for (const [device, precision] of [
      ['openvino', 'bf16'],
      ['openvino-f32', 'f32'],
    ] as const) {
      const { reason } = candidates.find(({ name }) => name === device)!;
      const verdict = remembered.find(([key]) => key.includes(`, ${precision}, `));
      if (chosen === device) {
        expect(reason).toMatch(/^it was found, .* came out the same/);
        expect(description).toMatch(new RegExp(`OpenVINO 20\\d\\d\\..* in ${precision}.*gradients within`));
        expect(verdict).toEqual([
          expect.stringMatching(/^openvino, 20\d\d\..*, \S/),
          { trusted: true, reason: expect.stringMatching(/within/) },
        ]);
      } else if (verdict) {
        expect(verdict[1].trusted).toBe(false);
        expect(reason).toBe(verdict[1].reason);
        expect(reason).toMatch(/^its \d+ GFLOP\/s are less than [\d.]+ times the \d+ of (float32|ONNX Runtime)$/);
      } else expect(reason).toMatch(/without bfloat16|^not tried, since \S+ works/);
    }
  });

  it.skipIf(!installed)('agrees with ONNX Runtime in both precisions', async () => {
    for (const [device, precision] of [
      ['openvino', 'bf16'],
      ['openvino-f32', 'f32'],
    ] as const) {
      await selectBackend({ device });
      expect(await compareSampleSteps(precision, () => selectBackend({ device: 'onnxruntime' }))).toMatch(/within/);
    }
  });
});

describe('memory', () => {
  for (const device of ['onnxruntime', ...(installed ? (['openvino', 'openvino-f32'] as const) : [])] as const)
    it(`that runs out on ${device} fails one computation, in words that the engine's host knows, and no other`, async () => {
      await selectBackend({ device });
      const rows = 2 ** 19;
      const x = tf.tensor2d(new Float32Array(rows * 8), [rows, 8]);
      const tensors = tf.memory().numTensors;
      // A terabyte between two operations.
      const sum = tf.tidy(() => tf.sum(tf.exp(tf.matMul(x, x, false, true))));
      const failure = await sum.data().catch((error: Error) => error);
      expect(failure).toBeInstanceOf(Error);
      expect(speaksOfMemory((failure as Error).message)).toBe(true);
      sum.dispose();
      expect(await tf.tidy(() => tf.sum(tf.slice(tf.exp(x), [0, 0], [4, 8]))).data()).toEqual(Float32Array.of(32));
      expect(tf.memory().numTensors).toBe(tensors + 1);
      x.dispose();
    });
});

it.skipIf(!compiler)('goes on after its memory ran out in compiling or running, as soon as there is some', async () => {
  process.env.MOTIF_OPENVINO = buildShortOfMemory();
  await selectBackend({ device: 'openvino' });
  const x = tf.tensor1d([1]);
  const sum = tf.add(x, 1);
  for (const what of [/compile the model: can't alloc/, /run the model: Failed to allocate 64 bytes/]) {
    const failure = await sum.data().catch((error: Error) => error);
    expect((failure as Error).message).toMatch(what);
    expect(speaksOfMemory((failure as Error).message)).toBe(true);
  }
  expect(Array.from(await sum.data())).toEqual([7]); // what the library makes of everything
  tf.dispose([x, sum]);
});

// Last: the copy stays loaded in this process after its folder is gone.
describe('installing OpenVINO from what is there', () => {
  it.skipIf(!installed)('copies the library and its licences, and finds them again', async () => {
    const source = installed!.path.slice(0, installed!.path.lastIndexOf('/libs/'));
    const { version } = await installOpenVino(source, target());
    expect(isSupportedVersion(version)).toBe(true);
    expect((await findOpenVino({}, target()))?.where).toBe("Motif's own copy");
    expect(readdirSync(target())).not.toContain('libopenvino_intel_gpu_plugin.so');
    // Its own licence and those of what it contains, each under its own name.
    const licences = readdirSync(join(target(), 'licences'));
    expect(licences).toEqual(expect.arrayContaining([expect.stringMatching(/^LICENSE/)]));
    expect(licences.filter((name) => /third-party/.test(name)).length).toBeGreaterThan(0);
    for (const name of licences) expect(statSync(join(target(), 'licences', name)).size).toBeGreaterThan(0);
  });
});

if (!installed) console.log('OpenVINO is not on this machine: what needs its library was skipped.');
