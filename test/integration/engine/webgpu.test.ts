import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import bundledChromium from '@sparticuz/chromium';
import { build } from 'esbuild';
import { afterAll, expect, it } from 'vitest';
import type { DeviceReport } from '../../../shared/domain/engine.ts';
import type { WeightForm } from '../../../shared/domain/weight-form.ts';

const root = join(import.meta.dirname, '../../..');
/** Inside the checkout, so that the bundle finds its packages. */
const folder = mkdtempSync(join(root, 'node_modules/.cache/motif/webgpu-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The folder of a Vulkan device in software, which comes with the browser of the tests; undefined where there is none. */
async function findSoftwareDevice(): Promise<string | undefined> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined;
  const found = dirname(await bundledChromium.executablePath());
  const needed = ['libvulkan.so.1', 'libvk_swiftshader.so', 'vk_swiftshader_icd.json'];
  return needed.every((name) => existsSync(join(found, name))) ? found : undefined;
}

const device = await findSoftwareDevice();
if (!device) console.log('No Vulkan device in software is on this machine: WebGPU was not tested.');

/** What a script beside this one prints, as JSON, in a process that finds the software device. */
async function answerOf<T>(name: string): Promise<T> {
  const script = join(folder, `${name}.mjs`);
  const cache = join(root, 'node_modules/.cache/motif');
  if (!existsSync(script))
    await build({
      entryPoints: [join(import.meta.dirname, `${name}.ts`)],
      outfile: script,
      bundle: true,
      platform: 'node',
      format: 'esm',
      packages: 'external',
      alias: {
        '@tensorflow/tfjs-core/dist/register_all_gradients.js': join(cache, 'tfjs-core.js'),
        '@tensorflow/tfjs-core/dist/index.js': join(cache, 'tfjs-core.js'),
        '@tensorflow/tfjs-core': join(cache, 'tfjs-core.js'),
      },
      logLevel: 'warning',
    });
  const { stdout } = await promisify(execFile)(process.execPath, [script, folder], {
    env: { ...process.env, LD_LIBRARY_PATH: device, VK_ICD_FILENAMES: join(device!, 'vk_swiftshader_icd.json') },
  });
  return JSON.parse(stdout);
}

it.skipIf(!device)(
  'chooses WebGPU without what an adapter computes wrongly, and remembers that',
  async () => {
    const choose = () => answerOf<DeviceReport & { weightForms: WeightForm[] }>('webgpu-on-software');
    const { chosen, description, weightForms } = await choose();
    expect(chosen).toBe('webgpu');
    // ONNX Runtime's fused attention is wrong on this adapter from 48 tokens on; a step of training shows it.
    expect(description).toMatch(/gradients within \S+, weights and moments in float32, without multiHeadAttention$/);
    const [[key, verdict]] = Object.entries(JSON.parse(readFileSync(join(folder, 'self-tests.json'), 'utf8'))) as [
      [string, object],
    ];
    expect(key).toMatch(/^webgpu, [\d.]+, .*vk_swiftshader_icd\.json/);
    expect(verdict).toMatchObject({ trusted: true, without: ['multiHeadAttention'], float16Weights: false });
    // This adapter has no float16 in its shaders (shader-f16), which a cast of such weights needs.
    expect(weightForms).toEqual(['float32', 'streamed']);
    const started = performance.now();
    expect(await choose()).toMatchObject({ description, weightForms });
    console.log(`chosen again in ${Math.round(performance.now() - started)} ms`);
  },
  300_000,
);

interface Answer {
  description: string;
  /** Processor time of what WebGPU computed. */
  seconds: number;
  errors: Record<string, number>;
  failed?: string;
}

/** WebGPU leaves the precision of sines and exponentials to the driver. */
const tolerance = 5e-4;

it.skipIf(!device)(
  'computes operations and their gradients at the sizes of training, odd ones among them, as the processor does',
  async () => {
    const answer = await answerOf<Answer>('sizes-on-software');
    expect(answer.failed).toBeUndefined();
    expect(answer.description).toContain('WebGPU');
    expect(Object.keys(answer.errors)).toHaveLength(5 * 9);
    console.log(`in ${answer.seconds.toFixed(1)} s of processor time`);
    expect(Object.entries(answer.errors).filter(([, error]) => !(error < tolerance))).toEqual([]);
  },
  300_000,
);
